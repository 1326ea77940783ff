"""What comes along with the rows found: those they lead to (`_include`), and those that lead to them (`_revinclude`).

`Type:parameter[:Target]`, `Type:*` or `*`; `:iterate` follows the rows that came along too, a few rounds.
Source: https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from app.fhir.search.chains import Map, references
from app.fhir.search.criteria import Reference
from app.fhir.search.values import BadValue

INCLUDE, REVINCLUDE, ITERATE = "_include", "_revinclude", "iterate"
NAMES = (INCLUDE, REVINCLUDE)
ROUNDS_MOST = 3
LEAST_SAID = "écrivez Type:paramètre, comme"


class Maps(Protocol):
    @property
    def types(self) -> tuple[str, ...]: ...
    def own(self, type_name: str) -> Iterable[Any]: ...


@dataclass(frozen=True, eq=False)
class Link:
    """A reference parameter of a map, followed to its target or, `back`, from it."""

    source: Map
    name: str
    by: Reference
    back: bool
    iterate: bool
    wild: bool = False

    @property
    def brings(self) -> str:
        """The type that comes along."""
        return self.source.type_name if self.back else self.by.target

    @property
    def parameter(self) -> str:
        return REVINCLUDE if self.back else INCLUDE


def read(maps: Maps, types: Collection[str], name: str, modifier: str, text: str) -> list[Link]:
    """The links that one parameter follows, in the order of the maps; `types` are those searched. Raises BadValue, saying
    what may be followed."""
    if modifier not in ("", ITERATE):
        raise BadValue(f"le seul modificateur servi ici est :{ITERATE}")
    back, again = name == REVINCLUDE, modifier == ITERATE
    if text == "*":
        asked, parameter, target = maps.types if back else types, "*", ""
    else:
        kind, _, rest = text.partition(":")
        parameter, _, target = rest.partition(":")
        asked = (kind,)
    known = [link for kind in asked for link in _of(maps, kind, back, again)]
    if not again:
        known = [link for link in known if (link.by.target if back else link.source.type_name) in types]
    elif text == "*" and back:
        known = [link for link in known if link.by.target in types]
    found = [link for link in known if parameter in ("*", link.name) and target in ("", link.by.target)]
    if not found and text != "*":
        raise BadValue(_instead(maps, types, back, text))
    if parameter != "*":
        return found
    return [Link(each.source, each.name, each.by, back, again, wild=True) for each in found]


def _of(maps: Maps, type_name: str, back: bool, again: bool) -> list[Link]:
    own = ((each, references(each.criteria)) for each in maps.own(type_name))
    return [Link(each, name, by, back, again) for each, led in own for name, ways in led.items() for by in ways]


def served(maps: Maps, type_name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `_include` and `_revinclude` take for this type."""
    ahead = {f"{type_name}:{link.name}" for link in _of(maps, type_name, False, False)}
    behind = {
        f"{link.source.type_name}:{link.name}"
        for each in maps.types
        for link in _of(maps, each, True, False)
        if link.by.target == type_name
    }
    return tuple(sorted(ahead)), tuple(sorted(behind))


def _instead(maps: Maps, types: Iterable[str], back: bool, text: str) -> str:
    """Of our own words, the nearest."""
    known = [one for each in types for one in served(maps, each)[back]]
    near = next(iter(get_close_matches(text[:64], known, 1, 0.0)), "")
    return f"{LEAST_SAID} {near}" if near else "rien de tel ne peut venir avec ce que vous cherchez"


def distinct(links: Iterable[Link]) -> tuple[Link, ...]:
    """Each once, however many times it was asked for; what goes on iterating wins."""
    found: dict[tuple[int, str, str, bool], Link] = {}
    for link in links:
        key = (id(link.source), link.name, link.by.target, link.back)
        if key not in found or (link.iterate and not found[key].iterate):
            found[key] = link
    return tuple(found.values())


def of_round(links: Sequence[Link], number: int) -> tuple[Link, ...]:
    """The first round follows the rows found, by every link; the next ones what came along, by those that iterate."""
    return tuple(link for link in links if not number or link.iterate)
