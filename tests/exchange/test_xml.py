"""A bundle may come in XML, and its answer leave in it; what is taken is the same."""

import orjson
import pytest

from app.fhir import xml
from app.fhir.mapping import Json
from tests.exchange.bundles import bundle, entry, patient, project
from tests.exchange.sending import fresh, read_back, said, sent, taken
from tests.world import World

FHIR_XML = "application/fhir+xml"


@pytest.mark.parametrize("kind", [FHIR_XML, "application/xml", "application/fhir+xml; charset=utf-8"])
def test_what_is_sent_in_xml_is_answered_in_xml(world: World, kind: str):
    answer = sent(world, xml.write(project(fresh())), **{"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (200, FHIR_XML), answer.text
    told = xml.read(answer.content)
    assert [each["response"]["status"] for each in told["entry"]] == ["201 Created"] * 5


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", FHIR_XML), ("application/fhir+json", "application/fhir+json"), (FHIR_XML, FHIR_XML),
        ("application/fhir+json;q=0.5, application/fhir+xml", FHIR_XML), ("text/xml;q=x, application/json", "application/fhir+json"),
    ],
)  # fmt: skip
def test_the_answer_is_in_the_format_asked(world: World, accept: str, answered: str):
    answer = sent(world, xml.write(project(fresh())), **{"Content-Type": FHIR_XML, "Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, answered)


def test_format_wins_over_accept(world: World):
    answer = sent(world, project(fresh()), path="/fhir?_format=xml", Accept="application/fhir+json")
    assert answer.headers["content-type"] == FHIR_XML
    assert xml.read(answer.content)["type"] == "transaction-response"


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+xml; fhirVersion=3.0", "application/fhir+xml;q=0"])
def test_what_we_do_not_speak_is_406(world: World, accept: str):
    assert sent(world, project(fresh()), Accept=accept).status_code == 406


def test_both_formats_make_the_same_dossier(world: World):
    def dossier(body: Json | bytes, **more: str) -> list[Json]:
        told = sent(world, body, **{"Accept": "application/fhir+json", **more})
        assert told.status_code == 200, told.text
        places = [each["response"]["location"].split("/") for each in told.json()["entry"]]
        return [said(read_back(world, kind, id)) for kind, id, *_ in places if kind != "Practitioner"]

    local = fresh()
    in_json = dossier(project(local))
    in_xml = dossier(xml.write(project(local + "0")), **{"Content-Type": FHIR_XML})
    assert in_json == orjson.loads(orjson.dumps(in_xml).replace(f"{local}0".encode(), local.encode()))


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["", "mark"])
def test_the_secretary_reads_whom_it_tells_of(world: World, before: bytes):
    local = fresh()
    assert sent(world, before + xml.write(project(local)), **{"Content-Type": FHIR_XML}).status_code == 200
    [line] = world.rows("SELECT id FROM exchange ORDER BY recorded_at DESC LIMIT 1")
    in_json = sent(world, project(f"{local}0"))
    assert in_json.status_code == 200
    [other] = world.rows("SELECT id FROM exchange ORDER BY recorded_at DESC LIMIT 1")
    whom = [world.get("odile", f"/api/v1/exchanges/{one['id']}").json()["persons"] for one in (line, other)]
    names = [[(one["family_name"], one["birth_date"]) for one in persons] for persons in whom]
    assert names[0] == names[1] != []


def test_a_refusal_is_told_in_xml_at_its_element(world: World):
    wrong = bundle(entry({**patient(fresh()), "gender": "banana"}))
    answer = sent(world, xml.write(wrong), **{"Content-Type": FHIR_XML})
    assert (answer.status_code, answer.headers["content-type"]) == (400, FHIR_XML)
    [issue] = xml.read(answer.content)["issue"]
    assert (issue["code"], issue["expression"]) == ("code-invalid", ["Bundle.entry[0].resource.gender"])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('<active value="oui"/>', "true ou false est attendu (en JSON, sans guillemets)."),
        ("<active>true</active>", "En XML une valeur s'écrit dans l'attribut value"),
        ('<multipleBirthInteger value="deux"/>', "Un nombre entier est attendu (en JSON, sans guillemets)."),
    ],
)
def test_a_value_is_told_how_it_is_written_in_xml(world: World, written: str, said: str):
    whole = xml.write(bundle(entry(patient(fresh()))))
    body = whole.replace(b"<gender", f"{written}<gender".encode())
    [issue] = xml.read(sent(world, body, **{"Content-Type": FHIR_XML}).content)["issue"]
    assert issue["expression"][0].startswith(
        ("Bundle.entry[0].resource.active", "Bundle.entry[0].resource.multipleBirth")
    )
    assert issue["diagnostics"].startswith(said)


def test_without_a_token_it_is_told_in_xml_too(world: World):
    answer = world.client.post("/fhir", content=b"<x/>", headers={"Content-Type": FHIR_XML})
    assert (answer.status_code, answer.headers["content-type"]) == (401, FHIR_XML)


@pytest.mark.threat("input-xml-doctype")
def test_a_document_type_is_refused_and_keeps_its_line(world: World):
    body = b'<!DOCTYPE Bundle SYSTEM "http://127.0.0.1:9/x">' + xml.write(project(fresh())).partition(b"?>")[2]
    answer = sent(world, body, **{"Content-Type": FHIR_XML})
    assert answer.status_code == 400
    assert xml.read(answer.content)["issue"][0]["details"]["coding"][0]["code"] == "xml_refused"
    [line] = world.rows("SELECT outcome, body FROM exchange ORDER BY recorded_at DESC LIMIT 1")
    assert (line["outcome"], line["body"]) == ("xml_refused", None)


def test_elsewhere_xml_is_neither_read_nor_told(world: World):
    told = taken(world, project(fresh()))
    kind, id, _ = told[0]
    assert world.get("chu", f"/fhir/{kind}/{id}", headers={"Accept": FHIR_XML}).status_code == 406
    form = {"Content-Type": FHIR_XML}
    assert world.client.post(f"/fhir/{kind}/_search", headers={**world.bearers["chu"], **form}).status_code == 415
