"""What the REST API hears and says of what a child keeps from their parents."""

from typing import Literal
from uuid import UUID

import msgspec

from app.kernel.fields import Body


class SecretIn(Body):
    """`asked_by_child`: the child asked for it, to who notes it. `secret: false` gives it back to the parents."""

    kind: Literal["transmission", "event", "expectation", "goal", "action", "contact", "sharing_consent", "opposition"]
    entry_id: UUID
    asked_by_child: Literal[True]
    secret: bool = True


class SecretOut(msgspec.Struct, frozen=True):
    kind: str
    entry_id: str
    secret: bool
    version: int
