"""What stays of a resource once what is not R4 is set aside, so that the next checks may speak of the rest, and of it alone.

Nothing more is told at an element that is malformed, below it, nor of what depends on it above: slices, invariants.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.fhir.known_types import CARRIED
from app.fhir.outcomes import Issue
from app.fhir.shapes import ANY_RESOURCE, shape
from app.kernel.errors import Fault

Json = dict[str, Any]
Steps = tuple[str, ...]
CONTAINED = "contained"
GONE: Any = object()
WELL_FORMED = ("invariant", "duplicate_url")  # faults of elements that are what R4 wants each to be
SOUND_ABOVE = ("profile.type", "profile.too_many")  # which what is malformed inside can't have caused
BY_HOLDER = ("bad_identifier", "wrong_key", "old_system")  # read of what stands beside
_OF_TYPE = re.compile(r"\.ofType\([^)]*\)")
_STEP = re.compile(r"\[\d+\]|[^.\[\]]+")
_KEY = re.compile(r"\(([a-z]+-\d+)\)\.?$")


class Left(Json):
    """A resource of which something was set aside: what is asked of it as a whole can't be said."""


@dataclass(frozen=True, slots=True)
class Aside:
    """`bad`: what is malformed; `above`: what holds some of it; `said`: (where, code, key of an invariant) told already."""

    bad: frozenset[Steps]
    above: frozenset[Steps]
    said: frozenset[tuple[str, str, str]]

    def left(self, resource: Json, where: str, *, contained: bool = True) -> Json | None:
        """What stays of it, at the same places; None when nothing does. Without `contained`, no list of those in which
        one is at fault.
        """
        left = _resource(resource, steps_of(where), self, contained)
        return None if left is GONE else left

    def gone(self, where: str) -> bool:
        """What is there is malformed, or in what is."""
        return self._inside(steps_of(where))

    def lets(self, doubt: Fault | Issue) -> bool:
        """Whether a later check may say so of what is left."""
        where = doubt.where if isinstance(doubt, Fault) else doubt.expression
        at = steps_of(where)
        if self._inside(at) or any((where, *kind) in self.said for kind in _kinds(doubt)):
            return False
        if doubt.code in BY_HOLDER and at[:-1] in self.above:
            return False
        if at not in self.above:
            return True
        of_a_slice = ":" in doubt.rule.rpartition("#")[2]
        return doubt.code in SOUND_ABOVE and not of_a_slice

    def _inside(self, at: Steps) -> bool:
        return any(at[:end] in self.bad for end in range(1, len(at) + 1))


NONE = Aside(frozenset(), frozenset(), frozenset())


def whole(resource: Json) -> Json | None:
    """For who asks what a reference leads to: a resource that is not whole can't be judged."""
    return None if isinstance(resource, Left) or not resource.get("resourceType") else resource


def aside(faults: Iterable[Fault]) -> Aside:
    """What these faults of R4 blame."""
    faults = list(faults)
    bad, above = set[Steps](), set[Steps]()
    listed = [fault for fault in faults if fault.code not in WELL_FORMED]
    strange = {fault.where for fault in listed if fault.code == "unknown_field"}
    for fault in listed:
        at = steps_of(fault.where)
        if CONTAINED in at:  # one that is at fault is set aside whole: references lead to all of it
            at = at[: at.index(CONTAINED) + 2]
        if fault.where in strange and fault.code in ("unknown_field", "duplicate_key"):
            above.add(at)
        else:
            bad.add(at)
        above |= {at[:end] for end in range(1, len(at))}
    return Aside(
        frozenset(bad), frozenset(above), frozenset((fault.where, *kind) for fault in faults for kind in _kinds(fault))
    )


def steps_of(where: str) -> Steps:
    """A FHIRPath taken apart, the type of a choice left out: `Task.input[0].value.ofType(code)` is told as `input[0].value`."""
    return tuple(_STEP.findall(_OF_TYPE.sub("", where)))


def _kinds(doubt: Fault | Issue) -> Iterator[tuple[str, str]]:
    """Its code, and which invariant it is: a profile may tell again one of R4's."""
    told = doubt.message if isinstance(doubt, Fault) else doubt.diagnostics
    if found := _KEY.search(told):
        yield "invariant", found[1]
    if not doubt.code.endswith("invariant"):
        yield doubt.code, ""


def _resource(value: Any, at: Steps, aside: Aside, contained: bool) -> Any:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in CARRIED or at in aside.bad or (*at, "resourceType") in aside.bad:
        return GONE
    left = {"resourceType": kind, **_object(value, kind, at, aside, contained)}
    return Left(left) if at in aside.above else left


def _object(value: Json, kind: str, at: Steps, aside: Aside, contained: bool) -> Json:
    kept: Json = {}
    parts = shape(kind).parts
    for name, inner in value.items():
        plain = name.removeprefix("_")
        part = parts.get(plain)
        here = (*at, (part.choice or plain) if part else "")
        if part is None or here in aside.bad:
            continue
        of = "Element" if part.kind else part.inner
        if isinstance(inner, list):
            told: Any = [_of_list(each, of, (*here, f"[{n}]"), aside, contained) for n, each in enumerate(inner)]
            if name == CONTAINED and GONE in told:
                told = [_nameless(each) if one is GONE else one for one, each in zip(told, inner, strict=True)]
                told = told if contained else GONE
        else:
            told = _part(inner, of, here, aside, contained)
        if told is not GONE:
            kept[name] = told
    return kept


def _of_list(value: Any, kind: str, at: Steps, aside: Aside, contained: bool) -> Any:
    """One of a list keeps its place, empty when it is at fault."""
    told = _part(value, kind, at, aside, contained)
    if told is not GONE or kind == ANY_RESOURCE:
        return told
    return None if kind == "Element" else {}


def _part(value: Any, kind: str, at: Steps, aside: Aside, contained: bool) -> Any:
    if at in aside.bad:
        return GONE
    if kind == ANY_RESOURCE:
        return _resource(value, at, aside, contained)
    return _object(value, kind, at, aside, contained) if isinstance(value, dict) else value


def _nameless(value: Any) -> Json:
    """Stands for a contained resource that is at fault: what leads to it leads to something nobody can judge."""
    id = value.get("id") if isinstance(value, dict) else None
    return {"resourceType": "", **({"id": id} if isinstance(id, str) else {})}
