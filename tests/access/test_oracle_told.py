"""Slips of the pen in what tells who was attached, and in what hides a place: the oracle sees each, family by family."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.access.mutating import rewritten
from tests.oracle.joined import joined
from tests.oracle.paths import wrong
from tests.oracle.worlds import JOINED, Cast, Drawn, Size, drawn
from tests.world import World

OF_ATTACHED, OF_PROTECTED, OF_RARE = 80, 103, 57  # houses where each slip shows
FIRST = 2  # of each family, the paths that are asked of the server as it is
pytestmark = [pytest.mark.once, pytest.mark.threat("object-planted-leak")]
BESIDE, SEVERAL, PAST = "app.access.beside", "app.access.several", "app.access.past"
ALONGSIDE, EVERYTHING, ASKING = (f"app.fhir.verbs.{name}" for name in ("alongside", "everything", "asking"))
BEYOND, CHAINS, BASE, REFERENCE = (
    f"app.fhir.search.{name}" for name in ("beyond", "chains", "criteria.base", "criteria.reference")
)
NO_NAME = 'cast(null(), Text()).label("known_as"),'
TOLD_TO = "asked = Asked(usager_id, "
PERSON = '__import__("app.access.several", fromlist=["person"]).person(gate, usager_id)'
Slip = tuple[str, str, str, str]
ATTACHED: tuple[tuple[Slip, tuple[str, ...]], ...] = (
    ((BESIDE, "_attached", "partner_id == ME", "partner_id.is_not(None)"), ("attached told read",)),
    ((BESIDE, "_known_as", "case((own, named), else_=null())", "named"), ("attached told found", "attached has")),
    ((BESIDE, "_known_as", "desc(before.correlate(EXTERNAL_ID, row)), EXTERNAL_ID.c.row_id)", "EXTERNAL_ID.c.row_id,)"),
     ("attached told whole", "attached by")),
    ((SEVERAL, "as_here", "await _attached(reading, ids)", "dict[UUID, UUID]()"), ("attached by", "attached total")),
    ((REFERENCE, "Reference.found", "how == shape", "True"), ("attached by", "attached total", "attached named")),
    ((EVERYTHING, "about_them", "not two", "True"), ("attached everything", "attached compartment")),
    ((CHAINS, "_leading_here", "by.as_told", "by.each"), ("attached has",)),
    ((BEYOND, "Beyond._led", "_array(_attached_since(found))), told", "_array(_attached_since(found)))"),
     ("attached chain", "attached chain counted", "chain")),
    ((BEYOND, "Beyond._led", "_attached_since(found)", "found"), ("attached chain",)),
    ((ALONGSIDE, "_leads", "by.among(_bind(WHOSE)), named_to_me(row) == any_(those)", "by.among(those)"),
     ("attached revinclude",)),
    ((ALONGSIDE, "_told_by", " | {row.found.known_as}", ""), ("attached include",)),
    ((PAST, "_as_it_stands", "known_as(caller, row),", NO_NAME), ("attached told past", "attached told vread")),
    (("app.api.exporting", "_found", TOLD_TO, f"asked = Asked((await {PERSON})[0], "), ("attached export",)),
)  # fmt: skip
PROTECTED: tuple[tuple[Slip, tuple[str, ...]], ...] = (
    ((BASE, "Mask.seen", "self.when.is_not(true()) | as_sent", "true()"),
     ("protected by", "protected total", "protected compartment", "protected chain", "protected has", "protected not",
      "protected told", "protected untold", "protected order", "protected revinclude")),
    ((BASE, "Mask.seen", " | as_sent", ""), ("protected by", "protected order")),
    ((BASE, "Mask.seen", ", self.row.version == self.row.origin_version", ""), ("protected by",)),
    ((BASE, "Criterion.where", "self.mask and inner != shape", "False"), ("protected told", "protected class")),
    (("app.fhir.sorting", "_told", "column if where is None else case((where, column), else_=null())", "column"),
     ("protected order",)),
    ((ASKING, "told", "outside=asking.outside and not as_sent", "outside=False"),
     ("protected words found", "protected words read", "protected words past", "protected words vread",
      "protected words past of all", "protected words whole", "protected words compartment", "protected words along",
      "protected house found", "protected house past")),
    ((ASKING, "told", "own and view.version == view.origin_version", "own"), ("protected words found",)),
)  # fmt: skip
RARE: tuple[tuple[Slip, tuple[str, ...]], ...] = (
    ((PAST, "_as_it_was", "known_as(caller, row),", NO_NAME), ("attached told past",)),
    ((BEYOND, "Beyond._led", "end.mask.seen() if end.mask and masked else true()", "true()"), ("has",)),
)  # fmt: skip
SLIPS = [
    (seed, slip, family)
    for seed, slips in ((OF_ATTACHED, ATTACHED), (OF_PROTECTED, PROTECTED), (OF_RARE, RARE))
    for slip, families in slips
    for family in families
]


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


@pytest.fixture(scope="module")
def house(cast: Cast, request: pytest.FixtureRequest) -> Drawn:
    return drawn(cast, request.param, Size(100, JOINED.rows, linked=True))


def told(house: Drawn, family: str, first: int | None = None) -> Iterator[str]:
    """To who is of outside, one after the other."""
    for who in map(house.cast.named, ("partner", "representative")):
        those = (path for path in joined(house, who) if path.family == family)
        yield from (no for path in islice(those, first) if (no := wrong(house, who, path)))


NAMES = [f"{slip[1]}-{n}-{family}" for n, (_, slip, family) in enumerate(SLIPS)]


@pytest.mark.parametrize(("house", "slip", "family"), SLIPS, ids=NAMES, indirect=["house"])
def test_a_slip_in_what_is_told(house: Drawn, slip: Slip, family: str) -> None:
    assert list(told(house, family, FIRST)) == []
    with rewritten(*slip):
        assert next(told(house, family), None)


@pytest.mark.parametrize("house", [OF_ATTACHED], ids=["attached"], indirect=True)
def test_every_family_of_paths_is_tried(house: Drawn) -> None:
    tried = {family for _, _, family in SLIPS}
    known = {path.family for path in joined(house, house.cast.named("partner"))}
    named = {family for family in known if family.startswith(("attached", "protected"))}
    assert named - tried == {
        "attached compartment whole", "attached everything of type", "attached has counted", "attached read",
        "attached told along", "protected chain far", "protected class told",
    }  # fmt: skip
