"""Each cell of the matrix that reads, asked at the door: every role, kind and category, of someone they accompany or not.

What is expected comes from `expected.csv` alone; a cell moved in the code without it fails here too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

import pytest

from app.access.entry import DossierEntry
from app.access.models import EmergencyAccess, Mandate, Opposition, SharingConsent, TeamMember
from app.access.permissions import Category, Kind
from app.exchange.models import KeptResource
from app.features.calendar.models import EventParticipant
from app.features.consents.models import ConsentAnswer
from app.features.contacts.models import Contact
from app.features.emergency.models import EmergencySheet
from app.features.projects.models import (
    Agreement,
    Expectation,
    Goal,
    Means,
    Need,
    Project,
    ProjectAction,
    ProjectService,
    Review,
)
from app.features.stays.models import Stay
from app.features.transmissions.models import Transmission
from app.features.usagers import numbers
from app.features.usagers.models import Usager
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.access.test_matrix import KINDS, each, expected
from tests.world import World

HOUSE = "ehpad"
THEN, DAY = datetime(2026, 1, 5, 9, tzinfo=UTC), date(2026, 1, 5)
LOCAL = "https://mdph.example/individu"
OURS = "usager_id IN (SELECT id FROM usager WHERE name_key LIKE 'matrice %')"
FLAGGED = ("transmission", "event")  # kinds of which some rows are a consigne


class Relation(StrEnum):
    """How who asks knows the person: not at all, by the team, or as their référent."""

    STRUCTURE = "structure"
    TEAM = "team"
    REFERENT = "referent"


@dataclass(frozen=True)
class Asked:
    """One row at its address."""

    kind: str
    path: str
    relation: Relation
    consigne: bool = False


@dataclass(frozen=True)
class House:
    world: World
    roles: dict[str, str]  # who works here, by role
    rows: list[Asked]
    tables: list[str]


def told(world: World, relation: Relation) -> tuple[list[list[DossierEntry]], list[Asked]]:
    """One row of each kind about someone new: in the order in which they can be written, and where each is read."""
    usager, person, project, consent = uuid7(), uuid7(), uuid7(), uuid7()
    at = {"usager_id": usager, "structure_id": world.ids[HOUSE]}
    of_project = {"project_id": project, **at}
    name = {"birth_family_name": f"MATRICE{usager.hex[-6:]}", "birth_given_names": "Ada"}
    number = numbers.of(world.keyring, LOCAL, usager.hex, **at)
    question = {"kind": "image", "question": "?", "if_yes": "a", "if_no": "b", "categories": []}
    answered = {"answer": "yes", "given_by": usager, "given_by_kind": "usager", "consent_version": 1}
    allowed = {"kind": "tutelle", "scope": "both", "effect": "representation", "opens": ["support"]}
    pro = world.ids["marc"]
    row: dict[str, DossierEntry] = {
        "usager_identifier": number,
        "mandate": Mandate(contact_id=person, starts=DAY, **allowed, **at),
        "stay": Stay(status="in_progress", starts=DAY, **at),
        "consent_answer": ConsentAnswer(consent_id=consent, **answered, **at),
        "opposition": Opposition(starts=DAY, professional_id=pro, **at),
        "emergency_sheet": EmergencySheet(**at),
        "emergency_access": EmergencyAccess(professional_id=pro, reason="?", starts_at=THEN, ends_at=THEN, **at),
        "team_member": TeamMember(professional_id=pro, starts=DAY, **at),
        "expectation": Expectation(origin="usager", words="Sortir", **of_project),
        "need": Need(text="Marcher", **of_project),
        "goal": Goal(title="Sortir", **of_project),
        "action": ProjectAction(title="Sortir", **of_project),
        "service": ProjectService(title="Sortie", **of_project),
        "means": Means(title="Bus", **of_project),
        "review": Review(starts_at=THEN, **of_project),
        "agreement": Agreement(party="usager", answer="yes", signed_at=THEN, **of_project),
        "kept_resource": KeptResource(type_name="Basic", **at),
    }
    days = {"starts": datetime(2026, 1, 5, 9), "ends": datetime(2026, 1, 5, 10), "zone": "Europe/Paris"}  # noqa: DTZ001
    daily: list[tuple[str, DossierEntry, bool]] = []
    for consigne in (False, True):
        note = uuid7()
        daily.append(("transmission", Transmission(id=note, thread_id=note, kind="data", text="?", **at), consigne))
        happens = {"event_id": uuid7(), "types": [], "occurred_at": THEN, "ends_at": THEN.replace(hour=10)}
        daily.append(("event", EventParticipant(**happens, **days, **at), consigne))
    for _, one, consigne in daily:
        one.consigne, one.id = consigne, one.id or uuid7()
    for one in row.values():
        one.id = one.id or uuid7()
    first: list[DossierEntry] = [
        Usager(id=usager, name_key=f"matrice {usager.hex}", **name, **at),
        Contact(id=person, family_name="PROCHE", **at),
        Project(id=project, number=1, title="Projet", **at),
        SharingConsent(id=consent, starts=DAY, **question, **at),
    ]
    api = "/api/v1"
    rooms = {
        "usager_identifier": f"usagers/{usager}/identifiers",
        "mandate": f"contacts/{person}/mandates",
        "stay": "stays",
        "consent_answer": f"consents/{consent}/answers",
        "opposition": "consents/oppositions",
        "emergency_access": "access/emergency",
        "team_member": "teams/members",
        "means": f"projects/{project}/means",
        **{kind: f"projects/{project}/{kind}s" for kind in ("expectation", "need", "goal", "action", "service")},
        **{kind: f"projects/{project}/{kind}s" for kind in ("review", "agreement")},
    }
    asked = [
        Asked("usager", f"{api}/usagers/{usager}", relation),
        Asked("contact", f"{api}/contacts/{person}", relation),
        Asked("project", f"{api}/projects/{project}", relation),
        Asked("sharing_consent", f"{api}/consents/{consent}", relation),
        Asked("emergency_sheet", f"{api}/usagers/{usager}/emergency-sheet", relation),
        Asked("kept_resource", f"/fhir/Basic/{row['kept_resource'].id}", relation),
        *(Asked(kind, f"{api}/{room}/{row[kind].id}", relation) for kind, room in rooms.items()),
        *(Asked(kind, f"{api}/{kind}s/{one.id}", relation, consigne) for kind, one, consigne in daily),
    ]
    return [first[:1], first[1:], [*row.values(), *(one for _, one, _ in daily)]], asked


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    roles = {role.value: f"m_{role.value}" for role in Role}
    for role, who in roles.items():
        world.hire(who, Role(role), HOUSE)
    rows: list[Asked] = []
    tables: set[str] = set()
    for relation in Relation:
        written, asked = told(world, relation)
        for batch in written:
            world.add(*batch)
            tables |= {one.__tablename__ for one in batch}
        usager: UUID = written[0][0].usager_id
        for who in roles.values() if relation is not Relation.STRUCTURE else ():
            world.accompany(who, usager, HOUSE, referent=relation is Relation.REFERENT)
        rows += asked
    yield House(world, roles, rows, sorted(tables))
    for table in sorted(tables):
        world.rows(f"UPDATE {table} SET deleted_at = now() WHERE {OURS}")


def reads(reach: str | None, one: Asked) -> bool:
    team = one.relation is not Relation.STRUCTURE
    near = {"structure": True, "team": team, "team_consigne": team and one.consigne}
    return near.get(reach or "", one.relation is Relation.REFERENT and reach == "referent")


def test_a_referent_is_told_apart_in_judicial_cells_only() -> None:
    assert {category for (_, _, category, _), reach in expected().items() if reach == "referent"} == {"judicial"}


def test_every_kind_is_asked(house: House) -> None:
    assert {one.kind for one in house.rows} == set(each("dossier", KINDS))
    assert {one.kind for one in house.rows if one.consigne} == set(FLAGGED)


@pytest.mark.threat("object-matrix-read")
@pytest.mark.parametrize("category", list(Category))
def test_who_reads_what(house: House, category: Category) -> None:
    world, cells = house.world, expected()
    for table in house.tables:
        world.rows(f"UPDATE {table} SET category = $1 WHERE {OURS}", category.value)
    wrong = []
    for role, who in house.roles.items():
        for one in house.rows:
            if one.relation is Relation.REFERENT and category is not Category.JUDICIAL:
                continue  # a référent is of the team: told apart where some cell does
            reach = cells.get((role, Kind(one.kind).value, category.value, "read"))
            status = world.get(who, one.path).status_code
            if status != (200 if reads(reach, one) else 404):
                wrong.append(f"{role} {one.kind} {category} {one.relation} {reach}: {status}")
    assert wrong == []
