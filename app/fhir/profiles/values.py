"""The values of a resource as a profile walks them: picked by their element, followed by a path, by a reference."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.fhir.outcomes import Issue
from app.fhir.remains import Left, whole

Json = dict[str, Any]
Leads = Callable[[str], Json | None]  # what a reference was written as → the resource it leads to, when we hold it
Step = tuple[str, str]
_STEP = re.compile(r"(resolve)\(\)|(ofType)\(([A-Za-z]+)\)|(extension)\(['\"]([^'\"]+)['\"]\)|([A-Za-z]+)(?:\[x\])?")


class At(NamedTuple):
    """Where a value stands: spelled only when something is wrong there."""

    holder: "At | None"
    step: str

    def __str__(self) -> str:
        return self.step if self.holder is None else f"{self.holder}.{self.step}"


@dataclass(frozen=True, slots=True)
class Value:
    """`path` from its holder, `beside` what stands beside a primitive, `key` its name in JSON."""

    path: str
    value: Any
    beside: Any = None
    key: str = ""

    @property
    def whole(self) -> Json:
        return self.value if isinstance(self.value, dict) else (self.beside if isinstance(self.beside, dict) else {})


@dataclass(slots=True)
class Run:
    """One resource judged: what was found of it, and where its references lead. `deep`: profiles tried on the way."""

    root: Json
    leads: Leads
    found: list[Issue] = field(default_factory=list)
    deep: int = 0

    @property
    def partial(self) -> bool:
        """Some of the resource was not R4, and is not here."""
        return isinstance(self.root, Left)

    def resolve(self, reference: Any) -> Json | None:
        target = reference.get("reference") if isinstance(reference, dict) else reference
        if not isinstance(target, str):
            return None
        if not target.startswith("#"):
            return self.leads(target)
        inside = (one for one in self.root.get("contained", ()) if f"#{one.get('id', '')}" == target)
        return whole(next(inside, {}))


def nowhere(target: str) -> None:
    """No reference leads anywhere."""


Picker = Callable[[Json], list[Value]]
NONE: list[Value] = []


def picker(name: str) -> Picker:
    """The values of an element in its holder; of `value[x]`, whatever its type."""
    stem, beside = name.removesuffix("[x]"), f"_{name}"

    def plain(holder: Json) -> list[Value]:
        if name not in holder and beside not in holder:
            return NONE
        return _spread(holder.get(name), holder.get(beside), name, name)

    def choice(holder: Json) -> list[Value]:
        for key in holder:
            bare = key.removeprefix("_")
            if bare.startswith(stem) and (bare == stem or bare[len(stem)].isupper()):
                return _spread(holder.get(bare), holder.get(f"_{bare}"), bare, stem)
        return NONE

    return choice if name.endswith("[x]") else plain


def _spread(value: Any, beside: Any, key: str, stem: str) -> list[Value]:
    if not (isinstance(value, list) or isinstance(beside, list)):
        return [Value(stem, value, beside, key)]
    many, besides = value or [None] * len(beside or ()), beside or ()
    return [Value(f"{stem}[{n}]", one, besides[n] if n < len(besides) else None, key) for n, one in enumerate(many)]


def steps_of(path: str) -> list[Step] | None:
    """A discriminator's path taken apart; None when it says more than R4 lets it."""
    steps: list[Step] = []
    rest = path.removeprefix("$this").removeprefix(".")
    while rest:
        found = _STEP.match(rest)
        if found is None:
            return None
        resolve, of_type, kind, extension, url, name = found.groups()
        steps.append((resolve or of_type or extension or "", kind or url or name or ""))
        rest = rest[found.end() :]
        if rest and not rest.startswith("."):
            return None
        rest = rest.removeprefix(".")
    return steps


Reach = Callable[[Value, Run], list[Value] | None]


def reach(steps: list[Step]) -> Reach:
    """What a path leads to from a value; None when it goes through a resource that we do not hold."""
    stages = [_stage(how, what) for how, what in steps]

    def reached(value: Value, run: Run) -> list[Value] | None:
        lot = [value]
        for stage in stages:
            found: list[Value] = []
            for each in lot:
                more = stage(each, run)
                if more is None:
                    return None
                found += more
            lot = found
        return lot

    return reached


def _stage(how: str, what: str) -> Reach:
    if how == "resolve":
        return _resolved
    if how == "ofType":
        return lambda value, run: [value] if kind_of(value) in (what, what[:1].upper() + what[1:]) else []
    if how == "extension":
        extensions = picker("extension")
        return lambda value, run: [v for v in extensions(value.whole) if v.whole.get("url") == what]
    plain, choice = picker(what), picker(f"{what}[x]")
    return lambda value, run: plain(value.whole) or choice(value.whole)


def _resolved(value: Value, run: Run) -> list[Value] | None:
    resource = run.resolve(value.value)
    return None if resource is None else [Value(value.path, resource)]


def kind_of(value: Value) -> str:
    """Its type, when JSON says it: a resource's, or that which ends the name of a choice, its first letter a capital."""
    if "resourceType" in value.whole:
        return str(value.whole["resourceType"])
    stem = value.path.partition("[")[0]
    return value.key[len(stem) :] if value.key.startswith(stem) else ""
