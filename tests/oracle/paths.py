"""The ways by which rows are read, as a table: how each is asked, which rows it is about, for whom.

A new way (a search, an export) is one more line; everything that compares goes over all of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.dossier import KINDS, LOCAL, PARTS, address
from tests.oracle.facts import Line
from tests.oracle.told import whose
from tests.oracle.truth import DIRECTORY, Truth, Who, runs
from tests.oracle.worlds import Drawn

Ids = set[UUID]
STAFF_LISTS = {
    "usager": "usagers", "contact": "contacts", "stay": "stays", "opposition": "consents/oppositions",
    "project": "projects", "emergency_access": "access/emergency", "transmission": "transmissions", "event": "events",
    "alert": "alerts", "assessment": "assessments", "life_project": "projects/life", "copy_request": "access/copies",
}  # fmt: skip
QUESTIONS = ("partage", "image", "autre")
FHIR = {
    "Patient": ("usager",), "RelatedPerson": ("contact",), "Encounter": ("stay", "event"),
    "DocumentReference": ("transmission", "emergency_sheet", "document"), "Consent": ("sharing_consent", "agreement"), "CarePlan": ("project",),
    "QuestionnaireResponse": ("assessment",),
    "Basic": ("orientation_decision",),
    "Observation": ("school_period", "mobility", "death", "meal"),
    "Goal": ("expectation", "goal", "life_project"), "ServiceRequest": ("need", "orientation_request"), "Task": ("action", "service", "means", "review", "transport"),
    "Slot": ("presence",), "Schedule": ("presence_schedule",),
}  # fmt: skip
NOT_SEARCHED = frozenset({"Patient", "Slot", "Schedule"})  # by the person it is about: it is them; R4 gives none
PAGE = 15  # short, so that lists have several
GUARD = 80  # pages


@dataclass(frozen=True)
class Path:
    """`ask` gives the ids that left, `right` those that should have; or, not `whole`, those that may have. `about`, what
    of its family this one asks, stands at the end of the name.
    """

    name: str
    ask: Callable[[Drawn, Who], Ids]
    right: Callable[[Truth], Ids]
    whole: bool = True
    about: str = ""

    @property
    def family(self) -> str:
        return self.name.removesuffix(self.about).strip()


def paths(world: Drawn, who: Who) -> Iterator[Path]:
    """Every list, search and page of this caller in this world, then every row by its address."""
    yield from lists(world, who)
    yield from reads(world, who)


def lists(world: Drawn, who: Who) -> Iterator[Path]:
    if who.staff:
        yield from _staff_lists(world)
        yield from _wholes(world)
        yield from _by_number(world)
        yield from _borrowed(world, who)
    if who.usager:
        yield from _my_lists()
        yield from _my_page(who)
    yield from _searches(world, who)


def _borrowed(world: Drawn, who: Who) -> Iterator[Path]:
    """The page that follows, of the list of somebody else."""
    place = "/api/v1/transmissions?limit=1"
    others = [other for other in world.cast.who if other.staff and other != who]

    def ask(world: Drawn, who: Who) -> Ids:
        for other in others:
            if after := world.cast.world.get(other.name, place).json()["next"]:
                status = world.cast.world.get(who.name, f"{place}&after={after}").status_code
                assert status == 400, f"{status} to the link of another"
                return set()
        return set()

    yield Path("next of another", ask, lambda truth: set())


# What is compared


def rows_of(kind: str, *where: Callable[[Line], bool], of: UUID | None = None) -> Callable[[Truth], Ids]:
    """The rows of this kind that they read, of those a path is about; `of` whom, by the id they are told."""

    def right(truth: Truth) -> Ids:
        rows = [row for row in truth.open(kind) if all(one(row) for one in where)]
        return {row["id"] for row in rows if of is None or whose(truth, row) == of}

    return right


def both(*each: Callable[[Truth], Ids]) -> Callable[[Truth], Ids]:
    return lambda truth: set().union(*(one(truth) for one in each))


def has(**values: object) -> Callable[[Line], bool]:
    return lambda row: all(row[name] == value for name, value in values.items())


# REST


def listed(place: str, page: int = PAGE) -> Callable[[Drawn, Who], Ids]:
    """Every page of a list; a list of someone out of reach is told as absent."""

    def ask(world: Drawn, who: Who) -> Ids:
        found: list[UUID] = []
        mark, after = "&" if "?" in place else "?", ""
        for _ in range(GUARD):
            answer = world.cast.world.get(who.name, f"{place}{mark}limit={page}{after}")
            if answer.status_code == 404:
                return set(found)
            assert answer.status_code == 200, f"{place}: {answer.status_code}"
            said = answer.json()
            found += [UUID(one["id"]) for one in said["items"]]
            if not said.get("next"):
                assert len(found) == len({*found}), f"{place} gives a row twice"
                return set(found)
            after = f"&after={said['next']}"
        raise AssertionError(f"{place} has no end")

    return ask


def _staff_lists(world: Drawn) -> Iterator[Path]:
    for kind, room in STAFF_LISTS.items():
        yield Path(f"GET {room}", listed(f"/api/v1/{room}"), rows_of(kind))
    yield Path("GET judicial", listed("/api/v1/judicial"), rows_of("judicial_decision"))
    yield Path("GET consignes", listed("/api/v1/consignes"), _consignes)
    for word in QUESTIONS:
        yield Path(
            f"GET consents {word}", listed(f"/api/v1/consents?kind={word}"), rows_of("sharing_consent", has(kind=word))
        )
    for person in world.persons:
        mine = has(usager_id=person.id)
        for kind, room in {
            **STAFF_LISTS,
            "team_member": "teams/members",
            "shared_team": "teams/shared",
            "stated_purpose": "access/purposes",
        }.items():
            if kind != "usager":
                yield Path(f"GET {room}?usager", listed(f"/api/v1/{room}?usager={person.id}"), rows_of(kind, mine))
        numbers = f"/api/v1/usagers/{person.id}/identifiers"
        yield Path("GET identifiers", _whole_list(numbers), rows_of("usager_identifier", mine))
        mandates = f"/api/v1/contacts/{person.contact}/mandates"
        yield Path("GET mandates", listed(mandates), rows_of("mandate", has(contact_id=person.contact)))
        answers = f"/api/v1/consents/{person.sharing_consent}/answers"
        of = has(consent_id=person.sharing_consent)
        yield Path("GET answers", listed(answers), rows_of("consent_answer", of))


def _consignes(truth: Truth) -> Ids:
    """Those that run today."""
    now = [c for c in truth.facts.rows["consigne"] if runs(c, truth.facts.today) and c["lifted_at"] is None]
    return {c["id"] for c in now if truth.reads("consigne", c)}


def _whole_list(place: str) -> Callable[[Drawn, Who], Ids]:
    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.get(who.name, place)
        return {UUID(one["id"]) for one in answer.json()["items"]} if answer.status_code == 200 else set()

    return ask


def _wholes(world: Drawn) -> Iterator[Path]:
    """A project with its parts, when the project itself is read."""
    for person in world.persons:
        place = f"/api/v1/projects/{person.project}"
        project = rows_of("project", has(id=person.project))
        parts = both(*(rows_of(kind, has(project_id=person.project)) for kind in PARTS))

        def right(truth: Truth, one: Any = project, of: Any = parts) -> Ids:
            return one(truth) | of(truth) if one(truth) else set()

        yield Path("GET project", _whole(place), right)


def _whole(place: str) -> Callable[[Drawn, Who], Ids]:
    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.get(who.name, place)
        return _ids_of_project(answer.json()) if answer.status_code == 200 else set()

    return ask


def _ids_of_project(said: Any) -> Ids:
    rooms = ("expectations", "needs", "goals", "actions", "services", "means", "reviews", "agreements")
    return {UUID(said["id"])} | {UUID(part["id"]) for room in rooms for part in said[room]}


def _by_number(world: Drawn) -> Iterator[Path]:
    """Someone by a number of theirs: who reads the person and not the number finds nobody."""
    for row in world.facts.rows["usager_identifier"]:
        if row["origin_partner_id"] is None:
            system, person = row["system"], row["usager_id"]
            place = f"/fhir/Patient?identifier={system}|{system.removeprefix(f'{LOCAL}/')}"

            def right(truth: Truth, number: Line = row, of: UUID = person) -> Ids:
                return rows_of("usager", has(id=of))(truth) if truth.reads("usager_identifier", number) else set()

            yield Path("Patient?identifier", searched(place), right)


# The person's own applications, and their page


MY_ROOMS = {
    "transmission": "transmissions",
    "event": "events",
    "opposition": "consents/oppositions",
    "document": "documents",
    "life_project": "project/life",
    "assessment": "assessments",
    "presence": "events/presences",
    "meal": "events/meals",
    "transport": "events/transports",
    "orientation_request": "orientation-requests",
    "orientation_decision": "orientation-decisions",
}
# What is written on the page: in these worlds, the words of each of these rows are its own id.
ON_PAGE = {"transmission": "journal", "document": "documents", "life_project": "projet-de-vie"}


def _my_lists() -> Iterator[Path]:
    for kind, room in MY_ROOMS.items():
        yield Path(f"GET me/{room}", listed(f"/api/v1/me/{room}"), rows_of(kind))
    for word in QUESTIONS:
        right = rows_of("sharing_consent", has(kind=word))
        yield Path(f"GET me/consents {word}", listed(f"/api/v1/me/consents?kind={word}"), right)
    yield Path("GET me/project", _whole("/api/v1/me/project"), _my_project)


def _my_project(truth: Truth) -> Ids:
    """The latest one under way, else the latest in preparation, and its parts."""
    open_to_me = [p for p in truth.facts.rows["project"] if truth.reads("project", p)]
    under_way = [p for p in open_to_me if p["status"] in ("active", "on_hold")]
    known = under_way or [p for p in open_to_me if p["status"] == "draft"]
    if not known:
        return set()
    first = max(known, key=lambda p: (p["occurred_at"], p["id"]))
    return {first["id"]}.union(*(rows_of(kind, has(project_id=first["id"]))(truth) for kind in PARTS))


def _my_page(who: Who) -> Iterator[Path]:
    bearer = "o_person_page" if who.kind == "usager" else "o_parent_page"
    for kind, screen in ON_PAGE.items():
        yield Path(f"page {screen}", _screen(bearer, kind, screen), _on_page(kind))


def _on_page(kind: str) -> Callable[[Truth], Ids]:
    """A page opens on the person's own row only."""
    return lambda truth: rows_of(kind)(truth) if rows_of("usager", has(id=truth.who.usager))(truth) else set()


def _screen(bearer: str, kind: str, screen: str) -> Callable[[Drawn, Who], Ids]:
    def ask(world: Drawn, who: Who) -> Ids:
        known = {row["id"].hex: row["id"] for row in world.facts.rows[kind]}
        found, place = set(), f"/mon-dossier/{screen}"
        for _ in range(GUARD):
            text = world.cast.world.get(bearer, place).text
            found |= {id for token, id in known.items() if token in text}
            older = re.search(rf'href="(/mon-dossier/{screen}\?avant=[^"]+)"', text)
            if older is None:
                return found
            place = older[1]
        raise AssertionError(f"{screen} has no end")

    return ask


# FHIR


def searched(place: str, page: int = PAGE, *, counted: bool = True) -> Callable[[Drawn, Who], Ids]:
    """Every page of a search; its count alone must be theirs."""

    def ask(world: Drawn, who: Who) -> Ids:
        found: list[UUID] = []
        mark = "&" if "?" in place else "?"
        url: str | None = f"{place}{mark}_count={page}"
        for _ in range(GUARD):
            said = world.cast.world.get(who.name, url).json()
            assert said["resourceType"] == "Bundle", f"{place}: {said}"
            found += [UUID(one["resource"]["id"]) for one in said.get("entry", ())]
            url = next((link["url"] for link in said["link"] if link["relation"] == "next"), None)
            if url is None and not counted:
                return set(found)
            if url is None:
                total = world.cast.world.get(who.name, f"{place}{mark}_count=0").json()["total"]
                assert total == len(found), f"{place} counts {total} of {len(found)}"
                return set(found)
        raise AssertionError(f"{place} has no end")

    return ask


def _searches(world: Drawn, who: Who) -> Iterator[Path]:
    for type_name, kinds in FHIR.items():
        yield Path(f"GET {type_name}", searched(f"/fhir/{type_name}"), both(*(rows_of(kind) for kind in kinds)))
        for person in world.persons if type_name not in NOT_SEARCHED else ():
            right = both(*(rows_of(kind, has(usager_id=person.id)) for kind in kinds))
            yield Path(f"GET {type_name}?patient", searched(f"/fhir/{type_name}?patient={person.id}"), right)


# One row at its address


def reads(world: Drawn, who: Who) -> Iterator[Path]:
    for kind in KINDS:
        for row in world.facts.rows[kind]:
            for place in _places(world, who, kind, row):
                yield Path(f"GET one {kind}", _one(place, row["id"]), rows_of(kind, has(id=row["id"])))


def _places(world: Drawn, who: Who, kind: str, row: Line) -> Iterable[str]:
    type_name = next((name for name, kinds in FHIR.items() if kind in kinds), None)
    type_name = "Device" if kind == "kept_resource" else type_name
    if type_name:
        yield f"/fhir/{type_name}/{row['id']}"
    if who.staff and kind not in ("emergency_sheet", "kept_resource"):
        person = world.of(row["usager_id"])
        if kind != "mandate" or row["contact_id"] == person.contact:
            yield address(kind, person, row["id"])
    mine = {"event": "events", "sharing_consent": "consents", "opposition": "consents/oppositions"}
    if who.usager and kind in mine:
        yield f"/api/v1/me/{mine[kind]}/{row['id']}"


def _one(place: str, id: UUID) -> Callable[[Drawn, Who], Ids]:
    def ask(world: Drawn, who: Who) -> Ids:
        status = world.cast.world.get(who.name, place).status_code
        assert status in (200, 404, 410), f"{place}: {status}"
        return {id} if status == 200 else set()

    return ask


def wrong(world: Drawn, who: Who, path: Path) -> str | None:
    """What left and should not have, what should have and did not."""
    truth = world.truths[who.name]
    try:
        left = path.ask(world, who)
    except AssertionError as told:
        return f"{who.kind} {path.name}: {told}"
    right = path.right(truth)
    if left == right or (left < right and not path.whole):
        return None
    told = [
        f"{word} {_named(truth, ids)}" for word, ids in (("leaked", left - right), ("missing", right - left)) if ids
    ]
    return f"{who.kind} {path.name}: {', '.join(told)}"


def _named(truth: Truth, ids: Ids) -> list[str]:
    """At most a few, by what they are; a number is a count."""
    known = ((kind, row) for kind in (*KINDS, *DIRECTORY) for row in truth.facts.rows[kind])
    told = [f"{kind} ({truth.why_not(kind, row)}) {row.get('category')}" for kind, row in known if row["id"] in ids]
    return [f"{len(ids)} in all", *told[:5]]
