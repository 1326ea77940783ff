"""What is kept from the person: for a reason of the list, until its day, on every path; nothing tells that it is."""

from base64 import b64decode
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import SharingConsent
from app.access.withholding import Withheld
from app.kernel.clock import today
from app.security.principal import Role
from tests.features.consents.people import partner_reads, represent
from tests.portal.visitor import visit
from tests.stories import watching
from tests.world import World

PATH = "/api/v1/withheld"
WORD = b"TOURNESOL-Z"
DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("other", Role.EDUCATEUR, "mecs")
    world.accompany("other", world.ids["ines"], "mecs")
    represent(world, "mother", "ines", "autorite_parentale")


def note(world: World, who: str = "sonia", text: str = "TOURNESOL-Z", **more: object) -> str:
    at = {"usager_id": str(world.ids["ines"]), "structure_id": str(world.ids["mecs"])}
    body = {**at, "text": text, "visibility": "shared", **more}
    return str(world.post(who, "/api/v1/transmissions", body).json()["id"])


def kept(world: World, id: str, reason: str = "draft", who: str = "sonia", **more: object) -> Any:
    return world.post(who, PATH, {"kind": "transmission", "entry_id": id, "reason": reason, **more})


def aged(world: World, id: str, days: int) -> None:
    """Written, and to be told, that many days before: at the same hour in Paris, whatever the season."""
    world.rows(
        """UPDATE transmission SET recorded_at =
            (recorded_at AT TIME ZONE 'Europe/Paris' - make_interval(days => $2)) AT TIME ZONE 'Europe/Paris',
        withheld_until = withheld_until - $2::int WHERE id = $1""",
        UUID(id),
        days,
    )


def told(world: World, word: bytes = WORD) -> tuple[bool, bool]:
    """Whether the person, then their mother, hears it at any door."""
    hers = [*watching.api(world, "ines", "ines", paths=watching.OWN), *watching.page(visit(world, "ines"))]
    mothers = watching.api(world, "mother", "ines", paths=watching.OWN)
    mothers = [*mothers, *watching.page(visit(world, "ines", world.ids["mother"]))]
    return _heard(world, "ines", hers, word), _heard(world, "mother", mothers, word)


def _heard(world: World, who: str, answers: list[Any], word: bytes) -> bool:
    """All doors say the same; FHIR says a text in base64."""
    notes = world.get(who, f"/fhir/DocumentReference?patient={world.ids['ines']}").json().get("entry", [])
    texts = [b64decode(entry["resource"]["content"][0]["attachment"]["data"]) for entry in notes]
    elsewhere = any(word in body for *_, body in answers)
    assert elsewhere is any(word in text for text in texts)
    return elsewhere


def fault(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture(autouse=True)
def none_left(world: World) -> None:
    world.rows("DELETE FROM transmission")


@pytest.mark.threat("withheld-read")
@pytest.mark.parametrize(("reason", "days"), [("draft", 30), ("announcement", 15)])
def test_kept_on_every_path_then_told_again_by_itself(world: World, reason: str, days: int) -> None:
    id = note(world)
    assert told(world) == (True, True)
    answer = kept(world, id, reason)
    assert (answer.status_code, answer.json()["withheld_until"]) == (200, str(today() + timedelta(days=days)))
    assert told(world) == (False, False)
    aged(world, id, days - 1)
    assert told(world) == (False, False)
    aged(world, id, 1)
    assert told(world) == (True, True)


@pytest.mark.threat("withheld-read")
@pytest.mark.parametrize("reason", ["alert", "procedure"])
def test_what_has_no_day_is_read_again_by_someone(world: World, reason: str) -> None:
    id = note(world)
    assert kept(world, id, reason).json()["withheld_until"] == str(today() + timedelta(days=180))
    due = f"{PATH}?kind=transmission&due=true"
    assert world.get("sonia", due).json()["items"] == []
    aged(world, id, 180)
    assert told(world) == (False, False)
    assert [row["id"] for row in world.get("sonia", due).json()["items"]] == [id]
    assert world.get("other", "/api/v1/withheld?reason=draft").json()["items"] == []
    assert world.get("ines", due).status_code == 401


@pytest.mark.threat("withheld-third-party")
def test_a_sentence_is_masked_never_the_note(world: World) -> None:
    id = note(world, text="A bien mangé. Sa voisine TOURNESOL-Z a crié. TOURNESOL-Z est partie.")
    assert kept(world, id, "third_party", passages=["TOURNESOL-Z"]).status_code == 200
    assert told(world) == (False, False)
    assert told(world, "A bien mangé.".encode()) == (True, True)
    text = world.get("ines", "/api/v1/me/transmissions").json()["items"][0]["text"]
    assert (text.count("quelqu'un d'autre"), text.startswith("A bien mangé.")) == (2, True)
    assert "TOURNESOL-Z" in world.get("sonia", f"/api/v1/transmissions/{id}").text
    document = world.get("sonia", f"/fhir/DocumentReference/{id}").json()
    assert b"TOURNESOL-Z" in b64decode(document["content"][0]["attachment"]["data"])


@pytest.mark.threat("withheld-third-party")
def test_a_correction_keeps_the_mask(world: World) -> None:
    id = note(world, text="Elle et TOURNESOL-Z.")
    kept(world, id, "third_party", passages=["TOURNESOL-Z"])
    place = f"/api/v1/transmissions/{id}"
    assert world.patch("sonia", place, {"text": "TOURNESOL-Z et elle."}, 2).status_code == 200
    assert told(world) == (False, False)
    assert fault(world.patch("sonia", place, {"text": "Une autre."}, 3)) == (422, "transmission.passage")
    assert fault(world.patch("sonia", place, {"visibility": "shared"}, 3)) == (409, "transmission.masked")


def test_the_same_key_is_served_once(world: World) -> None:
    body = {"kind": "transmission", "entry_id": note(world), "reason": "draft"}
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (world.post("sonia", PATH, body, headers=key) for _ in "ab")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


def test_told_whole_again(world: World) -> None:
    id = note(world)
    kept(world, id, "third_party", passages=["TOURNESOL-Z"])
    answer = world.post("sonia", f"{PATH}/tell", {"kind": "transmission", "entry_id": id})
    assert (answer.status_code, answer.json()["withheld_reason"]) == (200, None)
    assert told(world) == (True, True)
    assert fault(world.post("sonia", f"{PATH}/tell", {"kind": "transmission", "entry_id": id})) == (409, "withheld.not")


@pytest.mark.threat("withheld-third-party")
def test_words_that_are_not_there_mask_nothing(world: World) -> None:
    id = note(world)
    assert fault(kept(world, id, "third_party", passages=["AUTRE"])) == (422, "transmission.passage")
    assert fault(kept(world, id, "third_party")) == (422, "withheld.no_passage")
    assert fault(kept(world, id, "draft", passages=["TOURNESOL-Z"])) == (422, "withheld.passages")


def test_only_words_of_a_note_are_masked(world: World) -> None:
    where = {"usager_ids": [str(world.ids["ines"])], "structure_id": str(world.ids["mecs"])}
    when = {"starts": f"{today() + DAY}T10:00:00", "ends": f"{today() + DAY}T11:00:00", "title": "Judo"}
    event = world.post("sonia", "/api/v1/events", {**where, **when}).json()["items"][0]["id"]
    body = {"kind": "event", "entry_id": event, "passages": ["Judo"]}
    assert fault(world.post("sonia", PATH, {**body, "reason": "third_party"})) == (422, "withheld.no_text")
    assert world.post("sonia", PATH, {**body, "passages": [], "reason": "announcement"}).status_code == 200
    assert "Judo" not in world.get("ines", "/api/v1/me/events").text
    tell = {"kind": "event", "entry_id": event}
    assert world.post("sonia", f"{PATH}/tell", tell).json()["visibility"] == "shared"


@pytest.mark.threat("withheld-forever")
def test_it_may_hurt_is_no_reason(world: World) -> None:
    answer = kept(world, note(world), "could_hurt")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/reason")
    assert {*Withheld} == {"third_party", "alert", "procedure", "draft", "minor_secret", "announcement"}


@pytest.mark.threat("withheld-forever")
@pytest.mark.parametrize(("reason", "days"), [("draft", 30), ("announcement", 15), ("procedure", 180)])
def test_no_longer_than_the_reason_allows(world: World, reason: str, days: int) -> None:
    id = note(world)
    for until in (today(), today() + timedelta(days=days + 1)):
        assert fault(kept(world, id, reason, until=str(until))) == (422, "withheld.until")
    assert kept(world, id, reason, until=str(today() + timedelta(days=days))).status_code == 200


@pytest.mark.threat("withheld-forever")
@pytest.mark.parametrize(("reason", "days"), [("draft", 30), ("announcement", 15)])
def test_said_again_it_gains_no_day(world: World, reason: str, days: int) -> None:
    id = note(world)
    kept(world, id, reason)
    aged(world, id, days - 1)
    assert kept(world, id, reason).json()["withheld_until"] == str(today() + DAY)
    aged(world, id, 1)
    assert fault(kept(world, id, reason)) == (422, "withheld.too_late")


@pytest.mark.parametrize(
    ("reason", "key", "too_long"),
    [
        ("draft", "withheld.draft_days", 31),
        ("announcement", "withheld.announcement_days", 16),
        ("procedure", "withheld.review_days", 366),
    ],
)
def test_a_house_asks_for_less(world: World, reason: str, key: str, too_long: int) -> None:
    setting = {"scope": f"structure:{world.ids['mecs']}", "key": key, "value": 7}
    assert world.post("helene", "/api/v1/settings", setting).status_code == 201
    assert kept(world, note(world), reason).json()["withheld_until"] == str(today() + timedelta(days=7))
    assert world.post("helene", "/api/v1/settings", {**setting, "value": too_long}).status_code == 422
    world.rows("DELETE FROM setting")


@pytest.mark.threat("withheld-by-another")
@pytest.mark.parametrize(("who", "status"), [("sonia", 200), ("marc", 200), ("other", 403), ("yann", 404)])
def test_by_whoever_may_change_it(world: World, who: str, status: int) -> None:
    assert kept(world, note(world), who=who).status_code == status


def test_the_persons_own_words_are_never_kept_from_them(world: World) -> None:
    id = note(world)
    world.rows("UPDATE transmission SET author_kind = 'usager'")
    assert fault(kept(world, id, who="marc")) == (409, "withheld.own_words")


def test_a_childs_secret_is_kept_from_the_parents_alone(world: World) -> None:
    id = note(world)
    assert fault(kept(world, id, "minor_secret")) == (422, "withheld.not_asked")
    assert kept(world, id, "minor_secret", asked_by_child=True).status_code == 200
    assert told(world) == (True, False)
    need = {"kind": "need", "entry_id": id, "reason": "minor_secret", "asked_by_child": True}
    assert fault(world.post("sonia", PATH, need)) == (422, "withheld.not_a_secret")


@pytest.mark.threat("withheld-counted")
def test_the_page_says_the_same_whether_or_not_something_is_kept(world: World) -> None:
    note(world, text="Une note.")
    visitor = visit(world, "ines")
    page = visitor.get("/mon-dossier/journal").text
    id = note(world)
    kept(world, id)
    assert visitor.get("/mon-dossier/journal").text == page
    assert "L'équipe écrit aussi des notes de travail." in page.replace("&#39;", "'")


@pytest.mark.threat("trail-alert-betrayed")
def test_the_visits_tell_of_it_again_from_its_day(world: World) -> None:
    id = note(world)
    kept(world, id)
    world.rows("DELETE FROM audit_entry")
    world.get("sonia", f"/api/v1/transmissions/{id}")
    assert world.get("ines", "/api/v1/me/access").json()["items"] == []
    aged(world, id, 30)
    world.rows("UPDATE entry_version SET withheld_until = withheld_until - 30")
    assert len(world.get("ines", "/api/v1/me/access").json()["items"]) == 1


@pytest.mark.threat("withheld-read")
def test_a_partner_reads_a_draft_only_from_its_day(world: World) -> None:
    about = {"usager_id": world.ids["ines"], "structure_id": world.ids["mecs"]}
    said = {
        "kind": "partage",
        "question": "?",
        "if_yes": "a",
        "if_no": "b",
        "answer": "yes",
        "starts": date(2020, 1, 1),
    }
    world.add(SharingConsent(partner_id=world.ids["chu"], categories=["support"], **said, **about))
    id = note(world)
    assert partner_reads(world, "chu", id)
    kept(world, id)
    assert not partner_reads(world, "chu", id)
    aged(world, id, 30)
    assert partner_reads(world, "chu", id)
    masked = note(world)
    kept(world, masked, "third_party", passages=["TOURNESOL-Z"])
    assert not partner_reads(world, "chu", masked)


@pytest.mark.threat("withheld-for-an-alert")
def test_the_team_does_not_learn_of_an_alert_from_the_reason(world: World):
    """Two notes kept alike but for an alert read the same, to who is not in it."""
    reasons = []
    for reason in ("alert", "procedure"):
        id = note(world)
        assert kept(world, id, reason).status_code == 200
        reasons.append(world.get("other", f"/api/v1/transmissions/{id}").json()["withheld_reason"])
    assert reasons == ["procedure", "procedure"]
    assert world.get("other", PATH, params={"reason": "alert"}).json()["items"] == []
