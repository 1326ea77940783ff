"""What the team may do with a project and its parts, through the staff's door."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.clock import now, today
from tests.features.projects.cast import PATH, SERAFIN, act, body, id_of, part, prepared, signed, validated
from tests.world import World

PARTS: dict[str, dict[str, Any]] = {  # the least that is said of each
    "expectations": {"origin": "usager", "words": "Je veux revoir ma sœur."},
    "needs": {"text": "Marcher longtemps me fatigue."},
    "goals": {"title": "Aller au marché"},
    "actions": {"title": "Sortir le mardi"},
    "services": {"title": "Accompagnement à la vie sociale"},
    "means": {"title": "Un déambulateur"},
    "reviews": {"starts_at": "2026-03-02T14:00:00+01:00"},
}
MENDED: dict[str, dict[str, Any]] = {
    "expectations": {"comment": "Sa sœur habite à deux rues."},
    "needs": {"text": "Marcher plus d'une heure me fatigue."},
    "goals": {"step": "moving"},
    "actions": {"expected_result": "Aller seule jusqu'à la place"},
    "services": {"description": "Deux heures"},
    "means": {"description": "Celui à quatre roues"},
    "reviews": {"guests": "Sa sœur"},
}


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(e["where"], e["code"]) for e in answer.json()["errors"]]


class TestPrepare:
    def test_by_the_referent_who_reads_it_back_whole(self, world: World):
        project = prepared(world, description="Ce que nous décidons ensemble.")
        read = world.get("sonia", project)
        told = read.json()
        assert (read.status_code, told["status"], told["visibility"]) == (200, "draft", "shared")
        assert [told[name] for name in (*PARTS, "agreements")] == [[]] * 8
        assert read.headers["etag"] == 'W/"1"'

    def test_numbers_the_projects_of_one_person_in_one_place(self, world: World):
        numbers = [
            world.get("sonia", prepared(world, usager="karim", structure="mas_fam")).json()["number"] for _ in "ab"
        ]
        assert numbers == [1, 2]

    @pytest.mark.parametrize(
        ("who", "status"), [("odile", 403), ("helene", 403), ("leila", 201), ("marc", 201), ("yann", 404)]
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, body(world)).status_code == status

    def test_that_ends_before_it_starts_is_refused_naming_the_field(self, world: World):
        answer = world.post("sonia", PATH, body(world, starts="2026-05-01", ends="2026-04-01"))
        assert (answer.status_code, codes(answer)) == (422, [("/ends", "project.period")])

    def test_a_code_without_its_system_is_refused(self, world: World):
        answer = world.post("sonia", PATH, body(world, type_code="PPA"))
        assert (answer.status_code, codes(answer)[0][0]) == (422, "/type_code")

    def test_twice_under_one_key_is_one_project(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("sonia", PATH, body(world), headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


class TestCorrect:
    def test_makes_a_version(self, world: World):
        project = prepared(world)
        fixed = world.patch("sonia", project, {"communication": "Lu à voix haute, deux fois."}, 1)
        assert (fixed.status_code, fixed.json()["communication"]) == (200, "Lu à voix haute, deux fois.")
        assert fixed.headers["etag"] == 'W/"2"'

    def test_a_title_may_not_be_emptied(self, world: World):
        answer = world.patch("sonia", prepared(world), {"title": None}, 1)
        assert (answer.status_code, codes(answer)[0][0]) == (422, "/title")

    def test_the_end_is_judged_with_the_start_already_said(self, world: World):
        project = prepared(world, starts="2026-05-01")
        assert codes(world.patch("sonia", project, {"ends": "2026-04-01"}, 1)) == [("/ends", "project.period")]

    def test_the_status_is_no_field(self, world: World):
        assert world.patch("sonia", prepared(world), {"status": "active"}, 1).status_code == 422

    def test_from_a_stale_version_is_refused(self, world: World):
        project = prepared(world)
        world.patch("sonia", project, {"title": "B"}, 1)
        assert world.patch("sonia", project, {"title": "C"}, 1).status_code == 412

    def test_out_of_reach_is_not_found(self, world: World):
        assert world.patch("yann", prepared(world), {"title": "B"}, 1).status_code == 404


class TestLife:
    def test_validated_by_the_chief_once_the_structure_signed(self, world: World):
        project = prepared(world)
        signed(world, project)
        answer = act(world, project, "validate")
        told = answer.json()
        assert (answer.status_code, told["status"], told["status_author_id"]) == (
            200,
            "active",
            str(world.ids["marc"]),
        )
        assert told["starts"] == today().isoformat()

    def test_is_reviewed_within_a_year(self, world: World):
        project = validated(world)
        told = world.get("sonia", project).json()
        assert date.fromisoformat(told["next_review_on"]) - today() <= timedelta(days=366)

    def test_is_reviewed_sooner_where_the_house_says_so(self, world: World):
        chosen = {"scope": f"structure:{world.ids['mecs']}", "key": "project.review_months", "value": 3}
        assert world.post("helene", "/api/v1/settings", chosen).status_code == 201
        told = world.get("sonia", validated(world, usager="ines", structure="mecs")).json()
        assert 80 < (date.fromisoformat(told["next_review_on"]) - today()).days < 93

    def test_without_the_structures_signature_is_not_validated(self, world: World):
        answer = act(world, prepared(world), "validate")
        assert (answer.status_code, codes(answer)) == (409, [("/agreements", "project.no_structure_agreement")])

    def test_a_refusal_of_the_structure_is_no_signature(self, world: World):
        project = prepared(world)
        part(world, project, "agreements", "marc", party="structure", answer="no")
        assert act(world, project, "validate").status_code == 409

    def test_a_no_of_the_person_blocks_nothing(self, world: World):
        project = prepared(world)
        part(world, project, "agreements", party="usager", answer="no", comment="Je voulais un chat.")
        signed(world, project)
        assert act(world, project, "validate").status_code == 200
        assert world.get("marc", project).json()["disagreement"] is True

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("helene", 403), ("odile", 403), ("yann", 403)])
    def test_is_validated_by_no_other_role(self, world: World, who: str, status: int):
        project = prepared(world)
        signed(world, project)
        assert act(world, project, "validate", who).status_code == status

    def test_from_a_stale_version_is_not_validated(self, world: World):
        project = prepared(world)
        signed(world, project)
        world.patch("sonia", project, {"title": "B"}, 1)
        assert act(world, project, "validate", version=1).status_code == 412

    def test_pauses_resumes_and_ends(self, world: World):
        project = validated(world)
        states = [act(world, project, name, "sonia").json()["status"] for name in ("pause", "resume", "complete")]
        assert states == ["on_hold", "active", "completed"]
        assert world.get("sonia", project).json()["ends"] == today().isoformat()

    @pytest.mark.parametrize("name", ["pause", "resume", "complete"])
    def test_a_draft_has_no_such_state(self, world: World, name: str):
        answer = act(world, prepared(world), name, "sonia")
        assert (answer.status_code, codes(answer)) == (409, [("/status", "project.status")])

    def test_asked_twice_under_one_key_changes_once(self, world: World):
        project = validated(world)
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": 'W/"2"'}
        first, again = (world.post("sonia", f"{project}/pause", {}, headers=headers) for _ in "ab")
        assert (first.json()["version"], again.json()["version"], again.status_code) == (3, 3, 200)

    def test_once_over_nothing_is_written_in_it(self, world: World):
        project = validated(world)
        goal = part(world, project, "goals", title="Sortir")
        act(world, project, "complete", "sonia")
        answers = [
            world.post("sonia", f"{project}/goals", {"title": "B"}),
            world.patch("sonia", f"{project}/goals/{goal['id']}", {"title": "B"}, 1),
            world.patch("sonia", project, {"title": "B"}, 3),
            world.post("sonia", f"{project}/agreements", {"party": "usager", "answer": "yes"}),
        ]
        assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "project.completed")] * 4

    def test_a_draft_is_removed_by_the_chief_only(self, world: World):
        project = prepared(world)
        assert world.delete("sonia", project, 1).status_code == 403
        assert world.delete("marc", project, 1).status_code == 204
        assert world.get("sonia", project).status_code == 410

    def test_a_validated_project_is_not_removed(self, world: World):
        assert world.delete("marc", validated(world), 2).status_code == 409


class TestAmend:
    def test_copies_the_parts_and_links_each_to_the_former(self, world: World):
        project = validated(world, communication="Lu ensemble.")
        need = part(world, project, "needs", text="Se fatigue vite", serafin=f"{SERAFIN}|1.1.8")
        goal = part(world, project, "goals", title="Sortir", need_ids=[need["id"]], step="moving")
        action = part(world, project, "actions", title="Le mardi", goal_ids=[goal["id"]])
        part(world, project, "services", title="Sortie", action_id=action["id"], types=[f"{SERAFIN}|2.3.3.1"])
        part(world, project, "means", title="Un siège", action_id=action["id"])
        words = part(world, project, "expectations", origin="famille", said_by="sa sœur", words="Elle aime le matin.")
        part(world, project, "expectations", origin="famille", words="Et le soir.", adds_to_id=words["id"])
        place = act(world, project, "amend").headers["location"]
        told = world.get("sonia", place).json()
        assert (told["replaces_id"], told["status"]) == (id_of(project), "draft")
        assert told["number"] > world.get("sonia", project).json()["number"]
        assert told["communication"] == "Lu ensemble."
        assert told["needs"][0]["replaces_id"] == need["id"]
        assert told["goals"][0]["need_ids"] == [told["needs"][0]["id"]] != [need["id"]]
        assert (told["goals"][0]["replaces_id"], told["goals"][0]["step"]) == (goal["id"], "moving")
        assert told["actions"][0]["goal_ids"] == [told["goals"][0]["id"]]
        assert {told[room][0]["action_id"] for room in ("services", "means")} == {told["actions"][0]["id"]}
        first, more = sorted(told["expectations"], key=lambda e: e["adds_to_id"] or "")
        assert (first["words"], first["said_by"], more["adds_to_id"]) == (
            "Elle aime le matin.",
            "sa sœur",
            first["id"],
        )
        assert (told["agreements"], told["reviews"]) == ([], [])

    def test_leaves_what_is_over_behind(self, world: World):
        project = validated(world)
        done = part(world, project, "goals", title="Fait", status="completed")
        part(world, project, "actions", title="En cours", goal_ids=[done["id"]], status="in_progress")
        part(world, project, "actions", title="Annulée", status="cancelled")
        told = world.get("sonia", act(world, project, "amend").headers["location"]).json()
        assert told["goals"] == []
        assert [(a["title"], a["goal_ids"]) for a in told["actions"]] == [("En cours", [])]

    def test_validated_it_ends_the_former(self, world: World):
        project = validated(world)
        amendment = act(world, project, "amend").headers["location"]
        signed(world, amendment)
        assert act(world, amendment, "validate").status_code == 200
        assert world.get("sonia", project).json()["status"] == "completed"

    def test_validated_after_the_former_ended_leaves_it_as_it_is(self, world: World):
        project = validated(world)
        amendment = act(world, project, "amend").headers["location"]
        signed(world, amendment)
        ended = act(world, project, "complete", "sonia").json()["version"]
        assert act(world, amendment, "validate").status_code == 200
        assert world.get("sonia", project).json()["version"] == ended

    def test_one_at_a_time(self, world: World):
        project = validated(world)
        act(world, project, "amend")
        answer = act(world, project, "amend")
        assert (answer.status_code, answer.json()["code"]) == (409, "project.amendment_under_way")

    def test_a_draft_is_corrected_not_amended(self, world: World):
        answer = act(world, prepared(world), "amend")
        assert (answer.status_code, codes(answer)) == (409, [("/status", "project.not_validated")])

    @pytest.mark.threat("object-secret-of-a-minor")
    def test_what_is_closed_stays_so_in_its_copy(self, world: World):
        project = validated(world)
        goal = part(world, project, "goals", title="Sortir")["id"]
        told = "minor_secret, visibility, withheld_reason, withheld_until, reserved_to"
        world.rows(
            f"UPDATE goal SET ({told}) = (true, 'withheld', 'draft', '2099-01-01', ARRAY[$2::uuid]) WHERE id = $1::uuid",
            goal,
            world.ids["marc"],
        )
        act(world, project, "amend")
        former, copy = (
            world.rows(f"SELECT {told} FROM goal WHERE {which} = $1::uuid", goal) for which in ("id", "replaces_id")
        )
        assert (copy, len(copy)) == (former, 1)

    def test_twice_under_one_key_is_one_amendment(self, world: World):
        project = validated(world)
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": 'W/"2"'}
        first, again = (world.post("marc", f"{project}/amend", {}, headers=headers) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])

    def test_takes_a_title_of_its_own(self, world: World):
        project = validated(world)
        answer = world.post("marc", f"{project}/amend", {"title": "Avenant de mars"}, headers={"If-Match": 'W/"2"'})
        assert answer.json()["title"] == "Avenant de mars"


class TestParts:
    @pytest.mark.parametrize("room", PARTS)
    def test_are_written_read_mended_and_removed(self, world: World, room: str):
        project = prepared(world)
        written = part(world, project, room, **PARTS[room])
        place = f"{project}/{room}/{written['id']}"
        assert world.get("sonia", place).json() == written
        mended = world.patch("sonia", place, MENDED[room], 1)
        assert (mended.status_code, mended.json()["version"]) == (200, 2)
        assert [p["id"] for p in world.get("sonia", project).json()[room]] == [written["id"]]
        assert world.delete("sonia", place, 2).status_code == 204
        assert world.get("sonia", project).json()[room] == []
        assert world.get("sonia", place).status_code == 410

    @pytest.mark.parametrize("room", PARTS)
    def test_out_of_reach_are_not_found(self, world: World, room: str):
        project = prepared(world)
        place = f"{project}/{room}/{part(world, project, room, **PARTS[room])['id']}"
        answers = [
            world.get("yann", place),
            world.patch("yann", place, MENDED[room], 1),
            world.delete("yann", place, 1),
            world.post("yann", f"{project}/{room}", PARTS[room]),
        ]
        assert [a.status_code for a in answers] == [404] * 4

    @pytest.mark.threat("object-path-confusion")
    @pytest.mark.parametrize("room", PARTS)
    def test_of_another_project_are_not_found_there(self, world: World, room: str):
        one, other = prepared(world), prepared(world)
        id = part(world, one, room, **PARTS[room])["id"]
        answers = [
            world.get("sonia", f"{other}/{room}/{id}"),
            world.patch("sonia", f"{other}/{room}/{id}", MENDED[room], 1),
            world.delete("sonia", f"{other}/{room}/{id}", 1),
        ]
        assert [a.status_code for a in answers] == [404] * 3

    @pytest.mark.parametrize("room", sorted(set(PARTS)))
    def test_of_a_validated_project_are_not_removed(self, world: World, room: str):
        project = validated(world)
        id = part(world, project, room, **PARTS[room])["id"]
        answer = world.delete("sonia", f"{project}/{room}/{id}", 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "project.validated")

    def test_an_unknown_field_is_refused_without_being_repeated(self, world: World):
        answer = world.post("sonia", f"{prepared(world)}/goals", {"title": "A", "147720425367411": "x"})
        assert answer.status_code == 422
        assert "147720425367411" not in answer.text

    def test_twice_under_one_key_are_one_row(self, world: World):
        project, key = prepared(world), {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("sonia", f"{project}/goals", {"title": "A"}, headers=key) for _ in "ab")
        assert again.json()["id"] == first.json()["id"]
        assert len(world.get("sonia", project).json()["goals"]) == 1


class TestWords:
    @pytest.mark.threat("project-words-edited")
    def test_are_never_edited(self, world: World):
        project = prepared(world)
        id = part(world, project, "expectations", **PARTS["expectations"])["id"]
        answer = world.patch("sonia", f"{project}/expectations/{id}", {"words": "Elle veut voir sa sœur."}, 1)
        assert answer.status_code == 422

    def test_comments_come_one_after_the_other(self, world: World):
        project = prepared(world)
        place = f"{project}/expectations/{part(world, project, 'expectations', **PARTS['expectations'])['id']}"
        world.patch("sonia", place, {"comment": "Un."}, 1)
        assert world.patch("sonia", place, {"comment": "Deux."}, 2).json()["comments"] == ["Un.", "Deux."]

    def test_a_change_of_visibility_adds_no_comment(self, world: World):
        project = prepared(world)
        place = f"{project}/expectations/{part(world, project, 'expectations', **PARTS['expectations'])['id']}"
        told = world.patch("sonia", place, {"visibility": "not_shared"}, 1).json()
        assert (told["comments"], told["visibility"]) == (None, "not_shared")

    def test_more_words_add_to_the_former(self, world: World):
        project = prepared(world)
        first = part(world, project, "expectations", **PARTS["expectations"])
        more = part(world, project, "expectations", origin="usager", words="Et mon frère.", adds_to_id=first["id"])
        assert more["adds_to_id"] == first["id"]

    def test_that_add_to_words_of_another_project_are_refused(self, world: World):
        other = part(world, prepared(world), "expectations", **PARTS["expectations"])["id"]
        said = PARTS["expectations"] | {"adds_to_id": other}
        answer = world.post("sonia", f"{prepared(world)}/expectations", said)
        assert (answer.status_code, codes(answer)) == (422, [("/adds_to_id", "project.other")])

    def test_are_not_of_tomorrow(self, world: World):
        said = PARTS["expectations"] | {"said_on": (today() + timedelta(days=1)).isoformat()}
        answer = world.post("sonia", f"{prepared(world)}/expectations", said)
        assert codes(answer) == [("/said_on", "expectation.future")]

    def test_are_removed_by_who_noted_them_only(self, world: World):
        project = prepared(world)
        id = part(world, project, "expectations", **PARTS["expectations"])["id"]
        assert world.delete("marc", f"{project}/expectations/{id}", 1).status_code == 403


class TestRules:
    @pytest.mark.parametrize(("code", "status"), [("1.1.8", 201), ("2.1", 422), ("12", 422)])
    def test_a_need_is_of_the_first_part_of_serafin(self, world: World, code: str, status: int):
        said = {"text": "Marcher", "serafin": f"{SERAFIN}|{code}"}
        assert world.post("sonia", f"{prepared(world)}/needs", said).status_code == status

    def test_a_need_coded_elsewhere_is_not_judged(self, world: World):
        said = {"text": "Marcher", "serafin": "https://example.org/besoins|42"}
        assert world.post("sonia", f"{prepared(world)}/needs", said).status_code == 201

    def test_a_need_out_of_serafins_first_part_names_the_field(self, world: World):
        answer = world.post("sonia", f"{prepared(world)}/needs", {"text": "A", "serafin": f"{SERAFIN}|2.1"})
        assert codes(answer) == [("/serafin", "need.serafin")]

    def test_a_service_names_the_code_that_is_wrong(self, world: World):
        said = {"title": "A", "types": [f"{SERAFIN}|2.1.1", f"{SERAFIN}|1.1"]}
        answer = world.post("sonia", f"{prepared(world)}/services", said)
        assert codes(answer) == [("/types/1", "service.serafin")]

    @pytest.mark.parametrize(
        ("kind", "step", "status"),
        [
            ("avancer", "moving", 201),
            ("avancer", "still_here", 422),
            ("garder", "still_here", 201),
            ("garder", "moving", 422),
            ("essayer", "trying", 201),
            ("essayer", "almost", 422),
            ("essayer", "changed_mind", 201),
        ],
    )
    def test_a_goal_says_where_it_stands_in_the_words_of_its_kind(
        self, world: World, kind: str, step: str, status: int
    ):
        said = {"title": "A", "kind": kind, "step": step}
        assert world.post("sonia", f"{prepared(world)}/goals", said).status_code == status

    def test_the_kind_of_a_goal_changes_with_its_step(self, world: World):
        project = prepared(world)
        place = f"{project}/goals/{part(world, project, 'goals', title='A', step='moving')['id']}"
        assert codes(world.patch("sonia", place, {"kind": "garder"}, 1)) == [("/step", "goal.step")]
        assert world.patch("sonia", place, {"kind": "garder", "step": "harder"}, 1).status_code == 200

    @pytest.mark.parametrize(
        ("room", "field", "many"),
        [("goals", "need_ids", True), ("actions", "goal_ids", True), ("services", "action_id", False)],
    )
    def test_what_a_part_leads_to_is_of_the_same_project(self, world: World, room: str, field: str, many: bool):
        stranger = str(uuid4())
        answer = world.post(
            "sonia", f"{prepared(world)}/{room}", {"title": "A", field: [stranger] if many else stranger}
        )
        assert codes(answer) == [(f"/{field}/0" if many else f"/{field}", "project.other")]

    def test_the_referent_is_in_the_directory(self, world: World):
        project = prepared(world)
        known = part(world, project, "goals", title="A", referent_id=str(world.ids["leila"]))
        assert (known["referent_id"], known["referent_kind"]) == (str(world.ids["leila"]), "professional")
        answer = world.post("sonia", f"{project}/goals", {"title": "A", "referent_id": str(uuid4())})
        assert codes(answer) == [("/referent_id", "professional.unknown")]

    def test_a_status_says_since_when_and_by_whom(self, world: World):
        project = prepared(world)
        goal = part(world, project, "goals", title="A")
        place = f"{project}/goals/{goal['id']}"
        same = world.patch("marc", place, {"status": "planned"}, 1).json()
        moved = world.patch("marc", place, {"status": "active"}, 2).json()
        assert (same["status_author_id"], moved["status_author_id"]) == (
            goal["status_author_id"],
            str(world.ids["marc"]),
        )
        assert moved["status_changed_at"] > goal["status_changed_at"] == same["status_changed_at"]

    def test_the_teams_view_is_dated_and_signed(self, world: World):
        goal = part(world, prepared(world), "goals", title="A", team_view="Elle sort deux fois par semaine.")
        assert (goal["team_view_by"], goal["team_view_at"] is None) == (str(world.ids["sonia"]), False)

    @pytest.mark.threat("project-words-edited")
    def test_the_persons_opinion_is_written_by_nobody_else(self, world: World):
        project = prepared(world)
        answer = world.post("sonia", f"{project}/goals", {"title": "A", "opinion_words": "Ça va."})
        assert answer.status_code == 422

    def test_an_action_ends_after_it_starts(self, world: World):
        said = {"title": "A", "starts": "2026-05-02", "ends": "2026-05-01"}
        assert codes(world.post("sonia", f"{prepared(world)}/actions", said)) == [("/ends", "project.period")]

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ({"ends_at": "2026-03-02T13:00:00+01:00"}, ("/ends_at", "review.period")),
            ({"next_review_on": "2026-03-02"}, ("/next_review_on", "review.next")),
        ],
    )
    def test_a_review_keeps_its_dates_in_order(self, world: World, said: dict[str, str], fault: tuple[str, str]):
        answer = world.post("sonia", f"{prepared(world)}/reviews", PARTS["reviews"] | said)
        assert codes(answer) == [fault]

    def test_a_review_keeps_what_each_prepared(self, world: World):
        said = PARTS["reviews"] | {"preparations": [{"by": "Jeanne", "text": "Je vais mieux."}]}
        review = part(world, prepared(world), "reviews", **said)
        assert (review["preparations"], review["prepared_by"]) == (["Je vais mieux."], ["Jeanne"])

    @pytest.mark.parametrize(("told", "due"), [({}, "2027-03-02"), ({"next_review_on": "2026-09-01"}, "2026-09-01")])
    def test_a_review_that_took_place_says_when_the_next_is(self, world: World, told: dict[str, str], due: str):
        project = validated(world)
        part(world, project, "reviews", **PARTS["reviews"], status="completed", **told)
        assert world.get("sonia", project).json()["next_review_on"] == due

    @pytest.mark.threat("fault-leap-day")
    def test_the_year_after_the_29th_of_february_is_the_28th(self, world: World):
        project = validated(world)
        review = part(world, project, "reviews", starts_at="2028-02-29T10:00:00+01:00")
        world.patch("sonia", f"{project}/reviews/{review['id']}", {"status": "completed"}, 1)
        assert world.get("sonia", project).json()["next_review_on"] == "2029-02-28"


class TestAgreements:
    def test_say_on_what_they_were_given(self, world: World):
        project = prepared(world)
        seen = world.get("marc", project).json()["seen"]
        given = signed(world, project)
        assert (given["shown_version"], given["shown_sha256"], given["signer_id"]) == (1, seen, str(world.ids["marc"]))

    def test_read_back_one_by_one_in_their_project_only(self, world: World):
        project = prepared(world)
        given = signed(world, project)
        assert world.get("sonia", f"{project}/agreements/{given['id']}").json() == given
        assert world.get("sonia", f"{prepared(world)}/agreements/{given['id']}").status_code == 404

    def test_on_a_project_that_changed_since_are_refused(self, world: World):
        project = prepared(world)
        seen = world.get("marc", project).json()["seen"]
        part(world, project, "goals", title="Un but de plus")
        answer = world.post("marc", f"{project}/agreements", {"party": "structure", "answer": "yes", "seen": seen})
        assert (answer.status_code, codes(answer)) == (409, [("/seen", "project.changed_since_seen")])

    def test_how_far_a_goal_went_changes_nothing_agreed_to(self, world: World):
        project = prepared(world)
        goal = part(world, project, "goals", title="A")
        seen = world.get("marc", project).json()["seen"]
        world.patch("sonia", f"{project}/goals/{goal['id']}", {"step": "done", "status": "completed"}, 1)
        assert world.get("marc", project).json()["seen"] == seen

    def test_of_a_relative_name_them(self, world: World):
        project = prepared(world)
        answer = world.post("sonia", f"{project}/agreements", {"party": "contact", "answer": "yes"})
        assert codes(answer) == [("/signer_name", "agreement.no_signer")]
        named = part(world, project, "agreements", party="contact", answer="yes", signer_name="Sa sœur")
        assert (named["signer_name"], named["signer_kind"]) == ("Sa sœur", "contact")

    def test_are_not_of_tomorrow(self, world: World):
        said = {"party": "usager", "answer": "yes", "signed_at": (now() + timedelta(days=1)).isoformat()}
        assert codes(world.post("sonia", f"{prepared(world)}/agreements", said)) == [("/signed_at", "agreement.future")]

    def test_a_change_of_mind_leaves_the_former_answer(self, world: World):
        project = prepared(world)
        for answer in ("no", "yes"):
            part(world, project, "agreements", party="usager", answer=answer)
        told = world.get("sonia", project).json()
        assert [a["answer"] for a in told["agreements"]] == ["no", "yes"]
        assert ([p["answer"] for p in told["positions"]], told["disagreement"]) == (["yes"], False)

    def test_have_no_patch_and_no_delete(self, world: World):
        project = prepared(world)
        place = f"{project}/agreements/{signed(world, project)['id']}"
        assert [
            world.patch("marc", place, {"answer": "no"}, 1).status_code,
            world.delete("marc", place, 1).status_code,
        ] == [
            405,
            405,
        ]


class TestRead:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("leila", 200), ("odile", 404), ("helene", 404), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.get(who, prepared(world)).status_code == status

    @pytest.mark.threat("object-absent-told-apart")
    def test_absent_and_out_of_reach_are_alike_to_the_byte(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        there = world.get("yann", prepared(world), headers=same)
        never = world.get("yann", f"{PATH}/{uuid4()}", headers=same)
        assert there.content == never.content

    def test_a_part_is_judged_for_itself(self, world: World):
        project = prepared(world)
        open_to_all, reserved = (part(world, project, "goals", "marc", title=title) for title in ("A", "B"))
        world.rows("UPDATE goal SET reserved_to = $1 WHERE id = $2", [world.ids["leila"]], reserved["id"])
        seen = {who: {g["id"] for g in world.get(who, project).json()["goals"]} for who in ("leila", "sonia")}
        assert seen == {"leila": {open_to_all["id"], reserved["id"]}, "sonia": {open_to_all["id"]}}

    def test_parts_out_of_reach_leave_no_trace_and_the_others_one_line_a_kind(self, world: World):
        project = prepared(world)
        goal = part(world, project, "goals", "marc", title="A")
        reserved = part(world, project, "goals", "marc", title="B")
        world.rows("UPDATE goal SET reserved_to = $1 WHERE id = $2", [world.ids["leila"]], reserved["id"])
        answer = world.get("sonia", project)
        lines = world.traces(request_id=answer.headers["x-request-id"])
        told = {line["kind"]: [str(id) for id in line["entry_ids"]] for line in lines}
        assert told == {"project": [id_of(project)], "goal": [goal["id"]]}

    def test_a_project_out_of_reach_tells_none_of_its_parts(self, world: World):
        project = prepared(world, "marc")
        part(world, project, "goals", "marc", title="A")
        world.rows("UPDATE project SET reserved_to = $1 WHERE id = $2", [world.ids["leila"]], id_of(project))
        answer = world.get("sonia", project)
        assert answer.status_code == 404
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["outcome"]) == ("project", "refused")

    def test_a_removed_project_tells_none_of_its_parts(self, world: World):
        project = prepared(world)
        part(world, project, "goals", title="A")
        world.delete("marc", project, 1)
        answer = world.get("sonia", project)
        assert answer.status_code == 410
        assert [line["kind"] for line in world.traces(request_id=answer.headers["x-request-id"])] == ["project"]

    def test_a_session_that_ended_is_told_so(self, world: World):
        project = prepared(world)
        alive = "UPDATE session SET revoked_at = $1 WHERE id = $2"
        world.rows(alive, now(), world.ids["sonia_session"])
        assert world.get("sonia", project).status_code == 401
        world.rows(alive, None, world.ids["sonia_session"])


class TestList:
    def test_of_one_person(self, world: World):
        project = prepared(world, usager="ines", structure="mecs")
        told = world.get("sonia", f"{PATH}?usager={world.ids['ines']}").json()
        assert {item["usager_id"] for item in told["items"]} == {str(world.ids["ines"])}
        assert told["items"][0]["id"] == id_of(project)

    def test_pages_without_double_or_hole(self, world: World):
        places = [prepared(world, usager="lucas", structure="ime", title=f"P {n}") for n in range(3)]
        url = f"{PATH}?usager={world.ids['lucas']}&limit=2"
        first = world.get("sonia", url).json()
        second = world.get("sonia", f"{url}&after={first['next']}").json()
        assert [i["id"] for i in first["items"] + second["items"]] == [id_of(p) for p in reversed(places)]

    def test_due_names_what_runs_and_is_to_review_soonest_first(self, world: World):
        late, soon = (validated(world, next_review_on=day) for day in ("2026-02-01", "2026-01-01"))
        draft, over = prepared(world, next_review_on="2026-01-02"), validated(world, next_review_on="2026-01-03")
        act(world, over, "complete", "sonia")
        told = [i["id"] for i in world.get("marc", f"{PATH}?due_before=2026-03-01").json()["items"]]
        assert told[:2] == [id_of(soon), id_of(late)]
        assert not {id_of(draft), id_of(over)} & set(told)

    def test_due_shows_each_in_its_turn(self, world: World):
        url = f"{PATH}?due_before=2026-03-01&limit=1"
        first = world.get("marc", url).json()
        second = world.get("marc", f"{url}&after={first['next']}").json()
        assert first["items"][0]["next_review_on"] <= second["items"][0]["next_review_on"]

    def test_shows_a_disagreement(self, world: World):
        project = prepared(world, usager="karim", structure="mas_fam")
        url = f"{PATH}?usager={world.ids['karim']}&limit=1"
        part(world, project, "agreements", party="usager", answer="no")
        assert world.get("sonia", url).json()["items"][0]["disagreement"] is True
        part(world, project, "agreements", party="usager", answer="talk")
        assert world.get("sonia", url).json()["items"][0]["disagreement"] is False

    def test_all_are_of_my_persons(self, world: World):
        prepared(world)
        assert world.get("yann", PATH).json()["items"] == []
        assert len(world.get("sonia", PATH).json()["items"]) > 0


class TestCost:
    """Hot paths stay short: the number of SQL statements is part of the contract."""

    def test_a_project_and_its_parts_are_read_in_one(self, world: World):
        project = prepared(world)
        for room, said in PARTS.items():
            part(world, project, room, **said)
        world.get("sonia", project)
        with world.statements() as counted:
            world.get("sonia", project)
        assert len(counted) == 1, counted.sql

    def test_a_list_is_one(self, world: World):
        world.get("sonia", PATH)
        with world.statements() as counted:
            world.get("sonia", PATH)
        assert len(counted) <= 2, counted.sql

    @pytest.mark.parametrize("room", [*PARTS, "agreements"])
    @pytest.mark.parametrize("keyed", [False, True])
    def test_a_part_is_written_in_four(self, world: World, room: str, keyed: bool):
        said = PARTS.get(room, {"party": "usager", "answer": "talk"})
        project = prepared(world)
        part(world, project, room, **said)
        key = {"Idempotency-Key": str(uuid4())} if keyed else {}
        with world.statements() as counted:
            assert world.post("sonia", f"{project}/{room}", said, headers=key).status_code == 201
        assert len(counted) <= 4, counted.sql

    def test_a_project_is_prepared_in_four(self, world: World):
        prepared(world)
        with world.statements() as counted:
            prepared(world)
        assert len(counted) <= 4, counted.sql

    def test_an_amendment_is_six_and_one_a_table(self, world: World):
        project = validated(world)
        tables = ("expectations", "needs", "goals", "actions", "services", "means")
        for room in tables:
            for _ in "ab":
                part(world, project, room, **PARTS[room])
        with world.statements() as counted:
            assert act(world, project, "amend", version=2).status_code == 201
        assert len(counted) <= 6 + 1 + len(tables), counted.sql
