"""From the columns that say who wrote or came, to who is named on the page."""

from app.access.mandates import MandateKind
from app.portal.frame import THE_PERSON, Partner, Relative, Staff, Who
from app.security.principal import Caller, Role

RELATIONS = {  # HL7 v3 RoleCode, as TRE_R216 has them, to the keys of `people.RELATIONS`
    **dict.fromkeys(("MTH", "NMTH", "ADOPTM", "STPMTH"), "mother"),
    **dict.fromkeys(("FTH", "NFTH", "ADOPTF", "STPFTH"), "father"),
    **dict.fromkeys(("SIS", "NSIS", "HSIS"), "sister"),
    **dict.fromkeys(("BRO", "NBRO", "HBRO"), "brother"),
    **dict.fromkeys(("DAU", "DAUC", "DAUADOPT"), "daughter"),
    **dict.fromkeys(("SON", "SONC", "SONADOPT"), "son"),
    **dict.fromkeys(("PRN", "NPRN"), "parent"),
}
PARENTS = (MandateKind.AUTORITE_PARENTALE, MandateKind.AUTORITE_PARENTALE_SEPARES)
BY_MANDATE = {kind.value: "parent" if kind in PARENTS else "representative" for kind in MandateKind}
CLOSE = "proche"
A_PARTNER = "un partenaire"
THE_TEAM = Partner(name="l'équipe")  # someone of it without a role any more


def relation(coded: str | None, mandate: str | None = None) -> str:
    """A key of `people.RELATIONS`: by what they are to the person, else by the mandate they hold."""
    code = (coded or "").rpartition("|")[2]
    return RELATIONS.get(code) or BY_MANDATE.get(mandate or "", CLOSE)


def staff(role: str | None, first_name: str | None) -> Staff | None:
    return Staff(role=Role(role), first_name=first_name) if role else None


def author(
    kind: str, *, mine: bool = False, role: str | None = None, first_name: str | None = None, name: str | None = None
) -> Who:
    """`mine`: the reader themselves. `name`: of a partner."""
    match kind:
        case Caller.USAGER:
            return THE_PERSON
        case Caller.REPRESENTATIVE:
            return Relative(relation=CLOSE, reading_now=mine)
        case Caller.PARTNER:
            return Partner(name=name or A_PARTNER)
    return staff(role, first_name) or THE_TEAM
