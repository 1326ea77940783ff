"""The resources of a bundle said by our ids: for the maps, and beside, for their sender."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.exchange.persons import PERSON
from app.exchange.resolution import Named
from app.exchange.targets import Target
from app.fhir import references
from app.fhir.mapping import Json
from app.fhir.reading import Entry
from app.fhir.verbs.transaction import Asked


@dataclass(frozen=True, slots=True)
class Ours:
    """`names`: what each entry, or what `standing` stands in its place, is called here; `usagers`: whom each is about;
    `before`: what a reference of an entry led to in an earlier bundle, of the same person.
    """

    asked: Asked
    names: Mapping[int, str]
    standing: Mapping[int, Target]
    usagers: Mapping[int, UUID]
    before: Callable[[int, str], Named | None]

    def rewritten(self, entry: Entry) -> tuple[Json, dict[str, UUID]]:
        """The resource with our ids, and the references that lead to a row of the same person, or to nobody's.

        An address that named an earlier person's row, used again in passing, leads nowhere: no dossier joins another.
        """
        local: dict[str, UUID] = {}

        def rename(target: str) -> str | None:
            if (led := self._lead(entry.at, target)) is None:
                return None
            new, whose, ours = led
            if ours and whose in (None, self.usagers.get(entry.at)):
                kind, _, id = new.partition("/")
                local[new] = whose if whose and kind == PERSON else UUID(id)
            return new + "".join(target.partition("#")[1:])

        return references.rewritten(entry.resource, rename), local

    def as_told(self, entry: Entry) -> Json | None:
        """The same, for its sender: what leads to a version leads to it where it is. Our maps know rows alone, and the
        numbers of another server's versions say nothing to anyone else. None when no reference is to a version, but of
        a person: whose a resource is, is told by their id alone.
        """
        if not any("/_history/" in one.target for one, _ in self.asked.leads(entry.at)):
            return None
        base = entry.full_url.rpartition(f"{entry.kind}/")[0]

        def rename(target: str) -> str | None:
            if (led := self._lead(entry.at, target)) is None:
                return None
            told = references.literal(target)
            to = led[0] if told and told.kind == PERSON else references.of_version(told, base, led[0])
            return to + "".join(target.partition("#")[1:])

        return references.rewritten(entry.resource, rename)

    def _lead(self, place: int, target: str) -> tuple[str, UUID | None, bool] | None:
        """What a reference leads to by our ids, of whose dossier, and whether it may be said to be; None: nowhere."""
        to = self.asked.links.lead(target, place)
        before = None if to is not None else self.before(place, target)
        if to is not None and to in self.names:
            stands = self.standing.get(to)
            return self.names[to], self.usagers.get(to), stands is None or stands.mine
        if before:
            told = references.literal(target)
            return f"{told.kind if told else target.partition('?')[0]}/{before.id}", before.usager_id, True
        return None
