"""A meal and its Observation: both ways, whole."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.meals.fhir import MEAL
from app.fhir.mapping import plain
from app.kernel.errors import Invalid
from tests.exchange.bundles import TDDUI, bundle, entry, identifier, patient, resource
from tests.exchange.sending import fresh, read_back, said, sent, taken
from tests.features.maps import WHEN, Bench, same_but_ours
from tests.features.projects.exchanged import filled
from tests.fhir import official
from tests.world import World

SYSTEMS = TDDUI.replace("StructureDefinition", "CodeSystem")
TYPE = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r425-type-repas"
PATH = "/api/v1/events/meals"


def observed(local: str = "7", **more: Any) -> dict[str, Any]:
    """It fills its profile."""
    number = {
        "type": {"coding": [{"system": f"{SYSTEMS}/tddui-observation-identifier", "code": "REP"}]},
        **identifier("repas", f"3380000018/{local}-REPAS-1")[0],
    }
    told = {
        "extension": [{"url": f"{TDDUI}/tddui-participant-present", "valueBoolean": True}],
        "identifier": [number],
        "status": "final",
        "category": [{"coding": [{"system": TYPE, "code": "1"}]}],
        "code": {"coding": [{"system": f"{SYSTEMS}/tddui-observation-type", "code": "REPAS", "display": "Repas"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-04-17T12:00:00+02:00",
        "note": [{"text": "A repris deux fois du gratin."}],
    }
    return resource("Observation", "m", "tddui-observation-repas", **told | more)


def ours(bench: Bench, received: dict[str, Any]) -> dict[str, Any]:
    return received | {"subject": {"reference": f"Patient/{bench.usager}"}}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


class TestComingIn:
    @pytest.mark.parametrize(
        "more",
        [
            {},
            *(
                {"status": status}
                for status in ("registered", "preliminary", "amended", "cancelled", "entered-in-error")
            ),
            {"effectiveDateTime": "2026-04-17"},
            {"category": [{"coding": [{"code": "2", "display": "Dîner"}]}, {"text": "au jardin"}]},
            {"extension": None, "note": None},
            {"note": [{"text": "a", "time": "2026-04-17T13:00:00+02:00"}, {"text": "b"}]},
            {"encounter": {"reference": "Encounter/x"}, "valueString": "tout", "performer": [{"display": "Rose"}]},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, bench: Bench, more: dict[str, Any]):
        received = ours(bench, {name: value for name, value in observed(**more).items() if value is not None})
        assert same_but_ours(bench.back(MEAL, bench.arrived(MEAL, received)), received)

    def test_what_is_modelled_is_a_column(self, bench: Bench):
        row = bench.arrived(MEAL, observed()).row
        assert (row.type_code, row.present, row.status) == (f"{TYPE}|1", True, "done")
        assert (row.occurred_at.isoformat(), row.comment[:8]) == ("2026-04-17T10:00:00+00:00", "A repris")

    @pytest.mark.parametrize("element", ["effectiveDateTime", "category"])
    def test_without_a_date_or_saying_which_it_is_no_meal(self, bench: Bench, element: str):
        with pytest.raises(Invalid):
            bench.arrived(MEAL, {name: value for name, value in observed().items() if name != element})

    def test_fills_its_profile(self):
        definition = orjson.loads(official.text("tddui/definitions/StructureDefinition-tddui-observation-repas.json"))
        told, untold = filled(definition, observed())
        assert len(told) / (len(told) + len(untold)) >= 0.95, untold

    def test_the_official_one_goes_back_as_it_came(self, bench: Bench):
        resources = [e["resource"] for e in official.bundle(official.BUNDLES[1])["entry"]]
        [received] = [ours(bench, r) for r in resources if r["resourceType"] == "Observation"]
        arrived = bench.arrived(MEAL, received)
        assert same_but_ours(bench.back(MEAL, arrived), received)
        assert (arrived.row.status, arrived.row.present) == ("planned", True)

    def test_is_known_by_its_profile_its_number_or_its_code(self):
        bare = observed() | {"meta": {}}
        assert REGISTRY.of_resource(observed()) is MEAL
        assert REGISTRY.of_resource(bare | {"code": {"text": "?"}}) is MEAL
        assert REGISTRY.of_resource(bare | {"identifier": []}) is MEAL
        assert REGISTRY.of_resource(bare | {"identifier": [], "code": {"text": "?"}}) is not MEAL


class TestGoingOut:
    def test_what_is_written_freely_is_not_told_where_the_house_is_protected(self, bench: Bench):
        told = {"occurred_at": WHEN, "type_code": f"{TYPE}|1", "status": "done", "comment": "Au 4"}
        views = [bench.view(MEAL, **told, house_hidden=hidden) for hidden in (True, False)]
        out = [plain(MEAL.out(view, bench.keyring, outside=True)).get("note") for view in views]
        assert out == [None, [{"text": "Au 4"}]]


class TestAtTheDoor:
    def test_arrives_in_the_dossier_and_rest_shows_it(self, world: World):
        local = fresh()
        told = taken(world, bundle(entry(observed(local)), entry(patient(local))))
        [row] = world.get("marc", f"{PATH}?usager={told[1][1]}").json()["items"]
        assert (row["id"], row["present"], row["status"]) == (str(told[0][1]), True, "done")
        assert said(read_back(world, "Observation", told[0][1])) == said(observed(local))

    def test_what_rest_changes_is_found_in_what_leaves(self, world: World):
        local = fresh()
        told = taken(world, bundle(entry(observed(local)), entry(patient(local))))
        changes = {
            "occurred_at": "2026-05-01T17:00:00Z", "type_code": f"{TYPE}|3", "present": False, "comment": "N'avait pas faim",
            "status": "cancelled",
        }  # fmt: skip
        assert world.patch("marc", f"{PATH}/{told[0][1]}", changes, 1).status_code == 200
        out = world.get("marc", f"/fhir/Observation/{told[0][1]}").json()
        get_fhir_model_class("Observation").model_validate(out)
        assert (out["effectiveDateTime"], out["status"]) == ("2026-05-01T17:00:00+00:00", "cancelled")
        assert [c["coding"][0]["code"] for c in out["category"]] == ["3"]
        assert [e["valueBoolean"] for e in out["extension"]] == [False]
        assert [n["text"] for n in out["note"]] == ["N'avait pas faim"]

    def test_one_written_here_leaves_whole(self, world: World):
        world.rows("UPDATE structure SET finess = '380000018' WHERE id = $1", world.ids["ehpad"])
        row = world.post("sonia", PATH, written(world)).json()
        out = world.get("sonia", f"/fhir/Observation/{row['id']}").json()
        get_fhir_model_class("Observation").model_validate(out)
        hexes = [UUID(id).hex for id in (row["usager_id"], row["id"])]
        [number] = out["identifier"]
        assert (number["value"], number["type"]["coding"][0]["code"]) == (
            f"3380000018/{hexes[0]}-REPAS-{hexes[1]}",
            "REP",
        )
        again = sent(world, bundle(entry(out), entry(patient(fresh(), row["usager_id"]))))
        assert again.status_code == 200, again.text
        place = again.json()["entry"][0]["response"]["location"].split("/")[:2]
        assert said(read_back(world, *place)) == said(out)
        found = world.get("sonia", f"/fhir/Observation?identifier={number['system']}|{number['value']}").json()
        assert [e["resource"]["id"] for e in found["entry"]] == [row["id"]]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=final", True),
            ("status=registered", False),
            ("date=2026-04-17", True),
            ("date=lt2026-04", False),
            ("category=1", True),
            (f"category={TYPE}|2", False),
            ("code=REPAS", True),
            ("code=PERIODESCOL", False),
        ],
    )
    def test_are_searched(self, world: World, query: str, found: bool):
        local = fresh()
        told = taken(world, bundle(entry(observed(local)), entry(patient(local))))
        answer = world.get("marc", f"/fhir/Observation?patient={told[1][1]}&{query}")
        assert answer.status_code == 200, answer.text
        assert bool(answer.json().get("entry")) == found


def written(world: World, **more: Any) -> dict[str, Any]:
    return {
        "usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]),
        "occurred_at": "2026-11-20T11:00:00Z", "type_code": f"{TYPE}|1", "present": True, "comment": "Au salon",
        "status": "done", **more,
    }  # fmt: skip
