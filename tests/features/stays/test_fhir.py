"""A stay and its Encounter; a sender's numbers stay sealed; a protected place is told to the team and the person alone."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.stays.fhir import COMMENT, EXIT, PLANNED_START, PROFILE, STAY
from app.features.stays.models import Stay
from app.fhir.mapping import as_read, plain
from app.kernel.clock import today
from app.kernel.errors import Invalid
from tests.exchange.bundles import bundle, entry, identifier, patient
from tests.exchange.test_receive import fresh, sent, taken
from tests.features.consents.people import represent
from tests.features.maps import Bench, same_but_ours
from tests.fhir import official
from tests.world import World

MODALITY = "https://mos.esante.gouv.fr/NOS/TRE_R338-ModaliteAccueil/FHIR/TRE-R338-ModaliteAccueil|12"
TOLD: dict[str, Any] = {
    "structure_id": "s",
    "starts": date(2024, 3, 1),
    "ends": date(2024, 4, 1),
    "admitted_on": date(2024, 2, 20),
    "planned_start": date(2024, 3, 2),
    "planned_end": date(2024, 4, 2),
    "modality": MODALITY,
    "entry_mode": "Sur orientation",
    "exit_mode": "Retour au domicile",
    "comes_from": "Hôpital",
    "comment": "Chambre côté jardin",
    "place_protected": False,
    "status": "finished",
}


def stay(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "meta": {"profile": [PROFILE]},
        "identifier": identifier("sejour", "3380000018/255081416802538-SEJOUR-1"),
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2026-02-01"},
        "serviceProvider": {"reference": "Organization/o"},
        **more,
    }


def ours(bench: Bench, received: dict[str, Any]) -> dict[str, Any]:
    return received | {"subject": {"reference": f"Patient/{bench.usager}"}}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


class TestGoingOut:
    @pytest.mark.parametrize("status", ["planned", "in_progress", "finished", "cancelled"])
    @pytest.mark.parametrize("model", ["ehpad", "savs"])
    def test_is_valid_r4(self, bench: Bench, status: str, model: str):
        view = bench.view(STAY, **TOLD | {"status": status}, file_number="12", finess="380000018", model=model)
        said = plain(STAY.to_fhir(view))
        get_fhir_model_class("Encounter").model_validate(said)
        assert said["class"]["code"] == ("HH" if model == "savs" else "IMP")

    def test_bears_our_numbers(self, bench: Bench):
        said = plain(STAY.to_fhir(bench.view(STAY, **TOLD, file_number="1012", finess="380000018")))
        hexes = (bench.usager.hex, bench.id.hex)
        assert [i["value"] for i in said["identifier"]] == [f"3380000018/{hexes[0]}-SEJOUR-{hexes[1]}", "1012"]

    def test_a_cancelled_one_tells_no_last_day(self, bench: Bench):
        view = bench.view(STAY, **TOLD | {"status": "cancelled", "ends": date(2024, 3, 1)})
        assert plain(STAY.to_fhir(view))["period"] == {"start": "2024-03-01"}


class TestComingIn:
    def test_what_we_say_we_hear_again(self, bench: Bench):
        row = bench.arrived(STAY, plain(STAY.to_fhir(bench.view(STAY, **TOLD)))).row
        heard = as_read(STAY.view, row)
        assert {n: getattr(heard, n) for n in TOLD if n != "structure_id"} == {
            n: v for n, v in TOLD.items() if n != "structure_id"
        }

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"period": {"start": "2026-02-01T10:00:00+01:00"}},
            {"status": "onleave"},
            {"status": "unknown", "period": {"start": "2026-02-01", "end": "2026-03-01T08:30:00Z"}},
            {"status": "entered-in-error"},
            {"status": "cancelled", "period": {"start": "2026-02-01", "end": "2026-02-01"}},
            {"period": {"start": "2026-02-01", "end": "9999-12-31"}},
            {"extension": [{"url": COMMENT, "valueString": "a"}, {"url": "https://x.test/y", "valueCode": "b"}]},
            {"serviceType": {"coding": [{"system": "urn:s", "code": "c", "display": "d"}], "text": "t"}},
            {"hospitalization": {"origin": {"reference": "Organization/x"}, "admitSource": {"text": "y"}}},
            {"hospitalization": {"origin": {"display": "Hôpital"}}},
            {"location": [{"location": {"reference": "Location/l"}}]},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, bench: Bench, more: dict[str, Any]):
        received = ours(bench, stay(**more))
        assert same_but_ours(bench.back(STAY, bench.arrived(STAY, received)), received)

    @pytest.mark.parametrize(
        ("more", "status", "ends"),
        [
            ({}, "in_progress", None),
            ({"status": "planned", "period": {"start": str(today() + timedelta(days=9))}}, "planned", None),
            ({"status": "cancelled"}, "cancelled", date(2026, 2, 1)),
            ({"status": "entered-in-error"}, "cancelled", date(2026, 2, 1)),
            ({"period": {"start": "2026-02-01", "end": "2026-03-01"}}, "finished", date(2026, 3, 1)),
            ({"status": "finished"}, "finished", today()),
            ({"period": {"start": "2026-02-01", "end": "9999-12-31"}}, "in_progress", None),
        ],
    )
    def test_its_dates_say_what_it_opens(self, bench: Bench, more: dict[str, Any], status: str, ends: date | None):
        row = bench.arrived(STAY, stay(**more)).row
        assert (row.status, row.ends) == (status, ends)

    def test_over_without_a_last_day_is_warned_of(self, bench: Bench):
        inbound = bench.inbound()
        bench.arrived(STAY, stay(status="finished"), inbound)
        assert [(w.code, w.expression) for w in inbound.warnings] == [
            ("assumed_end", "Bundle.entry[0].resource.period.end")
        ]

    @pytest.mark.parametrize(
        "more",
        [
            {"period": None},
            {"period": {"start": "2026-02"}},
            {"period": {"start": "2026-02-31"}},
            {"period": {"start": "1066-10-14"}},
            {"period": {"start": "2026-02-01", "end": "2026-01-01"}},
        ],
    )
    def test_without_days_it_is_no_stay_of_ours(self, bench: Bench, more: dict[str, Any]):
        with pytest.raises(Invalid) as no:
            bench.arrived(STAY, {k: v for k, v in stay(**more).items() if v})
        assert str(no.value.where).startswith("Bundle.entry[0].resource.period.")

    def test_a_planned_first_day_is_enough(self, bench: Bench):
        said = [{"url": PLANNED_START, "valueDateTime": "2027-01-04"}]
        received = {k: v for k, v in stay(extension=said, status="planned").items() if k != "period"}
        assert bench.arrived(STAY, received).row.starts == date(2027, 1, 4)

    def test_its_numbers_are_sealed(self, bench: Bench):
        row = bench.arrived(STAY, stay()).row
        assert row.file_number is None
        assert not any("255081416802538" in str(getattr(row, c.key)) for c in row.__table__.columns)

    def test_the_official_stay_goes_back_as_it_came(self, bench: Bench):
        resources = [e["resource"] for e in official.bundle(official.BUNDLES[1])["entry"]]
        [received] = [r for r in resources if r["meta"]["profile"] == [PROFILE]]
        received = ours(bench, received)
        arrived = bench.arrived(STAY, received)
        assert same_but_ours(bench.back(STAY, arrived), received)
        assert (arrived.row.starts, arrived.row.exit_mode[:6]) == (date(2023, 4, 14), "Sortie")

    def test_is_known_by_its_profile_or_its_number(self):
        from app.api.resources import REGISTRY

        assert REGISTRY.of_resource(stay()) is STAY
        assert REGISTRY.of_resource(stay(meta={})) is STAY
        assert REGISTRY.of_resource(stay(meta={}, identifier=[])) is not STAY


class TestAtTheDoor:
    def test_arrives_in_the_dossier_of_its_person(self, world: World):
        told = taken(world, bundle(entry(patient(fresh())), entry(stay())))
        [row] = world.get("odile", f"/api/v1/stays?usager={told[0][1]}").json()["items"]
        assert (row["id"], row["status"], row["structure_id"]) == (
            str(told[1][1]),
            "in_progress",
            str(world.ids["ime"]),
        )
        place = f"/fhir/Encounter/{told[1][1]}"
        assert [world.get(who, place).status_code for who in ("chu", "marc", "mdph")] == [200, 200, 404]

    def test_two_that_overlap_are_both_taken_from_a_partner(self, world: World):
        others = [stay(id=f"e{n}", identifier=identifier("sejour", f"3380000018/7-SEJOUR-{fresh()}")) for n in (1, 2)]
        assert sent(world, bundle(entry(patient(fresh())), *map(entry, others))).status_code == 200

    @pytest.mark.parametrize("turn", ["", "-"])
    def test_the_class_its_sender_told_has_no_place_in_an_order(self, world: World, turn: str):
        """The columns hold that of our structure, which no search finds it by."""
        days = [{"start": f"2020-0{n}-01", "end": f"2020-0{n}-09"} for n in (1, 3)]
        numbers = [identifier("sejour", f"3380000018/7-SEJOUR-{fresh()}") for _ in days]
        theirs = [
            stay(id=f"e{n}", status="finished", period=period, identifier=number)
            for n, (period, number) in enumerate(zip(days, numbers, strict=True))
        ]
        told = taken(world, bundle(entry(patient(fresh())), *map(entry, theirs)))
        (_, person, _), *received = told
        at = {"usager_id": person, "structure_id": world.ids["ime"], "status": "finished"}
        own = Stay(starts=date(2020, 2, 1), ends=date(2020, 2, 9), **at)
        world.add(own)
        url = f"/fhir/Encounter?patient={person}"
        found = [
            [one["resource"]["id"] for one in world.get("marc", f"{url}&{query}").json()["entry"]]
            for query in ("class=HH,IMP", f"_sort={turn}class,date")
        ]
        assert found == [[str(own.id)], [str(own.id), *(str(id) for _, id, _ in received)]]

    @pytest.mark.threat("object-protected-place")
    def test_a_protected_place_is_told_to_the_team_and_the_person_alone(self, world: World):
        body = {
            "usager_id": str(world.ids["lucas"]),
            "structure_id": str(world.ids["mecs"]),
            "starts": str(today()),
            "place_protected": True,
            "comment": "Maison verte",
        }
        place = world.post("odile", "/api/v1/stays", body).headers["location"]
        represent(world, "mother", "lucas", "autorite_parentale")
        fhir = place.replace("/api/v1/stays", "/fhir/Encounter")
        told = {who: world.get(who, fhir) for who in ("sonia", "lucas", "mother")}
        assert [answer.status_code for answer in told.values()] == [200] * 3
        hints = (str(world.ids["mecs"]), "verte")
        assert {who: any(h in a.text for h in hints) for who, a in told.items()} == {
            "sonia": True,
            "lucas": True,
            "mother": False,
        }
        assert told["mother"].json()["serviceProvider"] == {"display": "lieu protégé"}

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=in-progress", True),
            ("status=finished", False),
            ("date=2022-09", False),
            ("date=ge2022-09-01", True),
            ("date=lt2020", False),
        ],
    )
    def test_are_searched_by_status_and_date(self, world: World, query: str, found: bool):
        answer = world.get("sonia", f"/fhir/Encounter?patient=Patient/{world.ids['karim']}&{query}")
        assert answer.status_code == 200, answer.text
        assert bool(answer.json().get("entry")) == found

    def test_leaves_an_exit_untold_until_it_is_said(self, world: World):
        [one] = world.get("sonia", f"/fhir/Encounter?patient={world.ids['jeanne']}").json()["entry"]
        assert EXIT not in str(one)
