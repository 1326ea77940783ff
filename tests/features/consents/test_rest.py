"""Questions to the person, answers by each who may give one, oppositions; and what a partner reads after each."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.features.consents.schemas import ConsentOut
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.security.principal import Role
from tests.features.consents.people import HOUSES, partner_asks, partner_reads, represent
from tests.features.contacts.people import added
from tests.portal.visitor import visit
from tests.world import World

PATH, MINE = "/api/v1/consents", "/api/v1/me/consents"


def question(world: World, usager: str = "jeanne", **changes: object) -> dict[str, object]:
    asked: dict[str, object] = {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[HOUSES[usager]]),
        "kind": "partage",
        "question": "Le CHU peut-il lire votre projet ?",
        "if_yes": "Le CHU lit votre projet avant de vous recevoir.",
        "if_no": "Le CHU vous posera les questions.",
        "partner_id": str(world.ids["chu"]),
        "categories": ["support"],
        "kinds": ["project", "transmission"],
        **changes,
    }
    return {name: value for name, value in asked.items() if value is not None}


def asked(world: World, who: str = "sonia", **changes: object) -> str:
    answer = world.post(who, PATH, question(world, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def other(world: World, usager: str = "jeanne", kind: str = "image", **changes: object) -> str:
    return asked(world, usager=usager, kind=kind, partner_id=None, categories=None, kinds=None, **changes)


def says(world: World, who: str, consent: str, answer: str, **more: object) -> int:
    body: dict[str, object] = {"answer": answer, **more}
    if answer == "yes" and not more:
        body["wording_sha256"] = world.get(who, f"{MINE}/{consent}").json()["wording_sha256"]
    return int(world.post(who, f"{MINE}/{consent}/answer", body).status_code)


def state(world: World, consent: str) -> str:
    return str(world.get("marc", f"{PATH}/{consent}").json()["answer"])


def note(world: World, usager: str = "jeanne", text: str = "Marche bien.") -> str:
    body = {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[HOUSES[usager]]),
        "text": text,
        "visibility": "shared",
    }
    return str(world.post("sonia", "/api/v1/transmissions", body).json()["id"])


@pytest.fixture(autouse=True)
def clean(world: World):
    yield
    world.rows("DELETE FROM opposition")
    world.rows("DELETE FROM consent_answer")
    world.rows("DELETE FROM sharing_consent")
    world.rows("DELETE FROM mandate")


class TestAsk:
    def test_by_the_referent_who_reads_it_back(self, world: World):
        read = world.get("sonia", f"{PATH}/{asked(world)}").json()
        assert (read["answer"], read["kind"], read["answered_at"], read["version"]) == ("asked", "partage", None, 1)

    def test_what_is_yes_or_no_is_told_so_before_anyone_answered(self, world: World):
        mine = world.get("jeanne", f"{MINE}/{asked(world)}").json()
        assert [mine[name] for name in ("to_confirm", "lapsed", "may_answer")] == [False, False, True]

    def test_a_project_means_its_parts(self, world: World):
        kinds = world.get("sonia", f"{PATH}/{asked(world)}").json()["kinds"]
        assert {"project", "goal", "agreement", "transmission"} <= set(kinds)

    def test_without_kinds_each_kind_is_named_and_none_of_ours_alone(self, world: World):
        kinds = set(world.get("sonia", f"{PATH}/{asked(world, kinds=None)}").json()["kinds"])
        assert {"event", "project", "stay"} <= kinds
        assert not kinds & {"sharing_consent", "opposition", "emergency_access", "mandate", "team_member"}

    def test_keeps_the_fingerprint_of_the_three_sentences(self, world: World):
        said = question(world)
        shown = f"{said['question']}\n{said['if_yes']}\n{said['if_no']}"
        read = world.get("sonia", f"{PATH}/{asked(world)}").json()
        assert read["wording_sha256"] == hashlib.sha256(shown.encode()).hexdigest()

    @pytest.mark.parametrize(
        ("who", "status"),
        [("marc", 201), ("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, question(world)).status_code == status

    @pytest.mark.parametrize("role", [Role.VEILLEUR, Role.COORDINATEUR])
    def test_by_who_does_not_record_is_refused(self, world: World, role: Role):
        name = f"nouveau_{role.value}"
        world.hire(name, role, "ehpad")
        world.rows(
            """INSERT INTO team_member SELECT (jsonb_populate_record(t, jsonb_build_object(
               'id', gen_random_uuid(), 'professional_id', $1::uuid, 'referent', false))).*
               FROM team_member t WHERE usager_id = $2 AND referent LIMIT 1""",
            world.ids[name],
            world.ids["jeanne"],
        )
        assert world.post(name, PATH, question(world)).status_code == 403

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"partner_id": None}, "/partner_id"),
            ({"categories": None}, "/categories"),
            ({"categories": ["judicial"]}, "/categories/0"),
            ({"kind": "image"}, "/kind"),
            ({"data_from": "2025-03-01", "data_until": "2025-03-01"}, "/data_until"),
            ({"starts": "2026-01-02", "ends": "2026-01-02"}, "/ends"),
            ({"kinds": ["opposition"]}, "/kinds/0"),
            ({"partner_id": str(uuid4())}, "/partner_id"),
        ],
    )
    def test_a_question_that_says_too_little_or_too_much_is_refused(
        self, world: World, changes: dict[str, object], where: str
    ):
        answer = world.post("sonia", PATH, question(world, **changes))
        assert answer.status_code == 422
        assert [e["where"] for e in answer.json()["errors"]] == [where]

    def test_costs_four_statements_at_most(self, world: World):
        asked(world)
        with world.statements() as counted:
            world.post("sonia", PATH, question(world), headers={"Idempotency-Key": str(uuid4())})
        assert len(counted) <= 4, counted.sql


class TestList:
    def test_one_kind_at_a_time(self, world: World):
        sharing, image = asked(world), other(world)
        for kind, id in (("partage", sharing), ("image", image), ("autre", None)):
            for who, path in (
                ("sonia", f"{PATH}?usager={world.ids['jeanne']}&kind={kind}"),
                ("jeanne", f"{MINE}?kind={kind}"),
            ):
                told = [i["id"] for i in world.get(who, path).json()["items"]]
                assert told == ([id] if id else [])

    def test_narrows_to_what_waits_for_someone(self, world: World):
        waiting, _ = asked(world), asked(world)
        says(world, "jeanne", waiting, "talk")
        assert [i["id"] for i in world.get("marc", f"{PATH}?answer=talk").json()["items"]] == [waiting]

    def test_costs_one_statement(self, world: World):
        asked(world)
        for who, path in (("sonia", PATH), ("jeanne", MINE)):
            world.get(who, path)
            with world.statements() as counted:
                world.get(who, path)
            assert len(counted) <= 2, counted.sql

    def test_of_another_dossier_is_empty(self, world: World):
        asked(world)
        assert world.get("yann", f"{PATH}?usager={world.ids['jeanne']}").json()["items"] == []
        assert world.get("karim", MINE).json()["items"] == []


class TestChange:
    def test_of_the_wording_while_nobody_answered(self, world: World):
        id = asked(world)
        before = world.get("sonia", f"{PATH}/{id}").json()["wording_sha256"]
        mended = world.patch("sonia", f"{PATH}/{id}", {"if_no": "Rien ne change."}, 1)
        assert (mended.status_code, mended.json()["version"]) == (200, 2)
        assert mended.json()["wording_sha256"] != before

    @pytest.mark.threat("consent-wording-after-answer")
    def test_of_the_wording_after_an_answer_is_refused(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "talk")
        refused = world.patch("sonia", f"{PATH}/{id}", {"question": "Autre ?"}, 2)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (409, "/question")

    def test_an_empty_sentence_is_refused(self, world: World):
        assert world.patch("sonia", f"{PATH}/{asked(world)}", {"if_no": None}, 1).status_code == 422

    def test_an_accord_may_stop_sooner_but_not_later(self, world: World):
        id = asked(world, ends=str(today() + timedelta(days=30)))
        says(world, "jeanne", id, "yes")
        later = world.patch("sonia", f"{PATH}/{id}", {"ends": str(today() + timedelta(days=60))}, 2)
        never = world.patch("sonia", f"{PATH}/{id}", {"ends": None}, 2)
        sooner = world.patch("sonia", f"{PATH}/{id}", {"ends": str(today() + timedelta(days=10))}, 2)
        assert [a.status_code for a in (later, never, sooner)] == [409, 409, 200]

    def test_an_end_before_the_start_is_refused(self, world: World):
        early = {"ends": str(today() - timedelta(days=1))}
        assert world.patch("sonia", f"{PATH}/{asked(world)}", early, 1).status_code == 422

    def test_from_a_stale_version_is_refused(self, world: World):
        id = asked(world)
        world.patch("sonia", f"{PATH}/{id}", {"if_no": "A."}, 1)
        assert world.patch("sonia", f"{PATH}/{id}", {"if_no": "B."}, 1).status_code == 412


class TestRemove:
    def test_while_nobody_answered(self, world: World):
        id = asked(world)
        assert world.delete("sonia", f"{PATH}/{id}", 1).status_code == 204
        assert world.get("sonia", f"{PATH}/{id}").status_code == 410

    @pytest.mark.threat("consent-wording-after-answer")
    def test_after_an_answer_is_refused(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "no")
        assert world.delete("sonia", f"{PATH}/{id}", 2).status_code == 409


class TestThePersonAnswers:
    @pytest.mark.parametrize("answer", ["yes", "no", "talk"])
    def test_by_themselves(self, world: World, answer: str):
        id = asked(world)
        assert says(world, "jeanne", id, answer) == 201
        read = world.get("sonia", f"{PATH}/{id}").json()
        assert (read["answer"], read["answered_by_kind"], bool(read["confirmed_at"])) == (answer, "usager", True)

    def test_keeps_the_wording_and_the_version_shown(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "yes")
        says(world, "jeanne", id, "no")
        told = world.get("sonia", f"{PATH}/{id}/answers").json()["items"]
        shown = world.get("sonia", f"{PATH}/{id}").json()["wording_sha256"]
        assert [(a["answer"], a["consent_version"], a["wording_sha256"]) for a in told] == [
            ("no", 2, shown),
            ("yes", 1, shown),
        ]
        assert world.get("sonia", f"{PATH}/{id}/answers/{told[0]['id']}").json() == told[0]

    def test_their_answer_has_an_address_of_their_own(self, world: World):
        id = asked(world)
        place = world.post("jeanne", f"{MINE}/{id}/answer", {"answer": "talk"}).headers["location"]
        assert place.startswith(f"{MINE}/{id}/answers/")
        assert world.get("jeanne", place).json()["answer"] == "talk"

    @pytest.mark.threat("consent-wording-swapped")
    def test_yes_to_a_question_that_changed_since_is_refused(self, world: World):
        id = asked(world)
        shown = world.get("jeanne", f"{MINE}/{id}").json()["wording_sha256"]
        world.patch("sonia", f"{PATH}/{id}", {"if_yes": "Le CHU lit tout."}, 1)
        assert says(world, "jeanne", id, "yes", wording_sha256=shown) == 412
        assert state(world, id) == "asked"

    def test_yes_without_saying_what_was_shown_is_refused(self, world: World):
        refused = world.post("jeanne", f"{MINE}/{asked(world)}/answer", {"answer": "yes"})
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "/wording_sha256")

    def test_a_withdrawal_is_never_refused_for_what_was_shown(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "yes")
        assert says(world, "jeanne", id, "no", wording_sha256="0" * 64) == 201

    def test_of_another_is_not_found(self, world: World):
        assert says(world, "karim", asked(world), "no") == 404

    def test_at_the_staff_door_is_refused(self, world: World):
        body = {"answer": "no"}
        assert world.post("sonia", f"{MINE}/{asked(world)}/answer", body).status_code == 401

    def test_the_same_key_answers_once(self, world: World):
        id = asked(world)
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("jeanne", f"{MINE}/{id}/answer", {"answer": "no"}, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
        assert len(world.rows("SELECT 1 FROM consent_answer WHERE consent_id = $1", UUID(id))) == 1


class TestSharing:
    """The consent that a partner reads under, and each way it ends."""

    @pytest.mark.threat("search-consent-withdrawn")
    def test_a_yes_opens_and_a_no_closes_at_the_next_read(self, world: World):
        text, id = note(world), asked(world)
        seen = [partner_reads(world, "chu", text)]
        for answer in ("yes", "no", "yes", "talk"):
            says(world, "jeanne", id, answer)
            seen.append(partner_reads(world, "chu", text))
        assert seen == [False, True, False, True, False]

    def test_after_a_withdrawal_the_partner_still_reads_what_it_sent(self, world: World):
        sent = Transmission(
            usager_id=world.ids["jeanne"],
            structure_id=world.ids["ehpad"],
            thread_id=uuid4(),
            kind="narrative",
            text="Compte rendu du CHU.",
            origin_partner_id=world.ids["chu"],
            origin_version=1,
            author_id=world.ids["chu"],
            author_kind="partner",
        )
        world.add(sent)
        ours, id = note(world), asked(world)
        says(world, "jeanne", id, "yes")
        says(world, "jeanne", id, "no")
        assert partner_reads(world, "chu", str(sent.id))
        assert not partner_reads(world, "chu", ours)

    @pytest.mark.threat("search-consent-too-wide")
    def test_opens_to_the_partner_named_and_to_no_other(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world), "yes")
        assert not partner_reads(world, "mdph", text)

    @pytest.mark.threat("search-consent-too-wide")
    def test_opens_the_kinds_named_and_no_other(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world, kinds=["event"]), "yes")
        assert not partner_reads(world, "chu", text)

    @pytest.mark.threat("search-consent-too-wide")
    def test_opens_the_data_of_its_period_only(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world, data_until=str(today())), "yes")
        assert not partner_reads(world, "chu", text)

    @pytest.mark.threat("search-consent-too-wide")
    def test_ends_on_its_day(self, world: World):
        text, id = note(world), asked(world, ends=str(today() + timedelta(days=1)))
        says(world, "jeanne", id, "yes")
        assert partner_reads(world, "chu", text)
        world.rows("UPDATE sharing_consent SET ends = $1 WHERE id = $2", today(), UUID(id))
        assert not partner_reads(world, "chu", text)

    @pytest.mark.threat("search-consent-added-up")
    def test_two_that_disagree_give_the_narrower(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world), "yes")
        narrow = asked(world, data_until=str(today()))
        assert partner_reads(world, "chu", text)
        says(world, "jeanne", narrow, "yes")
        assert not partner_reads(world, "chu", text)

    def test_two_with_nothing_in_common_add_up(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world, kinds=["transmission"]), "yes")
        says(world, "jeanne", asked(world, kinds=["event"]), "yes")
        assert partner_reads(world, "chu", text)

    @pytest.mark.threat("search-consent-added-up")
    def test_a_no_is_an_opposition_that_wins_over_another_yes(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world), "yes")
        says(world, "jeanne", asked(world, kinds=["event"]), "no")
        assert not partner_reads(world, "chu", text)
        [against] = world.get("jeanne", f"{MINE}/oppositions").json()["items"]
        assert (against["partner_id"], against["ends"]) == (str(world.ids["chu"]), None)

    def test_a_no_twice_makes_one_opposition(self, world: World):
        id = asked(world)
        assert [says(world, "jeanne", id, "no") for _ in "ab"] == [201, 201]
        assert len(world.rows("SELECT 1 FROM opposition")) == 1

    def test_a_no_about_a_picture_opposes_nobody(self, world: World):
        says(world, "jeanne", other(world), "no")
        assert world.rows("SELECT 1 FROM opposition") == []

    def test_taking_back_costs_no_more_than_giving(self, world: World):
        id = asked(world)
        counts = []
        for answer in ("yes", "no"):
            says(world, "jeanne", id, answer)
        for answer in ("yes", "no"):
            shown = world.get("jeanne", f"{MINE}/{id}").json()["wording_sha256"]
            with world.statements() as counted:
                says(world, "jeanne", id, answer, wording_sha256=shown)
            counts.append(len(counted))
        given, taken = counts
        assert taken <= given <= 9

    def test_the_withdrawal_is_in_the_trail(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "yes")
        done = world.post("jeanne", f"{MINE}/{id}/answer", {"answer": "no"})
        lines = {(t["kind"], t["action"]) for t in world.traces(request_id=done.headers["x-request-id"])}
        assert {("sharing_consent", "update"), ("consent_answer", "create"), ("opposition", "create")} <= lines


class TestNotedByStaff:
    def noted(self, world: World, id: str, answer: str, who: str = "sonia", **more: object) -> int:
        return int(world.post(who, f"{PATH}/{id}/answer", {"answer": answer, **more}).status_code)

    def test_waits_for_the_person_to_say_it_is_right(self, world: World):
        id = asked(world)
        assert self.noted(world, id, "yes", assisted_by="M. Blanc, curateur") == 201
        read = world.get("sonia", f"{PATH}/{id}").json()
        assert (read["answered_by_kind"], read["noted_by"], read["confirmed_at"]) == (
            "professional",
            str(world.ids["sonia"]),
            None,
        )
        assert read["assisted_by"] == "M. Blanc, curateur"
        assert world.get("jeanne", f"{MINE}/{id}").json()["to_confirm"] is True

    def test_confirmed_it_is_the_persons_own(self, world: World):
        text, id = note(world), asked(world)
        self.noted(world, id, "yes")
        assert world.post("jeanne", f"{MINE}/{id}/confirm", {"right": True}).status_code == 201
        read = world.get("jeanne", f"{MINE}/{id}").json()
        assert (read["answer"], read["to_confirm"], read["answered_by_kind"]) == ("yes", False, "usager")
        assert partner_reads(world, "chu", text)

    @pytest.mark.parametrize("answer", ["yes", "no"])
    def test_said_wrong_nobody_has_answered(self, world: World, answer: str):
        text, id = note(world), asked(world)
        self.noted(world, id, answer)
        world.post("jeanne", f"{MINE}/{id}/confirm", {"right": False})
        assert state(world, id) == "asked"
        assert not partner_reads(world, "chu", text)
        assert world.rows("SELECT 1 FROM opposition WHERE ends IS NULL") == []

    def test_with_nothing_noted_there_is_nothing_to_confirm(self, world: World):
        id = asked(world)
        assert world.post("jeanne", f"{MINE}/{id}/confirm", {"right": True}).status_code == 409

    @pytest.mark.threat("consent-overruled-by-staff")
    def test_does_not_overrule_the_persons_own_no(self, world: World):
        id = asked(world)
        says(world, "jeanne", id, "no")
        assert self.noted(world, id, "yes") == 409
        assert state(world, id) == "no"

    def test_a_noted_no_may_become_a_noted_yes(self, world: World):
        text, id = note(world), asked(world)
        assert [self.noted(world, id, answer) for answer in ("no", "yes")] == [201, 201]
        assert partner_reads(world, "chu", text)

    @pytest.mark.parametrize(("who", "status"), [("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert self.noted(world, asked(world), "yes", who) == status


class TestARepresentative:
    """Of an adult: field.md §5."""

    def recorded(self, world: World, id: str) -> None:
        assert world.patch("sonia", f"{PATH}/{id}", {"cannot_express": True}, 1).status_code == 200

    @pytest.mark.threat("mandate-answers-too-much")
    @pytest.mark.parametrize(
        ("kind", "scope", "effect", "recorded", "status"),
        [
            ("tutelle", "both", "representation", True, 201),
            ("tutelle", "personne", "representation", True, 201),
            ("tutelle", "both", "representation", False, 403),
            ("tutelle", "biens", "representation", True, 403),
            ("curatelle_renforcee", "both", "assistance", True, 403),
            ("subroge", "both", "representation", True, 403),
            ("autorite_parentale", "both", "representation", True, 403),
        ],
    )
    def test_answers_only_when_the_law_lets_them(
        self, world: World, kind: str, scope: str, effect: str, recorded: bool, status: int
    ):
        id = asked(world, usager="karim")
        if recorded:
            self.recorded(world, id)
        represent(world, "blanc", "karim", kind, scope=scope, effect=effect)
        assert world.get("blanc", f"{MINE}/{id}").json()["may_answer"] is (status == 201)
        assert says(world, "blanc", id, "yes") == status
        assert state(world, id) == ("yes" if status == 201 else "asked")

    @pytest.mark.threat("mandate-answers-too-much")
    def test_is_told_why_not_kindly_and_it_is_traced(self, world: World):
        id = asked(world, usager="karim")
        represent(world, "blanc", "karim", "curatelle_simple", effect="assistance")
        refused = world.post("blanc", f"{MINE}/{id}/answer", {"answer": "no"})
        [error] = refused.json()["errors"]
        assert (error["where"], error["code"]) == ("/answer", "consent.not_theirs")
        assert "décide elle-même" in error["message"]
        [line] = world.traces(request_id=refused.headers["x-request-id"], outcome="refused")
        assert (line["kind"], line["usager_id"]) == ("sharing_consent", world.ids["karim"])

    def test_counts_no_longer_once_the_person_can_say(self, world: World):
        id = asked(world, usager="karim")
        self.recorded(world, id)
        represent(world, "blanc", "karim", "tutelle")
        says(world, "blanc", id, "yes")
        world.patch("sonia", f"{PATH}/{id}", {"cannot_express": False}, 3)
        assert state(world, id) == "asked"

    @pytest.mark.threat("consent-overruled-by-relative")
    def test_whoever_says_yes_the_persons_own_no_stands(self, world: World):
        text, id = note(world, "karim"), asked(world, usager="karim")
        self.recorded(world, id)
        represent(world, "blanc", "karim", "tutelle")
        says(world, "karim", id, "no")
        says(world, "blanc", id, "yes")
        assert state(world, id) == "no"
        assert not partner_reads(world, "chu", text)

    def test_sees_their_own_answer_and_the_persons(self, world: World):
        id = asked(world, usager="karim")
        represent(world, "blanc", "karim", "curatelle_simple", effect="assistance")
        says(world, "karim", id, "talk")
        read = world.get("blanc", f"{MINE}/{id}").json()
        assert (read["answer"], read["person_answer"]) == ("asked", "talk")

    def test_does_not_confirm_in_their_place(self, world: World):
        id = asked(world, usager="karim")
        represent(world, "blanc", "karim", "tutelle")
        world.post("sonia", f"{PATH}/{id}/answer", {"answer": "yes"})
        assert world.post("blanc", f"{MINE}/{id}/confirm", {"right": True}).status_code == 403

    @pytest.mark.threat("mandate-other-person")
    def test_of_another_person_finds_nothing(self, world: World):
        represent(world, "blanc", "karim", "tutelle")
        assert says(world, "blanc", asked(world), "no") == 404

    def test_noted_by_staff_counts_by_the_same_rules(self, world: World):
        id = asked(world, usager="karim")
        contact = str(represent(world, "blanc", "karim", "tutelle"))
        body = {"answer": "yes", "contact_id": contact}
        assert world.post("sonia", f"{PATH}/{id}/answer", body).status_code == 403
        self.recorded(world, id)
        assert world.post("sonia", f"{PATH}/{id}/answer", body).status_code == 201
        read = world.get("sonia", f"{PATH}/{id}").json()
        assert (read["answer"], read["answered_by_kind"], read["noted_by"]) == (
            "yes",
            "representative",
            str(world.ids["sonia"]),
        )


class TestParents:
    """Of Lucas, 9, whose parents live apart; sharing is an acte non usuel: both must say yes."""

    @pytest.fixture(autouse=True)
    def both(self, world: World, clean: None) -> None:
        for name in ("claire", "paul"):
            represent(world, name, "lucas", "autorite_parentale_separes")

    @pytest.mark.threat("consent-one-parent")
    def test_one_yes_opens_nothing(self, world: World):
        text, id = note(world, "lucas"), asked(world, usager="lucas")
        says(world, "claire", id, "yes")
        assert (state(world, id), partner_reads(world, "chu", text)) == ("asked", False)

    def test_two_yes_open_until_the_child_is_of_age(self, world: World):
        text, id = note(world, "lucas"), asked(world, usager="lucas")
        assert [says(world, who, id, "yes") for who in ("claire", "paul")] == [201, 201]
        read = world.get("marc", f"{PATH}/{id}").json()
        assert (read["answer"], read["ends"], read["lapses_on"]) == ("yes", None, "2035-03-09")
        assert partner_reads(world, "chu", text)

    def test_an_end_before_that_stays(self, world: World):
        soon = str(today() + timedelta(days=20))
        id = asked(world, usager="lucas", ends=soon)
        for who in ("claire", "paul"):
            says(world, who, id, "yes")
        assert world.get("marc", f"{PATH}/{id}").json()["ends"] == soon

    @pytest.mark.threat("consent-one-parent")
    def test_two_that_differ_are_a_disagreement_and_nothing_leaves(self, world: World):
        text, id = note(world, "lucas"), asked(world, usager="lucas")
        says(world, "claire", id, "yes")
        says(world, "paul", id, "no")
        assert state(world, id) == "disagreement"
        assert not partner_reads(world, "chu", text)
        assert [i["id"] for i in world.get("marc", f"{PATH}?answer=disagreement").json()["items"]] == [id]

    def test_a_disagreement_closes_what_both_had_allowed(self, world: World):
        text, first = note(world, "lucas"), asked(world, usager="lucas")
        for who in ("claire", "paul"):
            says(world, who, first, "yes")
        second = asked(world, usager="lucas")
        says(world, "claire", second, "yes")
        assert partner_reads(world, "chu", text)
        says(world, "paul", second, "no")
        assert not partner_reads(world, "chu", text)

    def test_two_no_are_a_no(self, world: World):
        id = asked(world, usager="lucas")
        for who in ("claire", "paul"):
            says(world, who, id, "no")
        assert state(world, id) == "no"

    def test_one_who_wants_to_talk_opens_nothing(self, world: World):
        id = asked(world, usager="lucas")
        says(world, "claire", id, "yes")
        says(world, "paul", id, "talk")
        assert state(world, id) == "talk"

    @pytest.mark.threat("mandate-other-parent")
    def test_each_sees_only_their_own_answer(self, world: World):
        id = asked(world, usager="lucas")
        says(world, "claire", id, "yes")
        before = world.get("claire", f"{MINE}/{id}", headers={"X-Request-Id": "same"})
        says(world, "paul", id, "no")
        after = world.get("claire", f"{MINE}/{id}", headers={"X-Request-Id": "same"})
        assert before.json()["answer"] == "yes"
        assert before.content == after.content

    @pytest.mark.threat("mandate-other-parent")
    def test_the_answer_of_the_other_is_out_of_reach(self, world: World):
        id = asked(world, usager="lucas")
        place = world.post("paul", f"{MINE}/{id}/answer", {"answer": "no"}).headers["location"]
        assert world.get("paul", place).status_code == 200
        assert world.get("claire", place).status_code == 404

    def test_a_person_without_authority_is_refused(self, world: World):
        id = asked(world, usager="lucas")
        represent(world, "oncle", "lucas", "tutelle")
        refused = world.post("oncle", f"{MINE}/{id}/answer", {"answer": "no"})
        assert refused.status_code == 403
        assert "autorité parentale" in refused.json()["errors"][0]["message"]

    @pytest.mark.threat("consent-overruled-by-relative")
    def test_the_childs_own_no_stands_against_two_yes(self, world: World):
        text, id = note(world, "lucas"), asked(world, usager="lucas")
        for who in ("claire", "paul"):
            says(world, who, id, "yes")
        says(world, "lucas", id, "no")
        assert (state(world, id), partner_reads(world, "chu", text)) == ("no", False)

    def test_the_childs_yes_does_not_replace_theirs(self, world: World):
        id = asked(world, usager="lucas")
        says(world, "lucas", id, "yes")
        assert state(world, id) == "asked"

    def test_for_a_usual_act_one_parent_is_enough(self, world: World):
        id = other(world, "lucas", "autre")
        says(world, "claire", id, "yes")
        assert state(world, id) == "yes"
        says(world, "paul", id, "no")
        assert state(world, id) == "disagreement"

    @pytest.mark.threat("consent-one-parent")
    def test_for_an_act_that_is_not_usual_both_must_say_yes(self, world: World):
        id = other(world, "lucas", "autre", act="non_usuel")
        says(world, "claire", id, "yes")
        assert state(world, id) == "asked"
        says(world, "paul", id, "yes")
        assert state(world, id) == "yes"

    @pytest.mark.threat("consent-one-parent")
    def test_nor_is_one_enough_while_the_authority_of_the_other_is_yet_to_be_confirmed(self, world: World):
        world.rows("UPDATE mandate SET confirmed_at = NULL WHERE contact_id = $1", world.ids["paul"])
        try:
            id = other(world, "lucas", "autre", act="non_usuel")
            says(world, "claire", id, "yes")
            assert state(world, id) == "asked"
        finally:
            world.rows("UPDATE mandate SET confirmed_at = now() WHERE contact_id = $1", world.ids["paul"])

    @pytest.mark.threat("consent-one-parent")
    @pytest.mark.parametrize("kind", ["partage", "image"])
    @pytest.mark.parametrize("act", ["usuel", "gardien"])
    def test_sharing_and_the_image_are_never_a_usual_act(self, world: World, kind: str, act: str):
        alone = {"partner_id": None, "categories": None, "kinds": None} if kind == "image" else {}
        answer = world.post("marc", PATH, question(world, "lucas", kind=kind, act=act, **alone))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/act")

    @pytest.mark.threat("evaluator-without-yes")
    def test_only_a_question_of_its_own_opens_an_evaluation(self, world: World):
        shared = world.post("marc", PATH, question(world, "lucas", about="evaluation"))
        assert (shared.status_code, shared.json()["errors"][0]["where"]) == (422, "/about")
        assert (
            world.get("marc", f"{PATH}/{other(world, 'lucas', 'autre', about='evaluation')}").json()["about"]
            == "evaluation"
        )

    def test_a_usual_act_nobody_said_yes_to_waits(self, world: World):
        id = other(world, "lucas", "autre")
        world.post("sonia", f"{PATH}/{id}/answer", {"answer": "yes"})
        world.post("lucas", f"{MINE}/{id}/confirm", {"right": False})
        assert state(world, id) == "asked"

    def test_without_any_parent_known_nothing_opens(self, world: World):
        id = asked(world, usager="ines")
        says(world, "ines", id, "yes")
        assert state(world, id) == "asked"


class TestGuardian:
    """An act of who has the keeping of a child: the ASE, or the house."""

    @pytest.fixture(autouse=True)
    def parent(self, world: World, clean: None) -> None:
        represent(world, "claire", "lucas", "autorite_parentale_separes")

    def guards(self, world: World, id: str, who: str = "marc", **said: object) -> Any:
        return world.post(who, f"{PATH}/{id}/guardian", {"answer": "yes", "by": "house", **said})

    @pytest.mark.threat("consent-guardian-forged")
    def test_no_parent_answers_it(self, world: World):
        id = other(world, "lucas", "autre", act="gardien")
        assert says(world, "claire", id, "yes") == 403
        assert world.get("claire", f"{MINE}/{id}").json()["may_answer"] is False
        noted = world.post("marc", f"{PATH}/{id}/answer", {"answer": "yes", "contact_id": str(world.ids["claire"])})
        assert (noted.status_code, state(world, id)) == (403, "asked")

    def test_noted_with_who_answered_and_who_heard_it(self, world: World):
        id = other(world, "lucas", "autre", act="gardien")
        told = self.guards(world, id, by="ase").json()
        assert (told["given_by_kind"], told["given_by"]) == ("ase", str(world.ids["ime"]))
        assert (told["noted_by"], state(world, id)) == (str(world.ids["marc"]), "yes")
        assert world.get("marc", f"{PATH}/{id}").json()["lapses_on"] == "2035-03-09"
        assert self.guards(world, id, answer="no").json()["answer"] == "no"
        assert state(world, id) == "no"  # the house and the ASE do not say the same: the narrower

    def test_who_spoke_for_the_ase_is_one_of_theirs(self, world: World):
        id = other(world, "lucas", "autre", act="gardien")
        mine, another = (added(world, usager).rpartition("/")[2] for usager in ("lucas", "ines"))
        assert self.guards(world, id, by="ase", contact_id=mine).json()["given_by"] == mine
        wrong = self.guards(world, id, by="ase", contact_id=another)
        assert (wrong.status_code, wrong.json()["errors"][0]["where"]) == (422, "/contact_id")

    @pytest.mark.threat("consent-guardian-forged")
    @pytest.mark.parametrize(("who", "status"), [("marc", 201), ("sonia", 403), ("odile", 403), ("yann", 403)])
    def test_by_whom(self, world: World, who: str, status: int):
        assert self.guards(world, other(world, "lucas", "autre", act="gardien"), who).status_code == status

    @pytest.mark.threat("consent-guardian-forged")
    @pytest.mark.parametrize("act", ["usuel", "non_usuel"])
    def test_what_parents_answer_is_not_theirs(self, world: World, act: str):
        assert self.guards(world, other(world, "lucas", "autre", act=act)).status_code == 409

    @pytest.mark.threat("consent-overruled-by-relative")
    def test_the_childs_own_no_stands(self, world: World):
        id = other(world, "lucas", "autre", act="gardien")
        says(world, "lucas", id, "no")
        self.guards(world, id)
        assert state(world, id) == "no"

    def test_the_childs_yes_waits_for_theirs(self, world: World):
        id = other(world, "lucas", "autre", act="gardien")
        says(world, "lucas", id, "yes")
        assert state(world, id) == "asked"
        self.guards(world, id)
        assert state(world, id) == "yes"

    @pytest.mark.threat("consent-guardian-forged")
    def test_nobody_has_the_keeping_of_an_adult(self, world: World):
        assert self.guards(world, other(world, "jeanne", "autre", act="gardien")).status_code == 409

    def test_the_page_says_who_answers(self, world: World):
        other(world, "lucas", "autre", act="gardien")
        page = visit(world, "lucas", world.ids["claire"]).get("/mon-dossier/accords").text
        assert "C'est l'aide sociale à l'enfance, ou la maison, qui répond." in page
        assert "C'est Lucas qui répond." not in page


class TestOppositions:
    def against(self, world: World, **changes: object) -> dict[str, object]:
        return {
            "usager_id": str(world.ids["jeanne"]),
            "structure_id": str(world.ids["ehpad"]),
            "partner_id": str(world.ids["chu"]),
            **changes,
        }

    def test_noted_by_staff_closes_and_lifted_opens(self, world: World):
        text = note(world)
        says(world, "jeanne", asked(world), "yes")
        made = world.post("sonia", f"{PATH}/oppositions", self.against(world))
        place = made.headers["location"]
        assert (made.status_code, partner_reads(world, "chu", text)) == (201, False)
        assert world.get("sonia", place).json()["ends"] is None
        lifted = world.post("sonia", f"{place}/lift", None)
        assert (lifted.status_code, partner_reads(world, "chu", text)) == (200, True)
        assert world.post("sonia", f"{place}/lift", None).status_code == 409

    @pytest.mark.threat("object-opposition-lifted")
    def test_by_the_person_is_lifted_by_the_person_only(self, world: World):
        made = world.post("jeanne", f"{MINE}/oppositions", {"partner_id": str(world.ids["chu"])})
        id = made.json()["id"]
        assert world.get("jeanne", made.headers["location"]).json()["id"] == id
        assert world.post("sonia", f"{PATH}/oppositions/{id}/lift", None).status_code == 409
        assert world.post("jeanne", f"{MINE}/oppositions/{id}/lift", None).status_code == 200

    @pytest.mark.threat("object-opposition")
    def test_against_a_professional_closes_the_dossier_to_them(self, world: World):
        text = note(world)
        world.post("jeanne", f"{MINE}/oppositions", {"professional_id": str(world.ids["leila"])})
        assert world.get("leila", f"/api/v1/transmissions/{text}").status_code == 404
        assert world.get("sonia", f"/api/v1/transmissions/{text}").status_code == 200

    @pytest.mark.parametrize("both", [True, False])
    def test_against_nobody_or_two_is_refused(self, world: World, both: bool):
        body = {"partner_id": str(world.ids["chu"]), "professional_id": str(world.ids["leila"])} if both else {}
        refused = world.post("jeanne", f"{MINE}/oppositions", body)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "/partner_id")

    @pytest.mark.parametrize(("who", "status"), [("marc", 201), ("odile", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, f"{PATH}/oppositions", self.against(world)).status_code == status

    def test_are_listed_by_usager(self, world: World):
        made = world.post("sonia", f"{PATH}/oppositions", self.against(world)).json()["id"]
        for path in (f"{PATH}/oppositions", f"{PATH}/oppositions?usager={world.ids['jeanne']}"):
            assert [i["id"] for i in world.get("sonia", path).json()["items"]] == [made]
        assert world.get("sonia", f"{PATH}/oppositions?usager={world.ids['karim']}").json()["items"] == []


@pytest.mark.threat("search-reads-consents")
def test_a_partner_reads_no_consent_of_anyone(world: World):
    """Even one that covers the whole administrative category."""
    id = asked(world, categories=["administrative"], kinds=None)
    says(world, "jeanne", id, "yes")
    world.rows("UPDATE sharing_consent SET kinds = NULL")
    assert not partner_asks(world, "chu", id, ConsentOut)


@pytest.mark.threat("consent-answer-rewritten")
def test_an_answer_is_neither_changed_nor_deleted_by_the_application(world: World):
    [grants] = world.rows(
        "SELECT has_table_privilege('dui_app', 'consent_answer', 'UPDATE'), "
        "has_table_privilege('dui_app', 'consent_answer', 'DELETE')"
    )
    assert tuple(grants) == (False, False)


def test_a_mandate_that_ended_answers_nothing(world: World):
    id = asked(world, usager="lucas")
    represent(world, "claire", "lucas", "autorite_parentale")
    world.rows("UPDATE mandate SET ends = $1", (now() - timedelta(days=2)).date())
    assert says(world, "claire", id, "no") == 404
