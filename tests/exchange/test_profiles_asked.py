"""What is written is held against the profiles it claims: warnings leniently, all the faults at once to the letter."""

from typing import Any

import pytest

from app.api.own_profiles import definitions
from app.fhir.canonicals import extension
from app.fhir.mapping import Json
from tests.exchange.bundles import bundle, entry, patient, project
from tests.exchange.sending import fresh, sent
from tests.fhir.packages.tgz import installed, tgz
from tests.fhir.test_writing import asked, flag, made, person
from tests.world import World

URL = "https://exemple.test/StructureDefinition/"
STRICT = {"Prefer": "handling=strict"}


def profile(name: str, type_name: str, *elements: Json) -> Json:
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": f"{URL}{name}",
        "type": type_name,
        "derivation": "constraint",
        "differential": {"element": [{"path": each["id"].partition(":")[0], **each} for each in elements]},
    }


HUMAN = "Une alerte dit depuis quand."
RISK = profile(
    "alerte",
    "Flag",
    {"id": "Flag", "constraint": [{"key": "x-1", "severity": "error", "human": HUMAN, "expression": "period.exists()"},
                                  {"key": "x-2", "severity": "warning", "human": "Mieux.", "expression": "author.exists()"}]},
    {"id": "Flag.category", "min": 1},
    {"id": "Flag.code.text", "max": "0"},
    {"id": "Flag.subject", "slicing": {"discriminator": [{"type": "type", "path": "resolve()"}], "rules": "closed"}},
    {"id": "Flag.subject:p", "sliceName": "p", "type": [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]},
)  # fmt: skip
ASKED = {("Flag", "profile.invariant"), ("Flag.category", "required"), ("Flag.code.text", "profile.too_many")}


@pytest.fixture(scope="module", autouse=True)
def package(world: World, tmp_path_factory: pytest.TempPathFactory) -> Any:
    installed(world.database.owner_url, tgz(tmp_path_factory.mktemp("p") / "p.tgz", RISK))
    yield
    world.rows("DELETE FROM fhir_package")


def told(answer: Any, severity: str = "error") -> set[tuple[str, str]]:
    issues = [issue for issue in outcome_of(answer)["issue"] if issue["severity"] == severity]
    assert all(issue["diagnostics"] and issue["expression"] for issue in issues), issues
    return {(issue["expression"][0], issue["details"]["coding"][0]["code"]) for issue in issues}


def outcome_of(answer: Any) -> Json:
    body: Json = answer.json()
    return body["entry"][0]["response"]["outcome"] if body["resourceType"] == "Bundle" else body  # type: ignore[no-any-return]


def alert(subject: str, **more: Any) -> Json:
    return flag(subject, meta={"profile": [f"{URL}alerte"]}, **more)


def right(subject: str) -> Json:
    code = {"coding": [{"system": "urn:x", "code": "chute"}]}
    more = {"period": {"start": "2026-11-01"}, "category": [{"text": "Risque"}], "author": {"display": "Nuit"}}
    return alert(subject, **more) | {"code": code}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_each_way_to_write_is_held_to_the_letter(world: World, method: str):
    standing = made(world, right(f"Patient/{person(world)['id']}")).json()
    subject = standing["subject"]["reference"]
    path = "Flag" if method == "POST" else f"Flag/{standing['id']}"
    body = {
        "POST": alert(subject),
        "PUT": {**alert(subject), "id": standing["id"]},
        "PATCH": [
            {"op": "remove", "path": "/category"},
            {"op": "remove", "path": "/period"},
            {"op": "add", "path": "/code/text", "value": "Tombe"},
        ],
    }[method]
    answer = asked(world, method, path, body, **STRICT)
    assert (answer.status_code, told(answer)) == (422, ASKED)
    assert world.get("chu", f"/fhir/Flag/{standing['id']}").json() == standing


def test_a_transaction_names_each_entry_and_writes_nothing(world: World):
    before = world.rows("SELECT count(*) AS n FROM kept_resource")[0]["n"]
    body = bundle(entry(patient(fresh())), *(entry(alert("Patient/p", id=f"f{n}")) for n in (1, 2)))
    answer = sent(world, body, **STRICT)
    where = {(f"Bundle.entry[{n}].resource{path.removeprefix('Flag')}", code) for n in (1, 2) for path, code in ASKED}
    assert (answer.status_code, told(answer)) == (422, where)
    assert world.rows("SELECT count(*) AS n FROM kept_resource")[0]["n"] == before


def test_a_batch_refuses_the_entries_at_fault_only(world: World):
    subject = f"Patient/{person(world)['id']}"
    entries = [entry(each, full_url="") for each in (alert(subject, id="a"), {**right(subject), "id": "b"})]
    body = {**bundle(*({k: v for k, v in each.items() if v} for each in entries)), "type": "batch"}
    answers = [each["response"] for each in sent(world, body, **STRICT).json()["entry"]]
    assert [each["status"][:3] for each in answers] == ["422", "201"]


def test_leniently_what_a_profile_asks_is_a_warning(world: World):
    subject = f"Patient/{person(world)['id']}"
    answer = made(world, alert(subject), Prefer="return=OperationOutcome")
    assert told(answer, "warning") == ASKED | {("Flag", "profile.invariant")}
    assert told(answer, "error") == set()
    texts = {issue["diagnostics"] for issue in answer.json()["issue"]}
    assert f"{HUMAN} (x-1)" in texts


def test_its_own_warnings_refuse_nothing_to_the_letter(world: World):
    subject = f"Patient/{person(world)['id']}"
    body = {name: value for name, value in right(subject).items() if name != "author"}
    answer = asked(world, "POST", "Flag", body, Prefer="handling=strict, return=OperationOutcome")
    assert (answer.status_code, told(answer, "warning")) == (201, {("Flag", "profile.invariant")})


def test_what_follows_it_is_taken_without_a_word(world: World):
    body = bundle(entry(patient(fresh())), entry({**right("Patient/p"), "id": "f"}))
    answer = sent(world, body, **STRICT)
    assert answer.status_code == 200, answer.text
    assert all("outcome" not in each["response"] for each in answer.json()["entry"])


def test_an_installed_profile_is_no_unknown_one(world: World):
    body = bundle(entry(patient(fresh())), entry({**right("Patient/p"), "id": "f"}))
    body["entry"][1]["resource"]["meta"]["profile"].append("https://exemple.test/personne-ne-le-connait")
    answer = sent(world, body).json()["entry"][1]["response"]["outcome"]["issue"]
    assert [(i["details"]["coding"][0]["code"], i["expression"]) for i in answer] == [
        ("unknown_profile", ["Bundle.entry[1].resource.meta.profile[1]"])
    ]
    assert "gardée telle quelle" in answer[0]["diagnostics"]
    [issue] = sent(world, {**body, "id": "again"}, **STRICT).json()["issue"]
    assert "gardée" not in issue["diagnostics"]


def test_what_r4_forbids_is_refused_leniently_too(world: World):
    answer = asked(world, "POST", "Flag", {**alert("Patient/x"), "status": "banana"})
    assert (answer.status_code, told(answer)) == (400, {("Flag.status", "unknown_code")})


def test_our_own_profiles_and_extensions_are_held_too(world: World):
    subject = f"Patient/{person(world)['id']}"
    two = {"url": extension("replaces")}
    body = flag(subject, meta={"profile": [*definitions()][:1]}, extension=[{**two, "valueString": "x"}])
    answer = asked(world, "POST", "Flag", body, **STRICT)
    assert told(answer) == {("Flag", "profile.type"), ("Flag.extension[0].value", "profile.type")}


def test_each_fault_names_the_rule_of_its_profile(world: World):
    answer = asked(world, "POST", "Flag", alert(f"Patient/{person(world)['id']}"), **STRICT)
    rules = {issue["details"]["text"] for issue in answer.json()["issue"]}
    assert rules == {f"{URL}alerte#{of}" for of in ("Flag", "Flag.category", "Flag.code.text")}


@pytest.mark.parametrize("goals", [2, 60])
def test_no_statement_is_added_whatever_is_installed(world: World, goals: int):
    sent(world, project(fresh(), goals))
    with world.statements() as counted:
        assert sent(world, project(fresh(), goals)).status_code == 200
    assert not [sql for sql in counted.sql if "fhir_definition" in sql]


def test_many_entries_are_judged_beside_the_loop(world: World, monkeypatch: pytest.MonkeyPatch):
    import threading

    from app.exchange import inbound

    seen: list[str] = []
    before = inbound.tolerated

    def watched(*args: Any, **more: Any) -> Any:
        seen.append(threading.current_thread().name)
        return before(*args, **more)

    monkeypatch.setattr(inbound, "tolerated", watched)
    for goals in (1, 40):
        assert sent(world, project(fresh(), goals)).status_code == 200
    assert len(set(seen)) == 2
