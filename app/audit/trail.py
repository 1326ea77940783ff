"""The only writer of the trail: `traced` inside a hot statement, `lines` in the transaction of a write."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Insert, Select, Text, Uuid, bindparam, case, func, insert, not_, select, true
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import ARRAY, array

from app.audit.models import AuditEntry
from app.audit.vocabulary import Call, Outcome
from app.kernel.hot import word
from app.security.principal import Caller, Principal, Professional, Representative, Shape

SAID = (
    "organisation_id",
    "principal_kind",
    "principal_id",
    "role",
    "on_behalf_of",
    "action",
    "kind",
    "usager_id",
    "entry_ids",
    "ground",
    "outcome",
    "door",
    "address",
    "request_id",
)  # what the app may say; id, hour and transaction are Postgres's to say


def of_caller(principal: Principal, call: Call) -> dict[str, object]:
    """The values every line of this request shares, by column name."""
    return {
        "organisation_id": principal.organisation_id,
        "principal_kind": principal.shape.kind.value,
        "principal_id": principal.id,
        "role": principal.role.value if isinstance(principal, Professional) else None,
        "on_behalf_of": principal.usager_id if isinstance(principal, Representative) else None,
        "door": call.door.value,
        "address": call.address,
        "request_id": call.request_id,
    }


def binds(call: Call) -> dict[str, object]:
    """What `traced` needs beside the policy's own facts (organisation, me, me_usager)."""
    return {"trace_door": call.door.value, "trace_address": call.address, "trace_request_id": call.request_id}


def traced(
    found: CTE,
    caller: Shape,
    action: str,
    kind: str,
    when_none: Outcome | None,
    asked: ColumnElement[Any],
    *,
    one: bool = False,
    unless: ColumnElement[bool] | None = None,
) -> Insert:
    """One line per usager and ground in `found` (and `kind`, when it has one), with the ids given; one line too when
    nothing is found, unless `when_none` is None: then another line, or another question, tells it.

    `one`: at most one row is found, and nothing has to be gathered. `unless`: another statement tells it, when this
    holds. `found` has `id`, `usager_id`, `ground`; it is read by the answer and by the trace: Postgres computes it once,
    so what is told is what is traced. `asked` is the usager asked for, named when nothing left.
    """
    none = found.c.id.is_(None) if one else func.count(found.c.id) == literally("0")
    told = array([found.c.id]) if one else func.array_agg(found.c.id)
    ids = bindparam("trace_asked", type_=ARRAY(Uuid()))
    first = literally(f"'{kind}'", Text())
    of_kind = case((none, first), else_=found.c.kind) if "kind" in found.c else first
    on_behalf_of = (
        bindparam("me_usager", type_=Uuid()) if caller.kind is Caller.REPRESENTATIVE else literally("NULL::uuid")
    )
    lines: Select[Any] = select(
        bindparam("organisation", type_=Uuid()),
        word(caller.kind),
        bindparam("me", type_=Uuid()),
        word(caller.role) if caller.role else literally("NULL::text"),
        on_behalf_of,
        literally(f"'{action}'", Text()),
        of_kind,
        case((none, asked), else_=found.c.usager_id),
        case((none, ids), else_=told),
        found.c.ground,
        case((none, word(when_none)), else_=word(Outcome.SUCCESS)) if when_none else word(Outcome.SUCCESS),
        _bind("door", Text()),
        _bind("address", Text()),
        _bind("request_id", Text()),
    )
    nothing = select(literally("1").label("one")).subquery("line")
    lines = lines.select_from(nothing.outerjoin(found, true()) if when_none else found)
    if unless is not None:
        lines = lines.where(not_(unless))
    if not one:
        lines = lines.group_by(found.c.usager_id, found.c.ground, *([found.c.kind] if "kind" in found.c else []))
    return insert(AuditEntry).from_select(list(SAID), lines, include_defaults=False)


def _bind(name: str, kind: Any) -> ColumnElement[Any]:
    return bindparam(f"trace_{name}", type_=kind)


def line(
    who: Mapping[str, object],
    action: str,
    kind: str,
    ids: Collection[UUID],
    *,
    usager_id: UUID | None,
    outcome: Outcome = Outcome.SUCCESS,
    ground: str | None = None,
) -> dict[str, object]:
    """One line of the trail, by column name, for the statement that settles a write."""
    return {
        **who,
        "action": action,
        "kind": kind,
        "usager_id": usager_id,
        "entry_ids": list(ids),
        "ground": ground,
        "outcome": outcome.value,
    }


def unknown(call: Call, organisation_id: UUID) -> dict[str, object]:
    """Who a refusal before any organisation is known is said to be."""
    return {
        "organisation_id": organisation_id,
        "principal_kind": "unknown",
        "principal_id": None,
        "role": None,
        "on_behalf_of": None,
        "door": call.door.value,
        "address": call.address,
        "request_id": call.request_id,
    }
