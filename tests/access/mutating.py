"""A function of the policy written otherwise, for the time of a test: what a slip of the pen would have made of it."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import dedent
from types import ModuleType
from typing import Any

from tests.access.forgetting import forget


@dataclass(frozen=True)
class Mutant:
    """In this function of `app.access`, `now` in the place of `was`."""

    module: str
    function: str
    was: str
    now: str = ""

    def __str__(self) -> str:
        return f"{self.module}.{self.function}: {self.was} -> {self.now or 'nothing'}"


@contextmanager
def mutated(mutant: Mutant) -> Iterator[None]:
    """Everywhere in `app.access`; a mutant whose words are no longer there is told, not passed over."""
    module = sys.modules[f"app.access.{mutant.module}"]
    original = getattr(module, mutant.function)
    source = inspect.getsource(inspect.unwrap(original))
    if source.count(mutant.was) != 1:
        raise LookupError(f"{mutant}: these words stand there {source.count(mutant.was)} times.")
    made = compile(source.replace(mutant.was, mutant.now), f"<{mutant}>", "exec")
    held = list(_holding(original))
    exec(made, vars(module))  # noqa: S102  our own source, one word changed
    with standing_for(original, vars(module)[mutant.function], held):
        yield


@contextmanager
def rewritten(place: str, function: str, was: str, now: str) -> Iterator[None]:
    """The same in any room, by its whole name, of a method too (`Criterion.where`)."""
    module = sys.modules[place]
    of, _, name = function.rpartition(".")
    owner = getattr(module, of) if of else module
    original = getattr(owner, name)
    source = dedent(inspect.getsource(inspect.unwrap(original)))
    if source.count(was) != 1:
        raise LookupError(f"{place}.{function}: {was} stands there {source.count(was)} times.")
    made: dict[str, Any] = {}
    exec(compile(source.replace(was, now), f"<{function}>", "exec"), vars(module), made)  # noqa: S102  as above
    if owner is module:
        with standing_for(original, made[name]):
            forget("app.fhir")
            yield
    else:
        setattr(owner, name, made[name])
        forget("app.fhir")
        try:
            yield
        finally:
            setattr(owner, name, original)
    forget("app.fhir")


@contextmanager
def standing_for(original: object, other: object, held: "list[tuple[ModuleType, str]] | None" = None) -> Iterator[None]:
    """`other` wherever the application holds `original`, and every statement written again."""
    held = list(_holding(original)) if held is None else held
    for module, name in held:
        setattr(module, name, other)
    forget()
    try:
        yield
    finally:
        for module, name in held:
            setattr(module, name, original)
        forget()


def _holding(thing: object) -> Iterator[tuple[ModuleType, str]]:
    for name, module in list(sys.modules.items()):
        if name.startswith("app."):
            for of, value in list(vars(module).items()):
                if value is thing:
                    yield module, of
