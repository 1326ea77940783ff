"""The ways to ask for who was attached to someone else: by the id that their sender was given, by the one they have here.

A partner finds what it sent under the first and what others wrote under the second; nothing tells it that they are one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import orjson

from tests.dossier import LOCAL
from tests.oracle.answers import Ask, at, counted, entries, numbers, resources
from tests.oracle.facts import Line
from tests.oracle.links import NO_SUBJECT, of_type
from tests.oracle.paths import FHIR, NOT_SEARCHED, Ids, Path, both, has, rows_of, searched
from tests.oracle.told import whose
from tests.oracle.truth import Truth, Who
from tests.oracle.whole import ever, nothing
from tests.oracle.worlds import Drawn

GROUPS, ROWS = 4, 6  # of a house: persons who were attached, and rows of each, that are asked about
SEARCHED = tuple(name for name in FHIR if name not in NOT_SEARCHED)
TELLING = (
    "DocumentReference",
    "Encounter",
    "ServiceRequest",
    "RelatedPerson",
    "CarePlan",
)  # whose they are, whoever sent


@dataclass(frozen=True)
class Group:
    """Someone who is here, and the newcomers who are them."""

    here: UUID
    names: tuple[UUID, ...]

    @property
    def ids(self) -> tuple[UUID, ...]:
        return (*self.names, self.here)


def groups(world: Drawn) -> list[Group]:
    """Those of several newcomers first."""
    names: dict[UUID, set[UUID]] = {}
    for (_, here), those in world.facts.names.items():
        names.setdefault(here, set()).update(those)
    found = [Group(here, tuple(sorted(those))) for here, those in names.items()]
    return sorted(found, key=lambda group: (-len(group.names), group.here))


def attached(world: Drawn, who: Who) -> Iterator[Path]:
    another = world.persons[-1].id
    for group in groups(world)[:GROUPS]:
        for id in group.ids:
            yield from _by_criterion(id, group, another)
            yield from _whole(id, group, who)
        yield from _leading_here(world, group)
        yield from _as_told(world, group)


def _by_criterion(id: UUID, group: Group, another: UUID) -> Iterator[Path]:
    lists = {f"{id}": (id,), f"Patient/{id},{another}": (id, another), ",".join(map(str, group.ids)): group.ids}
    for name in SEARCHED:
        place = f"/fhir/{name}"
        for parameter in ("patient", "subject") if name not in NO_SUBJECT else ("patient",):
            for said, ids in lists.items():
                right = both(*(of_type(name, of=one) for one in ids))
                yield _path("attached by", searched(f"{place}?{parameter}={said}"), right, name)
        own = of_type(name, of=id)
        yield _path(
            "attached named", searched(f"{place}?patient:identifier={LOCAL}|{id.hex}"), _if_named(name, id), name
        )
        for how in ("_total=accurate&_count=1", "_summary=count"):
            yield _path("attached total", counted(f"{place}?patient={id}", how), _count(own), name)
        read = _if_read(own, id)
        yield _path("attached chain", entries(f"{place}?patient._id={id}", "match"), read, name)
        yield _path("attached chain counted", counted(f"{place}?patient._id={id}"), _count(read), name)
        along = {
            "include": (entries(f"{place}?patient={id}&_include={name}:patient"), _with(own, id, if_any=True)),
            "revinclude": (entries(f"/fhir/Patient?_id={id}&_revinclude={name}:patient"), _with(read, id)),
        }
        for how, (ask, right) in along.items():
            yield Path(f"attached {how} {name}", ask, right, name in TELLING, name)


def _path(family: str, ask: Ask, right: Callable[[Truth], Ids], name: str) -> Path:
    return Path(f"{family} {name}", ask, right, about=name)


def _reads(truth: Truth, id: UUID) -> bool:
    return bool(rows_of("usager", has(id=id))(truth))


def _if_read(right: Callable[[Truth], Ids], id: UUID) -> Callable[[Truth], Ids]:
    """What leads to someone within their reach."""
    return lambda truth: right(truth) if _reads(truth, id) else set()


def _with(right: Callable[[Truth], Ids], id: UUID, *, if_any: bool = False) -> Callable[[Truth], Ids]:
    """And them, when they are read."""

    def both_of_them(truth: Truth) -> Ids:
        found = right(truth)
        return found | {id} if _reads(truth, id) and (found or not if_any) else found

    return both_of_them


def _count(right: Callable[[Truth], Ids]) -> Callable[[Truth], Ids]:
    return lambda truth: numbers(right(truth))


def _if_named(name: str, id: UUID) -> Callable[[Truth], Ids]:
    """By the number that their sender gave them: to itself, what it sent; to the team, all that is theirs here."""

    def found(truth: Truth) -> Ids:
        told = [line for line in truth.facts.rows["external_id"] if line["row_id"] == id and line["kind"] == "usager"]
        if truth.who.staff:
            here = {line["usager_id"] for line in told}
            return of_type(name, lambda row: row["usager_id"] in here)(truth)
        knows = truth.who.kind == "partner" and any(line["partner_id"] == truth.who.id for line in told)
        return of_type(name, of=id)(truth) if knows else set()

    return found


def _whole(id: UUID, group: Group, who: Who) -> Iterator[Path]:
    """The identity that was declared of a newcomer is read at its address alone: it is no part of a dossier here."""
    place, types = f"/fhir/Patient/{id}", {name: of_type(name, of=id) for name in FHIR}
    if id in group.names:
        types["Patient"] = nothing
    whole = both(*types.values(), rows_of("kept_resource", of=id))
    yield Path("attached everything", entries(f"{place}/$everything"), whole)
    yield Path("attached compartment whole", searched(f"{place}/*"), whole)
    for name, some in types.items():
        yield _path("attached compartment", searched(f"{place}/{name}"), some, name)
        yield _path("attached everything of type", entries(f"{place}/$everything?_type={name}"), some, name)
    yield Path("attached read", at(place, id), ever("usager", has(id=id)))  # 410 to who read it, 404 to anyone else
    if who.kind == "partner":
        yield Path("attached export", _of_newcomers(entries(f"{place}/$tddui-export", page=0), id), nothing)


def _of_newcomers(ask: Ask, id: UUID) -> Ask:
    """What their sender sent, it has: nothing leaves of them. Of who is here, `whole` asks."""

    def left(world: Drawn, who: Who) -> Ids:
        return ask(world, who) if any(id in names for names in world.facts.names.values()) else set()

    return left


def _rows(world: Drawn, group: Group, name: str) -> list[Line]:
    """Of theirs, those that a partner sent first."""
    rows = [row for kind in FHIR[name] for row in world.facts.rows[kind] if row["usager_id"] == group.here]
    return sorted(rows, key=lambda row: row["origin_partner_id"] is None)[:ROWS]


def _leading_here(world: Drawn, group: Group) -> Iterator[Path]:
    for name in SEARCHED:
        for row in _rows(world, group, name):

            def right(truth: Truth, row: Line = row, name: str = name) -> Ids:
                led = whose(truth, row)
                return {led} if of_type(name, has(id=row["id"]))(truth) and _reads(truth, led) else set()

            asked = f"/fhir/Patient?_has:{name}:patient:_id={row['id']}"
            yield _path("attached has", entries(asked, "match"), right, name)
        counts = f"/fhir/Patient?_has:{name}:patient:patient={','.join(map(str, group.ids))}"

        def leading(truth: Truth, name: str = name) -> Ids:
            return {one for one in group.ids if of_type(name, of=one)(truth) and _reads(truth, one)}

        yield _path("attached has counted", counted(counts), _count(leading), name)


# Whose each row is, as it is told


def couple(row: UUID, person: UUID) -> UUID:
    return UUID(int=row.int ^ person.int)


def _as_told(world: Drawn, group: Group) -> Iterator[Path]:
    """Each row with every id of the group that it tells: never but one."""
    for name in SEARCHED:
        rows = {row["id"]: row for row in _rows(world, group, name)}
        if not rows:
            continue

        def right(truth: Truth, rows: dict[UUID, Line] = rows) -> Ids:
            return {couple(id, whose(truth, row)) for id, row in rows.items()}

        def told(family: str, places: list[str], whole: bool = False) -> Path:
            ask = _couples([f"/fhir/{place}" for place in places], rows, group, family)  # noqa: B023  asked at once
            return Path(f"attached told {family} {name}", ask, right, whole, name)  # noqa: B023

        listed = ",".join(map(str, rows))
        yield told("found", [f"{name}?_id={listed}"])
        yield told("read", [f"{name}/{id}" for id in rows])
        yield told("past", [f"{name}/{id}/_history" for id in rows])
        yield told("vread", [f"{name}/{id}/_history/{row['version']}" for id, row in rows.items()])
        yield told("whole", [f"Patient/{id}/$everything?_type={name}" for id in group.ids])
        yield told("along", [f"Patient?_id={id}&_revinclude={name}:patient" for id in group.ids])


def _couples(places: list[str], rows: dict[UUID, Line], group: Group, family: str) -> Ask:
    """But for who wrote what stands, drawn apart from what they are."""
    now = family not in ("past", "vread")

    def ask(world: Drawn, who: Who) -> Ids:
        found: Ids = set()
        for place in places:
            for resource in resources(world, who, place):
                id, text = UUID(resource.pop("id")), orjson.dumps(resource).decode()
                if id in rows:
                    told = text.replace(f"Practitioner/{rows[id]['author_id']}", "") if now else text
                    found |= {couple(id, one) for one in group.ids if str(one) in told}
        return found

    return ask
