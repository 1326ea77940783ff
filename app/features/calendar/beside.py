"""What stands beside events (presences, meals, transports): lists between two days, and who last gave a status."""

from typing import Any

from sqlalchemy import ColumnElement, DateTime, Uuid, and_, bindparam, func

from app.access.entry import DossierEntry, Who
from app.access.gate import Gate, Listing
from app.kernel.clock import now

IN_ORDER = ("occurred_at", "id")
_instant = DateTime(timezone=True)


def lists(table: type[DossierEntry]) -> dict[str, Listing]:
    """In order of time, between two instants (`questions.between`): `all`, `of_usager`, `of_structure`."""
    when: Any = table.occurred_at
    last: Any = func.coalesce(table.__table__.c.ends_at, when) if "ends_at" in table.__table__.c else when
    then = and_(when < bindparam("until", type_=_instant), last >= bindparam("since", type_=_instant))
    return {
        "all": _listing(then),
        "of_usager": _listing(then, table.usager_id == bindparam("usager", type_=Uuid()), usager="usager"),
        "of_structure": _listing(then, table.structure_id == bindparam("structure", type_=Uuid())),
    }


def _listing(*where: ColumnElement[bool], usager: str | None = None) -> Listing:
    return Listing(and_(*where), IN_ORDER, newest_first=False, usager=usager)


def given_by(gate: Gate) -> dict[str, Any]:
    """The columns that say who gave a status, and when."""
    return {
        "status_changed_at": now(),
        "status_author_id": gate.principal.id,
        "status_author_kind": Who.PROFESSIONAL.value,
    }
