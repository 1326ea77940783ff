"""Who works in the organisme, as Practitioner and PractitionerRole: to its staff, never to a partner."""

from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.kernel.clock import today
from tests.world import World

RPPS = "10003216573"


@pytest.fixture(scope="module", autouse=True)
def numbered(world: World) -> None:
    said = "UPDATE professional SET rpps = $1, profession = 'urn:oid:1.2.250.1.213.1.1.5.5|60' WHERE id = $2"
    world.rows(said, RPPS, world.ids["leila"])


def found(world: World, path: str, who: str = "sonia") -> list[str]:
    bundle = world.get(who, f"/fhir/{path}").json()
    get_fhir_model_class("Bundle").model_validate(bundle)
    return [e["resource"]["id"] for e in bundle.get("entry", [])]


def read(world: World, path: str) -> dict[str, Any]:
    told: dict[str, Any] = world.get("sonia", f"/fhir/{path}").json()
    get_fhir_model_class(path.partition("/")[0]).model_validate(told)
    return told


def test_a_professional_says_their_name_and_number(world: World):
    told = read(world, f"Practitioner/{world.ids['leila']}")
    assert (told["name"][0]["family"], told["identifier"][0]["value"]) == ("Haddad", f"8{RPPS}")
    assert told["qualification"][0]["code"]["coding"] == [{"system": "urn:oid:1.2.250.1.213.1.1.5.5", "code": "60"}]


def test_without_a_national_number_the_profile_is_not_claimed(world: World):
    told = read(world, f"Practitioner/{world.ids['sonia']}")
    assert ("identifier" in told, "profile" in told["meta"]) == (False, False)


def test_a_role_says_who_where_and_since_when(world: World):
    told = read(world, f"PractitionerRole/{world.ids['sonia_membership']}")
    assert told["practitioner"]["reference"] == f"Practitioner/{world.ids['sonia']}"
    places = [told["organization"], *(e["valueReference"] for e in told["extension"])]
    assert {p["reference"] for p in places} == {
        f"Organization/{world.ids[m]}" for m in ("ehpad", "mas_fam", "ime", "mecs")
    }
    assert (told["active"], told["period"], told["code"][0]["coding"][0]["code"]) == (
        True,
        {"start": "2020-01-01"},
        "educateur",
    )


def test_a_role_ends_the_day_before_it_is_no_longer_held(world: World):
    world.rows("UPDATE membership SET ends = $1 WHERE id = $2", today(), world.ids["helene_membership"])
    told = read(world, f"PractitionerRole/{world.ids['helene_membership']}")
    assert (told["active"], told["period"]["end"]) == (False, str(today() - timedelta(days=1)))


@pytest.mark.parametrize("path", ["Practitioner/leila", "PractitionerRole/leila_membership"])
@pytest.mark.parametrize(("who", "status"), [("odile", 200), ("chu", 404), ("yann", 404), ("jeanne", 404)])
def test_is_read_by_the_staff_alone(world: World, path: str, who: str, status: int):
    kind, _, name = path.partition("/")
    assert world.get(who, f"/fhir/{kind}/{world.ids[name]}").status_code == status


@pytest.mark.parametrize("said", [f"urn:oid:1.2.250.1.71.4.2.1|8{RPPS}", f"https://rpps.esante.gouv.fr|{RPPS}", RPPS])
def test_a_professional_is_found_by_their_number(world: World, said: str):
    assert found(world, f"Practitioner?identifier={said}") == [str(world.ids["leila"])]
    assert found(world, f"Practitioner?identifier={said}", "chu") == []


def test_roles_are_found_by_who_what_and_when(world: World):
    leila = world.ids["leila"]
    for query in (
        f"practitioner={leila}",
        f"practitioner=Practitioner/{leila}",
        "role=infirmier",
        f"practitioner={leila}&date=ge2020",
    ):
        assert found(world, f"PractitionerRole?{query}") == [str(world.ids["leila_membership"])], query
    assert found(world, f"PractitionerRole?practitioner={leila}&date=lt2020") == []
    assert found(world, "PractitionerRole?practitioner=Practitioner/nobody") == []


@pytest.mark.parametrize(
    ("prefix", "ended", "running"),
    [
        ("eq2020", False, False), ("ne2020", True, True), ("gt2019", True, True), ("gt2030", False, True),
        ("lt2020-01-02", True, True), ("lt2020", False, False), ("ge2020", True, True), ("le2020", False, False), ("le2020-01-02", True, True),
        ("sa2019", True, True), ("sa2020", False, False), ("eb2030", True, False), ("eb2020", False, False),
    ],
)  # fmt: skip
def test_a_period_is_compared_whole(world: World, prefix: str, ended: bool, running: bool):
    world.rows("UPDATE membership SET ends = $1 WHERE id = $2", today(), world.ids["helene_membership"])
    for name, expected in (("helene", ended), ("sonia", running)):
        ids = found(world, f"PractitionerRole?practitioner={world.ids[name]}&date={prefix}")
        assert bool(ids) is expected, (name, prefix)
