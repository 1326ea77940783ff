"""What each caller may do with transmissions, through the staff's door."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest

from app.access.models import Opposition, TeamMember
from app.kernel.clock import now, today
from app.security.principal import Role
from tests.world import World

PATH = "/api/v1/transmissions"


def said(world: World, usager: str = "jeanne", structure: str = "ehpad", **changes: object) -> dict[str, object]:
    return {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[structure]),
        "text": "A bien dormi.",
        **changes,
    }


def written(world: World, who: str = "sonia", **changes: object) -> str:
    answer = world.post(who, PATH, said(world, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


class TestWrite:
    def test_by_the_referent_who_reads_it_back(self, world: World):
        place = written(world)
        read = world.get("sonia", place)
        assert (read.status_code, read.json()["text"]) == (200, "A bien dormi.")
        assert read.headers["etag"] == 'W/"1"'

    def test_leaves_one_line_of_trail(self, world: World):
        place = written(world)
        [line] = world.traces(request_id=world.client.headers.get("x-request-id", ""), action="create") or [
            t for t in world.traces(action="create") if str(t["entry_ids"][0]) == place.rpartition("/")[2]
        ]
        assert (line["usager_id"], line["kind"], line["outcome"], line["role"]) == (
            world.ids["jeanne"],
            "transmission",
            "success",
            "educateur",
        )

    @pytest.mark.threat("privacy-dump")
    def test_keeps_a_sealed_version(self, world: World):
        id = written(world).rpartition("/")[2]
        [version] = world.rows("SELECT * FROM entry_version WHERE entry_id = $1", id)
        assert version["version"] == 1
        assert b"dormi" not in version["snapshot"]

    def test_in_the_future_is_refused_naming_the_field(self, world: World):
        later = (now() + timedelta(hours=1)).isoformat()
        answer = world.post("sonia", PATH, said(world, occurred_at=later))
        assert answer.status_code == 422
        assert [(e["where"], e["code"]) for e in answer.json()["errors"]] == [("/occurred_at", "transmission.future")]

    @pytest.mark.parametrize(
        ("who", "status"), [("odile", 403), ("helene", 403), ("leila", 201), ("marc", 201), ("yann", 404)]
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, said(world)).status_code == status

    @pytest.mark.threat("object-care-note-written")
    def test_of_a_care_note_by_who_does_not_care_is_refused(self, world: World):
        assert world.post("sonia", PATH, said(world, category="care")).status_code == 403

    @pytest.mark.threat("object-written-about-nobody")
    def test_about_a_usager_who_never_was_is_told_like_one_out_of_reach(self, world: World):
        never = world.post("sonia", PATH, said(world) | {"usager_id": str(uuid4())})
        other = world.post("yann", PATH, said(world))
        assert never.status_code == other.status_code == 404
        assert (
            [e["where"] for e in never.json()["errors"]]
            == ["/usager_id"]
            == [e["where"] for e in other.json()["errors"]]
        )

    @pytest.mark.threat("object-written-elsewhere")
    def test_in_my_structure_about_someone_received_elsewhere_is_not_found(self, world: World):
        world.hire("nadia", Role.CHEF_DE_SERVICE, "ehpad")
        assert world.post("nadia", PATH, said(world, "karim", "ehpad")).status_code == 404
        assert world.post("nadia", PATH, said(world, "jeanne", "ehpad")).status_code == 201

    @pytest.mark.threat("trail-refusal-untraced")
    def test_refused_leaves_a_trace_and_no_row(self, world: World):
        before = world.rows("SELECT count(*) FROM transmission")[0][0]
        refused = world.post("helene", PATH, said(world))
        assert world.rows("SELECT count(*) FROM transmission")[0][0] == before
        [line] = world.traces(request_id=refused.headers["x-request-id"])
        assert (line["outcome"], line["action"], line["usager_id"]) == ("refused", "create", world.ids["jeanne"])

    @pytest.mark.threat("input-unknown-field")
    def test_an_unknown_field_is_refused_without_being_repeated(self, world: World):
        answer = world.post("sonia", PATH, said(world) | {"147720425367411": "x"})
        assert answer.status_code == 422
        assert "147720425367411" not in answer.text

    @pytest.mark.threat("input-sql-in-text")
    def test_sql_and_html_are_text(self, world: World):
        text = "'); DROP TABLE usager; -- <script>alert(1)</script> & « ça va »"
        assert world.get("sonia", written(world, text=text)).json()["text"] == text

    def test_a_reply_joins_its_thread(self, world: World):
        first = written(world, target="sommeil", kind="data").rpartition("/")[2]
        reply = world.get("sonia", written(world, kind="reply", thread_id=first)).json()
        assert (reply["thread_id"], reply["target"]) == (first, "sommeil")

    def test_a_reply_without_a_thread_is_refused(self, world: World):
        assert world.post("sonia", PATH, said(world, kind="reply")).status_code == 422

    @pytest.mark.threat("object-thread-of-another")
    def test_a_thread_of_another_person_is_refused(self, world: World):
        first = written(world, usager="karim", structure="mas_fam").rpartition("/")[2]
        assert world.post("sonia", PATH, said(world, kind="reply", thread_id=first)).status_code == 422

    def test_one_line_becomes_a_thread_of_three(self, world: World):
        body = said(world) | {"line": "A 14 h : D: chute A: examen R: rien", "target": "chute"}
        del body["text"]
        answer = world.post("sonia", f"{PATH}/line", body)
        items = answer.json()["items"]
        assert [(i["kind"], i["text"]) for i in items] == [
            ("data", "A 14 h : chute"),
            ("action", "examen"),
            ("result", "rien"),
        ]
        assert {i["thread_id"] for i in items} == {items[0]["id"]}


class TestIdempotency:
    @pytest.mark.threat("fault-answer-lost")
    def test_the_same_key_writes_once(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        body = said(world, text="Une fois.")
        first, again = (world.post("sonia", PATH, body, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
        assert again.headers["idempotency-replayed"] == "true"

    @pytest.mark.threat("object-idempotency-stolen")
    def test_the_same_key_for_another_body_is_refused(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        world.post("sonia", PATH, said(world, text="Une."), headers=key)
        assert world.post("sonia", PATH, said(world, text="Deux."), headers=key).status_code == 422

    def test_the_same_line_again_tells_the_thread_it_made(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        body = said(world) | {"line": "D: chute A: examen R: rien"}
        del body["text"]
        first, again = (world.post("sonia", f"{PATH}/line", body, headers=key) for _ in "ab")
        assert (again.status_code, [i["id"] for i in again.json()["items"]]) == (
            201,
            [i["id"] for i in first.json()["items"]],
        )

    @pytest.mark.threat("object-idempotency-stolen")
    def test_two_callers_may_use_the_same_key(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        ids = {world.post(who, PATH, said(world), headers=key).json()["id"] for who in ("sonia", "marc")}
        assert len(ids) == 2


class TestCorrect:
    @pytest.mark.parametrize("field", ["text", "visibility", "important", "consigne"])
    def test_never_empties_what_every_note_says(self, world: World, field: str):
        answer = world.patch("sonia", written(world), {field: None}, 1)
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [f"/{field}"])

    @pytest.mark.parametrize("field", ["target", "correction_reason"])
    def test_may_empty_what_few_notes_say(self, world: World, field: str):
        place = written(world)
        assert world.patch("sonia", place, {field: "sommeil"}, 1).json()[field] == "sommeil"
        assert world.patch("sonia", place, {field: None}, 2).json()[field] is None

    def test_makes_a_version_and_keeps_the_first(self, world: World):
        place = written(world)
        fixed = world.patch("sonia", place, {"text": "A mal dormi.", "correction_reason": "erreur"}, 1)
        assert (fixed.status_code, fixed.json()["version"], fixed.headers["etag"]) == (200, 2, 'W/"2"')
        id = place.rpartition("/")[2]
        assert [r[0] for r in world.rows("SELECT version FROM entry_version WHERE entry_id = $1 ORDER BY 1", id)] == [
            1,
            2,
        ]

    @pytest.mark.threat("object-stale-write")
    def test_from_a_stale_version_is_refused(self, world: World):
        place = written(world)
        world.patch("sonia", place, {"text": "B"}, 1)
        assert world.patch("sonia", place, {"text": "C"}, 1).status_code == 412

    @pytest.mark.threat("object-stale-write")
    def test_without_if_match_is_refused(self, world: World):
        place = written(world)
        answer = world.client.patch(place, json={"text": "B"}, headers=world.bearers["sonia"])
        assert answer.status_code == 428

    @pytest.mark.threat("object-not-the-author")
    def test_by_another_than_its_author_is_refused_as_an_act(self, world: World):
        assert world.patch("leila", written(world), {"text": "B"}, 1).status_code == 403

    def test_out_of_reach_is_not_found(self, world: World):
        assert world.patch("yann", written(world), {"text": "B"}, 1).status_code == 404

    @pytest.mark.threat("object-removed-told")
    def test_after_removal_is_gone(self, world: World):
        place = written(world)
        assert world.delete("sonia", place, 1).status_code == 204
        assert world.get("sonia", place).status_code == 410
        assert world.get("yann", place).status_code == 404
        assert world.patch("sonia", place, {"text": "B"}, 2).status_code == 410


class TestRead:
    @pytest.mark.threat("object-absent-told-apart")
    def test_absent_and_out_of_reach_are_alike_to_the_byte(self, world: World):
        place = written(world)
        same = {"X-Request-Id": str(uuid4())}
        there = world.get("yann", place, headers=same)
        never = world.get("yann", f"{PATH}/{uuid4()}", headers=same)
        malformed = world.get("yann", f"{PATH}/nothing", headers=same)
        assert there.content == never.content == malformed.content
        assert there.headers.items() == never.headers.items()

    @pytest.mark.threat("object-other-tenant")
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("leila", 200), ("odile", 404), ("helene", 404), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.get(who, written(world)).status_code == status

    @pytest.mark.threat("object-care-note")
    def test_a_care_note_is_closed_to_who_does_not_care_unless_it_is_a_consigne(self, world: World):
        closed = written(world, "leila", category="care")
        flagged = written(world, "leila", category="care", consigne=True)
        assert [world.get("sonia", place).status_code for place in (closed, flagged)] == [404, 200]

    @pytest.mark.threat("object-team-ended")
    def test_the_end_of_a_team_closes_at_the_next_request(self, world: World):
        place = written(world, "marc", usager="ines", structure="mecs")
        assert world.get("sonia", place).status_code == 200
        end = "UPDATE team_member SET ends = $1 WHERE usager_id = $2"
        world.rows(end, today(), world.ids["ines"])
        assert world.get("sonia", place).status_code == 404
        world.rows(end, None, world.ids["ines"])

    @pytest.mark.threat("object-opposition")
    def test_an_opposition_wins_over_a_team(self, world: World):
        place = written(world, "marc", usager="karim", structure="mas_fam")
        common = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"]}
        assert world.get("sonia", place).status_code == 200
        world.add(Opposition(professional_id=world.ids["sonia"], starts=date(2020, 1, 1), **common))
        assert world.get("sonia", place).status_code == 404
        world.rows("DELETE FROM opposition")

    @pytest.mark.threat("object-reserved-note")
    def test_a_reserved_note_is_read_by_those_named_only(self, world: World):
        place = written(world, "marc")
        id = place.rpartition("/")[2]
        world.rows("UPDATE transmission SET reserved_to = $1 WHERE id = $2", [world.ids["leila"]], id)
        assert [world.get(who, place).status_code for who in ("leila", "marc", "sonia")] == [200, 200, 404]

    @pytest.mark.threat("token-revoked-replayed")
    def test_a_revoked_session_ends_at_the_next_request(self, world: World):
        place = written(world)
        alive = "UPDATE session SET revoked_at = $1 WHERE id = $2"
        world.rows(alive, now(), world.ids["sonia_session"])
        assert world.get("sonia", place).status_code == 401
        assert world.post("sonia", PATH, said(world)).status_code == 401
        world.rows(alive, None, world.ids["sonia_session"])

    @pytest.mark.threat("token-wrong-door")
    def test_needs_a_token_of_this_door(self, world: World):
        place = written(world)
        assert world.client.get(place).status_code == 401
        assert [world.get(who, place).status_code for who in ("jeanne", "chu")] == [401, 401]


class TestList:
    def test_pages_without_double_or_hole_while_rows_arrive(self, world: World):
        places = [written(world, usager="lucas", structure="ime", text=f"n {n}") for n in range(5)]
        url = f"{PATH}?usager={world.ids['lucas']}&limit=2"
        first = world.get("sonia", url).json()
        written(world, usager="lucas", structure="ime", text="après")
        seen, page = [i["id"] for i in first["items"]], first
        while page["next"]:
            page = world.get("sonia", f"{url}&after={page['next']}").json()
            seen += [i["id"] for i in page["items"]]
        assert seen == [place.rpartition("/")[2] for place in reversed(places)]

    @pytest.mark.threat("search-next-link-borrowed")
    def test_a_cursor_is_lent_to_nobody(self, world: World):
        for n in range(3):
            written(world, usager="lucas", structure="ime", text=f"m {n}")
        url = f"{PATH}?usager={world.ids['lucas']}&limit=2"
        cursor = world.get("sonia", url).json()["next"]
        assert world.get("marc", f"{url}&after={cursor}").status_code == 400
        assert world.get("sonia", f"{PATH}?limit=2&after={cursor}").status_code == 400
        assert world.get("sonia", f"{url}&after=x{cursor}").status_code == 400

    def test_of_one_target_holds_what_was_said_of_it(self, world: World):
        about, other = (written(world, target=target) for target in ("appétit", "marche"))
        items = world.get("sonia", f"{PATH}?usager={world.ids['jeanne']}&target=appétit").json()["items"]
        ids = [i["id"] for i in items]
        assert (about.rpartition("/")[2] in ids, other.rpartition("/")[2] in ids) == (True, False)

    @pytest.mark.threat("trail-search-untraced")
    def test_nothing_found_still_names_the_usager_asked_for(self, world: World):
        answer = world.get("yann", f"{PATH}?usager={world.ids['jeanne']}")
        assert answer.json() == {"items": [], "next": None}
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"], line["entry_ids"]) == ("empty", world.ids["jeanne"], [])

    @pytest.mark.threat("trail-read-untraced")
    def test_leaves_one_line_per_usager(self, world: World):
        written(world)
        written(world, usager="karim", structure="mas_fam")
        answer = world.get("sonia", f"{PATH}?limit=200")
        told = {i["usager_id"] for i in answer.json()["items"]}
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert {str(line["usager_id"]) for line in lines} == told
        assert sum(len(line["entry_ids"]) for line in lines) == len(answer.json()["items"])

    @pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "usager=x"])
    def test_a_bad_parameter_is_400(self, world: World, query: str):
        assert world.get("sonia", f"{PATH}?{query}").status_code == 400


class TestShownToThePerson:
    """By whom nobody asked: the house says (`visibility.transmission`), and never shows care by itself."""

    @pytest.fixture(params=["not_shared", "shared"])
    def house(self, request: pytest.FixtureRequest, world: World) -> Iterator[str]:
        here = {"scope": f"structure:{world.ids['ehpad']}", "key": "visibility.transmission", "value": request.param}
        place = world.post("helene", "/api/v1/settings", here).headers["location"]
        yield request.param
        world.delete("helene", place, 1)

    def test_as_the_house_says(self, world: World, house: str):
        assert world.get("sonia", written(world)).json()["visibility"] == house

    def test_and_so_remembered(self, world: World, house: str):
        [version] = world.rows(
            "SELECT visibility FROM entry_version WHERE entry_id = $1", written(world).rpartition("/")[2]
        )
        assert version["visibility"] == house

    @pytest.mark.usefixtures("house")
    @pytest.mark.parametrize("said", ["not_shared", "shared"])
    def test_else_as_its_author_says(self, world: World, said: str):
        assert world.get("sonia", written(world, visibility=said)).json()["visibility"] == said

    @pytest.mark.usefixtures("house")
    def test_care_is_not_shown_unless_said(self, world: World):
        place = written(world, "leila", category="care")
        assert world.get("leila", place).json()["visibility"] == "not_shared"

    @pytest.mark.usefixtures("house")
    def test_another_house_is_as_shipped(self, world: World):
        place = written(world, usager="karim", structure="mas_fam")
        assert world.get("sonia", place).json()["visibility"] == "not_shared"

    def test_each_part_of_a_line_likewise(self, world: World, house: str):
        line = {key: value for key, value in said(world).items() if key != "text"} | {"line": "D: chute A: examen"}
        answer = world.post("sonia", f"{PATH}/line", line)
        assert [part["visibility"] for part in answer.json()["items"]] == [house, house]


class TestCost:
    """Hot paths stay short: the number of SQL statements is part of the contract."""

    def test_read_is_one(self, world: World):
        place = written(world)
        world.get("sonia", place)
        with world.statements() as counted:
            world.get("sonia", place)
        assert len(counted) == 1, counted.sql

    def test_a_refused_read_is_two(self, world: World):
        place = written(world)
        world.get("yann", place)
        with world.statements() as counted:
            world.get("yann", place)
        assert len(counted) == 2, counted.sql

    def test_list_is_one(self, world: World):
        world.get("sonia", PATH)
        with world.statements() as counted:
            world.get("sonia", PATH)
        assert len(counted) == 1, counted.sql

    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "count-me"}])
    def test_a_post_is_four_at_most(self, world: World, key: dict[str, str]):
        world.post("sonia", PATH, said(world))
        with world.statements() as counted:
            assert world.post("sonia", PATH, said(world), headers=key).status_code == 201
        assert 3 <= len(counted) <= 4, counted.sql


def test_the_team_by_rule_opens_a_unit(world: World):
    place = written(world, "marc", usager="ines", structure="mecs")
    assert world.get("leila", place).status_code == 404
    from app.access.models import UnitTeam

    world.add(
        UnitTeam(
            professional_id=world.ids["leila"],
            unit_id=world.ids["unit_mecs"],
            kind="rule",
            starts_at=now() - timedelta(hours=1),
        )
    )
    assert world.get("leila", place).status_code == 200
    world.rows("DELETE FROM unit_team")


@pytest.mark.threat("object-team-ended")
def test_a_team_that_starts_tomorrow_opens_nothing_today(world: World):
    place = written(world, "marc", usager="ines", structure="mecs")
    common = {"usager_id": world.ids["ines"], "structure_id": world.ids["mecs"]}
    member = TeamMember(professional_id=world.ids["leila"], starts=today() + timedelta(days=1), **common)
    world.add(member)
    assert world.get("leila", place).status_code == 404
    world.rows("UPDATE team_member SET starts = $1 WHERE id = $2", today(), member.id)
    assert world.get("leila", place).status_code == 200
