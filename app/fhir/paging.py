"""Links of a searchset. `next` is sealed and bound to its caller: it holds the query, and no proxy can read it.

Source: https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from app.kernel import paging
from app.kernel.crypto import Keyring
from app.kernel.errors import Unreadable
from app.security.principal import Principal, Professional

PAGE = "_page"
Said = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """What a `next` link holds: the query again, and where the page before it stopped."""

    said: Said
    after: tuple[object, ...]


def first(origin: str, type_name: str, said: Said) -> str:
    query = urlencode(said)
    return f"{origin}/fhir/{type_name}" + (f"?{query}" if query else "")


def following(
    keyring: Keyring, principal: Principal, origin: str, type_name: str, said: Said, at: Sequence[object]
) -> str:
    token = paging.seal(keyring, _bound(principal, type_name), {"said": said, "at": list(at)})
    return f"{origin}/fhir/{type_name}?{PAGE}={token}"


def opened(keyring: Keyring, principal: Principal, type_name: str, token: str) -> Link:
    """Raises Unreadable when the link is not ours, or was given to someone else or for another type."""
    told = paging.unseal(keyring, _bound(principal, type_name), token)
    said, at = told.get("said"), told.get("at")
    if not isinstance(said, list) or not isinstance(at, list):
        raise Unreadable("Cette page n'existe pas. Reprenez la recherche.", where=PAGE)
    kinds: list[type] = [UUID] if len(at) == 1 else [datetime, UUID, int][: len(at)]
    return Link(tuple((str(name), str(text)) for name, text in said), paging.position(at, kinds))


def _bound(principal: Principal, type_name: str) -> str:
    as_whom = principal.membership_id if isinstance(principal, Professional) else ""
    return f"fhir:{principal.id}:{as_whom}:{type_name}"
