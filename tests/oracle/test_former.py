"""A partner is told the version it sent, or was sent, wherever it asks: the same by each form of the question."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.access.mutating import Mutant, mutated
from tests.oracle.former import Past, remembered
from tests.oracle.truth import Who
from tests.oracle.worlds import Cast, Drawn, Size, drawn
from tests.world import World

SEEDS = tuple(range(71, 75))
MORE = 20  # worlds, for the slips that are left
SIZE = Size(14, {"transmission": 6, "goal": 3})
TYPES = {"DocumentReference": "transmission", "RelatedPerson": "contact", "Goal": "goal"}
Told = dict[UUID, int]
SLIPS = (
    Mutant("policy", "_its_own", "then.version == row.origin_version, "),
    Mutant("policy", "_handed_to", "others, "),
    Mutant("policy", "_former", "open_then, "),
    Mutant("policy", "_former", ", not_(beyond))", ")"),
    Mutant("sharing", "handed", "h.partner_id == ME, "),
    Mutant("sharing", "handed", ", h.version == version)", ")"),
    Mutant("sharing", "handed", ", not_(since.correlate(h))"),
    Mutant("sharing", "handed", "act.stopped_at.is_(None), "),
    Mutant("sharing", "handed", "act.ends_at > NOW", "act.ends_at < NOW"),
    Mutant("sharing", "handed", "not_(opposed_by(row, extent)), "),
    Mutant("sharing", "handed", ", not_(said)"),
    Mutant("sharing", "said_no", "running(s), "),
    Mutant("sharing", "said_no", ", not_(s.held)"),
    Mutant("sharing", "said_no", "s.deleted_at.is_(None), "),
    Mutant("sharing", "said_no", "s.usager_id == usager)", "s.usager_id.is_not(None))"),
)


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


def pages(world: Drawn, who: Who, place: str, those: set[UUID]) -> Told:
    """Each of those rows and its version, page after page; a type may tell of other rows too."""
    told: Told = {}
    url: str | None = place
    while url:
        answer = world.cast.world.get(who.name, url)
        if answer.status_code == 404:
            return told
        assert answer.status_code == 200, f"{place}: {answer.text}"
        said = answer.json()
        for one in said.get("entry", ()):
            id, version = UUID(one["resource"]["id"]), int(one["resource"]["meta"]["versionId"])
            assert told.get(id) is None, f"{place} gives a row twice"
            told |= {id: version} if id in those else {}
        url = next((link["url"] for link in said["link"] if link["relation"] == "next"), None)
    return told


def one_by_one(world: Drawn, who: Who, name: str, ids: set[UUID]) -> Told:
    told: Told = {}
    for id in ids:
        answer = world.cast.world.get(who.name, f"/fhir/{name}/{id}")
        if answer.status_code == 200:
            told[id] = int(answer.json()["meta"]["versionId"])
    return told


def told_apart(world: Drawn, past: Past, who: Who, name: str) -> Iterator[str]:
    """Where an answer is not what the truth says, of this type."""
    lines = {row["id"]: row["usager_id"] for row in past.facts.rows[TYPES[name]]}
    right = past.told(who, TYPES[name])
    yield from _apart("read", one_by_one(world, who, name, {*lines}), right)
    listed = ",".join(map(str, lines))
    for place in (f"/fhir/{name}?_count=15", f"/fhir/{name}?_id={listed}&_count=100"):
        yield from _apart(place, pages(world, who, place, {*lines}), right)
    for person in world.persons:
        theirs = {id: version for id, version in right.items() if lines[id] == person.id}
        for place in (
            f"/fhir/{name}?patient=Patient/{person.id}&_count=4",
            f"/fhir/Patient/{person.id}/{name}?_count=4",
            f"/fhir/Patient/{person.id}/$everything?_type={name}&_count=4",
        ):
            yield from _apart(place, pages(world, who, place, {*lines}), theirs)


def _apart(place: str, found: Told, right: Told) -> Iterator[str]:
    if found != right:
        yield f"{place}: {sorted(found.items() ^ right.items(), key=str)}"


@pytest.fixture(scope="module", params=SEEDS)
def remembering(cast: Cast, request: pytest.FixtureRequest) -> tuple[Drawn, Past]:
    world = drawn(cast, request.param, SIZE)
    return world, remembered(world)


@pytest.mark.once
@pytest.mark.threat("partner-reads-after-the-team")
@pytest.mark.parametrize("name", TYPES)
def test_each_form_of_the_question_tells_the_same_version(remembering: tuple[Drawn, Past], name: str) -> None:
    world, past = remembering
    assert list(told_apart(world, past, world.cast.named("partner"), name)) == []


@pytest.mark.once
@pytest.mark.threat("object-policy-slip")
def test_every_slip_is_found(cast: Cast) -> None:
    left = [*SLIPS]
    for seed in range(SEEDS[0], SEEDS[0] + MORE):
        world = drawn(cast, seed, SIZE)
        past = remembered(world)
        for slip in [*left]:
            with mutated(slip):
                if _seen(world, past):
                    left.remove(slip)
        if not left:
            break
    assert [str(slip) for slip in left] == []


def _seen(world: Drawn, past: Past) -> bool:
    try:
        return any(told_apart(world, past, world.cast.named("partner"), "DocumentReference"))
    except AssertionError:  # a row told twice
        return True
