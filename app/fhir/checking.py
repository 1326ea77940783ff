"""Whether a resource is R4: names, lists, types, dates, required elements and codes, all faults at once.

A walk of our own tables, since the R4B models accept `true` in quotes, empty lists and Python names for elements, and
check no required code; the models themselves are then asked (`opinion`). On the official bundles the walk takes 30 to
50 µs of CPU a resource, the models 190 to 340.
A path holds names of R4 only: an unknown one may be anything, a NIR too. Source: https://hl7.org/fhir/R4/json.html
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Self

from app.fhir.known_types import CARRIED, R4_TYPES, type_of
from app.fhir.opinion import Found, Met, asked, below, joined, opinion
from app.fhir.primitives import EMPTY, Bad
from app.fhir.remains import Aside, aside
from app.fhir.rules import RULES, broken
from app.fhir.shapes import ANY_RESOURCE, Part, Shape, shape
from app.kernel.errors import Fault

MAX_FAULTS = 100  # told of one body; more would help nobody
PROFILES_MOST = 100  # that one resource claims: it is held against each, and so is whoever refers to it

Json = dict[str, Any]
NOTHING: Sequence[Found] = ()
ANY_ELEMENT = "Element"  # ele-1: an id alone says nothing, but beside a value

_REFERENCE = re.compile(
    r"#[A-Za-z0-9\-.]{0,64}"
    rf"|(?:{'|'.join(sorted(R4_TYPES))})(?:/[A-Za-z0-9\-.]{{1,64}}(?:/_history/[A-Za-z0-9\-.]{{1,64}})?(?:\#\S*)?|\?\S+)"
    r"|[a-z][a-z0-9+\-.]*:\S+",
    re.ASCII,
).fullmatch


class Twice(dict[str, Any]):
    """An object in which a key came twice, as the reader found it; `names` when it knows which."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, read: Json, names: Iterable[str]) -> Self:
        told = cls(read)
        told.names = frozenset(names)
        return told


def faults_of(resource: Any, where: str = "") -> list[Fault]:
    """What is not R4 in a resource read from JSON; `where` is the FHIRPath it stands at, its type by default."""
    start = where or root_of(resource)
    met: set[Met] = set()
    found = walk(resource, met)
    if not found:
        return _faults(start, opinion(resource, met))
    faults = _faults(start, found)
    left, beside = remains(resource, faults, start, contained=False)
    more = _faults(start, asked(left)) if left else []
    return [*faults, *filter(beside.lets, more)][:MAX_FAULTS]


def remains(resource: Any, faults: Sequence[Fault], where: str, *, contained: bool = True) -> tuple[Json | None, Aside]:
    """What stays of a resource without what these faults of R4 blame, and what may still be told of it. None: nothing."""
    beside = aside(faults)
    if len(faults) >= MAX_FAULTS:  # those that follow are not known
        return None, beside
    left = beside.left(resource, where, contained=contained)
    again = _faults(where, walk(left, set())) if left else []
    return (None if any(map(beside.lets, again)) else left), beside


def _faults(where: str, found: Sequence[Found]) -> list[Fault]:
    return [Fault(joined(where, path), code, sentence) for path, code, sentence in found[:MAX_FAULTS]]


def root_of(resource: Any) -> str:
    """Its FHIRPath when it stands alone: its type, when R4 knows it."""
    return type_of(resource) if isinstance(resource, dict) and type_of(resource) in R4_TYPES else "Resource"


def _one(bad: Bad) -> Sequence[Found]:
    return [("", *bad)]


TEXT = "#text"  # what the reader of XML calls words that stand between tags
NOT_OBJECT = ("bad_type", "Un objet JSON est attendu.")
TWO_KEYS = ("duplicate_key", "Une même clé figure deux fois dans cet objet.")
NO_TYPE = ("required", "Dites le type de la ressource (resourceType).")
UNKNOWN_TYPE = ("unknown_type", "Ce type de ressource n'existe pas en FHIR R4.")
NOT_CARRIED = ("not_carried", "Ce type de ressource n'est pas pris en charge par ce serveur.")


def walk(value: Any, met: set[Met]) -> Sequence[Found]:
    """`met` takes what each object is made of."""
    if not isinstance(value, dict):
        return _one(NOT_OBJECT)
    if isinstance(value, Twice) and (not value.names or "resourceType" in value.names):
        return [("resourceType" if value.names else "", *TWO_KEYS)]
    kind = type_of(value)
    if kind in CARRIED:
        return _object(value, shape(kind), met, resource=True)
    bad = NO_TYPE if "resourceType" not in value else NOT_CARRIED if kind in R4_TYPES else UNKNOWN_TYPE
    return [("resourceType", *bad)]


def _object(value: Any, kind: Shape, met: set[Met], resource: bool = False) -> Sequence[Found]:
    if type(value) is not dict:
        if not isinstance(value, dict):
            return _one(NOT_OBJECT)
        if isinstance(value, Twice):
            return _doubled(value, kind, resource)
    if not value or (len(value) == 1 and "id" in value and kind.name != ANY_ELEMENT and not resource):
        return _one(EMPTY)
    met.add((kind.name, *value))
    found: list[Found] = []
    chosen: dict[str, str] = {}
    parts = kind.parts
    for name, inner in value.items():
        plain, part = name, parts.get(name)
        if len(found) >= MAX_FAULTS:
            return found
        if part is None:
            if resource and name == "resourceType":
                continue
            plain = name.removeprefix("_")
            part = parts.get(plain)
            if part is None or not part.kind:
                found.append(_unknown(name, kind))
                continue
        if part.choice and chosen.setdefault(part.choice, plain) != plain:
            found.append((part.choice, "bad_value", "Un seul type de valeur est permis ici."))
        if plain is not name:
            bad = _beside(inner, part, value.get(plain), met)
        elif part.many:
            bad = _many(inner, part, value.get("_" + name), met)
        else:
            bad = _value(inner, part, met)
        if bad:
            found.extend(below(part.spoken, bad))
    for lot, names in kind.required:
        if names[0] not in value and not any(name in value or "_" + name in value for name in names):
            found.append((lot, "required", "Cet élément est obligatoire."))
    if rule := OURS.get(kind.name):
        found.extend(rule(value))
    if rules := RULES.get(kind.name):
        found.extend(broken(value, rules))
    return found


def _doubled(value: Twice, kind: Shape, resource: bool) -> Sequence[Found]:
    """Each key that came twice at its element, when R4 knows it; then what else is wrong there."""
    if not value.names:
        return _one(TWO_KEYS)
    parts = {name: kind.parts.get(name.removeprefix("_")) for name in value.names}
    known = {name: part for name, part in parts.items() if part and (part.kind or name in kind.parts)}
    once = {name: inner for name, inner in value.items() if name not in known}
    told = [(part.spoken, *TWO_KEYS) for part in known.values()] + [("", *TWO_KEYS)] * (len(known) < len(parts))
    lots = {part.choice or part.spoken for part in known.values()}
    broken_without = set(broken(once, RULES.get(kind.name, ())))
    rest = _object(once, kind, set(), resource) if once else NOTHING
    return [*dict.fromkeys(told), *(one for one in rest if one[0] not in lots and one not in broken_without)]


def _unknown(name: str, kind: Shape) -> Found:
    """The name received stays unsaid; the nearest that R4 has may be said."""
    if name == TEXT:
        return (
            "",
            "unknown_field",
            "En XML une valeur s'écrit dans l'attribut value (value=\"…\"), pas entre deux balises.",
        )
    near = get_close_matches(name[:64], kind.parts, 1, 0.75)
    hint = f" Peut-être « {near[0]} » ?" if near else ""
    return "", "unknown_field", f"Un élément que FHIR R4 ne connaît pas figure ici.{hint}"


def _value(value: Any, part: Part, met: set[Met]) -> Sequence[Found]:
    if part.check is None:
        return walk(value, met) if part.inner == ANY_RESOURCE else _object(value, shape(part.inner), met)
    if bad := part.check(value):
        return _one(bad)
    if part.codes is not None and value not in part.codes:
        told = f" : {', '.join(sorted(part.codes))}." if len(part.codes) < 16 else "."
        return _one(("unknown_code", f"Ce code n'est pas dans la liste que FHIR R4 impose{told}"))
    return NOTHING


def _many(value: Any, part: Part, beside: Any, met: set[Met]) -> Sequence[Found]:
    if type(value) is not list:
        return _one(("bad_type", "Une liste est attendue."))
    if not value:
        return _one(EMPTY)
    found: list[Found] = []
    for at, item in enumerate(value):
        if item is None and part.kind:
            alone = not (type(beside) is list and at < len(beside) and beside[at])
            bad = _one(EMPTY) if alone else NOTHING
        else:
            bad = _value(item, part, met)
        if bad:
            found.extend(below(f"[{at}]", bad))
            if len(found) >= MAX_FAULTS:
                break
    return found


def _beside(value: Any, part: Part, plain: Any, met: set[Met]) -> Sequence[Found]:
    """What stands beside a primitive (`_birthDate`): its id and extensions, or a list of them, place by place."""
    if not part.many:
        return _alone(value, plain, met)
    if type(value) is not list:
        return _one(("bad_type", "Une liste est attendue."))
    if not any(value):
        return _one(EMPTY)
    if type(plain) is list and len(plain) != len(value):
        return _one(("bad_value", "Les valeurs et leurs extensions ne se correspondent pas une à une."))
    found: list[Found] = []
    for at, item in enumerate(value):
        if item is not None:
            found.extend(below(f"[{at}]", _alone(item, plain[at] if type(plain) is list else None, met)))
    return found[:MAX_FAULTS]


def _alone(beside: Any, plain: Any, met: set[Met]) -> Sequence[Found]:
    """ele-1: beside no value, an id says nothing."""
    if plain is None and type(beside) is dict and beside.keys() == {"id"}:
        return _one(EMPTY)
    return _object(beside, shape(ANY_ELEMENT), met)


def _reference(value: dict[str, Any]) -> Sequence[Found]:
    written = value.get("reference")
    if isinstance(written, str) and not _REFERENCE(written):
        return [("reference", "bad_reference", "Une référence est attendue, comme Patient/123 ou urn:uuid:….")]
    return NOTHING


def _meta(value: dict[str, Any]) -> Sequence[Found]:
    profiles = value.get("profile")
    if isinstance(profiles, list) and len(profiles) > PROFILES_MOST:
        return [("profile", "too_many", f"Une ressource se dit de {PROFILES_MOST} profils au plus.")]
    return NOTHING


OURS = {"Meta": _meta, "Reference": _reference}
