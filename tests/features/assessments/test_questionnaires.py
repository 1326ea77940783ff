"""The grids: read by whoever is signed in, those of an installed package used from the next request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.access.questions import hot_public
from app.features.assessments import serafin
from app.features.usagers.models import Usager
from app.fhir.packages.held import Held
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.test_receive import fresh, sent
from tests.features.assessments.test_fhir import response
from tests.features.assessments.test_rest import AGGIR, MINE, PATH, answered, said, written
from tests.fhir.packages.tgz import CODES, CODES_URL, GRID, GRID_URL, LEVELS, LEVELS_URL, installed, tgz
from tests.world import World

LIFTS = {"link_id": "lever", "answers": [{"type": "boolean", "value": True}]}


@pytest.fixture
def package(world: World, tmp_path: Path) -> Iterator[None]:
    installed(world.database.owner_url, tgz(tmp_path / "p.tgz", GRID, CODES, LEVELS))
    yield
    world.rows("DELETE FROM fhir_package")


def found(world: World, query: str = "", who: str = "sonia") -> list[str]:
    answer = world.get(who, f"/fhir/Questionnaire{query}")
    assert answer.status_code == 200, answer.text
    return [e["resource"]["id"] for e in answer.json().get("entry", [])]


class TestShipped:
    @pytest.mark.parametrize("who", ["sonia", "lucas", "chu", "yann"])
    def test_is_read_at_the_fhir_door(self, world: World, who: str):
        assert world.get(who, "/fhir/Questionnaire/serafin-ph").json() == serafin.questionnaire()

    def test_is_nobody_s_without_a_token(self, world: World):
        world.bearers["nobody"] = {}
        assert [world.get("nobody", f"/fhir/Questionnaire{at}").status_code for at in ("", "/serafin-ph")] == [401] * 2

    @pytest.mark.parametrize(
        ("query", "there"),
        [
            ("", True), ("?_id=serafin-ph", True), ("?_id=x", False), (f"?url={serafin.URL}", True), ("?url=urn:x", False),
            ("?version=2.4.0", True), ("?version=1", False), ("?name=grille", True), ("?name:exact=grille", False),
            ("?title=evaluation", True), ("?title=besoins", False), ("?title:contains=BESOINS", True),
            ("?status=active", True), ("?status=retired,draft", False), ("?status=active&version=1", False),
        ],
    )  # fmt: skip
    def test_is_searched(self, world: World, query: str, there: bool):
        assert ("serafin-ph" in found(world, query)) is there

    def test_an_unknown_parameter_is_refused_or_left_out(self, world: World):
        answer = world.get("sonia", "/fhir/Questionnaire?publisher=x")
        assert (answer.status_code, "title" in answer.text) == (400, True)
        lenient = world.get("sonia", "/fhir/Questionnaire?publisher=x", headers={"Prefer": "handling=lenient"})
        assert (lenient.status_code, "publisher" in lenient.json()["link"][0]["url"]) == (200, False)
        assert world.get("sonia", "/fhir/Questionnaire?url=").status_code == 400

    def test_is_listed_by_rest_for_the_team_and_the_person(self, world: World):
        for who, path in (("sonia", PATH), ("lucas", MINE)):
            items = world.get(who, f"{path}/questionnaires").json()["items"]
            assert [(i["id"], i["category"], i["shipped"]) for i in items] == [("serafin-ph", "support", True)]
            whole = world.get(who, f"{path}/questionnaires/serafin-ph").json()
            assert len(whole["questionnaire"]["item"]) == len(serafin.NEEDS)
            assert world.get(who, f"{path}/questionnaires/absent").status_code == 404

    def test_one_that_a_partner_sent_is_still_theirs_to_read(self, world: World):
        grid = {**GRID, "subjectType": ["Patient"]}
        told = sent(world, bundle(entry(patient(fresh())), entry(grid)))
        assert told.status_code == 200, told.text
        place = told.json()["entry"][1]["response"]["location"].partition("/_history")[0]
        assert world.get("chu", f"/fhir/{place}").status_code == 200


class TestInstalled:
    def test_is_there_at_once_and_gone_at_once(self, world: World, package: None):
        assert found(world) == ["serafin-ph", "autonomie"]
        world.rows("DELETE FROM fhir_package")
        assert found(world) == ["serafin-ph"]

    @pytest.mark.parametrize(
        ("items", "faults"),
        [
            ([answered("niveau", {"system": CODES_URL, "code": "A1"}, "choice")], []),
            ([answered("niveau", {"system": CODES_URL, "code": "B"}, "choice")], ["questionnaire.unknown_option"]),
            ([{"link_id": "gestes", "items": [LIFTS]}], ["questionnaire.required"]),
            ([{"link_id": "niveau"}], ["questionnaire.required"]),
            ([answered("gestes", "x", "text")], ["questionnaire.no_answer", "questionnaire.required", "questionnaire.required"]),
        ],
    )  # fmt: skip
    def test_answers_are_held_against_it(self, world: World, package: None, items: list[Any], faults: list[str]):
        answer = world.post("sonia", PATH, said(world, questionnaire=GRID_URL, items=items, category="support"))
        assert [e["code"] for e in answer.json().get("errors", [])] == faults

    @pytest.mark.parametrize(
        ("inner", "faults"),
        [
            (answered("mots", "trop long", "text"), [("/items/1/items/1/answers/0/value", "questionnaire.too_long")]),
            (answered("nombre", 3), [("/items/1/items/1/answers/0/value", "questionnaire.unknown_option")]),
            (answered("nombre", 2), []),
            (answered("aide", "ma sœur", "text"), []),
            (answered("aide", {"code": "b"}, "choice"), [("/items/1/items/1/answers/0/value", "questionnaire.unknown_option")]),
        ],
    )  # fmt: skip
    def test_each_question_as_it_asks(self, world: World, package: None, inner: Any, faults: list[Any]):
        items = [
            answered("niveau", {"system": CODES_URL, "code": "A"}, "choice"),
            {"link_id": "gestes", "items": [LIFTS, inner]},
        ]
        answer = world.post("sonia", PATH, said(world, questionnaire=GRID_URL, items=items, category="support"))
        assert [(e["where"], e["code"]) for e in answer.json().get("errors", [])] == faults

    def test_a_refusal_names_the_path_of_the_question(self, world: World, package: None):
        items = [answered("niveau", {"system": CODES_URL, "code": "A"}, "choice"), {"link_id": "gestes"}]
        answer = world.post("sonia", PATH, said(world, questionnaire=GRID_URL, items=items))
        assert [e["message"] for e in answer.json()["errors"]] == ["Une réponse est attendue à « gestes > lever »."]

    def test_costs_no_more_than_four_statements(self, world: World, package: None):
        found(world)
        with world.statements() as seen:
            written(world, questionnaire=AGGIR, category="support")
        assert len(seen) <= 4, seen.sql

    def test_a_partner_is_warned(self, world: World, package: None):
        wrong = response(questionnaire=f"{GRID_URL}|1", item=[{"linkId": "niveau", "answer": [{"valueBoolean": True}]}])
        told = sent(world, bundle(entry(patient(fresh())), entry(wrong)))
        assert "Bundle.entry[1].resource.item[0].answer[0].value" in told.text


class TestHeld:
    def test_the_codes_of_a_value_set_are_those_it_draws_on(self):
        held = Held(bodies={"ValueSet": [LEVELS], "CodeSystem": [CODES]})
        assert held.codes(LEVELS_URL) == {(CODES_URL, "A"), (CODES_URL, "A1")}

    @pytest.mark.parametrize(
        "compose",
        [
            None,
            {"include": [{"system": "urn:other"}]},
            {"include": [{"system": CODES_URL, "filter": [{"property": "p", "op": "=", "value": "v"}]}]},
            {"include": [{"valueSet": ["urn:other"]}]},
            {"include": [{"valueSet": [LEVELS_URL]}]},
        ],
    )
    def test_a_value_set_not_held_whole_judges_no_code(self, compose: Any):
        whole = {k: v for k, v in {**LEVELS, "compose": compose}.items() if v}
        assert Held(bodies={"ValueSet": [whole], "CodeSystem": [CODES]}).codes(LEVELS_URL) is None

    def test_a_value_set_may_draw_on_another(self):
        other = {**LEVELS, "url": "urn:v", "compose": {"include": [{"valueSet": [LEVELS_URL]}]}}
        held = Held(bodies={"ValueSet": [LEVELS, other], "CodeSystem": [CODES]})
        assert held.codes("urn:v") == held.codes(LEVELS_URL)


@pytest.mark.threat("package-public-statement")
def test_a_table_of_organisations_is_never_public():
    with pytest.raises(ValueError, match="not public"):
        hot_public(select(Usager.id))
