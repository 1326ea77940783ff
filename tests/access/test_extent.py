"""A question is asked of one row, of one person's, of thousands: each in its own way, and the answer is the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access.openings import OnCall, SharedTeam
from app.features.transmissions.models import Transmission
from app.kernel.clock import today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.world import World

NOTES = "/api/v1/transmissions"
NOW = datetime.now(UTC)


def note(world: World, usager: str, place: str, **more: Any) -> str:
    id = uuid7()
    said = {"kind": "narrative", "text": "Bonne journée.", "author_id": world.ids["marc"], "category": "support"}
    where = {"usager_id": world.ids[usager], "structure_id": world.ids[place]}
    world.add(Transmission(id=id, thread_id=id, **where, **(said | more)))
    return str(id)


@pytest.fixture(scope="module")
def notes(world: World) -> dict[str, str]:
    """Ilan works in the IME, accompanies Lucas; is on call for the MAS; the IME and the MECS follow Lucas together."""
    world.hire("ilan", Role.EDUCATEUR, "ime")
    world.accompany("ilan", world.ids["lucas"], "ime")
    hours = {"starts_at": NOW - timedelta(hours=1), "ends_at": NOW + timedelta(hours=9)}
    world.add(OnCall(professional_id=world.ids["ilan"], structure_ids=[world.ids["mas_fam"]], **hours))
    both = [world.ids["ime"], world.ids["mecs"]]
    lucas = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
    world.add(SharedTeam(name="Lucas", structure_ids=both, person_told_on=today(), starts=today(), **lucas))
    return {
        "of the team": note(world, "lucas", "ime"),
        "of a house that follows him too": note(world, "lucas", "mecs"),
        "important, on call": note(world, "karim", "mas_fam", important=True),
        "on call, but not important": note(world, "karim", "mas_fam"),
        "of another house": note(world, "lucas", "ehpad"),
        "of another person": note(world, "ines", "mecs"),
    }


READ = ["of the team", "of a house that follows him too", "important, on call"]


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200
    return {row["id"] for row in answer.json()["items"]}


class TestTheAnswerIsTheSame:
    def test_of_one_row(self, world: World, notes: dict[str, str]):
        assert [name for name, id in notes.items() if world.get("ilan", f"{NOTES}/{id}").status_code == 200] == READ

    def test_of_one_persons_rows(self, world: World, notes: dict[str, str]):
        asked = (ids(world.get("ilan", f"{NOTES}?usager={world.ids[who]}")) for who in ("lucas", "karim", "ines"))
        assert set().union(*asked) == {notes[name] for name in READ}

    def test_of_many(self, world: World, notes: dict[str, str]):
        assert ids(world.get("ilan", NOTES)) == {notes[name] for name in READ}

    def test_of_many_page_after_page(self, world: World, notes: dict[str, str]):
        assert set(pages(world)) == {notes[name] for name in READ}

    def test_of_a_search(self, world: World, notes: dict[str, str]):
        found = world.get("ilan", "/fhir/DocumentReference").json()
        assert {each["resource"]["id"] for each in found["entry"]} == {notes[name] for name in READ}


def pages(world: World) -> Iterator[str]:
    after = ""
    while after is not None:
        told = world.get("ilan", f"{NOTES}?limit=1{after and f'&after={after}'}").json()
        yield from (row["id"] for row in told["items"])
        after = told["next"]
