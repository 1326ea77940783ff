"""A dossier whole, its past, what leaves of it for elsewhere."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tests.dossier import PARTS
from tests.oracle.answers import at, entries
from tests.oracle.facts import PARIS, Line
from tests.oracle.links import DIRECTORY, KINDS_OF
from tests.oracle.paths import FHIR, Ids, Path, both, has, rows_of
from tests.oracle.truth import Truth, Who
from tests.oracle.worlds import Drawn

KINDS = tuple(kind for kinds in FHIR.values() for kind in kinds)
# What no dossier takes along: a house's own questions, and what is said by hand, to whom needs it tonight.
STAYS_HERE = frozenset({"sharing_consent", "emergency_sheet"})
TRAVELS = tuple(kind for kind in (*KINDS, "kept_resource") if kind not in STAYS_HERE)
LASTS = frozenset({"usager", "contact", "stay", "project", *PARTS})  # what stands, whatever the dates asked for
SINCE, UNTIL = "2026-02-01", "2026-02-28"
PERIOD = datetime(2026, 2, 1, tzinfo=PARIS), datetime(2026, 3, 1, tzinfo=PARIS)
KEPT = "Device"  # as what no map knows leaves in these worlds
SOME = ("Task", "Goal", "DocumentReference")


def whole(world: Drawn, who: Who) -> Iterator[Path]:
    yield from _pasts(world)
    for person in world.persons[:4]:
        all_of_it = both(*(rows_of(kind, of=person.id) for kind in (*KINDS, "kept_resource")))
        some = both(*(rows_of(kind, of=person.id) for name in SOME for kind in FHIR[name]))
        place = f"/fhir/Patient/{person.id}/$everything"
        yield Path("everything", entries(place), all_of_it)
        yield Path("everything since", entries(f"{place}?_since=2000"), all_of_it)
        yield Path("everything since never", entries(f"{place}?_since=2900"), nothing)
        yield Path("everything of types", entries(f"{place}?_type={','.join(SOME)}"), some)
        if not who.staff:
            yield from _exports(who, f"/fhir/Patient/{person.id}/$tddui-export", has(usager_id=person.id))


def _exports(who: Who, place: str, mine: Callable[[Line], bool]) -> Iterator[Path]:
    """The rows that travel; beside them, of the directory, nobody but whom they read."""

    def leaving(*kinds: str, when: Callable[[Line], bool] = bool) -> Callable[[Truth], Ids]:
        def goes(row: Line) -> bool:
            ours = who.kind != "partner" or (
                row["origin_partner_id"] != who.id and not row["held"]
            )  # what it sent, it has
            return mine(row) and ours

        return both(*(rows_of(kind, goes, *(() if kind in LASTS else (when,))) for kind in kinds))

    def then(row: Line) -> bool:
        return bool(PERIOD[0] <= row["occurred_at"] < PERIOD[1])

    everything, named = leaving(*TRAVELS), both(*(rows_of(kind) for kinds in DIRECTORY.values() for kind in kinds))
    some = leaving("usager", *(kind for name in SOME for kind in FHIR[name] if kind not in STAYS_HERE))
    period = f"{place}?start={SINCE}&end={UNTIL}"
    yield Path("export", _leaves(place), everything)
    yield Path("export of a period", _leaves(period), leaving(*TRAVELS, when=then))
    yield Path("export of types", _leaves(f"{place}?_type={','.join(SOME)}"), some)
    yield Path("export of names", entries(place, page=0, but=(*FHIR, KEPT)), named, whole=False)


def _leaves(place: str) -> Callable[[Drawn, Who], Ids]:
    return entries(place, page=0, but=tuple(DIRECTORY))


def _pasts(world: Drawn) -> Iterator[Path]:
    for name, kinds in FHIR.items():
        yield Path(
            f"history {name}", entries(f"/fhir/{name}/_history"), both(*(ever(kind) for kind in kinds)), about=name
        )
        for kind in kinds:
            rows = world.facts.rows[kind]
            for row in rows[:: max(1, len(rows) // 3)]:
                right, place = ever(kind, has(id=row["id"])), f"/fhir/{name}/{row['id']}/_history"
                yield Path("vread", at(f"{place}/{row['version']}", row["id"]), right)
                yield Path("history of one", entries(place), right)
                yield Path("history of one since", entries(f"{place}?_since=2000&_at=2026"), right)
    kinds = {kind for kinds in KINDS_OF.values() for kind in kinds} | {"kept_resource"}
    yield Path("history of all", entries("/fhir/_history", page=200), both(*(ever(kind) for kind in kinds)))


def ever(kind: str, *where: Callable[[Line], bool]) -> Callable[[Truth], Ids]:
    """A row deleted since is part of the past that its readers may read."""

    def right(truth: Truth) -> Ids:
        rows = [row for row in truth.facts.rows[kind] if all(one(row) for one in where)]
        return {row["id"] for row in rows if truth.reads(kind, {**row, "deleted_at": None})}

    return right


def nothing(truth: Truth) -> Ids:
    return set()
