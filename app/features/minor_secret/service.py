"""Secret du mineur: what a child asks to keep from their parents is closed to them on every path: the policy's own rule.

Set by a health professional or the référent, who heard the child. Source: CSP L1111-5, L1111-5-1; design: field.md §5.
"""

from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, Date, and_, bindparam, exists, or_

from app.access import standing
from app.access.acts import ACTS, Act
from app.access.entry import ME, DossierEntry, DossierView
from app.access.gate import Gate, MayNot
from app.access.models import Opposition, SharingConsent, TeamMember
from app.access.permissions import Action
from app.access.refusal import refused
from app.features.calendar.models import EventParticipant
from app.features.contacts.models import Contact
from app.features.minor_secret.schemas import SecretIn, SecretOut
from app.features.projects.models import Expectation, Goal, ProjectAction
from app.features.transmissions.models import Transmission
from app.kernel.errors import Conflict
from app.security.principal import Professional

TODAY = bindparam("today", type_=Date())
TABLES: tuple[type[DossierEntry], ...] = (
    Transmission, EventParticipant, Expectation, Goal, ProjectAction, Contact, SharingConsent, Opposition,
)  # fmt: skip


class Asked(DossierView, frozen=True):
    """Of the person the row is about: whether they are a minor, and I their référent."""

    minor: bool
    referent: bool
    minor_secret: bool
    version: int


def _view(table: type[DossierEntry]) -> type[Asked]:
    t = TeamMember
    mine = and_(t.organisation_id == table.organisation_id, t.usager_id == table.usager_id, t.professional_id == ME)
    runs = and_(t.referent, t.starts <= TODAY, or_(t.ends.is_(None), t.ends > TODAY), t.deleted_at.is_(None))
    told: dict[str, ColumnElement[Any]] = {
        "minor": standing.minor(table),
        "referent": exists().where(mine, runs).correlate(table),
    }
    said = {"TABLE": table, "COMPUTED": told, "__module__": __name__}
    return cast(type[Asked], msgspec.defstruct("Asked", [], bases=(Asked,), namespace=said, frozen=True))


VIEWS: dict[str, type[Asked]] = {table.KIND.value: _view(table) for table in TABLES}


async def kept(gate: Gate, said: SecretIn) -> SecretOut:
    """As it stands. Raises OutOfReach."""
    row = await gate.get(VIEWS[said.kind], said.entry_id)
    return SecretOut(said.kind, str(said.entry_id), row.minor_secret, row.version)


async def keep(gate: Gate, said: SecretIn) -> DossierEntry:
    """Raises OutOfReach (404), MayNot for who is neither, Conflict for someone of age. The caller settles the gate."""
    view = VIEWS[said.kind]
    asked = await gate.get(view, said.entry_id)
    who = gate.principal
    if not (asked.referent or (isinstance(who, Professional) and who.role in ACTS[Act.KEEP_FROM_PARENTS])):
        raise refused(MayNot, Act.KEEP_FROM_PARENTS, view.TABLE.KIND, [said.entry_id])
    if not asked.minor:
        raise Conflict("Cette personne est majeure : ses parents ne lisent pas son dossier.", code="secret.of_age")
    # What is one thing to the child goes together: all of a thread, this meeting and those that follow it, a question
    # and the refusal that came of it.
    row = await gate.entry(view.TABLE, said.entry_id, Action.READ)
    await gate.change(row, action=Act.KEEP_FROM_PARENTS, minor_secret=said.secret)
    if isinstance(row, Transmission):
        thread = and_(Transmission.thread_id == row.thread_id, Transmission.usager_id == row.usager_id)
        await gate.along(row, Transmission, and_(thread, Transmission.id != row.id), minor_secret=said.secret)
    if isinstance(row, EventParticipant) and row.series_id:
        p = EventParticipant
        later = and_(p.series_id == row.series_id, p.usager_id == row.usager_id, p.occurred_at > row.occurred_at)
        await gate.along(row, p, later, minor_secret=said.secret)
    if isinstance(row, SharingConsent):
        refusal = and_(Opposition.consent_id == row.id, Opposition.usager_id == row.usager_id)
        await gate.along(row, Opposition, refusal, minor_secret=said.secret)
    return row
