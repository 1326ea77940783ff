"""The person in their own project, and who represents them: read, answer, say, add words. Each door tried."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.clock import today
from tests.features.projects.cast import ME, PATH, act, id_of, part, prepared, represented, validated
from tests.world import World


@pytest.fixture(scope="module", autouse=True)
def claire(world: World) -> None:
    """Lucas is nine; his mother and his father represent him. Karim is thirty-four; M. Blanc does."""
    for name, usager in (("claire", "lucas"), ("paul", "lucas"), ("blanc", "karim")):
        represented(world, name, usager)


def position(world: World, who: str, project: str, answer: str = "no", **more: object) -> Any:
    seen = world.get(who, ME).json()["seen"]
    return world.post(who, f"{ME}/position", {"project_id": id_of(project), "answer": answer, "seen": seen} | more)


class TestRead:
    def test_the_person_reads_the_project_under_way(self, world: World):
        project = validated(world)
        prepared(world)
        told = world.get("jeanne", ME).json()
        assert (told["id"], told["status"]) == (id_of(project), "active")
        assert world.get("jeanne", f"{ME}?state=draft").json()["status"] == "draft"

    def test_what_is_not_shared_is_not_there(self, world: World):
        project = validated(world, usager="ines", structure="mecs")
        part(world, project, "goals", title="Montré")
        part(world, project, "goals", title="Pas montré", visibility="not_shared")
        assert [g["title"] for g in world.get("ines", ME).json()["goals"]] == ["Montré"]

    def test_who_represents_reads_it_too(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        assert world.get("claire", ME).json()["id"] == id_of(project)

    def test_none_yet_is_said_kindly(self, world: World):
        world.rows("UPDATE project SET deleted_at = now() WHERE usager_id = $1", world.ids["karim"])
        answer = world.get("karim", ME)
        assert (answer.status_code, answer.json()["code"]) == (404, "project.none")

    @pytest.mark.parametrize("who", ["sonia", "chu"])
    def test_is_no_door_for_the_team_nor_a_partner(self, world: World, who: str):
        assert world.get(who, ME).status_code == 401

    def test_the_teams_door_is_not_the_persons(self, world: World):
        assert world.get("jeanne", PATH).status_code == 401

    def test_another_value_of_state_is_refused(self, world: World):
        assert world.get("jeanne", f"{ME}?state=completed").status_code == 400

    def test_leaves_a_trace_of_each_kind_read(self, world: World):
        project = validated(world)
        part(world, project, "goals", title="Sortir")
        answer = world.get("jeanne", ME)
        kinds = {line["kind"] for line in world.traces(request_id=answer.headers["x-request-id"])}
        assert kinds == {"project", "goal", "agreement"}

    def test_costs_one_statement_or_two(self, world: World):
        validated(world)
        world.get("jeanne", ME)
        with world.statements() as counted:
            world.get("jeanne", ME)
        assert len(counted) <= 2, counted.sql


class TestPosition:
    def test_a_no_is_kept_with_what_was_shown_and_seen_by_the_team(self, world: World):
        project = validated(world)
        given = position(world, "jeanne", project, words="Je voulais aussi un chat.")
        assert (given.status_code, given.json()["shown_version"]) == (201, 2)
        told = world.get("sonia", project).json()
        [mine] = [a for a in told["agreements"] if a["party"] == "usager"]
        assert (mine["answer"], mine["comment"], mine["author_kind"]) == ("no", "Je voulais aussi un chat.", "usager")
        assert told["disagreement"] is True

    def test_is_read_back_at_its_address(self, world: World):
        given = position(world, "jeanne", validated(world))
        assert world.get("jeanne", given.headers["location"]).json() == given.json()

    @pytest.mark.parametrize("answer", ["yes", "no", "talk"])
    def test_three_answers_are_equal(self, world: World, answer: str):
        assert position(world, "jeanne", validated(world), answer).json()["answer"] == answer

    @pytest.mark.threat("project-answer-on-another-version")
    def test_on_a_project_that_changed_since_is_refused(self, world: World):
        project = validated(world)
        seen = world.get("jeanne", ME).json()["seen"]
        part(world, project, "goals", title="Un but de plus")
        said = {"project_id": id_of(project), "answer": "yes", "seen": seen}
        answer = world.post("jeanne", f"{ME}/position", said)
        assert (answer.status_code, answer.json()["code"]) == (409, "project.changed_since_seen")

    def test_on_a_project_that_is_over_is_refused(self, world: World):
        project = validated(world)
        seen = world.get("jeanne", ME).json()["seen"]
        act(world, project, "complete")
        said = {"project_id": id_of(project), "answer": "yes", "seen": seen}
        assert world.post("jeanne", f"{ME}/position", said).json()["code"] == "project.completed"

    def test_on_another_persons_project_is_not_found(self, world: World):
        project = validated(world, usager="ines", structure="mecs")
        said = {"project_id": id_of(project), "answer": "yes", "seen": "0" * 64}
        assert world.post("jeanne", f"{ME}/position", said).status_code == 404

    def test_twice_under_one_key_is_one_answer(self, world: World):
        project, key = validated(world), {"Idempotency-Key": str(uuid4())}
        said = {"project_id": id_of(project), "answer": "yes", "seen": world.get("jeanne", ME).json()["seen"]}
        first, again = (world.post("jeanne", f"{ME}/position", said, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])

    def test_two_parents_of_a_child_each_see_their_own_answer_the_team_both(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        mother, father = (position(world, who, project, said) for who, said in (("claire", "yes"), ("paul", "no")))
        seen = {
            who: [a["id"] for a in world.get(who, ME).json()["agreements"] if a["party"] == "representative"]
            for who in ("claire", "paul", "lucas")
        }
        assert seen == {"claire": [mother.json()["id"]], "paul": [father.json()["id"]], "lucas": []}
        team = world.get("sonia", project).json()
        assert {a["id"] for a in team["agreements"]} >= {mother.json()["id"], father.json()["id"]}
        assert team["disagreement"] is True

    def test_an_adult_sees_what_who_represents_them_answered(self, world: World):
        project = validated(world, usager="karim", structure="mas_fam")
        given = position(world, "blanc", project, "yes")
        assert given.json()["author_kind"] == "representative"
        assert given.json()["id"] in [a["id"] for a in world.get("karim", ME).json()["agreements"]]

    def test_of_a_representative_noted_by_the_team_for_a_child_stays_apart_too(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        noted = part(world, project, "agreements", party="representative", answer="no", signer_name="Sa mère")
        assert noted["visibility"] == "not_shared"

    def test_costs_four_statements(self, world: World):
        project = validated(world)
        said = {"project_id": id_of(project), "answer": "yes", "seen": world.get("jeanne", ME).json()["seen"]}
        world.post("jeanne", f"{ME}/position", said)
        with world.statements() as counted:
            assert world.post("jeanne", f"{ME}/position", said).status_code == 201
        assert len(counted) <= 4, counted.sql


class TestOpinion:
    def test_stands_beside_the_teams_view(self, world: World):
        project = validated(world)
        goal = part(world, project, "goals", title="Sortir", team_view="Elle sort plus souvent.")
        said = {"goal_id": goal["id"], "feeling": "disagree", "words": "Je sors trop."}
        assert world.post("jeanne", f"{ME}/opinion", said).status_code == 200
        told = world.get("sonia", f"{project}/goals/{goal['id']}").json()
        assert (told["team_view"], told["opinion_feeling"], told["opinion_words"]) == (
            "Elle sort plus souvent.",
            "disagree",
            "Je sors trop.",
        )
        assert told["opinion_at"] is not None

    def test_is_theirs_alone(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        goal = part(world, project, "goals", title="Lire")
        answer = world.post("claire", f"{ME}/opinion", {"goal_id": goal["id"], "feeling": "good"})
        assert answer.status_code == 403

    def test_of_a_goal_not_shared_is_not_found(self, world: World):
        goal = part(world, validated(world), "goals", title="Sortir", visibility="not_shared")
        assert world.post("jeanne", f"{ME}/opinion", {"goal_id": goal["id"], "feeling": "good"}).status_code == 404

    def test_of_another_persons_goal_is_not_found(self, world: World):
        goal = part(world, validated(world, usager="ines", structure="mecs"), "goals", title="Sortir")
        assert world.post("jeanne", f"{ME}/opinion", {"goal_id": goal["id"], "feeling": "good"}).status_code == 404

    def test_once_the_project_is_over_is_refused(self, world: World):
        project = validated(world)
        goal = part(world, project, "goals", title="Sortir")
        act(world, project, "complete")
        assert world.post("jeanne", f"{ME}/opinion", {"goal_id": goal["id"], "feeling": "good"}).status_code == 409

    def test_asked_twice_under_one_key_is_written_once(self, world: World):
        goal = part(world, validated(world), "goals", title="Sortir")
        key, said = {"Idempotency-Key": str(uuid4())}, {"goal_id": goal["id"], "feeling": "good"}
        first, again = (world.post("jeanne", f"{ME}/opinion", said, headers=key) for _ in "ab")
        assert (first.json()["version"], again.json()["version"]) == (2, 2)


class TestWords:
    def test_of_the_person_reach_the_team_verbatim(self, world: World):
        project = validated(world)
        words = "Je veux « mon » chat, et voir ma sœur <b>demain</b>."
        given = world.post("jeanne", f"{ME}/words", {"project_id": id_of(project), "words": words})
        assert world.get("jeanne", given.headers["location"]).json() == given.json()
        [told] = world.get("sonia", project).json()["expectations"]
        assert (told["words"], told["origin"], told["said_on"]) == (words, "usager", today().isoformat())

    def test_may_add_to_words_noted_by_the_team(self, world: World):
        project = validated(world)
        first = part(world, project, "expectations", origin="usager", words="Un chat.")
        said = {"project_id": id_of(project), "words": "Un noir.", "adds_to_id": first["id"]}
        assert world.post("jeanne", f"{ME}/words", said).json()["adds_to_id"] == first["id"]

    def test_that_add_to_words_of_another_project_are_refused(self, world: World):
        first = part(world, prepared(world), "expectations", origin="usager", words="Un chat.")
        said = {"project_id": id_of(validated(world)), "words": "Un noir.", "adds_to_id": first["id"]}
        assert world.post("jeanne", f"{ME}/words", said).status_code == 422

    def test_may_be_closed_to_who_represents_them(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        said = {"project_id": id_of(project), "words": "Pas pour mes parents.", "only_team": True}
        assert world.post("lucas", f"{ME}/words", said).status_code == 201
        told = {who: len(world.get(who, ME).json()["expectations"]) for who in ("lucas", "claire")}
        assert told == {"lucas": 1, "claire": 0}
        assert len(world.get("sonia", project).json()["expectations"]) == 1

    def test_of_a_parent_are_the_familys_and_are_not_shown_to_the_other(self, world: World):
        project = validated(world, usager="lucas", structure="ime")
        given = world.post("claire", f"{ME}/words", {"project_id": id_of(project), "words": "Il dort mal."})
        assert (given.status_code, given.json()["origin"]) == (201, "famille")
        told = {who: len(world.get(who, ME).json()["expectations"]) for who in ("claire", "paul")}
        assert told == {"claire": 1, "paul": 0}

    def test_twice_under_one_key_are_said_once(self, world: World):
        project, key = validated(world), {"Idempotency-Key": str(uuid4())}
        said = {"project_id": id_of(project), "words": "Un chat."}
        first, again = (world.post("jeanne", f"{ME}/words", said, headers=key) for _ in "ab")
        assert again.json()["id"] == first.json()["id"]
