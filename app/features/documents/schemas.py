"""What the REST API hears and says about a document."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from app.access.entry import ME, DossierView, word
from app.access.permissions import Visibility
from app.features.documents.models import Document
from app.features.professionals import shown
from app.kernel.fields import Body, Code, Line, Note

Filed = Literal["administrative", "support", "care"]
Shown = Literal["not_shared", "shared"]
Status = Literal["current", "superseded", "entered_in_error"]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^(?:18[5-9]|19\d|20\d|21\d)\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$"),
]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$", max_length=20)]
Mime = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(?:;[^\x00-\x1f]*)?$", max_length=120)
]


class About(Body):
    """What is said of a document, beside its bytes. `written_on`: the day, month or year the paper bears."""

    title: Line
    description: Note | None = None
    written_on: Day | None = None
    language: Language | None = None
    type: Code | None = None
    class_code: Code | None = None
    format: Code | None = None
    writer_id: UUID | None = None
    writer_name: Line | None = None
    authenticator_id: UUID | None = None
    authenticator_name: Line | None = None
    event: Code | None = None
    period_starts: AwareDatetime | None = None
    period_ends: AwareDatetime | None = None
    facility: Code | None = None
    practice: Code | None = None
    encounter_id: UUID | None = None
    replaces_id: UUID | None = None


class DocumentForm(About):
    """As fields of a form, the bytes in its part `file`. Without `visibility`: shown to the person, unless it is care."""

    usager_id: UUID
    structure_id: UUID
    category: Filed = "support"
    visibility: Shown | None = None
    consigne: bool = False


class DocumentIn(DocumentForm):
    """As JSON: the bytes in base64. Without `content_type`, what their beginning says."""

    content_type: Mime | None = None
    content: Annotated[str, Field(min_length=1)]


class MyDocumentForm(Body):
    """A photo or a PDF that the person adds. `care`: a paper of health, read by who cares for them; `only_team` closes it
    to those who represent them.
    """

    title: Line | None = None
    written_on: Day | None = None
    care: bool = False
    only_team: bool = False


class MyDocumentIn(MyDocumentForm):
    """As JSON: the bytes in base64. Without `content_type`, what their beginning says."""

    content_type: Mime | None = None
    content: Annotated[str, Field(min_length=1)]


class DocumentPatch(About):
    """What is left out stays; the bytes never change: another paper is another document, which replaces this one. Of a
    paper that the person added, its title and who sees it are theirs.
    """

    title: Line = "?"
    status: Status = "current"
    visibility: Shown = "not_shared"
    consigne: bool = False


class DocumentOut(DossierView, frozen=True):
    TABLE: ClassVar = Document

    structure_id: str
    author_id: str | None
    author_kind: str
    title: str
    description: str | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    content_type: str | None
    language: str | None
    size: int | None
    sha256: str | None
    written_on: str | None
    type: str | None
    class_code: str | None
    format: str | None
    writer_id: str | None
    writer_kind: str | None
    writer_name: str | None
    authenticator_id: str | None
    authenticator_kind: str | None
    authenticator_name: str | None
    event: str | None
    period_starts: datetime | None
    period_ends: datetime | None
    facility: str | None
    practice: str | None
    encounter_id: str | None
    replaces_id: str | None
    category: str
    visibility: str
    withheld_reason: str | None
    withheld_until: date | None
    consigne: bool
    origin_partner_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyDocumentOut(DossierView, frozen=True):
    """The same, as the person, or who represents them, reads it: who filed it by role. `mine`: the reader did;
    `only_team`: they did, and closed it to those who represent them.
    """

    TABLE: ClassVar = Document
    COMPUTED: ClassVar = {
        "author_role": shown.role("document"),
        "author_first_name": shown.first_name("document"),
        "mine": Document.author_id == ME,
        "only_team": (Document.author_id == ME) & (Document.visibility == word(Visibility.NOT_SHARED)),
    }

    title: str
    description: str | None
    status: str
    content_type: str | None
    size: int | None
    written_on: str | None
    author_kind: str
    occurred_at: datetime
    version: int
    author_role: str | None = None
    author_first_name: str | None = None
    mine: bool = True  # just added, it is
    only_team: bool = False


class SameFile(DossierView, frozen=True):
    TABLE: ClassVar = Document


class FileView(DossierView, frozen=True):
    """What it takes to hand over the bytes of a document."""

    TABLE: ClassVar = Document

    title: str
    content_id: str | None
    content_type: str | None
    sha256: str | None
