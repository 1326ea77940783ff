"""Each cell of the matrix that a route creates, asked at that door: every role, about someone near and someone not.

The category is the one the route gives; the other categories are asked of the gate (`test_matrix_gate`).
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.security.principal import Role
from tests.access.cells import DOSSIER, Cell, House, Profile, founded
from tests.dossier import LOCAL, PARTS, Person
from tests.world import World

pytestmark = pytest.mark.once

NEAR, FAR = Profile(team=True, referent=True, own=True, consigne=True), Profile(own=True)
# Written by the gate beside something else, or after an act of its own (`acts.ACTS`): the gate is asked.
WITHOUT_DOOR = {
    "consent_answer", "team_member", "kept_resource", "mandate", "consigne", "shared_team", "presence_schedule",
}  # fmt: skip
DAILY = ("support", "care")
BODIES: dict[str, dict[str, Any]] = {
    "expectation": {"origin": "usager", "words": "Sortir"},
    "need": {"text": "Marcher"},
    "goal": {"title": "Sortir"},
    "action": {"title": "Sortir"},
    "service": {"title": "Sortie"},
    "means": {"title": "Bus"},
    "review": {"starts_at": "2026-03-01T09:00:00Z"},
    "agreement": {"party": "usager", "answer": "yes"},
}
turn = itertools.count()


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    return founded(world)


def said(house: House, kind: str, category: str, about: Person) -> tuple[str, dict[str, Any]]:
    """Where it is written, and what."""
    n, at = next(turn), {"usager_id": str(about.id), "structure_id": str(about.structure)}
    if kind in PARTS:
        return f"projects/{about.project}/{kind if kind == 'means' else f'{kind}s'}", BODIES[kind]
    day = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=n)
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "usager": (
            "usagers",
            {"birth_family_name": f"N{n}", "birth_given_names": "Ada", "structure_id": at["structure_id"]},
        ),
        "usager_identifier": (f"usagers/{about.id}/identifiers", {"system": f"{LOCAL}/{n}", "value": f"n{n}"}),
        "contact": ("contacts", {**at, "family_name": "PROCHE"}),
        "stay": ("stays", {**at, "starts": f"{day:%Y-%m-%d}", "ends": f"{day + timedelta(days=1):%Y-%m-%d}"}),
        "sharing_consent": ("consents", {**at, "kind": "image", "question": "?", "if_yes": "a", "if_no": "b"}),
        "opposition": ("consents/oppositions", {**at, "professional_id": str(house.world.ids["marc"])}),
        "emergency_sheet": (f"usagers/{about.id}/emergency-sheet", {"structure_id": at["structure_id"]}),
        "stated_purpose": ("access/purposes", {**at, "purpose": "controle"}),
        "emergency_access": ("access/emergency", {**at, "reason": "Appel de nuit, personne d'autre."}),
        "handover": (
            "exchanges/handovers",
            {**at, "partner_id": str(house.world.ids["chu"]), "ground": "vital", "reason": "Chute, inconsciente."},
        ),
        "judicial_decision": ("judicial", {**at, "nature": "of_house", "title": "?"}),
        "project": ("projects", {**at, "title": "Projet"}),
        "presence": (
            "events/presences",
            {
                **at, "occurred_at": "2030-01-05T08:00:00Z", "ends_at": "2030-01-05T18:00:00Z",
                "type_code": "urn:presence|1",
            },
        ),
        "assessment": (
            "assessments",
            {**at, "questionnaire": "urn:q", "items": [{"link_id": "a"}], "category": category},
        ),
        "school_period": (f"usagers/{about.id}/schooling", {"structure_id": at["structure_id"]}),
        "mobility": (f"usagers/{about.id}/mobility", {"structure_id": at["structure_id"], "mode_label": "À pied"}),
        "orientation_request": (f"usagers/{about.id}/orientation-requests", {"structure_id": at["structure_id"]}),
        "orientation_decision": (f"usagers/{about.id}/orientation-decisions", {"structure_id": at["structure_id"]}),
        "death": (
            f"usagers/{about.id}/death",
            {"structure_id": at["structure_id"], "causes": [{"code": "urn:cim|I21"}]},
        ),
        "life_project": ("projects/life", {**at, "words": "Vivre chez moi"}),
        "document": ("documents", {**at, "title": "Courrier", "category": category, "content": "Qm9uam91cg=="}),
        "meal": (
            "events/meals",
            {**at, "occurred_at": "2030-01-05T12:00:00Z", "type_code": "urn:meal|1", "present": True},
        ),
        "transport": ("events/transports", {**at, "starts_at": "2030-01-05T12:00:00Z"}),
        "transmission": ("transmissions", {**at, "text": "?", "category": category}),
        "event": (
            "events",
            {
                "usager_ids": [at["usager_id"]], "structure_id": at["structure_id"], "title": "?",
                "starts": "2030-01-05T09:00:00", "ends": "2030-01-05T10:00:00", "category": category,
            },
        ),
    }  # fmt: skip
    return told[kind]


def asked() -> Iterator[Cell]:
    usual = dict.fromkeys(
        (*PARTS, "project", "life_project", "school_period", "mobility", "emergency_sheet", "meal", "transport"),
        ("support",),
    ) | {"death": ("care",), "judicial_decision": ("judicial",)}
    daily = dict.fromkeys(("transmission", "event", "assessment"), DAILY)
    daily |= {"document": ("administrative", *DAILY)}
    for role, kind in itertools.product(Role, DOSSIER):
        for category in {**usual, **daily}.get(kind, ("administrative",)) if kind not in WITHOUT_DOOR else ():
            yield Cell(role.value, kind, category, "create")


def rows(cell: Cell) -> list[Profile]:
    """What is written about a stranger is written about anyone; what is not about someone near is about nobody."""
    if cell.within(FAR):
        return [FAR]
    return [FAR, NEAR] if cell.within(NEAR) else [NEAR]


def wrong(house: House, cell: Cell, row: Profile) -> str | None:
    room, body = said(house, cell.kind, cell.category, house.blank[row, "support"])
    status = house.world.post(house.bearer(cell.who), f"/api/v1/{room}", body).status_code
    if status == 201 and cell.kind in (
        "emergency_sheet",
        "emergency_access",
        "stated_purpose",
    ):  # one a person; and it opens
        house.world.rows(f"DELETE FROM {cell.kind} WHERE usager_id = $1", house.blank[row, "support"].id)
    if cell.kind in ("emergency_access", "death") and status == 409:  # already open to them; not known to be dead
        status = 201
    return None if (status == 201) is cell.within(row) and status in (201, 403, 404) else f"{cell} {row}: {status}"


@pytest.mark.threat("object-matrix-write")
def test_who_creates_what(house: House) -> None:
    assert [no for cell in asked() for row in rows(cell) if (no := wrong(house, cell, row))] == []
