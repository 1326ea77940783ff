"""What a rule of R4 is here: its key, where it stands, its FHIRPath as R4 writes it, and the same said in Python.

FHIRPath costs milliseconds a resource, these microseconds; a test holds the one against the other.
Source: https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
AHEAD, BEHIND = timedelta(hours=14), timedelta(hours=12)  # the clocks furthest from UTC


@dataclass(frozen=True, slots=True)
class Rule:
    """`on`: R4's path of what it is asked of; `holds` gets that object, with whatever is in it. `places` says where below
    it is broken, when that is nearer than `at`.
    """

    key: str
    on: str
    expression: str
    sentence: str
    holds: Callable[[Json], bool] | None = None
    places: Callable[[Json], Iterable[str]] | None = None
    at: str = ""
    code: str = "invariant"
    needs: str = ""  # the element without which nothing is asked

    @property
    def told(self) -> str:
        return f"{self.sentence.removesuffix('.')} ({self.key})."


def has(value: Json, *names: str) -> bool:
    """One of these elements is there, be it by its extensions alone."""
    for name in names:
        if name in value or f"_{name}" in value:
            return True
    return False


def chosen(value: Json, stem: str) -> bool:
    """`value[x]` is there."""
    end = len(stem)
    return any(name.startswith(stem) and name[end : end + 1].isupper() for name in (n.removeprefix("_") for n in value))


def coded(value: Json, name: str, system: str, *codes: str) -> bool:
    concept = value.get(name, {})
    return any(one.get("system") == system and one.get("code") in codes for one in concept.get("coding", ()))


def after(one: Any, other: Any) -> bool:
    """The first of two dates is wholly after the second, wherever a day without an hour is lived. `2026-05-02T10:00` is not
    after `2026-05-02`.
    """
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    if len(one) > 10 and len(other) > 10:
        return datetime.fromisoformat(one) > datetime.fromisoformat(other)
    day = _day(one, -BEHIND) if len(one) > 10 else one
    its = _day(other, AHEAD) if len(other) > 10 else other
    shortest = min(len(day), len(its))
    return day[:shortest] > its[:shortest]


def _day(told: str, apart: timedelta) -> str:
    """The day it was where clocks are that far from UTC."""
    try:
        return (datetime.fromisoformat(told).astimezone(UTC) + apart).date().isoformat()
    except OverflowError:
        return told[:10]


def below(value: Json) -> Iterable[Json]:
    """The objects inside, at every level, and this one first."""
    todo: list[Any] = [value]
    for each in todo:
        if isinstance(each, dict):
            yield each
            todo.extend(inner for inner in each.values() if isinstance(inner, dict | list))
        else:
            todo.extend(inner for inner in each if isinstance(inner, dict | list))
