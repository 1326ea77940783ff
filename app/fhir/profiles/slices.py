"""How the values of an element are told apart into the slices of a profile.

A mark answers True, False, or None when it can't say: the slice leads to a resource, a profile or codes not held here.
Source: https://hl7.org/fhir/R4/profiling.html#discriminator
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from app.fhir.canonicals import CORE
from app.fhir.known_types import R4_TYPES
from app.fhir.profiles.invariants import Codes, is_among
from app.fhir.profiles.tree import Json, Node, imposed_of, profiles_of_type
from app.fhir.profiles.values import Reach, Run, Step, Value, kind_of, reach, steps_of

Mark = Callable[[Value, Run], bool | None]
Wants = Callable[[Any], bool]


class Profiles(Protocol):
    """What marks ask of who compiles them."""

    @property
    def codes(self) -> Codes: ...
    @property
    def definitions(self) -> Callable[[str], Json | None]: ...
    def conforms(self, resource: Json, profile: str, run: Run) -> bool | None: ...


def mark_of(piece: Node, whole: Node, of: Profiles) -> Mark | None:
    """The test that tells this slice; None when one of its discriminators can't be judged."""
    said = whole.slicing.get("discriminator", [])
    if whole.name.endswith("[x]") and all(each.get("path") == "$this" for each in said):
        return _of_choice(piece, whole)
    if not said and whole.name in ("extension", "modifierExtension"):
        said = [{"type": "value", "path": "url"}]
    marks = [_mark(str(each.get("type", "")), str(each.get("path", "")), piece.whole, of) for each in said]
    sure = [mark for mark in marks if mark]
    return every(sure) if sure and len(sure) == len(marks) else None


def every(marks: list[Mark]) -> Mark:
    def mark(value: Value, run: Run) -> bool | None:
        unsure = False
        for each in marks:
            answer = each(value, run)
            if answer is False:
                return False
            unsure = unsure or answer is None
        return None if unsure else True

    return mark


def _of_choice(piece: Node, whole: Node) -> Mark:
    stem = whole.name.removesuffix("[x]")
    kinds = [each.get("code", "") for each in piece.whole.element.get("type", ())]
    name = str(piece.element.get("sliceName", piece.id.rpartition(":")[2]))
    keys = {name} if name.startswith(stem) or not kinds else {f"{stem}{kind[:1].upper()}{kind[1:]}" for kind in kinds}
    return lambda value, run: value.key in keys


def _mark(kind: str, path: str, piece: Node, of: Profiles) -> Mark | None:
    profiles = profiles_of_type(piece.element)
    if path == "url" and profiles:
        url = profiles[0].partition("|")[0]
        return lambda value, run: value.whole.get("url") == url
    steps = steps_of(path)
    if steps is None:
        return None
    resolved = bool(steps) and steps[-1][0] == "resolve"
    node = _inside(piece, steps[:-1] if resolved else steps)
    match kind:
        case "value" | "pattern":
            return _by_value(piece, steps, of)
        case "exists":
            return _by_presence(node, reach(steps))
        case "type":
            return _by_type(node, resolved, reach(steps), of)
        case "profile":
            return _by_profile(node, resolved, reach(steps), of)
    return None


def _inside(piece: Node, steps: list[Step]) -> Node | None:
    """The node that a path leads to in the profile, through the slices that the path names."""
    at: Node | None = piece
    for how, what in steps:
        if at is None or how == "resolve":
            return None
        if how == "ofType":
            at = at.slices.get(f"{at.name.removesuffix('[x]')}{what[:1].upper()}{what[1:]}", at)
        elif how == "extension":
            at = _extension(at, what)
        else:
            at = at.inside.get(what) or at.inside.get(f"{what}[x]")
    return at


def _extension(at: Node, url: str) -> Node | None:
    for each in at.inside["extension"].slices.values() if "extension" in at.inside else ():
        told = each.inside["url"].element.get("fixedUri") if "url" in each.inside else None
        if url in (told, *(p.partition("|")[0] for p in profiles_of_type(each.element))):
            return each
    return None


def _by_value(piece: Node, steps: list[Step], of: Profiles) -> Mark | None:
    for n in range(len(steps) + 1):
        node = _inside(piece, steps[:n])
        if node is None:
            return None
        if wants := list(_wanted(node, of)):
            return every([_some(reach(steps[:n]), wants)])
    told = list(_below(node, [], of)) if node else []
    return every([_some(reach([*steps, *more]), wants) for more, wants in told]) if told else None


def _wanted(node: Node, of: Profiles) -> Iterator[Wants]:
    yield from (partial(_same if exactly else _like, wanted) for exactly, wanted in imposed_of(node.element))
    binding = node.element.get("binding", {})
    known = of.codes(binding.get("valueSet", "")) if binding.get("strength") == "required" else None
    if known is not None and not imposed_of(node.element):
        yield lambda value: is_among(value, known)


def _same(wanted: Any, value: Any) -> bool:
    return bool(value == wanted)


def _like(wanted: Any, value: Any) -> bool:
    return like(value, wanted)


def _below(node: Node, steps: list[Step], of: Profiles) -> Iterator[tuple[list[Step], list[Wants]]]:
    """What a slice imposes further than its path goes."""
    for name, inner in node.inside.items():
        here = [*steps, ("", name.removesuffix("[x]"))]
        if imposed_of(inner.element):
            yield here, list(_wanted(inner, of))
        yield from _below(inner, here, of)


def _some(reached: Reach, wants: list[Wants]) -> Mark:
    def mark(value: Value, run: Run) -> bool | None:
        lot = reached(value, run)
        return None if lot is None else any(all(want(each.value) for want in wants) for each in lot)

    return mark


def _by_presence(node: Node | None, reached: Reach) -> Mark | None:
    most, least = (str(node.element.get("max", "*")), node.element.get("min", 0)) if node else ("*", 0)
    if most != "0" and not least:
        return None

    def mark(value: Value, run: Run) -> bool | None:
        lot = reached(value, run)
        return None if lot is None else bool(lot) is bool(least)

    return mark


def _by_type(node: Node | None, resolved: bool, reached: Reach, of: Profiles) -> Mark | None:
    if node is None:
        return None
    named = _targets(node) if resolved else [str(each.get("code", "")) for each in node.element.get("type", ())]
    kinds = {_type_of(each, of) if resolved else each[:1].upper() + each[1:] for each in named}
    if not kinds or "" in kinds:
        return None

    def mark(value: Value, run: Run) -> bool | None:
        lot = reached(value, run)
        told = [kind_of(each) for each in lot or ()]
        return None if lot is None or "" in told else any(kind in kinds for kind in told)

    return mark


def _by_profile(node: Node | None, resolved: bool, reached: Reach, of: Profiles) -> Mark | None:
    profiles = [] if node is None else _targets(node) if resolved else profiles_of_type(node.element)
    if not profiles:
        return None

    def mark(value: Value, run: Run) -> bool | None:
        lot = reached(value, run)
        if lot is None:
            return None
        return any_of(of.conforms(each.whole, profile, run) for each in lot for profile in profiles)

    return mark


def any_of(answers: Iterable[bool | None]) -> bool | None:
    told = list(answers)
    return True if True in told else None if None in told else False


def _targets(node: Node) -> list[str]:
    return [str(profile) for each in node.element.get("type", ()) for profile in each.get("targetProfile", ())]


def _type_of(profile: str, of: Profiles) -> str:
    """The type that a profile is of; empty when we do not hold it."""
    core = profile.removeprefix(CORE)
    if core in R4_TYPES:
        return core
    definition = of.definitions(profile)
    return str(definition.get("type", "")) if definition else ""


def like(value: Any, pattern: Any) -> bool:
    """https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_"""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and like(value[name], p) for name, p in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(like(item, p) for item in value) for p in pattern)
    return bool(value == pattern)
