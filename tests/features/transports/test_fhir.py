"""A transport and its Task: three profiles, both ways, whole; a professional's stays in the dossier of its event."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.transports.fhir import PROFILES, TRANSPORTS
from app.features.transports.models import Traveller
from app.fhir.mapping import plain
from app.kernel.errors import Invalid
from tests.exchange.bundles import TDDUI, bundle, entry, identifier, patient, practitioner, resource
from tests.exchange.sending import fresh, read_back, said, sent, taken
from tests.features.maps import WHEN, Bench, same_but_ours
from tests.features.projects.exchanged import filled
from tests.fhir import official
from tests.world import World

SYSTEMS = TDDUI.replace("StructureDefinition", "CodeSystem")
CISIS = "https://smt.esante.gouv.fr/fhir/CodeSystem/terminologie-cisis"
SERAFIN = "https://smt.esante.gouv.fr/terminologie-SERAFINPH"
UCUM = "http://unitsofmeasure.org"
PATH = "/api/v1/events/transports"
OWN, PRO, BASE = TRANSPORTS
TAGS = {Traveller.USAGER: ("transportusager", "TPPat"), Traveller.PROFESSIONAL: ("transportprofessionnel", "TPPro")}


def given(code: str, **value: Any) -> dict[str, Any]:
    return {"type": {"coding": [{"system": f"{SYSTEMS}/tddui-task-input-transport", "code": code}]}, **value}


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code, "display": display}]}}


COMMON = [
    given("typeMotorisation", **concept(CISIS, "GEN-355", "Véhicule électrique")),
    given("budgetPrevisionnel", valueMoney={"value": 12.5, "currency": "EUR"}),
    given("budgetReel", valueMoney={"value": 14, "currency": "EUR"}),
    given("distance", valueDistance={"value": 4.2, "unit": "kilometers", "system": UCUM, "code": "km"}),
    given("dureeTheorique", valueDuration={"value": 10, "unit": "minutes", "system": UCUM, "code": "min"}),
]
OF_THE_PERSON = [
    given("accompagnement", valueBoolean=True),
    given("asepsie", valueBoolean=False),
    given("natureTransport", **concept(SERAFIN, "3.2.4", "Transports liés au projet individuel")),
]


def trip(traveller: Traveller = Traveller.USAGER, local: str = "7", **more: Any) -> dict[str, Any]:
    """It fills its profile."""
    system, tag = TAGS.get(traveller, ("transportusager", "TPPat"))
    told = {
        "identifier": identifier(system, f"3380000018/{local}-{tag}-1"),
        "status": "accepted",
        "_status": {
            "extension": [{"url": f"{TDDUI}/tddui-status-author", "valueReference": {"reference": "Practitioner/pro"}}]
        },
        "intent": "plan",
        "code": {"coding": [{"system": CISIS, "code": "ORG-156", "display": "Taxi"}]},
        "description": "Sonner au deuxième étage.",
        "encounter": {"reference": "Encounter/e"},
        "executionPeriod": {"start": "2026-04-14T10:30:00+02:00", "end": "2026-04-14T11:15:00+02:00"},
        "owner": {"display": "Taxis du Centre"},
        "input": COMMON + (OF_THE_PERSON if traveller is Traveller.USAGER else []),
    }
    if traveller is Traveller.PROFESSIONAL:
        told["for"] = {"reference": "Practitioner/pro"}
    profile = PROFILES[traveller].rpartition("/")[2]
    return resource("Task", "t", profile, **told | more)


def event(id: str = "e", person: str = "p", local: str = "7") -> dict[str, Any]:
    return resource(
        "Encounter",
        id,
        "tddui-encounter-evenement",
        identifier=identifier("evenement", f"3380000018/{local}-EVN-1"),
        status="triaged",
        **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        subject={"reference": f"Patient/{person}"},
        period={"start": "2026-04-14T11:30:00+02:00", "end": "2026-04-14T12:15:00+02:00"},
    )


def dossier(local: str, traveller: Traveller = Traveller.USAGER, **more: Any) -> dict[str, Any]:
    entries = (trip(traveller, local, **more), event(local=local), practitioner(local), patient(local))
    return bundle(*map(entry, entries))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


class TestComingIn:
    @pytest.mark.parametrize("its", TRANSPORTS)
    @pytest.mark.parametrize(
        "more",
        [
            {},
            *({"status": status} for status in ("draft", "ready", "in-progress", "on-hold", "rejected", "failed")),
            {"status": "entered-in-error", "intent": "order", "executionPeriod": None},
            {
                "input": [
                    given("distance", valueDistance={"value": 4200, "unit": "mètres", "system": UCUM, "code": "m"})
                ]
            },
            {"input": [given("distance", valueDistance={"value": 4, "unit": "km"})]},
            {"input": [given("dureeTheorique", valueDuration={"value": 3, "system": UCUM, "code": "min"})]},
            {"input": [given("dureeTheorique", valueDuration={"value": 3})]},
            {"input": [given("budgetReel", valueMoney={"value": 9.99}), given("inconnu", valueString="?")]},
            {
                "input": [
                    given("distance", valueDistance={"value": 1e30}),
                    given("budgetReel", valueMoney={"value": 1e20}),
                ]
            },
            {"owner": {"reference": "Organization/x", "display": "Taxis"}, "note": [{"text": "a"}]},
            {"owner": {"reference": "Practitioner/y"}, "input": None},
            {"for": {"reference": "Patient/p", "display": "Agathe"}, "focus": {"display": "?"}},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, bench: Bench, its: Any, more: dict[str, Any]):
        received = {n: v for n, v in trip(its.from_fhir.args[0], **more).items() if v is not None}
        assert same_but_ours(bench.back(its, bench.arrived(its, received)), received)

    def test_a_number_of_any_size_is_read_by_others(self, bench: Bench):
        received = trip(input=[given("distance", valueDistance={"value": 1e30})])
        told = bench.back(OWN, bench.arrived(OWN, received), own=False)
        assert told["input"] == received["input"]

    def test_what_is_modelled_is_a_column(self, bench: Bench):
        row = bench.arrived(OWN, trip()).row
        assert (row.traveller, row.mode_code, row.engine_code) == ("usager", f"{CISIS}|ORG-156", f"{CISIS}|GEN-355")
        assert (row.nature_code, row.accompanied, row.asepsis) == (f"{SERAFIN}|3.2.4", True, False)
        assert (row.distance, row.distance_unit) == (4.2, f"{UCUM}|km")
        assert (row.duration, row.duration_unit) == (10, f"{UCUM}|min")
        assert (row.budget_planned, row.budget_actual, row.budget_actual_currency) == (12.5, 14, "EUR")
        assert (row.carrier_name, row.description) == ("Taxis du Centre", "Sonner au deuxième étage.")
        assert (row.status, row.occurred_at.isoformat()) == ("confirmed", "2026-04-14T08:30:00+00:00")

    def test_that_ends_before_it_begins_is_none_of_ours(self, bench: Bench):
        backwards = {"start": "2026-04-14T11:30:00+02:00", "end": "2026-04-14T10:15:00+02:00"}
        with pytest.raises(Invalid):
            bench.arrived(OWN, trip(executionPeriod=backwards))

    @pytest.mark.parametrize("traveller", list(Traveller))
    def test_fills_its_profile(self, traveller: Traveller):
        name = PROFILES[traveller].rpartition("/")[2]
        definition = orjson.loads(official.text(f"tddui/definitions/StructureDefinition-{name}.json"))
        told, untold = filled(definition, trip(traveller))
        assert len(told) / (len(told) + len(untold)) >= 0.95, untold

    def test_the_official_ones_go_back_as_they_came(self, bench: Bench):
        resources = [e["resource"] for e in official.bundle(official.BUNDLES[1])["entry"]]
        tasks = [r for r in resources if r["resourceType"] == "Task"]
        assert [REGISTRY.of_resource(task) for task in tasks] == [PRO, OWN]
        for task in tasks:
            its = REGISTRY.of_resource(task)
            arrived = bench.arrived(its, task)
            assert same_but_ours(bench.back(its, arrived), task)
            assert (arrived.row.status, arrived.row.distance, arrived.row.budget_planned) == ("done", 4, 2)

    def test_is_known_by_its_profile_then_by_its_number(self):
        for traveller, its in zip(Traveller, TRANSPORTS, strict=True):
            assert REGISTRY.of_resource(trip(traveller)) is its
        for traveller, its in ((Traveller.USAGER, OWN), (Traveller.PROFESSIONAL, PRO)):
            assert REGISTRY.of_resource(trip(traveller) | {"meta": {}}) is its
        earlier = [one | {"system": one["system"].replace("esante.gouv.fr", "cnsa.fr")} for one in trip()["identifier"]]
        assert REGISTRY.of_resource(trip(identifier=earlier) | {"meta": {}}) is OWN
        assert REGISTRY.of_resource(trip(identifier=[]) | {"meta": {}}) is REGISTRY.kept


class TestGoingOut:
    def test_what_may_tell_a_protected_place_is_not_told_outside(self, bench: Bench):
        told = {
            "traveller": "usager", "status": "planned", "starts_at": WHEN, "description": "Rue des Lilas", "distance": 4.0,
            "distance_unit": f"{UCUM}|km", "duration": 9.0, "duration_unit": f"{UCUM}|min", "carrier_name": "Taxi Lilas",
            "budget_planned": 3.0, "budget_planned_currency": "EUR",
        }  # fmt: skip
        hidden, shown = (
            plain(OWN.out(bench.view(OWN, **told, protected=protected), bench.keyring, outside=True))
            for protected in (True, False)
        )
        assert not {"description", "owner"} & hidden.keys()
        assert len(hidden["input"]) == 1
        assert {"description", "owner"} <= shown.keys()
        assert len(shown["input"]) == 3


class TestAtTheDoor:
    def test_arrives_in_the_dossier_and_rest_shows_it(self, world: World):
        local = fresh()
        told = taken(world, dossier(local))
        [row] = world.get("marc", f"{PATH}?usager={told[3][1]}").json()["items"]
        assert (row["id"], row["event_id"], row["status"]) == (str(told[0][1]), str(told[1][1]), "confirmed")
        assert (row["distance"], row["budget_actual"], row["accompanied"]) == (4.2, 14, True)
        assert said(read_back(world, "Task", told[0][1])) == said(trip(local=local))

    @pytest.mark.parametrize("sent_in", [{}, {"input": [
        given("distance", valueDistance={"value": 4200, "unit": "mètres", "system": UCUM, "code": "m"}),
        given("dureeTheorique", valueDuration={"value": 1, "unit": "heure"}),
    ]}])  # fmt: skip
    def test_what_rest_changes_is_found_in_what_leaves(self, world: World, sent_in: dict[str, Any]):
        told = taken(world, dossier(fresh(), **sent_in))
        changes = {
            "starts_at": "2026-05-01T06:00:00Z", "ends_at": "2026-05-01T06:30:00Z", "mode_code": f"{CISIS}|ORG-202",
            "engine_code": f"{CISIS}|GEN-1", "nature_code": f"{SERAFIN}|3.2.5", "accompanied": False, "asepsis": True,
            "carrier_name": "Ambulances du Lac", "distance": 7, "duration": 20.5, "budget_planned": 30, "budget_actual": 31,
            "description": "Au rez-de-chaussée.", "status": "done",
        }  # fmt: skip
        answer = world.patch("marc", f"{PATH}/{told[0][1]}", changes, 1)
        assert answer.status_code == 200, answer.text
        out = world.get("marc", f"/fhir/Task/{told[0][1]}").json()
        get_fhir_model_class("Task").model_validate(out)
        assert (out["status"], out["owner"], out["description"]) == (
            "completed",
            {"display": "Ambulances du Lac"},
            "Au rez-de-chaussée.",
        )
        assert out["executionPeriod"] == {"start": "2026-05-01T06:00:00+00:00", "end": "2026-05-01T06:30:00+00:00"}
        assert out["code"]["coding"][0]["code"] == "ORG-202"
        assert dict(map(values, out["input"])) == {
            "typeMotorisation": "GEN-1", "budgetPrevisionnel": (30, "EUR"), "budgetReel": (31, "EUR"),
            "distance": (7, "km", "km"), "dureeTheorique": (20.5, "min", "min"), "accompagnement": False,
            "asepsie": True, "natureTransport": "3.2.5",
        }  # fmt: skip
        assert len(out["input"]) == 8
        [author] = out["_status"]["extension"]
        assert author["valueReference"]["reference"] == f"Practitioner/{world.ids['marc']}"

    @pytest.mark.parametrize("traveller", [Traveller.USAGER, Traveller.PROFESSIONAL])
    def test_one_written_here_leaves_whole(self, world: World, traveller: Traveller):
        world.rows("UPDATE structure SET finess = '380000018' WHERE id = $1", world.ids["ehpad"])
        row = world.post("sonia", PATH, written(world, traveller)).json()
        out = world.get("sonia", f"/fhir/Task/{row['id']}").json()
        get_fhir_model_class("Task").model_validate(out)
        system, tag = TAGS[traveller]
        hexes = [UUID(id).hex for id in (row["usager_id"], row["id"])]
        assert out["identifier"] == identifier(system, f"3380000018/{hexes[0]}-{tag}-{hexes[1]}")
        goes = (
            f"Practitioner/{world.ids['marc']}"
            if traveller is Traveller.PROFESSIONAL
            else f"Patient/{row['usager_id']}"
        )
        assert (out["for"]["reference"], out["meta"]["profile"]) == (goes, [PROFILES[traveller]])
        assert len(out["input"]) == (8 if traveller is Traveller.USAGER else 5)
        marc = practitioner(fresh(), str(world.ids["marc"]))
        again = sent(world, bundle(entry(out), entry(marc), entry(patient(fresh(), row["usager_id"]))))
        assert again.status_code == 200, again.text
        place = again.json()["entry"][0]["response"]["location"].split("/")[:2]
        assert said(read_back(world, *place)) == said(out)
        found = world.get(
            "sonia", f"/fhir/Task?identifier={out['identifier'][0]['system']}|{out['identifier'][0]['value']}"
        )
        assert [e["resource"]["id"] for e in found.json()["entry"]] == [row["id"]]

    def test_a_professional_s_stays_in_the_dossier_of_its_event(self, world: World):
        mine, other = fresh(), fresh()
        entries = (
            trip(Traveller.PROFESSIONAL, mine), event(local=mine), patient(mine), practitioner(mine),
            event("e2", "p2", other), patient(other, "p2", family="VOISIN"),
        )  # fmt: skip
        told = taken(world, bundle(*map(entry, entries)))
        place = {"mine": told[2][1], "other": told[5][1]}
        for path in ("/fhir/Task?patient=Patient/{}", f"{PATH}?usager={{}}"):
            there = {who: str(told[0][1]) in world.get("marc", path.format(id)).text for who, id in place.items()}
            assert there == {"mine": True, "other": False}
        [row] = world.rows("SELECT usager_id, professional_id FROM transport WHERE id = $1", told[0][1])
        assert (row["usager_id"], row["professional_id"]) == (place["mine"], told[3][1])

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=accepted", True),
            ("status=completed", False),
            ("code=ORG-156", True),
            (f"code={CISIS}|ORG-1", False),
            ("encounter=Encounter/{1}", True),
            ("encounter=Encounter/01a204ce-95ee-7a3a-8690-41952c33607b", False),
            ("period=2026-04-14", True),
            ("period=lt2026-04", False),
        ],
    )
    def test_are_searched(self, world: World, query: str, found: bool):
        told = taken(world, dossier(fresh()))
        query = query.format(*(id for _, id, _ in told))
        answer = world.get("marc", f"/fhir/Task?patient={told[3][1]}&{query}")
        assert answer.status_code == 200, answer.text
        assert bool(answer.json().get("entry")) == found


def values(one: dict[str, Any]) -> tuple[str, Any]:
    code = one["type"]["coding"][0]["code"]
    [(name, value)] = [(n, v) for n, v in one.items() if n.startswith("value")]
    match name:
        case "valueMoney":
            return code, (value["value"], value["currency"])
        case "valueDistance" | "valueDuration":
            return code, (value["value"], value["unit"], value["code"])
        case "valueCodeableConcept":
            return code, value["coding"][0]["code"]
    return code, value


def written(world: World, traveller: Traveller = Traveller.USAGER, **more: Any) -> dict[str, Any]:
    told = {
        "usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]),
        "starts_at": "2026-11-25T13:00:00Z", "ends_at": "2026-11-25T13:20:00Z", "mode_code": f"{CISIS}|ORG-156",
        "engine_code": f"{CISIS}|GEN-355", "carrier_name": "Taxis du Centre", "distance": 6.5, "duration": 20,
        "budget_planned": 18, "budget_actual": 17.5, "description": "Fauteuil pliant", "status": "confirmed",
    }  # fmt: skip
    if traveller is Traveller.PROFESSIONAL:
        told["professional_id"] = str(world.ids["marc"])
    else:
        told |= {"nature_code": f"{SERAFIN}|3.2.4", "accompanied": True, "asepsis": False}
    return told | more
