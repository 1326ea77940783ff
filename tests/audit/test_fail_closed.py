"""No trace, no act: while the trail can't be written every door refuses, tells nothing and writes nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.audit.trail import SAID
from tests.portal.visitor import Visitor, visit
from tests.world import World

pytestmark = pytest.mark.threat("fault-trail-unwritable")
FULL = """CREATE FUNCTION no_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"""
FAULTS = {
    "right taken away": (
        ["REVOKE INSERT ON audit_entry FROM dui_app"],
        [f"GRANT INSERT ({', '.join(SAID)}) ON audit_entry TO dui_app"],
        500,
    ),
    "month missing": (
        ["ALTER TABLE audit_entry DETACH PARTITION audit_entry_default"],
        ["ALTER TABLE audit_entry ATTACH PARTITION audit_entry_default DEFAULT"],
        500,
    ),
    "disk full": (
        [FULL, "CREATE TRIGGER no_disk BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_disk()"],
        ["DROP TRIGGER no_disk ON audit_entry", "DROP FUNCTION no_disk"],
        503,
    ),
}
NOTE = "Un texte que personne ne doit lire sans trace"
COUNTED = ("transmission", "entry_version", "usager", "session", "exchange", "idempotency", "audit_entry_default")


def note(world: World, **more: str) -> dict[str, str]:
    return {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": NOTE, **more}


def bundle(world: World) -> Any:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "NOUVELLE", "given": ["Anne"]}],
        "birthDate": "1950-01-01",
        "gender": "female",
    }
    entry = {"fullUrl": "urn:uuid:6f1b1f0e-6c4e-4f5e-9d3e-0b7d0f9f0a01", "resource": patient}
    entry["request"] = {"method": "POST", "url": "Patient"}
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    headers = {**world.bearers["chu"], "Content-Type": "application/fhir+json"}
    return world.client.post("/fhir", content=json.dumps(body).encode(), headers=headers)


Act = Callable[[World, str, Visitor], Any]
ACTS: dict[str, Act] = {
    "read": lambda w, id, v: w.get("sonia", f"/api/v1/transmissions/{id}"),
    "read of nothing": lambda w, id, v: w.get("yann", f"/api/v1/transmissions/{id}"),
    "list": lambda w, id, v: w.get("sonia", f"/api/v1/transmissions?usager={w.ids['jeanne']}"),
    "list of nothing": lambda w, id, v: w.get("yann", f"/api/v1/transmissions?usager={w.ids['jeanne']}"),
    "write": lambda w, id, v: w.post("sonia", "/api/v1/transmissions", note(w)),
    "write once": lambda w, id, v: w.post("sonia", "/api/v1/transmissions", note(w), headers={"Idempotency-Key": "k"}),
    "write refused": lambda w, id, v: w.post("yann", "/api/v1/transmissions", note(w)),
    "change": lambda w, id, v: w.patch("sonia", f"/api/v1/transmissions/{id}", {"text": NOTE}, 1),
    "delete": lambda w, id, v: w.delete("sonia", f"/api/v1/transmissions/{id}", 1),
    "fhir read": lambda w, id, v: w.get("sonia", f"/fhir/Patient/{w.ids['jeanne']}"),
    "fhir search": lambda w, id, v: w.get("sonia", f"/fhir/DocumentReference?patient={w.ids['jeanne']}"),
    "fhir search of nothing": lambda w, id, v: w.get("chu", f"/fhir/Patient?_id={w.ids['jeanne']}"),
    "fhir transaction": lambda w, id, v: bundle(w),
    "own dossier": lambda w, id, v: w.get("jeanne", "/api/v1/me/transmissions"),
    "own visits": lambda w, id, v: w.get("jeanne", "/api/v1/me/access"),
    "page": lambda w, id, v: v.get("/mon-dossier"),
    "page of notes": lambda w, id, v: v.get("/mon-dossier/journal"),
    "trail": lambda w, id, v: w.get("dora", f"/api/v1/access/trail?usager={w.ids['jeanne']}"),
    "wrong password": lambda w, id, v: w.client.post(
        "/oauth/token", data={"grant_type": "password", "username": "sonia", "password": "x" * 12}
    ),
    "wrong link": lambda w, id, v: v.post("/p/" + "A" * 43, code="000000", device="shared"),
}


@pytest.fixture(scope="module")
def written(world: World) -> str:
    from app.security.principal import Role

    world.hire("dora", Role.DPO, "ehpad")
    answer = world.post("sonia", "/api/v1/transmissions", note(world))
    assert answer.status_code == 201
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def visitor(world: World) -> Visitor:
    return visit(world, "jeanne")


@pytest.fixture(scope="module", params=FAULTS)
def fault(world: World, written: str, visitor: Visitor, request: pytest.FixtureRequest) -> Iterator[int]:
    make, mend, status = FAULTS[request.param]
    for sql in make:
        world.rows(sql)
    transport = vars(world.client)["_transport"]
    transport.raise_server_exceptions = False
    yield status
    transport.raise_server_exceptions = True
    for sql in mend:
        world.rows(sql)
    assert world.get("sonia", f"/api/v1/transmissions/{written}").status_code == 200


def counted(world: World) -> list[int]:
    return [world.rows(f"SELECT count(*) FROM {table}")[0][0] for table in COUNTED]


@pytest.mark.parametrize("act", ACTS)
def test_the_act_is_refused_told_nothing_and_writes_nothing(
    world: World, fault: int, written: str, visitor: Visitor, act: str
) -> None:
    before = counted(world)
    answer = ACTS[act](world, written, visitor)
    assert answer.status_code == fault, answer.text
    for said in (NOTE, "MOREAU", "Jeanne", "audit_entry", "no_disk", "permission"):
        assert said not in answer.text
    assert counted(world) == before
    assert ("retry-after" in answer.headers) == (fault == 503)
