"""« Inès a 18 ans »: at 00:00 in Paris her parents' access ends, and what they had allowed, on every path; she decides (field.md §5)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import SharingConsent
from app.features.transmissions.models import Transmission
from app.features.transmissions.schemas import TransmissionOut
from app.features.usagers.service import born_by
from app.kernel import clock
from app.kernel.clock import PARIS, today
from app.security.principal import Role
from tests.exchange.sending import sent
from tests.features.consents.people import partner_asks
from tests.features.contacts.people import added, confirmed, entered
from tests.portal.visitor import Visitor, visit
from tests.stories import watching
from tests.world import World

CONSENTS, MINE = "/api/v1/consents", "/api/v1/me/consents"
QUEUE = "/api/v1/usagers/coming-of-age"
HEAVIEST = 60 * 1024
SECOND = timedelta(seconds=1)
# Her birthday, and the last second before it in UTC: an ordinary day, then the two days when the clocks change.
MIDNIGHTS = [
    (date(2027, 1, 20), datetime(2027, 1, 19, 22, 59, 59, tzinfo=UTC)),
    (date(2027, 3, 28), datetime(2027, 3, 27, 22, 59, 59, tzinfo=UTC)),
    (date(2027, 3, 29), datetime(2027, 3, 28, 21, 59, 59, tzinfo=UTC)),
    (date(2027, 10, 31), datetime(2027, 10, 30, 21, 59, 59, tzinfo=UTC)),
    (date(2027, 11, 1), datetime(2027, 10, 31, 22, 59, 59, tzinfo=UTC)),
]
At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """The server's clock, moved; sessions last."""

    def move(moment: datetime) -> None:
        class Then(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return moment.astimezone(tz)

        monkeypatch.setattr(clock, "datetime", Then)

    return move


@pytest.fixture
def ines(world: World, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Two parents who said yes to the CHU, a note of hers, and a tutelle that begins the day she is 18."""
    birthday: date = getattr(request, "param", MIDNIGHTS[0][0])
    id, house = world.ids["ines"], world.ids["mecs"]
    world.rows("UPDATE usager SET birth_date = $2 WHERE id = $1", id, birthday.replace(year=birthday.year - 18))
    told: dict[str, Any] = {"note": uuid4(), "birthday": birthday}
    common = {"usager_id": id, "structure_id": house, "author_id": world.ids["sonia"]}
    world.add(Transmission(id=told["note"], thread_id=told["note"], kind="narrative", text="Elle chante.", **common))
    for name in ("mother", "father"):
        contact = added(world, "ines", family_name=name.title(), given_name="Ada")
        mandate = entered(world, contact, kind="autorite_parentale", scope="both", starts="2020-01-01")
        assert confirmed(world, mandate).json()["ends"] == str(birthday)
        world.enter(name, id, UUID(contact[-36:]))
    tutor = added(world, "ines", family_name="Tuteur")
    confirmed(world, entered(world, tutor, kind="tutelle", scope="both", starts=str(birthday)))
    world.enter("tutor", id, UUID(tutor[-36:]))
    asked = {
        "usager_id": str(id), "structure_id": str(house), "kind": "partage", "question": "Le CHU peut-il lire les notes ?",
        "if_yes": "Le CHU lit les notes.", "if_no": "Le CHU posera les questions.", "partner_id": str(world.ids["chu"]),
        "categories": ["support"],
    }  # fmt: skip
    told["consent"] = world.post("sonia", CONSENTS, asked).json()["id"]
    for who in ("mother", "father"):
        assert says(world, who, told["consent"], "yes") == 201
    world.rows("UPDATE session SET expires_at = '2099-01-01' WHERE revoked_at IS NULL")
    yield told
    for table in ("opposition", "consent_answer", "sharing_consent", "mandate", "contact", "transmission"):
        world.rows(f"DELETE FROM {table}")


def says(world: World, who: str, consent: str, answer: str) -> int:
    shown = world.get(who, f"{MINE}/{consent}").json()["wording_sha256"]
    return int(world.post(who, f"{MINE}/{consent}/answer", {"answer": answer, "wording_sha256": shown}).status_code)


def pulls(world: World, ines: dict[str, Any]) -> bool:
    return partner_asks(world, "chu", str(ines["note"]), TransmissionOut)


def opened(world: World, who: str, page: Visitor | None = None) -> set[str]:
    """Where this parent is told something of her."""
    answers = watching.api(world, who, "ines", paths=watching.OWN)
    told = {path for path, status, _, body in [*answers, *(watching.page(page) if page else ())]
            if status == 200 and (b"Elle chante" in body or b"DIALLO" in body.upper() or b"Le CHU peut-il" in body)}  # fmt: skip
    return told


class TestAtMidnight:
    @pytest.mark.threat("of-age-parents-read")
    @pytest.mark.parametrize(("ines", "eve"), MIDNIGHTS, indirect=["ines"])
    def test_parents_read_until_that_second_and_no_longer(
        self, world: World, ines: dict[str, Any], eve: datetime, at: At
    ) -> None:
        assert (eve + SECOND).astimezone(PARIS).date() == ines["birthday"]
        at(eve)
        before = world.get("mother", "/api/v1/me/transmissions")
        assert "Elle chante." in before.text
        at(eve + SECOND)
        assert world.get("mother", "/api/v1/me/transmissions").json()["items"] == []
        assert world.get("mother", "/api/v1/me").status_code == 404

    @pytest.mark.threat("of-age-parents-read")
    def test_on_every_path(self, world: World, ines: dict[str, Any], at: At) -> None:
        page = visit(world, "ines", world.ids["mother"])
        world.rows("UPDATE session SET expires_at = '2099-01-01' WHERE revoked_at IS NULL")
        at(MIDNIGHTS[0][1])
        assert len(opened(world, "mother", page)) > 5
        at(MIDNIGHTS[0][1] + SECOND)
        assert opened(world, "mother", page) == set()
        assert world.post("mother", f"{MINE}/{ines['consent']}/answer", {"answer": "no"}).status_code == 404

    @pytest.mark.threat("of-age-consent-lapses")
    @pytest.mark.parametrize(("ines", "eve"), MIDNIGHTS, indirect=["ines"])
    def test_nothing_leaves_on_what_they_had_allowed(
        self, world: World, ines: dict[str, Any], eve: datetime, at: At
    ) -> None:
        at(eve)
        assert pulls(world, ines)
        at(eve + SECOND)
        assert not pulls(world, ines)

    def test_a_measure_recorded_for_that_day_opens(self, world: World, ines: dict[str, Any], at: At) -> None:
        at(MIDNIGHTS[0][1])
        assert world.get("tutor", "/api/v1/me").status_code == 404
        at(MIDNIGHTS[0][1] + SECOND)
        assert world.get("tutor", "/api/v1/me").status_code == 200

    def test_her_consent_says_so_in_fhir(self, world: World, ines: dict[str, Any], at: At) -> None:
        at(MIDNIGHTS[0][1])
        before = world.get("ines", f"/fhir/Consent/{ines['consent']}").json()
        at(MIDNIGHTS[0][1] + SECOND)
        after = world.get("ines", f"/fhir/Consent/{ines['consent']}").json()
        assert (before["status"], before["provision"]["type"]) == ("active", "permit")
        assert before["provision"]["period"]["end"] == "2027-01-19"
        assert (after["status"], after["provision"]["type"]) == ("proposed", "deny")
        assert world.get("ines", "/fhir/Consent?status=active").json().get("entry", []) == []


class TestSheDecides:
    def first_page(self, world: World, at: At) -> tuple[Visitor, str]:
        visitor = visit(world, "ines")
        world.rows("UPDATE session SET expires_at = '2099-01-01' WHERE revoked_at IS NULL")
        at(MIDNIGHTS[0][1] + SECOND)
        answer = visitor.get("/mon-dossier")
        assert answer.status_code == 200
        assert len(answer.content) <= HEAVIEST
        return visitor, plain(visitor.see("/mon-dossier").text)

    def test_her_first_page_says_it_and_asks(self, world: World, ines: dict[str, Any], at: At) -> None:
        _, text = self.first_page(world, at)
        sentence = "Vous avez 18 ans. Maintenant, c'est vous qui décidez. Voici ce que vos parents avaient accepté."
        assert sentence in text
        assert "Le CHU peut-il lire les notes ?" in text
        assert "Une question" in text or "1 question" in text

    @pytest.mark.threat("of-age-consent-lapses")
    @pytest.mark.parametrize(("answer", "leaves"), [("yes", True), ("no", False), ("talk", False)])
    def test_her_answer_stands(self, world: World, ines: dict[str, Any], at: At, answer: str, leaves: bool) -> None:
        visitor, _ = self.first_page(world, at)
        shown = world.get("ines", f"{MINE}/{ines['consent']}").json()
        assert (shown["answer"], shown["lapsed"], shown["may_answer"]) == ("asked", True, True)
        place = f"/mon-dossier/accords/{ines['consent']}"
        said = visitor.answer("/mon-dossier", place, answer=answer, wording=shown["wording_sha256"])
        assert said.status_code == 303, said.text
        assert pulls(world, ines) is leaves
        assert "Vous avez 18 ans" not in plain(visitor.see("/mon-dossier").text)
        assert (world.rows("SELECT 1 FROM opposition WHERE ends IS NULL") != []) is (answer == "no")

    def test_not_before_the_day(self, world: World, ines: dict[str, Any], at: At) -> None:
        visitor = visit(world, "ines")
        world.rows("UPDATE session SET expires_at = '2099-01-01' WHERE revoked_at IS NULL")
        at(MIDNIGHTS[0][1])
        assert "18 ans" not in plain(visitor.see("/mon-dossier").text)

    def test_the_first_page_costs_no_more(self, world: World, ines: dict[str, Any], at: At) -> None:
        visitor, _ = self.first_page(world, at)
        with world.statements() as sql:
            visitor.get("/mon-dossier")
        assert len(sql) <= 3


class TestToPrepare:
    def listed(self, world: World, who: str) -> list[dict[str, Any]]:
        answer = world.get(who, QUEUE)
        assert answer.status_code == 200, answer.text
        return [one for one in answer.json()["items"] if one["id"] == str(world.ids["ines"])]

    def test_from_the_hundred_and_eightieth_day_before(self, world: World, ines: dict[str, Any]) -> None:
        born = "UPDATE usager SET birth_date = $2 WHERE id = $1"
        for days, told in ((181, 0), (180, 1), (1, 1), (0, 0)):
            world.rows(born, world.ids["ines"], born_by(today() + timedelta(days=days)))
            assert len(self.listed(world, "marc")) == told, days

    def test_says_what_is_ready(self, world: World, ines: dict[str, Any]) -> None:
        [told] = self.listed(world, "sonia")
        assert told == {
            "id": str(world.ids["ines"]), "structure_id": str(world.ids["mecs"]), "family_name": "DIALLO",
            "given_name": "Inès", "of_age_on": "2027-01-20", "personal_link": told["personal_link"], "measure": True,
            "to_ask_again": 1,
        }  # fmt: skip
        world.rows("UPDATE mandate SET deleted_at = now() WHERE kind = 'tutelle'")
        world.rows("UPDATE personal_access SET revoked_at = now()")
        assert [(one["personal_link"], one["measure"]) for one in self.listed(world, "sonia")] == [(False, False)]
        world.card("ines")
        assert self.listed(world, "sonia")[0]["personal_link"]

    @pytest.mark.threat("of-age-told-beyond")
    def test_tells_who_passes_by_neither_a_measure_nor_an_answer(self, world: World, ines: dict[str, Any]) -> None:
        world.hire("passing", Role.BENEVOLE, "mecs")
        world.accompany("passing", world.ids["ines"], "mecs")
        [told] = self.listed(world, "passing")
        assert (told["measure"], told["to_ask_again"]) == (False, 0)

    def test_counts_no_card_that_ended(self, world: World, ines: dict[str, Any]) -> None:
        world.card("ines")
        world.rows("UPDATE personal_access SET ends = now() - interval '1 hour'")
        assert not self.listed(world, "sonia")[0]["personal_link"]

    def test_to_who_reads_her(self, world: World, ines: dict[str, Any]) -> None:
        assert (self.listed(world, "marc") != [], self.listed(world, "yann")) == (True, [])
        assert world.get("mother", QUEUE).status_code == 401
        with world.statements() as sql:
            self.listed(world, "marc")
        assert len(sql) <= 2


def test_a_birth_date_put_right_moves_the_day(world: World, ines: dict[str, Any]) -> None:
    [row] = world.rows("SELECT version FROM usager WHERE id = $1", world.ids["ines"])
    changed = world.patch("odile", f"/api/v1/usagers/{world.ids['ines']}", {"birth_date": "2008-11-01"}, row["version"])
    assert changed.status_code == 200, changed.text
    assert not pulls(world, ines)
    [told] = world.rows("SELECT lapses_on FROM sharing_consent WHERE id = $1", UUID(ines["consent"]))
    assert told["lapses_on"] == date(2026, 11, 1)


@pytest.mark.threat("object-after-death")
def test_a_death_ends_what_was_shared(world: World) -> None:
    at = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"]}
    yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "starts": date(2026, 1, 1)}
    note = uuid4()
    world.add(
        SharingConsent(partner_id=world.ids["chu"], categories=["support"], **yes, **at),
        Transmission(id=note, thread_id=note, kind="narrative", text="…", author_id=world.ids["sonia"], **at),
    )
    assert partner_asks(world, "chu", str(note), TransmissionOut)
    [row] = world.rows("SELECT version FROM usager WHERE id = $1", world.ids["karim"])
    died = world.patch("odile", f"/api/v1/usagers/{world.ids['karim']}", {"died_on": str(today())}, row["version"])
    assert died.status_code == 200, died.text
    assert not partner_asks(world, "chu", str(note), TransmissionOut)


@pytest.mark.threat("object-after-death")
def test_a_death_told_by_a_partner_ends_it_too(world: World) -> None:
    """FHIR `Patient.deceasedDateTime`, of a person this partner sent."""
    person: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": "ESSAI", "given": ["Léo"]}]}
    person["identifier"] = [{"system": "https://chu.example/ipp", "value": "essai-leo"}]

    def tells() -> UUID:
        entry = {"fullUrl": "urn:uuid:5d1c2f0e-3f6b-4c55-9f61-5f9e6c9d8a13", "resource": person}
        entry["request"] = {"method": "POST", "url": "Patient"}
        answer = sent(world, {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        assert answer.status_code == 200, answer.text
        return UUID(answer.json()["entry"][0]["response"]["location"].split("/")[1])

    id = tells()
    [row] = world.rows("SELECT structure_id, held FROM usager WHERE id = $1", id)
    assert not row["held"]
    at = {"usager_id": id, "structure_id": row["structure_id"]}
    yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "starts": date(2026, 1, 1)}
    world.add(SharingConsent(partner_id=world.ids["mdph"], categories=["administrative"], **yes, **at))
    assert world.get("mdph", f"/fhir/Patient/{id}").status_code == 200
    person["deceasedDateTime"] = str(today())
    assert tells() == id
    [ended] = world.rows("SELECT ends FROM sharing_consent WHERE usager_id = $1", id)
    assert ended["ends"] == today()
    assert world.get("mdph", f"/fhir/Patient/{id}").status_code == 404


def plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2019", "'").split())
