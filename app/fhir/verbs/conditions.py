"""Answering a read: its version, its date, and 304 when the caller has that very one.

Source: https://hl7.org/fhir/R4/http.html#cread
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from app.fhir.mapping import Json
from app.fhir.types import Element
from app.kernel import answers
from app.kernel.answers import FHIR_JSON, etag


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a read may be asked under. `If-None-Match` decides alone when both are said (RFC 9110, 13.2.2)."""

    none_match: str | None = None
    modified_since: str | None = None

    def met(self, tag: str, changed: datetime) -> bool:
        """Whether the caller has this version already."""
        if self.none_match is not None:
            return names(self.none_match, tag)
        since = _instant(self.modified_since) if self.modified_since is not None else None
        return since is not None and changed.replace(microsecond=0) <= since


def answered(resource: Element | Json, view: Any, conditions: Conditions) -> Response:
    """200, or 304."""
    tag = etag(view.version)
    headers = {"ETag": tag, "Last-Modified": http_date(view.updated_at)}
    if conditions.met(tag, view.updated_at):
        return Response(status_code=304, headers=headers)
    return answers.told(resource, FHIR_JSON, headers=headers)


@lru_cache(maxsize=10_000)
def http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def names(said: str, tag: str) -> bool:
    """A weak comparison. Source: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"""
    opaque = tag.removeprefix("W/")
    return said.strip() == "*" or opaque in (part.strip().removeprefix("W/") for part in said.split(","))


def _instant(said: str) -> datetime | None:
    """None: no date of HTTP, and then no condition (RFC 9110, 13.1.3)."""
    try:
        found = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
