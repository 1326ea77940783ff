"""The rules of a mandate: entered by one, confirmed by another with the decision in hand; what closes acts at once."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, or_, select

from app.access.acts import Act
from app.access.entry import word
from app.access.gate import Gate, Listing, MayNot, Reading
from app.access.mandates import EFFECTS, OF_A_MINOR, Effect, MandateKind, Scope, majority, opens
from app.access.models import Mandate
from app.access.permissions import Action, Kind, Visibility
from app.access.refusal import NOT_FOUND, refused
from app.features.contacts.models import Contact
from app.features.contacts.schemas import (
    ChildLine,
    ContactLine,
    Holder,
    MandateConfirmed,
    MandateIn,
    MandateOut,
    MandatePatch,
)
from app.features.usagers.models import Usager
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid, NotFound

NEWEST_FIRST = ("starts", "id")
_of_contact = Mandate.contact_id == bindparam("contact", type_=Uuid())
OF_CONTACT = Listing(_of_contact, NEWEST_FIRST)
RUNNING = Listing(_of_contact & or_(Mandate.ends.is_(None), Mandate.ends > bindparam("day", type_=Date())))
_over_a_minor = Mandate.kind.in_([word(kind) for kind in sorted(OF_A_MINOR)])
_parent = select(Mandate.contact_id).where(
    Mandate.organisation_id == Contact.organisation_id,
    Mandate.contact_id == Contact.id,
    Mandate.deleted_at.is_(None),
    _over_a_minor,
)
EXPOSED_PARENTS = Listing(
    and_(
        Contact.usager_id == bindparam("usager", type_=Uuid()),
        Contact.address_protected.is_(False),
        or_(Contact.id == bindparam("contact", type_=Uuid()), _parent.correlate(Contact).exists()),
    ),
    when_none=None,
)
EXPOSED_CHILD = Listing(
    and_(Usager.id == bindparam("usager", type_=Uuid()), Usager.address_protected.is_(False)), when_none=None
)
MANY = 20
TERMS = ("kind", "scope", "effect", "acts")


async def enter(gate: Gate, contact_id: UUID, said: MandateIn) -> Mandate:
    """It opens nothing before someone else confirms it. The caller settles the gate. Raises Invalid."""
    holder = await gate.get(Holder, contact_id)
    values = said.model_dump()
    values["effect"] = said.effect or min(EFFECTS[said.kind])
    values |= _checked(values, holder.born)
    if said.kind is MandateKind.AUTORITE_PARENTALE_SEPARES:
        await _live_apart(gate, contact_id, UUID(holder.usager_id))
    return gate.add(
        Mandate(
            contact_id=contact_id,
            usager_id=UUID(holder.usager_id),
            structure_id=UUID(holder.structure_id),
            entered_by=gate.principal.id,
            visibility=Visibility.SHARED.value,
            **values,
        )
    )


async def change(gate: Gate, contact_id: UUID, id: UUID, version: int, said: MandatePatch) -> Mandate:
    """A new version; unless it only closes, it waits for a confirmation again, by another than this caller."""
    row = await _of(gate, contact_id, id, version)
    values: dict[str, Any] = {name: _word(value) for name, value in said.model_dump(exclude_unset=True).items()}
    whole = {name: getattr(row, name) for name in (*TERMS, "starts", "ends", "person_agreed")} | values
    values |= _checked(whole, (await gate.get(Holder, contact_id)).born)
    if values["kind"] == MandateKind.AUTORITE_PARENTALE_SEPARES and row.kind != values["kind"]:
        await _live_apart(gate, contact_id, row.usager_id)
    if not _only_closes(row, values):
        values |= {"confirmed_at": None, "confirmed_by": None, "entered_by": gate.principal.id}
    return await gate.change(row, **values)


async def confirm(gate: Gate, contact_id: UUID, id: UUID, version: int, said: MandateConfirmed) -> Mandate:
    """From now on it opens what its terms open. Raises MayNot when the caller is who entered it."""
    await gate.require(Act.CONFIRM_MANDATE)
    row = await _of(gate, contact_id, id, version)
    if row.confirmed_at:
        raise Conflict("Ce mandat est déjà confirmé.", code="mandate.confirmed")
    if gate.principal.id in (row.entered_by, row.author_id):
        no = refused(MayNot, Act.CONFIRM_MANDATE, Kind.MANDATE, [id], usager_id=row.usager_id)
        no.message, no.told = "Une autre personne que celle qui l'a noté confirme ce mandat.", "mandate.same_person"
        raise no
    if (await gate.get(Holder, contact_id)).died_on:
        raise Conflict("Cette personne est décédée : plus personne ne la représente.", code="mandate.died")
    if said.copy_seen_on > today():
        raise Invalid("Dites le jour où la décision a été vue.", where="/copy_seen_on", code="mandate.bad_day")
    gate.tell(Act.CONFIRM_MANDATE, Kind.MANDATE, [id], usager_id=row.usager_id)
    return await gate.change(row, confirmed_at=now(), confirmed_by=gate.principal.id, copy_seen_on=said.copy_seen_on)


async def one(gate: Reading, contact_id: UUID, id: UUID) -> MandateOut:
    row = await gate.get(MandateOut, id)
    if row.contact_id != str(contact_id):
        raise NotFound(NOT_FOUND)
    return row


async def runs(gate: Reading, contact_id: UUID) -> bool:
    return bool(await gate.list(MandateOut, RUNNING, 1, contact=contact_id, day=today()))


async def _live_apart(gate: Gate, contact_id: UUID, usager_id: UUID) -> None:
    """Where each parent and the child live is protected by default (field.md §5); it may be lifted row by row."""
    for contact in await gate.list(ContactLine, EXPOSED_PARENTS, MANY, usager=usager_id, contact=contact_id):
        await gate.change(await gate.entry(Contact, UUID(contact.id)), address_protected=True)
    for child in await gate.list(ChildLine, EXPOSED_CHILD, 1, usager=usager_id):
        await gate.change(await gate.entry(Usager, UUID(child.id)), address_protected=True)


async def _of(gate: Gate, contact_id: UUID, id: UUID, version: int) -> Mandate:
    row = await gate.entry(Mandate, id, Action.UPDATE, version)
    if row.contact_id != contact_id:
        raise NotFound(NOT_FOUND)
    return row


def _checked(terms: dict[str, Any], born: date | None) -> dict[str, Any]:
    """What follows from the terms: what it opens, and its end, when a minor comes of age before. Raises Invalid."""
    kind, scope, effect = MandateKind(terms["kind"]), Scope(terms["scope"]), Effect(terms["effect"])
    starts, ends = terms["starts"], terms["ends"]
    if effect not in EFFECTS[kind]:
        raise Invalid("Cette mesure n'a pas cet effet.", where="/effect", code="mandate.effect")
    if ends is not None and ends < starts:
        raise Invalid("Un mandat finit après avoir commencé.", where="/ends", code="mandate.ends_before")
    if kind in OF_A_MINOR and born:
        of_age = majority(born)
        if starts >= of_age:
            raise Invalid("Cette personne est majeure à cette date.", where="/kind", code="mandate.of_age")
        ends = min(ends or of_age, of_age)
    told = opens(kind, scope, effect, person_agreed=terms["person_agreed"])
    return {"kind": kind.value, "scope": scope.value, "effect": effect.value, "ends": ends, "opens": told}


def _only_closes(row: Mandate, values: dict[str, Any]) -> bool:
    """Same terms, nothing more opened, not a day longer."""
    ends, was = values["ends"], row.ends
    same = all(values.get(name, getattr(row, name)) == getattr(row, name) for name in TERMS)
    within = set(values["opens"]) <= set(row.opens)
    not_longer = was is None or (ends is not None and ends <= was)
    return same and within and not_longer and values.get("starts", row.starts) >= row.starts


def _word(value: object) -> object:
    return value.value if isinstance(value, MandateKind | Scope | Effect) else value
