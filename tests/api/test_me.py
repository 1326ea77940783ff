"""`GET /api/v1/me`: who is there, for whom; and what the team shares with them."""

from typing import Any
from uuid import UUID

import pytest

from tests.features.consents.people import represent
from tests.features.contacts import people as contacts
from tests.features.projects.cast import prepared
from tests.world import World

ME, NOTES = "/api/v1/me", "/api/v1/me/transmissions"


def wrote(world: World, usager: str, text: str, **how: Any) -> str:
    place = world.ids[contacts.HOUSES[usager]]
    body = {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(place),
        "text": text,
        "visibility": "shared",
        **how,
    }
    return str(world.post("sonia", "/api/v1/transmissions", body).json()["id"])


def test_the_person_is_told_who_they_are_and_what_they_may_see(world: World) -> None:
    told = world.get("jeanne", ME).json()
    assert (told["kind"], told["usager_id"], told["representative"]) == ("usager", str(world.ids["jeanne"]), None)
    assert (told["birth_family_name"], told["birth_date"]) == ("MOREAU", "1944-05-12")
    assert told["house"]["name"] == "EHPAD"
    assert told["may_see"] == ["administrative", "support", "care", "judicial"]


def test_each_room_named_is_there(world: World) -> None:
    prepared(world, visibility="shared")
    rooms = world.get("jeanne", ME).json()["rooms"]
    assert set(rooms) == {"project", "events", "transmissions", "consents", "access", "copies", "exchanges"}
    assert {room: world.get("jeanne", path).status_code for room, path in rooms.items()} == dict.fromkeys(rooms, 200)
    assert {room: world.client.get(path).status_code for room, path in rooms.items()} == dict.fromkeys(rooms, 401)


def test_who_represents_is_told_by_what_mandate(world: World) -> None:
    code = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode|MTH"
    contact = UUID(contacts.added(world, "lucas", family_name="MARTIN", relation=code).rpartition("/")[2])
    represent(world, "claire", "lucas", "autorite_parentale", contact=contact)
    told = world.get("claire", ME).json()
    assert (told["kind"], told["usager_id"]) == ("representative", str(world.ids["lucas"]))
    assert told["representative"] == {
        "contact_id": str(contact),
        "relation": code,
        "mandate": "autorite_parentale",
        "effect": "representation",
        "person_told": False,
    }
    assert told["may_see"] == ["administrative", "support"]


def test_a_mandate_that_opens_nothing_tells_nothing(world: World) -> None:
    represent(world, "blanc", "karim", "curatelle_simple", effect="assistance", opens=())
    answer = world.get("blanc", ME)
    assert answer.status_code == 404
    assert "Karim" not in answer.text


def test_the_reading_is_one_statement_and_one_line(world: World) -> None:
    world.get("jeanne", ME)
    with world.statements() as sql:
        answer = world.get("jeanne", ME)
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert len(sql) == 1
    assert (line["kind"], line["outcome"], line["door"]) == ("usager", "success", "me")


@pytest.mark.parametrize("who", ["sonia", "chu"])
def test_nobody_else_is_me(world: World, who: str) -> None:
    assert world.get(who, ME).status_code == 401


def test_the_notes_shared_are_read_page_after_page_by_role(world: World) -> None:
    ids = [wrote(world, "ines", f"Note {n}.") for n in range(3)]
    wrote(world, "ines", "De travail.", visibility="not_shared")
    first = world.get("ines", NOTES, params={"limit": 2}).json()
    rest = world.get("ines", NOTES, params={"limit": 2, "after": first["next"]}).json()
    assert [note["id"] for note in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    note = first["items"][0]
    assert (note["author_kind"], note["author_role"], note["author_first_name"]) == ("professional", "educateur", None)
    assert "author_id" not in note


def test_the_notes_of_another_are_out_of_reach(world: World) -> None:
    wrote(world, "karim", "À Karim.")
    assert ["À Karim." in world.get(who, NOTES).text for who in ("karim", "ines")] == [True, False]
