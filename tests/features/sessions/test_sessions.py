"""Where one is signed in: everyone sees and ends their own; the direction and the administrator, someone's of the house."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.db import Database
from app.security import sessions
from app.security.principal import Role
from app.security.sessions import Opened, Place
from app.security.tokens import Door
from tests.world import ORIGIN, World

MINE, ME = "/api/v1/access/sessions", "/api/v1/me/sessions"
OF = "/api/v1/professionals/{}/sessions"
SOMEONE = "da467f9e-a9be-4277-853d-e081b737cb5f"  # a name of a test says no number of chance
READ = "/api/v1/transmissions"


def opened(world: World, name: str, role: Role, *, ttl: timedelta = timedelta(hours=1)) -> Opened:
    """One more session of one of the staff."""

    async def act() -> Opened:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            place = Place(world.organisation, world.ids[name], world.ids[f"{name}_membership"], role)
            done = await sessions.open_staff(
                session, world.keyring, ORIGIN, world.ids[f"{name}_account"], place, ttl=ttl
            )
            await session.commit()
        await base.close()
        return done

    return asyncio.run(act())


def of_person(world: World, usager: str, contact: UUID | None = None, door: Door = Door.ME) -> Opened:
    async def act() -> Opened:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            until = sessions._until(timedelta(hours=1))  # noqa: SLF001
            done = await sessions.open_person(
                session, world.organisation, uuid4(), world.ids[usager], contact, door, until
            )
            await session.commit()
        await base.close()
        return done

    return asyncio.run(act())


def bearer(done: Opened) -> dict[str, str]:
    return {"Authorization": f"Bearer {done.token}"}


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["items"]}


def sid(done: Opened) -> str:
    return str(done.principal.session_id)


@pytest.fixture(scope="module", autouse=True)
def admin(world: World) -> None:
    world.hire("alain", Role.ADMIN, "ehpad")
    world.hire("diane", Role.DPO, "ehpad")
    world.hire("nora", Role.EDUCATEUR, "ehpad")


class TestOwn:
    def test_lists_each_with_its_door_and_the_one_that_asks(self, world: World):
        other = opened(world, "sonia", Role.EDUCATEUR)
        items = world.get("sonia", MINE).json()["items"]
        assert [(i["id"], i["door"]) for i in items if i["current"]] == [(str(world.ids["sonia_session"]), "api")]
        assert next(i["id"] for i in items if not i["current"]) == sid(other)

    def test_one_that_can_be_renewed_still_counts(self, world: World):
        asleep = opened(world, "sonia", Role.EDUCATEUR, ttl=timedelta(seconds=-1))
        assert sid(asleep) in ids(world.get("sonia", MINE))

    def test_one_that_ended_does_not(self, world: World):
        over = opened(world, "sonia", Role.EDUCATEUR)
        world.client.post("/oauth/revoke", data={"token": over.token})
        assert sid(over) not in ids(world.get("sonia", MINE))

    def test_no_token_is_told(self, world: World):
        done = opened(world, "sonia", Role.EDUCATEUR)
        text = world.get("sonia", MINE).text
        assert (done.token in text, str(done.refresh) in text) == (False, False)

    def test_ending_one_acts_at_the_next_request_and_on_its_refresh(self, world: World):
        other = opened(world, "sonia", Role.EDUCATEUR)
        assert world.client.get(READ, headers=bearer(other)).status_code == 200
        assert world.client.delete(f"{MINE}/{sid(other)}", headers=world.bearers["sonia"]).status_code == 204
        assert world.client.get(READ, headers=bearer(other)).status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": str(other.refresh)}
        assert world.client.post("/oauth/token", data=form).status_code == 400

    def test_each_look_and_each_end_leaves_a_line(self, world: World):
        other = opened(world, "sonia", Role.EDUCATEUR)
        looked = world.get("sonia", MINE)
        ended = world.client.delete(f"{MINE}/{sid(other)}", headers=world.bearers["sonia"])
        for answer, action in ((looked, "read"), (ended, "end_session")):
            [line] = world.traces(request_id=answer.headers["x-request-id"])
            assert (line["action"], line["kind"], line["outcome"]) == (action, "session", "success")

    @pytest.mark.threat("session-of-others-ended")
    @pytest.mark.parametrize("whose", ["colleague", "another house", "nobody", "person"])
    def test_another_s_is_not_there_to_end(self, world: World, whose: str):
        id = {
            "colleague": lambda: sid(opened(world, "marc", Role.CHEF_DE_SERVICE)),
            "another house": lambda: str(world.ids["yann_session"]),
            "nobody": lambda: str(uuid4()),
            "person": lambda: sid(of_person(world, "jeanne")),
        }[whose]()
        answer = world.client.delete(f"{MINE}/{id}", headers=world.bearers["sonia"])
        assert answer.status_code == 404
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("end_session", "refused")
        assert world.rows("SELECT 1 FROM session WHERE id = $1 AND revoked_at IS NOT NULL", UUID(id)) == []

    @pytest.mark.threat("token-revoked-replayed")
    @pytest.mark.parametrize("verb", ["GET", "DELETE"])
    def test_a_session_that_ended_sees_and_ends_nothing(self, world: World, verb: str):
        gone, other = opened(world, "nora", Role.EDUCATEUR), opened(world, "nora", Role.EDUCATEUR)
        world.client.post("/oauth/revoke", data={"token": gone.token})
        answer = world.client.request(verb, MINE if verb == "GET" else f"{MINE}/{sid(other)}", headers=bearer(gone))
        assert answer.status_code == 401
        assert world.client.get(READ, headers=bearer(other)).status_code == 200


class TestThePerson:
    def test_sees_and_ends_where_their_page_is_open(self, world: World):
        page = of_person(world, "jeanne", door=Door.PAGE)
        items = {item["id"]: item["door"] for item in world.get("jeanne", ME).json()["items"]}
        assert items[sid(page)] == "page"
        assert world.client.delete(f"{ME}/{sid(page)}", headers=world.bearers["jeanne"]).status_code == 204
        assert sid(page) not in ids(world.get("jeanne", ME))

    def test_looking_leaves_a_line_about_them(self, world: World):
        answer = world.get("jeanne", ME)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["usager_id"]) == ("session", world.ids["jeanne"])

    @pytest.mark.threat("session-of-others-ended")
    def test_neither_sees_nor_ends_who_represents_them(self, world: World):
        theirs = of_person(world, "jeanne", uuid4())
        assert sid(theirs) not in ids(world.get("jeanne", ME))
        answer = world.client.delete(f"{ME}/{sid(theirs)}", headers=world.bearers["jeanne"])
        assert answer.status_code == 404

    @pytest.mark.threat("session-of-others-ended")
    def test_who_represents_two_persons_sees_one_at_a_time(self, world: World):
        contact = uuid4()
        here, there = of_person(world, "jeanne", contact), of_person(world, "karim", contact)
        found = ids(world.client.get(ME, headers=bearer(here)))
        assert (sid(here) in found, sid(there) in found) == (True, False)
        assert world.client.delete(f"{ME}/{sid(there)}", headers=bearer(here)).status_code == 404
        assert world.client.delete(f"{ME}/{sid(here)}", headers=bearer(here)).status_code == 204


class TestOthers:
    def test_of_the_staff_all_but_the_one_that_asks(self, world: World):
        here, *others = (opened(world, "nora", Role.EDUCATEUR) for _ in "abc")
        answer = world.client.delete(MINE, headers=bearer(here))
        assert answer.status_code == 204
        assert world.client.get(READ, headers=bearer(here)).status_code == 200
        assert [world.client.get(READ, headers=bearer(done)).status_code for done in others] == [401, 401]
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert line["action"] == "end_session"

    def test_of_the_person_too(self, world: World):
        here, other = of_person(world, "karim"), of_person(world, "karim")
        assert world.client.delete(ME, headers=bearer(here)).status_code == 204
        assert world.client.get(ME, headers=bearer(here)).status_code == 200
        assert world.client.get(ME, headers=bearer(other)).status_code == 401

    def test_with_no_other_nothing_happens(self, world: World):
        here = of_person(world, "ines")
        for _ in "ab":
            assert world.client.delete(ME, headers=bearer(here)).status_code == 204

    @pytest.mark.threat("token-revoked-replayed")
    def test_a_session_that_ended_closes_none(self, world: World):
        gone, other = opened(world, "nora", Role.EDUCATEUR), opened(world, "nora", Role.EDUCATEUR)
        world.client.post("/oauth/revoke", data={"token": gone.token})
        assert world.client.delete(MINE, headers=bearer(gone)).status_code == 401
        assert world.client.get(READ, headers=bearer(other)).status_code == 200


class TestOfSomeone:
    @pytest.mark.parametrize("who", ["helene", "alain"])
    def test_the_direction_and_the_administrator_see_them_and_end_them_all(self, world: World, who: str):
        first, second = (opened(world, "leila", Role.INFIRMIER) for _ in "ab")
        path = OF.format(world.ids["leila"])
        assert {sid(first), sid(second)} <= ids(world.get(who, path))
        assert world.client.delete(path, headers=world.bearers[who]).status_code == 204
        for done in (first, second):
            assert world.client.get(READ, headers=bearer(done)).status_code == 401

    def test_ending_them_leaves_a_line_that_names_them(self, world: World):
        done = opened(world, "odile", Role.SECRETARIAT)
        answer = world.client.delete(OF.format(world.ids["odile"]), headers=world.bearers["helene"])
        [line] = world.traces(request_id=answer.headers["x-request-id"], action="end_session")
        assert done.principal.session_id in line["entry_ids"]

    @pytest.mark.threat("session-of-others-ended")
    @pytest.mark.parametrize("verb", ["GET", "DELETE"])
    @pytest.mark.parametrize("who", ["marc", "nora", "diane"])
    def test_nobody_else_may(self, world: World, who: str, verb: str):
        answer = world.client.request(verb, OF.format(world.ids["nora"]), headers=world.bearers[who])
        assert answer.status_code == 403
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("manage_accounts", "refused")

    @pytest.mark.threat("session-of-others-ended")
    @pytest.mark.parametrize("verb", ["GET", "DELETE"])
    def test_someone_of_another_house_is_not_there(self, world: World, verb: str):
        other, nobody = (
            world.client.request(verb, OF.format(id), headers=world.bearers["helene"])
            for id in (world.ids["yann"], uuid4())
        )
        assert other.status_code == nobody.status_code == 404
        assert other.json() | {"request_id": ""} == nobody.json() | {"request_id": ""}
        assert world.get("yann", MINE).status_code == 200

    def test_the_administrator_still_reads_no_note(self, world: World):
        assert world.get("alain", READ).json()["items"] == []


@pytest.mark.threat("token-wrong-door")
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("jeanne", MINE),
        ("chu", MINE),
        ("sonia", ME),
        ("chu", ME),
        ("jeanne", OF.format(SOMEONE)),
        ("chu", OF.format(SOMEONE)),
    ],
)
@pytest.mark.parametrize("verb", ["GET", "DELETE"])
def test_each_door_takes_its_own_kind_of_token(world: World, who: str, path: str, verb: str):
    place = path if verb == "GET" or path.startswith("/api/v1/professionals") else f"{path}/{uuid4()}"
    assert world.client.request(verb, place, headers=world.bearers[who]).status_code == 401


def test_looking_is_one_statement(world: World):
    world.get("sonia", MINE)
    with world.statements() as asked:
        world.get("sonia", MINE)
    assert len(asked) == 1
