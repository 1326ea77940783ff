"""What is looked up beside a row once it is known to be told, and not for each row of each table: the key of its person,
where the bundle that brought it stands, whom a partner knows in them, what is protected today.
"""

from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    desc,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
)
from sqlalchemy.orm import aliased

from app.access.entry import DossierEntry, OfPlace
from app.access.external_ids import EXTERNAL_ID
from app.access.facts import ME, ORGANISATION
from app.access.permissions import Kind
from app.access.protection import anywhere_protected
from app.access.sharing import handed_under
from app.access.versions import EntryVersion, StoredUsagerKey
from app.kernel.hot import HotQuery, compiled, word
from app.security.principal import Caller, Shape

NO_UUID = "NULL::uuid"
EXCHANGE = table("exchange", column("organisation_id", Uuid()), column("id", Uuid()), column("state", Text()))
_V = aliased(EntryVersion, name="version_before")  # of a row, while it was about another


def completed(
    caller: Shape, row: Any, counted: bool, usager: str | None = None, facts: Sequence[OfPlace] = ()
) -> Select[Any]:
    """The rows that are told, and what is looked up beside each; what is traced only, when `counted`. `usager` names the
    parameter that holds the one person whom all of them are about; `facts` are found once for each person and place.
    """
    inner = ("own", "bundle", "held", "whose", "place", "waits", "handed", "sealed", "ground")
    partner = caller.kind is Caller.PARTNER
    under = row.c.ground
    if partner:
        by_hand = cast(handed_under(row.c.id, row.c.handed), Text())
        under = case((row.c.handed.is_not(None), by_hand), else_=row.c.ground)
    columns = [*(column for column in row.c if column.key not in inner), under.label("ground")]
    k = StoredUsagerKey
    key = select(k.wrapped).where(k.organisation_id == ORGANISATION, k.usager_id == row.c.usager_id)
    # a version of which the key was destroyed is no more; a page loses none by it, as the rows go with the key
    lives = [or_(row.c.n >= literal_column("0"), key.exists())] if partner else []
    if counted:
        return select(*columns).where(*lives)
    columns.append(case((row.c.sealed, key.scalar_subquery()), else_=null()).label("wrapped"))
    told = row
    if facts:
        there = _there(row, facts, usager)
        columns += [there.c[f"f_{n}"] for n in range(len(facts))]
        told = row.outerjoin(there, and_(there.c.place == row.c.place, there.c.usager_id == row.c.usager_id))
    if not partner:
        nothing = (cast(null(), Text()).label(name) for name in ("state", "known_as"))
        return select(*columns, *nothing, literal_column("false").label("protected")).select_from(told)
    of_version = anywhere_protected(SimpleNamespace(organisation_id=ORGANISATION, usager_id=row.c.whose))
    hidden = case((row.c.n < literal_column("0"), of_version), else_=false())
    waits = case((row.c.waits, word("to_attach")), else_=_state(row.c.own, row.c.bundle, row.c.held, row.c.whose))
    own = row.c.own
    if usager:  # asked once; few persons have two names
        own = and_(own, exists().where(*_attached(), EXTERNAL_ID.c.usager_id == bindparam(usager, type_=Uuid())))
    named = _known_as(own, row.c.id, row.c.whose, row)
    columns += [waits.label("state"), named.label("known_as"), hidden.label("protected")]
    return select(*columns).select_from(told).where(*lives)


def _there(row: Any, facts: Sequence[OfPlace], usager: str | None) -> Any:
    """Each person and place of the rows that say theirs, and what is to be known there."""
    each = select(row.c.usager_id, row.c.place).where(row.c.place.is_not(None)).distinct().subquery("each")
    whose = bindparam(usager, type_=Uuid()) if usager else each.c.usager_id
    known = SimpleNamespace(organisation_id=ORGANISATION, usager_id=whose, structure_id=each.c.place)
    told = (fact.of(known).label(f"f_{n}") for n, fact in enumerate(facts))
    return select(each.c.usager_id, each.c.place, *told).subquery("there")


def state(caller: Shape, row: Any) -> ColumnElement[Any]:
    """What became of the bundle that brought a row, told to who sent it."""
    if caller.kind is not Caller.PARTNER or "origin_exchange_id" not in row.__table__.columns:
        return cast(null(), Text()).label("state")
    own = row.origin_partner_id == ME
    held, whose = (row.held, row.usager_id) if issubclass(row, DossierEntry) else (false(), literal_column(NO_UUID))
    return _state(own, row.origin_exchange_id, held, whose).label("state")


def _state(own: Any, bundle: Any, held: Any, whose: Any) -> ColumnElement[Any]:
    """Of a row left out of a bundle that was attached in part, that it was refused: it is held still, and what it is
    about is nobody attached."""
    mine = (EXCHANGE.c.organisation_id == ORGANISATION, EXCHANGE.c.id == bundle)
    state = select(EXCHANGE.c.state).where(*mine).scalar_subquery()
    elsewhere = exists().where(*_attached(), EXTERNAL_ID.c.row_id == whose)
    left_out = and_(held, state == word("accepted"), not_(elsewhere))
    return case((and_(own, left_out), word("refused")), (own, state), else_=null())


def known_as(caller: Shape, row: Any) -> ColumnElement[Any]:
    if caller.kind is not Caller.PARTNER or not issubclass(row, DossierEntry):
        return cast(null(), Text()).label("known_as")
    return _known_as(row.origin_partner_id == ME, row.id, row.usager_id, row).label("known_as")


def _known_as(own: Any, id: Any, whose: Any, row: Any) -> ColumnElement[Any]:
    """The id this partner was given for a person whom the secretary attached to one who was here: it learns no other.

    Of two whom it names and who are one person here, the one that this very row was about before. What came later says
    itself whom it is about.
    """
    first = select(cast(EXTERNAL_ID.c.row_id, Text())).where(*_attached(), EXTERNAL_ID.c.usager_id == whose)
    before = exists().where(_V.organisation_id == ORGANISATION, _V.entry_id == id, _V.usager_id == EXTERNAL_ID.c.row_id)
    likely = (desc(before.correlate(EXTERNAL_ID, row)), EXTERNAL_ID.c.row_id)
    named = first.order_by(*likely).limit(literal_column("1")).scalar_subquery()
    return case((own, named), else_=null())


def named_to_me(row: Any) -> ColumnElement[Any]:
    """Whom a row of a dossier is about, by the id that this caller is told; of two whom they know and who are one person
    here, the likeliest.
    """
    named = _known_as(row.origin_partner_id == ME, row.id, row.usager_id, row)
    return func.coalesce(cast(named, Uuid()), row.usager_id)


@lru_cache
def persons_of() -> HotQuery:
    """Whom this partner knows by an id of its own, since they were attached to another; of the persons `asked` by either
    of their ids: that of its own, the other.
    """
    asked = any_(bindparam("asked", type_=ARRAY(Uuid())))
    either = or_(EXTERNAL_ID.c.row_id == asked, EXTERNAL_ID.c.usager_id == asked)
    return compiled(select(EXTERNAL_ID.c.row_id, EXTERNAL_ID.c.usager_id).where(*_attached(), either).distinct())


def _attached() -> tuple[ColumnElement[bool], ...]:
    mine = (EXTERNAL_ID.c.organisation_id == ORGANISATION, EXTERNAL_ID.c.partner_id == ME)
    return (*mine, EXTERNAL_ID.c.kind == word(Kind.USAGER), EXTERNAL_ID.c.usager_id != EXTERNAL_ID.c.row_id)
