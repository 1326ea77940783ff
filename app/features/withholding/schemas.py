"""What the REST API hears and says of what is kept from the person."""

from datetime import date
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec
from pydantic import Field, StringConstraints

from app.access.entry import DossierEntry, DossierView
from app.access.withholding import Withheld
from app.features.calendar.models import EventParticipant
from app.features.contacts.models import Contact
from app.features.projects.models import Expectation, Goal, Need, ProjectAction
from app.features.transmissions.models import Transmission
from app.kernel.fields import Body

WithheldKind = Literal["transmission", "event", "expectation", "need", "goal", "action", "contact"]
TABLES: dict[str, type[DossierEntry]] = {
    table.KIND.value: table
    for table in (Transmission, EventParticipant, Expectation, Need, Goal, ProjectAction, Contact)
}
Passage = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]


class WithholdIn(Body):
    """`passages`: the words that name someone else, as they stand in the note (reason `third_party` only).
    `alert` is kept as `procedure`: the team that reads the note must not learn from it that an alert stands.
    `asked_by_child`: for a child's secret. `until`: at most what the house allows for this reason, and so by default.
    """

    kind: WithheldKind
    entry_id: UUID
    reason: Withheld
    until: date | None = None
    passages: Annotated[list[Passage], Field(max_length=20)] = Field(default_factory=list)
    asked_by_child: bool = False


class TellIn(Body):
    """What is told the person again, at once and whole."""

    kind: WithheldKind
    entry_id: UUID


class WithheldOut(DossierView, frozen=True):
    structure_id: str
    author_id: str | None
    visibility: str
    withheld_reason: str | None
    withheld_until: date | None
    version: int


def _view(table: type[DossierEntry]) -> type[WithheldOut]:
    said = {"TABLE": table, "__module__": __name__}
    return cast(
        type[WithheldOut], msgspec.defstruct("WithheldOut", [], bases=(WithheldOut,), namespace=said, frozen=True)
    )


VIEWS = {kind: _view(table) for kind, table in TABLES.items()}
