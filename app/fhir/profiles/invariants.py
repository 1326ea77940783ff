"""The invariants of a profile, in FHIRPath, each read once. One that this library can't follow judges nobody.

Sources: https://hl7.org/fhir/R4/conformance-rules.html#constraints, https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any

import fhirpathpy.engine
import fhirpathpy.engine.nodes
import fhirpathpy.engine.util
import fhirpathpy.parser

from app.fhir.outcomes import Severity
from app.fhir.profiles.values import Run

Json = dict[str, Any]
Codes = Callable[[str], Collection[tuple[str, str]] | None]
Told = tuple[Severity, str, str]
Test = Callable[[Any, Run], Iterator[Told]]
# Below `compile`, which knows neither `$this` nor the type of an element.
evaluated: Callable[..., Any] = fhirpathpy.engine.do_eval
node_of: Callable[[Any, str], Any] = fhirpathpy.engine.nodes.ResourceNode.create_node
value_of: Callable[[Any], Any] = fhirpathpy.engine.util.get_data
parsed: Callable[[str], Any] = fhirpathpy.parser.parse
functions: Callable[[Any], Any] = fhirpathpy.engine.util.process_user_invocation_table
NOT_JUDGED = ("conformsTo(", "htmlChecks(")
ELSEWHERE = ("%resource", "%rootResource", "%context")  # what may be malformed though the element is not
_PLACE: ContextVar[tuple[Run, Codes]] = ContextVar("place")


@cache
def r4() -> dict[str, Any]:
    """The types of R4's elements. Loaded once asked for, since the library reads those of four versions."""
    from fhirpathpy.models import models

    known: dict[str, Any] = models["r4"]
    return known


class NotHeld(Exception):
    """The expression asks for what we do not hold: a resource elsewhere, a value set."""


def invariants(rule: Json, codes: Codes) -> list[Test]:
    """Told in their publisher's own sentence."""
    return [
        _test(one, _type_of(str(rule.get("path", ""))), codes) for one in rule.get("constraint", ()) if _judged(one)
    ]


def _judged(one: Json) -> bool:
    said = one.get("expression", "")
    return bool(said) and not any(word in said for word in NOT_JUDGED)


def _test(one: Json, kind: str, codes: Codes) -> Test:
    severity: Severity = "warning" if one.get("severity") == "warning" else "error"
    told = f"{one.get('human') or 'Une règle de ce profil n’est pas suivie.'} ({one.get('key', '?')})"

    far = any(name in one["expression"] for name in ELSEWHERE)

    def test(value: Any, run: Run) -> Iterator[Told]:
        if far and run.partial:
            return
        if _holds(one["expression"], value, kind, run, codes) is False:
            yield severity, "profile.invariant", told

    return test


def _holds(expression: str, value: Any, kind: str, run: Run, codes: Codes) -> bool | None:
    node = value if isinstance(value, dict) and "resourceType" in value else node_of(value, kind)
    said = {"context": node, "resource": run.root, "rootResource": run.root, "ucum": "http://unitsofmeasure.org"}
    asked = {"dataRoot": [node], "vars": said, "model": r4(), "userInvocationTable": OURS, "$this": node}
    place = _PLACE.set((run, codes))
    try:
        answer = evaluated(asked, [node], _read(expression))
        return [value_of(each) for each in answer] == [True]
    except Exception:  # noqa: BLE001  whatever it could not read, or could not find, is nobody's fault
        return None
    finally:
        _PLACE.reset(place)


@lru_cache(maxsize=2_000)
def _read(expression: str) -> Any:
    return parsed(expression)["children"][0]


@lru_cache(maxsize=2_000)
def _type_of(path: str) -> str:
    """The type R4 gives to an element, or the path itself for what has no name of its own (`Patient.contact`)."""
    at, *steps = path.split(".")
    for step in steps:
        below = f"{at}.{step.removesuffix('[x]')}"
        named = r4()["path2Type"].get(below, "")
        at = below if named in ("", "BackboneElement", "Element") else named
    return at


def _resolve(inputs: list[Any]) -> list[Any]:
    run, _ = _PLACE.get()
    found = [run.resolve(each) for each in inputs]
    if None in found:
        raise NotHeld
    return [node_of(each, each["resourceType"]) for each in found if each]


def _member_of(inputs: list[Any], value_set: str) -> list[Any]:
    _, codes = _PLACE.get()
    known = codes(value_set)
    if known is None:
        raise NotHeld
    return [all(is_among(each, known) for each in inputs)] if inputs else []


def is_among(value: Any, known: Collection[tuple[str, str]]) -> bool:
    """Is this code, Coding or CodeableConcept of these (system, code)?"""
    if isinstance(value, str):
        return any(code == value for _, code in known)
    codings = value.get("coding", [value]) if isinstance(value, dict) else []
    return any((c.get("system", ""), c.get("code", "")) in known for c in codings)


OURS = functions(
    {"resolve": {"fn": _resolve, "arity": {0: []}}, "memberOf": {"fn": _member_of, "arity": {1: ["String"]}}}
)
