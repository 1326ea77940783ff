"""Links of a searchset. `next` is sealed and bound to its caller: it holds the query, and no proxy can read it.

Source: https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from app.kernel import paging
from app.kernel.crypto import Keyring
from app.kernel.errors import Unreadable
from app.security.principal import Principal, Professional

PAGE = "_page"
NO_COUNT = "un nombre entier est attendu, au moins 1 ; _summary=count ne se demande pas ici"
LOST = "Cette page n'existe pas, ou a été donnée à quelqu'un d'autre. Reprenez la recherche depuis le début."
Said = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """What a `next` link holds: the query again, where the page before it stopped (`at` as JSON told it, `after` as it
    is read in the usual order), the total when it was asked for, and what the first page saw of the base."""

    said: Said
    at: tuple[object, ...]
    total: int | None = None
    as_of: str = ""

    @property
    def after(self) -> tuple[object, ...]:
        kinds: list[type] = [UUID] if len(self.at) == 1 else [datetime, UUID, int][: len(self.at)]
        return paging.position(self.at, kinds)


def first(origin: str, path: str, said: Said) -> str:
    """`path` is what was asked below `/fhir`: a type, `Patient/x/Task`, nothing."""
    query = urlencode(said)
    return f"{_address(origin, path)}?{query}" if query else _address(origin, path)


def following(
    keyring: Keyring,
    principal: Principal,
    origin: str,
    path: str,
    said: Said,
    at: Sequence[object],
    total: int | None = None,
    as_of: str = "",
) -> str:
    held = {"said": said, "at": list(at), "as_of": as_of, **({} if total is None else {"total": total})}
    return f"{_address(origin, path)}?{PAGE}={paging.seal(keyring, _bound(principal, path), held)}"


def link_of(said: Iterable[tuple[str, str]]) -> str | None:
    """The link of a page that is followed. Raises Unreadable when something is asked beside it, but its format."""
    pairs = [(name, text) for name, text in said if name != "_format"]
    links = [text for name, text in pairs if name == PAGE]
    if links and len(pairs) > 1:
        raise Unreadable("Un lien de page se suit tel quel.", where=PAGE)
    return links[0] if links else None


def opened(keyring: Keyring, principal: Principal, path: str, token: str) -> Link:
    """Raises Unreadable when the link is not ours, or was given to someone else or for another path."""
    try:
        told = paging.unseal(keyring, _bound(principal, path), token)
    except Unreadable as no:
        raise Unreadable(LOST, where=PAGE, code="bad_page") from no
    said, at, total, as_of = (told.get(name) for name in ("said", "at", "total", "as_of"))
    if not isinstance(said, list) or not isinstance(at, list):
        raise Unreadable(LOST, where=PAGE, code="bad_page")
    pairs = tuple((str(name), str(text)) for name, text in said)
    return Link(pairs, tuple(at), total if isinstance(total, int) else None, str(as_of or ""))


def _address(origin: str, path: str) -> str:
    return f"{origin}/fhir/{path}" if path else f"{origin}/fhir"


def _bound(principal: Principal, path: str) -> str:
    as_whom = principal.membership_id if isinstance(principal, Professional) else ""
    return f"fhir:{principal.id}:{as_whom}:{path}"
