"""A life project and its Goal, both ways, whole."""

from typing import Any
from uuid import UUID

import pytest

from app.api.resources import REGISTRY
from app.features.life_projects.fhir import LIFE, PROFILE, SYSTEM
from app.features.life_projects.models import LifeProject
from tests.exchange.bundles import bundle, discriminated, entry, patient
from tests.exchange.sending import fresh, read_back, said, taken
from tests.features.both_ways import FINESS, arrived, beside, left, numbered, there_and_back, unfilled
from tests.fhir import official
from tests.world import World

PATH = "/api/v1/projects/life"
NIR = "255081416802538"
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
MEASURE = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "not-permitted"}]
}
MODELLED = (
    "lifecycleStatus", "lifecycleStatus.extension", "description.text", "subject", "startDate", "target.detailString",
    "target.dueDate", "expressedBy",
)  # fmt: skip
BESIDE = ["identifier", "target.measure"]  # the sender's own number, sealed there; what TDDUI lets nobody measure


def life(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "id": "g",
        "meta": {"profile": [PROFILE]},
        "identifier": [
            {
                "type": {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-goal-identifier", "code": "PDV"}]},
                "system": SYSTEM,
                "value": f"3380000018/{NIR}-PDV-{fresh()}",
            }
        ],
        "lifecycleStatus": "active",
        "_lifecycleStatus": {
            "extension": [
                {
                    "url": f"{TDDUI}/StructureDefinition/tddui-status-author",
                    "valueReference": {"reference": "Practitioner/a"},
                }
            ]
        },
        "description": {"text": "Vivre au bord de la mer."},
        "subject": {"reference": "Patient/p"},
        "startDate": "2026-01-05",
        "target": [{"measure": MEASURE, "detailString": "Un logement à moi.", "dueDate": "2027-06-30"}],
        "expressedBy": {"reference": "RelatedPerson/m", "display": "Sa mère"},
        **more,
    }


PRACTITIONER = {"resourceType": "Practitioner", "id": "a", "name": [{"family": "DURAND"}]}
MOTHER = {
    "resourceType": "RelatedPerson",
    "id": "m",
    "patient": {"reference": "Patient/p"},
    "name": [{"family": "MARTIN", "given": ["Claire"]}],
}


SENT = life()


@pytest.fixture(scope="module")
def came(world: World) -> UUID:
    return arrived(world, PRACTITIONER, MOTHER, SENT)[-1]


@pytest.fixture(scope="module")
def ours(world: World) -> str:
    numbered(world)
    body = {
        "usager_id": str(world.ids["jeanne"]),
        "structure_id": str(world.ids["ehpad"]),
        "words": "Rester près de mon jardin.",
        "aim": "Une chambre au rez-de-chaussée.",
        "aim_on": "2027-01-31",
        "starts": "2026-02-01",
        "said_by_name": "Sa sœur",
    }
    answer = world.post("sonia", PATH, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class TestComingIn:
    def test_the_example_fills_the_profile(self):
        assert unfilled("tddui-goal-projet-vie", life()) == []

    def test_all_that_is_modelled_is_in_the_row(self, world: World, came: UUID):
        assert beside(world, LifeProject, came) == BESIDE

    def test_is_told_by_rest(self, world: World, came: UUID):
        told = world.get("marc", f"{PATH}/{came}").json()
        names = ("words", "aim", "aim_on", "starts", "said_by_kind", "said_by_name", "status", "visibility")
        assert [told[name] for name in names] == [
            "Vivre au bord de la mer.", "Un logement à moi.", "2027-06-30", "2026-01-05", "contact", "Sa mère",
            "active", "shared",
        ]  # fmt: skip

    def test_goes_back_to_its_sender_as_it_came(self, world: World, came: UUID):
        assert said(read_back(world, "Goal", came)) == said(SENT)

    @pytest.mark.parametrize(
        "more",
        [
            {"lifecycleStatus": "on-hold"},
            {"lifecycleStatus": "entered-in-error", "statusReason": "Erreur"},
            {"target": [{"measure": {"text": "Poids"}, "dueDate": "2027"}, {"dueDate": "2028-01-01"}]},
            {"note": [{**discriminated("titreObjectif"), "text": "Note"}], "achievementStatus": {"text": "x"}},
            {"description": {"text": "Vivre", "coding": [{"code": "x"}]}, "expressedBy": {"display": "Lui"}},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, world: World, more: dict[str, Any]):
        sent = life(**more)
        *_, id = arrived(world, PRACTITIONER, sent)
        assert said(read_back(world, "Goal", id)) == said(sent)

    @pytest.mark.parametrize(
        ("code", "status"), [("proposed", "draft"), ("completed", "completed"), ("on-hold", "active")]
    )
    def test_its_status_is_one_of_ours(self, world: World, code: str, status: str):
        [_, id] = arrived(world, life(lifecycleStatus=code))
        assert world.get("marc", f"{PATH}/{id}").json()["status"] == status

    def test_without_words_is_kept_whole(self, world: World):
        silent = life(description={"coding": [{"code": "x"}]})
        [_, _, id] = arrived(world, PRACTITIONER, silent)
        assert world.get("marc", f"{PATH}/{id}").status_code == 404
        assert said(read_back(world, "Goal", id)) == said(silent)

    def test_sent_again_is_a_new_version_of_its_row(self, world: World):
        local = fresh()
        number = [{"system": SYSTEM, "value": f"3380000018/{local}-PDV-1"}]
        first, again = (life(identifier=number, description={"text": words}) for words in ("Un", "Deux"))
        [_, (_, id, one)] = taken(world, bundle(entry(patient(local)), entry(first)))
        [_, (_, same, two)] = taken(world, bundle(entry(patient(local)), entry(again)))
        assert (same, one, two) == (id, 1, 2)
        assert world.get("marc", f"{PATH}/{id}").json()["words"] == "Deux"

    def test_is_known_by_its_profile_or_its_number(self):
        assert REGISTRY.of_resource(life()) is LIFE
        assert REGISTRY.of_resource(life(meta={})) is LIFE
        assert REGISTRY.of_resource(life(meta={}, identifier=[])) is not LIFE

    def test_its_number_is_sealed(self, world: World, came: UUID):
        [row] = world.rows("SELECT * FROM life_project WHERE id = $1", came)
        assert NIR not in str(dict(row))

    def test_the_official_one_goes_back_as_it_came(self, world: World):
        resources = [e["resource"] for e in official.bundle(official.BUNDLES[1])["entry"]]
        [received] = [r for r in resources if r["meta"].get("profile") == [PROFILE]]
        received = received | {"subject": {"reference": "Patient/p"}}
        [_, id] = arrived(world, received)
        assert said(read_back(world, "Goal", id)) == said(received)
        assert world.get("marc", f"{PATH}/{id}").json()["aim_on"] == received["target"][0]["dueDate"]


class TestGoingOut:
    def test_written_by_rest_alone_leaves_whole(self, world: World, ours: str):
        told = left(world, "sonia", "Goal", ours)
        assert unfilled("tddui-goal-projet-vie", told) == []
        number = f"3{FINESS}/{world.ids['jeanne'].hex}-PDV-{ours.replace('-', '')}"
        assert (told["identifier"][0]["system"], told["identifier"][0]["value"]) == (SYSTEM, number)
        assert (told["description"], told["lifecycleStatus"], told["startDate"]) == (
            {"text": "Rester près de mon jardin."},
            "active",
            "2026-02-01",
        )
        assert told["target"] == [
            {"measure": MEASURE, "detailString": "Une chambre au rez-de-chaussée.", "dueDate": "2027-01-31"}
        ]
        assert told["expressedBy"] == {"display": "Sa sœur"}
        author = told["_lifecycleStatus"]["extension"][0]["valueReference"]["reference"]
        assert author == f"Practitioner/{world.ids['sonia']}"

    def test_what_the_team_changes_leaves(self, world: World):
        *_, id = arrived(world, PRACTITIONER, MOTHER, life())
        changes = {
            "words": "Vivre à la campagne.", "aim": "Un potager.", "aim_on": "2028-01-01", "starts": "2026-03-01",
            "status": "completed",
        }  # fmt: skip
        answer = world.patch("marc", f"{PATH}/{id}", changes, 1)
        assert answer.status_code == 200, answer.text
        told = left(world, "marc", "Goal", id)
        assert (told["description"]["text"], told["lifecycleStatus"], told["startDate"]) == (
            "Vivre à la campagne.",
            "completed",
            "2026-03-01",
        )
        assert told["target"] == [{"measure": MEASURE, "detailString": "Un potager.", "dueDate": "2028-01-01"}]
        author = told["_lifecycleStatus"]["extension"][0]["valueReference"]["reference"]
        assert author == f"Practitioner/{world.ids['marc']}"

    def test_leaves_and_comes_back_equal(self, world: World, ours: str):
        told = left(world, "sonia", "Goal", ours)
        assert there_and_back(world, told) == said(told)

    def test_a_person_who_wrote_it_is_no_author_of_a_status(self, world: World):
        written = world.post("karim", "/api/v1/me/project/life", {"words": "Travailler."})
        told = left(world, "sonia", "Goal", written.json()["id"])
        assert "_lifecycleStatus" not in told
        assert told["expressedBy"] == {"reference": f"Patient/{world.ids['karim']}"}


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", True),
            ("&lifecycle-status=active", True),
            ("&lifecycle-status=completed", False),
            ("&start-date=2026-02", True),
            ("&start-date=lt2026", False),
            ("&target-date=2027-01-31", True),
            ("&target-date=gt2027-02", False),
        ],
    )
    def test_finds_it_among_the_goals(self, world: World, ours: str, query: str, found: bool):
        answer = world.get("sonia", f"/fhir/Goal?patient={world.ids['jeanne']}{query}")
        assert answer.status_code == 200, answer.text
        assert (ours in [e["resource"]["id"] for e in answer.json().get("entry", [])]) == found

    def test_by_its_number(self, world: World, ours: str):
        [number] = left(world, "sonia", "Goal", ours)["identifier"]
        answer = world.get("sonia", f"/fhir/Goal?identifier={number['system']}|{number['value']}").json()
        assert [e["resource"]["id"] for e in answer["entry"]] == [ours]
