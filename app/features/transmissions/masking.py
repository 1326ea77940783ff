"""A note as the person reads it when it names someone else: the sentence is masked, not the note (field.md §6)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, null

from app.access.entry import ME
from app.access.models import Professional
from app.features.transmissions.models import Transmission
from app.kernel.errors import Invalid

OTHER_PERSON = "[passage masqué : il parle de quelqu'un d'autre]"
NONE: dict[str, Any] = {"masked": None, "shown_text": None}
_of_staff = exists().where(Professional.organisation_id == Transmission.organisation_id, Professional.id == ME)
_masked = and_(Transmission.shown_text.is_not(None), ~_of_staff)
TEXT: ColumnElement[Any] = case((_masked, Transmission.shown_text), else_=Transmission.text)
EXTRA: ColumnElement[Any] = case((_masked, null()), else_=Transmission.extra)  # what was received says it too


def of(text: str, passages: Sequence[str]) -> dict[str, Any]:
    """The columns that mask these passages. Raises Invalid when one is not in the text."""
    shown = text
    for passage in sorted(passages, key=len, reverse=True):  # one may stand inside another
        if passage not in text:
            raise Invalid(
                "Ces mots ne sont pas dans le texte : recopiez-les comme ils y sont.",
                where="/passages",
                code="transmission.passage",
            )
        shown = shown.replace(passage, OTHER_PERSON)
    return {"masked": list(passages), "shown_text": shown}
