"""What the gate refuses by itself, whatever a feature asks of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from app.access.gate import Gate
from app.access.permissions import Action
from app.access.reading import Reading
from app.access.refusal import MayNot
from app.features.calendar.models import EventParticipant, ResourceBooking
from app.features.transmissions.models import Transmission
from app.kernel.crypto import KeyFault
from app.kernel.errors import Conflict, NotFound
from tests.access.holding import holding
from tests.features.calendar.test_rest import planned, room
from tests.features.transmissions.test_rest import written
from tests.features.usagers.people import opened
from tests.world import World


def id_of(place: str) -> UUID:
    return UUID(place.rpartition("/")[2])


def changed(id: UUID, **values: object) -> Callable[[Gate], Awaitable[Any]]:
    async def act(gate: Gate) -> Any:
        row = await gate.entry(Transmission, id)
        return await gate.change(row, **values)

    return act


class TestChange:
    @pytest.mark.threat("object-author-forged")
    def test_that_puts_a_row_out_of_reach_is_refused(self, world: World):
        id = id_of(written(world))
        with pytest.raises(MayNot):
            holding(world, "sonia", changed(id, author_id=world.ids["marc"]))

    @pytest.mark.threat("trail-refusal-untraced")
    def test_that_is_refused_leaves_its_trace(self, world: World):
        id = id_of(written(world))
        with pytest.raises(MayNot):
            holding(world, "sonia", changed(id, author_id=world.ids["marc"]))
        [*_, line] = world.traces(action="update", outcome="refused")
        assert (line["entry_ids"], line["usager_id"]) == ([id], world.ids["jeanne"])

    def test_that_is_refused_changes_nothing(self, world: World):
        id = id_of(written(world))
        with pytest.raises(MayNot):
            holding(world, "sonia", changed(id, author_id=world.ids["marc"]))
        [row] = world.rows("SELECT version, author_id FROM transmission WHERE id = $1", id)
        assert (row["version"], row["author_id"]) == (1, world.ids["sonia"])

    def test_broken_by_a_fault_of_the_program_is_not_told_as_the_caller_s(self, world: World):
        id = id_of(written(world))
        with pytest.raises(IntegrityError):
            holding(world, "sonia", changed(id, text=None))


class TestAlong:
    @pytest.fixture
    def taken_since(self, world: World) -> UUID:
        """An event that was cancelled, whose room another has booked since."""
        thing = room(world)
        first = planned(world, resource_ids=[thing])
        told = world.patch("sonia", first, {"status": "cancelled", "cancel_reason": "Orage."}, 1)
        assert told.status_code == 200
        planned(world, resource_ids=[thing])
        return id_of(first)

    def test_what_meets_another_is_refused_in_words(self, world: World, taken_since: UUID):
        async def book_again(gate: Gate) -> None:
            row = await gate.entry(EventParticipant, taken_since)
            await gate.change(row, title="Quand même")
            await gate.along(row, ResourceBooking, ResourceBooking.event_id == row.event_id, cancelled=False)

        with pytest.raises(Conflict, match="existe déjà"):
            holding(world, "sonia", book_again)


class TestErased:
    """Someone whose key is gone: nothing kept about them opens, nothing more is written."""

    @pytest.fixture
    def note(self, world: World) -> UUID:
        usager = id_of(opened(world, confirmed_new=True))
        world.accompany("sonia", usager, "ehpad")
        id = id_of(written(world, usager_id=str(usager)))
        world.rows("DELETE FROM usager_key WHERE usager_id = $1", usager)
        return id

    @pytest.mark.threat("object-erased")
    def test_nothing_is_corrected(self, world: World, note: UUID):
        answer = world.patch("sonia", f"/api/v1/transmissions/{note}", {"text": "Autre."}, 1)
        assert answer.status_code == 404

    def test_their_key_is_not_found(self, world: World, note: UUID):
        async def act(gate: Gate) -> None:
            await gate.key_of((await gate.entry(Transmission, note, Action.READ)).usager_id)

        with pytest.raises(NotFound):
            holding(world, "sonia", act)


def test_what_no_key_opens_any_more_is_a_fault_and_never_an_empty_text(world: World):
    async def opened_without_key(gate: Gate) -> None:
        Reading.key_beside(gate, str(world.ids["jeanne"]), None)

    with pytest.raises(KeyFault):
        holding(world, "sonia", opened_without_key)
