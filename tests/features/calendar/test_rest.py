"""The agenda, by who looks and who acts: planning, moving, cancelling, coming; rooms; series and the clocks."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.kernel.clock import now, today
from app.security.principal import Role
from tests.features.consents.people import HOUSES, represent
from tests.world import World

PATH, MINE = "/api/v1/events", "/api/v1/me/events"
DAY = today() + timedelta(days=7)


def said(world: World, *usagers: str, **changes: object) -> dict[str, object]:
    names = usagers or ("jeanne",)
    return {
        "usager_ids": [str(world.ids[name]) for name in names],
        "structure_id": str(world.ids[HOUSES[names[0]]]),
        "title": "Atelier jardin",
        "starts": f"{DAY}T14:00:00",
        "ends": f"{DAY}T15:30:00",
        **changes,
    }


def planned(world: World, *usagers: str, who: str = "sonia", **changes: object) -> str:
    answer = world.post(who, PATH, said(world, *usagers, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def room(world: World, name: str = "Salle bleue") -> str:
    body = {"structure_id": str(world.ids["ehpad"]), "name": name, "kind": "room"}
    return str(world.post("marc", f"{PATH}/resources", body).json()["id"])


@pytest.fixture(autouse=True)
def clean(world: World):
    yield
    for table in ("resource_booking", "resource", "event_attendee", "event_participant", "event", "event_series"):
        world.rows(f"DELETE FROM {table}")
    world.rows("DELETE FROM mandate")


class TestPlan:
    def test_by_the_referent_who_reads_it_back(self, world: World):
        read = world.get("sonia", planned(world))
        told = read.json()
        assert (told["title"], told["starts"], told["zone"]) == ("Atelier jardin", f"{DAY}T14:00:00", "Europe/Paris")
        assert (told["status"], told["answer"], told["visibility"], read.headers["etag"]) == (
            "planned",
            "asked",
            "shared",
            'W/"1"',
        )

    def test_for_eight_makes_a_row_each_and_one_event(self, world: World):
        items = world.post("sonia", PATH, said(world, "jeanne", "karim", "lucas", structure_id=str(world.ids["ehpad"])))
        assert items.status_code == 201, items.text
        rows = items.json()["items"]
        assert len({r["event_id"] for r in rows}) == 1
        assert {r["usager_id"] for r in rows} == {str(world.ids[n]) for n in ("jeanne", "karim", "lucas")}

    @pytest.mark.threat("object-group-names")
    def test_a_reader_of_one_row_reads_the_event_and_not_the_others(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        for who in ("jeanne", "leila"):
            path = MINE if who == "jeanne" else PATH
            [only] = world.get(who, path).json()["items"]
            assert only["usager_id"] == str(world.ids["jeanne"])
            assert str(world.ids["karim"]) not in world.get(who, path).text
        assert world.get("leila", PATH).json()["items"][0]["others"] == 1

    def test_care_is_not_shared_by_itself(self, world: World):
        assert world.get("leila", planned(world, who="leila", category="care")).json()["visibility"] == "not_shared"

    @pytest.mark.parametrize(
        ("who", "status"), [("marc", 201), ("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404)]
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, said(world)).status_code == status

    @pytest.mark.threat("object-group-partly-out-of-reach")
    def test_for_one_usager_out_of_reach_among_others_is_refused_whole(self, world: World):
        assert world.post("leila", PATH, said(world, "jeanne", "karim")).status_code in (403, 404)
        assert world.rows("SELECT 1 FROM event_participant") == world.rows("SELECT 1 FROM event") == []

    @pytest.mark.threat("input-recurrence-bomb")
    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"ends": f"{DAY}T14:00:00"}, "/ends"),
            ({"ends": f"{DAY + timedelta(days=40)}T14:00:00"}, "/ends"),
            ({"zone": "Europe/Atlantide"}, "/zone"),
            ({"all_day": True}, "/all_day"),
            ({"starts": f"{DAY}T14:00:00+02:00"}, "/starts"),
            ({"usager_ids": []}, "/usager_ids"),
            ({"rule": "FREQ=SECONDLY"}, "/rule"),
            ({"rule": "FREQ=YEARLY;UNTIL=20269999"}, "/rule"),
            ({"rule": f"FREQ=DAILY;UNTIL={today():%Y%m%d}"}, "/rule"),
            ({"rule": "FREQ=DAILY;INTERVAL=1"}, "/rule"),
            ({"title": "\x00"}, "/title"),
            ({"attendees": [{}]}, "/attendees/0"),
            ({"attendees": [{"name": "Un ami", "usager_id": str(uuid4())}]}, "/attendees/0/usager_id"),
            ({"attendees": [{"professional_id": str(uuid4())}]}, "/attendees"),
            ({"resource_ids": [str(uuid4())]}, "/resource_ids"),
        ],
    )
    def test_what_makes_no_sense_is_refused_naming_the_field(
        self, world: World, changes: dict[str, object], where: str
    ):
        answer = world.post("sonia", PATH, said(world, **changes))
        assert answer.status_code == 422, answer.text
        assert [e["where"] for e in answer.json()["errors"]] == [where]

    @pytest.mark.threat("input-recurrence-bomb")
    def test_too_many_rows_in_one_gesture_is_refused(self, world: World):
        names = ("jeanne", "karim", "lucas", "ines", "jeanne")
        assert world.post("marc", PATH, said(world, *names, rule="FREQ=DAILY;COUNT=380")).status_code == 201
        many = said(world, rule="FREQ=DAILY;COUNT=350", usager_ids=[str(uuid4()) for _ in range(6)])
        assert world.post("marc", PATH, many).json()["errors"][0]["code"] == "event.too_many"

    def test_costs_four_statements_at_most(self, world: World):
        who = {"professional_id": str(world.ids["leila"])}
        things = [room(world)]
        for key in ({}, {"Idempotency-Key": str(uuid4())}):
            body = said(world, "jeanne", "karim", attendees=[who], resource_ids=things)
            body["starts"], body["ends"] = f"{DAY}T0{len(key)}:00:00", f"{DAY}T0{len(key)}:30:00"
            with world.statements() as counted:
                assert world.post("sonia", PATH, body, headers=key).status_code == 201
            assert len(counted) <= 4, counted.sql

    def test_the_same_key_plans_once(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("sonia", PATH, said(world, "jeanne", "karim"), headers=key) for _ in "ab")
        assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
        assert {i["id"] for i in again.json()["items"]} == {i["id"] for i in first.json()["items"]}

    def test_leaves_one_line_of_trail_for_each_person(self, world: World):
        made = world.post("sonia", PATH, said(world, "jeanne", "karim"))
        lines = world.traces(request_id=made.headers["x-request-id"])
        assert {(t["action"], t["kind"], t["usager_id"]) for t in lines} == {
            ("create", "event", world.ids["jeanne"]),
            ("create", "event", world.ids["karim"]),
        }


class TestAttendees:
    def test_are_told_by_name(self, world: World):
        place = planned(
            world,
            attendees=[
                {"professional_id": str(world.ids["leila"]), "companion": True},
                {"partner_id": str(world.ids["chu"])},
                {"name": "Un bénévole"},
            ],
        )
        told = world.get("sonia", place).json()["attendees"]
        assert [(a["name"], a["companion"]) for a in told] == [
            ("Leïla Haddad", True),
            ("CHU", False),
            ("Un bénévole", False),
        ]

    def test_a_relative_is_told_to_the_readers_of_their_person_only(self, world: World):
        body = {
            "usager_id": str(world.ids["lucas"]),
            "structure_id": str(world.ids["ime"]),
            "family_name": "MARTIN",
            "given_name": "Claire",
        }
        contact = world.post("odile", "/api/v1/contacts", body).json()["id"]
        two = said(world, "jeanne", "lucas", attendees=[{"contact_id": contact}])
        assert world.post("sonia", PATH, two).json()["errors"][0]["where"] == "/attendees/0/usager_id"
        named = [{"contact_id": contact, "usager_id": str(world.ids["lucas"])}]
        world.post("sonia", PATH, {**two, "attendees": named})
        told = {i["usager_id"]: i["attendees"] for i in world.get("sonia", PATH).json()["items"]}
        assert [a["name"] for a in told[str(world.ids["lucas"])]] == ["Claire MARTIN"]
        assert told[str(world.ids["jeanne"])] == []

    def test_of_one_person_a_relative_needs_no_more_words(self, world: World):
        body = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "family_name": "MARTIN"}
        contact = world.post("odile", "/api/v1/contacts", body).json()["id"]
        place = planned(world, "lucas", attendees=[{"contact_id": contact}])
        assert [a["contact_id"] for a in world.get("sonia", place).json()["attendees"]] == [contact]

    def test_are_replaced_by_others(self, world: World):
        place = planned(world, attendees=[{"name": "Une amie"}])
        world.patch("sonia", place, {"attendees": [{"name": "Un ami"}]}, 1)
        assert [a["name"] for a in world.get("sonia", place).json()["attendees"]] == ["Un ami"]

    def test_make_the_agenda_of_a_professional(self, world: World):
        mine = planned(world, attendees=[{"professional_id": str(world.ids["leila"])}])
        planned(world)
        items = world.get("sonia", f"{PATH}?professional={world.ids['leila']}").json()["items"]
        assert [i["id"] for i in items] == [mine.rpartition("/")[2]]


class TestResources:
    def test_one_room_is_at_one_event_at_a_time(self, world: World):
        thing = room(world)
        planned(world, resource_ids=[thing])
        clash = world.post(
            "sonia", PATH, said(world, starts=f"{DAY}T15:00:00", ends=f"{DAY}T16:00:00", resource_ids=[thing])
        )
        assert clash.status_code == 409
        [error] = clash.json()["errors"]
        assert (error["where"], error["code"]) == ("/resource_ids", "event.taken")
        assert "déjà pris" in error["message"]
        assert len(world.rows("SELECT 1 FROM event")) == 1

    def test_one_after_the_other_is_fine(self, world: World):
        thing = room(world)
        planned(world, resource_ids=[thing])
        next_one = planned(world, starts=f"{DAY}T15:30:00", ends=f"{DAY}T16:00:00", resource_ids=[thing])
        assert [r["name"] for r in world.get("sonia", next_one).json()["resources"]] == ["Salle bleue"]

    def test_an_event_moves_with_its_room_or_not_at_all(self, world: World):
        thing = room(world)
        planned(world, resource_ids=[thing])
        other = planned(world, starts=f"{DAY}T16:00:00", ends=f"{DAY}T17:00:00", resource_ids=[thing])
        assert world.patch("sonia", other, {"starts": f"{DAY}T15:00:00"}, 1).status_code == 409
        assert world.patch("sonia", other, {"starts": f"{DAY}T18:00:00"}, 1).status_code == 200
        assert (
            world.post(
                "sonia", PATH, said(world, starts=f"{DAY}T18:30:00", ends=f"{DAY}T19:30:00", resource_ids=[thing])
            ).status_code
            == 409
        )

    @pytest.mark.parametrize("way", ["cancel", "everyone", "last", "patch"])
    def test_is_free_again_when_the_event_is_no_more(self, world: World, way: str):
        thing = room(world)
        place = planned(world, resource_ids=[thing])
        match way:
            case "cancel":
                world.patch("sonia", place, {"status": "cancelled", "cancel_reason": "Orage."}, 1)
            case "patch":
                world.patch("sonia", place, {"resource_ids": []}, 1)
            case "everyone":
                headers = {**world.bearers["sonia"], "If-Match": 'W/"1"'}
                assert world.client.delete(f"{place}?everyone=true", headers=headers).status_code == 204
            case _:
                world.delete("sonia", place, 1)
        planned(world, resource_ids=[thing])

    def test_stays_booked_while_someone_takes_part(self, world: World):
        thing = room(world)
        place = planned(world, "jeanne", "karim", resource_ids=[thing])
        world.delete("sonia", place, 1)
        assert world.post("sonia", PATH, said(world, resource_ids=[thing])).status_code == 409

    def test_two_organisations_never_clash(self, world: World):
        thing = room(world)
        planned(world, resource_ids=[thing])
        [same] = world.rows("SELECT count(*) FROM resource_booking WHERE organisation_id <> $1", world.organisation)
        assert same[0] == 0
        assert world.get("yann", f"{PATH}/resources/{thing}").status_code == 404

    @pytest.mark.parametrize(("who", "status"), [("odile", 201), ("helene", 201), ("sonia", 403)])
    def test_are_added_by_who_keeps_the_house(self, world: World, who: str, status: int):
        body = {"structure_id": str(world.ids["ehpad"]), "name": "Minibus", "kind": "vehicle"}
        assert world.post(who, f"{PATH}/resources", body).status_code == status

    def test_are_listed_renamed_and_removed(self, world: World):
        id = room(world)
        assert world.patch("marc", f"{PATH}/resources/{id}", {"name": "Salle verte"}, 1).status_code == 200
        assert [r["name"] for r in world.get("sonia", f"{PATH}/resources").json()["items"]] == ["Salle verte"]
        assert world.delete("marc", f"{PATH}/resources/{id}", 2).status_code == 204
        assert world.get("sonia", f"{PATH}/resources/{id}").status_code == 410


class TestChange:
    def test_of_the_event_is_for_all_who_take_part(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        first, second = world.get("sonia", PATH).json()["items"]
        world.patch("sonia", f"{PATH}/{first['id']}", {"place": "Le parc", "starts": f"{DAY}T10:00:00"}, 1)
        told = world.get("sonia", f"{PATH}/{second['id']}").json()
        assert (told["place"], told["starts"], told["ends"], told["version"]) == (
            "Le parc",
            f"{DAY}T10:00:00",
            f"{DAY}T11:30:00",
            2,
        )

    def test_of_all_who_take_part_is_versioned_and_traced_for_each(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        first, second = world.get("sonia", PATH).json()["items"]
        done = world.patch("sonia", f"{PATH}/{first['id']}", {"title": "Atelier bois"}, 1)
        lines = world.traces(request_id=done.headers["x-request-id"], action="update")
        assert {t["usager_id"] for t in lines} == {world.ids["jeanne"], world.ids["karim"]}
        kept = world.rows("SELECT version FROM entry_version WHERE entry_id = $1 ORDER BY 1", UUID(second["id"]))
        assert [v[0] for v in kept] == [1, 2]

    def test_reaches_those_the_caller_does_not_read(self, world: World):
        """Who may move it for one moves it for all: an event has one hour."""
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        [mine] = world.get("leila", PATH).json()["items"]
        done = world.patch("leila", f"{PATH}/{mine['id']}", {"starts": f"{DAY}T09:00:00"}, 1)
        assert done.status_code == 200
        assert str(world.ids["karim"]) not in done.text
        assert {i["starts"] for i in world.get("sonia", PATH).json()["items"]} == {f"{DAY}T09:00:00"}

    def test_of_one_person_stays_theirs(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        first, second = world.get("sonia", PATH).json()["items"]
        mine = {"report": "A planté des fèves.", "present": True, "answer": "yes", "visibility": "not_shared"}
        world.patch("sonia", f"{PATH}/{first['id']}", mine, 1)
        told = world.get("sonia", f"{PATH}/{second['id']}").json()
        assert (told["report"], told["present"], told["answer"], told["visibility"], told["version"]) == (
            None,
            None,
            "asked",
            "shared",
            1,
        )
        assert world.get("sonia", f"{PATH}/{first['id']}").json()["answered_by_kind"] == "professional"

    def test_presence_is_noted_by_who_is_there_whoever_planned(self, world: World):
        place = planned(world, who="marc")
        assert world.patch("leila", place, {"present": True}, 1).status_code == 200

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            ({"status": "cancelled"}, "/cancel_reason"),
            ({"cancel_reason": "Orage."}, "/cancel_reason"),
            ({"status": "confirmed", "cancel_reason": "Orage."}, "/cancel_reason"),
            ({"status": "done"}, "/status"),
            ({"ends": f"{DAY}T13:00:00"}, "/ends"),
            ({"title": None}, "/title"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, world: World, body: dict[str, object], where: str):
        refused = world.patch("sonia", planned(world), body, 1)
        assert (refused.status_code, [e["where"] for e in refused.json()["errors"]]) == (422, [where])

    def test_what_has_been_may_be_said_done(self, world: World):
        past = today() - timedelta(days=1)
        place = planned(world, starts=f"{past}T10:00:00", ends=f"{past}T11:00:00")
        done = world.patch("sonia", place, {"status": "done", "report": "Bien passé."}, 1).json()
        assert (done["status"], done["report"]) == ("done", "Bien passé.")

    def test_the_event_is_when_its_participants_say(self, world: World):
        place = planned(world)
        world.patch("sonia", place, {"starts": f"{DAY}T08:00:00", "ends": f"{DAY}T09:00:00"}, 1)
        [row] = world.rows("SELECT starts, ends, lower(span) = starts_at AS same FROM event")
        assert (row["starts"], row["ends"], row["same"]) == (
            datetime.fromisoformat(f"{DAY}T08:00:00"),
            datetime.fromisoformat(f"{DAY}T09:00:00"),
            True,
        )

    def test_from_a_stale_version_is_refused(self, world: World):
        place = planned(world)
        world.patch("sonia", place, {"place": "A"}, 1)
        assert world.patch("sonia", place, {"place": "B"}, 1).status_code == 412

    def test_out_of_reach_is_not_found(self, world: World):
        assert world.patch("yann", planned(world), {"place": "B"}, 1).status_code == 404

    def test_by_who_may_not_is_refused(self, world: World):
        assert world.patch("odile", planned(world, who="marc"), {"place": "B"}, 1).status_code == 404
        world.hire("benoit", Role.BENEVOLE, "ehpad")
        assert world.patch("benoit", planned(world, who="marc"), {"place": "B"}, 1).status_code == 404


class TestJoinAndLeave:
    def test_one_more_takes_part_in_the_same_event(self, world: World):
        place = planned(world)
        joined = world.post("sonia", f"{place}/usagers", {"usager_id": str(world.ids["karim"])})
        assert (joined.status_code, joined.json()["title"]) == (201, "Atelier jardin")
        assert world.get("sonia", place).json()["others"] == 1

    def test_twice_is_refused(self, world: World):
        place = planned(world)
        assert world.post("sonia", f"{place}/usagers", {"usager_id": str(world.ids["jeanne"])}).status_code == 409

    def test_someone_out_of_reach_is_not_found(self, world: World):
        place = planned(world, who="leila")
        assert world.post("leila", f"{place}/usagers", {"usager_id": str(world.ids["karim"])}).status_code == 404

    def test_one_leaves_and_the_others_stay(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        first, second = world.get("sonia", PATH).json()["items"]
        assert world.delete("sonia", f"{PATH}/{first['id']}", 1).status_code == 204
        assert [world.get("sonia", f"{PATH}/{i['id']}").status_code for i in (first, second)] == [410, 200]

    def test_a_mistake_is_told_to_nobody(self, world: World):
        world.post("sonia", PATH, said(world, "jeanne", "karim"))
        items = world.get("sonia", PATH).json()["items"]
        headers = {**world.bearers["sonia"], "If-Match": 'W/"1"'}
        world.client.delete(f"{PATH}/{items[0]['id']}?everyone=true", headers=headers)
        assert [world.get("sonia", f"{PATH}/{i['id']}").status_code for i in items] == [410, 410]

    def test_by_another_than_its_author_is_refused(self, world: World):
        assert world.delete("leila", planned(world), 1).status_code == 403


class TestList:
    def test_is_in_order_of_time_between_two_days(self, world: World):
        ids = []
        for n in (2, 0, 1):
            day = DAY + timedelta(days=n)
            ids.append(planned(world, starts=f"{day}T09:00:00", ends=f"{day}T10:00:00").rpartition("/")[2])
        told = world.get("sonia", f"{PATH}?usager={world.ids['jeanne']}&from={DAY}&until={DAY + timedelta(days=2)}")
        assert [i["id"] for i in told.json()["items"]] == [ids[1], ids[2]]

    def test_holds_what_started_before_and_still_runs(self, world: World):
        long = planned(world, starts=f"{DAY}T00:00:00", ends=f"{DAY + timedelta(days=3)}T00:00:00", all_day=True)
        items = world.get("sonia", f"{PATH}?from={DAY + timedelta(days=2)}").json()["items"]
        assert [i["id"] for i in items] == [long.rpartition("/")[2]]

    def test_pages_without_double_or_hole(self, world: World):
        for n in range(5):
            planned(world, starts=f"{DAY}T{10 + n}:00:00", ends=f"{DAY}T{11 + n}:00:00")
        url, seen, after = f"{PATH}?limit=2", list[str](), ""
        while True:
            told = world.get("sonia", f"{url}{after}").json()
            seen += [i["starts"] for i in told["items"]]
            if not told["next"]:
                break
            after = f"&after={told['next']}"
        assert seen == [f"{DAY}T{10 + n}:00:00" for n in range(5)]

    def test_of_a_unit_holds_those_who_live_there(self, world: World):
        mine = planned(world)
        planned(world, "karim")
        items = world.get("sonia", f"{PATH}?unit={world.ids['unit_ehpad']}").json()["items"]
        assert [i["id"] for i in items] == [mine.rpartition("/")[2]]

    def test_of_an_event_and_of_a_series(self, world: World):
        place = planned(world, rule="FREQ=DAILY;COUNT=3")
        told = world.get("sonia", place).json()
        assert len(world.get("sonia", f"{PATH}?event={told['event_id']}").json()["items"]) == 1
        assert len(world.get("sonia", f"{PATH}?series={told['series_id']}").json()["items"]) == 3

    def test_keeps_the_answers_that_wait_for_someone(self, world: World):
        place = planned(world)
        planned(world)
        world.post("jeanne", f"{MINE}/{place.rpartition('/')[2]}/answer", {"answer": "no"})
        assert [i["answer"] for i in world.get("marc", f"{PATH}?answer=no").json()["items"]] == ["no"]

    def test_costs_one_statement(self, world: World):
        planned(world, attendees=[{"name": "A"}])
        for who, path in (("sonia", PATH), ("jeanne", MINE), ("sonia", f"{PATH}?unit={world.ids['unit_ehpad']}")):
            world.get(who, path)
            with world.statements() as counted:
                world.get(who, path)
            assert len(counted) <= 2, counted.sql

    def test_out_of_reach_is_empty_and_names_who_was_asked_for(self, world: World):
        planned(world)
        answer = world.get("yann", f"{PATH}?usager={world.ids['jeanne']}")
        assert answer.json()["items"] == []
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"]) == ("empty", world.ids["jeanne"])

    @pytest.mark.parametrize("query", ["from=x", "usager=x", "answer=peut-etre", "limit=0"])
    def test_a_bad_parameter_is_400(self, world: World, query: str):
        assert world.get("sonia", f"{PATH}?{query}").status_code == 400

    def test_finds_its_index(self, world: World):
        plan = "\n".join(
            r[0]
            for r in world.rows(
                "EXPLAIN SELECT * FROM event_participant WHERE organisation_id = $1 AND structure_id = $2 "
                "ORDER BY occurred_at, id LIMIT 5",
                world.organisation,
                world.ids["ehpad"],
            )
        )
        assert "ix_event_participant_of_structure" in plan


class TestComing:
    def mine(self, world: World, place: str) -> str:
        return f"{MINE}/{place.rpartition('/')[2]}"

    @pytest.mark.parametrize("answer", ["yes", "no", "talk"])
    def test_is_said_by_the_person_and_cancels_nothing(self, world: World, answer: str):
        place = planned(world)
        done = world.post("jeanne", f"{self.mine(world, place)}/answer", {"answer": answer})
        assert (done.status_code, done.json()["answer"]) == (200, answer)
        told = world.get("sonia", place).json()
        assert (told["answer"], told["answered_by_kind"], told["status"]) == (answer, "usager", "planned")

    def test_may_be_changed(self, world: World):
        place = planned(world)
        for answer in ("no", "yes"):
            world.post("jeanne", f"{self.mine(world, place)}/answer", {"answer": answer})
        assert world.get("jeanne", self.mine(world, place)).json()["answer"] == "yes"

    @pytest.mark.threat("fault-answer-lost")
    def test_an_answer_sent_again_does_not_replace_the_one_given_since(self, world: World):
        place, key = self.mine(world, planned(world)), {"Idempotency-Key": str(uuid4())}
        first = world.post("jeanne", f"{place}/answer", {"answer": "no"}, headers=key)
        at_once = world.post("jeanne", f"{place}/answer", {"answer": "no"}, headers=key)
        assert (at_once.status_code, at_once.json()) == (200, first.json())
        world.post("jeanne", f"{place}/answer", {"answer": "yes"})
        later = world.post("jeanne", f"{place}/answer", {"answer": "no"}, headers=key)
        assert (later.headers["idempotency-replayed"], later.json()["answer"]) == ("true", "yes")

    def test_to_care_too(self, world: World):
        place = planned(world, who="leila", category="care", visibility="shared")
        assert world.post("jeanne", f"{self.mine(world, place)}/answer", {"answer": "no"}).status_code == 200

    def test_to_another_persons_event_is_not_found(self, world: World):
        place = planned(world)
        assert world.post("karim", f"{self.mine(world, place)}/answer", {"answer": "no"}).status_code == 404

    def test_to_what_is_not_shown_is_not_found(self, world: World):
        place = planned(world, visibility="not_shared")
        assert world.post("jeanne", f"{self.mine(world, place)}/answer", {"answer": "no"}).status_code == 404

    def test_to_what_is_over_or_cancelled_is_refused(self, world: World):
        past = today() - timedelta(days=1)
        over = planned(world, starts=f"{past}T10:00:00", ends=f"{past}T11:00:00")
        cancelled = planned(world)
        world.patch("sonia", cancelled, {"status": "cancelled", "cancel_reason": "Orage."}, 1)
        for place in (over, cancelled):
            assert world.get("jeanne", self.mine(world, place)).json()["may_answer"] is False
            assert world.post("jeanne", f"{self.mine(world, place)}/answer", {"answer": "no"}).status_code == 409

    def test_of_a_child_by_either_parent(self, world: World):
        represent(world, "claire", "lucas", "autorite_parentale_separes")
        place = planned(world, "lucas")
        done = world.post("claire", f"{self.mine(world, place)}/answer", {"answer": "yes"})
        assert done.status_code == 200
        assert world.get("sonia", place).json()["answered_by_kind"] == "representative"

    def test_of_an_adult_by_nobody_else(self, world: World):
        represent(world, "blanc", "karim", "tutelle")
        place = planned(world, "karim")
        refused = world.post("blanc", f"{self.mine(world, place)}/answer", {"answer": "no"})
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (403, "/answer")
        assert world.get("karim", self.mine(world, place)).json()["answer"] == "asked"


class TestProtectedPlace:
    SECRET = "12 rue des Lilas"

    def test_is_told_to_the_team_and_to_the_person(self, world: World):
        place = planned(world, "lucas", place=self.SECRET, place_protected=True)
        assert world.get("sonia", place).json()["place"] == self.SECRET
        assert world.get("lucas", MINE).json()["items"][0]["place"] == self.SECRET

    @pytest.mark.threat("object-protected-place")
    def test_is_told_to_no_representative(self, world: World):
        represent(world, "claire", "lucas", "autorite_parentale_separes")
        place = planned(world, "lucas", place=self.SECRET, place_protected=True)
        listed, read = world.get("claire", MINE), world.get("claire", f"{MINE}/{place.rpartition('/')[2]}")
        answered = world.post("claire", f"{MINE}/{place.rpartition('/')[2]}/answer", {"answer": "yes"})
        assert listed.json()["items"][0]["place"] == "lieu protégé"
        assert all(self.SECRET not in a.text for a in (listed, read, answered))


class TestSeries:
    def test_is_made_ahead_up_to_the_horizon(self, world: World):
        place = planned(world, rule="FREQ=WEEKLY")
        told = world.get("sonia", place).json()
        assert told["rule"] == "FREQ=WEEKLY"
        [row] = world.rows("SELECT count(*), max(starts)::date AS last FROM event")
        assert 77 <= row["count"] <= 79
        assert today() + timedelta(days=535) <= row["last"] <= today() + timedelta(days=549)

    def test_goes_as_far_as_the_house_says(self, world: World):
        tuned = {"scope": f"structure:{world.ids['ehpad']}", "key": "calendar.horizon_months", "value": 3}
        assert world.post("helene", "/api/v1/settings", tuned).status_code == 201
        planned(world, rule="FREQ=WEEKLY")
        assert 12 <= len(world.rows("SELECT 1 FROM event")) <= 13
        world.rows("DELETE FROM setting")

    def test_in_a_structure_that_is_not_ours_is_refused(self, world: World):
        body = said(world, rule="FREQ=WEEKLY", structure_id=str(world.ids["other"]))
        assert world.post("sonia", PATH, body).status_code == 404

    def test_leaves_out_the_days_said(self, world: World):
        planned(world, rule="FREQ=DAILY;COUNT=4", exceptions=[str(DAY + timedelta(days=1))])
        assert [r["day"] for r in world.rows("SELECT starts::date AS day FROM event ORDER BY 1")] == [
            DAY + timedelta(days=n) for n in (0, 2, 3)
        ]

    def test_stops_from_one_occurrence_on(self, world: World):
        thing = room(world)
        planned(world, rule="FREQ=DAILY;COUNT=4", resource_ids=[thing])
        items = world.get("sonia", PATH).json()["items"]
        stopped = world.post("sonia", f"{PATH}/{items[2]['id']}/stop", {"cancel_reason": "Fin de l'atelier."})
        assert stopped.status_code == 200
        assert [i["status"] for i in world.get("sonia", PATH).json()["items"]] == ["planned"] * 2 + ["cancelled"] * 2
        free = DAY + timedelta(days=2)
        planned(world, starts=f"{free}T14:00:00", ends=f"{free}T15:00:00", resource_ids=[thing])
        taken = DAY + timedelta(days=1)
        again = said(world, starts=f"{taken}T14:00:00", ends=f"{taken}T15:00:00", resource_ids=[thing])
        assert world.post("sonia", PATH, again).status_code == 409

    def test_stops_with_a_reason(self, world: World):
        place = planned(world, rule="FREQ=DAILY;COUNT=2")
        assert world.post("sonia", f"{place}/stop", {}).json()["errors"][0]["where"] == "/cancel_reason"

    def test_of_a_single_event_there_is_nothing_to_stop(self, world: World):
        assert world.post("sonia", f"{planned(world)}/stop", {"cancel_reason": "Fin."}).status_code == 409

    def test_one_occurrence_moves_alone(self, world: World):
        place = planned(world, rule="FREQ=DAILY;COUNT=2")
        world.patch("sonia", place, {"starts": f"{DAY}T08:00:00"}, 1)
        assert [i["starts"][11:] for i in world.get("sonia", PATH).json()["items"]] == ["08:00:00", "14:00:00"]


def test_a_professional_who_left_reads_nothing_of_the_agenda(world: World):
    place = planned(world)
    world.rows("UPDATE membership SET ends = $1 WHERE id = $2", now().date(), world.ids["leila_membership"])
    assert world.get("leila", place).status_code == 404
    world.rows("UPDATE membership SET ends = NULL WHERE id = $1", world.ids["leila_membership"])


def test_the_application_deletes_no_event(world: World):
    tables = ("event", "event_participant", "event_attendee", "resource_booking", "event_series")
    for table in tables:
        [may] = world.rows("SELECT has_table_privilege('dui_app', $1, 'DELETE')", table)
        assert may[0] is False
