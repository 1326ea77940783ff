"""What can go wrong, said once: six kinds, each with its FHIR IssueType and its default status.

A message is a French sentence the person at the keyboard can act on. It never holds a received value:
it may be a NIR. `app.api.errors` renders an error as problem+json, `app.fhir.outcomes` as OperationOutcome.

Source: https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: `where` is a JSON pointer (REST) or a FHIRPath (FHIR), `code` is stable.

    `rule` names what a FHIR profile asks.
    """

    where: str
    code: str
    message: str
    rule: str = ""


class DuiError(Exception):
    """An expected refusal; anything else that escapes is a bug (500)."""

    status: ClassVar[int]
    issue: ClassVar[str]
    code: ClassVar[str]
    title: ClassVar[str]
    HEADERS: ClassVar[dict[str, str]] = {}

    def __init__(
        self, message: str, *, where: str | None = None, code: str | None = None, faults: Iterable[Fault] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.told = code or self.code
        self.faults = tuple(faults) or ((Fault(where, self.told, message),) if where else ())

    @property
    def headers(self) -> dict[str, str]:
        """Those its answer bears."""
        return self.HEADERS


class Unauthenticated(DuiError):
    status, issue, code, title = 401, "login", "unauthenticated", "Qui êtes-vous ?"
    HEADERS: ClassVar = {"WWW-Authenticate": "Bearer"}


class Forbidden(DuiError):
    """The caller sees the row but may not do this act. When it may not even see it: NotFound."""

    status, issue, code, title = 403, "forbidden", "forbidden", "Ce geste ne vous est pas ouvert"


class NotFound(DuiError):
    """Absent and out of reach are told alike, to the byte."""

    status, issue, code, title = 404, "not-found", "not_found", "Introuvable"


class Gone(NotFound):
    """Deleted; told only to those who could read it."""

    status, issue, code, title = 410, "deleted", "deleted", "Supprimé"


class Conflict(DuiError):
    status, issue, code, title = 409, "conflict", "conflict", "L'état du dossier ne le permet pas"


class Stale(Conflict):
    status, code, title = 412, "stale", "Quelqu'un a écrit entre-temps"


class Invalid(DuiError):
    """A readable body that breaks a type or a rule."""

    status, issue, code, title = 422, "invalid", "invalid", "À corriger"


class Unreadable(Invalid):
    """Not JSON, not UTF-8, too deep, an unknown or bad parameter; under /fhir also what breaks the structure."""

    status, issue, code, title = 400, "structure", "unreadable", "Illisible"


class MatchRequired(Invalid):
    status, issue, code, title = 428, "required", "if_match_required", "Version attendue"


class NotSupported(DuiError):
    status, issue, code, title = 400, "not-supported", "not_supported", "Non pris en charge"


class MethodNotAllowed(NotSupported):
    """`allow`: the methods that its address takes, where the sender asked for no other."""

    status, code, title = 405, "method_not_allowed", "Geste inconnu ici"
    allow: Iterable[str] = ()

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allow)} if self.allow else {}


class NotAcceptable(NotSupported):
    status, code, title = 406, "not_acceptable", "Format demandé non servi"


class TooLarge(NotSupported):
    status, issue, code, title = 413, "too-long", "too_large", "Trop grand"


class UnsupportedMedia(NotSupported):
    status, code, title = 415, "unsupported_media", "Format envoyé non lu"


class TooMany(Conflict):
    status, issue, code, title = 429, "throttled", "too_many", "Trop d'essais"
    HEADERS: ClassVar = {"Retry-After": "900"}


class TooFast(TooMany):
    """Nothing was judged, nothing was asked of the base."""

    code, title = "too_fast", "Trop de demandes à la fois"
    HEADERS: ClassVar = {"Retry-After": "1"}


class Busy(Conflict):
    status, issue, code, title = 503, "transient", "busy", "Réessayez dans un instant"
    HEADERS: ClassVar = {"Retry-After": "2"}


class Bug(DuiError):
    """Never raised: how an error that is not one of ours is told."""

    status, issue, code, title = 500, "exception", "bug", "Erreur du serveur"
