"""The national layer: every key there is, its value as shipped, its source. A key that is not here is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.security.principal import Role


@dataclass(frozen=True, slots=True)
class Shipped:
    value: Any
    kind: type
    about: str
    source: str
    least: int | None = None
    most: int | None = None
    among: Mapping[str, str] = field(default_factory=dict)  # the only words it may be, and what each says
    whole: bool = False  # one value for the organisation: no house has its own


SHIPPED: dict[str, Shipped] = {
    "emergency.hours": Shipped(12, int, "Durée d'un accès en urgence, en heures", "pratique", 1, 24),
    "handover.recent_days": Shipped(
        7, int, "Jours de transmissions importantes qu'un transfert emporte", "pratique", 1, 30
    ),
    "handover.days": Shipped(
        30, int, "Jours au plus où un partenaire relit ici ce qui lui est transmis", "CSP L1110-4 ; pratique", 1, 365
    ),
    "purpose.hours": Shipped(12, int, "Durée d'une lecture pour un motif, en heures", "CSP R1110-1 ; pratique", 1, 72),
    "calendar.horizon_months": Shipped(18, int, "Mois d'agenda écrits d'avance", "pratique", 3, 36),
    "project.review_months": Shipped(
        12, int, "Mois avant de revoir un projet", "TDDUI, classe Bilan : une fois par an", 1, 12
    ),
    "page.shared_device_minutes": Shipped(
        15, int, "Minutes avant de fermer sur un appareil partagé", "pratique", 5, 60
    ),
    "page.own_device_days": Shipped(7, int, "Jours avant de fermer sur son propre appareil", "pratique", 1, 30),
    "page.staff_first_names": Shipped(False, bool, "Montrer le prénom des professionnels", "CJUE C-579/21"),
    "visibility.transmission": Shipped(
        "not_shared",
        str,
        "Une transmission est-elle montrée à la personne, quand personne ne le dit ? Jamais pour les soins",
        "pratique",
        among={"not_shared": "elle ne la voit pas", "shared": "elle la voit"},
    ),
    "withheld.draft_days": Shipped(30, int, "Jours pendant lesquels un brouillon n'est pas montré", "pratique", 1, 30),
    "withheld.announcement_days": Shipped(
        15, int, "Jours avant de montrer ce qui s'annonce de vive voix", "CASF L311-3 ; pratique", 1, 15
    ),
    "withheld.review_days": Shipped(
        180, int, "Jours avant de relire ce qui est retenu pour une autre raison", "CASF L311-3 ; pratique", 1, 365
    ),
    **{
        f"second_factor.{role}": Shipped(
            role in (Role.DIRECTION, Role.ADMIN, Role.DPO),
            bool,
            f"Exiger un second facteur ({role}) ; se règle pour l'organisation",
            "CNIL, guide de la sécurité des données personnelles : authentification",
            whole=True,
        )
        for role in Role
    },
    "copy.care_hours": Shipped(48, int, "Heures avant de remettre une copie des soins", "CSP L1111-7", 48, 48),
    "copy.care_days": Shipped(8, int, "Jours pour répondre : les soins", "CSP L1111-7", 2, 8),
    "copy.old_care_years": Shipped(5, int, "Années après lesquelles des soins sont anciens", "CSP L1111-7", 5, 50),
    "copy.old_care_months": Shipped(2, int, "Mois pour répondre : les soins anciens", "CSP L1111-7", 1, 2),
    "copy.rest_months": Shipped(1, int, "Mois pour répondre : le reste du dossier", "RGPD art. 12 §3", 1, 1),
    "fhir.require_if_match": Shipped(
        False,
        bool,
        "Un partenaire qui modifie ou retire doit dire la version qu'il a lue (If-Match)",
        "FHIR R4, http : managing resource contention",
    ),
    "fhir.update_create": Shipped(
        False,
        bool,
        "Un partenaire peut choisir l'identifiant de ce qu'il crée (PUT), dans l'espace qui lui est réservé",
        "FHIR R4, http : update as create",
    ),
    "erasure.notice_days": Shipped(
        30,
        int,
        "Jours entre l'avis au DPO et l'effacement ; se règle pour l'organisation",
        "pratique",
        30,
        365,
        whole=True,
    ),
}
# How long each part of a dossier is kept (field.md §9): nothing is erased until a house says how long, from what day, and
# by which text. A part without its three answers is kept; and the person's dossier is erased whole or not at all.
PARTS = {
    "administrative": "la partie administrative",
    "support": "la partie accompagnement",
    "care": "la partie soins",
    "judicial": "les décisions de justice",
    "alert": "les alertes",
}
STARTS = {
    "exit": "la fin du dernier séjour",
    "death": "le décès",
    "majority": "les 18 ans, ou la sortie si elle est après",
}
LONGEST = 1_200  # months
SHIPPED |= {
    key: told
    for part, said in PARTS.items()
    for key, told in {
        f"retention.{part}.months": Shipped(
            0, int, f"Mois de conservation : {said} (0 : pas d'effacement)", "", 0, LONGEST
        ),
        f"retention.{part}.starts": Shipped(
            "exit", str, f"Ce qui fait partir le délai : {said} ({', '.join(STARTS)})", "", among=STARTS
        ),
        f"retention.{part}.source": Shipped("", str, f"Le texte qui fixe la durée : {said}", ""),
    }.items()
}
# A model of house starts narrower than the country.
MODELS: dict[str, dict[str, Any]] = {
    "ehpad": {},
    "mas_fam": {},
    "ime": {},
    "savs": {"page.own_device_days": 14},
    "mecs": {"page.shared_device_minutes": 10},
    "domicile": {"page.own_device_days": 14},
}
# Before a real person: six answers, kept by the server, not by one organisation (README).
QUESTIONS = {
    "deployment.hosting": "Qui héberge, et avec quelle certification ?",
    "deployment.tls": "Quel nom et quel certificat ?",
    "deployment.backup": "Quand une restauration a-t-elle été essayée ?",
    "deployment.aipd": "Où est l'analyse d'impact ?",
    "deployment.register": "Où est la ligne du registre ?",
    "deployment.accounts": "Qui tient les comptes ?",
}
