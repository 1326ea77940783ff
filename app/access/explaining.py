"""Why someone reads a row or does not, and who could read it: asked of the policy's own conditions, for others than who asks.

The condition of a caller holds no value, so it is asked here of every caller at once, their ids taken from a table in the
place of the parameters. An alert is never explained: see `TABLES`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Executable,
    Result,
    RowMapping,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    column,
    false,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.sql import visitors

from app.access import facts as f
from app.access.entry import DossierEntry
from app.access.facts import facts
from app.access.gate import Gate
from app.access.models import Mandate, Membership, Opposition, Professional, SharingConsent
from app.access.openings import Narrowed
from app.access.permissions import STAFF, Action, Category, Kind, Reach, Visibility
from app.access.policy import allowed, has_cell
from app.access.refusal import OutOfReach, refused
from app.access.sharing import granted, opposed_by
from app.access.withholding import told_again
from app.kernel.clock import today
from app.kernel.db import Base
from app.kernel.hot import word
from app.security.principal import Caller, Role, Shape

EXPLAIN = "explain"
PARTNER = table(
    "partner", column("organisation_id", Uuid()), column("id", Uuid()), column("name"), column("disabled_at")
)
WHO = {name: literal_column(f"who.{name}", Uuid()) for name in ("id", "membership", "usager")}
INSTEAD = {
    "me": WHO["id"],
    "membership": WHO["membership"],
    "me_usager": WHO["usager"],
    "receiver": literal_column("NULL::uuid"),
}
FACTS = (
    "in_office", "here", "accompanies", "emergency", "purpose", "on_call", "together", "narrowed", "narrowed_to_team",
    "opposed", "reserved", "held", "sent", "granted", "mandated", "secret", "shown",
)  # fmt: skip


@dataclass(frozen=True)
class Someone:
    """A caller there might be, whether they read the row, and what is so of them."""

    kind: Caller
    id: str
    role: Role | None
    name: str | None
    reads: bool
    facts: frozenset[str]


@dataclass(frozen=True)
class Row:
    """The row asked about: what the policy looks at first."""

    kind: Kind
    id: UUID
    usager_id: UUID
    category: Category

    def reach(self, role: Role) -> Reach | None:
        return STAFF[role].get((self.kind, self.category, Action.READ))


def tables() -> dict[str, type[DossierEntry]]:
    """What may be explained, by kind. An alert may not: that it is there is already told to those it names only."""
    mapped = (m.class_ for m in Base.registry.mappers)
    found = (t for t in mapped if issubclass(t, DossierEntry))
    return {t.KIND.value: t for t in found if t.CATEGORY is not Category.ALERT}


@dataclass(slots=True)
class Explaining(Gate):
    """The gate of what is explained."""

    async def asked(self, row: type[DossierEntry], id: UUID) -> Row:
        """The row, which whoever asks must read. Raises OutOfReach."""
        query = select(row.usager_id, row.category).where(row.id == id, row.deleted_at.is_(None))
        found = (await self._consult(query.where(allowed(self.principal.shape, Action.READ, row)))).first()
        if found is None:
            raise refused(OutOfReach, Action.READ, row.KIND, [id], where="/what")
        self.tell(EXPLAIN, row.KIND, [id], usager_id=found.usager_id)
        return Row(row.KIND, id, found.usager_id, Category(found.category))

    async def everyone(self, row: type[DossierEntry], asked: Row) -> list[Someone]:
        """Everyone of the house, the partners, and who is around the person, whether they read this row or not."""
        return [_someone(one) for one in (await self._consult(_everyone(row), row=asked.id)).mappings()]

    async def after(self, row: type[DossierEntry], asked: Row, consent_id: UUID, answer: str) -> list[Someone]:
        """The same, had the person given this question another answer: written, asked, undone. Raises OutOfReach for the
        question.
        """
        s = SharingConsent
        this = (s.organisation_id == self.principal.organisation_id, s.id == consent_id, s.usager_id == asked.usager_id)
        seen = select(s.id).where(*this, s.deleted_at.is_(None), allowed(self.principal.shape, Action.READ, s))
        if (await self._consult(seen)).first() is None:
            raise refused(OutOfReach, Action.READ, s.KIND, [consent_id], where="/consent")
        supposed = await self._session.begin_nested()
        try:
            await self._suppose(this, answer)
            return await self.everyone(row, asked)
        finally:
            await supposed.rollback()

    async def _suppose(self, this: tuple[ColumnElement[bool], ...], answer: str) -> None:
        """As the person's own answer does: their yes takes back the opposition that their no had made; their no opposes
        the partner, whatever another question had opened to it.
        """
        s, o = SharingConsent, Opposition
        values: dict[str, Any] = {"answer": answer, "withdrawn_at": null()}
        if answer == "yes":
            asked_again = case((s.lapses_on <= today(), null()), else_=s.lapses_on)
            made_by_no = o.consent_id.in_(select(s.id).where(*this))
            await self._session.execute(update(o).where(made_by_no, o.starts <= today()).values(ends=today()))
            await self._session.execute(update(s).where(*this).values(**values, lapses_on=asked_again))
            return
        whose = select(s.organisation_id, s.usager_id, s.partner_id).where(*this, s.kind == word("partage"))
        same_partner = tuple_(s.organisation_id, s.usager_id, s.partner_id).in_(whose)
        await self._session.execute(update(s).where(or_(and_(*this), same_partner)).values(**values))

    async def _consult(self, query: Executable, **values: object) -> Result[Any]:
        return await self._session.execute(query, {**facts(self.principal), **values})


def _someone(told: RowMapping) -> Someone:
    role = Role(told["role"]) if told["role"] else None
    so = frozenset(name for name in FACTS if told[name])
    return Someone(Caller(told["kind"]), told["id"], role, told["name"], bool(told["reads"]), so)


@lru_cache
def _everyone(row: type[DossierEntry]) -> CompoundSelect[Any]:
    shapes = [Shape(Caller.PROFESSIONAL, role) for role in Role]
    staff = [_asked_of(shape, row, _staff(shape)) for shape in shapes if has_cell(shape, Action.READ, row)]
    others = [
        _asked_of(Shape(Caller.USAGER), row, _person(row)),
        _asked_of(Shape(Caller.REPRESENTATIVE), row, _representatives(row)),
        _asked_of(Shape(Caller.PARTNER), row, _partners()),
    ]
    return union_all(*staff, *others, _whose_role_never_reads(row))


def _asked_of(shape: Shape, row: type[DossierEntry], who: Any) -> Any:
    so = {**dict.fromkeys(FACTS, false()), **_facts(shape, row)}
    told = [
        word(shape.kind).label("kind"),
        (word(shape.role) if shape.role else cast(null(), Text())).label("role"),
        cast(WHO["id"], Text()).label("id"),
        literal_column("who.name", Text()).label("name"),
        allowed(shape, Action.READ, row).label("reads"),
        *(so[name].label(name) for name in FACTS),
    ]
    query = select(*told).select_from(row.__table__.join(who.subquery("who").lateral("who"), true()))
    query = query.where(row.organisation_id == f.ORGANISATION, row.id == _ROW)
    return visitors.replacement_traverse(query, {}, _instead)


_ROW: BindParameter[UUID] = BindParameter("row", type_=Uuid())


def _instead(element: Any, **_: Any) -> Any:
    return INSTEAD.get(element.key) if isinstance(element, BindParameter) else None


def _facts(shape: Shape, row: type[DossierEntry]) -> dict[str, Any]:
    match shape.kind:
        case Caller.PROFESSIONAL if shape.role:
            return {
                "in_office": f.i_still_am(shape.role),
                "here": f.here(shape.role, row),
                "accompanies": f.accompanied_by_me(row),
                "emergency": f.opened_by_me(row),
                "purpose": f.about_one_of(f.purposes_of_mine(), row, f.ONE_ROW),
                "on_call": f.on_call(row),
                "together": f.followed_together(shape.role, row),
                "narrowed": f.narrowed(shape.role, row, Narrowed.NONE),
                "narrowed_to_team": f.narrowed(shape.role, row, Narrowed.TEAM),
                "opposed": f.among(f.outer(row, "usager_id"), f.opposed(f.Opposition.professional_id)),
                "reserved": and_(
                    row.reserved_to.is_not(None), not_(f.ME == any_(row.reserved_to)), row.author_id != f.ME
                ),
                "held": row.held,
            }
        case Caller.PARTNER:
            return {
                "sent": and_(row.origin_partner_id == f.ME, row.version == row.origin_version),
                "granted": granted(row),
                "opposed": opposed_by(row),
                "held": row.held,
            }
        case _:
            shown = or_(row.visibility == word(Visibility.SHARED), row.author_id == f.ME, told_again(row))
            mandated = f.mandated(row) if shape.kind is Caller.REPRESENTATIVE else true()
            return {"mandated": mandated, "secret": row.minor_secret, "shown": shown, "held": row.held}


def _staff(shape: Shape) -> Any:
    m = Membership
    found = select(m.professional_id.label("id"), m.id.label("membership"), cast(null(), Uuid()).label("usager"), _NAME)
    return _working(found).where(m.role == (word(shape.role) if shape.role else null()))


def _whose_role_never_reads(row: type[DossierEntry]) -> Any:
    m = Membership
    never = [word(role) for role in Role if not has_cell(Shape(Caller.PROFESSIONAL, role), Action.READ, row)]
    told = (word(Caller.PROFESSIONAL).label("kind"), m.role, cast(m.professional_id, Text()).label("id"), _NAME)
    found = select(*told, false().label("reads"), *(false().label(name) for name in FACTS))
    return _working(found).where(m.role.in_(never))


_NAME = (Professional.given_name + literal_column("' '", Text()) + Professional.family_name).label("name")


def _working(found: Any) -> Any:
    m, p = Membership, Professional
    found = found.join(p, and_(p.organisation_id == m.organisation_id, p.id == m.professional_id))
    return found.where(m.organisation_id == f.ORGANISATION, m.deleted_at.is_(None), f.running(m))


def _person(row: type[DossierEntry]) -> Any:
    id = f.outer(row, "usager_id")
    return select(
        id.label("id"), cast(null(), Uuid()).label("membership"), id.label("usager"), cast(null(), Text()).label("name")
    )


def _representatives(row: type[DossierEntry]) -> Any:
    m = Mandate
    found = select(m.contact_id.label("id"), cast(null(), Uuid()).label("membership"), m.usager_id.label("usager"))
    found = found.add_columns(cast(null(), Text()).label("name")).distinct()
    found = found.where(m.organisation_id == f.ORGANISATION, m.deleted_at.is_(None), f.running(m))
    return found.where(m.usager_id == f.outer(row, "usager_id"))


def _partners() -> Any:
    nobody = cast(null(), Uuid())
    found = select(
        PARTNER.c.id.label("id"), nobody.label("membership"), nobody.label("usager"), PARTNER.c.name.label("name")
    )
    return found.where(PARTNER.c.organisation_id == f.ORGANISATION, PARTNER.c.disabled_at.is_(None))
