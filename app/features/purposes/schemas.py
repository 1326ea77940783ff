"""What the REST API hears and says of a stated purpose."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement

from app.access.entry import DossierView, View
from app.access.models import Membership, SharingConsent
from app.access.openings import Purpose, StatedPurpose
from app.features.consents.standing import STANDS
from app.kernel.fields import Body


class PurposeIn(Body):
    """For yourself, or, with `professional_id`, for who evaluates (with `consent_id`, the person's yes) or inspects."""

    usager_id: UUID
    structure_id: UUID
    purpose: Purpose
    professional_id: UUID | None = None
    consent_id: UUID | None = None
    ends_at: AwareDatetime | None = None


class PurposeOut(DossierView, frozen=True):
    TABLE: ClassVar = StatedPurpose

    structure_id: str
    professional_id: str
    author_id: str | None
    purpose: str
    consent_id: str | None
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    version: int


class Asked(DossierView, frozen=True):
    """A question put to the person, and where the answer stands: what was allowed for a minor is asked again at 18."""

    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"answer": STANDS}

    about: str | None
    answer: str


class WhoEvaluates(View, frozen=True):
    """Someone who has that function in this organisation."""

    TABLE: ClassVar = Membership
