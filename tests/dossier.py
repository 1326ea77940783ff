"""Rows of every kind about one person, written by the owner as plain SQL: the facts behind the doors.

It knows the tables by name and nothing of the code that decides who reads them, so that an oracle may stand on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from app.kernel.crypto import UsagerKey
from app.kernel.ids import uuid7
from tests.world import World

Values = dict[str, Any]
THEN, DAY = "2026-01-05T09:00:00Z", "2026-01-05"
LOCAL = "https://mdph.example/individu"
TABLES = {"event": "event_participant"}  # the others bear the name of their kind
# What a row of each kind says of its own; ids of its parents are taken from the person it is about.
SAID: dict[str, Values] = {
    "usager": {
        "birth_family_name": "?", "birth_given_names": "Ada", "identity_status": "provisoire", "address_protected": False,
        "says_tu": False,
    },
    "contact": {"family_name": "PROCHE", "address_protected": False, "call_order": 1},
    "sharing_consent": {
        "kind": "image", "question": "?", "if_yes": "a", "if_no": "b", "categories": [], "answer": "asked",
        "starts": DAY, "act": "usuel",
    },
    "judicial_decision": {"nature": "notified"},
    "project": {"number": 1, "title": "Projet", "status": "draft"},
    "usager_identifier": {},
    "mandate": {
        "kind": "tutelle", "scope": "both", "effect": "representation", "opens": ["support"], "starts": DAY,
        "person_agreed": False, "person_told": False,
    },
    "stay": {"status": "in_progress", "starts": DAY, "place_protected": False},
    "consent_answer": {"answer": "yes", "given_by_kind": "usager", "consent_version": 1},
    "opposition": {"starts": DAY},
    "emergency_sheet": {},
    "emergency_access": {"reason": "?", "starts_at": THEN, "ends_at": THEN},
    "handover": {"ground": "vital", "reason": "?", "person_informed": False},
    "team_member": {"starts": DAY, "referent": False},
    "expectation": {"origin": "usager", "words": "Sortir"},
    "need": {"text": "Marcher"},
    "goal": {"title": "Sortir", "kind": "avancer", "status": "planned"},
    "action": {"title": "Sortir", "status": "draft"},
    "service": {"title": "Sortie", "status": "draft"},
    "means": {"title": "Bus", "status": "draft"},
    "review": {"starts_at": THEN, "status": "draft"},
    "agreement": {"party": "usager", "answer": "yes", "signed_at": THEN},
    "school_period": {"status": "final", "place_protected": False},
    "mobility": {"status": "final", "mode_label": "En bus"},
    "death": {"status": "in_error"},
    "orientation_request": {"status": "draft"},
    "orientation_decision": {},
    "life_project": {"words": "Vivre chez moi", "status": "active"},
    "stated_purpose": {"purpose": "controle", "starts_at": THEN, "ends_at": THEN},
    "shared_team": {"name": "Ensemble", "person_told_on": DAY, "starts": DAY, "ends": DAY},
    "consigne": {"in_doubt": "Le chef de service", "starts": DAY, "closes_access": False},
    "copy_request": {"part": "rest", "due_on": DAY, "answer": "by_hand", "answered_at": THEN},
    "assessment": {"questionnaire": "https://grille.test/q", "status": "done", "items": "[]"},
    "alert": {"nature": "fait_grave", "category": "alert"},
    "kept_resource": {"type_name": "Device"},  # of which R4 asks nothing: it leaves valid, empty as it is
    "document": {"title": "Courrier", "status": "current"},
    "transmission": {"kind": "data", "text": "?", "important": False},
    "event": {
        "types": [], "ends_at": "2026-01-05T10:00:00Z", "starts": "2026-01-05T09:00:00", "ends": "2026-01-05T10:00:00",
        "zone": "Europe/Paris", "status": "planned", "answer": "asked", "place_protected": False, "all_day": False,
    },
    "meal": {"type_code": "urn:meal|1", "status": "planned"},
    "transport": {"traveller": "usager", "status": "planned", "starts_at": THEN, "place_protected": False},
    "presence_schedule": {},
    "presence": {"absent": False, "type_code": "urn:presence|1", "ends_at": "2030-01-05T10:00:00Z", "status": "planned"},
}  # fmt: skip
FHIR_ONLY = {"kept_resource": "Device", "presence_schedule": "Schedule"}  # which REST does not tell
PARTS = ("expectation", "need", "goal", "action", "service", "means", "review", "agreement")
FIRST = (
    "usager",
    "contact",
    "sharing_consent",
    "judicial_decision",
    "project",
)  # what other rows point to, in this order
KINDS = tuple(SAID)


@dataclass(frozen=True)
class Person:
    """Someone, and the rows of theirs that others point to."""

    structure: UUID
    key: UsagerKey
    id: UUID = field(default_factory=uuid7)
    contact: UUID = field(default_factory=uuid7)
    project: UUID = field(default_factory=uuid7)
    sharing_consent: UUID = field(default_factory=uuid7)
    judicial_decision: UUID = field(default_factory=uuid7)


@dataclass
class Dossiers:
    """Persons and rows to be written at once."""

    world: World
    rows: list[tuple[str, Values]] = field(default_factory=list)
    keys: list[Values] = field(default_factory=list)

    def person(self, place: str, **values: Any) -> Person:
        """Someone new in this structure, their key and their own row."""
        made = self.newcomer(place)
        self.row("usager", made, id=made.id, **values)
        return made

    def newcomer(self, place: str, id: UUID | None = None, **ids: UUID) -> Person:
        """Someone of whom nothing is written yet, and their key."""
        id = id or uuid7()
        key, wrapped = self.world.keyring.new_usager_key(str(id))
        self.keys.append({"organisation_id": self.world.organisation, "usager_id": id, "wrapped": wrapped})
        return Person(self.world.ids[place], key, id, **ids)

    def row(self, kind: str, person: Person, /, **values: Any) -> UUID:
        """A row of this kind about them, and its id."""
        row = row_of(self.world, kind, person, values)
        self.rows.append((kind, row))
        return UUID(str(row["id"]))

    def write(self) -> None:
        self.world.rows(
            "DROP INDEX IF EXISTS uq_presence_schedule_once"
        )  # the matrix wants more of a kind than life does
        self.world.client.event_hooks = {
            "response": []
        }  # what leaves of such rows is judged for whom, not for its form
        said = lots("usager_key", self.keys)
        for kind in sorted({kind for kind, _ in self.rows}, key=KINDS.index):
            said += lots(TABLES.get(kind, kind), [row for of, row in self.rows if of == kind])
        self.world.write(said)
        self.rows, self.keys = [], []


def address(kind: str, person: Person, id: UUID) -> str:
    """Where staff read one row of theirs."""
    rooms = {
        "usager_identifier": f"usagers/{person.id}/identifiers/{id}",
        "mandate": f"contacts/{person.contact}/mandates/{id}",
        "sharing_consent": f"consents/{id}",
        "consent_answer": f"consents/{person.sharing_consent}/answers/{id}",
        "opposition": f"consents/oppositions/{id}",
        "emergency_sheet": f"usagers/{person.id}/emergency-sheet",
        "emergency_access": f"access/emergency/{id}",
        "handover": f"exchanges/handovers/{id}",
        "stated_purpose": f"access/purposes/{id}",
        "shared_team": f"teams/shared/{id}",
        "judicial_decision": f"judicial/{id}",
        "team_member": f"teams/members/{id}",
        "copy_request": f"access/copies/{id}",
        "presence": f"events/presences/{id}",
        "life_project": f"projects/life/{id}",
        "meal": f"events/meals/{id}",
        "transport": f"events/transports/{id}",
        "school_period": f"usagers/{person.id}/schooling/{id}",
        "mobility": f"usagers/{person.id}/mobility/{id}",
        "orientation_request": f"usagers/{person.id}/orientation-requests/{id}",
        "orientation_decision": f"usagers/{person.id}/orientation-decisions/{id}",
        "death": f"usagers/{person.id}/death/{id}",
        "means": f"projects/{person.project}/means/{id}",
        **{kind: f"projects/{person.project}/{kind}s/{id}" for kind in PARTS if kind != "means"},
    }
    if kind in FHIR_ONLY:
        return f"/fhir/{FHIR_ONLY[kind]}/{id}"
    return f"/api/v1/{rooms.get(kind, f'{kind}s/{id}')}"


def row_of(world: World, kind: str, person: Person, values: Values) -> Values:
    """Every column that a row of this kind needs."""
    id = values.get("id") or uuid7()
    row: Values = {
        "organisation_id": world.organisation, "id": id, "usager_id": person.id, "structure_id": person.structure,
        "category": "administrative", "visibility": "shared", "author_kind": "professional", "occurred_at": THEN,
        "recorded_at": THEN, "updated_at": THEN, "version": 1, "held": False, "consigne": False, "minor_secret": False,
        **SAID[kind], **_pointing(world, kind, person, id),
    }  # fmt: skip
    return {**row, **values}


def _pointing(world: World, kind: str, person: Person, id: UUID) -> Values:
    if kind in PARTS:
        return {"project_id": person.project}
    match kind:
        case "usager":
            return {"name_key": f"matrice {id.hex}"}
        case "mandate":
            return {"contact_id": person.contact}
        case "judicial_decision":
            return {"title": person.key.seal(b"?", f"judicial_decision:{id}:title")}
        case "alert":
            return {"facts": person.key.seal(b"?", f"alert:{id}:facts")}
        case "consigne":
            return {"decision_id": person.judicial_decision}
        case "consent_answer":
            return {"consent_id": person.sharing_consent, "given_by": person.id}
        case "opposition" | "emergency_access" | "team_member" | "stated_purpose":
            return {"professional_id": world.ids["marc"]}
        case "shared_team":
            return {"structure_ids": [person.structure, id]}
        case "handover":
            return {"partner_id": world.ids["chu"]}
        case "transmission":
            return {"thread_id": id}
        case "event":
            return {"event_id": uuid7()}
        case "usager_identifier":
            sealed = world.keyring.seal(id.hex.encode(), f"usager_identifier:{id}")
            blind = world.keyring.blind(f"{LOCAL}/{id.hex}\0{id.hex}", "usager_identifier")
            return {"sealed": sealed, "blind": blind, "system": f"{LOCAL}/{id.hex}"}
    return {}


def insert(world: World, table: str, rows: Iterable[Values]) -> None:
    """As the owner; rows of one table, whatever columns each says."""
    world.write(lots(table, rows))


def lots(table: str, rows: Iterable[Values]) -> list[tuple[str, str]]:
    """A statement for each set of columns, and what it is given."""
    alike: dict[tuple[str, ...], list[Values]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append({k: _plain(v) for k, v in row.items()})
    said = []
    for names, lot in alike.items():
        columns = ", ".join(f'"{name}"' for name in names)
        told = f"SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::json)"
        said.append((f"INSERT INTO {table} ({columns}) {told}", orjson.dumps(lot, default=str).decode()))
    return said


def _plain(value: object) -> object:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value
