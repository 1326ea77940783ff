"""`Patient/$tddui-export`: a dossier as a bundle that another DUI takes whole, and no more of it than its taker may read."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.access.models import SharingConsent
from app.exchange import dossier
from app.fhir import xml
from app.fhir.search.values import uuid_of
from app.kernel.clock import today
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, taken
from tests.features.consents.people import represent
from tests.features.documents.papers import PDF, filed
from tests.fhir.sent import note as note_of
from tests.fhir.test_read import scoped
from tests.world import ORIGIN, World

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-"


def exported(world: World, who: str, usager: str = "karim", query: str = "", **more: Any) -> Any:
    return world.get(who, f"/fhir/Patient/{world.ids[usager]}/$tddui-export{query}", **more)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [e["fullUrl"].removeprefix(f"{ORIGIN}/fhir/") for e in answer.json()["entry"]]


@pytest.fixture(scope="module", autouse=True)
def lived(world: World) -> None:
    """Karim's dossier: an event shared with him, a note that is not, one that is withheld, a contact."""
    at = {"usager_id": str(world.ids["karim"]), "structure_id": str(world.ids["mas_fam"])}
    when = {"starts": "2026-03-02T10:00:00", "ends": "2026-03-02T11:00:00"}
    event = {"usager_ids": [at["usager_id"]], "structure_id": at["structure_id"], "title": "Piscine", **when}
    told = world.post("sonia", "/api/v1/events", event)
    assert told.status_code == 201, told.text
    for name, text in (("team", "Atelier jardin."), ("kept", "Sa voisine CALYPSO a dit.")):
        answer = world.post("sonia", "/api/v1/transmissions", {**at, "text": text, "visibility": "not_shared"})
        assert answer.status_code == 201, answer.text
        world.ids[name] = answer.json()["id"]
    world.rows("UPDATE transmission SET visibility = 'withheld' WHERE id = $1", world.ids["kept"])


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    world.rows("DELETE FROM sharing_consent")


def agreed(world: World, **more: Any) -> None:
    asked = {"question": "Le CHU ?", "if_yes": "Il lit.", "if_no": "Il demande.", "kind": "partage", "answer": "yes"}
    what = {"partner_id": world.ids["chu"], "categories": ["administrative", "support", "care"], "starts": today()}
    ids = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"]}
    world.add(SharingConsent(**{**asked, **what, **ids, **more}))


class TestByThePerson:
    def test_it_is_a_transaction_another_server_takes(self, world: World):
        told = exported(world, "karim").json()
        get_fhir_model_class("Bundle").model_validate(told)
        assert (told["type"], told["meta"]["profile"]) == ("transaction", [f"{PROFILE}bundle"])
        assert told["entry"][0]["resource"]["resourceType"] == "Patient"
        for each in told["entry"]:
            kind, id = each["resource"]["resourceType"], each["resource"]["id"]
            assert (each["fullUrl"], each["request"]) == (
                f"{ORIGIN}/fhir/{kind}/{id}",
                {"method": "POST", "url": kind},
            )

    def test_what_is_not_shared_with_them_is_not_in_it(self, world: World):
        told = exported(world, "karim")
        assert "Piscine" in told.text
        assert not any(word in told.text for word in ("jardin", "CALYPSO", str(world.ids["team"])))

    def test_every_reference_leads_into_it(self, world: World):
        answer = exported(world, "karim")
        inside = set(names(answer))
        led = {text for text in references(answer.json()) if uuid_of(text.partition("/")[2])}
        assert led
        assert led <= inside

    def test_the_same_dossier_gives_the_same_bytes_and_their_digest(self, world: World):
        first, second = exported(world, "karim"), exported(world, "karim")
        digest = b64encode(hashlib.sha256(first.content).digest()).decode()
        assert (first.content, first.headers["repr-digest"]) == (second.content, f"sha-256=:{digest}:")

    def test_its_manifest_counts_and_signs_it(self, world: World):
        answer, told = exported(world, "karim"), exported(world, "karim", query="?manifest=true").json()
        said = {p["name"]: p.get("valueInteger", p.get("valueString")) for p in told["parameter"] if "part" not in p}
        profiles = {p["part"][0]["valueUri"]: p["part"][1]["valueInteger"] for p in told["parameter"] if "part" in p}
        assert said == {
            "entries": len(names(answer)),
            "size": len(answer.content),
            "sha256": hashlib.sha256(answer.content).hexdigest(),
        }
        assert (profiles[f"{PROFILE}patient"], sum(profiles.values())) == (1, said["entries"])
        get_fhir_model_class("Parameters").model_validate(told)

    def test_in_xml_it_says_the_same(self, world: World):
        asked = {"headers": {"Accept": "application/fhir+xml"}}
        told = exported(world, "karim", **asked)
        assert told.headers["content-type"].startswith("application/fhir+xml")
        assert xml.read(told.content) == exported(world, "karim").json()
        manifest = xml.read(exported(world, "karim", query="?manifest=true", **asked).content)
        assert hashlib.sha256(told.content).hexdigest() in str(manifest)

    def test_who_represents_takes_what_their_mandate_opens(self, world: World):
        represent(world, "tutor", "karim", "tutelle", opens=("administrative",))
        kinds = {name.partition("/")[0] for name in names(exported(world, "tutor"))}
        assert "Patient" in kinds
        assert "Piscine" not in exported(world, "tutor").text

    @pytest.mark.threat("export-of-another")
    def test_of_another_it_answers_as_of_someone_who_never_was(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        world.ids["nobody"] = uuid4()
        answers = [exported(world, "lucas", whom, headers=same) for whom in ("karim", "nobody")]
        assert [a.status_code for a in answers] == [404, 404]
        assert answers[0].content == answers[1].content


class TestByAPartner:
    @pytest.mark.threat("export-pulled-without-agreement")
    def test_without_an_agreement_there_is_nobody(self, world: World):
        assert exported(world, "chu").status_code == 404
        agreed(world, answer="no")
        assert exported(world, "chu").status_code == 404

    @pytest.mark.threat("export-beyond-agreement")
    def test_it_takes_what_the_agreement_covers(self, world: World):
        agreed(world)
        whole = exported(world, "chu")
        assert "jardin" not in b64_free(whole)
        assert str(world.ids["team"]) in whole.text
        assert str(world.ids["kept"]) not in whole.text
        world.rows("DELETE FROM sharing_consent")
        agreed(world, categories=["administrative"])
        narrow = names(exported(world, "chu"))
        assert {name.partition("/")[0] for name in narrow} <= {"Patient", "Encounter", "RelatedPerson", "Organization"}
        assert exported(world, "mdph").status_code == 404

    def test_what_it_sent_it_is_not_sent_back(self, world: World):
        agreed(world)
        body: Any = note_of(world.ids["karim"], id="n", subject={"reference": f"Patient/{world.ids['karim']}"})
        told = taken(world, bundle(entry(patient(fresh())), entry({**body, "subject": {"reference": "Patient/p"}})))
        assert not {f"{kind}/{id}" for kind, id, _ in told} & set(names(exported(world, "chu")))

    @pytest.mark.threat("export-beyond-scope")
    def test_it_takes_the_types_its_token_reads(self, world: World):
        agreed(world)
        path = f"/fhir/Patient/{world.ids['karim']}/$tddui-export"
        told = world.client.get(path, headers=scoped(world, "system/Patient.r system/Encounter.r"))
        assert {name.partition("/")[0] for name in names(told)} == {"Patient", "Encounter"}
        for scope, asked in (("system/Patient.r", "?_type=Goal"), ("system/Encounter.r", "")):
            refused = world.client.get(path + asked, headers=scoped(world, scope))
            assert (refused.status_code, refused.json()["issue"][0]["details"]["coding"][0]["code"]) == (403, "scope")
            assert [line["outcome"] for line in world.traces(request_id=refused.headers["x-request-id"])] == ["refused"]

    def test_it_is_in_the_journal_sealed_and_told_to_the_person(self, world: World):
        agreed(world)
        answer = exported(world, "chu")
        request = answer.headers["x-request-id"]
        [line] = world.rows("SELECT * FROM exchange WHERE request_id = $1", request)
        assert (line["direction"], line["ground"], line["sha256"]) == (
            "sent",
            "accord",
            hashlib.sha256(answer.content).digest(),
        )
        assert b"Piscine" not in line["body"]
        rows = world.rows(
            "SELECT type_name || '/' || row_id AS name FROM exchange_row WHERE exchange_id = $1", line["id"]
        )
        assert {row["name"] for row in rows} == set(names(answer))
        mine = world.get("karim", "/api/v1/me/exchanges").json()["items"]
        assert [(e["partner"], e["direction"], e["ground"]) for e in mine if e["id"] == str(line["id"])] == [
            ("CHU", "sent", "accord")
        ]
        assert world.get("lucas", "/api/v1/me/exchanges").json()["items"] == []
        told = {(t["action"], t["ground"]) for t in world.traces(request_id=request) if t["usager_id"]}
        assert ("send", "accord") in told

    def test_a_manifest_leaves_nothing_in_the_journal(self, world: World):
        agreed(world)
        answer = exported(world, "chu", query="?manifest=true")
        assert world.rows("SELECT 1 FROM exchange WHERE request_id = $1", answer.headers["x-request-id"]) == []


class TestAsked:
    def test_a_professional_is_told_where_to_send(self, world: World):
        answer = exported(world, "marc")
        assert answer.status_code == 403
        assert "/api/v1/exchanges/sent" in answer.json()["issue"][0]["diagnostics"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?start=2026-03-01&end=2026-03-31", True),
            ("?start=2026-03-03", False),
            ("?end=2026-03-01", False),
            ("?_type=Encounter", True),
            ("?_type=Goal,Task", False),
        ],
    )
    def test_dates_and_types_narrow_what_happened_one_day(self, world: World, query: str, found: bool):
        answer = exported(world, "karim", query=query)
        assert names(answer)[0].startswith("Patient/")
        assert ("Piscine" in answer.text) == found

    @pytest.mark.parametrize(
        ("query", "where"),
        [
            ("?_type=Nothing", "_type"),
            ("?start=hier", "start"),
            ("?start=2026&start=2025", "start"),
            ("?manifest=oui", "manifest"),
            ("?_since=2026", "_since"),
        ],
    )
    def test_what_is_not_understood_is_named(self, world: World, query: str, where: str):
        answer = exported(world, "karim", query=query)
        assert answer.status_code == 400
        assert [i.get("expression", [""])[0] for i in answer.json()["issue"]] == [where]
        assert "hier" not in answer.text

    def test_more_than_a_bundle_holds_is_refused_with_the_way(self, world: World, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(dossier, "MOST", 1)
        answer = exported(world, "karim")
        assert answer.status_code == 413
        assert "période" in answer.json()["issue"][0]["diagnostics"]

    def test_files_too_heavy_for_a_bundle_are_refused_unopened(self, world: World, monkeypatch: pytest.MonkeyPatch):
        filed(world, visibility="shared")
        whom = f"/fhir/Patient/{world.ids['jeanne']}/$tddui-export"
        assert "application/pdf" in world.get("jeanne", whom).text
        monkeypatch.setattr(dossier, "FILES_MOST", len(PDF) - 1)
        monkeypatch.setattr(dossier.contents, "opened", None)
        answer = world.get("jeanne", whom)
        assert (answer.status_code, "20 Mio" in answer.text) == (413, True)

    def test_asks_few_statements_whatever_it_holds(self, world: World):
        agreed(world)
        exported(world, "chu")
        with world.statements() as counted:
            exported(world, "chu")
        assert len(counted) <= 6


def references(thing: Any) -> set[str]:
    if isinstance(thing, list):
        return {text for each in thing for text in references(each)}
    if isinstance(thing, dict):
        mine = {thing["reference"]} if isinstance(thing.get("reference"), str) else set()
        return mine.union(*(references(value) for value in thing.values()))
    return set()


def b64_free(answer: Any) -> str:
    return orjson.dumps(answer.json()).decode()
