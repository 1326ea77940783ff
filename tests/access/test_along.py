"""What goes along with a row goes with a row that was judged, and with nothing else."""

from uuid import uuid4

import pytest
from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.gate import Gate
from app.audit.vocabulary import Call, Door
from app.features.calendar.models import EventParticipant
from app.kernel.hot import HotLane
from app.security.principal import UsagerSelf
from tests.world import World


async def test_nothing_goes_along_with_a_row_that_was_not_written(world: World):
    who = UsagerSelf(id=uuid4(), organisation_id=uuid4(), session_id=uuid4(), expires=0)
    async with AsyncSession() as session:
        gate = Gate(who, Call(Door.ME, "test"), world.keyring, HotLane("", 1), session)
        with pytest.raises(ValueError, match="Nothing was written"):
            await gate.along(EventParticipant(), EventParticipant, true(), title="A")
