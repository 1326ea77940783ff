"""A partner creates, updates, patches and deletes what it sent, one resource at a time: the road of bundles, no other."""

from typing import Any
from uuid import uuid4

import orjson
import pytest

from app.fhir.mapping import Json
from tests.exchange.bundles import FINESS, goal, identifier, patient, project
from tests.exchange.sending import FHIR, fresh, sent, taken, written_by_the_team
from tests.fhir.test_read import PATH, grant, outcome, scoped, written
from tests.world import World

PATCHES = "application/json-patch+json"


def asked(world: World, method: str, path: str, body: Any = None, who: str = "chu", **headers: str) -> Any:
    told = {**world.bearers[who], "Content-Type": PATCHES if method == "PATCH" else FHIR}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else orjson.dumps(body)
    return world.client.request(method, f"/fhir/{path}", content=content, headers=told)


def made(world: World, resource: Json, **headers: str) -> Any:
    answer = asked(world, "POST", resource["resourceType"], resource, **headers)
    assert answer.status_code == 201, answer.text
    return answer


def person(world: World) -> Json:
    """Someone new, as their sender reads them back."""
    told: Json = made(world, patient(fresh())).json()
    return told


def flag(subject: str, text: str = "Tombe souvent", **more: Any) -> Json:
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": text},
        "subject": {"reference": subject},
        **more,
    }


def kept(world: World) -> Json:
    told: Json = made(world, flag(f"Patient/{person(world)['id']}")).json()
    return told


class TestCreate:
    def test_tells_where_it_is_and_what_it_is(self, world: World):
        answer = made(world, patient(fresh()))
        id = answer.json()["id"]
        place = answer.headers["location"]
        assert place.endswith(f"/fhir/Patient/{id}/_history/1")
        assert (answer.headers["etag"], answer.headers["content-type"]) == ('W/"1"', FHIR)
        assert world.get("chu", place).json() == world.get("chu", f"/fhir/Patient/{id}").json() == answer.json()

    def test_what_follows_names_it_by_its_id(self, world: World):
        """Without any identifier, as foreign clients do."""
        someone = made(world, {"resourceType": "Patient", "name": [{"family": "SANS", "given": ["Numero"]}]}).json()
        told = made(world, flag(f"Patient/{someone['id']}")).json()
        assert told["subject"]["reference"] == f"Patient/{someone['id']}"

    def test_has_its_line_in_the_journal(self, world: World):
        answer = made(world, patient(fresh()))
        [line] = world.rows("SELECT * FROM exchange WHERE request_id = $1", answer.headers["x-request-id"])
        assert (line["state"], line["entries"], line["outcome"]) == ("accepted", 1, "success")

    def test_the_same_bytes_are_the_same_creation(self, world: World):
        body = patient(fresh())
        first, again = made(world, body), made(world, body)
        assert (first.headers["location"], again.headers["idempotency-replayed"]) == (again.headers["location"], "true")

    @pytest.mark.parametrize(
        ("said", "body"), [("minimal", b""), ("OperationOutcome", b"OperationOutcome"), ("representation", b"Patient")]
    )
    def test_answers_as_preferred(self, world: World, said: str, body: bytes):
        answer = made(world, patient(fresh()), Prefer=f"return={said}")
        assert body in answer.content if body else answer.content == b""
        assert "location" in answer.headers

    @pytest.mark.threat("partner-joins-a-dossier")
    def test_never_joins_a_dossier_it_did_not_send(self, world: World):
        grant(world)
        answer = asked(world, "POST", "Flag", flag(f"Patient/{world.ids['lucas']}"))
        world.rows("DELETE FROM sharing_consent")
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (422, "no_usager")

    @pytest.mark.parametrize(
        ("body", "status", "where"),
        [
            (b"{", 400, None), (b"[]", 400, "Resource"), (b'{"resourceType":"Goal"}', 400, None),
            (b"[" * 20_000, 400, None), (b'{"resourceType":"Patient","gender":"banana"}', 400, "Patient.gender"),
            (b'{"resourceType":"Patient","birthDate":"2026-02-31"}', 400, "Patient.birthDate"),
            (b'{"resourceType":"Patient","language":"\\ud800"}', 400, None),
        ],
    )  # fmt: skip
    def test_a_bad_body_is_told_where(self, world: World, body: bytes, status: int, where: str | None):
        headers = {**world.bearers["chu"], "Content-Type": FHIR}
        answer = world.client.post("/fhir/Patient", content=body, headers=headers)
        assert answer.status_code == status
        assert where is None or outcome(answer)["expression"] == [where]

    def test_contained_resources_are_given_back(self, world: World):
        inside = {"resourceType": "Organization", "id": "o", "name": "Dehors"}
        body = {**patient(fresh()), "contained": [inside], "managingOrganization": {"reference": "#o"}}
        assert made(world, body).json()["contained"] == [inside]


class TestConditionalCreate:
    def test_what_is_found_is_not_made_twice(self, world: World):
        body = patient(fresh())
        where = f"identifier={body['identifier'][0]['system']}|{body['identifier'][0]['value']}"
        first = asked(world, "POST", "Patient", body, If_None_Exist=where)
        again = asked(world, "POST", "Patient", body, If_None_Exist=where)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()

    def test_several_are_too_many(self, world: World):
        someone = person(world)
        for text in ("Un", "Deux"):
            made(
                world,
                {**goal(len(text), fresh()), "subject": {"reference": f"Patient/{someone['id']}"}, "extension": []}
                | {"extension": [{"url": "https://x.test/e", "valueString": text}]},
            )
        answer = asked(world, "POST", "Goal", goal(), If_None_Exist=f"patient={someone['id']}")
        assert (answer.status_code, outcome(answer)["expression"]) == (412, ["If-None-Exist"])

    @pytest.mark.threat("search-conditional")
    def test_what_is_out_of_reach_is_no_match(self, world: World):
        mine, theirs = patient(fresh()), patient(fresh())
        told = asked(world, "POST", "Patient", theirs, who="mdph").json()
        answer = asked(world, "POST", "Patient", mine, If_None_Exist=f"_id={told['id']}")
        never = asked(world, "POST", "Patient", patient(fresh()), If_None_Exist=f"_id={uuid4()}")
        assert (answer.status_code, never.status_code) == (201, 201)

    @pytest.mark.parametrize("said", ["", "nothing=x", "_count=1", "identifier"])
    def test_a_condition_is_a_search(self, world: World, said: str):
        answer = asked(world, "POST", "Patient", patient(fresh()), If_None_Exist=said)
        assert (answer.status_code, outcome(answer)["severity"]) == (400, "error")


class TestUpdate:
    def test_makes_a_new_version_of_its_own(self, world: World):
        told = kept(world)
        answer = asked(world, "PUT", f"Flag/{told['id']}", {**told, "code": {"text": "Marche seul"}})
        assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
        assert (answer.json()["code"]["text"], len(answer.json()["meta"]["tag"])) == ("Marche seul", 1)

    def test_of_the_person_keeps_whose_dossier_it_is(self, world: World):
        told = person(world)
        answer = asked(world, "PUT", f"Patient/{told['id']}", {**told, "gender": "other"})
        assert (answer.status_code, answer.json()["gender"], answer.json()["id"]) == (200, "other", told["id"])

    def test_that_says_what_stands_makes_no_version(self, world: World):
        for told in (kept(world), person(world)):
            answer = asked(world, "PUT", f"{told['resourceType']}/{told['id']}", told)
            assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, 'W/"1"', told)

    def test_again_after_another_is_made_again(self, world: World):
        """The same bytes, but not the same request."""
        told = kept(world)
        one, two = ({**told, "code": {"text": text}} for text in ("Un", "Deux"))
        tags = [asked(world, "PUT", f"Flag/{told['id']}", each).headers["etag"] for each in (one, two, one)]
        assert tags == ['W/"2"', 'W/"3"', 'W/"4"']

    def test_a_stale_version_is_told(self, world: World):
        told = kept(world)
        for match, status in (('W/"9"', 412), ('W/"1"', 200), ('W/"1"', 412)):
            body = {**told, "code": {"text": str(uuid4())}}
            answer = asked(world, "PUT", f"Flag/{told['id']}", body, If_Match=match)
            assert answer.status_code == status, answer.text
        assert outcome(answer)["expression"] == ["If-Match"]

    @pytest.mark.threat("partner-overwrites-another-s")
    def test_what_it_did_not_send_is_absent(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        theirs = kept(world)
        answers = [
            asked(world, "PUT", f"Flag/{id}", {**theirs, "id": id}, who="mdph", If_Match='W/"7"', **same)
            for id in (theirs["id"], str(uuid4()))
        ]
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].content == answers[1].content

    @pytest.mark.threat("partner-overwrites-another-s")
    def test_what_it_reads_by_a_consent_is_another_s(self, world: World):
        id = written(world)
        grant(world)
        told = world.get("chu", f"{PATH}/{id}").json()
        statuses = [
            asked(world, method, f"DocumentReference/{id}", told if method == "PUT" else None).status_code
            for method in ("PUT", "DELETE")
        ]
        world.rows("DELETE FROM sharing_consent")
        assert statuses == [403, 403]

    @pytest.mark.threat("partner-overwrites-the-team")
    def test_after_the_team_wrote_it_waits_beside(self, world: World):
        told = taken(world, project(fresh()))
        id = next(id for kind, id, _ in told if kind == "CarePlan")
        read = world.get("chu", f"/fhir/CarePlan/{id}").json()
        written_by_the_team(world, id)
        answer = asked(world, "PUT", f"CarePlan/{id}", {**read, "title": "Autrement"})
        assert (answer.status_code, answer.json()["title"]) == (200, "Autrement")
        assert world.get("marc", f"/fhir/CarePlan/{id}").json()["title"] == "Rester chez moi"
        [line] = world.rows("SELECT state FROM exchange WHERE request_id = $1", answer.headers["x-request-id"])
        assert line["state"] == "to_attach"

    def test_the_address_names_the_resource(self, world: World):
        told = kept(world)
        for path, body in (
            (f"Flag/{uuid4()}", told),
            (f"Goal/{told['id']}", told),
            (f"Flag/{told['id']}", {**told, "id": "x"}),
        ):
            assert asked(world, "PUT", path, body).status_code == 400, path

    @pytest.mark.threat("partner-identifier-stolen")
    def test_takes_no_name_of_another_row(self, world: World):
        one, other = person(world), person(world)
        answer = asked(world, "PUT", f"Patient/{one['id']}", {**one, "identifier": other["identifier"]})
        assert answer.status_code == 422, answer.text

    def test_never_moves_to_another_person(self, world: World):
        told, other = kept(world), person(world)
        answer = asked(world, "PUT", f"Flag/{told['id']}", {**told, "subject": {"reference": f"Patient/{other['id']}"}})
        assert answer.status_code == 409, answer.text

    def test_of_a_part_read_is_refused(self, world: World):
        place = f"Patient/{person(world)['id']}"
        part = world.get("chu", f"/fhir/{place}?_elements=gender").json()
        answer = asked(world, "PUT", place, part)
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (422, "subsetted")

    def test_under_a_condition(self, world: World):
        body = patient(fresh())
        where = f"Patient?identifier={body['identifier'][0]['system']}|{body['identifier'][0]['value']}"
        refused = asked(world, "PUT", where, body)
        assert (refused.status_code, outcome(refused)["expression"]) == (400, ["Patient.id"])
        unnamed = {name: value for name, value in body.items() if name != "id"}
        first = asked(world, "PUT", where, unnamed)
        again = asked(world, "PUT", where, {**unnamed, "gender": "other"})
        assert (first.status_code, again.status_code, again.headers["etag"]) == (201, 200, 'W/"2"')
        assert first.json()["id"] == again.json()["id"]
        assert asked(world, "PUT", where, {**body, "id": first.json()["id"]}).status_code == 200

    def test_a_condition_that_no_one_row_can_meet_meets_none(self, world: World):
        """Of two kinds of requests, each answers one of these criteria."""
        both = asked(world, "DELETE", f"ServiceRequest?authored=2026&based-on=ServiceRequest/{uuid4()}")
        never = asked(world, "DELETE", "ServiceRequest?authored=1999")
        assert (both.status_code, both.content) == (never.status_code, never.content)

    def test_under_a_condition_that_leads_to_another_than_the_resource_says(self, world: World):
        body, other = patient(fresh()), person(world)
        where = f"Patient?identifier={body['identifier'][0]['system']}|{body['identifier'][0]['value']}"
        first = asked(world, "PUT", where, {name: value for name, value in body.items() if name != "id"})
        for told in (other, body, {**body, "id": str(uuid4())}):
            answer = asked(world, "PUT", where, told)
            assert (answer.status_code, outcome(answer)["expression"]) == (400, ["Patient.id"])
        assert world.get("chu", f"/fhir/Patient/{first.json()['id']}").headers["etag"] == 'W/"1"'


class TestPatch:
    def test_changes_what_it_says(self, world: World):
        told = kept(world)
        operations = [
            {"op": "replace", "path": "/code/text", "value": "Marche seul"},
            {"op": "test", "path": "/status", "value": "active"},
        ]
        answer = asked(world, "PATCH", f"Flag/{told['id']}", operations, If_Match='W/"1"')
        assert (answer.status_code, answer.headers["etag"], answer.json()["code"]["text"]) == (
            200,
            'W/"2"',
            "Marche seul",
        )

    @pytest.mark.threat("object-patch-of-policy")
    @pytest.mark.parametrize("path", ["/id", "/meta/tag", "/meta", "/resourceType", "", "//id"])
    def test_what_the_server_holds_is_not_its_to_change(self, world: World, path: str):
        told = kept(world)
        for operation in (
            {"op": "add", "path": path, "value": "x"},
            {"op": "copy", "from": path, "path": "/code/text"},
        ):
            answer = asked(world, "PATCH", f"Flag/{told['id']}", [operation])
            assert answer.status_code in (400, 422), answer.text
        assert world.get("chu", f"/fhir/Flag/{told['id']}").json() == told

    @pytest.mark.threat("object-patch-of-policy")
    @pytest.mark.parametrize(
        "name", ["organisation_id", "usager_id", "visibility", "reserved_to", "held", "origin_partner_id"]
    )
    def test_no_column_of_ours_is_an_element(self, world: World, name: str):
        told = kept(world)
        answer = asked(world, "PATCH", f"Flag/{told['id']}", [{"op": "add", "path": f"/{name}", "value": None}])
        assert answer.status_code == 400, answer.text

    @pytest.mark.parametrize(
        ("operations", "status"),
        [
            ([{"op": "test", "path": "/status", "value": "inactive"}], 422), ([{"op": "remove", "path": "/nothing"}], 422),
            ([{"op": "replace", "path": "/status", "value": "banana"}], 400), ({"op": "remove"}, 400), ([{"op": "fly", "path": "/status"}], 400),
            ([{"op": "remove", "path": "/code"}], 400), ([{"op": "add", "path": "code", "value": 1}], 422), (["x"], 400), ([{"op": "add", "path": 1}], 400),
            ([{"op": "add", "path": "/extension", "value": []}] * 101, 422),
        ],
    )  # fmt: skip
    def test_what_cannot_be_done_is_told(self, world: World, operations: Any, status: int):
        told = kept(world)
        answer = asked(world, "PATCH", f"Flag/{told['id']}", operations)
        assert (answer.status_code, outcome(answer)["severity"]) == (status, "error")

    @pytest.mark.threat("input-patch-bomb")
    def test_does_not_grow_without_end(self, world: World):
        told = kept(world)
        start = {"op": "add", "path": "/extension", "value": [{"url": "https://x.test/e", "valueString": "a" * 1000}]}
        double = [
            {"op": "copy", "from": "/extension", "path": "/extension/0/extension"},
            {"op": "copy", "from": "/extension/0", "path": "/extension/-"},
        ]
        answer = asked(world, "PATCH", f"Flag/{told['id']}", [start, *(double * 40)])
        assert answer.status_code == 422, answer.text[:300]

    def test_in_another_format_is_not_read(self, world: World):
        assert asked(world, "PATCH", f"Flag/{uuid4()}", [], Content_Type=FHIR).status_code == 415

    def test_of_what_is_deleted_is_gone(self, world: World):
        told = kept(world)
        asked(world, "DELETE", f"Flag/{told['id']}")
        answer = asked(world, "PATCH", f"Flag/{told['id']}", [{"op": "remove", "path": "/code"}])
        assert answer.status_code == 410


class TestDelete:
    def test_is_gone_with_its_history(self, world: World):
        told = kept(world)
        answer = asked(world, "DELETE", f"Flag/{told['id']}", If_Match='W/"1"')
        assert (answer.status_code, answer.headers["etag"], answer.content) == (204, 'W/"2"', b"")
        assert [world.get(who, f"/fhir/Flag/{told['id']}").status_code for who in ("chu", "mdph")] == [410, 404]
        bundle = world.get("chu", f"/fhir/Flag/{told['id']}/_history").json()
        assert [each["request"]["method"] for each in bundle["entry"]] == ["DELETE", "POST"]
        [line] = world.traces(request_id=answer.headers["x-request-id"], action="delete")
        assert str(line["entry_ids"][0]) == told["id"]

    def test_twice_is_once(self, world: World):
        told = kept(world)
        statuses = [asked(world, "DELETE", f"Flag/{told['id']}").status_code for _ in range(2)]
        assert statuses == [204, 204]
        assert len(world.get("chu", f"/fhir/Flag/{told['id']}/_history").json()["entry"]) == 2

    def test_a_stale_version_is_told(self, world: World):
        told = kept(world)
        answer = asked(world, "DELETE", f"Flag/{told['id']}", If_Match='W/"9"')
        assert (answer.status_code, outcome(answer)["code"]) == (412, "conflict")
        assert world.get("chu", f"/fhir/Flag/{told['id']}").status_code == 200

    def test_written_again_it_is_back(self, world: World):
        told = kept(world)
        asked(world, "DELETE", f"Flag/{told['id']}")
        answer = asked(world, "PUT", f"Flag/{told['id']}", told)
        assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"3"')
        assert world.get("chu", f"/fhir/Flag/{told['id']}").status_code == 200

    @pytest.mark.threat("partner-deletes-another-s")
    def test_what_it_did_not_send_is_absent(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        theirs = kept(world)
        answers = [
            asked(world, "DELETE", f"Flag/{id}", who="mdph", If_Match='W/"7"', **same)
            for id in (theirs["id"], uuid4(), "x")
        ]
        assert [each.status_code for each in answers] == [404] * 3
        assert len({each.content for each in answers}) == 1
        assert world.get("chu", f"/fhir/Flag/{theirs['id']}").status_code == 200

    @pytest.mark.threat("partner-overwrites-the-team")
    def test_after_the_team_wrote_it_waits_and_who_decides_deletes(self, world: World):
        id = next(id for kind, id, _ in taken(world, project(fresh())) if kind == "CarePlan")
        written_by_the_team(world, id)
        answer = asked(world, "DELETE", f"CarePlan/{id}")
        assert answer.status_code == 204
        assert [world.get(who, f"/fhir/CarePlan/{id}").status_code for who in ("chu", "marc")] == [410, 200]
        [line] = world.rows("SELECT id, state FROM exchange WHERE request_id = $1", answer.headers["x-request-id"])
        assert line["state"] == "to_attach"
        accepted = world.post("odile", f"/api/v1/exchanges/{line['id']}/accept", {})
        assert accepted.status_code == 200, accepted.text
        assert world.get("marc", f"/fhir/CarePlan/{id}").status_code == 410

    def test_never_a_dossier(self, world: World):
        told = person(world)
        answer = asked(world, "DELETE", f"Patient/{told['id']}")
        assert (answer.status_code, world.get("chu", f"/fhir/Patient/{told['id']}").status_code) == (405, 200)
        assert answer.json()["issue"][0]["expression"] == ["Patient"]
        assert asked(world, "DELETE", f"Patient?_id={told['id']}").status_code == 405

    def test_of_who_is_not_of_the_house(self, world: World):
        party = made(world, {"resourceType": "Practitioner", "name": [{"family": "Duval"}]}).json()
        assert asked(world, "DELETE", f"Practitioner/{party['id']}").status_code == 204
        assert world.get("chu", f"/fhir/Practitioner/{party['id']}").status_code == 410

    def test_under_a_condition(self, world: World):
        told = taken(world, project(fresh()))
        [id] = [id for kind, id, _ in told if kind == "Goal"]
        for status in (204, 204):
            assert asked(world, "DELETE", f"Goal?_id={id}").status_code == status
        assert world.get("chu", f"/fhir/Goal/{id}").status_code == 410

    @pytest.mark.threat("search-conditional")
    def test_a_condition_that_meets_several_or_all_deletes_nothing(self, world: World):
        told = taken(world, project(fresh(), goals=2))
        whose = next(id for kind, id, _ in told if kind == "Patient")
        assert asked(world, "DELETE", f"Goal?patient={whose}").status_code == 412
        assert asked(world, "DELETE", "Goal").status_code == 400
        assert asked(world, "DELETE", "Goal?_count=1").status_code == 400
        for kind, id, _ in told:
            assert world.get("chu", f"/fhir/{kind}/{id}").status_code == 200


class TestDoors:
    @pytest.mark.parametrize("who", ["marc", "sonia", "lucas"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "Flag"),
            ("PUT", "Flag/{id}"),
            ("PATCH", "Flag/{id}"),
            ("DELETE", "Flag/{id}"),
            ("DELETE", "Flag?_id={id}"),
        ],
    )
    def test_partners_alone_write_here(self, world: World, who: str, method: str, path: str):
        answer = asked(world, method, path.format(id=uuid4()), [], who=who)
        assert (answer.status_code, outcome(answer)["code"]) == (403, "forbidden")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["kind"]) == ("refused", "kept_resource")

    @pytest.mark.threat("partner-read-scope-writes")
    @pytest.mark.parametrize(
        ("method", "letters"), [("POST", "ruds"), ("PUT", "crds"), ("PATCH", "crds"), ("DELETE", "crus")]
    )
    def test_each_letter_opens_its_own(self, world: World, method: str, letters: str):
        told = kept(world)
        headers = {**scoped(world, f"system/Flag.{letters}"), "Content-Type": PATCHES if method == "PATCH" else FHIR}
        path = "/fhir/Flag" if method == "POST" else f"/fhir/Flag/{told['id']}"
        answer = world.client.request(
            method, path, content=orjson.dumps([] if method == "PATCH" else told), headers=headers
        )
        assert answer.status_code == 403, answer.text
        assert world.get("chu", f"/fhir/Flag/{told['id']}").json() == told

    @pytest.mark.parametrize(("method", "letter"), [("POST", "c"), ("PUT", "u"), ("PATCH", "u"), ("DELETE", "d")])
    def test_one_letter_is_enough_for_what_it_opens(self, world: World, method: str, letter: str):
        """What was written is not told to a token that does not read."""
        told = kept(world)
        headers = {**scoped(world, f"system/Flag.{letter}"), "Content-Type": PATCHES if method == "PATCH" else FHIR}
        new = flag(told["subject"]["reference"], str(uuid4()))
        path, body = (
            f"Flag/{told['id']}",
            {"POST": new, "PUT": {**told, "code": {"text": "Autre"}}, "PATCH": []}.get(method),
        )
        if method == "PATCH":
            body = [{"op": "replace", "path": "/code/text", "value": "Encore"}]
        content = None if method == "DELETE" else orjson.dumps(body)
        answer = world.client.request(
            method, f"/fhir/{'Flag' if method == 'POST' else path}", content=content, headers=headers
        )
        assert (answer.status_code, answer.content) == ({"POST": 201, "DELETE": 204}.get(method, 200), b"")
        assert answer.headers["etag"] == ('W/"1"' if method == "POST" else 'W/"2"')
        if method == "POST":
            assert world.get("chu", answer.headers["location"]).json()["code"] == new["code"]

    def test_xml_is_not_read_here(self, world: World):
        answer = asked(world, "POST", "Patient", {}, Content_Type="application/fhir+xml")
        assert (answer.status_code, outcome(answer)["code"]) == (415, "not-supported")

    @pytest.mark.parametrize(("method", "most"), [("POST", 8), ("PUT", 11), ("PATCH", 11), ("DELETE", 10)])
    def test_costs_few_statements(self, world: World, method: str, most: int):
        for turn in range(2):
            told = kept(world)
            body = {
                "POST": flag(told["subject"]["reference"], str(uuid4())),
                "PUT": {**told, "code": {"text": str(turn)}},
                "PATCH": [{"op": "remove", "path": "/code/text"}, {"op": "add", "path": "/code/text", "value": "x"}],
            }.get(method)
            path = "Flag" if method == "POST" else f"Flag/{told['id']}"
            with world.statements() as counted:
                assert asked(world, method, path, body).status_code in (200, 201, 204)
        assert len(counted) <= most, counted.sql


def test_an_identifier_given_later_names_the_row(world: World):
    told, local = person(world), fresh()
    body = {**told, "identifier": identifier("localusager", f"{FINESS}/{local}")}
    assert asked(world, "PUT", f"Patient/{told['id']}", body).status_code == 200
    again = taken(
        world,
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": patient(local), "request": {"method": "POST", "url": "Patient"}}],
        },
    )
    assert str(again[0][1]) == told["id"]


def test_nothing_received_is_said_back(world: World):
    nir = "147720425367411"
    told = kept(world)
    answers = [
        asked(world, "PUT", f"Flag/{nir}", {**told, "id": nir}), asked(world, "PATCH", f"Flag/{told['id']}", [{"op": nir, "path": f"/{nir}"}]),
        asked(world, "PATCH", f"Flag/{told['id']}", [{"op": "add", "path": f"/{nir}", "value": nir}]), asked(world, "POST", "Patient", patient(fresh()), If_None_Exist=f"{nir}={nir}"),
        asked(world, "DELETE", f"Flag?{nir}={nir}"), asked(world, "PUT", f"Flag/{told['id']}", told, If_Match=nir), sent(world, {"resourceType": "Bundle", "type": nir}),
    ]  # fmt: skip
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert nir not in answer.text
