"""Who is named in a bundle without being of the house, by the place of each entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.access.permissions import Kind
from app.exchange.resolution import Named
from app.fhir.verbs.transaction import OUTSIDE, Asked


@dataclass(slots=True)
class Parties:
    """`ids`: of the entries, here; `before`: what a reference leads to that is not in the bundle. Each entry is looked
    through once, however many lead to it, and gone through once for those that name the same.
    """

    asked: Asked
    ids: Mapping[int, UUID]
    before: Callable[[int, str], Named | None]
    _near: dict[int, tuple[set[int], set[UUID]]] = field(default_factory=dict)
    _all: dict[frozenset[int], set[UUID]] = field(default_factory=dict)

    def of(self, place: int) -> set[UUID]:
        """Who is named in an entry, and who is named by these: a role names its holder."""
        near, far = self._named(place)
        return far | self._and_named(frozenset(near))

    def _and_named(self, parties: frozenset[int]) -> set[UUID]:
        """These of the bundle, and all those they lead to."""
        if parties not in self._all:
            reached, todo = set(parties), [*parties]
            self._all[parties] = found = set()
            for at in todo:  # grows as it is gone through
                near, far = self._named(at)
                found |= {self.ids[at], *far}
                todo += near - reached
                reached |= near
        return self._all[parties]

    def _named(self, place: int) -> tuple[set[int], set[UUID]]:
        """By an entry itself: places in the bundle, and rows of earlier ones."""
        if place not in self._near:
            near, far = set[int](), set[UUID]()
            for reference, to in self.asked.leads(place):
                if to is not None and self.asked.entries[to].kind in OUTSIDE:
                    near.add(to)
                elif to is None and (named := self.before(place, reference.target)):
                    far |= {named.id} if named.kind == Kind.OUTSIDE_PARTY else set()
            self._near[place] = near, far
        return self._near[place]
