"""The oracle is worth what it finds: slips written into the policy's SQL, each of which it must see.

This one module of the oracle's tests knows `app.access`: it breaks it. A mutant that survives is a fault of the worlds.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.access.mutating import Mutant, mutated
from tests.oracle.broad import broad
from tests.oracle.paths import wrong
from tests.oracle.worlds import MANY_PERSONS, Cast, Drawn, drawn
from tests.world import World

SEEDS = tuple(range(101, 121))
FACTS, SHARING, POLICY, REACH, WITHHOLDING = "facts", "sharing", "policy", "staff", "withholding"
STAFF = (
    Mutant(FACTS, "here", ", i_still_am(role))", ")"),
    Mutant(FACTS, "places_of_mine", "places.where(MembershipStructure.membership_id == MEMBERSHIP)", "places"),
    Mutant(FACTS, "_my_membership", "running(Membership),"),
    Mutant(FACTS, "_my_membership", "Membership.deleted_at.is_(None),"),
    Mutant(FACTS, "_open_stay", "STAYING.c.deleted_at.is_(None), "),
    Mutant(FACTS, "_open_stay", ", not_(STAYING.c.held)"),
    Mutant(FACTS, "_open_stay", "STAYING.c.ends > TODAY", "STAYING.c.ends >= TODAY"),
    Mutant(FACTS, "_open_stay", "STAYING.c.starts <= TODAY", "STAYING.c.usager_id.is_not(None)"),
    Mutant(FACTS, "accompanied_by_me", "running(TeamMember), "),
    Mutant(FACTS, "accompanied_by_me", ", TeamMember.deleted_at.is_(None)"),
    Mutant(FACTS, "accompanied_by_me", "TeamMember.professional_id == ME, "),
    Mutant(FACTS, "about_one_of", "usager.in_(people)", "people.exists()"),
    Mutant(FACTS, "about_one_of", "of == extent.the_person", "of == of"),
    Mutant(FACTS, "followed_together", "t.usager_id == extent.the_person", "t.usager_id == t.usager_id"),
    Mutant(FACTS, "accompanied_by_me", "UnitTeam.starts_at <= NOW, "),
    Mutant(FACTS, "accompanied_by_me", "UnitTeam.ends_at > NOW", "UnitTeam.ends_at < NOW"),
    Mutant(FACTS, "accompanied_by_me", "UnitTeam.deleted_at.is_(None), "),
    Mutant(FACTS, "accompanied_by_me", "unit.where(STAYING.c.unit_id == UnitTeam.unit_id)", "unit"),
    Mutant(FACTS, "accompanied_by_me", ", UnitTeam.professional_id == ME"),
    Mutant(FACTS, "accompanied_by_me", "named.where(TeamMember.referent)", "named"),
    Mutant(FACTS, "accompanied_by_me", "and_(not_(as_referent), as_any)", "as_any"),
    Mutant(FACTS, "opened_by_me", ", e.closed_at.is_(None)"),
    Mutant(FACTS, "opened_by_me", ", e.ends_at > NOW"),
    Mutant(FACTS, "opened_by_me", "e.starts_at <= NOW, "),
    Mutant(FACTS, "opened_by_me", ", e.deleted_at.is_(None)"),
    Mutant(FACTS, "opened_by_me", "e.professional_id == ME, "),
    Mutant(FACTS, "opposed", ", valid)", ")"),
    Mutant(FACTS, "opposed", "o.deleted_at.is_(None), "),
    Mutant(FACTS, "opposed", ", not_(o.held)"),
    Mutant(FACTS, "running", "fact.ends > TODAY", "fact.ends >= TODAY"),
    Mutant(FACTS, "running", "fact.starts <= TODAY", "fact.starts < TODAY"),
    Mutant(REACH, "_with_me", ", row.consigne)", ")"),
    Mutant(REACH, "as_staff", "if row.KIND not in COMMON:", "if False:"),
    Mutant(REACH, "_with_me", "and_(or_(*told), accompanied_by_me(row, as_referent, extent))", "or_(*told)"),
    Mutant(REACH, "as_staff", "widest = not_(narrowed(role, row, Narrowed.NONE))", "widest = true()"),
    Mutant(REACH, "_of_all", ", accompanied_by_me(row, extent=extent))", ", true())"),
    Mutant(FACTS, "narrowed", ", n.deleted_at.is_(None))", ")"),
    Mutant(FACTS, "narrowed", ", n.role == word(role)"),
    Mutant(
        REACH,
        "_opens_in_emergency",
        "return and_(never, or_(one_of(_whole(role, row), row), row.consigne))",
        "return row.consigne",
    ),
    Mutant(REACH, "_opens_in_emergency", "one_of(_whole(role, row), row)", "never"),
    Mutant(FACTS, "purposes_of_mine", ", p.ends_at > NOW"),
    Mutant(FACTS, "purposes_of_mine", "p.closed_at.is_(None), "),
    Mutant(FACTS, "_followed_together", "t.opposed_at.is_(None), "),
    Mutant(FACTS, "_followed_together", ", running(t))", ")"),
    Mutant(
        FACTS,
        "followed_together",
        "tuple_(usager, place).in_(theirs.with_only_columns(t.usager_id, *theirs.selected_columns))",
        "usager.in_(theirs.with_only_columns(t.usager_id))",
    ),
    Mutant(REACH, "places_of", "places_followed_together(), "),
    Mutant(FACTS, "places_on_call", ", c.ends_at > NOW"),
    Mutant(FACTS, "places_on_call", "c.professional_id == ME, "),
    Mutant(REACH, "_on_call", "and_(told, on_call(row))", "told"),
    Mutant(REACH, "_on_call", ', outer(row, "important"))', ")"),
)
OTHERS = (
    Mutant(FACTS, "mandated", "running(m), "),
    Mutant(FACTS, "mandated", ", m.confirmed_at.is_not(None)"),
    Mutant(FACTS, "mandated", "m.deleted_at.is_(None), "),
    Mutant(FACTS, "mandated", ", not_(m.held)"),
    Mutant(FACTS, "mandated", "m.usager_id == USAGER, "),
    Mutant(FACTS, "mandated", '.where(outer(row, "category") == any_(m.opens))'),
    Mutant(POLICY, "_within", ", row.visibility != word(Visibility.WITHHELD)"),
    Mutant(POLICY, "_within", ", told_again(row))\n            return", ")\n            return"),
    Mutant(POLICY, "_within", ", row.author_id == ME, told_again(row))", ", row.author_id == ME)"),
    Mutant(WITHHOLDING, "_over", "<= TODAY", "< TODAY"),
    Mutant(WITHHOLDING, "_over", ", row.withheld_until <= TODAY"),
    Mutant(WITHHOLDING, "_over", "row.withheld_reason.in_([word(reason) for reason in ENDS]), "),
    Mutant(WITHHOLDING, "masked", ", row.shown_text.is_not(None)"),
    Mutant(WITHHOLDING, "masked", "third, "),
    Mutant(POLICY, "_within", "                not_(row.minor_secret),\n"),
    Mutant(POLICY, "_within", "                mandated(row),\n"),
    Mutant(POLICY, "_within", ", row.version == row.origin_version"),
    Mutant(POLICY, "_within", "return or_(and_(row.origin_partner_id", "return and_(and_(row.origin_partner_id"),
    Mutant(SHARING, "granted", ", not_(narrowed)"),
    Mutant(SHARING, "granted", 'yes.answer == word("yes"), '),
    Mutant(SHARING, "granted", '[word("no"), word("disagreement")]', '[word("no")]'),
    Mutant(SHARING, "granted", "_overlap(yes, other), "),
    Mutant(SHARING, "granted", "not_(row.held), "),
    Mutant(SHARING, "granted", "row.reserved_to.is_(None), "),
    Mutant(SHARING, "granted", ", not_(kept(row))"),
    Mutant(SHARING, "granted", ", not_(opposed_by(row, extent))"),
    Mutant(SHARING, "granted", ", _accepted_there(row)"),
    Mutant(SHARING, "_asked", "        s.partner_id == ME,\n"),
    Mutant(SHARING, "_asked", "        s.usager_id == usager,\n"),
    Mutant(SHARING, "_asked", '        s.kind == word("partage"),\n'),
    Mutant(SHARING, "_about", ", this)", ")"),
    Mutant(SHARING, "_about", "this if", 'literal_column("true") if'),
    Mutant(SHARING, "_asked", "        s.withdrawn_at.is_(None) | (s.answer != word(\"yes\")),\n"),
    Mutant(SHARING, "_asked", "        running(s),\n"),
    Mutant(SHARING, "_asked", "        s.deleted_at.is_(None),\n"),
    Mutant(SHARING, "_asked", "        not_(s.held),\n"),
    Mutant(SHARING, "_covers", "day < s.data_until", "day <= s.data_until"),
    Mutant(SHARING, "_covers", "day >= s.data_from", "day > s.data_from"),
    Mutant(SHARING, "_covers", "Europe/Paris", "UTC"),
    Mutant(SHARING, "_covers", ", or_(s.kinds.is_(None), word(row.KIND) == any_(s.kinds))"),
    Mutant(SHARING, "_accepted_there", ", ACCEPTED.c.partner_id == ME"),
)  # fmt: skip


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


def found(world: Drawn, staff: bool) -> Iterator[str]:
    for who in world.cast.who:
        if who.staff is staff:
            for path in broad(world, who):
                if no := wrong(world, who, path):
                    yield no


@pytest.mark.once
@pytest.mark.threat("object-policy-slip")
def test_every_mutant_is_found(cast: Cast, figure: Callable[[str], None]) -> None:
    """World after world, those that are left; a world is drawn once for all of them."""
    left = [*STAFF, *OTHERS]
    for seed in SEEDS:
        world = drawn(cast, seed, MANY_PERSONS)
        for mutant in [*left]:
            with mutated(mutant):
                if next(found(world, mutant in STAFF), None):
                    left.remove(mutant)
        if not left:
            break
    all_of_them = len(STAFF) + len(OTHERS)
    figure(f"oracle: {all_of_them - len(left)} of {all_of_them} mutants of the policy found")
    assert [str(mutant) for mutant in left] == []


def test_there_are_thirty_at_least() -> None:
    assert len({*STAFF, *OTHERS}) == len(STAFF) + len(OTHERS) > 30
