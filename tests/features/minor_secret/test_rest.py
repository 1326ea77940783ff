"""What a child keeps from their parents: who may note it, and that no path tells it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.consents.people import represent
from tests.features.contacts.people import added
from tests.portal.visitor import visit
from tests.stories import watching
from tests.world import World

PATH = "/api/v1/secrets"
SECRETS = (b"PLANNING-Z", b"CONTRACEPTION-Z", b"DEMAIN-Z")
DAY = today() + timedelta(days=2)


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    for name, role in (("nurse", Role.INFIRMIER), ("psy", Role.PSYCHOLOGUE), ("other", Role.EDUCATEUR)):
        world.hire(name, role, "mecs", "ehpad")
        world.accompany(name, world.ids["ines"], "mecs")
        world.accompany(name, world.ids["jeanne"], "ehpad")
    represent(world, "mother", "ines", "autorite_parentale")


def at(world: World, usager: str = "ines", house: str = "mecs") -> dict[str, str]:
    return {"usager_id": str(world.ids[usager]), "structure_id": str(world.ids[house])}


def meeting(world: World, **more: object) -> str:
    told = {"title": "PLANNING-Z", "place": "CONTRACEPTION-Z", "starts": f"{DAY}T14:00:00", "ends": f"{DAY}T15:00:00"}
    where = at(world)
    body = {"usager_ids": [where["usager_id"]], "structure_id": where["structure_id"], **told, **more}
    return str(world.post("sonia", "/api/v1/events", body).json()["items"][0]["id"])


def note(world: World, **more: object) -> str:
    body = {**at(world), "text": "DEMAIN-Z", "visibility": "shared", **more}
    return str(world.post("sonia", "/api/v1/transmissions", body).json()["id"])


def kept(world: World, who: str, kind: str, id: str, **more: object) -> Any:
    return world.post(who, PATH, {"kind": kind, "entry_id": id, "asked_by_child": True, **more})


def told(world: World) -> list[bytes]:
    """What her mother hears of it, at every door."""
    page = watching.page(visit(world, "ines", world.ids["mother"]))
    answers = [*watching.api(world, "mother", "ines", paths=watching.OWN), *page]
    return [secret for secret in SECRETS if any(secret in body for *_, body in answers)]


@pytest.mark.threat("object-secret-of-a-minor")
def test_no_path_tells_it_to_a_parent_and_the_child_reads_it_still(world: World) -> None:
    event, text = meeting(world), note(world)
    assert told(world) == [*SECRETS]
    before = world.get("mother", "/fhir/Encounter?_count=0").json()["total"]
    for kind, id in (("event", event), ("transmission", text)):
        answer = kept(world, "sonia", kind, id)  # her référente
        assert (answer.status_code, answer.json()["secret"]) == (200, True), answer.text
    assert told(world) == []
    assert world.get("mother", "/fhir/Encounter?_count=0").json()["total"] == before - 1
    assert world.get("mother", f"/fhir/Encounter/{event}").status_code == 404
    assert "PLANNING-Z" in world.get("ines", "/api/v1/me/events").text
    assert world.get("sonia", f"/api/v1/events/{event}").json()["place"] == "CONTRACEPTION-Z"
    assert kept(world, "sonia", "event", event, secret=False).json()["secret"] is False
    assert SECRETS[0] in told(world)
    world.rows("DELETE FROM event_participant")


@pytest.mark.threat("secret-set-by-another")
@pytest.mark.parametrize(
    ("who", "status"), [("sonia", 200), ("nurse", 200), ("psy", 403), ("other", 403), ("yann", 404)]
)
def test_by_who_heard_the_child(world: World, who: str, status: int) -> None:
    assert kept(world, who, "transmission", note(world)).status_code == status


def test_only_when_the_child_asked(world: World) -> None:
    answer = kept(world, "sonia", "transmission", note(world), asked_by_child=False)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/asked_by_child")


def test_of_someone_of_age_there_is_nothing_to_keep(world: World) -> None:
    adult = note(world, **at(world, "jeanne", "ehpad"))
    assert kept(world, "sonia", "transmission", adult).status_code == 409


def test_a_thread_and_what_repeats_go_together(world: World) -> None:
    first = note(world)
    reply = note(world, thread_id=first, kind="reply")
    assert kept(world, "nurse", "transmission", reply).status_code == 200
    secret = world.rows("SELECT minor_secret FROM transmission WHERE thread_id = $1::uuid", first)
    assert [row["minor_secret"] for row in secret] == [True, True]
    event = meeting(world, rule="FREQ=WEEKLY;COUNT=3")
    assert kept(world, "sonia", "event", event).status_code == 200
    assert world.rows("SELECT 1 FROM event_participant WHERE NOT minor_secret") == []


@pytest.mark.threat("object-secret-of-a-minor")
def test_what_is_answered_later_is_as_secret_as_its_thread(world: World) -> None:
    world.rows("DELETE FROM transmission")
    first = note(world, text="?")
    assert kept(world, "nurse", "transmission", first).status_code == 200
    reply = note(world, thread_id=first, kind="reply")
    assert told(world) == []
    assert "DEMAIN-Z" in world.get("ines", "/api/v1/me/transmissions").text
    assert kept(world, "nurse", "transmission", reply, secret=False).status_code == 200
    assert told(world) == [b"DEMAIN-Z"]


@pytest.mark.threat("object-secret-of-a-minor")
def test_a_contact_kept_secret_is_named_by_no_meeting(world: World) -> None:
    contact = added(world, "ines", family_name="PLANNING-Z", given_name="Ada")[-36:]
    meeting(world, title="?", place="?", attendees=[{"contact_id": contact}])
    assert b"PLANNING-Z" in told(world)
    assert kept(world, "sonia", "contact", contact).status_code == 200
    assert b"PLANNING-Z" not in told(world)
    for who, path in (("ines", "/api/v1/me/events"), ("sonia", "/api/v1/events"), ("ines", "/fhir/Encounter")):
        assert "PLANNING-Z" in world.get(who, path).text
    world.rows("DELETE FROM event_participant")


def test_the_act_is_traced(world: World) -> None:
    id = note(world)
    kept(world, "sonia", "transmission", id)
    line = world.traces(action="keep_from_parents")[-1]
    assert ([str(one) for one in line["entry_ids"]], line["usager_id"]) == ([id], world.ids["ines"])
    kept(world, "psy", "transmission", id)
    assert world.traces(action="keep_from_parents")[-1]["outcome"] == "refused"


@pytest.mark.threat("object-secret-of-a-minor")
@pytest.mark.parametrize("asked_first", [True, False], ids=["kept, then answered", "answered, then kept"])
def test_the_refusal_made_by_an_answer_is_as_secret_as_the_question(world: World, asked_first: bool) -> None:
    world.rows("DELETE FROM opposition")
    sentences = {"question": "PLANNING-Z peut-il lire ?", "if_yes": "Il lit.", "if_no": "Il demande."}
    body = {**at(world), **sentences, "kind": "partage", "partner_id": str(world.ids["chu"]), "categories": ["support"]}
    id = str(world.post("sonia", "/api/v1/consents", body).json()["id"])
    if asked_first:
        assert kept(world, "sonia", "sharing_consent", id).status_code == 200
    assert world.post("ines", f"/api/v1/me/consents/{id}/answer", {"answer": "no"}).status_code == 201
    if not asked_first:
        assert len(refusals(world, "mother")) == 1
        assert kept(world, "sonia", "sharing_consent", id).status_code == 200
    assert refusals(world, "mother") == []
    assert len(refusals(world, "ines")) == 1
    assert kept(world, "sonia", "sharing_consent", id, secret=False).status_code == 200
    assert len(refusals(world, "mother")) == 1


@pytest.mark.threat("object-secret-of-a-minor")
def test_a_refusal_she_made_herself_may_be_kept(world: World) -> None:
    world.rows("DELETE FROM opposition")
    made = world.post("ines", "/api/v1/me/consents/oppositions", {"professional_id": str(world.ids["psy"])})
    id = str(made.json()["id"])
    assert len(refusals(world, "mother")) == 1
    assert kept(world, "sonia", "opposition", id).status_code == 200
    assert refusals(world, "mother") == []
    assert [one["id"] for one in refusals(world, "ines")] == [id]


def refusals(world: World, who: str) -> list[Any]:
    return list(world.get(who, "/api/v1/me/consents/oppositions").json()["items"])


def test_the_same_key_never_closes_again_what_was_opened_since(world: World) -> None:
    id, key = note(world), {"Idempotency-Key": uuid4().hex}
    said = {"kind": "transmission", "entry_id": id, "asked_by_child": True}
    first, at_once = (world.post("nurse", PATH, said, headers=key) for _ in range(2))
    assert (at_once.status_code, at_once.json()) == (200, first.json())
    kept(world, "nurse", "transmission", id, secret=False)
    later = world.post("nurse", PATH, said, headers=key)
    assert (later.headers["idempotency-replayed"], later.json()["secret"]) == ("true", False)
