"""What the REST API hears and says of how far roles go in one house."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from app.access.entry import View
from app.access.openings import Narrowed, Narrowing
from app.access.permissions import Kind
from app.kernel.fields import Body
from app.security.principal import Role

Narrowable = Literal["administrative", "support", "care", "judicial"]  # an alert says itself who reads it


class NarrowingIn(Body):
    """« Ici, ce rôle ne lit pas cela » (`none`), or only of those it accompanies (`team`). Nothing widens the matrix."""

    structure_id: UUID
    role: Role
    category: Narrowable
    of_kind: Kind | None = None
    to: Narrowed


class NarrowingPatch(Body):
    to: Narrowed


class NarrowingOut(View, frozen=True):
    TABLE: ClassVar = Narrowing

    structure_id: str
    role: str
    category: str
    of_kind: str | None
    to: str
    recorded_at: datetime
    version: int
