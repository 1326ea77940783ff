"""The ways by which a row is reached through another: chains, `_has`, what comes along; and through its past or its whole.

What links two rows is said here again, by the columns, so that the oracle owes nothing to what the product declares.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.oracle.facts import Line
from tests.oracle.paths import FHIR, GUARD, NOT_SEARCHED, Ids, Path, both, has, rows_of
from tests.oracle.truth import Truth, Who
from tests.oracle.worlds import Drawn

ALWAYS = "_lastUpdated=gt2000"  # true of every row: what closes a chain is who may read the other row
PAGE = 40


@dataclass(frozen=True)
class Link:
    """A parameter of a type, by the column that holds it in each kind; and the kinds it leads to."""

    type_name: str
    parameter: str
    target: str
    columns: dict[str, str]

    def __str__(self) -> str:
        return f"{self.type_name}:{self.parameter}"

    def pairs(self, truth: Truth) -> Iterator[tuple[Line, Line]]:
        """Each row with the one it leads to, when both may be read."""
        there = {row["id"]: row for kind in FHIR[self.target] for row in truth.open(kind)}
        for kind, column in self.columns.items():
            for row in truth.open(kind):
                if other := there.get(row[column]):
                    yield row, other


LINKS = (
    Link("Task", "based-on", "CarePlan", dict.fromkeys(("action", "service", "means", "review"), "project_id")),
    Link("Task", "part-of", "Task", {"service": "action_id", "means": "action_id"}),
    Link("Task", "encounter", "Encounter", {"transport": "event_id"}),
    Link("ServiceRequest", "based-on", "CarePlan", {"need": "project_id"}),
    Link("CarePlan", "replaces", "CarePlan", {"project": "replaces_id"}),
    *(
        Link(name, "patient", "Patient", dict.fromkeys(kinds, "usager_id"))
        for name, kinds in FHIR.items()
        if name not in NOT_SEARCHED
    ),
)


def joined(world: Drawn, who: Who) -> Iterator[Path]:
    for link in LINKS:
        yield from _through(link)
    yield from _twice()
    yield from _whole(world, who)


def _through(link: Link) -> Iterator[Path]:
    here, there = f"/fhir/{link.type_name}", f"/fhir/{link.target}"

    def led(truth: Truth) -> Ids:
        return {row["id"] for row, _ in link.pairs(truth)}

    def leading(truth: Truth) -> Ids:
        return {other["id"] for _, other in link.pairs(truth)}

    own, theirs = (both(*(rows_of(kind) for kind in FHIR[name])) for name in (link.type_name, link.target))
    named = f":{link.target}" if link.parameter != "patient" else ""
    yield Path(f"chain {link}", entries(f"{here}?{link.parameter}{named}.{ALWAYS}", "match"), led)
    yield Path(f"has {link}", entries(f"{there}?_has:{link.type_name}:{link.parameter}:{ALWAYS}", "match"), leading)
    # What came from a partner may tell less than its columns: then nothing comes along.
    yield Path(f"include {link}", entries(f"{here}?_include={link}"), lambda t: own(t) | leading(t), whole=False)
    yield Path(f"revinclude {link}", entries(f"{there}?_revinclude={link}"), lambda t: theirs(t) | led(t), whole=False)
    yield Path(f"chain counted {link}", counted(f"{here}?{link.parameter}.{ALWAYS}"), lambda t: _numbers(led(t)))


def _twice() -> Iterator[Path]:
    """Two hops: of each, the row in the middle counts as much as the one at the end."""
    part, based = LINKS[1], LINKS[0]

    def through(truth: Truth) -> Ids:
        middle = {row["id"] for row, _ in based.pairs(truth)}
        return {row["id"] for row, other in part.pairs(truth) if other["id"] in middle}

    def back(truth: Truth) -> Ids:
        middle = {other["id"] for _, other in part.pairs(truth)}
        return {other["id"] for row, other in based.pairs(truth) if row["id"] in middle}

    yield Path("chain twice", entries(f"/fhir/Task?part-of.based-on.{ALWAYS}", "match"), through)
    yield Path("has twice", entries(f"/fhir/CarePlan?_has:Task:based-on:_has:Task:part-of:{ALWAYS}", "match"), back)
    iterate = "/fhir/Task?part-of:missing=false&_include=Task:part-of&_include:iterate=Task:based-on"
    yield Path("include twice", entries(iterate), _iterated, whole=False)


def _iterated(truth: Truth) -> Ids:
    """What is part of an action, this action, and the projects of all of them."""
    first = {r["id"]: r for kind in ("service", "means") for r in truth.open(kind) if r["action_id"] is not None}
    actions = {other["id"]: other for _, other in LINKS[1].pairs(truth)}
    projects = {r["id"] for r in truth.open("project")}
    led = {row["project_id"] for row in (*first.values(), *actions.values())} & projects
    return {*first, *actions, *led}


# A dossier whole, its past, what leaves of it


def _whole(world: Drawn, who: Who) -> Iterator[Path]:
    kinds = [kind for kinds in FHIR.values() for kind in kinds]
    for name, of_type in FHIR.items():
        right = both(*(_told_once(kind) for kind in of_type))
        yield Path(f"history {name}", entries(f"/fhir/{name}/_history"), right)
    for person in world.persons[:4]:
        mine = has(usager_id=person.id)
        everything = both(*(rows_of(kind, mine) for kind in (*kinds, "kept_resource")))
        yield Path("everything", entries(f"/fhir/Patient/{person.id}/$everything"), everything)
        if not who.staff:
            yield Path("export", entries(f"/fhir/Patient/{person.id}/$tddui-export", page=0), everything, whole=False)
    for type_name, of_type in FHIR.items():
        for kind in of_type:
            rows = world.facts.rows[kind]
            for row in rows[:: max(1, len(rows) // 3)]:
                right = _told_once(kind, has(id=row["id"]))
                place = f"/fhir/{type_name}/{row['id']}/_history"
                yield Path("vread", _at(f"{place}/{row['version']}", row["id"]), right)
                yield Path("history of one", entries(place), right)


def _told_once(kind: str, *where: Callable[[Line], bool]) -> Callable[[Truth], Ids]:
    """A row deleted since is part of the past that its readers may read."""

    def right(truth: Truth) -> Ids:
        rows = [row for row in truth.facts.rows[kind] if all(one(row) for one in where)]
        return {row["id"] for row in rows if truth.reads(kind, {**row, "deleted_at": None})}

    return right


# How each is asked


def entries(place: str, mode: str | None = None, page: int = PAGE) -> Callable[[Drawn, Who], Ids]:
    """The ids of every entry, page after page, of this mode; what is out of reach is told as absent."""

    def ask(world: Drawn, who: Who) -> Ids:
        found: set[UUID] = set()
        url: str | None = f"{place}{'&' if '?' in place else '?'}_count={page}" if page else place
        for _ in range(GUARD):
            answer = world.cast.world.get(who.name, url)
            if answer.status_code == 404:
                return found
            assert answer.status_code == 200, f"{place}: {answer.status_code}"
            said = answer.json()
            told = [one for one in said.get("entry", ()) if mode is None or one["search"]["mode"] == mode]
            ids = [UUID(id) for one in told if (id := _id_of(one))]
            assert "/_history" in place or len(ids) == len({*ids}), f"{place} gives a row twice"
            found.update(ids)
            url = next((link["url"] for link in said.get("link", ()) if link["relation"] == "next"), None)
            if url is None:
                return found
        raise AssertionError(f"{place} has no end")

    return ask


def _id_of(entry: dict[str, Any]) -> str | None:
    """A deletion has no resource; what is said of the search itself has no address."""
    return entry["fullUrl"].rpartition("/")[2] if "fullUrl" in entry else None


def counted(place: str) -> Callable[[Drawn, Who], Ids]:
    """How many, as so many ids."""

    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.get(who.name, f"{place}&_count=0")
        assert answer.status_code == 200, f"{place}: {answer.status_code}"
        return {UUID(int=n) for n in range(answer.json()["total"])}

    return ask


def _numbers(ids: Ids) -> Ids:
    return {UUID(int=n) for n in range(len(ids))}


def _at(place: str, id: UUID) -> Callable[[Drawn, Who], Ids]:
    def ask(world: Drawn, who: Who) -> Ids:
        status = world.cast.world.get(who.name, place).status_code
        assert status in (200, 404, 410), f"{place}: {status}"
        return {id} if status in (200, 410) else set()

    return ask
