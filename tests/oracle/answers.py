"""How a FHIR address is asked, and which ids its answers tell."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson

from tests.oracle.paths import GUARD, Ids
from tests.oracle.truth import Who
from tests.oracle.worlds import Drawn

PAGE = 40
Ask = Callable[[Drawn, Who], Ids]


def entries(place: str, mode: str | None = None, page: int = PAGE, but: tuple[str, ...] = ()) -> Ask:
    """The ids of every entry, page after page, of this mode, `but` those of some types; what is out of reach is told as
    absent.
    """
    first = f"{place}{'&' if '?' in place else '?'}_count={page}" if page else place

    def ask(world: Drawn, who: Who) -> Ids:
        return followed(world, who, world.cast.world.get(who.name, first), place, mode, but)

    return ask


def followed(
    world: Drawn, who: Who, answer: Any, place: str, mode: str | None = None, but: tuple[str, ...] = ()
) -> Ids:
    """What this page tells, and those after it."""
    found: set[UUID] = set()
    for _ in range(GUARD):
        if answer.status_code == 404:
            return found
        assert answer.status_code == 200, f"{place}: {answer.status_code}"
        said = answer.json()
        told = [one for one in said.get("entry", ()) if mode is None or one["search"]["mode"] == mode]
        ids = [id for one in told for id in _id_of(one, but)]
        once = "/_history" in place or (len(ids) == len({*ids}) and found.isdisjoint(ids)) or "clude=" in place
        assert once, f"{place} gives a row twice"
        found.update(ids)
        url = next((link["url"] for link in said.get("link", ()) if link["relation"] == "next"), None)
        if url is None:
            return found
        answer = world.cast.world.get(who.name, url)
    raise AssertionError(f"{place} has no end")


def _id_of(entry: dict[str, Any], but: tuple[str, ...]) -> Iterator[UUID]:
    """A deletion has no resource; what is said of the search itself has no address."""
    if "fullUrl" in entry:
        kind, id = entry["fullUrl"].rsplit("/", 2)[1:]
        if kind not in but:
            yield UUID(id)


def counted(place: str, how: str = "_count=0") -> Ask:
    """How many, as so many ids."""

    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.get(who.name, f"{place}{'&' if '?' in place else '?'}{how}")
        assert answer.status_code == 200, f"{place}: {answer.status_code}"
        return {UUID(int=n) for n in range(answer.json()["total"])}

    return ask


def numbers(ids: Ids) -> Ids:
    return {UUID(int=n) for n in range(len(ids))}


def at(place: str, id: UUID) -> Ask:
    def ask(world: Drawn, who: Who) -> Ids:
        status = world.cast.world.get(who.name, place).status_code
        assert status in (200, 404, 410), f"{place}: {status}"
        return {id} if status in (200, 410) else set()

    return ask


def texts(world: Drawn, who: Who, place: str) -> Iterator[str]:
    """An answer as it is told, and the pages after it; what is out of reach is told as absent."""
    for _ in range(GUARD):
        answer = world.cast.world.get(who.name, place)
        assert answer.status_code in (200, 404, 410), f"{place}: {answer.status_code}"
        yield answer.text
        said = answer.json()
        links = said.get("link", ()) if said["resourceType"] == "Bundle" else ()
        place = next((link["url"] for link in links if link["relation"] == "next"), "")
        if not place:
            return
    raise AssertionError(f"{place} has no end")


def resources(world: Drawn, who: Who, place: str) -> Iterator[dict[str, Any]]:
    """What these tell, one by one."""
    for text in texts(world, who, place):
        said = orjson.loads(text)
        within = said.get("entry", ()) if said["resourceType"] == "Bundle" else ({"resource": said},)
        yield from (one["resource"] for one in within if "id" in one.get("resource", {}))
