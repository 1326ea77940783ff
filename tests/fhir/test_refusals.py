"""What an integrator is told of a mistake: where it is, which it is, how to mend it."""

import re
from typing import Any
from uuid import uuid4

import pytest

from app.access.refusal import ENDED
from app.kernel.errors import Unauthenticated
from tests.exchange.bundles import bundle, entry, patient, resource
from tests.exchange.sending import FHIR, fresh, sent
from tests.exchange.test_acts import change
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
            (
                "Patient/$everything",
                "de Patient/id : $everything (par GET), $tddui-export (par GET), $validate (par GET",
            ),
            (
                "Patient/x/$banana",
                "Opération inconnue à cette adresse, quel que soit l'élément ; ici : $everything (par GET),",
            ),
            ("Task/x/$everything", "quel que soit l'élément ; ici : $validate (par GET ou POST)."),
            ("AuditEvent/$banana", "Opération inconnue à cette adresse ; ici : $validate (par POST)."),
            ("Task/_search", "_search se demande par POST"),
        ],
    )
    def test_an_operation_is_no_element(self, world: World, path: str, said: str):
        answer = world.get("sonia", f"/fhir/{path}")
        [(where, sentence)] = told(answer)
        assert (answer.status_code, where) == (404, path.partition("/")[0])
        assert said in sentence

    def test_nor_is_it_at_the_root(self, world: World):
        for method in ("GET", "POST"):
            answer = world.client.request(method, "/fhir/$banana", headers=world.bearers["sonia"])
            [(_, sentence)] = told(answer)
            assert (answer.status_code, sentence) == (
                404,
                "Opération inconnue à cette adresse ; ici : $validate (par POST).",
            )

    @pytest.mark.parametrize("path", ["$banana", "Task/$banana", "Patient/{id}/$banana", "Patient/{id}/$banana/"])
    def test_nothing_is_said_of_the_element(self, world: World, path: str):
        """Of one that is there, of one out of reach, of none: the same."""
        ids = [world.ids["lucas"], world.ids["karim"], uuid4()]
        answers = [world.get("lucas", f"/fhir/{path.format(id=id)}") for id in ids]
        assert [(each.status_code, each.json()) for each in answers] == [(404, answers[0].json())] * 3
        assert world.client.get(f"/fhir/{path.format(id=uuid4())}").status_code == 401

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("GET", "$validate", "POST"),
            ("GET", "Task/$validate", "POST"),
            ("POST", "Patient/x/$everything", "GET"),
            ("POST", "Patient/x/$tddui-export", "GET"),
        ],
    )
    def test_one_that_is_asked_otherwise_is_told_how(self, world: World, method: str, path: str, allow: str):
        answer = world.client.request(method, f"/fhir/{path}", headers=world.bearers["sonia"])
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)
        assert f"(par {allow})" in told(answer)[0][1]

    @pytest.mark.parametrize("type_name", ["Patient", "Task", "Flag"])
    def test_those_told_are_those_declared(self, world: World, type_name: str):
        promised = world.client.get("/fhir/metadata").json()["rest"][0]
        [does] = [one for one in promised["resource"] if one["type"] == type_name]
        declared = {f"${each['name']}" for each in does["operation"]}
        [(_, sentence)] = told(world.get("sonia", f"/fhir/{type_name}/x/$banana"))
        assert {*re.findall(r"\$[a-z-]+", sentence)} == declared

    def test_in_a_batch_too(self, world: World):
        body = {**bundle(change("GET", "Patient/x/$banana")), "type": "batch"}
        [one] = sent(world, body).json()["entry"]
        assert one["response"]["status"] == "404 Not Found"
        assert "quel que soit l'élément" in one["response"]["outcome"]["issue"][0]["diagnostics"]

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


EXPORTED = "cette opération ne prend que _type, start, end, manifest, _format."


class TestExport:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("banana=1", [("parameter[0]", f"Le 1er paramètre n'existe pas ici : {EXPORTED}")]),
            ("start=2026&_count=1", [("_count", f"_count n'est pas pris ici : {EXPORTED}")]),
            ("_type=Banana&x=1", [("_type", ""), ("parameter[1]", "Le 2e paramètre n'existe pas ici")]),
            ("manifest=true&manifest=true", [("manifest", "manifest ne se dit qu'une fois.")]),
            ("start=hier", [("start", "start : une date est attendue")]),
            ("%FF=1", [("parameter", "Les paramètres ne sont pas lisibles (UTF-8 attendu).")]),
        ],
    )
    def test_each_parameter_is_told_where_it_stands(self, world: World, query: str, expected: list[tuple[str, str]]):
        answer = world.get("karim", f"/fhir/Patient/{world.ids['karim']}/$tddui-export?{query}")
        heard = told(answer)
        assert (answer.status_code, [where for where, _ in heard]) == (400, [where for where, _ in expected])
        assert all(said.startswith(begins) for (_, said), (_, begins) in zip(heard, expected, strict=True)), heard

    def test_too_many_are_told_from_where(self, world: World):
        path = f"/fhir/Patient/{world.ids['karim']}/$tddui-export?{'&'.join(['x=1'] * 31)}"
        assert [where for where, _ in told(world.get("karim", path))] == ["parameter[30]"]

    @pytest.mark.parametrize(
        ("scope", "query", "where"),
        [("system/Goal.r", "", "Patient"), ("system/Patient.r", "?_type=Task,Goal", "Goal")],
    )
    def test_the_scope_needed_is_named(self, world: World, scope: str, query: str, where: str):
        path = f"/fhir/Patient/{world.ids['karim']}/$tddui-export{query}"
        answer = world.client.get(path, headers=scoped(world, scope))
        [(expression, sentence)] = told(answer)
        assert (answer.status_code, expression) == (403, where)
        assert f"system/{where}.r" in sentence


class TestSending:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("banana=1", [("parameter[0]", "Le 1er paramètre n'existe pas ici : un envoi ne prend que dry-run et _format.")]),
            ("dry-run=true&_count=1&x", [("_count", "_count n'est pas pris ici"), ("parameter[2]", "Le 3e paramètre")]),
            ("dry-run=maybe", [("dry-run", "dry-run attend true ou false.")]),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["transaction", "batch"])
    def test_each_parameter_is_told_where_it_stands(
        self, world: World, kind: str, query: str, expected: list[tuple[str, str]]
    ):
        answer = sent(world, {**bundle(entry(patient(fresh()))), "type": kind}, path=f"/fhir?{query}")
        heard = told(answer)
        assert (answer.status_code, [where for where, _ in heard]) == (400, [where for where, _ in expected])
        assert all(said.startswith(begins) for (_, said), (_, begins) in zip(heard, expected, strict=True)), heard

    @pytest.mark.parametrize(
        "body", [b"", b"  ", b"{", b"\xff", b"[" * 500], ids=["empty", "blank", "cut", "latin", "deep"]
    )
    @pytest.mark.parametrize(
        ("method", "path", "where"),
        [
            ("POST", "", "Bundle"),
            ("POST", "/Task", "Task"),
            ("PUT", "/Task/x", "Task"),
            ("PATCH", "/Task/x", "Task"),
            ("POST", "/$validate", "resource"),
            ("POST", "/Task/$validate", "resource"),
        ],
    )
    def test_a_body_that_cannot_be_read_is_named(self, world: World, method: str, path: str, where: str, body: bytes):
        kind = "application/json-patch+json" if method == "PATCH" else FHIR
        headers = {**world.bearers["chu"], "Content-Type": kind}
        answer = world.client.request(method, f"/fhir{path}", content=body, headers=headers)
        [(expression, sentence)] = told(answer)
        assert (answer.status_code, expression, bool(sentence)) == (400, where, True)

    @pytest.mark.parametrize("body", [b"", b"<", b"<Banana/>"], ids=["empty", "cut", "none"])
    def test_in_xml_too(self, world: World, body: bytes):
        answer = sent(world, body, Content_Type="application/fhir+xml", Accept=FHIR)
        assert (answer.status_code, told(answer)[0][0]) == (400, "Bundle")


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

    @pytest.mark.parametrize("path", ["Questionnaire", "Questionnaire/x"])
    def test_of_a_grid_too(self, world: World, path: str):
        answer = world.client.get(f"/fhir/{path}", headers=scoped(world, "system/Patient.cruds"))
        [(where, sentence)] = told(answer)
        letter = "r" if "/" in path else "s"
        assert (answer.status_code, where, f"system/Questionnaire.{letter}" in sentence) == (403, "Questionnaire", True)

    def test_of_a_deletion_only_thought_of_too(self, world: World):
        one = kept(world)
        headers = scoped(world, "system/Flag.r")
        answer = world.client.get(f"/fhir/Flag/{one['id']}/$validate?mode=delete", headers=headers)
        assert ("Flag", True) in [(where, "system/Flag.d" in sentence) for where, sentence in told(answer)]

    @pytest.mark.parametrize("kind", ["transaction", "batch"])
    def test_in_a_bundle_a_token_that_ended_is_told_as_alone(
        self, world: World, kind: str, monkeypatch: pytest.MonkeyPatch
    ):
        async def ended(*_: object) -> None:
            raise Unauthenticated(ENDED)

        monkeypatch.setattr(f"app.api.{'fhir_sent' if kind == 'transaction' else 'transaction'}.look", ended)
        answer = sent(world, {**bundle(change("GET", "Task")), "type": kind})
        outcome = answer.json()["entry"][0]["response"]["outcome"] if kind == "batch" else answer.json()
        alone = world.client.get("/fhir/Task", headers={"Authorization": "Bearer ended"})
        assert outcome == alone.json()
        assert outcome["issue"][0]["expression"] == ["Authorization"]

    @pytest.mark.parametrize(
        ("sent", "where", "said"),
        [
            ({"resourceType": "Goal"}, "resourceType", "Le type de la ressource est celui de l'adresse."),
            (None, "Task", "Le corps est vide"),
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
