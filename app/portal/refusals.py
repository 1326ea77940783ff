"""A refusal on the person's page: a page too, in their words, never the error's own; the status says the rest."""

from starlette.responses import Response

from app.kernel.errors import (
    Bug,
    Busy,
    Conflict,
    DuiError,
    NotFound,
    TooFast,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unreadable,
)
from app.portal import answers
from app.portal.csrf import StaleForm
from app.portal.frame import Screen
from app.portal.views import Stop, StopKind

DOOR, INSIDE = "/p/", Screen.HOME.path


class WrongAddress(Unreadable):
    """The page is asked under a name that is not ours, or that nothing protects."""

    code = "wrong_address"


KINDS: tuple[tuple[type[DuiError], StopKind], ...] = (  # the first that fits
    (WrongAddress, StopKind.WRONG_ADDRESS),
    (StaleForm, StopKind.STALE_FORM),
    (TooFast, StopKind.BUSY),
    (TooMany, StopKind.TOO_MANY),
    (TooLarge, StopKind.TOO_LARGE),
    (Busy, StopKind.BUSY),
    (Bug, StopKind.FAILURE),
    (Unauthenticated, StopKind.SESSION_ENDED),
    (NotFound, StopKind.NOT_FOUND),
    (Conflict, StopKind.STALE_FORM),  # what they answered to has changed
    (DuiError, StopKind.NOT_ALLOWED),
)
WAY_BACK = frozenset(
    {StopKind.STALE_FORM, StopKind.NOT_ALLOWED, StopKind.NOT_FOUND, StopKind.TOO_LARGE, StopKind.FAILURE}
)
OF_FILES = {  # by the code of the refusal: where a file is sent, its sender is told what is wrong with it
    "too_large": StopKind.FILE_TOO_LARGE,
    "document.type": StopKind.FILE_KIND,
    "document.other_type": StopKind.FILE_KIND,
    "document.empty": StopKind.FILE_MISSING,
    "document.used": StopKind.PAPER_USED,
}


def is_page(path: str) -> bool:
    return path == INSIDE or path.startswith((DOOR, f"{INSIDE}/"))


def told(error: DuiError, path: str) -> Response:
    kind = next(kind for of, kind in KINDS if isinstance(error, of))
    back = Screen.HOME if kind in WAY_BACK and not path.startswith(DOOR) else None
    if error.where == "Host":
        kind = StopKind.WRONG_ADDRESS
    if path.startswith(f"{Screen.DOCUMENTS.path}/") and error.told in OF_FILES:
        kind, back = OF_FILES[error.told], Screen.DOCUMENTS
    kept = {name: value for name, value in error.headers.items() if name != "WWW-Authenticate"}  # no bearer here
    view = Stop(kind=kind, back=back)
    return answers.page(view, status=error.status, headers=kept)
