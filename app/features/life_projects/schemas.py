"""What the REST API hears and says about a life project."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from app.access.entry import ME, DossierView
from app.features.contacts import shown
from app.features.life_projects.models import LifeProject, LifeStatus
from app.kernel.fields import Body, Line, Prose

Shown = Literal["not_shared", "shared"]


class LifeProjectIn(Body):
    """Told by the person, or by a contact, named by their id or by a name: `said_by_…`."""

    usager_id: UUID
    structure_id: UUID
    words: Prose
    aim: Prose | None = None
    aim_on: date | None = None
    starts: date | None = None
    said_by_contact_id: UUID | None = None
    said_by_name: Line | None = None
    status: LifeStatus = LifeStatus.ACTIVE
    visibility: Shown = "shared"


class LifeProjectPatch(Body):
    """What is left out stays. Of what the person wrote themselves, the status alone is the team's."""

    words: Prose = ""
    aim: Prose | None = None
    aim_on: date | None = None
    starts: date | None = None
    status: LifeStatus = LifeStatus.ACTIVE
    visibility: Shown = "shared"


class MyLifeProjectIn(Body):
    """« Ce que je veux pour ma vie »; `only_team` closes it to those who represent the person."""

    words: Prose
    aim: Prose | None = None
    aim_on: date | None = None
    only_team: bool = False


class LifeProjectOut(DossierView, frozen=True):
    TABLE: ClassVar = LifeProject

    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    words: str
    aim: str | None
    aim_on: date | None
    starts: date | None
    said_by_id: str | None
    said_by_kind: str | None
    said_by_name: str | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    visibility: str
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyLifeProjectOut(DossierView, frozen=True):
    """The same, as the person, or who represents them, reads it. `mine`: the reader wrote it."""

    TABLE: ClassVar = LifeProject
    COMPUTED: ClassVar = {
        "mine": LifeProject.author_id == ME,
        "said_by_relation": shown.relation("life_project", "said_by_id"),
    }

    words: str
    aim: str | None
    aim_on: date | None
    starts: date | None
    said_by_kind: str | None
    said_by_name: str | None
    status: str
    visibility: str
    occurred_at: datetime
    recorded_at: datetime
    version: int
    mine: bool = True  # just written, it is
    said_by_relation: str | None = None
