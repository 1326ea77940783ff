"""Bytes to R4: JSON within caps, each key once, then the whole of `checking`; all faults at once, or the resource.

The caps are checked on the bytes at C speed, before any object is built: 20,000 levels or a million brackets cost
milliseconds. A bundle takes 0.2–0.4 ms of CPU an entry: read large ones off the event loop (`asyncio.to_thread`).
Source: https://hl7.org/fhir/R4/json.html
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from app.fhir.checking import MAX_FAULTS, Twice, faults_of, remains
from app.fhir.references import doubles
from app.fhir.remains import NONE, Aside, aside
from app.kernel.depth import MAX_DEPTH, deeper, outside_strings
from app.kernel.errors import Fault, TooLarge, Unreadable

Json = dict[str, Any]

BATCH = "batch"
TAKEN = ("transaction", BATCH)
MAX_ENTRIES = 1000
MAX_VALUES = 1_000_000  # a thousand for each entry; 32 MiB of empty lists would take a gigabyte


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a bundle. `at` is its place, `where` its FHIRPath; what is absent is an empty string or object."""

    at: int
    where: str
    full_url: str
    method: str
    url: str
    request: Json
    resource: Json

    @property
    def kind(self) -> str:
        return str(self.resource.get("resourceType", ""))


@dataclass(frozen=True, slots=True)
class Bundle:
    kind: str  # transaction, batch…
    entries: tuple[Entry, ...]
    whole: Json
    bad: Mapping[int, Unreadable] = field(default_factory=dict)  # of a batch, by place: the entries refused alone


class NotR4(Unreadable):
    """`left`: what stays of the bundle, and what may still be told of it; None when nothing stays."""

    def __init__(
        self, message: str, left: Callable[[], tuple[Bundle | None, Aside]] = lambda: (None, NONE), **more: Any
    ) -> None:
        super().__init__(message, **more)
        self.left = left


def read_json(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """JSON within the caps. An object in which a key came twice comes as `Twice`; `checking` refuses it in its place.

    Raises Unreadable (not JSON, not UTF-8, a lone surrogate, too deep) or TooLarge (too many values).
    """
    if not body.strip():
        raise Unreadable("Le corps est vide : envoyez une ressource FHIR.")
    bare = _outside_strings(body)
    if deeper(bare, max_depth):
        raise Unreadable(f"Ce contenu a plus de {max_depth} niveaux.", code="too_deep")
    try:
        read = orjson.loads(body)
    except ValueError:
        raise Unreadable("Le corps n'est pas du JSON lisible, en UTF-8.") from None
    return read if bare.count(b":") == _keys(read) else json.loads(body, object_pairs_hook=_object, parse_int=float)


def read_resource(body: bytes, max_depth: int = MAX_DEPTH) -> Json:
    """One resource, or Unreadable with all its faults."""
    resource = read_json(body, max_depth)
    if faults := faults_of(resource):
        raise refused(faults)
    read: Json = resource
    return read


def read_bundle(
    body: bytes,
    max_entries: int = MAX_ENTRIES,
    max_depth: int = MAX_DEPTH,
    parse: Callable[[bytes, int], Any] = read_json,
    taken: Collection[str] = (),
) -> Bundle:
    """A bundle whose every entry is R4, or Unreadable with all their faults; TooLarge beyond `max_entries`. The entries of a
    batch answer each for itself.

    `parse` makes the tree: `read_json`, or `xml.read`. Of another type than those `taken` (empty: any) nothing more is told.
    """
    whole = parse(body, max_depth)
    if not isinstance(whole, dict) or whole.get("resourceType") != "Bundle":
        raise Unreadable("Un Bundle FHIR est attendu.", where="Bundle", code="not_a_bundle")
    listed = whole.get("entry")
    if isinstance(listed, list) and len(listed) > max_entries:
        raise TooLarge(f"Un envoi compte {max_entries} éléments au plus.", where="Bundle.entry")
    if whole.get("type") == BATCH and isinstance(listed, list) and listed:
        return _batch(whole, listed)
    if taken and isinstance(whole.get("type"), str) and whole["type"] not in taken:
        raise Unreadable("Un Bundle transaction ou batch est reçu ici.", where="Bundle.type", code="not_supported")
    if faults := faults_of(whole, "Bundle"):
        raise not_r4(faults, partial(_left, whole, faults))
    bundle = Bundle(whole["type"], entries_of(whole), whole)
    if faults := list(envelope(bundle)):
        raise not_r4(faults, lambda: (bundle, aside(faults)))
    return bundle


def not_r4(faults: list[Fault], left: Callable[[], tuple[Bundle | None, Aside]]) -> NotR4:
    return NotR4(_sentence(faults), left, faults=faults[:MAX_FAULTS])


def _batch(whole: Json, listed: list[Any]) -> Bundle:
    """Raises Unreadable for what is said of no one entry."""
    if faults := faults_of(_without(whole, "entry"), "Bundle"):
        raise refused(faults)
    by_place = {at: _faults_beside(each, at) for at, each in enumerate(listed)}
    for at, each in enumerate(listed):
        if isinstance(each, dict) and "resource" in each:
            by_place[at] += faults_of(each["resource"], f"Bundle.entry[{at}].resource")
    entries = [_entry(at, {} if by_place[at] else each) for at, each in enumerate(listed)]
    bundle = Bundle(BATCH, tuple(entries), whole)
    for fault in envelope(bundle):
        at = next(at for at in by_place if _is_of(fault, at))
        if aside(by_place[at]).lets(fault):
            by_place[at].append(fault)
    bad = {
        at: not_r4(faults, partial(_left_alone, listed[at], at, faults)) for at, faults in by_place.items() if faults
    }
    return replace(bundle, bad=bad)


def _left(whole: Json, faults: list[Fault]) -> tuple[Bundle | None, Aside]:
    left, beside = remains(whole, faults, "Bundle")
    return (Bundle("transaction", entries_of(left), left) if left else None), beside


def _left_alone(entry: Any, at: int, faults: list[Fault]) -> tuple[Bundle | None, Aside]:
    """The same of one entry of a batch, under the name it has there."""
    here = f"Bundle.entry[{at}]"
    as_first = [replace(fault, where=fault.where.replace(here, "Bundle.entry[0]", 1)) for fault in faults]
    bundle, _ = _left({"resourceType": "Bundle", "type": BATCH, "entry": [entry]}, as_first)
    if bundle:
        bundle = replace(bundle, entries=tuple(replace(one, where=here) for one in bundle.entries))
    return bundle, aside(faults)


ANY = {"resourceType": "Basic", "code": {"text": "une ressource"}}  # stands for one that is read by itself


def _faults_beside(entry: Any, at: int) -> list[Fault]:
    """Of an entry of a batch, but for its resource: as of the only one."""
    told = entry
    if isinstance(entry, dict) and "resource" in entry:
        told = _as(entry, {**entry, "resource": ANY})
    faults = faults_of({"resourceType": "Bundle", "type": BATCH, "entry": [told]}, "Bundle")
    return [replace(one, where=one.where.replace("entry[0]", f"entry[{at}]", 1)) for one in faults]


def _without(said: Json, member: str) -> Json:
    return _as(said, {name: value for name, value in said.items() if name != member})


def _as(said: Json, new: Json) -> Json:
    """A change of what was read: a key that came twice there still did."""
    return Twice.of(new, said.names) if isinstance(said, Twice) else new


def _is_of(fault: Fault, at: int) -> bool:
    here = f"Bundle.entry[{at}]"
    return fault.where == here or fault.where.startswith(f"{here}.")


def entries_of(bundle: Json) -> tuple[Entry, ...]:
    """Of a bundle that is R4."""
    listed = bundle.get("entry", ())
    return tuple(map(_entry, range(len(listed)), listed))


def refused(faults: list[Fault]) -> Unreadable:
    return Unreadable(_sentence(faults), faults=faults[:MAX_FAULTS])


def _sentence(faults: list[Fault]) -> str:
    more = " Les suivantes ne sont pas dites." if len(faults) >= MAX_FAULTS else ""
    return f"Ce contenu n'est pas conforme à FHIR R4.{more}"


def _outside_strings(body: bytes) -> bytes:
    """The JSON without its strings: what is left says how many values, members and levels there are."""
    if body.count(b'"') <= 4 * MAX_VALUES:
        bare = outside_strings(body)
        if sum(map(bare.count, (b",", b"[", b"]", b"{", b"}"))) <= 2 * MAX_VALUES:
            return bare
    raise TooLarge("Ce contenu compte trop d'éléments.")


def _keys(read: Any) -> int:
    """How many members the objects have: one less than colons outside of strings for each key that came twice."""
    count, todo = 0, list[Any]([[read]])
    for value in todo:
        if type(value) is dict:
            count += len(value)
            value = value.values()
        for inner in value:
            kind = type(inner)
            if kind is dict or kind is list:
                todo.append(inner)
    return count


def _object(pairs: list[tuple[str, Any]]) -> Json:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    return Twice.of(read, [name for name, many in Counter(name for name, _ in pairs).items() if many > 1])


def _entry(at: int, entry: Json) -> Entry:
    request = entry.get("request", {})
    return Entry(
        at=at,
        where=f"Bundle.entry[{at}]",
        full_url=entry.get("fullUrl", ""),
        method=request.get("method", ""),
        url=request.get("url", ""),
        request=request,
        resource=entry.get("resource", {}),
    )


def envelope(bundle: Bundle) -> Iterator[Fault]:
    """What the envelope of a demand needs beyond R4's rules (`app.fhir.rules`). https://hl7.org/fhir/R4/http.html#trules"""
    if bundle.kind in ("transaction", "batch"):
        for entry in bundle.entries:
            if entry.method in ("POST", "PUT") and not entry.resource:
                yield Fault(f"{entry.where}.resource", "required", "Cette demande a besoin d'une ressource.")
        for at in doubles(bundle.entries):
            where = f"Bundle.entry[{at}].fullUrl"
            yield Fault(where, "duplicate_url", "Un autre élément de l'envoi porte déjà cette adresse (fullUrl).")
