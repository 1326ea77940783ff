"""What all these routes share: a form read strictly, a refusal in OAuth's words and its line in the trail, a token given.

Source: RFC 6749, 5.1 and 5.2. No refusal repeats what was received.
"""

from fastapi import Request
from starlette.responses import JSONResponse

from app.access import opening
from app.access.http import call_of
from app.audit.vocabulary import Door
from app.kernel import forms
from app.kernel.clock import now
from app.kernel.errors import DuiError, TooFast, Unauthenticated
from app.kernel.forms import Form
from app.security.sessions import Opened

UNSTORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthRefusal(Exception):
    """A refusal in OAuth's words; the description is for the human who integrates, and quotes nothing received."""

    def __init__(self, error: str, description: str, status: int = 400, **more: object) -> None:
        super().__init__(error)
        self.status = status
        self.body: dict[str, object] = {"error": error, "error_description": description, **more}
        self.headers: dict[str, str] = {}
        self.judged = True  # else nothing was looked at, and nothing is written of it

    @classmethod
    def of(cls, no: DuiError, unauthenticated: str) -> "OAuthRefusal":
        if isinstance(no, Unauthenticated):
            return cls(unauthenticated, no.message, 401 if unauthenticated == "invalid_client" else 400)
        said = "temporarily_unavailable" if no.status in (429, 503) else "invalid_request"
        refusal = cls(said, no.message, no.status)
        refusal.headers, refusal.judged = dict(no.headers), not isinstance(no, TooFast)
        return refusal

    def told(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, {**UNSTORED, **self.headers})


async def refused(request: Request, door: Door, no: OAuthRefusal, action: str = "login") -> JSONResponse:
    """The answer, once its line of nobody is kept."""
    if no.judged:
        await opening.refuse_unknown(request.app.state.database, call_of(request, door), action, "session")
    return no.told()


async def form_of(request: Request) -> Form:
    try:
        return await forms.read(request)
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_request") from None


def asked(form: Form, name: str) -> str:
    if not form.get(name):
        raise OAuthRefusal("invalid_request", f"Il manque le paramètre « {name} ».")
    return form[name]


def given(opened: Opened, **more: object) -> dict[str, object]:
    told: dict[str, object] = {
        "access_token": opened.token,
        "token_type": "Bearer",
        "expires_in": int(opened.principal.expires - now().timestamp()),
        **more,
    }
    return {**told, "refresh_token": opened.refresh} if opened.refresh else told


def address(request: Request) -> str | None:
    return request.client.host if request.client else None
