"""A school period and its Observation, both ways, whole; a protected school is told to the team and the person alone."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.api.resources import REGISTRY
from app.features.schooling.fhir import PERIOD, PROFILE, SYSTEM
from app.features.schooling.models import SchoolPeriod
from tests.exchange.sending import fresh, read_back, said
from tests.features.both_ways import FINESS, arrived, beside, left, numbered, there_and_back, unfilled
from tests.features.consents.people import represent
from tests.features.maps import Bench
from tests.world import World

NIR = "255081416802538"
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
J386, J81 = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r420", "https://mos.esante.gouv.fr/NOS/TRE_R48"
TEACHER = {
    "resourceType": "RelatedPerson",
    "id": "r",
    "patient": {"reference": "Patient/p"},
    "name": [{"family": "ROUX", "given": ["Paul"]}],
}
SCHOOL = {"resourceType": "Organization", "id": "e", "name": "École du Lac"}


def part(code: str, display: str, **value: Any) -> dict[str, Any]:
    coding = [{"system": f"{TDDUI}/CodeSystem/tddui-observation-periode-scolaire", "code": code, "display": display}]
    return {"code": {"coding": coding}, **value}


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code, "display": display}]}}


def period(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": SYSTEM, "value": f"3380000018/{NIR}-PSCO-{fresh()}"}],
        "status": "final",
        "code": {
            "coding": [
                {
                    "system": f"{TDDUI}/CodeSystem/tddui-observation-type",
                    "code": "PERIODESCOL",
                    "display": "Période scolaire",
                }
            ]
        },
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": "2025-09-01", "end": "2026-07-03"},
        "performer": [
            {"reference": "RelatedPerson/r", "display": "M. Roux"},
            {"reference": "Organization/e", "display": "École du Lac"},
        ],
        "note": [{"text": "Le matin seulement."}],
        "component": [
            part("typeEnseignementSpecialise", "Type enseignement spécialisé", **concept(J386, "ULIS", "ULIS école")),
            part("typeEnseignementSpecialise", "Type enseignement spécialisé", **concept(J386, "UE", "Unité")),
            part("diplome", "Diplôme", **concept(J81, "CFG", "Certificat de formation générale")),
            part(
                "volumeScolarisation",
                "Volume de scolarisation",
                valueQuantity={
                    "value": 12.5, "unit": "heures par semaine", "system": "http://unitsofmeasure.org", "code": "h/wk",
                },
            ),
        ],
        **more,
    }  # fmt: skip


SENT = period()


@pytest.fixture(scope="module")
def came(world: World) -> list[UUID]:
    return arrived(world, TEACHER, SCHOOL, SENT)


@pytest.fixture(scope="module")
def ours(world: World) -> str:
    numbered(world, "ime")
    body = {
        "structure_id": str(world.ids["ime"]),
        "starts": "2025-09-01",
        "ends": "2026-07-04",
        "referent_name": "Mme Blin",
        "school_name": "École des Prés",
        "teachings": [{"code": f"{J386}|ULIS", "label": "ULIS école"}],
        "diplomas": [{"code": f"{J81}|CFG"}],
        "volume": {"value": 9, "unit": "demi-journées"},
        "comment": "Avec une AESH.",
    }
    answer = world.post("sonia", f"/api/v1/usagers/{world.ids['lucas']}/schooling", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class TestComingIn:
    def test_the_example_fills_the_profile(self):
        assert unfilled("tddui-observation-periode-scolaire", SENT) == []

    def test_all_that_arrives_is_in_the_row_but_its_senders_number(self, world: World, came: list[UUID]):
        assert beside(world, SchoolPeriod, came[-1]) == ["identifier"]
        [row] = world.rows("SELECT * FROM school_period WHERE id = $1", came[-1])
        assert NIR not in str(dict(row))

    def test_is_told_by_rest(self, world: World, came: list[UUID]):
        person, teacher, school, id = came
        told = world.get("marc", f"/api/v1/usagers/{person}/schooling/{id}").json()
        assert (told["starts"], told["ends"], told["comment"]) == ("2025-09-01", "2026-07-04", "Le matin seulement.")
        assert (told["referent_id"], told["school_id"]) == (str(teacher), str(school))
        assert (told["referent_name"], told["school_name"]) == ("M. Roux", "École du Lac")
        assert [t["label"] for t in told["teachings"]] == ["ULIS école", "Unité"]
        assert told["volume"] == {
            "value": 12.5, "unit": "heures par semaine", "code": "http://unitsofmeasure.org|h/wk",
        }  # fmt: skip

    def test_goes_back_to_its_sender_as_it_came(self, world: World, came: list[UUID]):
        assert said(read_back(world, "Observation", came[-1])) == said(SENT)

    @pytest.mark.parametrize(
        "more",
        [
            {"status": "entered-in-error"},
            {"effectivePeriod": {"start": "2025-09", "end": "2026-07-03T16:30:00+02:00"}},
            {"performer": [{"reference": "RelatedPerson/ailleurs"}, {"display": "École"}]},
            {"performer": [{"display": "Mme A", "type": "RelatedPerson"}, {"display": "B", "type": "Organization"}]},
            {"component": [part("diplome", "Diplôme", valueCodeableConcept={"text": "CFG"}), part("autre", "Autre")]},
            {"component": [part("volumeScolarisation", "Volume de scolarisation", valueQuantity={"unit": "h"})]},
            {"effectivePeriod": {"start": "2025-09-01", "end": "9999-12-31"}},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, world: World, more: dict[str, Any]):
        sent = period(**more)
        [_, id] = arrived(world, sent)
        assert said(read_back(world, "Observation", id)) == said(sent)

    def test_a_volume_of_any_size_is_read_by_others(self, tmp_path: Path):
        volume = part("volumeScolarisation", "Volume de scolarisation", valueQuantity={"value": 1e30, "unit": "h"})
        bench = Bench.laid(tmp_path)
        told = bench.back(PERIOD, bench.arrived(PERIOD, period(component=[volume])), own=False)
        assert told["component"] == [volume]

    def test_is_known_by_its_profile_its_number_or_its_code(self):
        assert REGISTRY.of_resource(period()) is PERIOD
        assert REGISTRY.of_resource(period(meta={}, code={})) is PERIOD
        assert REGISTRY.of_resource(period(meta={}, identifier=[])) is PERIOD


class TestGoingOut:
    def test_written_by_rest_alone_leaves_whole(self, world: World, ours: str):
        told = left(world, "sonia", "Observation", ours)
        assert unfilled("tddui-observation-periode-scolaire", told) == []
        number = f"3{FINESS}/{world.ids['lucas'].hex}-PSCO-{ours.replace('-', '')}"
        assert told["identifier"] == [{"system": SYSTEM, "value": number}]
        assert told["effectivePeriod"] == {"start": "2025-09-01", "end": "2026-07-03"}
        assert told["performer"] == [
            {"display": "Mme Blin", "type": "RelatedPerson"},
            {"display": "École des Prés", "type": "Organization"},
        ]
        assert [c["code"]["coding"][0]["code"] for c in told["component"]] == [
            "typeEnseignementSpecialise",
            "diplome",
            "volumeScolarisation",
        ]
        assert told["component"][2]["valueQuantity"] == {"value": 9, "unit": "demi-journées"}

    def test_what_the_team_changes_leaves(self, world: World):
        [usager, _, _, id] = arrived(world, TEACHER, SCHOOL, period())
        changes = {
            "starts": "2024-09-01", "ends": "2025-07-01", "referent_id": None, "referent_name": "Mme Blin",
            "school_id": str(world.ids["ime"]), "school_name": "L'IME", "teachings": None,
            "diplomas": [{"code": f"{J81}|DNB", "label": "Brevet"}], "volume": {"value": 3}, "comment": "Fini.",
        }  # fmt: skip
        answer = world.patch("marc", f"/api/v1/usagers/{usager}/schooling/{id}", changes, 1)
        assert answer.status_code == 200, answer.text
        told = left(world, "marc", "Observation", id)
        assert told["effectivePeriod"] == {"start": "2024-09-01", "end": "2025-06-30"}
        assert told["performer"] == [
            {"display": "Mme Blin", "type": "RelatedPerson"},
            {"reference": f"Organization/{world.ids['ime']}", "display": "L'IME"},
        ]
        assert [c.get("valueCodeableConcept", c.get("valueQuantity")) for c in told["component"]] == [
            {"coding": [{"system": J81, "code": "DNB", "display": "Brevet"}]},
            {"value": 3},
        ]
        assert told["note"] == [{"text": "Fini."}]

    def test_leaves_and_comes_back_equal(self, world: World, ours: str):
        told = left(world, "sonia", "Observation", ours)
        assert there_and_back(world, told) == said(told)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("code=PERIODESCOL", True),
            ("code=79378-6", False),
            ("date=2026", False),
            ("date=ge2026-01", True),
            ("date=gt2026-08", False),
        ],
    )
    def test_is_searched_among_the_observations(self, world: World, ours: str, query: str, found: bool):
        answer = world.get("sonia", f"/fhir/Observation?patient={world.ids['lucas']}&{query}")
        assert answer.status_code == 200, answer.text
        assert (ours in [e["resource"]["id"] for e in answer.json().get("entry", [])]) == found

    def test_by_its_number(self, world: World, ours: str):
        [number] = left(world, "sonia", "Observation", ours)["identifier"]
        found = world.get("sonia", f"/fhir/Observation?identifier={number['system']}|{number['value']}").json()
        assert [e["resource"]["id"] for e in found["entry"]] == [ours]


class TestAProtectedSchool:
    @pytest.mark.threat("object-protected-place")
    def test_is_told_to_the_team_and_the_person_alone(self, world: World):
        body = {
            "structure_id": str(world.ids["ime"]),
            "school_name": "École Verte",
            "comment": "Près de la maison verte.",
            "place_protected": True,
        }
        path = f"/api/v1/usagers/{world.ids['lucas']}/schooling"
        id = world.post("sonia", path, body).json()["id"]
        represent(world, "school_mother", "lucas", "autorite_parentale")
        told = {
            who: [world.get(who, f"/fhir/Observation/{id}"), world.get(who, "/api/v1/me/schooling?limit=200")]
            for who in ("lucas", "school_mother")
        }
        told["sonia"] = [world.get("sonia", f"/fhir/Observation/{id}"), world.get("sonia", f"{path}/{id}")]
        assert {a.status_code for answers in told.values() for a in answers} == {200}
        seen = {who: ["erte" in a.text for a in answers] for who, answers in told.items()}
        assert seen == {"sonia": [True, True], "lucas": [True, True], "school_mother": [False, False]}
        assert {"display": "lieu protégé", "type": "Organization"} in told["school_mother"][0].json()["performer"]
