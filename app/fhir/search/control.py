"""The parameters that shape an answer, not what it holds: how many rows, in what order, with which total.

Source: https://hl7.org/fhir/R4/search.html#return
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeVar

from app.fhir.search.names import near
from app.fhir.search.values import BadValue
from app.kernel.errors import Fault

COUNT, SORT, TOTAL, TYPE, EXPLAIN, FORMAT = "_count", "_sort", "_total", "_type", "_explain", "_format"
USUAL = (COUNT, FORMAT)
OF_A_SEARCH = (*USUAL, SORT, TOTAL)
OF_SEVERAL = (*OF_A_SEARCH, TYPE)
TOTALS = ("none", "estimate", "accurate")
KEYS_MOST = 3  # of a sort
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """`_sort=-date` → date, falling."""

    name: str
    rising: bool


@dataclass(frozen=True, slots=True)
class Control:
    """`count` is what was asked, before the cap; `total` is empty when nothing was said of it."""

    count: int | None = None
    sort: tuple[Key, ...] = ()
    total: str = ""
    explain: bool = False


NOTHING_SAID = Control()


@dataclass(slots=True)
class Shaping:
    """Takes the parameters it knows, one by one: `names` are those of this search, `sorts` what it may be sorted by."""

    names: Collection[str] = USUAL
    sorts: Collection[str] = ()
    _said: dict[str, str] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)

    def takes(self, name: str, text: str) -> bool:
        if name not in self.names:
            return False
        if name in self._said and name != FORMAT:
            self._faults.append(_fault(name, "une seule fois est attendue"))
        self._said.setdefault(name, text)
        return True

    def read(self) -> tuple[Control, list[Fault]]:
        control = Control(
            self._of(COUNT, _count, None),
            self._of(SORT, self._sort, ()),
            self._of(TOTAL, _total, ""),
            self._of(EXPLAIN, _yes, False),
        )
        return control, self._faults

    def _of(self, name: str, read: Callable[[str], T], otherwise: T) -> T:
        if name not in self._said:
            return otherwise
        try:
            return read(self._said[name])
        except BadValue as bad:
            self._faults.append(_fault(name, str(bad)))
            return otherwise

    def _sort(self, text: str) -> tuple[Key, ...]:
        keys = tuple(Key(piece.removeprefix("-"), not piece.startswith("-")) for piece in text.split(","))
        if len(keys) > KEYS_MOST:
            raise BadValue(f"{KEYS_MOST} clés au plus")
        if len({key.name for key in keys}) < len(keys):
            raise BadValue("une même clé ne se dit qu'une fois")
        for key in keys:
            if key.name not in self.sorts:
                raise BadValue(f"cette recherche ne se trie pas ainsi. {self._keys(key.name)}")
        return keys

    def _keys(self, name: str) -> str:
        close = near(name, self.sorts)
        return f"La clé la plus proche : {close}" if close else f"Ses clés sont {', '.join(sorted(self.sorts))}"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadValue("un nombre entier est attendu, 0 pour le seul total")
    return int(text)


def _total(text: str) -> str:
    if text not in TOTALS:
        raise BadValue("none, estimate ou accurate est attendu")
    return text


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadValue("true ou false est attendu")
    return text == "true"


def _fault(name: str, sentence: str) -> Fault:
    return Fault(name, "bad_parameter", f"{name} : {sentence}.")
