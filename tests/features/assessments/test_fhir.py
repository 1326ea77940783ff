"""An evaluation and its QuestionnaireResponse say the same, both ways; answers of every type and depth go and come."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.assessments import answers, grids, serafin
from app.features.assessments.fhir import ASSESSMENT, PROFILE, SYSTEM
from app.fhir.mapping import about_extra, as_read, plain
from app.fhir.packages.held import NOTHING
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.test_receive import fresh, sent, taken
from tests.features.assessments.exchanged import PLACE, PRO, SERAFIN, answered, extension, inbound_of, to
from tests.features.maps import Bench, same_but_ours
from tests.features.projects.exchanged import filled
from tests.fhir import official
from tests.fhir.kept import kept_names
from tests.world import World

BESIDE = {"identifier"}  # a received number may hold a NIR
MODELLED = {
    "questionnaire", "status", "status_author_id", "status_author_kind", "assessed_at", "assessor_id", "assessor_kind",
    "responsible_id", "responsible_kind", "recorder_id", "recorder_kind", "holder_id", "event_id", "method", "comment",
    "attachment_ids", "items",
}  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


def beside(bench: Bench, row: Any) -> set[str]:
    return set(kept_names(orjson.loads(bench.key.open(row.extra, about_extra(type(row), row.id)))))


class TestOwnExample:
    def test_comes_back_equal(self, bench: Bench):
        received = answered(bench.usager)
        arrived = bench.arrived(ASSESSMENT, received, inbound_of(bench))
        assert same_but_ours(bench.back(ASSESSMENT, arrived), received)

    def test_goes_to_others_whole(self, bench: Bench):
        received = answered(bench.usager)
        arrived = bench.arrived(ASSESSMENT, received, inbound_of(bench))
        assert same_but_ours(bench.back(ASSESSMENT, arrived, own=False), received)

    def test_every_element_is_modelled(self, bench: Bench):
        row = bench.arrived(ASSESSMENT, answered(bench.usager), inbound_of(bench)).row
        assert beside(bench, row) == BESIDE
        assert {name for name in MODELLED if getattr(row, name) is None} == set()

    def test_fills_its_profile(self, bench: Bench):
        definition = orjson.loads(
            official.text("tddui/definitions/StructureDefinition-tddui-questionnaire-response.json")
        )
        said, unsaid = filled(definition, answered(bench.usager))
        assert len(said) / (len(said) + len(unsaid)) >= 0.95, unsaid

    def test_goes_out_as_valid_r4(self, bench: Bench):
        arrived = bench.arrived(ASSESSMENT, answered(bench.usager), inbound_of(bench))
        get_fhir_model_class("QuestionnaireResponse").model_validate(bench.back(ASSESSMENT, arrived))

    def test_its_number_is_no_column(self, bench: Bench):
        row = bench.arrived(ASSESSMENT, answered(bench.usager), inbound_of(bench)).row
        assert not any("4711-EVAL" in str(getattr(row, c.key)) for c in row.__table__.columns)


@pytest.mark.parametrize(
    "more",
    [
        {"status": "stopped"},
        {"status": "in-progress", "authored": "2026-03"},
        {"basedOn": [{"reference": "CarePlan/x"}], "text": {"status": "empty", "div": "<div>a</div>"}},
        {"author": {"display": "Service social"}},
        {"source": {"reference": "Practitioner/unknown", "display": "Anne"}},
        {"encounter": {"reference": "Encounter/unknown"}},
        {"item": [{"linkId": "a", "definition": "urn:d", "answer": [{"valueReference": {"reference": "Location/x"}}]}]},
        {"item": [{"linkId": "a", "answer": [{"valueCoding": {"code": "c", "userSelected": True}}]}]},
        {"item": [{"linkId": "a", "_text": {"extension": [{"url": "urn:u", "valueCode": "x"}]}, "text": "t"}]},
        {
            "extension": [
                extension("assessment-method", "CodeableConcept", {"coding": [{"system": "s:s", "code": "m"}]})
            ]
        },
        {"extension": [extension("assessment-method", "Code", "m")]},
    ],
)
def test_nothing_received_is_lost_to_its_sender(bench: Bench, more: dict[str, Any]):
    received = answered(bench.usager, **more)
    arrived = bench.arrived(ASSESSMENT, received, inbound_of(bench))
    assert same_but_ours(bench.back(ASSESSMENT, arrived), received)


def test_the_holder_is_heard_under_its_former_name(bench: Bench):
    inside = [{"url": "TDDUIPorteur", "valueReference": to("Organization", PLACE)}]
    received = answered(
        bench.usager,
        extension=[{"url": f"{PROFILE[: -len('questionnaire-response')]}qr-participant", "extension": inside}],
    )
    arrived = bench.arrived(ASSESSMENT, received, inbound_of(bench))
    assert arrived.row.holder_id == PLACE
    assert "TDDUIHolder" in str(plain(ASSESSMENT.to_fhir(bench.view(ASSESSMENT, **told(arrived.row)))))


def told(row: Any) -> dict[str, Any]:
    names = set(ASSESSMENT.view.__struct_fields__) - {"extra", "wrapped_key", "finess", "house_hidden"}
    values = {name: getattr(row, name, None) for name in names}
    return {k: str(v) if k.endswith("_id") and v else v for k, v in values.items()} | {"id": str(row.id)}


@pytest.mark.parametrize(
    ("status", "code"),
    [("done", "in-progress"), ("approved", "completed"), ("validated", "amended"), ("cancelled", "entered-in-error")],
)
def test_a_status_is_said_as_tddui_says_it(bench: Bench, status: str, code: str):
    view = bench.view(ASSESSMENT, status=status, items="[]", questionnaire="urn:q", finess="380000018")
    said = plain(ASSESSMENT.to_fhir(view))
    assert said["status"] == code
    assert said["identifier"] == {"system": SYSTEM, "value": f"3380000018/{bench.usager.hex}-EVAL-{bench.id.hex}"}


@pytest.mark.parametrize(
    ("questionnaire", "category"),
    [(SERAFIN, "support"), (SERAFIN.partition("|")[0], "support"), (SERAFIN.replace("serafin", "aggir"), "care")],
)
def test_its_grid_says_its_category(bench: Bench, questionnaire: str, category: str):
    row = bench.arrived(ASSESSMENT, answered(bench.usager, questionnaire=questionnaire), inbound_of(bench)).row
    assert row.category == category


def test_answers_are_told_apart_by_the_path_of_their_questions(bench: Bench):
    row = bench.arrived(ASSESSMENT, answered(bench.usager), inbound_of(bench)).row
    paths = [path for path, _ in answers.lines(answers.read(row.items))]
    assert paths[:3] == [("a",), ("a", "a.1"), ("b", "b.1")]


class TestTheGrid:
    def test_is_the_official_one_by_its_facts(self):
        grid = orjson.loads(official.text("tddui/examples/Questionnaire-tddui-questionnaire-serafin.v2.4.0.json"))
        theirs = {(i["linkId"], i["code"][0]["system"], i["code"][0]["code"], i["type"]) for i in grid["item"]}
        ours = serafin.questionnaire()
        assert {(i["linkId"], i["code"][0]["system"], i["code"][0]["code"], i["type"]) for i in ours["item"]} == theirs
        assert (ours["url"], ours["version"]) == (grid["url"], grid["version"])

    def test_is_valid_r4(self):
        get_fhir_model_class("Questionnaire").model_validate(serafin.questionnaire())


def doubts(response: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f.where, f.code) for f in grids.doubts(response, "QuestionnaireResponse", NOTHING)]


class TestDoubts:
    @pytest.mark.parametrize(
        ("items", "found"),
        [
            ([{"linkId": "besoin-douleur", "answer": [{"valueInteger": 2}]}], []),
            (
                [{"linkId": "besoin-inconnu", "answer": [{"valueInteger": 2}]}],
                [("QuestionnaireResponse.item[0].linkId", "questionnaire.unknown_question")],
            ),
            (
                [{"linkId": "besoin-douleur", "answer": [{"valueString": "2"}]}],
                [("QuestionnaireResponse.item[0].answer[0].value", "questionnaire.wrong_type")],
            ),
        ],
    )
    def test_of_answers_to_a_grid_we_hold(self, bench: Bench, items: list[Any], found: list[Any]):
        assert doubts(answered(bench.usager, questionnaire=SERAFIN, item=items)) == found

    def test_none_of_answers_to_a_grid_we_do_not_hold(self, bench: Bench):
        assert doubts(answered(bench.usager)) == []

    def test_a_self_assessment_has_a_holder(self, bench: Bench):
        received = answered(bench.usager, source=to("Patient", bench.usager), extension=[])
        assert doubts(received) == [("QuestionnaireResponse.extension", "assessment.no_holder")]

    def test_somebody_made_it(self, bench: Bench):
        received = answered(bench.usager, extension=[])
        del received["source"], received["author"]
        assert doubts(received) == [("QuestionnaireResponse.source", "assessment.nobody")]

    def test_a_professional_alone_is_enough(self, bench: Bench):
        received = answered(bench.usager, source=to("Practitioner", PRO), extension=[])
        assert doubts(received) == []


def response(**more: Any) -> dict[str, Any]:
    number = fresh()
    identifier = {"system": SYSTEM, "value": f"3380000018/9001-EVAL-{number}"}
    body = answered(PRO, questionnaire=SERAFIN, subject=to("Patient", "p"), identifier=identifier)
    items = [{"linkId": "besoin-douleur", "answer": [{"valueInteger": 2}]}]
    for name in ("_status", "encounter", "extension"):
        del body[name]
    source = {"display": "Rose Duval"}
    return body | {"id": "q", "item": items, "author": source, "source": source} | more


class TestAtTheDoor:
    def test_arrives_in_the_dossier_of_its_person(self, world: World):
        told = taken(world, bundle(entry(patient(fresh())), entry(response())))
        place = f"/api/v1/assessments/{told[1][1]}"
        row = world.get("marc", place).json()
        assert (row["status"], row["category"], row["visibility"], row["assessor_name"]) == (
            "validated",
            "support",
            "not_shared",
            "Rose Duval",
        )
        assert row["items"] == [{"link_id": "besoin-douleur", "answers": [{"type": "integer", "value": 2}]}]
        fhir = f"/fhir/QuestionnaireResponse/{told[1][1]}"
        assert [world.get(who, fhir).status_code for who in ("chu", "marc", "mdph", "yann")] == [200, 200, 404, 404]

    def test_a_wrong_answer_is_a_warning_or_a_fault_to_the_letter(self, world: World):
        wrong = response(item=[{"linkId": "besoin-douleur", "answer": [{"valueString": "deux"}]}])
        lenient = sent(world, bundle(entry(patient(fresh())), entry(wrong)))
        issues = lenient.json()["entry"][1]["response"]["outcome"]["issue"]
        assert "Bundle.entry[1].resource.item[0].answer[0].value" in [e for i in issues for e in i["expression"]]
        strict = {"Prefer": "handling=strict"}
        other = sent(world, bundle(entry(patient(fresh())), entry(response() | {"item": wrong["item"]})), **strict)
        assert other.status_code == 422, other.text
        assert "besoin-douleur" in other.text

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (f"questionnaire={SERAFIN.partition('|')[0]}", True),
            (f"questionnaire={SERAFIN}", True),
            ("questionnaire=urn:other", False),
            ("status=amended", True),
            ("status=completed", False),
            ("authored=2026-03", True),
            ("authored=lt2026", False),
        ],
    )
    def test_is_searched(self, world: World, query: str, found: bool):
        told = taken(world, bundle(entry(patient(fresh())), entry(response())))
        answer = world.get("marc", f"/fhir/QuestionnaireResponse?patient=Patient/{told[0][1]}&{query}")
        assert answer.status_code == 200, answer.text
        assert bool(answer.json().get("entry")) == found


class TestProtectedHouse:
    HOUSE = "Maison Cachette"

    def told(self, bench: Bench, holder: dict[str, Any], **reader: Any) -> dict[str, Any]:
        """What leaves of an evaluation that names the house wherever it is free to."""
        received = answered(bench.usager, author={"display": self.HOUSE}, source={"display": self.HOUSE})
        received["extension"][0]["extension"][1]["valueReference"] = holder | {"display": self.HOUSE}
        for place, name in ((2, "valueString"), (3, "valueString")):
            received["extension"][place][name] = self.HOUSE
        received["item"][0]["extension"][0]["valueString"] = self.HOUSE
        inside = received["item"][1]["item"]
        inside[4]["answer"] = [{"valueString": self.HOUSE}]
        inside[5]["answer"] = [{"valueUri": f"https://{self.HOUSE}"}]
        inside[6]["answer"][0]["valueCoding"]["display"] = self.HOUSE
        inside[9]["answer"] = [{"valueReference": {"display": self.HOUSE}}]
        row = bench.arrived(ASSESSMENT, received, inbound_of(bench)).row
        view = as_read(ASSESSMENT.view, row, {"wrapped_key": bench.wrapped, "house_hidden": True})
        return plain(ASSESSMENT.out(view, bench.keyring, **reader))

    @pytest.mark.threat("protected-house-named")
    @pytest.mark.parametrize("led", [True, False], ids=["led to", "named alone"])
    def test_is_named_to_nobody_of_outside(self, bench: Bench, led: bool):
        number = {"identifier": {"system": "https://finess.esante.gouv.fr", "value": "380000018"}}
        holder = to("Organization", PLACE) | number if led else number
        told = self.told(bench, holder, outside=True)
        assert self.HOUSE.encode() not in orjson.dumps(told)
        assert b"380000018" not in orjson.dumps(told)
        assert str(PLACE).encode() not in orjson.dumps(told)
        get_fhir_model_class("QuestionnaireResponse").model_validate(told)

    def test_leaves_what_is_ticked_and_counted(self, bench: Bench):
        told = self.told(bench, {}, outside=True)
        inside = {item["linkId"]: item.get("answer") for item in told["item"][1]["item"]}
        assert told["item"][0]["answer"][0]["valueInteger"] == 3
        assert inside["b.7"] == [{"valueCoding": {"system": "urn:s", "code": "c"}}]
        assert inside["b.5"] is None

    def test_is_named_to_the_team(self, bench: Bench):
        assert self.HOUSE.encode() in orjson.dumps(self.told(bench, to("Organization", PLACE)))
