"""The houses of the organisme, as Organization: to whoever works there or exchanges with it."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.world import World

FINESS = "750712184"


@pytest.fixture(scope="module", autouse=True)
def numbered(world: World) -> None:
    world.rows("UPDATE structure SET finess = $1, phone = '01 02' WHERE id = $2", FINESS, world.ids["ime"])
    world.rows("UPDATE organisation SET finess = '750000001' WHERE organisation_id = $1", world.organisation)


def found(world: World, who: str, query: str = "") -> dict[str, Any]:
    bundle = world.get(who, f"/fhir/Organization?{query}").json()
    get_fhir_model_class("Bundle").model_validate(bundle)
    return {e["resource"]["id"]: e["resource"] for e in bundle.get("entry", [])}


def test_a_structure_says_its_number_and_its_organisme(world: World):
    told = world.get("sonia", f"/fhir/Organization/{world.ids['ime']}").json()
    get_fhir_model_class("Organization").model_validate(told)
    assert [(i["system"], i["value"]) for i in told["identifier"]] == [("urn:oid:1.2.250.1.71.4.2.2", f"1{FINESS}")]
    assert told["partOf"]["display"] == "Association Les Tilleuls"
    assert told["partOf"]["identifier"]["value"] == "1750000001"


def test_a_structure_without_a_number_claims_no_profile(world: World):
    assert "profile" not in world.get("sonia", f"/fhir/Organization/{world.ids['ehpad']}").json()["meta"]


@pytest.mark.parametrize(("who", "status"), [("sonia", 200), ("chu", 200), ("yann", 404), ("lucas", 404)])
def test_is_read_by_the_team_and_the_partners(world: World, who: str, status: int):
    assert world.get(who, f"/fhir/Organization/{world.ids['ime']}").status_code == status


@pytest.mark.parametrize(
    "said",
    [
        f"urn:oid:1.2.250.1.71.4.2.2|1{FINESS}", f"https://finess.esante.gouv.fr|{FINESS}", FINESS, f"1{FINESS}",
        "https://finess.esante.gouv.fr|", f"x,{FINESS}",
    ],
)  # fmt: skip
def test_is_found_by_its_number(world: World, said: str):
    assert [*found(world, "chu", f"identifier={said}")] == [str(world.ids["ime"])]


@pytest.mark.parametrize("said", [f"urn:oid:1.2.250.1.71.4.2.2|{FINESS}", f"|{FINESS}", f"urn:x|{FINESS}"])
def test_a_number_of_another_system_finds_nothing(world: World, said: str):
    assert found(world, "chu", f"identifier={said}") == {}


def test_a_system_that_no_column_holds_needs_a_value(world: World):
    assert world.get("chu", "/fhir/Organization?identifier=urn:x|").status_code == 400


def test_all_are_listed_but_those_of_others(world: World):
    assert {str(world.ids[m]) for m in ("ehpad", "mas_fam", "ime", "mecs")} == {*found(world, "sonia")}
