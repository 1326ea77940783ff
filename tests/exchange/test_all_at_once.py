"""A refusal is told whole: no check hides what the next ones say, alone, in a batch and in a transaction."""

import base64
from typing import Any

import pytest

from app.fhir.mapping import Json
from tests.exchange.bundles import NIR, bundle, entry, patient
from tests.exchange.sending import fresh, sent
from tests.exchange.test_profiles_asked import RISK, STRICT, alert, right, told
from tests.fhir.packages.tgz import installed, tgz
from tests.fhir.test_writing import asked, flag, made, person
from tests.world import World

R4 = ("status", "unknown_code")
PROFILE = {("category", "required"), ("code.text", "profile.too_many")}


@pytest.fixture(scope="module", autouse=True)
def package(world: World, tmp_path_factory: pytest.TempPathFactory) -> Any:
    installed(world.database.owner_url, tgz(tmp_path_factory.mktemp("p") / "p.tgz", RISK))
    yield
    world.rows("DELETE FROM fhir_package")


def rows(world: World) -> int:
    return int(world.rows("SELECT count(*) AS n FROM kept_resource")[0]["n"])


def at(where: str, *faults: tuple[str, str]) -> set[tuple[str, str]]:
    return {(f"{where}.{element}", code) for element, code in faults}


def broken(subject: str, **more: Any) -> Json:
    """A fault of R4 and two of its profile; the invariant of the profile is asked of what is malformed: nobody's fault."""
    return {**alert(subject, **more), "status": NIR}


class TestAlone:
    def test_to_the_letter_what_the_profile_asks_is_told_too(self, world: World):
        answer = asked(world, "POST", "Flag", broken("Patient/x"), **STRICT)
        assert (answer.status_code, told(answer)) == (400, at("Flag", R4, *PROFILE))
        assert NIR not in answer.text

    def test_leniently_what_refuses_is_told(self, world: World):
        answer = asked(world, "POST", "Flag", broken("Patient/x"))
        assert (answer.status_code, told(answer)) == (400, at("Flag", R4))

    def test_an_update_is_told_of_its_address_too(self, world: World):
        standing = made(world, right(f"Patient/{person(world)['id']}")).json()
        for body, more in ((alert("Patient/x", id="a"), set()), (broken("Patient/x", id="a"), {R4})):
            answer = asked(world, "PUT", f"Flag/{standing['id']}", body, **STRICT)
            found = told(answer)
            assert answer.status_code == 400
            assert at("Flag", *more, *PROFILE) <= found, found
            assert "wrong_url" in {code for _, code in found}

    def test_no_statement_is_added_where_nothing_is_asked_to_the_letter(self, world: World):
        with world.statements() as lenient:
            asked(world, "POST", "Flag", broken("Patient/x"))
        assert not [sql for sql in lenient.sql if "fhir_" in sql]


class TestTransaction:
    def test_each_check_speaks_of_each_entry(self, world: World):
        before = rows(world)
        entries = [
            entry(patient(fresh())),
            entry(broken("Patient/p", id="r4")),
            entry(alert("Patient/p", id="letter")),
            entry({**right("Patient/p"), "id": "address"}, url="Goal"),
            entry({**right("Patient/p"), "id": "asks"}, ifMatch='W/"1"'),
            entry({**right("Patient/p"), "id": "asks"}),
        ]
        whole = {
            *at("Bundle.entry[1].resource", R4, *PROFILE),
            *at("Bundle.entry[2].resource", *PROFILE),
            ("Bundle.entry[2].resource", "profile.invariant"),
            ("Bundle.entry[3].request.url", "wrong_url"),
            ("Bundle.entry[4].request.ifMatch", "not_supported"),
            ("Bundle.entry[5].fullUrl", "duplicate_url"),
        }
        answer = sent(world, bundle(*entries), **STRICT)
        assert (answer.status_code, told(answer)) == (400, whole)
        answer = sent(world, bundle(*entries))
        refusing = {(where, code) for where, code in whole if ".resource" not in where}
        assert (answer.status_code, told(answer)) == (400, refusing | at("Bundle.entry[1].resource", R4))
        assert rows(world) == before

    def test_what_an_entry_asks_hides_no_profile(self, world: World):
        entries = [entry(patient(fresh())), entry(alert("Patient/p", id="f"), ifMatch='W/"1"')]
        found = told(sent(world, bundle(*entries), **STRICT))
        assert found == {
            ("Bundle.entry[1].request.ifMatch", "not_supported"),
            ("Bundle.entry[1].resource", "profile.invariant"),
            *at("Bundle.entry[1].resource", *PROFILE),
        }

    def test_nor_does_whom_it_is_about(self, world: World):
        """About nobody; two that are one; what the profile asks: told together."""
        alone, number = alert("Patient/p", id="f"), [{"system": "https://exemple.test/n", "value": fresh()}]
        del alone["subject"]
        alone["subject"] = {"display": "?"}
        double = [{**right("Patient/p"), "id": f"d{n}", "identifier": number} for n in (1, 2)]
        others = [entry(patient(fresh())), entry(patient(fresh(), id="q"))]
        answer = sent(world, bundle(*others, entry(alone), *map(entry, double)), **STRICT)
        found = told(answer)
        assert answer.status_code == 422
        assert ("Bundle.entry[2].resource", "no_usager") in found
        assert ("Bundle.entry[4].resource.identifier", "duplicate_identifier") in found
        assert at("Bundle.entry[2].resource", *PROFILE) <= found

    def test_what_is_malformed_says_nothing_of_what_is_asked(self, world: World):
        """Its resource, its method, its address: one fault each, no more."""
        for wrong, where, code in (
            ({"resource": 3}, "resource", "bad_type"),
            ({"resource": {"resourceType": "Nope"}}, "resource.resourceType", "unknown_type"),
            ({"request": {"method": "PUT", "url": 3}}, "request.url", "bad_type"),
            ({"request": {"method": 3, "url": "Flag"}}, "request.method", "bad_type"),
            ({"request": 3}, "request", "bad_type"),
        ):
            body = bundle(entry(patient(fresh())), {**entry({**right("Patient/p"), "id": "f"}), **wrong})
            for how in ({}, STRICT):
                answer = sent(world, body, **how)
                assert (answer.status_code, told(answer)) == (400, {(f"Bundle.entry[1].{where}", code)}), (wrong, how)

    def test_what_leads_to_a_malformed_entry_is_not_said_to_lead_nowhere(self, world: World):
        wrong = {**entry(patient(fresh())), "fullUrl": 3}
        answer = sent(world, bundle(wrong, entry({**right("Patient/p"), "id": "f"})), **STRICT)
        assert told(answer) == {("Bundle.entry[0].fullUrl", "bad_type")}

    def test_two_files_that_are_not_what_they_say_are_both_told(self, world: World):
        def document(id: str) -> Json:
            data = base64.b64encode(b"%PDF-1.4\n%EOF").decode()
            attachment = {"contentType": "application/pdf", "title": "x", "data": data, "hash": "AAAA", "size": 1}
            return {
                "resourceType": "DocumentReference", "id": id, "status": "current", "subject": {"reference": "Patient/p"},
                "type": {"text": "Bilan"}, "content": [{"attachment": attachment}],
                "meta": {"profile": ["https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-document-reference"]},
            }  # fmt: skip

        body = bundle(entry(patient(fresh())), entry(document("a")), entry(document("b")))
        answer = sent(world, body, **STRICT)
        assert answer.status_code == 422
        assert told(answer) == {
            (f"Bundle.entry[{n}].resource.{element}", code)
            for n in (1, 2)
            for element, code in (
                ("author", "required"),
                ("content[0].attachment.hash", "document.other_hash"),
                ("content[0].attachment.size", "document.other_size"),
            )
        }


def test_in_a_batch_each_entry_is_told_whole(world: World):
    subject = f"Patient/{person(world)['id']}"
    resources = [broken(subject), right(subject), {**flag(subject), "active": 1}]
    entries = [{"resource": each, "request": {"method": "POST", "url": "Flag"}} for each in resources]
    body = {**bundle(*entries), "type": "batch"}
    answers = [each["response"] for each in sent(world, body, **STRICT).json()["entry"]]
    assert [each["status"][:3] for each in answers] == ["400", "201", "400"]
    found = [
        {(issue["expression"][0], issue["details"]["coding"][0]["code"]) for issue in each["outcome"]["issue"]}
        for each in (answers[0], answers[2])
    ]
    assert found == [at("Bundle.entry[0].resource", R4, *PROFILE), {("Bundle.entry[2].resource", "unknown_field")}]
