"""Each table about a person has its place in the copy, or the reason why it has none: a test compares with the schema."""

# What is told, in the order of the copy.
TOLD = {
    "usager": "Qui vous êtes",
    "usager_identifier": "Vos numéros",
    "contact": "Les personnes autour de vous",
    "mandate": "Qui vous représente",
    "stay": "Vos séjours",
    "team_member": "Votre équipe",
    "shared_team": "Les équipes qui travaillent ensemble pour vous",
    "emergency_sheet": "Votre fiche d'urgence",
    "life_project": "Votre projet de vie",
    "school_period": "Votre scolarité",
    "mobility": "Vos déplacements",
    "death": "Les causes du décès",
    "orientation_request": "Vos demandes à la MDPH",
    "orientation_decision": "Les décisions de la MDPH",
    "project": "Votre projet",
    "expectation": "Vos attentes",
    "need": "Vos besoins",
    "goal": "Vos buts",
    "action": "Ce qui est prévu",
    "service": "Les aides de la maison",
    "means": "Les moyens",
    "review": "Les bilans",
    "agreement": "Les signatures du projet",
    "assessment": "Vos évaluations",
    "event_participant": "Votre agenda",
    "event_attendee": "Qui vient avec vous",
    "presence": "Quand vous êtes là, quand vous n'êtes pas là",
    "presence_schedule": "Le calendrier de vos présences",
    "meal": "Vos repas",
    "transport": "Vos trajets",
    "transmission": "Ce que l'équipe a écrit",
    "document": "Vos documents",
    "sharing_consent": "Les questions qui vous ont été posées",
    "consent_answer": "Les réponses données",
    "opposition": "Ce que vous avez refusé",
    "handover": "Ce qui a été transmis à d'autres",
    "judicial_decision": "Les décisions de justice",
    "consigne": "Ce qu'elles demandent à l'équipe",
    "emergency_access": "Les ouvertures en urgence",
    "kept_resource": "Ce qu'un autre logiciel a envoyé",
    "copy_request": "Vos demandes de copie",
    "personal_access": "Vos cartes d'accès",
}
LEFT_OUT = {
    "alert": "jamais : CASF L226-2-1, RGPD art. 23",
    "audit_entry": "qui a lu le dossier se demande au DPO, et se lit sur la page de la personne",
    "stated_purpose": "pourquoi quelqu'un l'a ouvert : la même liste, retenue pour une inspection ou un juge (field.md §6)",
    "trail_release": "ce que le DPO a laissé montrer de la même liste",
    "entry_version": "les états d'avant de ces mêmes lignes : dits avec chacune",
    "usager_key": "une clé",
    "copy_file": "une copie d'avant, telle qu'elle a été remise",
    "external_id": "des empreintes, sans valeur",
    "content": "les fichiers : chacun est avec son document",
    "handover_row": "le détail de ce qui a été transmis : ces mêmes lignes, dans leur état d'alors",
    "exchange_row": "le lien entre un envoi et ces mêmes lignes",
    "session": "des ouvertures de page, gardées quelques jours",
    "erasure": "ce qui prépare l'effacement ; le certificat ne dit rien de la personne",
}
# Of the tables told: what says nothing of the person, or what a reader could not use.
TECHNICAL = frozenset(
    {
        "organisation_id", "usager_id", "changed_xid", "held", "reserved_to", "visibility", "withheld_reason",
        "withheld_until", "masked", "shown_text",
        "origin_exchange_id", "origin_version", "updated_at", "name_key", "used_name_key", "blind", "business_id",
        "token_hash", "code_hash", "wording_sha256", "shown_sha256", "minor_secret", "structure_model", "sha1",
        "told_in_part",  # read of what was received, which is told
    }
)  # fmt: skip
# « Lieu protégé », for everyone outside of the staff (field.md §5): the flag, and what it closes.
PROTECTED = {
    "usager": ("address_protected", ("address", "postal_code", "city", "country", "phone", "email")),
    "contact": ("address_protected", ("address", "postal_code", "city", "country", "phone", "email", "notes")),
    "stay": ("place_protected", ("structure_id", "unit_id", "file_number", "comes_from", "comment")),
    "school_period": ("place_protected", ("school_id", "school_name", "comment")),
    "event_participant": (
        "place_protected",
        ("place", "title", "comment", "reason", "report", "cancel_reason", "outside_service"),
    ),
    "transport": ("place_protected", ("description", "carrier_name", "distance", "duration")),
}
PROTECTED_PLACE = "lieu protégé"
OTHER_PERSON = "passage masqué : il parle de quelqu'un d'autre"
AT_COURT = "Vous pouvez la lire au tribunal. Un avocat peut vous aider."

LABELS = {
    "occurred_at": "date", "recorded_at": "noté le", "category": "partie", "author": "par", "house": "maison",
    "deleted_at": "retiré le", "consigne": "consigne pour l'équipe", "received": "reçu tel quel",
    "birth_family_name": "nom de naissance", "birth_given_names": "prénoms", "used_family_name": "nom utilisé",
    "used_given_name": "prénom utilisé", "birth_date": "né(e) le", "gender": "sexe", "birth_place_code": "code du lieu de naissance",
    "birth_place_name": "lieu de naissance", "birth_order": "rang de naissance", "identity_status": "identité",
    "identity_checked_on": "identité vérifiée le", "identity_document": "document vu", "phone": "téléphone", "email": "courriel",
    "address": "adresse", "postal_code": "code postal", "city": "ville", "country": "pays", "address_protected": "adresse protégée",
    "place_protected": "lieu protégé", "says_tu": "on vous dit « tu »", "died_on": "décès le", "told_at": "informé(e) le",
    "system": "système", "type_code": "type", "value": "numéro", "family_name": "nom", "given_name": "prénom", "role": "rôle",
    "relation": "lien", "call_order": "ordre d'appel", "trusted_person": "personne de confiance", "trusted_on": "depuis le", "trusted_signed_on": "vous avez signé le", "trusted_accepted_on": "elle a signé le",
    "trusted_document": "papier signé",
    "notes": "à savoir", "kind": "sorte", "scope": "portée", "effect": "effet", "acts": "actes", "opens": "ouvre", "starts": "à partir du",
    "ends": "jusqu'au", "copy_seen_on": "copie vue le", "person_agreed": "vous êtes d'accord", "confirmed_at": "confirmé le",
    "person_told": "vous a été dit", "status": "où cela en est", "admitted_on": "admis(e) le", "planned_start": "arrivée prévue",
    "planned_end": "départ prévu", "modality": "accueil", "entry_mode": "entrée", "exit_mode": "sortie", "comes_from": "venu(e) de",
    "file_number": "numéro de dossier", "comment": "commentaire", "referent": "référent", "number": "numéro", "title": "titre",
    "description": "description", "status_changed_at": "depuis le", "communication": "pour se comprendre", "next_review_on": "à revoir le",
    "origin": "venant de", "said_by": "dit par", "said_on": "dit le", "words": "les mots", "comments": "remarques", "text": "texte",
    "serafin": "classement", "step": "étape", "strategy": "comment", "referent_name": "avec", "review_on": "on en reparle le",
    "team_view": "avis de l'équipe", "team_view_at": "avis donné le", "opinion_feeling": "votre avis", "opinion_words": "vos mots",
    "opinion_at": "avis donné le", "expected_result": "résultat attendu", "person_opinion": "votre avis", "owner_name": "qui le fait",
    "types": "types", "status_code": "état", "starts_at": "début", "ends_at": "fin", "perimeter": "sur quoi", "question": "question",
    "guests": "invités", "preparations": "préparation", "prepared_by": "préparé par", "synthesis": "synthèse", "party": "qui signe",
    "answer": "réponse", "signed_at": "signé le", "signer_name": "signé par", "shown_version": "version montrée", "reason": "raison",
    "place": "lieu", "all_day": "toute la journée", "zone": "fuseau", "cancel_reason": "annulé parce que", "outside_service": "service extérieur",
    "traveller": "qui voyage", "professional_name": "professionnel", "mode_code": "moyen de transport",
    "engine_code": "motorisation", "nature_code": "nature du trajet", "accompanied": "accompagné(e)", "asepsis": "asepsie",
    "carrier_name": "transporteur", "distance": "distance", "distance_unit": "unité de la distance", "duration": "durée prévue",
    "duration_unit": "unité de la durée", "budget_planned": "coût prévu", "budget_planned_currency": "monnaie du coût prévu",
    "budget_actual": "coût réel", "budget_actual_currency": "monnaie du coût réel", "absent": "absent(e)", "reason_code": "motif", "planned": "prévu", "billed": "facturé",
    "report": "compte rendu", "present": "présent(e)", "approved": "validé",
    "asked_at": "demandé le", "asked_how": "demandé par", "answered_at": "répondu le", "answered_by_kind": "répondu par",
    "name": "nom", "companion": "accompagne", "removed": "retiré", "target": "sujet", "important": "important",
    "correction_reason": "corrigé parce que", "if_yes": "si oui", "if_no": "si non", "assisted_by": "avec l'assistance de",
    "act": "acte", "cannot_express_on": "ne pouvait pas répondre, noté le", "withdrawn_at": "repris le",
    "about": "ce que cela ouvre", "categories": "parties partagées", "kinds": "sortes partagées", "data_from": "notes depuis le", "data_until": "notes jusqu'au",
    "given_by_kind": "donnée par", "consent_version": "version de la question", "nature": "nature", "lapses_on": "à vous redemander le", "reviewed_at": "relu le", "review": "avis du responsable", "ground": "motif", "article": "texte", "stopped_at": "arrêté le", "person_informed": "vous étiez informé(e)", "person_told_on": "vous a été dit le", "opposed_at": "vous avez refusé le", "decided_on": "décidé le",
    "fetch": "qui peut venir chercher", "call": "qui peut appeler", "visit": "qui peut visiter", "sign": "qui peut signer",
    "in_doubt": "en cas de doute", "closes_access": "ferme un accès", "lifted_at": "levée le", "closed_at": "fermé le",
    "type_name": "type", "profile": "forme", "own_device": "votre appareil", "revoked_at": "reprise le", "notice_at": "notice lue le", "allergies": "allergies",
    "conditions": "maladies", "treatment": "traitement", "treatment_signatory": "signé par", "texture": "repas", "risks": "risques",
    "soothes": "ce qui calme", "mobility": "se déplacer", "equipment": "matériel", "advance_directives": "directives anticipées",
    "questionnaire": "grille", "assessed_at": "faite le", "assessor_name": "faite par", "responsible_name": "responsable",
    "recorder_name": "notée par", "method": "méthode", "items": "réponses",
    "subject_code": "ce qui est demandé (code)", "subject_label": "ce qui est demandé", "number_system": "système du numéro", "asked_on": "demandé le", "requester_name": "demandé par", "mdph_name": "MDPH",
    "revises": "remplace le numéro", "revises_system": "système du numéro remplacé", "decided_by": "décidé par", "type_label": "décision", "motivation": "motif", "motivation_label": "parce que",
    "local_motivation": "en clair", "closes_on": "prend fin le", "rights": "droits", "rights_end_on": "premier droit à finir",
    "opens_on": "à partir du", "ends_on": "jusqu'au", "global_plan": "plan d'accompagnement global", "creton": "maintien Creton",
    "qualification": "orientation", "temporality": "accueil", "precision": "précision", "structure_name": "établissement",
    "teachings": "enseignements", "diplomas": "diplômes", "volume": "temps d'école", "school_name": "école",
    "mode": "comment (code)", "mode_label": "comment", "noted_on": "noté le", "details": "précisions", "causes": "causes",
    "aim": "ce qui est voulu", "aim_on": "voulu pour le", "said_by_name": "dit par",
    "type": "type", "content_type": "sorte de fichier", "size": "taille (octets)", "written_on": "daté du", "language": "langue", "class_code": "classement", "format": "format", "event": "à propos de", "facility": "lieu de soins", "practice": "spécialité", "writer_name": "écrit par", "authenticator_name": "validé par", "period_starts": "à partir du", "period_ends": "jusqu'au", "sha256": "empreinte",
    "part": "ce qui est demandé", "due_on": "réponse avant le", "not_before": "pas avant le", "old_before": "soins anciens : avant le",
    "care_signed_at": "soins signés le", "call_in_order": "qui appeler", "measure": "mesure", "physician": "médecin",
}  # fmt: skip


def label(column: str) -> str | None:
    """None: for a program only, it stays in the JSON."""
    if column in LABELS:
        return LABELS[column]
    stem, _, end = column.rpartition("_")
    return f"{LABELS[stem]} (le)" if end == "on" and stem in LABELS else None
