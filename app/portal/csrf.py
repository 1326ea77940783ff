"""Only a page we gave to this session, for this screen, may post: a field of each form, and what the browser says of itself.

Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import hmac
from uuid import UUID

from fastapi import Request

from app.kernel.crypto import Keyring
from app.kernel.errors import Forbidden
from app.kernel.forms import Form
from app.portal.frame import Screen

FIELD = "csrf"
OURS = ("same-origin", "none")  # « none »: the person's own gesture, such as a page loaded again


class StaleForm(Forbidden):
    """The page that posts is not one of ours, or is one of another time."""

    code = "stale_form"


def token(keyring: Keyring, session_id: UUID, screen: Screen) -> str:
    return keyring.blind(f"{session_id}:{screen}", "csrf").hex()


def check(keyring: Keyring, session_id: UUID, form: Form, *screens: Screen) -> None:
    """Raises StaleForm unless the form was given to this session, on one of these screens."""
    said = form.get(FIELD, "").encode()
    right = [hmac.compare_digest(said, token(keyring, session_id, screen).encode()) for screen in screens]
    if not any(right):
        raise StaleForm("Cette page est trop ancienne. Rechargez-la, puis recommencez.")


def check_site(request: Request) -> None:
    """Raises StaleForm when the browser says that another site posts. Our pages ask for no referrer: `Origin: null`."""
    site = request.headers.get("sec-fetch-site", OURS[0])
    origin = request.headers.get("origin", "null")
    if site not in OURS or origin not in ("null", *request.app.state.settings.origins):
        raise StaleForm("Cette demande vient d'un autre site.")
