"""What a partner sent by `POST /fhir`, found by the name it gave, with what became of its bundle."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.test_receive import fresh, taken
from tests.fhir.sent import note
from tests.fhir.test_read import changed_by_the_team, text_of
from tests.world import World

PATH = "/fhir/DocumentReference"
SYSTEM = "urn:oid:1.2.3.4"


@pytest.fixture(scope="module")
def arrived(world: World) -> tuple[str, str]:
    """A note in a bundle of the CHU: the value of its identifier, its id here."""
    value = fresh()
    body: Any = note(world.ids["lucas"], id="n", identifier=[{"system": SYSTEM, "value": value}])
    body["subject"] = {"reference": "Patient/p"}
    told = taken(world, bundle(entry(patient(fresh())), entry(body)))
    [id] = [str(id) for kind, id, _ in told if kind == "DocumentReference"]
    return value, id


def found(world: World, who: str, said: str) -> list[str]:
    answer = world.get(who, f"{PATH}?identifier={quote(said, safe='|,')}")
    assert answer.status_code == 200, answer.text
    return [e["resource"]["id"] for e in answer.json().get("entry", [])]


def test_its_sender_finds_it_by_the_name_it_gave(world: World, arrived: tuple[str, str]):
    value, id = arrived
    assert found(world, "chu", f"{SYSTEM}|{value}") == [id]
    assert found(world, "chu", f"{SYSTEM}|other,{SYSTEM}|{value}") == [id]


def test_the_team_finds_it_by_its_sender_s_name(world: World, arrived: tuple[str, str]):
    value, id = arrived
    assert found(world, "marc", f"{SYSTEM}|{value}") == [id]
    assert found(world, "odile", f"{SYSTEM}|{value}") == []


@pytest.mark.parametrize("said", ["urn:oid:9|{value}", "|{value}", SYSTEM + "|other"])
def test_another_name_finds_nothing(world: World, arrived: tuple[str, str], said: str):
    assert found(world, "chu", said.format(value=arrived[0])) == []


@pytest.mark.threat("search-name-of-another")
def test_a_name_is_known_to_its_sender_alone(world: World, arrived: tuple[str, str]):
    assert found(world, "mdph", f"{SYSTEM}|{arrived[0]}") == []


def test_its_own_version_is_found_by_its_name_after_the_team_wrote(world: World, arrived: tuple[str, str]):
    value, id = arrived
    before = world.rows("SELECT text, version FROM transmission WHERE id = $1", id)[0]
    changed_by_the_team(world, id)
    assert found(world, "chu", f"{SYSTEM}|{value}") == [id]
    assert text_of(world.get("chu", f"{PATH}/{id}").json()) == b"Belle nuit."
    world.rows("UPDATE transmission SET text = $1, version = $2 WHERE id = $3", *before, id)


@pytest.mark.parametrize("state", ["received", "to_attach", "refused", "accepted"])
def test_it_says_what_became_of_its_bundle(world: World, arrived: tuple[str, str], state: str):
    world.rows(
        "UPDATE exchange SET state = $1 FROM transmission t WHERE t.id = $2 AND exchange.id = t.origin_exchange_id",
        state,
        arrived[1],
    )
    for told in (
        world.get("chu", f"{PATH}/{arrived[1]}").json(),
        world.get("chu", f"{PATH}?_id={arrived[1]}").json()["entry"][0]["resource"],
    ):
        [tag] = told["meta"]["tag"]
        assert (tag["system"].rpartition("/")[2], tag["code"]) == ("exchange-state", state)
    assert "tag" not in world.get("marc", f"{PATH}/{arrived[1]}").json()["meta"]


def test_who_stands_in_a_bundle_says_it_too(world: World):
    body = bundle(
        entry(patient(fresh())),
        entry({"resourceType": "Practitioner", "id": "d", "name": [{"family": "DURAND"}]}),
        entry(
            note(
                world.ids["lucas"], id="n", author=[{"reference": "Practitioner/d"}], subject={"reference": "Patient/p"}
            )
        ),
    )
    [id] = [id for kind, id, _ in taken(world, body) if kind == "Practitioner"]
    told = world.get("chu", f"/fhir/Practitioner/{id}").json()
    assert (told["name"], told["meta"]["tag"][0]["code"]) == ([{"family": "DURAND"}], "accepted")
    assert world.get("mdph", f"/fhir/Practitioner/{id}").status_code == 404
    assert "tag" not in world.get("marc", f"/fhir/Practitioner/{id}").json()["meta"]
