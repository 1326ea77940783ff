"""A request for orientation and a decision, in FHIR both ways, whole; their numbers are sealed."""

from typing import Any
from uuid import UUID

import pytest

from app.api.resources import REGISTRY
from app.features.orientation.fhir import DECISION, REQUEST
from app.features.orientation.models import OrientationDecision, OrientationRequest
from tests.exchange.bundles import discriminated
from tests.exchange.sending import fresh, read_back, said
from tests.features.both_ways import arrived, beside, left, there_and_back, unfilled
from tests.world import World

MDPH, NIR = "urn:oid:1.2.250.1.213.7.1", "255081416802538"
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
LETTER = {"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": "Patient/p"},
          "content": [{"attachment": {"title": "Certificat", "contentType": "text/plain", "data": "Qm9uam91cg=="}}]}  # fmt: skip


def concept(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": "urn:sdo", "code": code, "display": display}]}


def kind(of: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-{of}", "code": code}]}


def request(**more: Any) -> dict[str, Any]:
    papers = ("demandeOrientation", "depotPoste", "reponseOrientation", "pieceComplementaire")
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "meta": {"profile": [REQUEST.profile]},
        "identifier": [
            {
                "type": kind("service-request-identifier", "DEMANDE_ORIENTATION"),
                "system": MDPH,
                "value": f"{NIR}-{fresh()}",
            }
        ],
        "status": "active",
        "intent": "order",
        "category": [concept("ESMS", "Orientation en établissement")],
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-01-05",
        "requester": {"display": "Sa mère"},
        "performer": [{"display": "MDPH 38"}],
        "supportingInfo": [{**discriminated(code), "reference": "DocumentReference/d"} for code in papers],
        "note": [{"text": "Avec le certificat."}],
        **more,
    }


def said_of(url: str, **value: Any) -> dict[str, Any]:
    return {"url": url, **value}


def decision(**more: Any) -> dict[str, Any]:
    detail = [
        said_of("qualificationOrientation", valueCodeableConcept=concept("C", "Cible")),
        said_of("temporaliteAccueil", valueCodeableConcept=concept("P", "Permanent")),
        said_of("precisionOrientation", valueCodeableConcept=concept("I", "IME")),
        said_of("structureAccueil", valueReference={"display": "IME des Prés"}),
    ]
    right = [
        said_of("categorieDroitPrestation", valueCodeableConcept=concept("O", "Orientation")),
        said_of("typeDroitPrestation", valueCodeableConcept=concept("E", "ESMS enfant")),
        said_of("natureDroitPrestation", valueCodeableConcept=concept("N", "Nouveau")),
        said_of("dateOuverture", valueDate="2026-09-01"),
        said_of("dateEcheance", valueDate="2029-08-31"),
        said_of("existencePAG", valueBoolean=False),
        said_of("detailPrestation", extension=detail),
        said_of("creton", valueBoolean=True),
    ]
    told = [
        said_of("typeDecision", valueCodeableConcept=concept("A", "Accord")),
        said_of("motivation", valueCodeableConcept=concept("M", "Besoin établi")),
        said_of("dateEffetCloture", valueDate="2029-08-31"),
        said_of("droitPrestation", extension=right),
        said_of("droitPrestation", extension=[said_of("dateEcheance", valueDate="2035-01-01")]),
        said_of("motivationLocale", valueString="Vu en équipe."),
    ]
    return {
        "resourceType": "Basic",
        "id": "b",
        "meta": {"profile": [DECISION.profile]},
        "extension": [{"url": f"{TDDUI}/StructureDefinition/tddui-decision", "extension": told}],
        "identifier": [
            {"type": kind("basic-decision-identifier", code), "system": MDPH, "value": fresh()}
            for code in ("IDDECISION", "IDDECISIONMAJ")
        ],
        "code": kind("basic-type", "DECISION"),
        "subject": {"reference": "ServiceRequest/s"},
        "created": "2026-06-11",
        "author": {"display": "CDAPH de l'Isère"},
        **more,
    }


ASKED, DECIDED = request(), decision()


@pytest.fixture(scope="module")
def came(world: World) -> list[UUID]:
    return arrived(world, LETTER, ASKED, DECIDED)


def path(world: World, room: str, usager: object = None) -> str:
    return f"/api/v1/usagers/{usager or world.ids['karim']}/orientation-{room}"


def test_the_examples_fill_their_profiles():
    assert unfilled("tddui-service-request-demande-orientation", ASKED) == []
    assert unfilled("tddui-basic-decision", DECIDED) == []


def test_all_that_arrives_is_in_the_rows_but_numbers(world: World, came: list[UUID]):
    assert beside(world, OrientationRequest, came[2]) == ["identifier"]
    assert beside(world, OrientationDecision, came[3]) == ["identifier"]


def test_they_go_back_to_their_sender_as_they_came(world: World, came: list[UUID]):
    assert said(read_back(world, "ServiceRequest", came[2])) == said(ASKED)
    assert said(read_back(world, "Basic", came[3])) == said(DECIDED)


def test_rest_tells_them(world: World, came: list[UUID]):
    person, letter, asked, decided = map(str, came)
    told = world.get("odile", f"{path(world, 'requests', person)}/{asked}").json()
    names = ("status", "asked_on", "requester_name", "mdph_name", "subject_label", "comment", "answer_document_id")
    assert [told[name] for name in names] == [
        "sent", "2026-01-05", "Sa mère", "MDPH 38", "Orientation en établissement", "Avec le certificat.", letter,
    ]  # fmt: skip
    told = world.get("odile", f"{path(world, 'decisions', person)}/{decided}").json()
    assert (told["request_id"], told["decided_on"], told["closes_on"]) == (asked, "2026-06-11", "2029-08-31")
    assert (told["rights_end_on"], told["rights"][0]["creton"], len(told["rights"])) == ("2029-08-31", True, 2)
    assert told["rights"][0]["details"][0]["structure_name"] == "IME des Prés"


@pytest.mark.parametrize(
    "resource",
    [
        request(status="on-hold", supportingInfo=[{**discriminated("depotPoste"), "reference": "DocumentReference/x"}]),
        decision(subject={"reference": "ServiceRequest/ailleurs"}, author={"reference": "Organization/x"}),
        decision(extension=[{"url": "urn:x", "valueString": "y"}], subject={"reference": "Patient/p"}),
    ],
)
def test_nothing_received_is_lost_to_its_sender(world: World, resource: dict[str, Any]):
    *_, id = arrived(world, resource)
    assert said(read_back(world, resource["resourceType"], id)) == said(resource)


def test_written_by_rest_alone_they_leave_whole_and_come_back_equal(world: World):
    body = {
        "structure_id": str(world.ids["mas_fam"]), "number": "38-1234", "number_system": MDPH, "status": "sent",
        "subject_code": "urn:sdo|ESMS", "asked_on": "2026-01-05", "mdph_name": "MDPH 38", "comment": "Relancer.",
    }  # fmt: skip
    asked = world.post("odile", path(world, "requests"), body)
    assert (asked.status_code, asked.json()["number"]) == (201, "38-1234"), asked.text
    [row] = world.rows("SELECT * FROM orientation_request WHERE id = $1", asked.json()["id"])
    assert "38-1234" not in str(dict(row))
    assert b"38-1234" not in row["number"]
    told = left(world, "odile", "ServiceRequest", asked.json()["id"])
    assert (told["identifier"][0]["value"], told["status"], told["authoredOn"]) == ("38-1234", "active", "2026-01-05")
    assert there_and_back(world, told) == said(told)
    right = {"type": {"code": "urn:sdo|E"}, "opens_on": "2026-09-01", "ends_on": "2029-08-31", "creton": False,
             "details": [{"structure_name": "FAM"}]}  # fmt: skip
    body = {
        "structure_id": str(world.ids["mas_fam"]), "number": "D1", "number_system": MDPH, "revises": "D0",
        "revises_system": MDPH, "decided_on": "2026-06-11", "decided_by": "CDAPH", "rights": [right],
        "local_motivation": "Vu.", "closes_on": "2029-08-31",
    }  # fmt: skip
    decided = world.post("odile", path(world, "decisions"), body)
    assert decided.status_code == 201, decided.text
    told = left(world, "odile", "Basic", decided.json()["id"])
    assert [i["value"] for i in told["identifier"]] == ["D1", "D0"]
    assert there_and_back(world, told) == said(told)


def test_what_the_team_changes_leaves(world: World, came: list[UUID]):
    person, _, asked, decided = came
    changed = world.patch("odile", f"{path(world, 'requests', person)}/{asked}", {"status": "answered"}, 1)
    assert changed.status_code == 200, changed.text
    assert left(world, "odile", "ServiceRequest", asked)["status"] == "completed"
    rights = [{"ends_on": "2030-01-01"}]
    changed = world.patch("odile", f"{path(world, 'decisions', person)}/{decided}", {"rights": rights}, 1)
    assert (changed.status_code, changed.json()["rights_end_on"]) == (200, "2030-01-01")
    assert "2030-01-01" in str(left(world, "odile", "Basic", decided))


@pytest.mark.parametrize(("who", "status"), [("odile", 201), ("marc", 201), ("sonia", 403), ("yann", 404)])
def test_is_written_by_role(world: World, who: str, status: int):
    for room in ("requests", "decisions"):
        body = {"structure_id": str(world.ids["mas_fam"])}
        assert world.post(who, path(world, room), body).status_code == status


@pytest.mark.parametrize(
    ("room", "body"),
    [
        ("requests", {"number": "1"}),
        ("requests", {"requester_kind": "contact"}),
        ("decisions", {"revises": "1"}),
        ("decisions", {"rights": [{"opens_on": "2026-01-02", "ends_on": "2026-01-01"}]}),
    ],
)
def test_what_cannot_be_is_refused(world: World, room: str, body: dict[str, object]):
    told = {"structure_id": str(world.ids["mas_fam"]), **body}
    assert world.post("odile", path(world, room), told).status_code == 422


def test_they_are_known_and_found(world: World, came: list[UUID]):
    assert REGISTRY.of_resource(decision(meta={})) is DECISION
    found = world.get("odile", f"/fhir/Basic?patient={came[0]}&code=DECISION&created=2026-06-11").json()
    assert [e["resource"]["id"] for e in found["entry"]] == [str(came[3])]
    found = world.get("odile", f"/fhir/ServiceRequest?patient={came[0]}&authored=2026-01-05").json()
    assert [e["resource"]["id"] for e in found["entry"]] == [str(came[2])]
