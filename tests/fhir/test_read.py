"""FHIR read: who reads what, what a partner reads back, and at which cost."""

from datetime import date
from typing import Any
from uuid import uuid4

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.access.models import SharingConsent
from app.kernel.clock import now
from tests.features.calendar.test_rest import planned
from tests.fhir.sent import sent
from tests.world import World

PATH = "/fhir/DocumentReference"
REST = "/api/v1/transmissions"


def written(world: World, who: str = "sonia", usager: str = "lucas", structure: str = "ime", **more: object) -> str:
    body = {"usager_id": str(world.ids[usager]), "structure_id": str(world.ids[structure]), "text": "A bien dormi."}
    answer = world.post(who, REST, body | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def grant(world: World, who: str = "chu", usager: str = "lucas", **more: Any) -> SharingConsent:
    consent = SharingConsent(
        usager_id=world.ids[usager],
        structure_id=world.ids["ime"],
        kind="partage",
        partner_id=world.ids[who],
        question="Partager ?",
        if_yes="Oui.",
        if_no="Non.",
        answer="yes",
        categories=["support"],
        starts=date(2020, 1, 1),
        **more,
    )
    world.add(consent)
    return consent


@pytest.fixture
def consented(world: World) -> Any:
    grant(world)
    yield
    world.rows("DELETE FROM sharing_consent")


def outcome(answer: Any) -> dict[str, Any]:
    get_fhir_model_class("OperationOutcome").model_validate(answer.json())
    assert answer.headers["content-type"] == "application/fhir+json"
    issue: dict[str, Any] = answer.json()["issue"][0]
    return issue


class TestRead:
    def test_tells_a_valid_resource_and_its_version(self, world: World):
        id = written(world)
        read = world.get("sonia", f"{PATH}/{id}")
        get_fhir_model_class("DocumentReference").model_validate(read.json())
        assert (read.status_code, read.headers["etag"], read.json()["id"]) == (200, 'W/"1"', id)
        assert read.headers["content-type"] == "application/fhir+json"
        assert read.headers["last-modified"].endswith("GMT")

    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("odile", 404), ("helene", 404), ("yann", 404), ("chu", 404), ("lucas", 404)],
    )
    def test_obeys_the_same_policy_as_the_other_door(self, world: World, who: str, status: int):
        assert world.get(who, f"{PATH}/{written(world)}").status_code == status

    def test_the_person_reads_what_is_shared_with_them(self, world: World):
        id = written(world, visibility="shared")
        assert world.get("lucas", f"{PATH}/{id}").status_code == 200
        assert world.get("karim", f"{PATH}/{id}").status_code == 404

    def test_needs_a_token(self, world: World):
        answer = world.client.get(f"{PATH}/{written(world)}")
        assert (answer.status_code, outcome(answer)["code"]) == (401, "login")

    @pytest.mark.threat("object-absent-told-apart")
    def test_absent_out_of_reach_and_malformed_are_alike_to_the_byte(self, world: World):
        theirs = sent(world, "chu")
        same = {"X-Request-Id": str(uuid4())}
        answers = [world.get("mdph", f"{PATH}/{id}", headers=same) for id in (theirs, uuid4(), "not-an-id", "..%2f")]
        assert {a.status_code for a in answers} == {404}
        assert len({a.content for a in answers[:3]}) == 1
        assert len({tuple(a.headers.items()) for a in answers[:3]}) == 1

    @pytest.mark.threat("object-removed-told")
    def test_a_deleted_row_is_gone_for_who_could_read_it(self, world: World):
        id = written(world)
        world.delete("sonia", f"{REST}/{id}", 1)
        assert world.get("sonia", f"{PATH}/{id}").status_code == 410
        assert world.get("yann", f"{PATH}/{id}").status_code == 404

    def test_a_deleted_row_is_gone_for_the_partner_who_could_read_it(self, world: World, consented: None):
        id = written(world)
        world.delete("sonia", f"{REST}/{id}", 1)
        assert [world.get(who, f"{PATH}/{id}").status_code for who in ("chu", "mdph")] == [410, 404]

    def test_a_deleted_row_is_gone_in_a_type_of_several_tables(self, world: World):
        place = planned(world, "lucas")
        assert world.delete("sonia", place, 1).status_code == 204
        id = place.rpartition("/")[2]
        assert [world.get(who, f"/fhir/Encounter/{id}").status_code for who in ("sonia", "yann")] == [410, 404]

    def test_if_none_match_answers_without_a_body(self, world: World):
        id = written(world)
        for said in ('W/"1"', '"1"', '"9", W/"1"', "*"):
            answer = world.get("sonia", f"{PATH}/{id}", headers={"If-None-Match": said})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", 'W/"1"')
        assert world.get("sonia", f"{PATH}/{id}", headers={"If-None-Match": 'W/"2"'}).status_code == 200

    def test_an_id_in_capitals_is_another_id(self, world: World):
        assert world.get("sonia", f"{PATH}/{written(world).upper()}").status_code == 404

    def test_takes_no_parameter_but_those_of_the_answer(self, world: World):
        id = written(world)
        assert world.get("sonia", f"{PATH}/{id}?_format=json").status_code == 200
        assert world.get("sonia", f"{PATH}/{id}?_count=1").status_code == 400

    def test_a_slash_at_the_end_changes_nothing(self, world: World):
        id = written(world)
        plain, slashed = (world.get("sonia", f"{PATH}/{id}{end}") for end in ("", "/"))
        assert (slashed.status_code, slashed.content) == (200, plain.content)

    def test_a_type_that_r4_does_not_know_is_not_found(self, world: World):
        answer = world.get("sonia", f"/fhir/Patiente/{uuid4()}")
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (404, "unknown_type")
        assert "Patiente" not in answer.text

    @pytest.mark.threat("token-revoked-replayed")
    def test_a_revoked_session_ends_at_the_next_request(self, world: World):
        id = written(world)
        alive = "UPDATE session SET revoked_at = $1 WHERE id = $2"
        world.rows(alive, now(), world.ids["sonia_session"])
        statuses = [world.get("sonia", f"{PATH}/{x}").status_code for x in (id, uuid4(), "x")]
        statuses.append(world.get("sonia", PATH).status_code)
        statuses.append(world.get("sonia", f"{PATH}?_count=0").status_code)
        world.rows(alive, None, world.ids["sonia_session"])
        assert statuses == [401] * 5


class TestReadBack:
    @pytest.mark.threat("partner-reads-another-s")
    def test_the_sender_reads_what_it_sent_and_nobody_else_does(self, world: World):
        id = sent(world, "chu")
        read = world.get("chu", f"{PATH}/{id}")
        assert read.status_code == 200
        get_fhir_model_class("DocumentReference").model_validate(read.json())
        assert (read.json()["description"], read.json()["author"]) == (
            "Relève du matin",
            [{"display": "Service de nuit"}],
        )
        assert world.get("mdph", f"{PATH}/{id}").status_code == 404

    def test_carries_where_it_stands_here_for_its_sender_only(self, world: World):
        id = sent(world, "chu")
        [tag] = world.get("chu", f"{PATH}/{id}").json()["meta"]["tag"]
        assert (tag["system"].rpartition("/")[2], tag["code"]) == ("exchange-state", "accepted")
        assert "tag" not in world.get("marc", f"{PATH}/{id}").json()["meta"]

    @pytest.mark.threat("partner-reads-held-rows")
    def test_what_waits_in_the_sas_is_read_by_its_sender_alone(self, world: World):
        id = sent(world, "chu", held=True)
        assert world.get("chu", f"{PATH}/{id}").json()["meta"]["tag"][0]["code"] == "to_attach"
        assert [world.get(who, f"{PATH}/{id}").status_code for who in ("marc", "sonia", "mdph")] == [404, 404, 404]

    @pytest.mark.threat("partner-reads-after-the-team")
    def test_after_the_team_wrote_its_sender_reads_its_own_version(self, world: World):
        id = sent(world, "chu", description="D'abord")
        changed_by_the_team(world, id)
        read = world.get("chu", f"{PATH}/{id}")
        assert (read.status_code, read.headers["etag"], read.json()["meta"]["versionId"]) == (200, 'W/"1"', "1")
        assert read.json()["description"] == "D'abord"
        assert b"ecrit apres" not in text_of(read.json())
        assert world.get("marc", f"{PATH}/{id}").json()["meta"]["versionId"] == "2"

    @pytest.mark.threat("search-consent-withdrawn")
    def test_a_consent_opens_what_the_team_wrote_and_its_end_closes_it(self, world: World, consented: None):
        id = sent(world, "chu")
        changed_by_the_team(world, id)
        assert b"ecrit apres" in text_of(world.get("chu", f"{PATH}/{id}").json())
        world.rows("UPDATE sharing_consent SET withdrawn_at = $1", now())
        assert b"Belle nuit." in text_of(world.get("chu", f"{PATH}/{id}").json())

    def test_what_the_team_deleted_its_sender_still_reads_as_it_sent_it(self, world: World):
        id = sent(world, "chu")
        changed_by_the_team(world, id, deleted=True)
        assert world.get("marc", f"{PATH}/{id}").status_code == 410
        assert world.get("chu", f"{PATH}/{id}").status_code == 200

    @pytest.mark.threat("object-erased")
    def test_its_own_version_dies_with_the_person_s_key(self, world: World):
        id = sent(world, "chu", usager="ines")
        changed_by_the_team(world, id)
        assert world.get("chu", f"{PATH}/{id}").status_code == 200
        [[key]] = world.rows("DELETE FROM usager_key WHERE usager_id = $1 RETURNING wrapped", world.ids["ines"])
        assert world.get("chu", f"{PATH}/{id}").status_code == 404
        world.rows("INSERT INTO usager_key VALUES ($1, $2, $3)", world.organisation, world.ids["ines"], key)

    def test_the_trail_says_what_left_as_the_sender_s_own(self, world: World):
        id = sent(world, "chu")
        changed_by_the_team(world, id)
        answer = world.get("chu", f"{PATH}/{id}")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        told = (line["outcome"], line["kind"], line["usager_id"], line["entry_ids"], line["ground"])
        assert told == ("success", "transmission", world.ids["lucas"], [id], None)


def changed_by_the_team(world: World, id: Any, *, deleted: bool = False) -> None:
    """As `gate.change` leaves it: a version more, of which the sender wrote nothing."""
    gone = ", deleted_at = now()" if deleted else ""
    world.rows(f"UPDATE transmission SET text = 'ecrit apres', version = version + 1{gone} WHERE id = $1", id)


def text_of(resource: dict[str, Any]) -> bytes:
    from base64 import b64decode

    return b64decode(resource["content"][0]["attachment"]["data"])


class TestScopes:
    @pytest.mark.threat("partner-scope-missing")
    def test_a_partner_without_the_scope_is_refused_and_it_is_traced(self, world: World):
        id = sent(world, "chu")
        narrow = scoped(world, "system/Patient.rs")
        answer = world.client.get(f"{PATH}/{id}", headers=narrow)
        assert (answer.status_code, outcome(answer)["code"]) == (403, "forbidden")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["action"], line["kind"]) == ("refused", "read", "transmission")

    @pytest.mark.threat("partner-scope-missing")
    def test_reading_is_not_searching(self, world: World):
        id = sent(world, "chu")
        reads = scoped(world, "system/DocumentReference.r")
        assert world.client.get(f"{PATH}/{id}", headers=reads).status_code == 200
        assert world.client.get(PATH, headers=reads).status_code == 403


def scoped(world: World, scope: str) -> dict[str, str]:
    """The CHU with another token, of these scopes only."""
    from app.security import scopes, sessions
    from tests.world import ORIGIN

    async def open_it() -> str:
        state: Any = world.client.app.state  # type: ignore[attr-defined]
        async with state.database.session(world.organisation) as session:
            pair = (world.organisation, world.ids["chu"])
            told = await sessions.open_partner(
                session, state.keyring, ORIGIN, pair, world.ids["ime"], scopes.read(scope), ttl=None or sessions_ttl()
            )
            await session.commit()
            return str(told.token)

    return {"Authorization": f"Bearer {world.client.portal.call(open_it)}"}  # type: ignore[union-attr]


def sessions_ttl() -> Any:
    from datetime import timedelta

    return timedelta(minutes=5)


class TestTrail:
    @pytest.mark.threat("trail-read-untraced")
    def test_a_read_leaves_one_line_and_a_refusal_names_the_id_asked(self, world: World):
        id = written(world)
        read, refused = world.get("sonia", f"{PATH}/{id}"), world.get("yann", f"{PATH}/{id}")
        [line] = world.traces(request_id=read.headers["x-request-id"])
        assert (line["outcome"], line["door"], str(line["entry_ids"][0])) == ("success", "fhir", id)
        [line] = world.traces(request_id=refused.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"], str(line["entry_ids"][0])) == ("refused", None, id)


class TestCost:
    @pytest.mark.parametrize("who", ["sonia", "chu"])
    def test_a_read_is_one_statement(self, world: World, who: str):
        id = written(world) if who == "sonia" else sent(world, who)
        world.get(who, f"{PATH}/{id}")
        with world.statements() as counted:
            world.get(who, f"{PATH}/{id}")
        assert len(counted) == 1, counted.sql

    def test_a_read_back_or_a_refusal_is_two_at_most(self, world: World):
        id = sent(world, "chu")
        changed_by_the_team(world, id)
        for who in ("chu", "mdph"):
            world.get(who, f"{PATH}/{id}")
            with world.statements() as counted:
                world.get(who, f"{PATH}/{id}")
            assert len(counted) <= 2, counted.sql


@pytest.mark.threat("search-outcome-text")
def test_nothing_received_is_said_back_in_a_refusal(world: World):
    nir = "147720425367411"
    for path in (
        f"/fhir/{nir}",
        f"/fhir/DocumentReference/{nir}",
        f"{PATH}?{nir}=1",
        f"{PATH}?_id:{nir}=1",
        f"{PATH}?date={nir}",
    ):
        answer = world.get("sonia", path)
        assert answer.status_code in (400, 404)
        assert nir not in orjson.dumps(answer.json()).decode()
