"""Whose record this is, as the person reads it, or who represents them: by what mandate, and what it opens."""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.access import standing
from app.access.entry import ME, DossierView, word
from app.access.gate import Listing
from app.access.mandates import Effect
from app.access.models import Mandate
from app.access.protection import TOLD, house_hidden, not_me
from app.access.standing import TODAY
from app.features.contacts.models import Contact
from app.features.usagers.models import Usager
from app.security.models import LiveSession, PersonalAccess

THEIRS = Listing(Usager.id == bindparam("usager", type_=Uuid()), usager="usager")
_mine = aliased(Mandate, name="my_mandate")


def _house(column: str, instead: ColumnElement[Any]) -> ColumnElement[Any]:
    told = literal_column(
        f"(SELECT s.{column} FROM structure s"  # noqa: S608  a column of ours
        " WHERE s.organisation_id = usager.organisation_id AND s.id = usager.structure_id)",
        Text(),
    )
    return case((and_(not_me(Usager), house_hidden(Usager)), instead), else_=told)


def _mandate(column: str) -> ColumnElement[Any]:
    """Of the mandate by which the caller reads this record, one that represents before others; nothing for the person."""
    m = _mine
    first = (m.effect == word(Effect.REPRESENTATION)).desc()
    mine = _running(select(getattr(m, column))).order_by(first, m.starts.desc(), m.id.desc())
    return mine.limit(literal_column("1")).correlate(Usager).scalar_subquery()


def _opens() -> ColumnElement[Any]:
    """The categories that their mandates open, each and all."""
    each = _running(select(func.unnest(_mine.opens).label("category"))).correlate(Usager).subquery("opened")
    every = select(each.c.category).distinct().order_by(each.c.category)
    return func.array(every.scalar_subquery(), type_=ARRAY(Text()))


def _running(asked: Select[Any]) -> Select[Any]:
    m = _mine
    asked = asked.where(m.organisation_id == Usager.organisation_id, m.usager_id == Usager.id, m.contact_id == ME)
    asked = asked.where(m.deleted_at.is_(None), m.confirmed_at.is_not(None), m.held.is_(False))
    return asked.where(m.starts <= TODAY, or_(m.ends.is_(None), m.ends > TODAY))


_relation = (
    select(Contact.relation)
    .where(Contact.organisation_id == Usager.organisation_id, Contact.id == ME)
    .correlate(Usager)
    .scalar_subquery()
)


_notice_due = exists().where(
    LiveSession.id == bindparam("session", type_=Uuid()),
    PersonalAccess.organisation_id == LiveSession.organisation_id,
    PersonalAccess.id == LiveSession.access_id,
    PersonalAccess.notice_at.is_(None),
)


class RecordRow(DossierView, frozen=True):
    TABLE: ClassVar = Usager
    COMPUTED: ClassVar = {
        "house": _house("name", TOLD),
        "phone": _house("phone", null()),
        "human": _house("human", null()),
        "relation": _relation,
        "mandate": _mandate("kind"),
        "effect": _mandate("effect"),
        "opens": _opens(),
        "may_answer": standing.may_answer(Usager),
        "told": _mandate("person_told"),
        "notice_due": _notice_due,
    }

    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    identity_status: str
    says_tu: bool
    house: str
    phone: str | None
    human: str | None
    relation: str | None
    mandate: str | None
    effect: str | None
    opens: list[str] | None
    told: bool | None
    may_answer: bool
    notice_due: bool  # the card that opened this session has not had the notice d'information read
