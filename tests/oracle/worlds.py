"""Worlds drawn from a seed: persons, facts, rows, each one trait away from what opens it, on either side of every edge.

The cast keeps its sessions from one world to the next; everything they look at is drawn again.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any, ClassVar
from uuid import UUID

from app.kernel.ids import uuid7
from app.security.principal import Role
from app.security.tokens import Door
from tests.dossier import FIRST, KINDS, PARTS, TABLES, Dossiers, Person, Values, insert
from tests.oracle.attaching import attach
from tests.oracle.facts import PARIS, Facts, Line, known
from tests.oracle.leading import lead
from tests.oracle.protecting import protect
from tests.oracle.truth import Truth, Who, reasons
from tests.world import World

PLACES = ("ehpad", "mas_fam", "ime", "mecs")
STAFF: dict[str, tuple[str, ...]] = {
    "educateur": ("ehpad", "ime", "mecs"),
    "infirmier": ("ehpad", "mas_fam", "ime"),
    "chef_de_service": ("ime", "mecs"),
    "assistant_social": ("ehpad", "mecs", "mas_fam"),
    "veilleur": ("ime", "ehpad", "mas_fam"),
    "direction": ("mecs", "ehpad"),
    "evaluateur": ("mecs", "ehpad", "ime"),
}
CATEGORIES = ("administrative", "support", "care", "judicial", "alert")
DAILY = ("transmission", "event")
OURS_ALONE = (
    "sharing_consent", "consent_answer", "opposition", "team_member", "emergency_access", "judicial_decision", "consigne",
    "stated_purpose", "shared_team", "copy_request",
)  # fmt: skip
FACTS = (
    "team_member", "opposition", "mandate", "emergency_access", "sharing_consent", "stay", "consigne", "stated_purpose",
    "shared_team",
)  # fmt: skip
SHARED = ("administrative", "support", "care")
# On either side of the days that a consent names, and of their midnights in Paris.
MOMENTS = (
    "2026-01-15T09:00:00Z", "2026-01-31T22:30:00Z", "2026-01-31T23:30:00Z", "2026-02-14T09:00:00Z",
    "2026-02-28T22:30:00Z", "2026-02-28T23:30:00Z", "2026-03-10T09:00:00Z",
)  # fmt: skip
DATA = (
    (None, None),
    ("2026-02-01", None),
    (None, "2026-03-01"),
    ("2026-02-01", "2026-03-01"),
    (None, "2026-02-01"),
    ("2026-03-01", None),
)
NEEDED = {"allowed", "team", "category", "period", "consent", "opposition"}


@dataclass(frozen=True)
class Size:
    """How many persons, and which rows of each beside the facts: kinds and how many."""

    persons: int
    rows: dict[str, int]
    linked: bool = False  # whatever may lead to another row does, mostly; some were attached, some places protected


WORDS = {"transmission": "text", "document": "title", "life_project": "words"}  # what the page shows of them
ALL_KINDS = Size(6, {kind: 5 if kind in DAILY else 1 for kind in KINDS if kind not in (*FACTS, *FIRST)})
MANY_PERSONS = Size(24, {"transmission": 8})  # few kinds, every fact in every state
# Dossiers whose rows lead to each other; `LEADS`: to which kind, by which column.
JOINED = Size(
    100,
    {
        "need": 1, "action": 2, "service": 2, "means": 1, "review": 1, "event": 2, "transport": 2, "transmission": 2,
        "project": 1, "document": 2, "assessment": 1, "presence_schedule": 1, "presence": 1, "orientation_request": 1,
        "orientation_decision": 1, "goal": 1, "mobility": 1, "kept_resource": 1,
    },
    linked=True,
)  # fmt: skip
LEADS = {"service": ("action_id", "action"), "means": ("action_id", "action"), "transport": ("event_id", "event")}


@dataclass
class Cast:
    """Who asks, world after world."""

    world: World
    who: list[Who] = field(default_factory=list)
    me: UUID = field(default_factory=uuid7)  # the person whose page is open
    contact: UUID = field(default_factory=uuid7)  # who represents them

    @classmethod
    def hired(cls, world: World) -> "Cast":
        cast = cls(world)
        for role, places in STAFF.items():
            world.hire(f"o_{role}", Role(role), *places)
            cast.who.append(Who(f"o_{role}", role, world.ids[f"o_{role}"], world.ids[f"o_{role}_membership"]))
        for door in (Door.ME, Door.PAGE):
            world.enter(f"o_person_{door}", cast.me, door=door)
            world.enter(f"o_parent_{door}", cast.me, cast.contact, door=door)
        cast.who.append(Who(f"o_person_{Door.ME}", "usager", cast.me, usager=cast.me))
        cast.who.append(Who(f"o_parent_{Door.ME}", "representative", cast.contact, usager=cast.me))
        cast.who.append(Who("chu", "partner", world.ids["chu"]))
        return cast

    def named(self, kind: str) -> Who:
        return next(who for who in self.who if who.kind == kind)


@dataclass
class Drawn:
    """One world, as it was written."""

    cast: Cast
    seed: int
    persons: list[Person]
    facts: Facts
    truths: dict[str, Truth]  # by bearer

    def of(self, usager: UUID) -> Person:
        return next(person for person in self.persons if person.id == usager)


def drawn(cast: Cast, seed: int, size: Size = ALL_KINDS) -> Drawn:
    """The first world from this seed on in which every reason to open and to close occurs."""
    while True:
        persons = _Drawing(cast, Random(seed), size).write()
        facts = known(cast.world)
        truths = {who.name: Truth(facts, who) for who in cast.who}
        if _every_reason(truths):
            return Drawn(cast, seed, persons, facts, truths)
        seed += 1


def _every_reason(truths: dict[str, Truth]) -> bool:
    found: set[str] = set()
    for truth in reversed(truths.values()):  # a partner meets the most of them
        found |= reasons(truth, KINDS)
        if found >= NEEDED:
            return True
    return False


def when(occurred_at: str) -> Values:
    """An hour from then on, as an event says it."""
    starts = datetime.fromisoformat(occurred_at)
    ends = starts + timedelta(hours=1)
    local = [at.astimezone(PARIS).replace(tzinfo=None) for at in (starts, ends)]
    return {"ends_at": ends, "starts": local[0], "ends": local[1]}


def wiped(world: World) -> None:
    tables = ", ".join(TABLES.get(kind, kind) for kind in KINDS)
    world.rows(
        f"TRUNCATE {tables}, usager_key, unit_team, on_call, narrowing, event, outside_party, external_id CASCADE"
    )


class _Drawing:
    """A world being drawn."""

    GOOD: ClassVar = 0.5  # of the facts: those that hold today

    def __init__(self, cast: Cast, draw: Random, size: Size) -> None:
        self.cast, self.world, self.draw, self.size = cast, cast.world, draw, size
        self.now = datetime.now(UTC)
        self.made = Dossiers(self.world)
        self.people = [self.world.ids[f"o_{role}"] for role in STAFF]
        self.readers = [who.id for who in cast.who] + [self.world.ids["marc"]]
        self.links = Random(draw.getstate()[1][0])  # apart, so that the rest is drawn as before
        self.rows: dict[tuple[str, UUID], list[UUID]] = {}

    def write(self) -> list[Person]:
        wiped(self.world)
        persons = [self._person(n) for n in range(self.size.persons)]
        for person in persons:
            self._stays(person)
            self._team(person)
            self._opposed(person)
            self._consents(person)
            self._openings(person)
            mine = 3 if person is persons[0] else 1  # who is looked at by three
            for kind, many in self.size.rows.items():
                for _ in range(many * mine):
                    self._row(kind, person)
        self._mandates(persons)
        self._restrictions(persons)
        attached = self._beside(persons) if self.size.linked else []
        self.made.write()
        if self.size.linked:
            lead(self.world, self.links, self.rows)
            self.world.write(attached)
        self._units()
        self._offices()
        return persons

    def _beside(self, persons: list[Person]) -> list[tuple[str, str]]:
        """What is drawn over the rows, each apart, so that the rest is drawn as before."""
        seed = self.draw.getstate()[1][0]
        protect(self.made, Random(seed + 1), persons)
        return list(attach(self.made, Random(seed + 2), persons))

    # What a row is

    def _row(self, kind: str, person: Person, /, **said: Any) -> UUID:
        if kind in WORDS:
            said["id"] = id = uuid7()
            said[WORDS[kind]] = id.hex  # found again on a page
        if kind == "transmission":
            said["important"] = self.draw.random() < 0.4
        told = {**self._traits(kind, person), **self._leading(kind, person), **said}
        if told.get("shown_text"):
            told["shown_text"] = told["text"]
        id = self.made.row(kind, person, **told)
        self.rows.setdefault((kind, person.id), []).append(id)
        return id

    def _leading(self, kind: str, person: Person) -> Values:
        """To another row of theirs, more often than not."""
        column, target = LEADS.get(kind, ("", ""))
        known = self.rows.get((target, person.id))
        return {column: self.links.choice(known)} if known and self.links.random() < 0.8 else {}

    def _traits(self, kind: str, person: Person) -> Values:
        draw, chance = self.draw, self.draw.random
        usual = "support" if kind in (*PARTS, "project", *DAILY) else "administrative"
        told: Values = {
            "category": usual if chance() < 0.55 else draw.choice(CATEGORIES),
            "visibility": draw.choices(("shared", "not_shared", "withheld"), (64, 20, 16))[0],
            "structure_id": person.structure if chance() < 0.75 else self.world.ids[draw.choice(PLACES)],
            "reserved_to": draw.choices((None, [draw.choice(self.readers)], [uuid7()]), (84, 8, 8))[0],
            "consigne": chance() < 0.3,
            "minor_secret": chance() < 0.15,
            "author_id": draw.choice(self._authors(person)) if chance() < 0.4 else None,
            "occurred_at": draw.choice(MOMENTS),
        }
        if told["visibility"] == "withheld" and chance() < 0.8:
            told |= self._kept(kind)
        if kind == "alert" and chance() < 0.8:
            told |= {
                "category": "alert",
                "reserved_to": [draw.choice(self.readers)],
                "author_id": draw.choice(self.readers),
            }
        if kind not in (*OURS_ALONE, "alert"):
            told["held"] = chance() < 0.1
            sender = draw.choices((None, "chu", "mdph"), (72, 20, 8))[0]
            if sender:
                told |= {
                    "origin_partner_id": self.world.ids[sender],
                    "origin_version": 1,
                    "version": draw.choice((1, 2)),
                }
        if chance() < 0.06:
            told["deleted_at"] = self.now - timedelta(days=1)
        if kind == "event":
            told |= when(told["occurred_at"])
        if kind == "emergency_sheet" and not told.get("origin_partner_id"):
            told |= {"origin_partner_id": self.world.ids["mdph"], "origin_version": 1}  # ours are one a person
        return told

    def _kept(self, kind: str) -> Values:
        """Why, and until when: yesterday, today, tomorrow; or a sentence about someone else, masked or not yet."""
        reason = self.draw.choice(("draft", "announcement", "third_party", "procedure"))
        today = self.now.astimezone(PARIS).date()
        told: Values = {
            "withheld_reason": reason,
            "withheld_until": today + timedelta(days=self.draw.choice((-1, 0, 1))),
        }
        if kind == "transmission" and self.draw.random() < 0.6:
            told["shown_text"] = "Masqué."
        return told

    def _authors(self, person: Person) -> list[UUID]:
        """Of the person whose page is open: they, and who represents them, among few others."""
        return [self.cast.me, self.cast.contact, *self.readers[:2]] if person.id == self.cast.me else self.readers

    def _person(self, n: int) -> Person:
        place = self.draw.choice(PLACES)
        me = n == 0
        ids = {"id": self.cast.me, "contact": self.cast.contact} if me else {}
        person = self.made.newcomer(place, **ids)
        open_to_all: Values = {"held": False, "deleted_at": None, "visibility": "shared", "minor_secret": False}
        mild = {**open_to_all, "category": "administrative", "structure_id": person.structure} if me else {}
        self._row("usager", person, id=person.id, **{"category": "administrative", **mild})
        self._row("contact", person, id=person.contact, **({"category": "administrative"} if me else {}))
        self._row("judicial_decision", person, id=person.judicial_decision)
        status = self.draw.choice(("draft", "active"))
        self._row("project", person, id=person.project, status=status, **({"category": "support"} if me else {}))
        return person

    # The facts, good or one trait away

    def _days(self, good: float = GOOD) -> Values:
        """A period of days that runs today, or one that does not, by a day."""
        today = self.now.astimezone(PARIS).date()
        day = [today + timedelta(days=n) for n in (-30, -1, 0, 1, 30)]
        runs = ((day[0], None), (day[2], None), (day[0], day[3]))
        over = ((day[0], day[2]), (day[3], None), (day[0], day[1]))
        starts, ends = self.draw.choice(runs if self.draw.random() < good else over)
        return {"starts": starts, "ends": ends}

    def _hours(self) -> Values:
        hour = [self.now + timedelta(hours=n) for n in (-9, -1, 2, 9)]
        good, over = (hour[0], hour[2]), ((hour[0], hour[1]), (hour[2], hour[3]))
        starts, ends = good if self.draw.random() < self.GOOD else self.draw.choice(over)
        return {"starts_at": starts, "ends_at": ends}

    def _gone(self, chance: float = 0.12) -> Values:
        return {"deleted_at": self.now - timedelta(days=1) if self.draw.random() < chance else None}

    def _held(self) -> Values:
        return {"held": self.draw.random() < 0.2}

    def _stays(self, person: Person) -> None:
        others = [place for place in PLACES if self.world.ids[place] != person.structure]
        home = next(place for place in PLACES if self.world.ids[place] == person.structure)
        for place in [home] + (self.draw.sample(others, 1) if self.draw.random() < 0.5 else []):
            unit = self.world.ids[f"unit_{place}"] if self.draw.random() < 0.8 else None
            here = {"structure_id": self.world.ids[place], "unit_id": unit}
            self._row("stay", person, **{**here, **self._days(), **self._gone(), **self._held()})

    def _team(self, person: Person) -> None:
        for professional in self.people:
            chance = self.draw.random()
            if chance < 0.5:
                whom = {"professional_id": professional, "referent": self.draw.random() < 0.5}
                self._row("team_member", person, **{**whom, **self._days(), **self._gone()})
            elif chance < 0.75:
                closed = self.now - timedelta(minutes=5) if self.draw.random() < 0.25 else None
                whom = {"professional_id": professional, "closed_at": closed}
                self._row("emergency_access", person, **{**whom, **self._hours(), **self._gone()})

    def _opposed(self, person: Person) -> None:
        against = [{"professional_id": one} for one in self.people if self.draw.random() < 0.15]
        if self.draw.random() < 0.35:
            against.append({"partner_id": self.world.ids["chu"], "professional_id": None})
        for one in against:
            self._row("opposition", person, **{**one, **self._days(), **self._gone(), **self._held()})

    def _consents(self, person: Person) -> None:
        """Questions put to the person, the first of which other rows point to."""
        for n in range(self.draw.choice((1, 2, 3, 4))):
            first, last = self.draw.choice(DATA)
            sharing = self.draw.random() < 0.8
            told: Values = {
                "kind": "partage" if sharing else "image",
                "partner_id": self.world.ids["chu" if self.draw.random() < 0.85 else "mdph"],
                "answer": self.draw.choices(("yes", "no", "disagreement", "asked", "talk"), (66, 8, 14, 6, 6))[0],
                "categories": self.draw.sample(SHARED, self.draw.choice((1, 2, 3, 3, 3))),
                "kinds": None if self.draw.random() < 0.6 else self.draw.sample(KINDS, self.draw.choice((4, 14))),
                "data_from": first,
                "data_until": last,
                "withdrawn_at": self.now if self.draw.random() < 0.12 else None,
            }
            if told["answer"] not in ("asked", "disagreement"):
                told |= {"answered_at": self.now, "answered_by_kind": "usager"}
            id = {"id": person.sharing_consent} if n == 0 else {}
            self._row("sharing_consent", person, **{**told, **self._days(0.75), **self._gone(), **self._held(), **id})

        if self.draw.random() < 0.25:  # a plain yes, and parents who do not say the same
            plain: Values = {"kind": "partage", "partner_id": self.world.ids["chu"], "categories": list(SHARED)}
            plain |= {"answered_at": self.now, "answered_by_kind": "usager"}
            plain |= {"held": False, "deleted_at": None, "starts": self.now.date() - timedelta(days=9)}
            for answer in ("yes", "disagreement"):
                self._row("sharing_consent", person, **{**plain, "answer": answer})

    def _openings(self, person: Person) -> None:
        """A purpose stated by the direction, an évaluation that rests on a yes, an équipe commune."""
        draw = self.draw
        for who, agreed in product(("o_direction", "o_evaluateur"), (None, person.sharing_consent)):
            if draw.random() < 0.5:
                told: Values = {
                    "professional_id": self.world.ids[who],
                    "purpose": "evaluation" if agreed else "controle",
                    "consent_id": agreed,
                    "closed_at": self.now if draw.random() < 0.2 else None,
                }
                self._row("stated_purpose", person, **{**told, **self._hours(), **self._gone()})
        if draw.random() < 0.6:
            told = {
                "structure_ids": [self.world.ids[place] for place in draw.sample(PLACES, draw.choice((2, 3)))],
                "opposed_at": self.now if draw.random() < 0.2 else None,
            }
            self._row("shared_team", person, **{**told, **self._days(), **self._gone()})

    def _mandates(self, persons: list[Person]) -> None:
        """Of who represents the first person; and, by mistake, one that names another."""
        for category in CATEGORIES * 2:
            flaw = self.draw.choice((None, "elsewhere", "days", "unconfirmed", "gone", "held"))
            about = persons[1] if flaw == "elsewhere" else persons[0]
            told: Values = {
                "contact_id": self.cast.contact,
                "opens": [category],
                "confirmed_at": None if flaw == "unconfirmed" else self.now,
                "deleted_at": self.now if flaw == "gone" else None,
                "held": flaw == "held",
            }
            self._row("mandate", about, **{**told, **(self._days(0) if flaw == "days" else {})})
        for person in persons[1:]:
            self._row("mandate", person)

    def _restrictions(self, persons: list[Person]) -> None:
        """What decisions of justice ask; one may close the access of who represents the first person."""
        for person in persons:
            lifted = self.now if self.draw.random() < 0.2 else None
            self._row("consigne", person, **{**self._days(), **self._gone(), "lifted_at": lifted})
        if self.draw.random() < 0.3:
            about = persons[0] if self.draw.random() < 0.7 else persons[1]
            lifted = self.now if self.draw.random() < 0.3 else None
            closes = {"closes_access": self.draw.random() < 0.7, "contact_id": self.cast.contact, "lifted_at": lifted}
            self._row("consigne", about, **{**closes, **self._days(), **self._gone(0.2)})

    def _units(self) -> None:
        rows = []
        for professional in self.people:
            for _ in range(self.draw.choice((1, 1, 2, 3))):
                unit = self.world.ids[f"unit_{self.draw.choice(PLACES)}"]
                of: Line = {"professional_id": professional, "unit_id": unit, "kind": "rule"}
                row = {"organisation_id": self.world.organisation, "id": uuid7(), "version": 1, **of}
                row |= {"recorded_at": self.now, "updated_at": self.now}
                rows.append({**row, **self._hours(), **self._gone()})
        insert(self.world, "unit_team", rows)
        self._calls()

    def _calls(self) -> None:
        rows = []
        for professional in self.people:
            places = [self.world.ids[place] for place in self.draw.sample(PLACES, self.draw.choice((1, 2)))]
            row = {"organisation_id": self.world.organisation, "id": uuid7(), "version": 1, "structure_ids": places}
            row |= {"recorded_at": self.now, "updated_at": self.now, "professional_id": professional}
            rows.append({**row, **self._hours(), **self._gone()})
        insert(self.world, "on_call", rows)
        self._narrowings()

    def _narrowings(self) -> None:
        rows = []
        for role in STAFF:
            told: Values = {
                "structure_id": self.world.ids[self.draw.choice(STAFF[role])],
                "role": role,
                "category": self.draw.choice(SHARED),
                "of_kind": self.draw.choice((None, "transmission", "contact")),
                "to": self.draw.choice(("none", "team")),
            }
            row = {"organisation_id": self.world.organisation, "id": uuid7(), "version": 1, **told}
            rows.append({**row, "recorded_at": self.now, "updated_at": self.now, **self._gone(0.3)})
        insert(self.world, "narrowing", rows)

    def _offices(self) -> None:
        """One of the staff no longer works here, or not yet; the partner is accepted in three structures of four."""
        world = self.world
        world.rows("UPDATE membership SET ends = NULL, starts = '2020-01-01', deleted_at = NULL")
        one = world.ids[f"o_{self.draw.choice(list(STAFF))}_membership"]
        today = self.now.astimezone(PARIS).date()
        how = self.draw.choice(
            ("ends = $2::date", "starts = $2::date + 1", "deleted_at = $2::date", "ends = $2::date + 1")
        )
        world.rows(f"UPDATE membership SET {how} WHERE id = $1", one, today)
        world.rows("DELETE FROM partner_structure WHERE partner_id = $1", world.ids["chu"])
        accepted = self.draw.sample(PLACES, 3)
        common = {"organisation_id": world.organisation, "partner_id": world.ids["chu"], "accepts": True}
        insert(world, "partner_structure", [{**common, "structure_id": world.ids[place]} for place in accepted])
