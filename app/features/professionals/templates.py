"""Functions as a house gives them: a role, and how long it may last. Nobody passing through keeps a key for ever.

The lengths are those of the contracts (CDD, convention de stage, mission letter): practice, to be tuned with the house.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from app.kernel.errors import Invalid
from app.security.principal import Role

YEAR, SEASON, TERM = 365, 92, 184  # days


@dataclass(frozen=True, slots=True)
class Template:
    code: str
    label: str
    role: Role
    longest: int | None = None  # days; None: as long as they work here


_LASTING = {
    Role.EDUCATEUR: "Éducateur, moniteur",
    Role.ACCOMPAGNANT: "Accompagnant (AES), maître de maison",
    Role.VEILLEUR: "Veilleur de nuit",
    Role.AIDE_SOIGNANT: "Aide-soignant",
    Role.INFIRMIER: "Infirmier",
    Role.MEDECIN: "Médecin",
    Role.PSYCHOLOGUE: "Psychologue",
    Role.PARAMEDICAL: "Paramédical",
    Role.ASSISTANT_SOCIAL: "Assistant de service social",
    Role.ENSEIGNANT: "Enseignant",
    Role.CHEF_DE_SERVICE: "Chef de service",
    Role.COORDINATEUR: "Coordinateur",
    Role.IDEC: "IDEC, médecin coordonnateur",
    Role.SECRETARIAT: "Secrétariat",
    Role.DIRECTION: "Direction",
    Role.DPO: "DPO",
    Role.ADMIN: "Administrateur technique",
}
_PASSING = (
    Template("remplacant_educateur", "Éducateur remplaçant", Role.EDUCATEUR, SEASON),
    Template("remplacant_accompagnant", "Accompagnant remplaçant", Role.ACCOMPAGNANT, SEASON),
    Template("remplacant_veilleur", "Veilleur remplaçant", Role.VEILLEUR, SEASON),
    Template("remplacant_aide_soignant", "Aide-soignant remplaçant", Role.AIDE_SOIGNANT, SEASON),
    Template("remplacant_infirmier", "Infirmier remplaçant", Role.INFIRMIER, SEASON),
    Template("stagiaire", "Stagiaire", Role.BENEVOLE, TERM),
    Template("benevole", "Bénévole, chauffeur", Role.BENEVOLE, YEAR),
    Template("evaluateur", "Évaluateur, inspecteur", Role.EVALUATEUR, SEASON),
)
TEMPLATES = {t.code: t for t in (*(Template(r.value, label, r) for r, label in _LASTING.items()), *_PASSING)}


def ending(template: Template, starts: date, ends: date | None) -> date | None:
    """The day it ends: as said, or the latest this function allows. Raises Invalid beyond."""
    if template.longest is None:
        return ends
    latest = starts + timedelta(days=template.longest)
    if ends is not None and ends > latest:
        raise Invalid(
            f"Cette fonction dure {template.longest} jours au plus.", where="/ends", code="membership.too_long"
        )
    return ends or latest
