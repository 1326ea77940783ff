"""A resource held against a profile: what its StructureDefinition asks beyond R4, told all at once.

Judged: cardinality, fixed and pattern values, slices told by a value, a pattern or a profile, required bindings whose
codes we hold, invariants. A slice told otherwise, and an invariant that needs `resolve()`, are not judged: no false alarm.
Sources: https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from fhirpathpy import compile as compiled

from app.fhir.outcomes import Issue, Severity

Json = dict[str, Any]
Codes = Callable[[str], Collection[tuple[str, str]] | None]
Definitions = Callable[[str], Json | None]  # a StructureDefinition by its canonical
DEEP = 8  # profiles within profiles
NOT_JUDGED = ("resolve(", "conformsTo(", "memberOf(", "htmlChecks(")


@dataclass
class Node:
    """One element of a profile, its slices and what is inside."""

    name: str
    element: Json = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)
    inside: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Value:
    """`path` from its holder, `beside` what stands beside a primitive, `key` its name in JSON."""

    path: str
    value: Any
    beside: Any
    key: str

    @property
    def whole(self) -> Json:
        return self.value if isinstance(self.value, dict) else (self.beside if isinstance(self.beside, dict) else {})


@dataclass(frozen=True)
class Checker:
    codes: Codes
    definitions: Definitions

    def issues_of(self, resource: Json, definition: Json, where: str) -> Iterator[Issue]:
        if resource.get("resourceType") != definition.get("type"):
            yield Issue("error", "profile.type", where, "Ce profil est celui d'un autre type de ressource.")
            return
        yield from self._held(Value("", resource, None, ""), definition, where, 0)

    def _held(self, value: Value, definition: Json, at: str, depth: int) -> Iterator[Issue]:
        """Its own rules, and those of the profile it is built on."""
        if depth > DEEP:
            return
        yield from self._value(value, tree(definition), at, depth)
        base = self.definitions(definition.get("baseDefinition", ""))
        if base and base.get("derivation") == "constraint":
            yield from self._held(value, base, at, depth + 1)

    def _value(self, value: Value, node: Node, at: str, depth: int) -> Iterator[Issue]:
        rule = node.element
        if value.value is not None:
            yield from _imposed(value.value, rule, at)
            yield from self._bound(value.value, rule, at)
            yield from _invariants(value.value, rule, at)
        for profile in _profiles(rule):
            if definition := self.definitions(profile):
                yield from self._held(value, definition, at, depth + 1)
        for child in node.inside.values():
            found = list(_values(value.whole, child.name))
            yield from self._lot(found, child, at, depth)
            for each in child.slices.values():
                mine = [v for v in found if _is_of(v, each, child)]
                if _told_apart(each, child):
                    yield from self._lot(mine, each, at, depth)

    def _lot(self, found: list[Value], node: Node, at: str, depth: int) -> Iterator[Issue]:
        yield from _counted(len(found), node, at)
        for value in found:
            yield from self._value(value, node, f"{at}.{value.path}", depth)

    def _bound(self, value: Any, rule: Json, at: str) -> Iterator[Issue]:
        binding = rule.get("binding", {})
        known = self.codes(binding.get("valueSet", "")) if binding.get("strength") == "required" else None
        if known is None:
            return
        if isinstance(value, str):
            right = value in {code for _, code in known}
        else:
            codings = value.get("coding", [value]) if isinstance(value, dict) else []
            right = any((c.get("system", ""), c.get("code", "")) in known for c in codings)
        if not right:
            yield Issue("error", "unknown_code", at, "Ce code n'est pas dans la liste que ce profil impose.")


def tree(definition: Json) -> Node:
    """The elements of a differential (else of a snapshot), one inside the other, by their ids."""
    told = definition.get("differential") or definition.get("snapshot") or {}
    root = Node(str(definition.get("type", "")))
    for element in told.get("element", ()):
        at = root
        for step in str(element.get("id") or element.get("path", "")).split(".")[1:]:
            name, _, piece = step.partition(":")
            at = at.inside.setdefault(name, Node(name))
            at = at.slices.setdefault(piece, Node(name)) if piece else at
        at.element = element
    return root


def _values(holder: Json, name: str) -> Iterator[Value]:
    stem = name.removesuffix("[x]")
    for key in dict.fromkeys(key.removeprefix("_") for key in holder):
        if key == stem or (name.endswith("[x]") and key.startswith(stem) and key[len(stem) :][:1].isupper()):
            value, beside = holder.get(key), holder.get(f"_{key}")
            if isinstance(value, list) or isinstance(beside, list):
                many, besides = value or [None] * len(beside or ()), beside or ()
                for n, one in enumerate(many):
                    yield Value(f"{stem}[{n}]", one, besides[n] if n < len(besides) else None, key)
            else:
                yield Value(stem, value, beside, key)


def _counted(count: int, node: Node, at: str) -> Iterator[Issue]:
    rule, where = node.element, f"{at}.{node.name.removesuffix('[x]')}"
    piece = f" « {rule['sliceName']} »" if "sliceName" in rule else ""
    if count < rule.get("min", 0):
        told = f"Ce profil demande cet élément{piece}, {rule['min']} fois au moins."
        yield Issue("error", "required", where, told)
    most = str(rule.get("max", "*"))
    if most.isdigit() and count > int(most):
        told = (
            "Ce profil ne permet pas cet élément"
            if most == "0"
            else f"Ce profil permet cet élément {most} fois au plus"
        )
        yield Issue("error", "profile.too_many", where, f"{told}{f', sorte{piece}' if piece else ''}.")


def _imposed(value: Any, rule: Json, at: str) -> Iterator[Issue]:
    for name, wanted in rule.items():
        fixed = name.startswith("fixed") and value != wanted
        if fixed or (name.startswith("pattern") and not _like(value, wanted)):
            said = f" : « {wanted} »" if isinstance(wanted, str) else ""
            yield Issue("error", "profile.value", at, f"Ce profil impose une autre valeur{said}.")


def _like(value: Any, pattern: Any) -> bool:
    """https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_"""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and _like(value[name], p) for name, p in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_like(item, p) for item in value) for p in pattern)
    return bool(value == pattern)


def _invariants(value: Any, rule: Json, at: str) -> Iterator[Issue]:
    for one in rule.get("constraint", ()):
        said = one.get("expression")
        if not said or any(word in said for word in NOT_JUDGED):
            continue
        try:
            answer = _evaluated(said)(value if isinstance(value, dict) else {"value": value})
        except Exception:  # noqa: BLE001, S112  an expression this library can't read judges nobody
            continue
        if answer != [True]:
            severity: Severity = "warning" if one.get("severity") == "warning" else "error"
            told = str(one.get("human") or "Une règle de ce profil n'est pas suivie.")
            yield Issue(severity, "profile.invariant", at, f"{told} ({one.get('key', '?')})")


@lru_cache(maxsize=2_000)
def _evaluated(expression: str) -> Callable[[Any], list[Any]]:
    return cast(Callable[[Any], list[Any]], compiled(expression))


def _profiles(rule: Json) -> list[str]:
    """Of an element of one type and one profile: with several, any may be right."""
    types = rule.get("type", ())
    found = [profile for each in types for profile in each.get("profile", ())]
    return found if len(types) == 1 and len(found) == 1 else []


def _told_apart(piece: Node, whole: Node) -> bool:
    """Whether we can say which values are of this slice."""
    return whole.name.endswith("[x]") or bool(_marks(piece, whole))


def _is_of(value: Value, piece: Node, whole: Node) -> bool:
    if whole.name.endswith("[x]"):
        return value.key == piece.element.get("sliceName")
    marks = _marks(piece, whole)
    return bool(marks) and all(mark(value.value) for mark in marks or ())


def _marks(piece: Node, whole: Node) -> list[Callable[[Any], bool]] | None:
    """The tests that tell a slice; None when one of its discriminators is not judged here."""
    said = whole.element.get("slicing", {}).get("discriminator", [])
    if not said and whole.name in ("extension", "modifierExtension"):
        said = [{"type": "value", "path": "url"}]
    marks = [_mark(each, piece) for each in said]
    return None if not marks or None in marks else [mark for mark in marks if mark]


def _mark(discriminator: Mapping[str, str], piece: Node) -> Callable[[Any], bool] | None:
    path, profiles = discriminator.get("path", ""), _profiles(piece.element)
    if path == "url" and profiles:
        return lambda value: isinstance(value, dict) and value.get("url") == profiles[0]
    if discriminator.get("type") == "profile" and path == "$this" and profiles:
        return lambda value: isinstance(value, dict) and profiles[0] in value.get("meta", {}).get("profile", ())
    if discriminator.get("type") not in ("value", "pattern"):
        return None
    steps, at = [] if path == "$this" else path.split("."), piece
    for n in range(len(steps) + 1):
        for name, wanted in at.element.items():
            if name.startswith(("fixed", "pattern")):
                before = steps[:n]
                return lambda value: _like_at(value, before, wanted)
        if n < len(steps):
            if steps[n] not in at.inside:
                return None
            at = at.inside[steps[n]]
    return None


def _like_at(value: Any, steps: list[str], wanted: Any) -> bool:
    lots = [value]
    for step in steps:
        found = [lot.get(step) for lot in lots if isinstance(lot, dict)]
        lots = [one for lot in found for one in (lot if isinstance(lot, list) else [lot])]
    return any(_like(lot, wanted) for lot in lots)
