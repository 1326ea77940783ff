"""What a mandate opens to who holds it: computed from its kind, scope and effect, never said by a caller (field.md §5).

Source: Code civil, art. 371-1, 388, 414, 433 to 494-12. To be read again by a jurist: a narrower reading costs a question
to the person, a wider one shows what was not theirs to show.
"""

from datetime import MAXYEAR, date
from enum import StrEnum

from app.access.permissions import Category

ADULT = 18  # C. civ. 388, 414


class MandateKind(StrEnum):
    SAUVEGARDE = "sauvegarde"  # with a mandataire spécial
    CURATELLE_SIMPLE = "curatelle_simple"
    CURATELLE_RENFORCEE = "curatelle_renforcee"
    TUTELLE = "tutelle"
    HABILITATION_ASSISTANCE = "habilitation_familiale_assistance"
    HABILITATION_REPRESENTATION = "habilitation_familiale_representation"
    PROTECTION_FUTURE = "mandat_protection_future"
    SUBROGE = "subroge"
    AUTORITE_PARENTALE = "autorite_parentale"
    AUTORITE_PARENTALE_SEPARES = "autorite_parentale_separes"  # shared by parents who live apart
    TUTEUR_MINEUR = "tuteur_mineur"
    DELEGATION = "delegation_autorite_parentale"
    AD_HOC = "administrateur_ad_hoc"


class Scope(StrEnum):
    PERSONNE = "personne"
    BIENS = "biens"
    BOTH = "both"


class Effect(StrEnum):
    ASSISTANCE = "assistance"
    REPRESENTATION = "representation"


K, E = MandateKind, Effect
OF_A_MINOR = frozenset({K.AUTORITE_PARENTALE, K.AUTORITE_PARENTALE_SEPARES, K.TUTEUR_MINEUR, K.DELEGATION})
EFFECTS: dict[MandateKind, frozenset[Effect]] = {
    **{kind: frozenset({E.REPRESENTATION}) for kind in MandateKind},
    **{
        kind: frozenset({E.ASSISTANCE})
        for kind in (K.CURATELLE_SIMPLE, K.CURATELLE_RENFORCEE, K.HABILITATION_ASSISTANCE)
    },
    K.SUBROGE: frozenset(Effect),
}


def opens(kind: MandateKind, scope: Scope, effect: Effect, *, person_agreed: bool) -> list[str]:
    """The categories their own access reads, once the mandate is confirmed and while it runs.

    Who assists reads nothing by right (C. civ. 459, 467): the person's own yes opens it. Property opens papers only.
    """
    watches = effect is E.ASSISTANCE or kind is K.SUBROGE
    if watches and not person_agreed:
        return []
    if scope is Scope.BIENS or kind is K.AD_HOC:
        return [Category.ADMINISTRATIVE.value]
    if watches or kind in OF_A_MINOR:
        return [Category.ADMINISTRATIVE.value, Category.SUPPORT.value]
    return [Category.ADMINISTRATIVE.value, Category.SUPPORT.value, Category.CARE.value]


def majority(born: date) -> date:
    """The day that begins with the person of age, in Paris; who is born a 29 February waits for 1 March.

    Of a birth that stands from before dates had bounds, and of which no calendar has that day: the last there is.
    """
    if born.year + ADULT > MAXYEAR:
        return date.max
    try:
        return born.replace(year=born.year + ADULT)
    except ValueError:
        return date(born.year + ADULT, 3, 1)
