"""What an integrator is told of a mistake: where it is, which it is, how to mend it."""

from typing import Any

import pytest

from tests.fhir.test_writing import asked, kept
from tests.world import World

LENIENT = {"Prefer": "handling=lenient"}


def told(answer: Any) -> list[tuple[str, str]]:
    """The expression and the sentence of each issue."""
    issues = answer.json()["issue"]
    return [(issue.get("expression", [""])[0], issue["diagnostics"]) for issue in issues]


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "where", "said"),
        [
            ("_tag=x", "_tag", "R4 connaît _tag, ce serveur ne le sert pas ici."),
            ("_filter=", "_filter", "R4 connaît _filter, ce serveur ne le sert pas ici."),
            ("_text=x", "_text", "R4 connaît _text, ce serveur ne le sert pas ici."),
            ("birthdate=2000", "birthdate", "R4 connaît birthdate, ce serveur ne le sert pas ici."),
            ("banana=1", "parameter[0]", "Le 1er paramètre n'existe pas ici ; ceux qu'il prend sont dans /fhir/metadata."),
            ("_count=1&statut=x", "parameter[1]", "Le 2e paramètre n'existe pas ici ; le plus proche : status."),
            ("_pretty=true&statut=x", "parameter[1]", "Le 2e paramètre n'existe pas ici ; le plus proche : status."),
            ("_summary=count&_count=1&statut=x", "parameter[2]", "Le 3e paramètre n'existe pas ici ; le plus proche : status."),
        ],
    )  # fmt: skip
    def test_one_that_is_not_served_is_told_where_it_stands(self, world: World, query: str, where: str, said: str):
        answer = world.get("sonia", f"/fhir/Task?{query}")
        assert (answer.status_code, told(answer)) == (400, [(where, said)])

    def test_left_out_it_is_not_told_under_the_name_of_another(self, world: World):
        answer = world.get("sonia", "/fhir/Task?banana=1&_tag=x", headers=LENIENT)
        [outcome] = [e["resource"] for e in answer.json()["entry"] if e["search"]["mode"] == "outcome"]
        assert [issue["expression"] for issue in outcome["issue"]] == [["parameter[0]"], ["_tag"]]
        assert all("laissé de côté" in issue["diagnostics"] for issue in outcome["issue"])

    def test_in_a_form_it_is_counted_too(self, world: World):
        form = {"_count": "1", "banana": "x"}
        answer = world.client.post("/fhir/Task/_search", data=form, headers=world.bearers["sonia"])
        assert told(answer)[0][0] == "parameter[1]"

    @pytest.mark.parametrize("query", ["_sort=banana", "_sort=-"])
    def test_a_key_like_no_other_is_told_all_of_them(self, world: World, query: str):
        [(where, said)] = told(world.get("sonia", f"/fhir/Task?{query}"))
        assert where == "_sort"
        assert said.endswith("Ses clés sont _id, _lastUpdated, code, intent, period, status.")

    def test_a_grid_names_the_parameter(self, world: World):
        assert told(world.get("sonia", "/fhir/Questionnaire?name=x&publisher=x"))[0][0] == "publisher"


class TestHas:
    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("Patient?_has:Task:patient:banana=1", "n'existe pas dans cette chaîne"),
            ("Patient?_has:Goal:banana:_id=1", "_has:Goal : la référence est à corriger"),
            ("Patient?_has:Goal:banana:_id=1", "mènent de Goal à Patient : patient, subject."),
            ("Patient?_has:Device:patient:_id=1", "_has : Device ne mène pas d'ici à Patient"),
            ("Patient?_has:Banana:patient:_id=1", "_has : le type dit ne mène pas d'ici à Patient"),
            (
                "Patient?_has:Task:patient=1",
                "_has s'écrit _has:Type:référence:paramètre, d'un type qui mène à Patient.",
            ),
        ],
    )
    def test_says_which_of_its_parts_is_wrong(self, world: World, query: str, said: str):
        answer = world.get("sonia", f"/fhir/{query}")
        [(where, sentence)] = told(answer)
        assert (answer.status_code, where) == (400, "_has")
        assert said in sentence
        assert "anana" not in answer.text


class TestHistory:
    @pytest.mark.parametrize(
        ("query", "where", "said"),
        [
            ("_since=hier", "_since", "_since : une date est attendue, comme 2026-11-21 ou 2026-11-21T14:00:00+01:00."),
            ("_since=2026-02-31", "_since", "_since : cette date n'existe pas."),
            ("_count=1&_count=2", "_count", "_count : une seule fois est attendue."),
            ("_format=json&banana=1", "parameter[1]", "Le 2e paramètre n'existe pas ici : "),
            ("status=x", "status", "status n'est pas pris ici : un historique se demande par _count, _since et _at."),
        ],
    )
    def test_names_what_is_wrong(self, world: World, query: str, where: str, said: str):
        [(expression, sentence)] = told(world.get("sonia", f"/fhir/Task/_history?{query}"))
        assert (expression, sentence.startswith(said)) == (where, True), sentence

    def test_everything_too(self, world: World):
        path = f"/fhir/Patient/{world.ids['lucas']}/$everything"
        answer = world.get("sonia", f"{path}?_since=hier&banana=1&_type=Banana")
        assert [where for where, _ in told(answer)] == ["_since", "parameter[1]", "_type"]
        assert [sentence.partition(" : ")[0] for _, sentence in told(answer)] == [
            "_since",
            "Le 2e paramètre n'existe pas ici",
            "_type",
        ]


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        ({"op": "replace", "path": "/note/7/text", "value": "x"}, 422, "rien ne se trouve à ce chemin"),
        ({"op": "remove", "path": "/identifier"}, 422, "rien ne se trouve à ce chemin"),
        ({"op": "replace", "path": "status", "value": "x"}, 422, "un chemin commence par /"),
        ({"op": "replace", "path": "/status"}, 422, "cette opération demande value."),
        ({"op": "move", "path": "/status"}, 422, "cette opération demande from."),
        ({"op": "banana", "path": "/status"}, 400, "op est l'un de add, copy, move, remove, replace, test."),
        ({"op": "add", "value": 1}, 400, "path manque, ou n'est pas un texte."),
        ({"op": "test", "path": "/status", "value": "x"}, 422, "le test de ce PATCH ne tient pas."),
        ({"op": "remove", "path": "/id"}, 422, "ce chemin ne se change pas"),
    ],
)
def test_of_a_patch_which_operation_and_why(world: World, operation: dict[str, Any], status: int, said: str):
    first = {"op": "replace", "path": "/status", "value": "inactive"}
    answer = asked(world, "PATCH", f"Flag/{kept(world)['id']}", [first, operation])
    assert answer.status_code == status, answer.text
    [(where, sentence)] = told(answer)
    assert (where, sentence.startswith(f"Opération n° 2 : {said}")) == ("Flag", True), sentence
