"""An event and its Encounter say the same, both ways; the place stays where it may be known."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.calendar.fhir import CANCEL_REASON, EVENT, EVENTS, FLAGS, PROFILE, TEXTS, EventFhir
from app.features.calendar.models import EventParticipant
from app.fhir.mapping import Inbound, as_read, plain
from app.kernel.clock import today
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Invalid
from tests.exchange.bundles import bundle, entry, patient, resource
from tests.features.calendar.test_rest import PATH, planned, said
from tests.features.consents.people import represent
from tests.features.projects.exchanged import bare
from tests.fhir import official
from tests.world import World

CISIS = "https://smt.esante.gouv.fr/fhir/CodeSystem/terminologie-cisis"
USAGER, STRUCTURE, PARTNER, ID, STAY = (uuid4() for _ in range(5))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keyring, UsagerKey, bytes]:
    keyring = Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json", demo=True)
    key, wrapped = keyring.new_usager_key(str(USAGER))
    return keyring, key, wrapped


def visit(**changes: Any) -> dict[str, Any]:
    """As another house sends it, all of the profile said."""
    texts = [{"url": url, "valueString": f"Texte {n}"} for n, url in enumerate(TEXTS.values())]
    flags = [{"url": url, "valueBoolean": n == 1} for n, url in enumerate(FLAGS.values())]
    told = {
        "resourceType": "Encounter",
        "meta": {"profile": [PROFILE]},
        "extension": [*texts, *flags, {"url": f"{PROFILE}-ailleurs", "valueString": "Autre"}],
        "identifier": [{"system": EVENTS, "value": "3690012345/4711-EVN-12"}],
        "status": "cancelled",
        "_status": {"extension": [{"url": CANCEL_REASON, "valueString": "Malade."}]},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
        "type": [
            {"coding": [{"system": CISIS, "code": "MED-1298", "display": "Soins"}]},
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-permitted"}
                ],
                "text": "Toilette",
            },
        ],
        "subject": {"reference": f"Patient/{USAGER}"},
        "participant": [{"individual": {"reference": "Practitioner/anne"}}],
        "period": {"start": "2026-04-14T10:30:00+02:00", "end": "2026-04-14T11:15:00+02:00"},
        "location": [{"location": {"display": "À la maison"}}],
        "serviceProvider": {"reference": "Organization/ailleurs"},
        "partOf": {"reference": f"Encounter/{STAY}"},
    }
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


def came(resource: dict[str, Any], keys: tuple[Keyring, UsagerKey, bytes]) -> tuple[EventParticipant, dict[str, Any]]:
    """The row of a received event, and the resource that it tells its sender again."""
    keyring, key, wrapped = keys
    local = {f"Encounter/{STAY}": STAY}
    inbound = Inbound(ID, USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle.entry[0].resource", local=local)
    its_map, arrived = REGISTRY.received(resource, inbound, lenient=False)
    assert its_map is EVENT
    assert isinstance(arrived.row, EventParticipant)
    view = as_read(EventFhir, arrived.row, {"wrapped_key": wrapped})
    return arrived.row, plain(EVENT.out(view, keyring, own=True))


class TestArrives:
    def test_with_all_that_the_profile_says(self, keys: Any):
        row, _ = came(visit(), keys)
        assert (row.event_id, row.usager_id, row.stay_id) == (ID, USAGER, STAY)
        assert (row.title, row.reason, row.report, row.comment) == ("Texte 0", "Texte 1", "Texte 2", "Texte 3")
        assert (row.present, row.approved, row.outside_service) == (False, True, False)
        assert (row.status, row.cancel_reason, row.place) == ("cancelled", "Malade.", "À la maison")
        assert row.types == [f"{CISIS}|MED-1298"]

    def test_at_its_instants_and_at_the_hours_of_the_wall(self, keys: Any):
        row, _ = came(visit(), keys)
        assert row.occurred_at == datetime(2026, 4, 14, 8, 30, tzinfo=UTC)
        assert (row.starts.isoformat(), row.ends.isoformat(), row.zone) == (
            "2026-04-14T10:30:00",
            "2026-04-14T11:15:00",
            "Europe/Paris",
        )

    def test_goes_out_again_as_it_came(self, keys: Any):
        sent = visit()
        _, told = came(sent, keys)
        assert bare(told) == bare(sent)

    def test_the_official_example_too(self, keys: Any):
        name = "tddui/examples/Encounter-tddui-encounter-evenement-example.v2.4.0.json"
        sent = official.bundle(name) | {"text": None}
        sent = {key: value for key, value in sent.items() if value is not None}
        row, told = came(sent, keys)
        assert row.status == "done"
        assert bare(told) == bare(sent)

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("planned", "planned"),
            ("triaged", "confirmed"),
            ("in-progress", "confirmed"),
            ("finished", "done"),
            ("unknown", "planned"),
        ],
    )
    def test_with_a_status_of_ours(self, keys: Any, code: str, status: str):
        row, told = came(visit(status=code, _status=None), keys)
        assert (row.status, told["status"]) == (status, code)

    def test_without_an_end_it_ends_as_it_begins(self, keys: Any):
        row, _ = came(visit(period={"start": "2026-04-14T10:30:00+02:00"}), keys)
        assert row.ends_at == row.occurred_at

    @pytest.mark.parametrize(
        "period",
        [None, {}, {"start": "bientôt"}, {"start": "2026-04-14T11:00:00+02:00", "end": "2026-04-14T10:00:00+02:00"}],
    )
    def test_without_a_time_it_is_no_event(self, keys: Any, period: Any):
        with pytest.raises(Invalid) as no:
            came(visit(period=period), keys)
        assert no.value.told == "event.no_date"

    def test_is_known_by_the_system_of_its_identifier(self):
        assert REGISTRY.of_resource(visit(meta={})) is EVENT


class TestThroughTheDoors:
    def sent(self, world: World, local: str, **changes: Any) -> Any:
        about = patient(local)
        event = resource(
            "Encounter",
            "e",
            "tddui-encounter-evenement",
            identifier=[{"system": EVENTS, "value": f"3380000018/{local}-EVN-1"}],
            status="planned",
            subject={"reference": "Patient/p"},
            period={"start": f"{today()}T10:30:00+01:00", "end": f"{today()}T11:15:00+01:00"},
            **{"class": {"code": "HH"}},
            **changes,
        )
        answer = world.post(
            "chu", "/fhir", bundle(entry(about), entry(event)), headers={"Content-Type": "application/fhir+json"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["entry"][1]["response"]["location"].split("/")[-3]

    def test_a_bundle_makes_a_row_of_the_agenda(self, world: World):
        id = self.sent(world, "9101")
        told = world.get("marc", f"{PATH}/{id}").json()
        assert (told["starts"], told["status"], told["event_id"]) == (f"{today()}T10:30:00", "planned", id)

    def test_its_sender_reads_it_back_and_no_other_partner(self, world: World):
        id = self.sent(world, "9102")
        assert world.get("chu", f"/fhir/Encounter/{id}").json()["class"] == {"code": "HH"}
        assert world.get("mdph", f"/fhir/Encounter/{id}").status_code == 404

    def test_the_team_moves_it_and_the_sender_reads_its_own_version(self, world: World):
        id = self.sent(world, "9103")
        moved = world.patch("marc", f"{PATH}/{id}", {"starts": f"{today()}T15:00:00"}, 1)
        assert moved.status_code == 200, moved.text
        assert (
            world.get("marc", f"/fhir/Encounter/{id}").json()["period"]["start"]
            != world.get("chu", f"/fhir/Encounter/{id}").json()["period"]["start"]
        )

    def test_what_rest_plans_is_an_encounter_for_each_person(self, world: World):
        who = [{"professional_id": str(world.ids["leila"])}, {"name": "Une amie"}]
        items = world.post(
            "sonia", PATH, said(world, "jeanne", "karim", place="Le parc", types=[f"{CISIS}|MED-1"], attendees=who)
        ).json()["items"]
        told = [world.get("sonia", f"/fhir/Encounter/{i['id']}").json() for i in items]
        assert [t["subject"]["reference"] for t in told] == [f"Patient/{world.ids[n]}" for n in ("jeanne", "karim")]
        assert str(world.ids["karim"]) not in str(told[0])
        first = told[0]
        get_fhir_model_class("Encounter").model_validate(first)
        assert first["location"] == [{"location": {"display": "Le parc"}}]
        assert {p["individual"]["display"] for p in first["participant"]} == {"Leïla Haddad", "Une amie"}
        assert first["class"]["code"] == "AMB"
        assert first["identifier"][0]["type"]["coding"][0]["code"] == "VN"

    def test_what_rest_says_afterwards_goes_out(self, world: World):
        place = planned(world)
        id = place.rpartition("/")[2]
        world.post("jeanne", f"/api/v1/me/events/{id}/answer", {"answer": "talk"})
        said_by_staff = {"report": "A ri.", "present": True, "reason": "Envie", "comment": "Prévoir un chapeau"}
        world.patch("sonia", place, {**said_by_staff, "status": "cancelled", "cancel_reason": "Orage."}, 2)
        told = world.get("sonia", f"/fhir/Encounter/{id}").json()
        values = {e["url"].rpartition("-")[2]: v for e in told["extension"] for k, v in e.items() if k != "url"}
        assert (values["report"], values["present"], values["reason"], values["comment"], values["answer"]) == (
            "A ri.",
            True,
            "Envie",
            "Prévoir un chapeau",
            "talk",
        )
        assert (told["status"], told["_status"]["extension"][0]["valueString"]) == ("cancelled", "Orage.")

    def test_a_protected_place_leaves_for_nobody_of_outside(self, world: World):
        represent(world, "claire", "lucas", "autorite_parentale_separes")
        texts = {"comment": "Chez Mme Roux, rue des Lilas", "report": "Vu rue des Lilas", "reason": "Les Lilas"}
        id = planned(world, "lucas", place="12 rue des Lilas", place_protected=True).rpartition("/")[2]
        world.rows(
            "UPDATE event_participant SET comment = $2, report = $3, reason = $4 WHERE id = $1",
            UUID(id),
            *texts.values(),
        )
        read = world.get("claire", f"/fhir/Encounter/{id}")
        assert (read.status_code, "Lilas" in read.text) == (200, False)
        assert read.json()["location"][0]["location"]["display"] == "lieu protégé"
        assert "Lilas" in world.get("sonia", f"/fhir/Encounter/{id}").text
        world.rows("DELETE FROM mandate")

    def test_the_person_is_told_what_their_page_tells(self, world: World):
        id = planned(world, "lucas").rpartition("/")[2]
        noted = ("Un mot pour l'équipe", "Compte rendu")
        world.rows("UPDATE event_participant SET comment = $2, report = $3 WHERE id = $1", UUID(id), *noted)
        told = {who: world.get(who, f"/fhir/Encounter/{id}").text for who in ("sonia", "lucas")}
        assert [[text in told[who] for text in noted] for who in ("sonia", "lucas")] == [[True, True], [False, True]]

    @pytest.mark.parametrize(("query", "found"), [("status=planned", 1), ("status=finished", 0), ("date=lt2000", 0)])
    def test_is_searched_by_person_date_and_status(self, world: World, query: str, found: int):
        id = planned(world, "ines", who="marc").rpartition("/")[2]
        day = f"date=ge{today()}&" if found else ""
        answer = world.get("marc", f"/fhir/Encounter?patient={world.ids['ines']}&{day}{query}").json()
        assert [e["resource"]["id"] for e in answer.get("entry", [])] == [id][:found]
        world.rows("DELETE FROM event_participant WHERE id = $1", UUID(id))
