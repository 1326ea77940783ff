"""A presence or an absence and its Slot, the Schedule that gathers them: both ways, whole."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.presences.fhir import PRESENCE, PRESENCE_SCHEDULE
from app.fhir.mapping import plain
from app.kernel.errors import Invalid
from tests.exchange.bundles import TDDUI, bundle, entry, identifier, patient, practitioner, resource
from tests.exchange.sending import fresh, read_back, said, sent, taken
from tests.features.maps import WHEN, Bench, same_but_ours
from tests.features.projects.exchanged import filled
from tests.fhir import official
from tests.world import World

TYPE = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r423-type-presence-absence"
WHY = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r424-motif-absence"
PATH = "/api/v1/events/presences"
# What stays beside the row: its sender's number may hold a NIR; a display is a word of theirs.
BESIDE = {"identifier", "serviceType.coding.display", "appointmentType.coding.display"}


def schedule(**more: Any) -> dict[str, Any]:
    return resource("Schedule", "cal", "tddui-schedule", **{"actor": [{"reference": "Patient/p"}], **more})


def slot(local: str = "7", **more: Any) -> dict[str, Any]:
    """It fills its profile."""
    number = {
        "type": {
            "coding": [
                {"system": f"{TDDUI}/tddui-slot-identifier".replace("StructureDefinition", "CodeSystem"), "code": "PA"}
            ]
        },
        **identifier("presenceabsence", f"3380000018/{local}-PA-1")[0],
    }
    told = {
        "extension": [
            {"url": f"{TDDUI}/tddui-planned-absence", "valueBoolean": True},
            {"url": f"{TDDUI}/tddui-facturation", "valueBoolean": False},
        ],
        "identifier": [number],
        "serviceType": [{"coding": [{"system": TYPE, "code": "2", "display": "Absent"}]}],
        "appointmentType": {"coding": [{"system": WHY, "code": "1", "display": "Convenance"}]},
        "schedule": {"reference": "Schedule/cal"},
        "status": "busy",
        "_status": {
            "extension": [{"url": f"{TDDUI}/tddui-status-author", "valueReference": {"reference": "Practitioner/pro"}}]
        },
        "start": "2026-04-17T08:00:00+02:00",
        "end": "2026-04-17T17:30:00+02:00",
        "comment": "Chez sa sœur",
    }
    return resource("Slot", "s", "tddui-slot-presence-absence", **told | more)


def dossier(local: str, **more: Any) -> dict[str, Any]:
    return bundle(*map(entry, (slot(local, **more), schedule(), practitioner(local), patient(local))))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


class TestComingIn:
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"status": "busy-tentative"},
            {"status": "busy-unavailable"},
            {"status": "entered-in-error"},
            {"serviceType": [{"coding": [{"code": "1"}], "text": "là"}], "appointmentType": None, "extension": None},
            {"serviceType": [{"coding": [{"system": TYPE, "code": "1"}]}, {"text": "à midi"}]},
            {"extension": [{"url": "https://x.test/y", "valueCode": "b"}], "overbooked": True, "comment": None},
            {"schedule": {"display": "Agenda"}, "_status": None},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, bench: Bench, more: dict[str, Any]):
        received = {name: value for name, value in slot(**more).items() if value is not None}
        assert same_but_ours(bench.back(PRESENCE, bench.arrived(PRESENCE, received)), received)

    def test_what_is_modelled_is_a_column(self, bench: Bench):
        row = bench.arrived(PRESENCE, slot()).row
        assert (row.absent, row.type_code, row.reason_code) == (True, f"{TYPE}|2", f"{WHY}|1")
        assert (row.planned, row.billed, row.status, row.comment) == (True, False, "confirmed", "Chez sa sœur")

    @pytest.mark.parametrize(("code", "absent"), [("2", True), ("1", False), ("12", False)])
    def test_code_2_alone_is_an_absence(self, bench: Bench, code: str, absent: bool):
        assert (
            bench.arrived(PRESENCE, slot(serviceType=[{"coding": [{"system": TYPE, "code": code}]}])).row.absent
            is absent
        )

    @pytest.mark.parametrize("element", ["appointmentType", "extension"])
    def test_an_absence_that_does_not_say_enough_is_warned_of(self, bench: Bench, element: str):
        inbound = bench.inbound()
        bench.arrived(PRESENCE, {k: v for k, v in slot().items() if k != element}, inbound)
        assert [(w.code, w.expression) for w in inbound.warnings] == [
            ("required", f"Bundle.entry[0].resource.{element}")
        ]

    @pytest.mark.parametrize(
        "more",
        [{"status": "free"}, {"serviceType": [{"text": "là"}]}, {"end": "2026-04-17T07:00:00+02:00"}, {"start": None}],
    )
    def test_what_is_free_or_says_too_little_is_no_presence(self, bench: Bench, more: dict[str, Any]):
        with pytest.raises(Invalid):
            bench.arrived(PRESENCE, {k: v for k, v in slot(**more).items() if v is not None})

    @pytest.mark.parametrize(
        "more", [{}, {"active": True, "comment": "2026", "planningHorizon": {"start": "2026-01-01"}}]
    )
    def test_a_schedule_comes_back_whole(self, bench: Bench, more: dict[str, Any]):
        received = schedule(**more) | {"actor": [{"reference": f"Patient/{bench.usager}"}]}
        assert same_but_ours(bench.back(PRESENCE_SCHEDULE, bench.arrived(PRESENCE_SCHEDULE, received)), received)

    def test_a_schedule_of_someone_else_is_none_of_presences(self, bench: Bench):
        with pytest.raises(Invalid):
            bench.arrived(PRESENCE_SCHEDULE, schedule(actor=[{"reference": "Practitioner/x"}]))

    def test_another_reader_is_told_the_person_we_know(self, bench: Bench):
        arrived = bench.arrived(PRESENCE_SCHEDULE, schedule(actor=[{"reference": "Patient/attached"}], comment="2026"))
        told = bench.back(PRESENCE_SCHEDULE, arrived, own=False)
        assert (told["actor"], told["comment"]) == ([{"reference": f"Patient/{bench.usager}"}], "2026")

    def test_fills_its_profile(self):
        definition = orjson.loads(
            official.text("tddui/definitions/StructureDefinition-tddui-slot-presence-absence.json")
        )
        told, untold = filled(definition, slot())
        assert len(told) / (len(told) + len(untold)) >= 0.95, untold

    def test_the_official_ones_go_back_as_they_came(self, bench: Bench):
        resources = [e["resource"] for e in official.bundle(official.BUNDLES[1])["entry"]]
        for kind in ("Slot", "Schedule"):
            [received] = [r for r in resources if r["resourceType"] == kind]
            its = REGISTRY.of_resource(received)
            if kind == "Schedule":
                received = received | {"actor": [{"reference": f"Patient/{bench.usager}"}]}
            arrived = bench.arrived(its, received)
            assert same_but_ours(bench.back(its, arrived), received)
            assert arrived.row.KIND in ("presence", "presence_schedule")

    def test_is_known_by_its_profile_or_its_number(self):
        assert REGISTRY.of_resource(slot()) is PRESENCE
        assert REGISTRY.of_resource(slot() | {"meta": {}}) is PRESENCE
        assert REGISTRY.of_resource(slot(identifier=[]) | {"meta": {}}) is REGISTRY.kept
        assert REGISTRY.of_resource(schedule() | {"meta": {}}) is REGISTRY.kept


class TestGoingOut:
    @pytest.mark.parametrize(
        ("status", "code"), [("planned", "busy-tentative"), ("confirmed", "busy"), ("cancelled", "entered-in-error")]
    )
    def test_each_status_as_tddui_says_it(self, bench: Bench, status: str, code: str):
        told = {"occurred_at": WHEN, "ends_at": WHEN, "type_code": f"{TYPE}|1", "status": status}
        out = plain(PRESENCE.to_fhir(bench.view(PRESENCE, **told)))
        assert out["status"] == code

    def test_what_is_written_freely_is_not_told_where_the_house_is_protected(self, bench: Bench):
        told = {"occurred_at": WHEN, "ends_at": WHEN, "type_code": f"{TYPE}|1", "status": "planned", "comment": "Au 4"}
        hidden = bench.view(PRESENCE, **told, house_hidden=True)
        shown = bench.view(PRESENCE, **told, house_hidden=False)
        out = [plain(PRESENCE.out(view, bench.keyring, outside=True)).get("comment") for view in (hidden, shown)]
        assert out == [None, "Au 4"]


class TestAtTheDoor:
    def test_arrives_in_the_dossier_and_rest_shows_it(self, world: World):
        local = fresh()
        told = taken(world, dossier(local))
        [row] = world.get("odile", f"{PATH}?usager={told[3][1]}").json()["items"]
        assert (row["id"], row["absent"], row["planned"], row["status"]) == (str(told[0][1]), True, True, "confirmed")
        assert row["schedule_id"] == str(told[1][1])
        assert [said(read_back(world, kind, id)) for kind, id, _ in told[:2]] == [said(slot(local)), said(schedule())]

    def test_what_rest_changes_is_found_in_what_leaves(self, world: World):
        told = taken(world, dossier(fresh()))
        place = f"{PATH}/{told[0][1]}"
        changes = {
            "occurred_at": "2026-05-01T06:00:00Z", "ends_at": "2026-05-01T16:00:00Z", "type_code": f"{TYPE}|2",
            "reason_code": f"{WHY}|3", "planned": False, "billed": True, "comment": "À l'hôpital", "status": "confirmed",
        }  # fmt: skip
        answer = world.patch("odile", place, changes, 1)
        assert answer.status_code == 200, answer.text
        out = world.get("odile", place.replace(PATH, "/fhir/Slot")).json()
        get_fhir_model_class("Slot").model_validate(out)
        assert (out["start"], out["end"]) == ("2026-05-01T06:00:00+00:00", "2026-05-01T16:00:00+00:00")
        assert [c["code"] for c in out["appointmentType"]["coding"]] == ["3"]
        assert {e["url"].rpartition("tddui-")[2]: e["valueBoolean"] for e in out["extension"]} == {
            "planned-absence": False,
            "facturation": True,
        }
        assert (out["comment"], out["status"]) == ("À l'hôpital", "busy")
        [author] = out["_status"]["extension"]
        assert author["valueReference"]["reference"] == f"Practitioner/{world.ids['odile']}"

    def test_one_written_here_leaves_whole_with_its_schedule(self, world: World):
        world.rows("UPDATE structure SET finess = '380000018' WHERE id = $1", world.ids["ehpad"])
        row = world.post("odile", PATH, written(world)).json()
        out = world.get("odile", f"/fhir/Slot/{row['id']}").json()
        get_fhir_model_class("Slot").model_validate(out)
        hexes = [UUID(id).hex for id in (row["usager_id"], row["id"])]
        [number] = out["identifier"]
        assert number["value"] == f"3380000018/{hexes[0]}-PA-{hexes[1]}"
        assert number["type"]["coding"][0]["code"] == "PA"
        calendar = world.get("odile", f"/fhir/{out['schedule']['reference']}").json()
        get_fhir_model_class("Schedule").model_validate(calendar)
        assert calendar["actor"] == [{"reference": f"Patient/{row['usager_id']}"}]
        again = sent(world, bundle(*(entry(one) for one in (out, calendar)), entry(patient(fresh(), row["usager_id"]))))
        assert again.status_code == 200, again.text
        back = [each["response"]["location"].split("/")[:2] for each in again.json()["entry"][:2]]
        assert [said(read_back(world, *place)) for place in back] == [said(out), said(calendar)]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=busy", True),
            ("status=free", False),
            ("start=2026-04-17", True),
            ("start=gt2026-05", False),
            ("service-type=2", True),
            (f"service-type={TYPE}|1", False),
            (f"appointment-type={WHY}|1", True),
            ("schedule=Schedule/{1}", True),
            ("schedule=Schedule/{0}", False),
        ],
    )
    def test_are_searched(self, world: World, query: str, found: bool):
        told = taken(world, dossier(fresh()))
        query = query.format(*(id for _, id, _ in told))
        answer = world.get("odile", f"/fhir/Slot?_id={told[0][1]}&{query}")
        assert answer.status_code == 200, answer.text
        assert bool(answer.json().get("entry")) == found

    def test_by_our_own_number(self, world: World):
        world.rows("UPDATE structure SET finess = '380000018' WHERE id = $1", world.ids["ehpad"])
        row = world.post("odile", PATH, written(world)).json()
        [number] = world.get("odile", f"/fhir/Slot/{row['id']}").json()["identifier"]
        answer = world.get("odile", f"/fhir/Slot?identifier={number['system']}|{number['value']}")
        assert [e["resource"]["id"] for e in answer.json()["entry"]] == [row["id"]]

    def test_a_schedule_by_its_actor(self, world: World):
        told = taken(world, dossier(fresh()))
        answer = world.get("odile", f"/fhir/Schedule?actor=Patient/{told[3][1]}")
        assert [e["resource"]["id"] for e in answer.json()["entry"]] == [str(told[1][1])]


def written(world: World, **more: Any) -> dict[str, Any]:
    return {
        "usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]),
        "occurred_at": "2026-11-23T08:00:00Z", "ends_at": "2026-11-23T17:00:00Z", "type_code": f"{TYPE}|2",
        "reason_code": f"{WHY}|1", "planned": True, "comment": "En famille", **more,
    }  # fmt: skip
