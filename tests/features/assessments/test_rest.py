"""What each caller may do with evaluations, through the doors of the team and of the person."""

from typing import Any

import pytest

from app.kernel.clock import today
from tests.features.assessments.exchanged import SERAFIN
from tests.features.consents.people import represent
from tests.features.projects.exchanged import bare
from tests.world import World

PATH, MINE = "/api/v1/assessments", "/api/v1/me/assessments"
AGGIR = "https://ailleurs.example/Questionnaire/aggir"


def answered(link_id: str = "besoin-douleur", value: Any = 2, kind: str = "integer", **more: Any) -> dict[str, Any]:
    return {"link_id": link_id, "answers": [{"type": kind, "value": value}], **more}


def said(world: World, usager: str = "lucas", place: str = "ime", **more: Any) -> dict[str, Any]:
    whose = {"usager_id": str(world.ids[usager]), "structure_id": str(world.ids[place])}
    return {**whose, "questionnaire": SERAFIN, "items": [answered()], **more}


def written(world: World, who: str = "sonia", **more: Any) -> str:
    answer = world.post(who, PATH, said(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def wrong(world: World, **more: Any) -> list[tuple[str, str]]:
    answer = world.post("sonia", PATH, said(world, **more))
    assert answer.status_code == 422, answer.text
    return [(e["where"], e["code"]) for e in answer.json()["errors"]]


@pytest.fixture(scope="module")
def protected(world: World) -> None:
    """Lucas lives in a place that is protected; who represents him is from elsewhere."""
    stay = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["mecs"]), "starts": str(today())}
    assert world.post("odile", "/api/v1/stays", {**stay, "place_protected": True}).status_code == 201
    represent(world, "mother_far", "lucas", "autorite_parentale")


class TestWrite:
    def test_is_read_back_with_the_words_of_the_grid(self, world: World):
        told = world.get("sonia", written(world)).json()
        assert told["items"] == [
            {
                "link_id": "besoin-douleur",
                "text": "Besoins en matière de douleur",
                "answers": [{"type": "integer", "value": 2}],
            }
        ]
        assert (told["status"], told["category"], told["visibility"]) == ("done", "support", "shared")
        assert {told["assessor_id"], told["recorder_id"]} == {str(world.ids["sonia"])}

    def test_another_grid_is_care_unless_said(self, world: World):
        told = world.get("leila", written(world, "leila", usager="jeanne", place="ehpad", questionnaire=AGGIR)).json()
        assert (told["category"], told["visibility"]) == ("care", "not_shared")
        place = written(world, "leila", usager="jeanne", place="ehpad", questionnaire=AGGIR, category="support")
        assert world.get("leila", place).json()["visibility"] == "shared"

    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 201), ("marc", 201), ("leila", 404), ("odile", 403), ("helene", 403), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, said(world)).status_code == status

    @pytest.mark.parametrize(
        ("items", "found"),
        [
            ([answered("besoin-x")], ("/items/0/link_id", "questionnaire.unknown_question")),
            ([answered(value="deux", kind="text")], ("/items/0/answers/0/value", "questionnaire.wrong_type")),
            ([answered(), answered()], ("/items/1/link_id", "questionnaire.twice")),
            (
                [{"link_id": "besoin-douleur", "answers": answered()["answers"] * 2}],
                ("/items/0/answers", "questionnaire.one_answer"),
            ),
        ],
    )
    def test_refused_when_it_does_not_follow_the_grid(self, world: World, items: list[Any], found: tuple[str, str]):
        assert wrong(world, items=items) == [found]

    def test_every_fault_is_told_at_once(self, world: World):
        assert len(wrong(world, items=[answered("x"), answered("y")])) == 2

    def test_a_refusal_names_the_question_and_no_received_value(self, world: World):
        answer = world.post("sonia", PATH, said(world, items=[answered(value="255081416802538", kind="text")]))
        assert "besoin-douleur" in answer.json()["errors"][0]["message"]
        assert "255081416802538" not in answer.text

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("boolean", "true"), ("integer", 2.5), ("integer", 2**31), ("date", "2026-02-31"), ("time", "8h"),
            ("datetime", "hier"), ("choice", {"code": " "}), ("quantity", {}), ("quantity", {"value": 1, "code": "h"}), ("choice", {}),
            ("reference", {}), ("attachment", {}), ("attachment", {"data": "YQ=="}), ("attachment", {"data": "?"}), ("other", 1),
        ],
    )  # fmt: skip
    def test_refused_when_a_value_is_not_of_its_type(self, world: World, kind: str, value: Any):
        assert wrong(world, questionnaire=AGGIR, items=[answered("a", value, kind)])

    def test_answers_of_any_depth_are_kept(self, world: World):
        deep = {
            "link_id": "a",
            "items": [
                {"link_id": "b", "answers": [{"type": "boolean", "value": True, "items": [answered("c", "x", "text")]}]}
            ],
        }
        place = written(world, questionnaire=AGGIR, items=[deep], category="support")
        assert world.get("sonia", place).json()["items"] == [deep]

    def test_a_self_assessment_noted_by_the_team_is_given_to_the_structure(self, world: World):
        told = world.get("sonia", written(world, self_assessment=True)).json()
        assert (told["assessor_id"], told["assessor_kind"]) == (str(world.ids["lucas"]), "usager")
        assert told["holder_id"] == str(world.ids["ime"])
        assert wrong(world, self_assessment=True, assessor_id=str(world.ids["sonia"]))[0][1] == "assessment.own"

    def test_who_made_it_is_in_the_directory(self, world: World):
        unknown = str(world.ids["yann"])
        assert wrong(world, assessor_id=unknown) == [("/assessor_id", "professional.unknown")]
        assert wrong(world, responsible_id=unknown) == [("/responsible_id", "professional.unknown")]

    def test_is_not_made_in_the_future(self, world: World):
        assert wrong(world, assessed_at="2199-01-01T00:00:00Z") == [("/assessed_at", "assessment.future")]

    def test_takes_three_statements(self, world: World):
        with world.statements() as seen:
            written(world)
        assert len(seen) <= 4, seen.sql


class TestLater:
    def moved(self, world: World, place: str, who: str, version: int, **body: Any) -> int:
        return int(world.patch(who, place, body, version).status_code)

    def test_is_approved_then_validated_then_stays(self, world: World):
        place = written(world)
        assert self.moved(world, place, "sonia", 1, status="validated") == 409
        assert self.moved(world, place, "marc", 1, status="approved") == 200
        assert self.moved(world, place, "sonia", 2, items=[answered(value=3)]) == 409
        assert self.moved(world, place, "marc", 2, status="validated") == 200
        assert self.moved(world, place, "marc", 3, comment="Trop tard") == 409
        assert self.moved(world, place, "marc", 3, visibility="not_shared") == 200
        told = world.get("marc", place).json()
        assert (told["status"], told["status_author_id"]) == ("validated", str(world.ids["marc"]))
        assert world.delete("sonia", place, 4).status_code == 409

    def test_answers_are_corrected_while_it_is_only_done(self, world: World):
        place = written(world)
        change = {
            "items": [answered(value=4)],
            "assessed_at": "2026-01-02T09:00:00Z",
            "responsible_id": str(world.ids["marc"]),
        }
        assert self.moved(world, place, "sonia", 1, **change) == 200
        told = world.get("sonia", place).json()
        assert told["items"][0]["answers"][0]["value"] == 4
        assert (told["occurred_at"][:10], told["responsible_id"]) == ("2026-01-02", str(world.ids["marc"]))
        assert self.moved(world, place, "sonia", 2, items=[answered("x")]) == 422

    def test_its_author_removes_it_and_no_other(self, world: World):
        place = written(world)
        assert world.delete("marc", place, 1).status_code == 403
        assert world.delete("sonia", place, 1).status_code == 204
        assert world.get("sonia", place).status_code == 410

    def test_lists_narrow_to_one_person_and_one_grid(self, world: World):
        place = written(world, usager="ines", place="mecs")
        written(world, usager="ines", place="mecs", questionnaire=AGGIR, category="support")
        whose = f"?usager={world.ids['ines']}"
        url = SERAFIN.partition("|")[0]
        of = {
            query: [row["questionnaire"] for row in world.get("sonia", f"{PATH}{query}").json()["items"]]
            for query in (whose, f"{whose}&questionnaire={url}", f"{whose}&questionnaire={SERAFIN}")
        }
        assert [len(found) for found in of.values()] == [2, 1, 1]
        assert place.rpartition("/")[2] in world.get("sonia", PATH).text


class TestThePerson:
    def test_reads_what_is_shared_and_no_more(self, world: World):
        shown, kept = written(world), written(world, visibility="not_shared")
        told = world.get("lucas", MINE).json()["items"]
        ids = {row["id"] for row in told}
        assert shown.rpartition("/")[2] in ids
        assert kept.rpartition("/")[2] not in ids
        one = world.get("lucas", shown.replace(PATH, MINE)).json()
        assert (one["assessor_role"], one["mine"]) == ("educateur", False)
        assert world.get("lucas", kept.replace(PATH, MINE)).status_code == 404

    def test_says_how_they_are_and_the_team_reads_it(self, world: World):
        body = {"questionnaire": SERAFIN, "items": [answered()], "comment": "J'ai mal le soir."}
        answer = world.post("lucas", MINE, body)
        assert answer.status_code == 201, answer.text
        place = answer.headers["location"]
        assert world.get("lucas", place).json()["mine"] is True
        told = world.get("sonia", place.replace(MINE, PATH)).json()
        assert (told["assessor_kind"], told["author_kind"], told["holder_id"]) == (
            "usager",
            "usager",
            str(world.ids["ime"]),
        )
        out = world.get("sonia", place.replace(MINE, "/fhir/QuestionnaireResponse")).json()
        assert out["source"] == {"reference": f"Patient/{world.ids['lucas']}"}
        assert "TDDUIHolder" in str(out["extension"])

    def test_follows_the_grid_too(self, world: World):
        answer = world.post("lucas", MINE, {"questionnaire": SERAFIN, "items": [answered("x")]})
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/items/0/link_id")

    def test_nobody_answers_in_their_place(self, world: World):
        represent(world, "mother_of_forms", "lucas", "autorite_parentale")
        answer = world.post("mother_of_forms", MINE, {"questionnaire": SERAFIN, "items": [answered()]})
        assert answer.status_code == 403

    def test_a_protected_house_is_not_told_to_who_represents_them(self, world: World, protected: None):
        place = written(world, place="mecs", self_assessment=True)
        fhir = place.replace(PATH, "/fhir/QuestionnaireResponse")
        told = {who: world.get(who, fhir) for who in ("sonia", "mother_far")}
        assert {who: str(world.ids["mecs"]) in a.text for who, a in told.items()} == {
            "sonia": True,
            "mother_far": False,
        }
        assert "lieu protégé" in told["mother_far"].text

    @pytest.mark.threat("protected-house-named")
    def test_nor_what_is_written_freely_there(self, world: World, protected: None):
        place = written(world, place="mecs", comment="Vu aux Tilleuls", items=[answered(comment="Aux Tilleuls")])
        mine = place.replace(PATH, MINE)
        for asked in (mine, MINE):
            told = {who: world.get(who, asked).text for who in ("lucas", "mother_far")}
            assert {who: words.count("Tilleuls") for who, words in told.items()} == {"lucas": 2, "mother_far": 0}
            assert "wordless" not in told["lucas"] + told["mother_far"]
        parent = world.get("mother_far", mine).json()
        assert (parent["comment"], parent["items"][0]["answers"]) == (None, answered()["answers"])


class TestOut:
    def test_what_rest_alone_made_is_exported_whole(self, world: World):
        more = {"method": "Entretien", "comment": "Calme", "responsible_id": str(world.ids["marc"])}
        links = {"event_id": str(world.ids["karim"]), "attachment_ids": [str(world.ids["jeanne"])]}
        place = written(world, **more, **links)
        out = world.get("sonia", place.replace(PATH, "/fhir/QuestionnaireResponse")).json()
        assert out["questionnaire"] == SERAFIN
        assert out["item"][0]["answer"] == [{"valueInteger": 2}]
        assert out["encounter"] == {"reference": f"Encounter/{world.ids['karim']}"}
        assert {"Entretien", "Calme"} <= {e.get("valueString") for e in out["extension"]}
        assert [out[who] for who in ("source", "author")] == [{"reference": f"Practitioner/{world.ids['sonia']}"}] * 2
        assert f"Practitioner/{world.ids['marc']}" in str(out["extension"])
        assert f"DocumentReference/{world.ids['jeanne']}" in str(out["extension"])

    def test_what_rest_changes_is_found_in_the_export(self, world: World):
        place = written(world)
        fhir = place.replace(PATH, "/fhir/QuestionnaireResponse")
        before = bare(world.get("sonia", fhir).json())
        change = {
            "items": [answered(value=4)],
            "comment": "Revue",
            "method": "urn:m|e",
            "assessed_at": "2026-01-02T09:00:00Z",
        }
        assert world.patch("sonia", place, {**change, "status": "approved"}, 1).status_code == 200
        after = bare(world.get("sonia", fhir).json())
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed == {"extension", "status", "authored", "item"}

    def test_a_goal_leads_to_it(self, world: World):
        place = written(world)
        project = world.post(
            "sonia",
            "/api/v1/projects",
            {k: v for k, v in said(world).items() if k.endswith("_id")} | {"title": "Projet"},
        )
        goal = world.post(
            "sonia",
            f"{project.headers['location']}/goals",
            {"title": "Dormir", "evaluation_ids": [place.rpartition("/")[2]]},
        )
        assert goal.status_code == 201, goal.text
        out = world.get("sonia", f"/fhir/Goal/{goal.json()['id']}").json()
        leads = [
            e["valueReference"]["reference"] for e in out["extension"] if e["url"].endswith("evaluation-reference")
        ]
        assert world.get("sonia", f"/fhir/{leads[0]}").json()["resourceType"] == "QuestionnaireResponse"
