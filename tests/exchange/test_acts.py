"""A transaction of every method, all or nothing; a batch, each by itself."""

from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from app.exchange import targets
from app.fhir.mapping import Json
from tests.exchange.bundles import FINESS, HOST, bundle, entry, goal, patient, project, resource
from tests.exchange.sending import fresh, sent, taken
from tests.exchange.test_receive import issues, rows
from tests.fhir.test_read import PATH, scoped, written
from tests.world import World


def change(method: str, url: str, body: Json | None = None, **request: Any) -> Json:
    return {**({"resource": body} if body else {}), "request": {"method": method, "url": url, **request}}


def patch(*operations: Json) -> Json:
    data = b64encode(orjson.dumps([*operations])).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["response"]["status"].partition(" ")[0] for each in answer.json()["entry"]]


@pytest.fixture
def sent_before(world: World) -> dict[str, list[UUID]]:
    told: dict[str, list[UUID]] = {}
    for kind, id, _ in taken(world, project(fresh(), goals=3)):
        told.setdefault(kind, []).append(id)
    return told


class TestTransaction:
    def test_every_method_at_once(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, three = sent_before["Goal"]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        whose = f"Patient/{sent_before['Patient'][0]}"
        new = resource("Flag", "f", status="active", code={"text": "x"}, subject={"reference": whose})
        body = bundle(
            change("GET", f"Goal/{one}"),
            change("PUT", f"Goal/{one}", {**whole, "lifecycleStatus": "completed"}, ifMatch='W/"1"'),
            change("PATCH", f"Goal/{two}", patch({"op": "replace", "path": "/lifecycleStatus", "value": "on-hold"})),
            entry(new),
            change("DELETE", f"Goal/{three}"),
            change("GET", f"Goal?patient={whose}"),
        )
        answer = sent(world, body)
        assert statuses(answer) == ["200", "200", "200", "201", "204", "200"]
        told = answer.json()["entry"]
        assert told[0]["resource"]["lifecycleStatus"] == "completed"  # what it reads is read last
        assert {each["resource"]["id"] for each in told[5]["resource"]["entry"]} == {str(one), str(two)}
        assert [world.get("chu", f"/fhir/Goal/{id}").status_code for id in (one, two, three)] == [200, 200, 410]

    def test_one_bad_entry_writes_nothing(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, _ = sent_before["Goal"]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        before = rows(world)
        for bad, status, where in (
            (change("GET", f"Goal/{uuid4()}"), 404, "Bundle.entry[2].request.url"),
            (change("DELETE", f"Goal/{two}", ifMatch='W/"9"'), 412, "Bundle.entry[2].request.ifMatch"),
            (
                change("PATCH", f"Goal/{two}", patch({"op": "remove", "path": "/no"})),
                422,
                "Bundle.entry[2].resource",
            ),
        ):
            answer = sent(
                world,
                bundle(
                    change("PUT", f"Goal/{one}", {**whole, "lifecycleStatus": "completed"}),
                    entry(patient(fresh())),
                    bad,
                ),
            )
            assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (status, [where])
            assert rows(world) == before
            assert world.get("chu", f"/fhir/Goal/{one}").headers["etag"] == 'W/"1"'

    def test_two_changes_of_one_row_are_refused(self, world: World, sent_before: dict[str, list[UUID]]):
        one = sent_before["Goal"][0]
        answer = sent(world, bundle(*(change("DELETE", f"Goal/{one}") for _ in range(2))))
        assert (answer.status_code, issues(answer)) == (400, [("duplicate_url", "Bundle.entry[1].request.url")])

    def test_what_a_conditional_creation_finds_is_what_others_name(self, world: World):
        local = fresh()
        [(_, person, _)] = taken(world, bundle(entry(patient(local))))
        system = HOST.format("localusager")
        body = bundle(
            entry(
                patient(local),
                "urn:uuid:6f8d2c1e-0000-4000-8000-000000000001",
                ifNoneExist=f"identifier={system}|{FINESS}/{local}",
            ),
            entry(
                resource(
                    "Flag",
                    "f",
                    status="active",
                    code={"text": "x"},
                    subject={"reference": "urn:uuid:6f8d2c1e-0000-4000-8000-000000000001"},
                )
            ),
        )
        answer = sent(world, body)
        assert statuses(answer) == ["200", "201"]
        place = answer.json()["entry"][1]["response"]["location"].partition("/_history")[0]
        assert world.get("chu", f"/fhir/{place}").json()["subject"]["reference"] == f"Patient/{person}"

    def test_a_conditional_reference_leads_to_what_was_sent(self, world: World):
        local = fresh()
        [(_, person, _)] = taken(world, bundle(entry(patient(local))))
        where = f"Patient?identifier={HOST.format('localusager')}|{FINESS}/{local}"
        body = bundle(entry(resource("Flag", "f", status="active", code={"text": "x"}, subject={"reference": where})))
        answer = sent(world, body, Prefer="handling=strict")
        assert statuses(answer) == ["201"]
        place = answer.json()["entry"][0]["response"]["location"].partition("/_history")[0]
        assert world.get("chu", f"/fhir/{place}").json()["subject"]["reference"] == f"Patient/{person}"

    @pytest.mark.threat("search-conditional-untraced")
    @pytest.mark.parametrize("ids", [1, 2])
    def test_what_a_condition_found_is_traced_in_a_trial_and_in_a_refusal(
        self, world: World, sent_before: dict[str, list[UUID]], ids: int
    ):
        """One row, tried; two rows, refused."""
        found = sent_before["Goal"][:ids]
        before = len(world.rows("SELECT id FROM audit_entry WHERE entry_ids && $1 AND action = 'read'", found))
        condition = f"_id={','.join(map(str, found))}"
        made = change(
            "POST",
            "Goal",
            {**goal(1), "subject": {"reference": f"Patient/{sent_before['Patient'][0]}"}},
            ifNoneExist=condition,
        )
        answer = sent(world, bundle(made), path="/fhir?dry-run=true" if ids == 1 else "/fhir")
        assert answer.status_code == (200 if ids == 1 else 412), answer.text
        after = world.rows("SELECT entry_ids FROM audit_entry WHERE entry_ids && $1 AND action = 'read'", found)
        assert len(after) > before
        assert {id for line in after for id in line["entry_ids"]} >= {*found}

    def test_a_conditional_reference_says_a_system_as_any_version_does(self, world: World):
        local, old = fresh(), HOST.format("localusager").replace("esante.gouv.fr", "cnsa.fr")
        [(_, person, _)] = taken(world, bundle(entry(patient(local))))
        where = f"Patient?identifier={old}|{FINESS}/{local}"
        body = bundle(entry(resource("Flag", "f", status="active", code={"text": "x"}, subject={"reference": where})))
        [told] = sent(world, body, Prefer="return=representation").json()["entry"]
        assert old != HOST.format("localusager")
        assert told["resource"]["subject"]["reference"] == f"Patient/{person}"

    @pytest.mark.threat("partner-joins-in-disguise")
    def test_a_conditional_reference_leads_to_nothing_of_another(self, world: World):
        local = fresh()
        taken(world, bundle(entry(patient(local))), who="mdph")
        where = f"Patient?identifier={HOST.format('localusager')}|{FINESS}/{local}"
        body = bundle(entry(resource("Flag", "f", status="active", code={"text": "x"}, subject={"reference": where})))
        assert sent(world, body).status_code == 422

    def test_a_reference_may_be_any_search(self, world: World, sent_before: dict[str, list[UUID]]):
        whose = f"Patient/{sent_before['Patient'][0]}"
        flag = resource(
            "Flag", "f", status="active", code={"text": "x"}, subject={"reference": f"Patient?_id={whose[8:]}"}
        )
        [told] = sent(world, bundle(entry(flag)), Prefer="return=representation").json()["entry"]
        assert told["resource"]["subject"]["reference"] == whose

    def test_a_reference_that_meets_several_is_refused(self, world: World, sent_before: dict[str, list[UUID]]):
        about = {"reference": f"Goal?patient={sent_before['Patient'][0]}"}
        flag = resource("Flag", "f", status="active", code={"text": "x"}, subject=about)
        before = rows(world)
        answer = sent(world, bundle(entry(flag)))
        assert (answer.status_code, issues(answer)) == (412, [("several", "Bundle.entry[0].resource.subject")])
        assert rows(world) == before

    @pytest.mark.threat("partner-joins-in-disguise")
    def test_a_reference_by_search_leads_to_nothing_of_another(self, world: World):
        [(_, theirs, _)] = taken(world, bundle(entry(patient(fresh()))), who="mdph")
        told = []
        for id in (theirs, uuid4()):
            about = {"reference": f"Patient?_id={id}"}
            flag = resource("Flag", "f", status="active", code={"text": "x"}, subject=about)
            told.append(sent(world, bundle(entry(flag))))
        assert [(answer.status_code, issues(answer)) for answer in told] == [(422, issues(told[1]))] * 2

    def test_too_many_searches_are_refused(self, world: World):
        many = [{"reference": f"Patient?_id={uuid4()}"} for _ in range(21)]
        group = resource("Group", "g", type="person", actual=True, member=[{"entity": each} for each in many])
        assert issues(sent(world, bundle(entry(group)))) == [("too_many", "Bundle")]

    def test_a_reading_under_a_condition_tells_that_nothing_changed(
        self, world: World, sent_before: dict[str, list[UUID]]
    ):
        goal = f"Goal/{sent_before['Goal'][0]}"
        body = bundle(change("GET", goal, ifNoneMatch='W/"1"'), change("GET", goal, ifNoneMatch='W/"9"'))
        for kind in ("transaction", "batch"):
            same, other = sent(world, {**body, "type": kind}).json()["entry"]
            assert (same["response"]["status"], "resource" in same) == ("304 Not Modified", False)
            assert other["resource"]["id"] == goal[5:]

    def test_the_answer_holds_what_was_written_when_preferred(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, three = sent_before["Goal"]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        body = bundle(
            change("PUT", f"Goal/{one}", {**whole, "lifecycleStatus": "completed"}),
            change("DELETE", f"Goal/{two}"),
            change("PUT", f"Goal/{three}", world.get("chu", f"/fhir/Goal/{three}").json()),
            entry(patient(fresh())),
        )
        told = sent(world, body, Prefer="return=representation").json()["entry"]
        places = [each["response"].get("location", "").partition("/_history")[0] for each in told]
        read = [
            world.get("chu", f"/fhir/{place}").json() if place and n != 1 else None for n, place in enumerate(places)
        ]
        assert [each.get("resource") for each in told] == read

    @pytest.mark.parametrize("entries", [2, 20])
    def test_holding_it_is_one_statement_more(self, world: World, entries: int):
        counts = []
        for preferred in ({}, {"Prefer": "return=representation"}):
            body = project(fresh(), goals=entries)
            with world.statements() as counted:
                assert sent(world, body, **preferred).status_code == 200
            counts.append(len(counted))
        assert counts[1] - counts[0] <= 1, counted.sql

    def test_a_house_may_ask_which_version_was_read(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, _ = sent_before["Goal"]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        here = {"scope": f"structure:{world.ids['ime']}", "key": "fhir.require_if_match", "value": True}
        place = world.post("helene", "/api/v1/settings", here).headers["location"]
        changed = {**whole, "lifecycleStatus": "completed"}
        blind = sent(world, bundle(change("PUT", f"Goal/{one}", changed), change("DELETE", f"Goal/{two}")))
        knowing = sent(world, bundle(change("PUT", f"Goal/{one}", changed, ifMatch='W/"1"'), entry(patient(fresh()))))
        world.delete("helene", place, 1)
        assert (blind.status_code, issues(blind)) == (
            400, [("required", f"Bundle.entry[{n}].request.ifMatch") for n in (0, 1)],
        )  # fmt: skip
        assert statuses(knowing) == ["200", "201"]

    @pytest.mark.parametrize("act", ["PUT", "PATCH", "DELETE"])
    def test_what_came_between_the_reading_and_the_writing_is_not_lost(
        self, world: World, sent_before: dict[str, list[UUID]], monkeypatch: pytest.MonkeyPatch, act: str
    ):
        one = sent_before["Goal"][0]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        said = {
            "PUT": {**whole, "lifecycleStatus": "completed"},
            "PATCH": patch({"op": "replace", "path": "/lifecycleStatus", "value": "completed"}),
            "DELETE": None,
        }
        resolve = targets.resolve

        async def overtaken(*asked: Any) -> Any:
            found = await resolve(*asked)
            owner = await asyncpg.connect(world.database.owner_url)
            await owner.execute("UPDATE goal SET version = 2, origin_version = 2 WHERE id = $1", one)
            await owner.close()
            return found

        with monkeypatch.context() as between:
            between.setattr(targets, "resolve", overtaken)
            answer = sent(world, bundle(change(act, f"Goal/{one}", said[act], ifMatch='W/"1"')))
        assert (answer.status_code, issues(answer)) == (412, [("stale", "Bundle.entry[0].request.ifMatch")])
        [row] = world.rows("SELECT version, deleted_at FROM goal WHERE id = $1", one)
        assert (row["version"], row["deleted_at"]) == (2, None)

    def test_conditions_without_end_are_refused(self, world: World, sent_before: dict[str, list[UUID]]):
        asked = (change("DELETE", f"Goal?_id={sent_before['Goal'][0]}&_id={n}") for n in range(51))
        answer = sent(world, bundle(*asked))
        assert (answer.status_code, issues(answer)) == (422, [("too_many", "Bundle")])

    def test_what_was_written_is_shown_to_who_reads_it_alone(self, world: World):
        for scope, shown in (("system/*.cruds", True), ("system/*.c", False)):
            headers = {**scoped(world, scope), "Prefer": "return=representation"}
            answer = world.client.post("/fhir", json=bundle(entry(patient(fresh()))), headers=headers)
            assert [("resource" in each) for each in answer.json()["entry"]] == [shown], answer.text

    def test_the_same_bytes_that_change_something_are_done_again(
        self, world: World, sent_before: dict[str, list[UUID]]
    ):
        one = sent_before["Goal"][0]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        first, other = ({**whole, "lifecycleStatus": code} for code in ("completed", "on-hold"))
        for version, each in enumerate((first, other, first), 2):
            answer = sent(world, bundle(change("PUT", f"Goal/{one}", each)))
            assert answer.json()["entry"][0]["response"]["etag"] == f'W/"{version}"'

    def test_the_same_key_is_answered_the_same(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, _ = sent_before["Goal"]
        whole = world.get("chu", f"/fhir/Goal/{one}").json()
        body = bundle(
            change("DELETE", f"Goal/{two}"),
            change("PUT", f"Goal/{one}", {**whole, "lifecycleStatus": "completed"}),
            change("GET", f"Goal/{one}"),
            entry(patient(fresh())),
        )
        key = str(uuid4())
        answers = [sent(world, body, Idempotency_Key=key) for _ in range(2)]
        assert statuses(answers[0]) == statuses(answers[1]) == ["204", "200", "200", "201"]
        assert answers[0].json() == answers[1].json()
        assert world.get("chu", f"/fhir/Goal/{one}").headers["etag"] == 'W/"2"'

    @pytest.mark.threat("partner-read-scope-writes")
    def test_each_entry_asks_its_own_letter(self, world: World, sent_before: dict[str, list[UUID]]):
        one = sent_before["Goal"][0]
        headers = {**scoped(world, "system/*.crs"), "Content-Type": "application/fhir+json"}
        body = bundle(entry(patient(fresh())), change("DELETE", f"Goal/{one}"))
        answer = world.client.post("/fhir", content=orjson.dumps(body), headers=headers)
        assert (answer.status_code, issues(answer)) == (403, [("scope", "Bundle.entry[1].request.url")])

    def test_a_trial_of_changes_leaves_nothing(self, world: World, sent_before: dict[str, list[UUID]]):
        one, before = sent_before["Goal"][0], rows(world)
        answer = sent(world, bundle(change("DELETE", f"Goal/{one}")), path="/fhir?dry-run=true")
        assert (statuses(answer), rows(world)) == (["204"], before)
        assert world.get("chu", f"/fhir/Goal/{one}").status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_statements_do_not_grow_with_the_entries(self, world: World, method: str):
        counts = set()
        for many in (2, 20, 50, 200):
            told = [id for kind, id, _ in taken(world, project(fresh(), goals=many)) if kind == "Goal"]
            changes = []
            for id in told:
                operation = {"op": "replace", "path": "/lifecycleStatus", "value": "completed"}
                what = patch(operation) if method == "PATCH" else None
                if method == "PUT":
                    what = world.get("chu", f"/fhir/Goal/{id}").json() | {"lifecycleStatus": "completed"}
                changes.append(change(method, f"Goal/{id}", what))
            with world.statements() as counted:
                assert set(statuses(sent(world, bundle(*changes)))) <= {"200", "204"}
            counts.add(len(counted))
        assert len(counts) == 1, counts
        assert counts.pop() <= 7, counted.sql


class TestConditions:
    """What a condition does not find is made anew: it may never pass over what was sent before."""

    def test_who_is_in_no_dossier_is_found_by_their_identifier(self, world: World):
        said = [{"system": "urn:oid:1.2.250.1.71.4.2.2", "value": f"19900{fresh()}"}]
        name = f"Organization?identifier={said[0]['system']}|{said[0]['value']}"
        first, other = (resource("Organization", "o", identifier=said, name=each) for each in ("Une", "Autre"))
        [(_, id, _)] = taken(world, bundle(entry(first)))
        assert statuses(sent(world, bundle(entry(other, ifNoneExist=name.partition("?")[2])))) == ["200"]
        assert world.get("chu", f"/fhir/Organization/{id}").json()["name"] == "Une"
        assert statuses(sent(world, bundle(change("PUT", name, {**other, "id": str(id)})))) == ["200"]
        assert world.get("chu", f"/fhir/{name}").json()["entry"][0]["resource"]["name"] == "Autre"
        assert statuses(sent(world, bundle(change("DELETE", name)))) == ["204"]
        assert world.get("chu", f"/fhir/Organization/{id}").status_code == 410

    def test_what_was_kept_whole_makes_a_condition_unsure(self, world: World, sent_before: dict[str, list[UUID]]):
        whose = f"Patient/{sent_before['Patient'][0]}"
        plain = resource("Goal", "g", lifecycleStatus="active", description={"text": "x"}, subject={"reference": whose})
        asked = f"patient={whose}&start-date=2020-02-02"
        told = []
        for n in "ab":
            answer = sent(
                world, bundle(entry({**plain, "startDate": "2020-02-02"}, f"urn:uuid:{uuid4()}", ifNoneExist=asked))
            )
            told.append((answer.status_code, n))
        assert told == [(200, "a"), (400, "b")]
        assert ("unknown_parameter", "Bundle.entry[0].request.ifNoneExist") in issues(answer)

    def test_an_identifier_without_its_system_is_no_condition(self, world: World):
        goal_ = resource(
            "Goal", "g", lifecycleStatus="active", description={"text": "x"}, subject={"reference": "Patient/p"}
        )
        answer = sent(world, bundle(entry(patient(fresh())), entry(goal_, ifNoneExist="identifier=Q1")))
        assert (answer.status_code, issues(answer)) == (
            400, [("unreadable", "Bundle.entry[1].request.ifNoneExist")],
        )  # fmt: skip


@pytest.mark.parametrize(
    "said", [{"reference": f"Patient/{uuid4()}"}, {"display": "Quelqu'un"}], ids=["absent", "named"]
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_row_is_not_turned_to_someone_who_is_not_there(world: World, method: str, said: Json):
    stood = {"lifecycleStatus": "active", "description": {"text": "x"}, "subject": {"reference": "Patient/p"}}
    told = taken(world, bundle(entry(patient(fresh())), entry(resource("Goal", "g", **stood))))
    [one] = [id for kind, id, _ in told if kind == "Goal"]
    whole = world.get("chu", f"/fhir/Goal/{one}").json()
    changed = patch({"op": "replace", "path": "/subject", "value": said})
    body = bundle(change(method, f"Goal/{one}", {**whole, "subject": said} if method == "PUT" else changed))
    answer = sent(world, body)
    where = f"Bundle.entry[0].resource{'.subject' if 'reference' in said else ''}"
    assert (answer.status_code, issues(answer)) == (422, [("no_usager", where)])
    same = {**whole, "lifecycleStatus": "completed"}
    assert statuses(sent(world, bundle(change("PUT", f"Goal/{one}", same)))) == ["200"]


class TestBatch:
    def test_what_is_malformed_is_refused_alone(self, world: World, sent_before: dict[str, list[UUID]]):
        person = {**patient(fresh()), "gender": "zz"}
        whole = {
            **bundle(
                change("GET", f"Patient/{sent_before['Patient'][0]}"),
                entry(person),
                {"request": {"method": "POST", "url": "Goal"}},
                {"resource": goal(9)},
                entry(patient(fresh(), "q")),
            ),
            "type": "batch",
        }
        answer = sent(world, whole)
        assert statuses(answer) == ["200", "400", "400", "400", "201"]
        where = [each["response"]["outcome"]["issue"][0]["expression"][0] for each in answer.json()["entry"][1:4]]
        assert where == [
            f"Bundle.entry[{n}]{rest}" for n, rest in ((1, ".resource.gender"), (2, ".resource"), (3, ".request"))
        ]
        assert sent(world, {**whole, "type": "transaction"}).status_code == 400

    def test_what_an_entry_lacks_is_told_whatever_it_has(self, world: World):
        for lacking in ({"resource": patient(fresh())}, {"fullUrl": "urn:a", "resource": patient(fresh())}):
            answer = sent(world, {**bundle(lacking, entry(patient(fresh()))), "type": "batch"})
            [told] = answer.json()["entry"][0]["response"]["outcome"]["issue"]
            assert (told["expression"], told["diagnostics"][-8:]) == (["Bundle.entry[0].request"], "(bdl-3).")
            assert statuses(answer) == ["400", "201"]

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    def test_of_nothing_is_refused(self, world: World, kind: str):
        answer = sent(world, {"resourceType": "Bundle", "type": kind, "entry": []})
        assert (answer.status_code, [where for _, where in issues(answer)]) == (400, ["Bundle.entry"])

    def test_of_an_entry_refused_the_journal_keeps_its_outcome_and_hash(self, world: World):
        unreadable, unknown = entry({**patient(fresh()), "gender": "zz"}), change("PUT", f"Goal/{uuid4()}", goal(1))
        answer = sent(world, {**bundle(unreadable, entry(patient(fresh())), unknown), "type": "batch"})
        assert statuses(answer) == ["400", "201", "400"]
        kept = "SELECT state, sha256 IS NOT NULL AS hash, body IS NOT NULL AS body FROM exchange WHERE request_id = $1"
        lines = [dict(line) for line in world.rows(kept, answer.headers["x-request-id"])]
        assert lines.count({"state": "refused", "hash": True, "body": False}) == 2
        assert len(lines) == 3

    def test_however_many_are_unreadable_the_others_are_done(self, world: World):
        bad = [{**change("GET", "Goal"), "request": {"method": "FOO", "url": "Goal"}} for _ in range(101)]
        answer = sent(world, {**bundle(*bad, entry(patient(fresh()))), "type": "batch"})
        assert statuses(answer) == [*["400"] * 101, "201"]
        where = [each["response"]["outcome"]["issue"][0]["expression"] for each in answer.json()["entry"][:101]]
        assert where == [[f"Bundle.entry[{at}].request.method"] for at in range(101)]

    def test_an_entry_that_says_a_thing_twice_is_refused_alone(self, world: World):
        once = orjson.dumps(change("GET", "Goal"))
        twice = once[:-1] + b',"fullUrl":"urn:a","fullUrl":"urn:a"}'
        body = b'{"resourceType":"Bundle","type":"batch","entry":[%s,%s]}' % (once, twice)
        assert statuses(sent(world, body)) == ["200", "400"]

    def test_what_is_said_of_no_entry_refuses_all(self, world: World):
        answer = sent(world, {**bundle(entry(patient(fresh()))), "type": "batch", "unknown": 1})
        assert (answer.status_code, [where for _, where in issues(answer)]) == (400, ["Bundle"])

    def test_its_key_counts_entry_by_entry(self, world: World):
        key, whole = uuid4().hex, {**bundle(entry(patient(fresh())), entry(patient(fresh(), "q"))), "type": "batch"}
        first, again = (sent(world, whole, idempotency_key=key) for _ in "ab")
        assert again.json()["entry"] == first.json()["entry"]
        other = {**bundle(entry(patient(fresh())), whole["entry"][1]), "type": "batch"}
        assert statuses(sent(world, other, idempotency_key=key)) == ["422", "201"]

    def test_each_entry_by_itself(self, world: World, sent_before: dict[str, list[UUID]]):
        one, two, _ = sent_before["Goal"]
        body = {
            **bundle(
                entry(patient(fresh())), change("DELETE", f"Goal/{one}"), change("GET", f"Goal/{uuid4()}"), change("GET", f"Goal/{two}"),
                change("PUT", f"Goal/{uuid4()}", goal(1)), entry(goal(9, fresh())), change("GET", "Goal?nothing=x"), change("BREW", "Goal"),
            ),
            "type": "batch",
        }  # fmt: skip
        answer = sent(world, body)
        assert statuses(answer) == ["201", "204", "404", "200", "400", "201", "400", "400"]
        assert answer.json()["type"] == "batch-response"
        refused = [
            each["response"]["outcome"]["issue"][0]
            for each in answer.json()["entry"]
            if "outcome" in each["response"] and not each["response"]["status"].startswith("2")
        ]
        assert len(refused) == 4
        assert all(issue["severity"] == "error" for issue in refused)
        assert world.get("chu", f"/fhir/Goal/{one}").status_code == 410

    @pytest.mark.threat("search-batch")
    def test_reads_in_passing_what_each_read_would_tell(self, world: World):
        id = written(world)
        body = {
            **bundle(
                change("GET", f"DocumentReference/{id}"),
                change("GET", f"DocumentReference/{id}/_history"),
                change("GET", "DocumentReference"),
            ),
            "type": "batch",
        }
        for who, there in (
            ("sonia", ["200", "200", "200"]),
            ("yann", ["404", "404", "200"]),
            ("chu", ["404", "404", "200"]),
        ):
            answer = sent(world, body, who=who)
            assert statuses(answer) == there, who
            if who != "sonia":
                assert id not in answer.text.replace(f"Reference/{id}", "")
        assert world.get("sonia", f"{PATH}/{id}").status_code == 200

    @pytest.mark.parametrize("who", ["sonia", "lucas"])
    def test_who_is_no_partner_writes_nothing_by_it(self, world: World, who: str):
        body = {**bundle(entry(patient(fresh()))), "type": "batch"}
        before = rows(world)
        assert statuses(sent(world, body, who=who)) == ["403"]
        assert rows(world) == before


@pytest.mark.parametrize(
    ("method", "said", "code"), [("PUT", "3", "bad_parameter"), ("PUT", "*", "bad_parameter"), ("POST", 'W/"3"', "not_supported")]
)  # fmt: skip
def test_a_version_badly_said_is_told_how_to_be_said(world: World, method: str, said: str, code: str):
    id = str(uuid4())
    url = f"Patient/{id}" if method == "PUT" else "Patient"
    answer = sent(world, bundle(entry(patient(fresh(), id), method=method, url=url, ifMatch=said)))
    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["expression"]) == (400, ["Bundle.entry[0].request.ifMatch"])
    assert (issue["details"]["coding"][0]["code"], 'W/"3"' in issue["diagnostics"]) == (code, method == "PUT")
