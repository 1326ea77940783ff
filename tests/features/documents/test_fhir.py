"""A document is a DocumentReference both ways; its bytes are a Binary, judged as it is."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

import pytest

from app.exchange import dossier
from app.features.documents import files
from app.features.documents.fhir import PROFILE
from app.fhir.mapping import Json
from tests.exchange.bundles import BASE, bundle, entry, patient, resource
from tests.exchange.sending import fresh, read_back, row_of, said, sent, taken
from tests.features.consents.people import represent
from tests.features.documents.papers import HTML, PDF, PNG, filed
from tests.fhir.test_read import scoped
from tests.world import World

EXTRA = "https://chu.test/StructureDefinition/kept"


def inline(clear: bytes) -> str:
    return b64encode(clear).decode()


def document(**more: Any) -> Json:
    """Each element of the profile's differential, and one that nobody models."""
    told: Json = {
        "resourceType": "DocumentReference",
        "id": "d",
        "meta": {"profile": [PROFILE]},
        "extension": [{"url": EXTRA, "valueString": "gardé"}],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:1.2.{int(fresh(), 16)}"},
        "identifier": [{"system": "https://chu.test/doc", "value": fresh()}],
        "status": "superseded",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34108-1"}]},
        "category": [{"coding": [{"system": "urn:classe", "code": "11"}]}],
        "subject": {"reference": f"{BASE}/Patient/p"},
        "date": "2026-03-02T10:00:00+01:00",
        "author": [{"reference": f"{BASE}/Practitioner/a"}, {"display": "Dr Lenoir"}],
        "authenticator": {"reference": f"{BASE}/Practitioner/a"},
        "custodian": {"display": "CHU"},
        "description": "Compte rendu de mars",
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf", "language": "fr-FR", "data": inline(PDF), "title": "Bilan",
                    "creation": "2026-03-01",
                },
                "format": {"system": "urn:format", "code": "pdf"},
            }
        ],
        "context": {
            "event": [{"coding": [{"system": "urn:acte", "code": "42"}]}],
            "period": {"start": "2026-02-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
            "facilityType": {"coding": [{"system": "urn:lieu", "code": "SA01"}]},
            "practiceSetting": {"coding": [{"system": "urn:cadre", "code": "AMBULATOIRE"}]},
        },
    }  # fmt: skip
    return {**told, **more}


def attached(attachment: Json, **more: Any) -> Json:
    return document(content=[{"attachment": {"title": "Photo", **attachment}}], **more)


def sending(*resources: Json) -> Json:
    practitioner = resource("Practitioner", "a", name=[{"family": "Lenoir"}])
    return bundle(*(entry(each) for each in (patient(fresh()), practitioner, *resources)))


def came(world: World, *resources: Json) -> list[Any]:
    """The ids of what was sent, after the person and the practitioner."""
    return [id for _, id, _ in taken(world, sending(*resources))[2:]]


class TestComesIn:
    def test_every_element_of_the_profile_is_a_column(self, world: World):
        [id] = came(world, document())
        row = row_of(world, id)
        assert (row["title"], row["description"], row["status"]) == ("Bilan", "Compte rendu de mars", "superseded")
        assert (row["type"], row["class_code"], row["format"]) == (
            "http://loinc.org|34108-1",
            "urn:classe|11",
            "urn:format|pdf",
        )
        assert (row["event"], row["facility"], row["practice"]) == (
            "urn:acte|42",
            "urn:lieu|SA01",
            "urn:cadre|AMBULATOIRE",
        )
        assert row["writer_id"] == row["authenticator_id"] is not None
        assert (row["written_on"], row["language"], row["size"]) == ("2026-03-01", "fr-FR", len(PDF))
        assert (row["category"], row["visibility"]) == ("care", "not_shared")
        assert row["sha256"] == hashlib.sha256(PDF).hexdigest()

    def test_goes_back_to_its_sender_as_it_came_but_for_its_bytes(self, world: World):
        sent_one = document()
        [id] = came(world, sent_one)
        back, expected = said(read_back(world, "DocumentReference", id)), said(sent_one)
        attachment = back["content"][0]["attachment"]
        assert attachment.pop("url") == f"Binary/{id}"
        assert (attachment.pop("size"), attachment.pop("hash")) == (len(PDF), inline(hashlib.sha1(PDF).digest()))  # noqa: S324
        assert expected["content"][0]["attachment"].pop("data")
        assert back == expected

    def test_its_bytes_are_sealed_and_nowhere_else(self, world: World):
        secret = PDF + b"% 255081416802538 canary"
        [id] = came(world, attached({"data": inline(secret), "contentType": "application/pdf"}))
        row = row_of(world, id)
        [kept] = world.rows("SELECT sealed FROM content WHERE id = $1", row["content_id"])
        assert b"canary" not in kept["sealed"]
        assert len(row["extra"]) < 1_500

    def test_without_a_profile_it_is_a_document_all_the_same(self, world: World):
        told = attached({"data": inline(PNG), "contentType": "image/png"})
        del told["meta"]
        [id] = came(world, told)
        assert row_of(world, id)["content_type"] == "image/png"

    def test_beyond_the_cap_it_is_refused_saying_the_cap(self, world: World):
        sent_one = attached({"data": inline(PDF + bytes(files.LARGEST)), "contentType": "application/pdf"})
        answer = sent(world, sending(sent_one))
        [issue] = answer.json()["issue"]
        assert (answer.status_code, issue["details"]["coding"][0]["code"]) == (413, "too_large")
        assert issue["expression"] == ["Bundle.entry[2].resource.content[0].attachment"]
        assert "Mio" in issue["diagnostics"]

    @pytest.mark.threat("file-lies-about-type")
    def test_what_lies_about_its_type_goes_to_nobody_but_its_sender(self, world: World):
        [id] = came(world, attached({"data": inline(HTML), "contentType": "image/png"}))
        assert read_back(world, "DocumentReference", id)["content"][0]["attachment"]["data"] == inline(HTML)
        world.rows("UPDATE kept_resource SET visibility = 'shared' WHERE id = $1", id)
        person = row_of(world, id)["usager_id"]
        world.enter("they", person)
        for place in (f"DocumentReference/{id}", f"Patient/{person}/$tddui-export"):
            told = world.get("they", f"/fhir/{place}")
            assert (told.status_code, str(id) in told.text, inline(HTML) in told.text) == (200, True, False)

    @pytest.mark.parametrize(("kind", "status"), [("Media", 413), ("DocumentReference", 200)])
    def test_what_was_kept_whole_counts_in_what_leaves_at_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
    ):
        media = resource(
            "Media", "m", status="completed", content={"data": inline(bytes(9_000)), "contentType": "image/png"}
        )
        media["subject"] = {"reference": f"{BASE}/Patient/p"}
        liar = attached({"data": inline(HTML + b" " * 9_000), "contentType": "image/png"})
        [id] = came(world, media if kind == "Media" else liar)
        person = row_of(world, id)["usager_id"]
        world.rows("UPDATE kept_resource SET visibility = 'shared' WHERE id = $1", id)
        world.enter("they", person)
        monkeypatch.setattr(dossier, "FILES_MOST", 9_000)
        assert world.get("they", f"/fhir/Patient/{person}/$tddui-export?_type={kind}").status_code == status

    @pytest.mark.parametrize("said", ["text/plain; charset=utf-8", "TEXT/PLAIN", "image/jpg"])
    def test_its_type_comes_back_as_it_was_said(self, world: World, said: str):
        clear = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(40) if said == "image/jpg" else "é".encode()
        [id] = came(world, attached({"data": inline(clear), "contentType": said}))
        assert row_of(world, id)["content_type"] == ("image/jpeg" if said == "image/jpg" else "text/plain")
        assert read_back(world, "DocumentReference", id)["content"][0]["attachment"]["contentType"] == said

    def test_sent_again_it_is_a_new_version_with_its_own_bytes(self, world: World):
        whole = sending(first := attached({"data": inline(PDF), "contentType": "application/pdf"}))
        [_, _, (_, id, _)] = taken(world, whole)
        first["content"][0]["attachment"] |= {"data": inline(PNG), "contentType": "image/png"}
        assert taken(world, whole)[2][1:] == (id, 2)
        assert world.get("chu", f"/fhir/Binary/{id}", headers={"Accept": "*/*"}).content == PNG

    def test_a_binary_of_the_bundle_is_joined_to_its_document(self, world: World):
        binary = resource("Binary", "b", contentType="image/png", data=inline(PNG))
        id, own = came(world, attached({"url": f"{BASE}/Binary/b"}), binary)
        assert world.get("chu", f"/fhir/Binary/{id}", headers={"Accept": "image/png"}).content == PNG
        assert read_back(world, "Binary", own)["data"] == inline(PNG)

    def test_bytes_that_stay_elsewhere_are_told_as_they_were(self, world: World):
        [id] = came(world, attached({"url": "https://chu.test/files/1"}))
        assert row_of(world, id)["content_id"] is None
        back = read_back(world, "DocumentReference", id)
        assert back["content"][0]["attachment"]["url"] == "https://chu.test/files/1"

    @pytest.mark.threat("file-lies-about-type")
    def test_what_lies_about_its_type_is_kept_as_it_came_and_served_by_nobody(self, world: World):
        [id] = came(world, attached({"data": inline(HTML), "contentType": "image/png"}))
        assert world.rows("SELECT 1 FROM kept_resource WHERE id = $1", id)
        assert world.get("chu", f"/fhir/Binary/{id}", headers={"Accept": "*/*"}).status_code == 404

    @pytest.mark.parametrize(
        ("name", "wrong", "right"),
        [("hash", inline(b"another"), inline(hashlib.sha1(PDF).digest())), ("size", 3, len(PDF))],  # noqa: S324
        ids=["hash", "size"],
    )
    def test_what_is_told_of_its_bytes_must_be_so(self, world: World, name: str, wrong: object, right: object):
        told = {"data": inline(PDF), "contentType": "application/pdf"}
        body = sending(attached({**told, name: wrong}))
        refused = sent(world, body, prefer="handling=strict")
        [issue] = refused.json()["issue"]
        assert (refused.status_code, issue["details"]["coding"][0]["code"]) == (422, f"document.other_{name}")
        at = f"Bundle.entry[2].resource.content[0].attachment.{name}"
        assert issue["expression"] == [at]
        entries = sent(world, body).json()["entry"]
        warned = [i for e in entries for i in e["response"].get("outcome", {}).get("issue", ())]
        assert [i["expression"] for i in warned if i["details"]["coding"][0]["code"].startswith("document.")] == [[at]]
        id = entries[2]["response"]["location"].split("/")[1]
        assert read_back(world, "DocumentReference", id)["content"][0]["attachment"][name] == right
        fits = sent(world, sending(attached({**told, name: right})), prefer="handling=strict")
        assert fits.status_code == 200, fits.text

    def test_both_are_told_at_once_and_refused_nothing_is_said_to_be_kept(self, world: World):
        body = sending(
            attached({"data": inline(PDF), "contentType": "application/pdf", "hash": inline(b"another"), "size": 3})
        )
        refused = sent(world, body, prefer="handling=strict").json()["issue"]
        assert [issue["expression"][0].rpartition(".")[2] for issue in refused] == ["hash", "size"]
        assert not [issue for issue in refused if "gardé" in issue["diagnostics"]]
        entries = sent(world, body).json()["entry"]
        warned = [i for e in entries for i in e["response"].get("outcome", {}).get("issue", ())]
        told = [i["diagnostics"] for i in warned if i["details"]["coding"][0]["code"].startswith("document.")]
        assert ["Il est gardé" in sentence for sentence in told] == [True, True]

    def test_however_many_documents_lead_to_a_binary_it_is_read_and_put_away_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        """One that lies about its type is kept whole, and takes nothing from the others."""
        read = list[int]()
        looked_at = files.looked_at
        monkeypatch.setattr(files, "looked_at", lambda clear, at: read.append(len(clear)) or looked_at(clear, at))
        link = {"url": f"{BASE}/Binary/b"}
        liar = attached({**link, "contentType": "image/gif"}, id="liar")
        papers = [attached(link, id=f"d{n}") for n in range(5)]
        ids = came(world, liar, *papers, resource("Binary", "b", contentType="image/png", data=inline(PNG)))
        assert read == [len(PNG)]
        assert world.rows("SELECT 1 FROM kept_resource WHERE id = $1", ids[0])
        held = {row_of(world, id)["content_id"] for id in ids[1:6]}
        assert len(held) == 1
        for id in ids[1:6]:
            assert world.get("chu", f"/fhir/Binary/{id}", headers={"Accept": "image/png"}).content == PNG

    def test_nor_taken_when_asked_to_be_strict(self, world: World):
        answer = sent(
            world, sending(attached({"data": inline(HTML), "contentType": "image/png"})), prefer="handling=strict"
        )
        assert answer.status_code == 422


class TestGoesOut:
    def test_a_paper_filed_here_is_told_whole(self, world: World):
        place = filed(world, PNG, title="Photo", description="Au jardin", type="urn:t|x", writer_name="Dr Lenoir")
        id = place.rpartition("/")[2]
        told = world.get("marc", f"/fhir/DocumentReference/{id}").json()
        assert told["masterIdentifier"]["value"] == f"urn:uuid:{id}"
        assert told["custodian"] == {"reference": f"Organization/{world.ids['ehpad']}"}
        assert (told["status"], told["description"]) == ("current", "Au jardin")
        assert told["author"] == [{"display": "Dr Lenoir"}]
        assert told["content"][0]["attachment"] == {
            "contentType": "image/png", "url": f"Binary/{id}", "size": len(PNG), "title": "Photo",
            "hash": inline(hashlib.sha1(PNG).digest()),  # noqa: S324
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"title": "Autre"}, "content.0.attachment.title"), ({"description": "Autre"}, "description"),
            ({"status": "entered_in_error"}, "status"), ({"type": "urn:t|y"}, "type.coding.0.code"),
            ({"event": "urn:e|z"}, "context.event.0.coding.0.code"), ({"authenticator_name": "Mme Blanc"}, "authenticator.display"),
        ],
    )  # fmt: skip
    def test_what_is_changed_here_is_found_there(self, world: World, change: Json, path: str):
        place = filed(world)
        assert world.patch("sonia", place, change, 1).status_code == 200
        told: Any = world.get("marc", f"/fhir/DocumentReference/{place.rpartition('/')[2]}").json()
        for step in path.split("."):
            told = told[int(step)] if step.isdigit() else told[step]
        [value] = change.values()
        assert told in (value, value.rpartition("|")[2], value.replace("_", "-"))

    def test_is_found_by_what_is_said_of_it(self, world: World):
        id = filed(world, type="urn:t|cherche").rpartition("/")[2]
        for asked in ("type=urn:t|cherche", "status=current", f"patient={world.ids['jeanne']}"):
            found = world.get("marc", f"/fhir/DocumentReference?{asked}").json()
            assert id in {each["resource"]["id"] for each in found["entry"]}, asked

    def test_what_travels_holds_its_bytes(self, world: World):
        id = filed(world, PNG).rpartition("/")[2]
        answer = world.get("jeanne", f"/fhir/Patient/{world.ids['jeanne']}/$tddui-export")
        assert answer.status_code == 200, answer.text
        [told] = [each["resource"] for each in answer.json()["entry"] if each["resource"]["id"] == id]
        attachment = told["content"][0]["attachment"]
        assert (b64decode(attachment["data"]), "url" in attachment) == (PNG, False)


class TestBinary:
    def test_the_bytes_or_the_resource(self, world: World):
        place = f"/fhir/Binary/{filed(world, PNG).rpartition('/')[2]}"
        raw = world.get("marc", place, headers={"Accept": "image/png"})
        assert (raw.content, raw.headers["content-type"]) == (PNG, "image/png")
        told = world.get("marc", place, headers={"Accept": "application/fhir+json"}).json()
        assert (told["resourceType"], told["contentType"], b64decode(told["data"])) == ("Binary", "image/png", PNG)
        assert world.get("marc", place, headers={"Accept": "application/pdf"}).status_code == 406
        again = world.get("marc", place, headers={"Accept": "*/*", "If-None-Match": raw.headers["etag"]})
        assert again.status_code == 304

    @pytest.mark.threat("file-shown-inline")
    def test_is_an_attachment_there_too(self, world: World):
        answer = world.get("marc", f"/fhir/Binary/{filed(world).rpartition('/')[2]}", headers={"Accept": "*/*"})
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox")

    @pytest.mark.threat("file-out-of-reach")
    @pytest.mark.parametrize("who", ["sonia", "odile", "yann", "chu", "jeanne", "karim"])
    def test_out_of_reach_it_never_was(self, world: World, who: str):
        id = filed(world, by="leila", category="care").rpartition("/")[2]
        assert world.get(who, f"/fhir/Binary/{id}", headers={"Accept": "application/fhir+json"}).status_code == 404

    @pytest.mark.threat("file-out-of-reach")
    def test_a_scope_on_binaries_alone_opens_no_document(self, world: World):
        [id] = came(world, attached({"data": inline(PNG), "contentType": "image/png"}))
        headers = {**scoped(world, "system/Binary.r"), "Accept": "application/fhir+json"}
        assert world.client.get(f"/fhir/Binary/{id}", headers=headers).status_code == 404


@pytest.mark.threat("protected-house-named", "search-modifiers")
def test_a_house_that_is_a_protected_place_keeps_it_and_says_so_to_nobody_of_outside(world: World):
    place = filed(world, usager_id=str(world.ids["lucas"]), structure_id=str(world.ids["ime"]))
    represent(world, "claire", "lucas", "autorite_parentale_separes")
    id, house = place.rpartition("/")[2], f"Organization/{world.ids['ime']}"
    world.rows("UPDATE stay SET place_protected = true WHERE usager_id = $1", world.ids["lucas"])
    told = {who: world.get(who, f"/fhir/DocumentReference/{id}").json()["custodian"] for who in ("claire", "sonia")}
    found = {
        query: id in world.get("claire", f"/fhir/DocumentReference?{query}").text
        for query in (f"custodian={house}", "custodian:missing=false", "custodian:missing=true")
    }
    world.rows("UPDATE stay SET place_protected = false WHERE usager_id = $1", world.ids["lucas"])
    assert told == {"claire": {"display": "lieu protégé"}, "sonia": {"reference": house}}
    assert [*found.values()] == [False, False, True]
