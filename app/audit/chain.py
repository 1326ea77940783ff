"""The chain of one organisation, checked as it is told: link, its lines, the next link. From the base or from a file alike.

What this finds and does not is said in SECURITY.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.audit.lines import GENESIS, header, line_hash

GAP = "un maillon manque"
START = "le maillon ne commence pas où finit le précédent"
COUNT = "des lignes ont été retirées ou ajoutées"
CHANGED = "une ligne ou le maillon a été modifié"
ASIDE = "des lignes sont derrière un sceau, dans aucun maillon"
REWRITTEN = "ce n'est plus le maillon dont la tête a été publiée : la chaîne a été refaite"
CUT = "la fin de la chaîne manque : une tête publiée était plus loin"
LOST = "une tête publiée avant la restauration n'est plus là : ce qui suivait la sauvegarde a été perdu"
BACK = timedelta(hours=1)  # no transaction of ours lasts so long: an older line means that the clock went back


@dataclass(frozen=True, slots=True)
class Head:
    """A link as it was when its hash was published."""

    epoch: int
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one organisation's chain says. `broken` is the number of the first link that no longer holds, and counts
    stop there; `clock` that of the first whose lines are older than those sealed before; `heads`: how many were met.
    """

    organisation_id: UUID
    links: int
    lines: int
    unsealed: int
    broken: int | None
    why: str | None
    head: bytes
    clock: int | None = None
    heads: int = 0


@dataclass(slots=True)
class Chain:
    """Told link by link, each followed by its lines in the order of their seal; lines of no link where they fall."""

    organisation_id: UUID
    epoch: int  # the one the base lives in: no line can be of a later one
    heads: Mapping[int, Head] = field(default_factory=dict)
    _links: int = 0
    _lines: int = 0
    _met: int = 0
    _aside: int = 0  # lines of no link, since the last one
    _slipped: bool = False  # one of them can be in no link to come
    _broken: int | None = None
    _why: str | None = None
    _head: bytes = GENESIS
    _clock: int | None = None
    _latest: datetime | None = None
    _open: Mapping[str, Any] | None = None
    _held: int = 0
    _hash: Any = None

    @property
    def broken(self) -> bool:
        return self._broken is not None

    def link(self, link: Mapping[str, Any]) -> None:
        before = self._open
        self._close()
        if self.broken:
            return
        self._links += 1
        start = before["to_xid"] if before is not None and before["epoch"] == link["epoch"] else 0
        if link["number"] != self._links:
            self._break(self._links, GAP)
        elif link["from_xid"] != start:
            self._break(link["number"], START)
        elif self._aside:
            self._break(link["number"], ASIDE)
        named = header(link["number"], link["cluster"], link["epoch"], link["from_xid"], link["to_xid"])
        self._open, self._held, self._hash = link, 0, sha256(self._head + named.encode())

    def line(self, line: Mapping[str, Any]) -> None:
        if self.broken:
            return
        if not self._covers(line):
            self._aside += 1
            self._slipped = self._slipped or not self._may_wait(line)
            return
        self._hash.update(line_hash(line))
        self._held += 1
        at = _moment(line["at"])
        if self._latest and at < self._latest - BACK and self._clock is None and self._open:
            self._clock = self._open["number"]
        self._latest = max(self._latest or at, at)

    def verdict(self) -> Verdict:
        """Once all is told."""
        last = self._open
        self._close()
        beyond = [head for number, head in self.heads.items() if number > self._links]
        if beyond and not self.broken:
            lost = last is not None and all(head.epoch < last["epoch"] for head in beyond)
            self._break(self._links + 1, LOST if lost else CUT)
        if self._slipped and not self.broken:
            self._break(self._links, ASIDE)
        waiting = 0 if self.broken else self._aside
        return Verdict(
            self.organisation_id, self._links, self._lines, waiting, self._broken, self._why, self._head, self._clock,
            self._met,
        )  # fmt: skip

    def _covers(self, line: Mapping[str, Any]) -> bool:
        link = self._open
        if link is None or line["epoch"] != link["epoch"]:
            return False
        return bool(link["from_xid"] <= int(line["xid"]) < link["to_xid"])

    def _may_wait(self, line: Mapping[str, Any]) -> bool:
        """A link to come may still cover it."""
        behind = self._open is not None and (line["epoch"], int(line["xid"])) < (
            self._open["epoch"],
            self._open["to_xid"],
        )
        return not behind and line["epoch"] <= self.epoch

    def _close(self) -> None:
        """Judge the link whose lines were just told."""
        link, self._open = self._open, None
        if link is None or self.broken:
            return
        if self._held != link["entries"]:
            self._break(link["number"], COUNT)
        elif self._hash.digest() != link["hash"]:
            self._break(link["number"], CHANGED)
        elif (head := self.heads.get(link["number"])) and head.hash != link["hash"]:
            self._break(link["number"], LOST if head.epoch < link["epoch"] else REWRITTEN)
        else:
            self._met += link["number"] in self.heads
            self._head, self._lines = link["hash"], self._lines + self._held

    def _break(self, number: int, why: str) -> None:
        self._broken, self._why = number, why


def _moment(at: datetime | str) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
