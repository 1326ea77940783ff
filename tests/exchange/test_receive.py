"""A partner's bundle comes in by `POST /fhir`: all of it or nothing, and what it says is kept."""

import hashlib
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.demo import run as demonstration
from app.exchange.resolution import ASK
from app.fhir.mapping import Json
from tests.exchange.bundles import BASE, bundle, consent, entry, goal, patient, plan, project, resource
from tests.exchange.sending import FHIR, fresh, read_back, row_of, sent, taken
from tests.fhir.test_read import scoped
from tests.world import ORIGIN, World


def journal(world: World, answer: Any) -> Any:
    request = answer.headers["x-request-id"]
    [line] = world.rows("SELECT * FROM exchange WHERE request_id = $1", request)
    return line


def issues(answer: Any) -> list[tuple[str, str]]:
    return [(i["details"]["coding"][0]["code"], i.get("expression", [""])[0]) for i in answer.json()["issue"]]


FLAG = {"status": "active", "code": {"text": "Tombe souvent"}, "subject": {"reference": "Patient/p"}}
ROWS = """SELECT sum(n) FROM (SELECT count(*) n FROM kept_resource UNION ALL SELECT count(*) FROM usager
    UNION ALL SELECT count(*) FROM outside_party UNION ALL SELECT count(*) FROM external_id
    UNION ALL SELECT count(*) FROM exchange_row UNION ALL SELECT count(*) FROM entry_version) t"""


def rows(world: World) -> int:
    return int(world.rows(ROWS)[0][0])


class TestTaken:
    @pytest.mark.parametrize("path", ["/fhir", "/fhir/"])
    def test_each_entry_is_answered_in_its_place(self, world: World, path: str):
        answer = sent(world, project(fresh()), path=path)
        told = [each["response"] for each in answer.json()["entry"]]
        assert (answer.status_code, answer.headers["content-type"]) == (200, FHIR)
        assert answer.json()["type"] == "transaction-response"
        kinds = [one["location"].partition("/")[0] for one in told]
        assert kinds == ["Goal", "CarePlan", "Consent", "Practitioner", "Patient"]
        assert {(one["status"], one["etag"]) for one in told} == {("201 Created", 'W/"1"')}

    def test_each_entry_has_a_row_and_a_sealed_version(self, world: World):
        ids = [id for kind, id, _ in taken(world, project(fresh())) if kind not in ("Practitioner",)]
        kept = world.rows("SELECT id, snapshot FROM entry_version JOIN unnest($1::uuid[]) id ON id = entry_id", ids)
        assert {row["id"] for row in kept} == set(ids)
        assert not any(b"LEROUX" in row["snapshot"] or b"Rester" in row["snapshot"] for row in kept)

    def test_all_rows_are_about_the_person_of_the_bundle(self, world: World):
        told = taken(world, project(fresh()))
        person = next(id for kind, id, _ in told if kind == "Patient")
        owners = world.rows(
            "SELECT DISTINCT usager_id FROM entry_version WHERE entry_id = ANY($1)", [id for _, id, _ in told]
        )
        assert [row["usager_id"] for row in owners] == [person]

    def test_the_person_is_created_apart_and_provisional(self, world: World):
        person = taken(world, project(fresh()))[-1][1]
        [row] = world.rows("SELECT * FROM usager WHERE id = $1", person)
        assert (row["identity_status"], row["structure_id"], row["origin_partner_id"]) == (
            "provisoire",
            world.ids["ime"],
            world.ids["chu"],
        )

    def test_urn_references_lead_to_their_entry(self, world: World):
        person, planned = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
        body = bundle(
            entry({**plan(fresh()), "subject": {"reference": person}}, planned.upper().replace("URN:UUID", "urn:uuid")),
            entry(patient(fresh()), person),
        )
        told = taken(world, body)
        [row] = world.rows("SELECT usager_id FROM project WHERE id = $1", told[0][1])
        assert row["usager_id"] == told[1][1]

    def test_the_journal_keeps_the_bundle_sealed(self, world: World):
        body = orjson.dumps(project(fresh()))
        line = journal(world, sent(world, body))
        assert (line["state"], line["outcome"], line["entries"]) == ("accepted", "success", 5)
        assert line["sha256"] == hashlib.sha256(body).digest()
        assert line["body"]
        assert b"LEROUX" not in line["body"]

    def test_leaves_a_line_of_trail_for_the_bundle_and_for_each_kind(self, world: World):
        answer = sent(world, project(fresh()))
        lines = world.traces(request_id=answer.headers["x-request-id"])
        told = {(line["action"], line["kind"]) for line in lines}
        assert told >= {("receive", "exchange"), ("create", "usager"), ("create", "goal"), ("create", "outside_party")}
        assert {line["outcome"] for line in lines} == {"success"}

    @pytest.mark.threat("partner-shows-the-person")
    def test_what_arrives_is_not_shown_to_the_person_until_someone_shows_it(self, world: World):
        local = fresh()
        body = project(local)
        told = taken(world, bundle(*body["entry"], entry(resource("Flag", "f", **FLAG))))
        seen = {kind: row_of(world, id)["visibility"] for kind, id, _ in told if kind != "Practitioner"}
        assert (seen["Goal"], seen["CarePlan"], seen["Patient"], seen["Flag"]) == (*("shared",) * 3, "not_shared")


class TestTolerated:
    def test_the_name_of_a_profile_in_the_url(self, world: World):
        body = bundle(entry(patient(fresh()), url="TDDUIPatient"))
        told = sent(world, body).json()["entry"][0]["response"]
        codes = {issue["details"]["coding"][0]["code"] for issue in told["outcome"]["issue"]}
        assert told["status"] == "201 Created"
        assert "wrong_url" in codes

    def test_a_reference_that_leads_nowhere_is_kept_as_it_is(self, world: World):
        body = bundle(entry(consent(performer="nobody")), entry(patient(fresh())))
        told = sent(world, body).json()["entry"][0]["response"]["outcome"]["issue"]
        assert ("unresolved", ["Bundle.entry[0].resource.performer[0]"]) in [
            (issue["details"]["coding"][0]["code"], issue["expression"]) for issue in told
        ]

    def test_nothing_is_tolerated_when_asked_to_be_strict(self, world: World):
        before = rows(world)
        answer = sent(
            world, bundle(entry(consent(performer="nobody")), entry(patient(fresh()))), prefer="handling=strict"
        )
        assert answer.status_code == 422
        assert ("unresolved", "Bundle.entry[0].resource.performer[0]") in issues(answer)
        assert rows(world) == before

    def test_the_letter_names_the_place_of_what_a_map_refuses(self, world: World):
        nobody = {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}}
        answer = sent(world, bundle(entry(patient(fresh())), entry(nobody)), prefer="handling=strict")
        assert (answer.status_code, issues(answer)) == (422, [("not_carried", "Bundle.entry[1].resource.name")])


class TestRefused:
    """One wrong entry, even the last: nothing is written but the trace, and the bundle's line of the journal."""

    def refused(self, world: World, body: Json | bytes, status: int, **more: Any) -> list[tuple[str, str]]:
        before = rows(world)
        answer = sent(world, body, **more)
        assert answer.status_code == status, answer.text
        assert answer.json()["resourceType"] == "OperationOutcome"
        line = journal(world, answer)
        assert (line["state"], line["body"], line["body_key"]) == ("refused", None, None)
        assert line["sha256"] == hashlib.sha256(body if isinstance(body, bytes) else orjson.dumps(body)).digest()
        assert line["outcome"] != "success"
        [trace] = world.traces(request_id=answer.headers["x-request-id"])
        assert (trace["action"], trace["kind"], trace["outcome"]) == ("receive", "exchange", "refused")
        assert rows(world) == before
        return issues(answer)

    @pytest.mark.threat("search-bundle-half-written")
    def test_a_wrong_last_entry(self, world: World):
        body = bundle(*project(fresh())["entry"], entry({**goal(7), "lifecycleStatus": "nonsense"}))
        assert self.refused(world, body, 400) == [("unknown_code", "Bundle.entry[5].resource.lifecycleStatus")]

    def test_every_fault_at_once(self, world: World):
        wrong = {**patient(fresh()), "birthDate": "never"}
        body = bundle(entry(wrong), entry({**goal(1), "lifecycleStatus": "nonsense"}))
        assert {where for _, where in self.refused(world, body, 400)} == {
            "Bundle.entry[0].resource.birthDate",
            "Bundle.entry[1].resource.lifecycleStatus",
        }

    @pytest.mark.threat("search-bundle-acts")
    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_a_change_of_no_row_in_particular(self, world: World, method: str):
        body = bundle(entry(patient(fresh())), entry(goal(1), method=method))
        assert self.refused(world, body, 400) == [("wrong_url", "Bundle.entry[1].request.url")]

    @pytest.mark.threat("search-bundle-acts")
    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_a_change_of_another_s_row(self, world: World, method: str):
        theirs = next(id for kind, id, _ in taken(world, project(fresh()), who="mdph") if kind == "Goal")
        for id in (theirs, uuid4()):
            patch = resource("Binary", "b", contentType="application/json-patch+json", data="W10=")
            what = patch if method == "PATCH" else goal(1, id=str(id))
            change = {"resource": what, "request": {"method": method, "url": f"Goal/{id}"}}
            before, answer = rows(world), sent(world, bundle(entry(patient(fresh())), change))
            assert (answer.status_code, issues(answer)) == (404, [("not_found", "Bundle.entry[1].request.url")])
            assert rows(world) == before

    @pytest.mark.threat("search-bundle-conditions")
    def test_a_condition_that_is_no_search(self, world: World):
        body = bundle(entry(patient(fresh()), ifNoneExist="nothing=1"))
        assert self.refused(world, body, 400) == [("unknown_parameter", "Bundle.entry[0].request.ifNoneExist")]

    def test_a_type_that_r4_does_not_know(self, world: World):
        body = bundle(entry(patient(fresh())), entry(resource("Unicorn", "u")))
        [(code, where)] = self.refused(world, body, 400)
        assert (code, where.startswith("Bundle.entry[1].resource")) == ("unknown_type", True)

    @pytest.mark.threat("search-bundle-full-url")
    def test_two_entries_at_one_address(self, world: World):
        body = bundle(entry(patient(fresh())), entry(goal(1)), entry(goal(2), f"{BASE}/Goal/g1"))
        assert self.refused(world, body, 400) == [("duplicate_url", "Bundle.entry[2].fullUrl")]

    def test_two_entries_of_one_identifier(self, world: World):
        local = fresh()
        body = bundle(entry(patient(local)), entry(goal(1, local)), entry(goal(1, local, "other")))
        assert self.refused(world, body, 422) == [("duplicate_identifier", "Bundle.entry[2].resource.identifier")]

    @pytest.mark.threat("search-bundle-conditions")
    @pytest.mark.parametrize(
        "condition", [{"ifMatch": 'W/"1"'}, {"ifNoneMatch": "*"}, {"ifModifiedSince": "2026-01-01T00:00:00Z"}]
    )
    def test_an_entry_under_a_condition(self, world: World, condition: Json):
        body = bundle(entry(patient(fresh()), **condition))
        [(code, where)] = self.refused(world, body, 400)
        assert (code, where.startswith("Bundle.entry[0].request")) == ("not_supported", True)

    @pytest.mark.threat("search-bundle-nested")
    def test_a_bundle_in_a_bundle(self, world: World):
        inner = {**project(fresh()), "id": "inner"}
        told = self.refused(world, bundle(entry(patient(fresh())), entry(inner)), 422)
        assert told == [("not_carried", "Bundle.entry[1].resource")]

    @pytest.mark.threat("search-bundle-address")
    @pytest.mark.parametrize("url", ["Patient/../Goal", "Patient?identifier=1", "/", ""])
    def test_an_entry_addressed_elsewhere(self, world: World, url: str):
        assert self.refused(world, bundle(entry(patient(fresh()), url=url)), 400)

    def test_a_bundle_that_asks_nothing(self, world: World):
        assert self.refused(world, {"resourceType": "Bundle", "type": "collection"}, 400) == [
            ("not_supported", "Bundle.type")
        ]
        asked = {**bundle(entry(patient(fresh()))), "type": "collection"}
        assert self.refused(world, asked, 400) == [("not_supported", "Bundle.type")]
        assert self.refused(world, {**asked, "type": "banana"}, 400) == [("not_supported", "Bundle.type")]

    @pytest.mark.threat("search-bundle-two-persons")
    def test_an_entry_about_nobody(self, world: World):
        body = bundle(entry(consent()))
        assert self.refused(world, body, 422) == [("no_usager", "Bundle.entry[0].resource")]

    @pytest.mark.threat("search-bundle-two-persons")
    def test_an_entry_about_two_persons(self, world: World):
        members = [{"entity": {"reference": f"Patient/{id}"}} for id in "pq"]
        group = resource("Group", "g", type="person", actual=True, member=members)
        body = bundle(entry(patient(fresh())), entry(patient(fresh(), "q")), entry(group))
        assert self.refused(world, body, 422) == [("no_usager", "Bundle.entry[2].resource")]

    @pytest.mark.parametrize("body", [b"{", b"\xff", b'"a bundle"', b"[" * 100_000])
    def test_what_is_no_bundle(self, world: World, body: bytes):
        self.refused(world, body, 400)

    @pytest.mark.threat("input-value-bomb")
    def test_more_entries_than_the_cap(self, world: World):
        body = bundle(*(entry(goal(n)) for n in range(1001)))
        assert self.refused(world, body, 413) == [("too_large", "Bundle.entry")]


class TestDoor:
    @pytest.mark.threat("input-too-large")
    def test_a_body_over_the_cap_is_refused_while_reading(self, world: World):
        answer = sent(world, b" " * (32 * 1024 * 1024 + 1))
        line = journal(world, answer)
        assert (answer.status_code, line["outcome"], line["sha256"]) == (413, "too_large", None)

    @pytest.mark.threat("input-content-type")
    @pytest.mark.parametrize("kind", ["application/pdf", "application/xhtml+xml", "text/plain", ""])
    def test_only_json_and_xml_are_read(self, world: World, kind: str):
        answer = world.client.post("/fhir", content=b"{}", headers={**world.bearers["chu"], "Content-Type": kind})
        assert answer.status_code == 415

    @pytest.mark.threat("search-not-a-partner")
    @pytest.mark.parametrize("who", ["sonia", "jeanne", "marc"])
    def test_only_partners_send(self, world: World, who: str):
        answer = sent(world, project(fresh()), who)
        assert answer.status_code == 403
        [trace] = world.traces(request_id=answer.headers["x-request-id"])
        assert (trace["action"], trace["outcome"]) == ("receive", "refused")

    @pytest.mark.threat("partner-read-scope-writes")
    @pytest.mark.parametrize("scope", ["system/*.rs", "system/Goal.c system/Patient.rs", "system/Patient.c"])
    def test_a_right_to_read_writes_nothing_even_in_a_bundle(self, world: World, scope: str):
        before = rows(world)
        headers = {**scoped(world, scope), "Content-Type": FHIR}
        answer = world.client.post("/fhir", content=orjson.dumps(project(fresh())), headers=headers)
        assert (answer.status_code, rows(world)) == (403, before), answer.text
        assert "refused" in {line["outcome"] for line in world.traces(request_id=answer.headers["x-request-id"])}

    def test_without_a_token(self, world: World):
        assert world.client.post("/fhir", json={}, headers={"Content-Type": FHIR}).status_code == 401

    @pytest.mark.parametrize("query", ["dry-run=maybe", "dry-run=true&dry-run=true", "validate=1"])
    def test_a_bad_parameter(self, world: World, query: str):
        assert sent(world, project(fresh()), path=f"/fhir?{query}").status_code == 400

    @pytest.mark.threat("search-dry-run-writes")
    def test_a_trial_runs_everything_and_writes_nothing(self, world: World):
        before = world.rows("SELECT (SELECT count(*) FROM exchange), (SELECT count(*) FROM audit_entry)"), rows(world)
        answer = sent(world, project(fresh()), path="/fhir?dry-run=true")
        assert [each["response"]["status"] for each in answer.json()["entry"]] == ["201 Created"] * 5
        assert not any("location" in each["response"] for each in answer.json()["entry"])
        after = world.rows("SELECT (SELECT count(*) FROM exchange), (SELECT count(*) FROM audit_entry)"), rows(world)
        assert after == before

    def test_a_trial_is_refused_as_the_real_one_and_leaves_no_line(self, world: World):
        answer = sent(world, bundle(entry(consent())), path="/fhir?dry-run=true")
        assert answer.status_code == 422
        assert world.rows("SELECT * FROM exchange WHERE request_id = $1", answer.headers["x-request-id"]) == []


class TestAgain:
    @pytest.mark.threat("fault-answer-lost")
    def test_the_same_bytes_are_answered_the_same(self, world: World):
        body = orjson.dumps(project(fresh()))
        first = sent(world, body)
        before = rows(world)
        again = sent(world, body)
        assert (again.status_code, again.content) == (200, first.content)
        assert rows(world) == before

    @pytest.mark.threat("fault-answer-lost")
    def test_the_same_key_is_answered_the_same(self, world: World):
        body = orjson.dumps(project(fresh()))
        first, again = (sent(world, body, idempotency_key=f"k{len(body)}-{body[-60:].hex()}") for _ in "ab")
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")

    def test_the_same_key_for_another_bundle_is_refused(self, world: World):
        key = uuid4().hex
        sent(world, project(fresh()), idempotency_key=key)
        assert sent(world, project(fresh()), idempotency_key=key).status_code == 422

    def test_the_same_bytes_under_another_key_too(self, world: World):
        body = orjson.dumps(project(fresh()))
        first, again = (sent(world, body, idempotency_key=uuid4().hex) for _ in "ab")
        assert again.content == first.content

    def test_a_refused_bundle_is_tried_again(self, world: World):
        body = orjson.dumps(bundle(entry(consent())))
        assert [sent(world, body).status_code for _ in "ab"] == [422, 422]

    def test_the_same_identifiers_make_new_versions(self, world: World):
        local = fresh()
        first = taken(world, project(local))
        again = taken(world, project(local, title="Rester chez moi, encore"))
        assert [(kind, id) for kind, id, _ in again] == [(kind, id) for kind, id, _ in first]
        assert {version for _, _, version in again} == {2}

    @pytest.mark.threat("partner-identifier-stolen")
    def test_another_partner_s_identifiers_are_its_own(self, world: World):
        local = fresh()
        first, other = taken(world, project(local)), taken(world, project(local), who="mdph")
        assert not {id for _, id, _ in first} & {id for _, id, _ in other}

    def test_a_later_bundle_joins_the_person_sent_before(self, world: World):
        local = fresh()
        person = taken(world, project(local))[-1][1]
        [(_, id, _)] = taken(world, bundle(entry(goal(9, local))))
        [row] = world.rows("SELECT usager_id FROM goal WHERE id = $1", id)
        assert row["usager_id"] == person

    def test_a_later_bundle_may_name_the_person_by_our_id(self, world: World):
        person = taken(world, project(fresh()))[-1][1]
        later = {**goal(8, fresh()), "subject": {"reference": f"Patient/{person}"}, "extension": []}
        del later["extension"]
        [(_, id, _)] = taken(world, bundle(entry(later, f"urn:uuid:{uuid4()}")))
        row = row_of(world, id)
        assert row["usager_id"] == person

    def test_a_later_bundle_may_name_the_person_by_their_identifier(self, world: World):
        local = fresh()
        person = taken(world, project(local))[-1][1]
        later = {**goal(8, fresh()), "subject": {"identifier": patient(local)["identifier"][0]}}
        del later["extension"]
        [(_, id, _)] = taken(world, bundle(entry(later, f"urn:uuid:{uuid4()}")))
        row = row_of(world, id)
        assert row["usager_id"] == person

    @pytest.mark.threat("partner-joins-a-dossier")
    def test_nobody_is_joined_by_an_id_that_this_partner_did_not_send(self, world: World):
        later = {**goal(8, fresh()), "subject": {"reference": f"Patient/{world.ids['jeanne']}"}}
        del later["extension"]
        answer = sent(world, bundle(entry(later, f"urn:uuid:{uuid4()}")))
        assert (answer.status_code, issues(answer)) == (422, [("no_usager", "Bundle.entry[0].resource.subject")])

    @pytest.mark.threat("partner-joins-in-disguise")
    @pytest.mark.parametrize("about", ["conditional", "contained", "absolute", "fragment"])
    def test_nobody_is_joined_by_a_reference_in_disguise(self, world: World, about: str):
        local, jeanne = fresh(), world.ids["jeanne"]
        taken(world, project(local), who="mdph")
        number = patient(local)["identifier"][0]
        told: dict[str, Json] = {
            "conditional": {"reference": f"Patient?identifier={number['system']}|{number['value']}"},
            "contained": {"reference": "#p"},
            "absolute": {"reference": f"{ORIGIN}/fhir/Patient/{jeanne}"},
            "fragment": {"reference": f"Patient/{jeanne}#p"},
        }
        later = {**goal(8, fresh()), "subject": told[about]}
        del later["extension"]
        if about == "contained":
            later["contained"] = [{"resourceType": "Patient", "id": "p", "identifier": [number]}]
        answer = sent(world, bundle(entry(later, f"urn:uuid:{uuid4()}")))
        where = f"Bundle.entry[0].resource{'' if about == 'contained' else '.subject'}"
        assert (answer.status_code, issues(answer)[0]) == (422, ("no_usager", where))

    @pytest.mark.threat("partner-mistypes-a-person")
    @pytest.mark.parametrize(
        "said",
        [
            {"reference": "urn:uuid:8b3c3c6e-0000-4000-8000-000000000000"},
            {"reference": "Patient/nobody"},
            {"reference": "https://elsewhere.test/fhir/Patient/1"},
            {"reference": "Patient?identifier=https://elsewhere.test|1"},
            {"identifier": {"system": "https://elsewhere.test", "value": "1"}},
        ],
        ids=["urn", "relative", "absolute", "conditional", "identifier"],
    )
    def test_a_person_who_is_nowhere_is_not_the_only_one_of_the_bundle(self, world: World, said: Json):
        told = resource("Task", "t", status="draft", intent="plan", **{"for": said})
        answer = sent(world, bundle(entry(patient(fresh())), entry(told, f"urn:uuid:{uuid4()}")))
        assert (answer.status_code, issues(answer)) == (422, [("no_usager", "Bundle.entry[1].resource.for")])
        assert "joignez sa ressource Patient" in answer.json()["issue"][0]["diagnostics"]

    @pytest.mark.threat("partner-mistypes-a-person")
    def test_nor_whom_something_else_of_it_leads_to(self, world: World):
        lost = {**goal(8, fresh()), "subject": {"reference": "Patient/nobody"}}
        answer = sent(world, bundle(entry(lost), *project(fresh())["entry"]))
        assert (answer.status_code, issues(answer)) == (422, [("no_usager", "Bundle.entry[0].resource.subject")])

    @pytest.mark.parametrize("how", ["conditional", "identifier"])
    def test_a_person_of_the_bundle_may_be_named_by_their_identifier(self, world: World, how: str):
        local = fresh()
        number = patient(local)["identifier"][0]
        said = {"identifier": number}
        if how == "conditional":
            said = {"reference": f"Patient?identifier={number['system']}|{number['value']}"}
        later = {**goal(8, fresh()), "subject": said}
        del later["extension"]
        people = [entry(patient(local)), entry(patient(fresh(), "q"))]
        person, _, (_, id, _) = taken(world, bundle(*people, entry(later, f"urn:uuid:{uuid4()}")))
        assert row_of(world, id)["usager_id"] == person[1]

    @pytest.mark.threat("partner-identifier-stolen")
    def test_an_identifier_never_passes_to_another_person(self, world: World):
        local = fresh()
        taken(world, project(local))
        body = bundle(entry(patient(fresh())), entry(goal(1, local)))
        answer = sent(world, body)
        assert (answer.status_code, issues(answer)) == (409, [("other_person", "Bundle.entry[1].resource.identifier")])

    @pytest.mark.threat("partner-address-reused")
    def test_an_address_used_again_for_another_person_is_another_row(self, world: World):
        first = taken(world, bundle(entry(consent()), entry(patient(fresh()))))
        again = taken(world, bundle(entry(consent()), entry(patient(fresh()))))
        assert (first[0][1] != again[0][1], again[0][2]) == (True, 1)

    @pytest.mark.threat("partner-address-reused")
    def test_an_address_used_again_joins_no_two_dossiers(self, world: World):
        first = taken(world, project(fresh()))
        local = fresh()
        body = bundle(entry(goal(1, local)), entry(patient(local)))  # its plan is, by address, the first person's
        answer = sent(world, body)
        told = answer.json()["entry"][0]["response"]
        assert "unresolved" in {issue["details"]["coding"][0]["code"] for issue in told["outcome"]["issue"]}
        kept = read_back(world, *told["location"].split("/")[:2])
        assert str(first[1][1]) not in str(kept)

    def about_two_persons(self, world: World) -> Json:
        """A plan of each, both for a goal that P alone had in an earlier bundle."""
        p, q, g = fresh(), fresh(), f"{BASE}/Goal/{fresh()}"
        aim = resource("Goal", "g", lifecycleStatus="active", description={"text": "Marcher."})
        taken(world, bundle(entry(patient(p)), entry({**aim, "subject": {"reference": "Patient/p"}}, g)))
        plans = (
            resource("CarePlan", f"of-{id}", status="active", intent="plan", goal=[{"reference": g}],
                     subject={"reference": f"Patient/{id}"})
            for id in "pq"
        )  # fmt: skip
        return bundle(
            *(entry(each, f"urn:uuid:{uuid4()}") for each in plans), entry(patient(p)), entry(patient(q, "q"))
        )

    NOWHERE = ("unresolved", "Bundle.entry[1].resource.goal[0]")

    @pytest.mark.threat("partner-address-reused")
    def test_an_address_known_of_one_person_is_told_to_lead_nowhere_for_another(self, world: World):
        answer = sent(world, self.about_two_persons(world))
        told = [each["response"].get("outcome", {}).get("issue", ()) for each in answer.json()["entry"]]
        found = [(i["details"]["coding"][0]["code"], i["expression"][0]) for issues in told for i in issues]
        assert [one for one in found if one[0] == "unresolved"] == [self.NOWHERE]

    @pytest.mark.threat("partner-address-reused")
    def test_nor_is_it_taken_for_another_to_the_letter(self, world: World):
        body = self.about_two_persons(world)
        before = rows(world)
        answer = sent(world, body, prefer="handling=strict")
        assert (answer.status_code, issues(answer), rows(world)) == (422, [self.NOWHERE], before)

    def test_without_identifier_the_address_is_the_name(self, world: World):
        local = fresh()
        first = taken(world, bundle(entry(consent(local)), entry(patient(local))))
        again = taken(world, bundle(entry(patient(local)), entry(consent(local))))
        assert (again[1][1:], first[0][2]) == ((first[0][1], 2), 1)


def nameless(**elements: Any) -> Json:
    """Someone whom only the address of their entry tells."""
    return {name: value for name, value in patient(**elements).items() if name != "identifier"}


class TestAddressOfAPerson:
    def test_it_is_their_name(self, world: World):
        url = f"{BASE}/Patient/{fresh()}"
        first = taken(world, bundle(entry(nameless(), url)))
        assert taken(world, bundle(entry(nameless(family="LEROY"), url))) == [("Patient", first[0][1], 2)]

    @pytest.mark.threat("partner-address-reused")
    @pytest.mark.parametrize(
        "before",
        [resource("Flag", "f", **FLAG), resource("Goal", "g", lifecycleStatus="active", description={"text": "Marcher."},
                                                 subject={"reference": "Patient/p"})],
        ids=["kept whole", "of a table of its own"],
    )  # fmt: skip
    def test_of_something_of_another_dossier_before_it_is_someone_else(self, world: World, before: Json):
        url, kind = f"{BASE}/things/{before['resourceType']}/{fresh()}", before["resourceType"]
        [(_, theirs, _), (_, earlier, _)] = taken(world, bundle(entry(patient(fresh())), entry(before, url)))
        stood = read_back(world, kind, earlier)
        [(_, someone, version)] = taken(world, bundle(entry(nameless(family="NEUVE"), url)))
        assert (someone in (theirs, earlier), version) == (False, 1)
        [row] = world.rows("SELECT usager_id, birth_family_name FROM usager WHERE id = $1", someone)
        assert (row["usager_id"], row["birth_family_name"]) == (someone, "NEUVE")
        assert read_back(world, kind, earlier) == stood
        later = entry(resource("Flag", "l", **{**FLAG, "subject": {"reference": url}}), f"urn:uuid:{uuid4()}")
        assert row_of(world, taken(world, bundle(later))[0][1])["usager_id"] == someone
        assert taken(world, bundle(entry(nameless(family="NEUF"), url))) == [("Patient", someone, 2)]


def tables(world: World, told: list[tuple[str, UUID, int]]) -> int:
    """In how many tables the rows of a bundle stand."""
    of_bundle = "SELECT exchange_id FROM exchange_row WHERE row_id = $1 ORDER BY exchange_id DESC LIMIT 1"
    found = world.rows(f"SELECT count(DISTINCT kind) FROM exchange_row WHERE exchange_id = ({of_bundle})", told[0][1])
    return int(found[0][0])


class TestCost:
    @pytest.mark.parametrize("goals", [2, 20, 50, 200])
    def test_statements_do_not_grow_with_the_bundle(self, world: World, goals: int):
        taken(world, project(fresh()))  # what is compiled once is compiled
        with world.statements() as counted:
            told = taken(world, project(fresh(), goals))
        assert len(counted) <= 6 + tables(world, told), counted.sql

    @pytest.mark.parametrize("goals", [2, 20, 50, 200])
    def test_nor_when_it_comes_again(self, world: World, goals: int):
        local = fresh()
        taken(world, project(local, goals))
        with world.statements() as counted:
            told = taken(world, project(local, goals, title="Autrement"))
        assert len(counted) <= 6 + tables(world, told), counted.sql


def test_the_instant_of_an_answer_is_that_of_the_resource(world: World):
    """Of what was made, of what is sent again and changes, of what is sent again and stands."""
    local = fresh()
    whole = project(local)
    changed = [*project(local, 1)["entry"], entry(patient(local, family="MARTIN"), f"{BASE}/Patient/p")][-1]
    again = bundle(changed, *(each for each in whole["entry"] if each["resource"]["resourceType"] != "Patient"))
    for body in (whole, again, again):
        answer = sent(world, body)
        assert answer.status_code == 200, answer.text
        for response in (each["response"] for each in answer.json()["entry"]):
            read = world.get("chu", f"/fhir/{response['location']}").json()
            assert response["lastModified"] == read["meta"]["lastUpdated"]


def test_each_name_is_looked_up_by_itself_before_any_statistics(world: World):
    """A house that imports everyone at once: its names would else be read through for each bundle."""
    names = f"'{{{','.join(chr(34) + chr(92) * 2 + 'x' + f'{n:064x}' + chr(34) for n in range(100))}}}'::bytea[]"
    values = {
        "fingerprints": names,
        "ids": f"ARRAY['{uuid4()}'::uuid]",
        "sha256": "decode('00', 'hex')",
        "strict": "true",
    }
    told = re.sub(r":(\w+)", lambda said: values.get(said[1], f"'{uuid4()}'::uuid"), str(ASK).replace("::", "~~"))
    plan = [line[0] for line in world.rows("EXPLAIN " + told.replace("~~", "::"))]
    [looked] = [line for line in plan if "fingerprint = " in line]
    assert looked.split(":")[0].strip() == "Index Cond"


def test_the_dossier_of_the_demo_s_card_is_received_to_the_letter(world: World):
    answer = sent(world, demonstration.EXAMPLE.read_bytes(), path="/fhir?dry-run=true", Prefer="handling=strict")
    assert answer.status_code == 200, answer.text
    told = {"base_url": "http://x", "fhir_url": "http://x/fhir"}
    who = {"name": "N", "link": "l", "code": "c"}
    box = demonstration.box(
        {**told, "staff": {"educatrice": who}, "partners": {"chu": who}, "usagers": {"jeanne": who}}, Path(".dui")
    )
    assert Path(re.search(r"--data @(\S+)", box)[1]).exists()


def test_what_was_taken_with_doubts_is_judged_anew_to_the_letter(world: World):
    lost = entry({**goal(9, local=fresh()), "addresses": [{"reference": f"urn:uuid:{uuid4()}"}]})
    body = orjson.dumps(bundle(entry(patient(local := fresh())), lost, entry(plan(local)), entry(consent())))
    assert sent(world, body).status_code == 200
    again, strict = sent(world, body), sent(world, body, Prefer="handling=strict")
    assert (again.headers["idempotency-replayed"], strict.status_code) == ("true", 422)
    clean = orjson.dumps(bundle(entry(patient(fresh()))))
    first, same = (sent(world, clean, Prefer="handling=strict") for _ in "ab")
    assert (first.status_code, same.headers["idempotency-replayed"]) == (200, "true")


def test_a_system_of_the_first_tddui_is_taken_with_a_warning(world: World):
    person = patient(fresh())
    person["identifier"] = [
        {**one, "system": one["system"].replace("esante.gouv.fr", "cnsa.fr")} for one in person["identifier"]
    ]
    for prefer in ("handling=lenient", "handling=strict"):
        answer = sent(world, bundle(entry(person)), Prefer=prefer)
        assert answer.status_code == 200, answer.text
    told = answer.json()["entry"][0]["response"]["outcome"]["issue"]
    assert [(i["severity"], i["expression"]) for i in told if i["details"]["coding"][0]["code"] == "old_system"] == [
        ("warning", ["Bundle.entry[0].resource.identifier[0].system"])
    ]
