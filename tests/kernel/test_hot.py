"""A statement that would serve one caller's value to the next is never kept."""

import asyncio
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import Date, PickleType, Text, bindparam, column, literal, select, table

from app.access.permissions import Action
from app.access.policy import facts
from app.access.reading import Listing, question
from app.features.transmissions.models import Transmission
from app.features.transmissions.schemas import TransmissionOut
from app.features.transmissions.service import OF_USAGER
from app.kernel.hot import HotLane, NotHot, compiled, word
from app.security.principal import Caller, Professional, Role, Shape

WHO = Shape(Caller.PROFESSIONAL, Role.EDUCATEUR)


@pytest.mark.parametrize(
    "where",
    [
        Transmission.author_id == uuid4(),
        literal(date(2026, 1, 1), Date()) > bindparam("day", type_=Date()),
        Transmission.target.in_(bindparam("targets", expanding=True)),
        Transmission.target.in_(["care", "family"]),
    ],
)
def test_a_value_in_the_text_is_refused(where: object):
    with pytest.raises(NotHot):
        compiled(question(WHO, Action.READ, TransmissionOut, Listing(where)))


def test_a_type_that_needs_python_is_refused_both_ways():
    t = table("t", column("a", Text()), column("p", PickleType()))
    with pytest.raises(NotHot):
        compiled(select(t.c.p))
    with pytest.raises(NotHot):
        compiled(select(t.c.a).where(t.c.p == bindparam("p", type_=PickleType())))


@pytest.mark.parametrize("said", ["it's", "a b", "a;b", ""])
def test_only_a_word_is_written_in_the_text(said: str):
    with pytest.raises(NotHot):
        word(said)


def test_callers_of_one_shape_share_one_text():
    one = compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER))
    other = compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER))
    assert one == other
    who = Professional(
        id=uuid4(), organisation_id=uuid4(), session_id=uuid4(), expires=0.0, account_id=uuid4(), membership_id=uuid4(),
        role=Role.EDUCATEUR,
    )  # fmt: skip
    assert not any(str(value) in one.sql for value in facts(who).values())


def test_a_closed_lane_says_so():
    lane = HotLane("postgresql://nobody@/nowhere", 1)
    with pytest.raises(RuntimeError):
        asyncio.run(lane.ask(uuid4(), compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER)), {}))
    asyncio.run(lane.close())
