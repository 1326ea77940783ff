"""A contact and its RelatedPerson; what leads to a protected one is told to the team and the person alone."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.contacts.fhir import CONTACT, DESCRIPTION, PROFILE
from app.fhir.keeping import leftover
from app.fhir.mapping import as_read, plain
from app.kernel.errors import Invalid
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.test_receive import fresh, taken
from tests.features.consents.people import represent
from tests.features.contacts.people import added
from tests.features.maps import Bench, same_but_ours
from tests.world import World

ROLE = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r260-hl7roleclass"
RELATION = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"
PROTECTION = "https://mos.esante.gouv.fr/NOS/TRE_R217-ProtectionJuridique/FHIR/TRE-R217-ProtectionJuridique"
TOLD: dict[str, Any] = {
    "family_name": "MARTIN",
    "given_name": "Claire",
    "role": f"{ROLE}|ECON",
    "relation": f"{RELATION}|MTH",
    "phone": "0611223344",
    "email": "claire@example.org",
    "address": "3 rue du Lac\nPorte 2",
    "postal_code": "63000",
    "city": "Riom",
    "country": "FRA",
    "address_protected": False,
    "call_order": 1,
    "notes": "Travaille de nuit.",
}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def contact(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson",
        "id": "r",
        "meta": {"profile": [PROFILE]},
        "patient": {"reference": "Patient/p"},
        "relationship": [concept(ROLE, "ECON"), concept(RELATION, "MTH"), concept(PROTECTION, "1")],
        "name": [{"family": "MARTIN", "given": ["Claire"]}],
        **more,
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


def ours(bench: Bench, received: dict[str, Any]) -> dict[str, Any]:
    """As the bundle's references are once rewritten."""
    return received | {"patient": {"reference": f"Patient/{bench.usager}"}}


@pytest.mark.parametrize("trusted", [None, "designated"])
def test_what_leaves_is_valid_r4(bench: Bench, trusted: str | None):
    view = bench.view(CONTACT, **TOLD, trusted_person=trusted, trusted_on=date(2026, 1, 2) if trusted else None)
    get_fhir_model_class("RelatedPerson").model_validate(plain(CONTACT.to_fhir(view)))


def test_what_we_say_we_hear_again_but_who_is_trusted(bench: Bench):
    view = bench.view(CONTACT, **TOLD, trusted_person="designated", trusted_on=date(2026, 1, 2))
    row = bench.arrived(CONTACT, plain(CONTACT.to_fhir(view))).row
    heard = as_read(CONTACT.view, row)
    assert {n: getattr(heard, n) for n in TOLD} == TOLD
    assert heard.trusted_person is None


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"gender": "female", "birthDate": "1985-02-01", "period": {"start": "2020"}},
        {"relationship": [concept(PROTECTION, "2")]},
        {"relationship": [{"text": "voisine"}]},
        {"extension": [{"url": DESCRIPTION, "valueString": "Appeler le soir"}]},
        {"telecom": [{"system": "sms", "value": "06"}, {"system": "email", "value": "a@b", "use": "work"}]},
        {"address": [{"use": "work", "line": ["1"], "_line": [{"id": "x"}], "city": "Riom"}]},
        {"identifier": [{"system": "urn:x", "value": "42"}]},
    ],
)
def test_nothing_received_is_lost_to_its_sender(bench: Bench, more: dict[str, Any]):
    received = ours(bench, contact(**more))
    assert same_but_ours(bench.back(CONTACT, bench.arrived(CONTACT, received)), received)


def test_a_name_of_one_piece_comes_back_with_ours_around_it(bench: Bench):
    received = ours(bench, contact(name=[{"text": "UDAF 63"}]))
    arrived = bench.arrived(CONTACT, received)
    assert leftover(received, bench.back(CONTACT, arrived)) == {}
    assert arrived.row.family_name == "UDAF 63"


@pytest.mark.parametrize("name", [[], [{"given": ["Claire"]}]])
def test_nobodys_name_is_no_contact_of_ours(bench: Bench, name: list[Any]):
    with pytest.raises(Invalid):
        bench.arrived(CONTACT, contact(name=name))


@pytest.mark.parametrize(("said", "kept"), [(3, 3), (99, 99), (400, 99)])
def test_an_order_of_calls_stays_within_ours(bench: Bench, said: int, kept: int):
    order = {
        "url": plain(CONTACT.to_fhir(bench.view(CONTACT, **TOLD)))["extension"][1]["url"],
        "valuePositiveInt": said,
    }
    assert bench.arrived(CONTACT, contact(extension=[order])).row.call_order == kept


class TestAtTheDoor:
    def test_arrives_in_the_dossier_of_its_person(self, world: World):
        told = taken(world, bundle(entry(patient(fresh())), entry(contact())))
        place = f"/fhir/RelatedPerson/{told[1][1]}"
        assert world.get("marc", place).json()["patient"] == {"reference": f"Patient/{told[0][1]}"}
        assert [world.get(who, place).status_code for who in ("chu", "mdph", "sonia")] == [200, 404, 404]
        [row] = world.get("odile", f"/api/v1/contacts?usager={told[0][1]}").json()["items"]
        assert (row["family_name"], row["visibility"], row["origin_partner_id"]) == (
            "MARTIN",
            "not_shared",
            str(world.ids["chu"]),
        )

    @pytest.mark.threat("object-protected-place")
    def test_a_protected_one_is_told_to_the_team_and_the_person_alone(self, world: World):
        secret = {"address": "7 impasse Cachée", "phone": "0611111111", "notes": "Travaille à Volvic"}
        place = added(world, "lucas", "odile", family_name="MARTIN", address_protected=True, **secret)
        fhir = place.replace("/api/v1/contacts", "/fhir/RelatedPerson")
        represent(world, "father", "lucas", "autorite_parentale_separes")
        told = {who: world.get(who, fhir) for who in ("sonia", "lucas", "father")}
        assert [answer.status_code for answer in told.values()] == [200] * 3
        shown = {who: [w in a.text for w in ("Cachée", "0611111111", "Volvic")] for who, a in told.items()}
        assert shown == {"sonia": [True] * 3, "lucas": [True] * 3, "father": [False] * 3}
        assert told["father"].json()["address"] == [{"text": "lieu protégé"}]

    def test_are_searched_by_their_person(self, world: World):
        id = added(world, "karim").rpartition("/")[2]
        found = world.get("sonia", f"/fhir/RelatedPerson?patient=Patient/{world.ids['karim']}").json()
        assert id in [e["resource"]["id"] for e in found["entry"]]
