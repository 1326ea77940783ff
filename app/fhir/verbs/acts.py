"""What each entry of a bundle asks, and a request of its own as a bundle of one: the act, its target, its conditions.

Sources: https://hl7.org/fhir/R4/bundle.html#request, https://hl7.org/fhir/R4/http.html#cond-update
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from app.fhir.known_types import R4_TYPES
from app.fhir.reading import Bundle, Entry
from app.fhir.search.values import uuid_of
from app.kernel.errors import Fault, Unreadable

CREATE, UPDATE, PATCH, DELETE, READ, HEAD = "POST", "PUT", "PATCH", "DELETE", "GET", "HEAD"
READS = (READ, HEAD)
LETTERS = {CREATE: "c", UPDATE: "u", PATCH: "u", DELETE: "d"}
MATCH = re.compile(r'(?:W/)?"(\d{1,9})"')
_TARGET = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.-]{1,64})", re.ASCII)
_SEARCH = re.compile(r"([A-Z][A-Za-z]{1,63})/?\?(.*)", re.ASCII | re.DOTALL)
OTHER_ID = "L'identifiant de l'adresse est celui de la ressource (id) : dites le même aux deux."
ADDRESS = "L'adresse de cette demande est un type et un identifiant (Type/id), ou un type et une condition (Type?…)."
NO_VERSION = 'If-Match (ifMatch) attend le numéro de la version lue, entre guillemets, comme W/"3".'
NO_MATCH = "Une création ne dit pas de version lue : retirez ifMatch (ou dites ifNoneExist pour ne créer qu'une fois)."
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One entry: `id` is the row asked for (None: an id that is none of ours), `query` the condition instead. A HEAD is a
    READ of which the answer keeps the head alone.
    """

    entry: Entry
    method: str
    kind: str
    id: UUID | None = None
    query: Query | None = None
    version: int | None = None  # the one the caller read

    @property
    def at(self) -> int:
        return self.entry.at

    @property
    def asked(self) -> str:
        """Where the request says what it asks."""
        return f"{self.entry.where}.request.{'ifNoneExist' if self.method == CREATE else 'url'}"


def read(bundle: Bundle, origin: str) -> tuple[Act, ...]:
    """Raises Unreadable naming every entry that asks for what nobody can do."""
    acts, faults = [], []
    for entry in bundle.entries:
        try:
            acts.append(_act(entry, origin))
        except _Wrong as wrong:
            faults.append(wrong.fault)
    faults += _twice(acts)
    if faults:
        raise Unreadable("Cette demande est à corriger.", faults=faults)
    return tuple(acts)


class _Wrong(Exception):
    def __init__(self, entry: Entry, name: str, code: str, sentence: str) -> None:
        super().__init__(code)
        self.fault = Fault(f"{entry.where}.request.{name}", code, sentence)


def _act(entry: Entry, origin: str) -> Act:
    url = entry.url.removeprefix(f"{origin}/fhir").lstrip("/")
    for name in ("ifNoneMatch", "ifModifiedSince"):
        if name in entry.request and entry.method not in READS:
            raise _Wrong(entry, name, "not_supported", "Cette condition n'est pas prise en charge ici.")
    if entry.method == CREATE:
        return _creation(entry)
    if entry.method in READS:
        return Act(entry, READ, url.partition("/")[0].partition("?")[0])
    if entry.method == PATCH and not entry.resource:
        raise _Wrong(entry, "method", "required", "Un PATCH porte ses opérations, en ressource Binary.")
    version = _version(entry)
    if target := _TARGET.fullmatch(url):
        kind, id, query = target[1], uuid_of(target[2]), None
    elif search := _SEARCH.fullmatch(url):
        kind, id, query = search[1], None, _query(entry, "url", search[2])
    else:
        raise _Wrong(entry, "url", "wrong_url", ADDRESS)
    if kind not in R4_TYPES or (entry.method == UPDATE and entry.kind != kind):
        raise _Wrong(entry, "url", "wrong_url", "Le type de l'adresse est celui de la ressource.")
    if entry.method == UPDATE and query is None and entry.resource.get("id") != target[2]:  # type: ignore[index]
        raise _Wrong(entry, "url", "wrong_url", OTHER_ID)
    return Act(entry, entry.method, kind, id, query, version)


def _creation(entry: Entry) -> Act:
    if "ifMatch" in entry.request:
        raise _Wrong(entry, "ifMatch", "not_supported", NO_MATCH)
    said = entry.request.get("ifNoneExist")
    if said is None:
        return Act(entry, CREATE, entry.kind)
    text = str(said).removeprefix(f"{entry.kind}?").removeprefix("?")
    return Act(entry, CREATE, entry.kind, query=_query(entry, "ifNoneExist", text))


def condition_in(target: str) -> tuple[str, Query] | None:
    """The type and the query of a conditional reference, `Type?…`; None when it is something else."""
    asked = _SEARCH.fullmatch(target)
    if asked is None or asked[1] not in R4_TYPES:
        return None
    try:
        return asked[1], tuple(parse_qsl(asked[2], keep_blank_values=True, errors="strict", strict_parsing=True))
    except ValueError:
        return None


def _query(entry: Entry, name: str, text: str) -> Query:
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", strict_parsing=True))
    except ValueError:
        raise _Wrong(entry, name, "bad_parameter", "Cette condition ne se lit pas comme une recherche.") from None


def _version(entry: Entry) -> int | None:
    said = entry.request.get("ifMatch")
    if said is None:
        return None
    if not (match := MATCH.fullmatch(str(said).strip())):
        raise _Wrong(entry, "ifMatch", "bad_parameter", NO_VERSION)
    return int(match[1])


def _twice(acts: list[Act]) -> Iterator[Fault]:
    """Two entries that change one row. https://hl7.org/fhir/R4/http.html#trules"""
    seen = set()
    for act in acts:
        if act.id and act.method != READ:
            if act.id in seen:
                sentence = "Un autre élément de l'envoi change déjà cette ressource."
                yield Fault(f"{act.entry.where}.request.url", "duplicate_url", sentence)
            seen.add(act.id)
