"""FHIR words of our own: what no standard we follow has a word for. One line each, beside the code that speaks them.

`python -m tools.fhir_profiles` writes them to fhir_profiles/; a test fails when a word of the code is not here.
"""

from dataclasses import dataclass

from app.audit.vocabulary import Ground
from app.features.projects import labels
from app.features.transmissions.fhir import WORDS
from app.fhir.verbs.asking import STATES
from app.security.principal import Role


@dataclass(frozen=True, slots=True)
class ExtensionWord:
    """`parts` are the extensions inside, by name and type, when it has no value of its own."""

    title: str
    description: str
    context: tuple[str, ...]
    type: str = ""
    parts: tuple[tuple[str, str], ...] = ()


EXTENSIONS = {
    "transmission-target": ExtensionWord(
        "Cible d'une transmission",
        "Ce dont parle le fil (transmissions ciblées) : sommeil, chute, visite.",
        ("DocumentReference",),
        "string",
    ),
    "practitioner-role-structure": ExtensionWord(
        "Autre structure du même rôle",
        "R4 n'a qu'une organisation par rôle ; ici un rôle peut s'exercer dans plusieurs structures de l'organisme.",
        ("PractitionerRole",),
        "Reference",
    ),
    "contact-call-order": ExtensionWord(
        "Ordre d'appel", "À qui téléphoner d'abord : 1, puis 2.", ("RelatedPerson",), "positiveInt"
    ),
    "contact-trusted-person": ExtensionWord(
        "Personne de confiance",
        "Où en est sa désignation (CSP, art. L1111-6), et depuis quand. Dite, jamais reçue : elle se signe.",
        ("RelatedPerson",),
        parts=(("status", "code"), ("date", "date")),
    ),
    "agreement-party": ExtensionWord(
        "Qui s'engage",
        "Au titre de quoi l'accord sur le projet est donné : la structure, la personne, un représentant, un proche.",
        ("Consent",),
        "code",
    ),
    "agreement-comment": ExtensionWord(
        "Ce qui est dit avec la réponse", "Les mots de qui répond, tels quels.", ("Consent",), "string"
    ),
    "agreement-shown": ExtensionWord(
        "Ce qui a été montré",
        "La version du projet que la personne avait sous les yeux, et son empreinte.",
        ("Consent",),
        parts=(("project", "Reference"), ("sha256", "string")),
    ),
    "expectation-adds-to": ExtensionWord(
        "Précise une attente", "L'attente que celle-ci complète, sans la remplacer.", ("Goal",), "Reference"
    ),
    "goal-team-view": ExtensionWord(
        "Regard de l'équipe",
        "Cette note est le regard de l'équipe sur l'objectif, à côté de l'avis de la personne.",
        ("Annotation",),
        "boolean",
    ),
    "project-next-review": ExtensionWord(
        "Prochain point", "Le jour où l'on regarde ensemble où en est le projet.", ("CarePlan",), "date"
    ),
    "event-answer": ExtensionWord(
        "Vient-elle ?",
        "Ce que la personne a répondu à un rendez-vous : yes, no, talk (elle veut en parler). Rien n'est annulé par là.",
        ("Encounter",),
        "code",
    ),
    "consent-question": ExtensionWord(
        "La question posée", "Telle qu'elle a été montrée à la personne.", ("Consent",), "string"
    ),
    "consent-if-yes": ExtensionWord("Si je dis oui", "Ce qui se passe alors.", ("Consent",), "string"),
    "consent-if-no": ExtensionWord("Si je dis non", "Ce qui se passe alors.", ("Consent",), "string"),
    "consent-shown": ExtensionWord(
        "Empreinte de ce qui a été montré",
        "SHA-256 de la question, de « si je dis oui » et de « si je dis non », un par ligne.",
        ("Consent",),
        "string",
    ),
    "replaces": ExtensionWord(
        "Remplace",
        "La partie du projet que celle-ci remplace, depuis un avenant.",
        ("Goal", "ServiceRequest", "Task"),
        "Reference",
    ),
}

ROLES = {
    Role.EDUCATEUR: "Éducateur, moniteur",
    Role.ACCOMPAGNANT: "Accompagnant éducatif et social",
    Role.VEILLEUR: "Veilleur de nuit",
    Role.AIDE_SOIGNANT: "Aide-soignant",
    Role.INFIRMIER: "Infirmier",
    Role.MEDECIN: "Médecin",
    Role.PSYCHOLOGUE: "Psychologue",
    Role.PARAMEDICAL: "Paramédical",
    Role.ASSISTANT_SOCIAL: "Assistant de service social",
    Role.ENSEIGNANT: "Enseignant",
    Role.BENEVOLE: "Bénévole",
    Role.CHEF_DE_SERVICE: "Chef de service",
    Role.COORDINATEUR: "Coordinateur",
    Role.IDEC: "Infirmier ou médecin coordonnateur",
    Role.SECRETARIAT: "Secrétariat",
    Role.DIRECTION: "Direction",
    Role.EVALUATEUR: "Évaluateur, inspecteur",
    Role.DPO: "Délégué à la protection des données",
    Role.ADMIN: "Administration technique",
}
KINDS = {
    "usager": "Identité",
    "usager_identifier": "Numéros",
    "contact": "Proches",
    "stay": "Séjours",
    "emergency_sheet": "Fiche d'urgence",
    "transmission": "Transmissions",
    "event": "Agenda",
    "project": "Projet",
    "expectation": "Attentes",
    "need": "Besoins",
    "goal": "Objectifs",
    "action": "Actions",
    "service": "Prestations",
    "means": "Moyens",
    "review": "Bilans",
    "agreement": "Accords sur le projet",
    "assessment": "Évaluations",
    "life_project": "Projet de vie",
    "school_period": "Scolarité",
    "mobility": "Déplacements",
    "death": "Causes du décès",
    "orientation_request": "Demandes d'orientation",
    "orientation_decision": "Décisions d'orientation",
    "kept_resource": "Ce qui a été reçu et gardé tel quel",
}
GROUNDS = {
    Ground.ACCORD: "Accord de la personne (CSP, art. L1110-4, III)",
    Ground.EQUIPE: "Équipe (CSP, art. L1110-12)",
    Ground.ECHANGE: "Échange entre professionnels (CSP, art. L1110-4, II)",
    Ground.LOI: "Loi",
    Ground.VITAL: "Danger, la personne ne pouvant le dire",
    Ground.URGENCE: "Accès en urgence, motivé",
    Ground.MOTIF: "Motif de la direction",
    Ground.ASTREINTE: "Astreinte",
}
CODE_SYSTEMS: dict[str, tuple[str, dict[str, str]]] = {
    "exchange-state": ("Où en est un envoi, dit à qui l'a fait (jamais dans un export)", STATES),
    "transmission-kind": ("Nature d'une transmission", {str(kind): word for kind, word in WORDS.items()}),
    "role": ("Rôle dans l'organisme, celui qu'ouvre une habilitation", {role.value: ROLES[role] for role in Role}),
    "goal-kind": ("Ce qu'un objectif cherche", {k.value: w for k, w in labels.GOAL_KINDS.items()}),
    "goal-step": ("Où en est un objectif, dans les mots de la personne", {k.value: w for k, w in labels.STEPS.items()}),
    "consent-kind": (
        "Ce que demande une question à la personne",
        {"partage": "Partager hors de l'équipe", "image": "Photos et vidéos", "autre": "Autre accord"},
    ),
    "category": (
        "À quoi touche une ligne du dossier : c'est ce qui dit qui la lit",
        {"administrative": "Administratif", "support": "Accompagnement", "care": "Soin", "judicial": "Judiciaire"},
    ),
    "kind": ("Ce qu'est une ligne du dossier, et qu'un accord peut ouvrir", KINDS),
    "ground": ("Au titre de quoi une ligne a été lue hors de l'équipe", {g.value: GROUNDS[g] for g in Ground}),
    "trail-act": ("Ce qu'une ligne de la trace dit d'autre qu'une opération", {"act": "Geste"}),
    "agreement-party": ("Qui s'engage sur un projet", {k.value: w for k, w in labels.PARTIES.items()}),
}
