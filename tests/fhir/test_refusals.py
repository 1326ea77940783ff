"""What an integrator is told of a mistake: where it is, which it is, how to mend it."""

from typing import Any

import pytest

from tests.exchange.bundles import bundle, entry, patient, resource
from tests.exchange.sending import fresh, sent
from tests.fhir.test_read import scoped
from tests.fhir.test_writing import asked, flag, kept
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


class TestAddresses:
    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("Task/$banana", "Opération inconnue à cette adresse ; ici : $validate (par POST)."),
            ("Patient/$everything", "de Patient/id, $everything et $tddui-export (par GET)."),
            ("Task/_search", "_search se demande par POST"),
        ],
    )
    def test_an_operation_is_no_element(self, world: World, path: str, said: str):
        answer = world.get("sonia", f"/fhir/{path}")
        [(where, sentence)] = told(answer)
        assert (answer.status_code, where) == (404, path.partition("/")[0])
        assert said in sentence

    def test_a_parameter_of_a_verb_that_takes_none_is_told_where_it_stands(self, world: World):
        answer = world.get("sonia", f"/fhir/Patient/{world.ids['lucas']}?_format=json&banana=1&_count=2")
        assert (answer.status_code, [where for where, _ in told(answer)]) == (400, ["parameter[1]", "_count"])

    @pytest.mark.parametrize(("query", "where"), [("?_format=xml", "_format"), ("", "Accept")])
    def test_a_format_is_told_where_it_was_asked(self, world: World, query: str, where: str):
        answer = world.get("sonia", f"/fhir/Task{query}", headers={"Accept": "text/turtle"})
        assert (answer.status_code, told(answer)[0][0]) == (406, where)

    @pytest.mark.parametrize("many", ["&".join(["_id=x"] * 31), "&".join(["_id=x"] * 21)])
    def test_too_many_are_told_from_where(self, world: World, many: str):
        answer = world.get("sonia", f"/fhir/Task?{many}")
        assert told(answer)[0][0] in ("parameter[30]", "parameter[20]")


class TestWrites:
    @pytest.mark.parametrize("who", ["sonia", "lucas"])
    def test_who_may_write_is_told_to_who_may_not(self, world: World, who: str):
        answer = asked(world, "POST", "Task", {}, who=who)
        assert (answer.status_code, told(answer)[0][1][:38]) == (403, "Seul un partenaire écrit par /fhir, av")

    def test_without_a_token_it_is_told_where_one_is_given(self, world: World):
        answer = world.client.get("/fhir/Task", headers={"Authorization": "Bearer ended"})
        assert (answer.status_code, "/oauth/token" in told(answer)[0][1]) == (401, True)

    def test_the_scope_needed_is_named(self, world: World):
        answer = world.client.get("/fhir/Task", headers=scoped(world, "system/Patient.cruds"))
        [(where, sentence)] = told(answer)
        assert (answer.status_code, where, "system/Task.s" in sentence) == (403, "Task", True)

    @pytest.mark.parametrize(
        ("sent", "where", "said"),
        [
            ({"resourceType": "Goal"}, "resourceType", "Le type de la ressource est celui de l'adresse."),
            (None, "", "Le corps est vide"),
        ],
    )
    def test_a_body_that_is_no_such_resource(self, world: World, sent: Any, where: str, said: str):
        [(expression, sentence)] = told(asked(world, "POST", "Task", sent))
        assert (expression, sentence.startswith(said)) == (where, True)

    @pytest.mark.parametrize("id", [{}, {"id": "another"}], ids=["none", "another"])
    def test_the_id_of_the_body_is_that_of_the_address(self, world: World, id: dict[str, str]):
        one = kept(world)
        body = {name: value for name, value in one.items() if name != "id"}
        answer = asked(world, "PUT", f"Flag/{one['id']}", {**body, **id})
        assert (answer.status_code, told(answer)[0][0]) == (400, "Flag.id")

    def test_a_version_is_told_by_the_name_of_the_header(self, world: World):
        one = kept(world)
        [(where, sentence)] = told(asked(world, "PUT", f"Flag/{one['id']}", one, If_Match="99"))
        assert (where, sentence.startswith("If-Match")) == ("If-Match", True)

    def test_whom_it_is_about_is_told_at_its_element(self, world: World):
        answer = asked(world, "POST", "Flag", flag("Patient/nobody"))
        assert (answer.status_code, told(answer)[0][0]) == (422, "Flag.subject")

    def test_what_is_kept_whole_for_want_of_a_profile_is_said(self, world: World):
        task = resource("Task", "t", status="draft", intent="plan", **{"for": {"reference": "Patient/p"}})
        answer = sent(world, bundle(entry(patient(fresh())), entry(task)))
        [issue] = answer.json()["entry"][1]["response"]["outcome"]["issue"]
        assert (issue["severity"], issue["expression"]) == ("warning", ["Bundle.entry[1].resource"])
        assert "meta.profile" in issue["diagnostics"]
