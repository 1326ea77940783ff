"""What a mandate opens, by kind, scope and effect; the day a minor comes of age."""

from datetime import date
from itertools import product

import pytest

from app.access.mandates import EFFECTS, Effect, MandateKind, Scope, majority, opens

EVERY = list(product(MandateKind, Scope, Effect))


@pytest.mark.parametrize(("kind", "scope", "effect"), EVERY)
def test_who_assists_reads_nothing_without_the_persons_yes(kind: MandateKind, scope: Scope, effect: Effect):
    told = opens(kind, scope, effect, person_agreed=False)
    assert (not told) == (effect is Effect.ASSISTANCE or kind is MandateKind.SUBROGE)


@pytest.mark.parametrize("kind", MandateKind)
def test_property_opens_papers_only(kind: MandateKind):
    assert opens(kind, Scope.BIENS, Effect.REPRESENTATION, person_agreed=True) == ["administrative"]


@pytest.mark.parametrize(("kind", "scope", "effect"), EVERY)
def test_none_opens_judicial_papers_or_an_alert(kind: MandateKind, scope: Scope, effect: Effect):
    assert {"judicial", "alert"}.isdisjoint(opens(kind, scope, effect, person_agreed=True))


@pytest.mark.parametrize(
    "kind",
    [
        MandateKind.AUTORITE_PARENTALE,
        MandateKind.AUTORITE_PARENTALE_SEPARES,
        MandateKind.TUTEUR_MINEUR,
        MandateKind.DELEGATION,
    ],
)
def test_parents_and_who_stands_for_them_read_support_not_care(kind: MandateKind):
    assert opens(kind, Scope.BOTH, Effect.REPRESENTATION, person_agreed=False) == ["administrative", "support"]


@pytest.mark.parametrize(
    ("kind", "effects"),
    [
        (MandateKind.CURATELLE_SIMPLE, {Effect.ASSISTANCE}),
        (MandateKind.CURATELLE_RENFORCEE, {Effect.ASSISTANCE}),
        (MandateKind.HABILITATION_ASSISTANCE, {Effect.ASSISTANCE}),
        (MandateKind.TUTELLE, {Effect.REPRESENTATION}),
        (MandateKind.HABILITATION_REPRESENTATION, {Effect.REPRESENTATION}),
        (MandateKind.SUBROGE, {Effect.ASSISTANCE, Effect.REPRESENTATION}),
    ],
)
def test_a_curatelle_never_represents(kind: MandateKind, effects: set[Effect]):
    assert EFFECTS[kind] == effects


@pytest.mark.threat("fault-leap-day")
@pytest.mark.parametrize(
    ("born", "of_age"),
    [
        (date(2017, 3, 9), date(2035, 3, 9)), (date(2008, 2, 29), date(2026, 3, 1)), (date.min, date(19, 1, 1)),
        (date(9981, 12, 31), date.max), (date(9982, 1, 1), date.max), (date.max, date.max),
    ],
)  # fmt: skip
def test_of_age_is_the_eighteenth_birthday(born: date, of_age: date):
    assert majority(born) == of_age
