"""`$validate`: all that is wrong with a resource, told at once; nothing is written, nothing received is repeated."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.api.own_profiles import operations
from app.fhir import xml
from app.fhir.canonicals import OURS
from tests.features.assessments.test_fhir import response
from tests.fhir.packages.tgz import installed, tgz
from tests.fhir.test_read import scoped
from tests.fhir.test_writing import asked, kept
from tests.world import World

URL = "https://exemple.test/StructureDefinition/grille-a-moi"
PROFILE: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "id": "grille-a-moi",
    "url": URL,
    "type": "QuestionnaireResponse",
    "derivation": "constraint",
    "differential": {
        "element": [{"id": "QuestionnaireResponse.authored", "path": "QuestionnaireResponse.authored", "max": "0"}]
    },
}
FHIR, FHIR_XML = "application/fhir+json", "application/fhir+xml"
FIXED = {"X-Request-Id": "0" * 32}
PLACE = "/fhir/QuestionnaireResponse/$validate"
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/"
LEARNT = {
    "resourceType": "Patient", "name": [{"use": "official", "family": "Moreau"}], "gender": "female",
    "birthDate": "1943-05-03", "_birthDate": {"extension": [{"url": f"{TDDUI}tddui-birth-order", "valuePositiveInt": 1}]},
}  # fmt: skip
NOTHING = [("information", "informational", "")]


def issues(world: World, body: Any, place: str = PLACE, who: str = "sonia") -> list[tuple[str, str, str]]:
    answer = world.post(who, place, body)
    assert answer.status_code == 200, answer.text
    return [
        (i["severity"], i["details"]["coding"][0]["code"], *i.get("expression", [""])) for i in answer.json()["issue"]
    ]


@pytest.fixture
def package(world: World, tmp_path: Path) -> Any:
    installed(world.database.owner_url, tgz(tmp_path / "p.tgz", PROFILE))
    yield
    world.rows("DELETE FROM fhir_package")


@pytest.mark.parametrize("who", ["sonia", "lucas", "chu"])
def test_nothing_wrong_is_said_too(world: World, who: str):
    assert issues(world, LEARNT, "/fhir/Patient/$validate", who=who) == NOTHING


def test_every_fault_of_structure_is_told(world: World):
    told = issues(world, {**response(), "status": "banana", "authored": "2026-02-31"})
    assert {(severity, where) for severity, _, where in told} == {
        ("error", "QuestionnaireResponse.status"),
        ("error", "QuestionnaireResponse.authored"),
        ("warning", "QuestionnaireResponse.meta.profile[0]"),
    }


def test_a_fault_of_each_layer_is_told_at_once(world: World, package: None):
    """R4, the address, the profile, what the grid asks: each at its element, in that order."""
    wrong = response(meta={"profile": [URL]}, status="banana", id="a")
    wrong["item"] = [{"linkId": "besoin-x", "answer": [{"valueInteger": 1}]}]
    assert issues(world, wrong) == [
        ("error", "unknown_code", "QuestionnaireResponse.status"),
        ("error", "profile.too_many", "QuestionnaireResponse.authored"),
        ("warning", "questionnaire.unknown_question", "QuestionnaireResponse.item[0].linkId"),
    ]


def test_the_type_of_the_address_counts(world: World):
    told = issues(world, LEARNT, "/fhir/Goal/$validate")
    assert told == [("error", "profile.type", "Patient")]
    assert issues(world, LEARNT, "/fhir/$validate") == NOTHING


def test_an_installed_profile_is_asked_for(world: World, package: None):
    found = ("error", "profile.too_many", "QuestionnaireResponse.authored")
    assert issues(world, response(), f"{PLACE}?profile={URL}") == [found]
    claimed = response(meta={"profile": [URL]})
    assert found in issues(world, claimed)
    held = {"name": "resource", "resource": response()}
    body = {"resourceType": "Parameters", "parameter": [held, {"name": "profile", "valueUri": URL}]}
    assert issues(world, body) == [found]


def test_a_profile_that_is_not_installed_is_no_blessing(world: World):
    told = issues(world, response(), f"{PLACE}?profile={URL}")
    assert told[0][:2] == ("error", "unknown_profile")
    assert issues(world, response(meta={"profile": [URL]}))[0][:2] == ("warning", "unknown_profile")


def test_a_profile_we_speak_is_held_to_what_we_know_of_it(world: World):
    tddui = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-patient"
    bare = {"resourceType": "Patient", "gender": "female"}
    told = issues(world, bare, f"/fhir/Patient/$validate?profile={tddui}")
    assert {("error", "required", "Patient.name"), ("error", "required", "Patient.birthDate")} <= set(told)
    assert ("warning", "partly_checked", "Patient.meta.profile") in told
    assert "unknown_profile" not in {code for _, code, _ in told}


def claiming(*profiles: str) -> dict[str, Any]:
    return {**LEARNT, "meta": {"profile": [*profiles]}}


def test_a_claimed_profile_that_is_not_held_whole_is_no_blessing(world: World):
    told = issues(world, claiming(URL, f"{TDDUI}tddui-patient"), "/fhir/Patient/$validate")
    assert told == [
        ("warning", "unknown_profile", "Patient.meta.profile[0]"),
        ("warning", "partly_checked", "Patient.meta.profile[1]"),
        ("information", "informational", ""),
    ]
    last = world.post("sonia", "/fhir/Patient/$validate", claiming(f"{TDDUI}tddui-patient")).json()["issue"][-1]
    assert "tout ne l'a pas été" in last["diagnostics"]


def test_what_a_profile_lacks_is_told_once(world: World):
    named = f"{TDDUI}tddui-patient"
    body = {"resourceType": "Patient", "meta": {"profile": [named]}, "gender": "female"}
    told = issues(world, body, f"/fhir/Patient/$validate?profile={named}")
    assert ("error", "required", "Patient.birthDate") in told
    assert len({(code, where) for _, code, where in told}) == len(told)
    assert ("warning", "required", "Patient.birthDate") in issues(world, body, "/fhir/Patient/$validate")


@pytest.mark.parametrize("profile", [f"{TDDUI}tddui-patient", f"{OURS}/StructureDefinition/transmission", URL])
def test_a_version_that_is_not_held_is_told(world: World, package: None, profile: str):
    body = response() if profile == URL else {**LEARNT}
    body.pop("meta", None)
    place = f"/fhir/{body['resourceType']}/$validate"
    at = f"{body['resourceType']}.meta.profile"
    asked_for = issues(world, body, f"{place}?profile={profile}%7C9.9")
    assert asked_for == [("error", "unknown_version", at)]
    body["meta"] = {"profile": [f"{profile}|9.9"]}
    assert issues(world, body, place)[:1] == [("warning", "unknown_version", f"{at}[0]")]


def test_a_version_that_is_held_is_judged(world: World):
    ours, body = f"{OURS}/StructureDefinition/sharing-consent|0.1.0", response()
    told = issues(world, body, f"{PLACE}?profile={ours.replace('|', '%7C')}")
    assert told == [("error", "profile.type", "QuestionnaireResponse")]
    told = issues(world, claiming(f"{TDDUI}tddui-patient|2.3.0"), "/fhir/Patient/$validate")
    assert [code for _, code, _ in told] == ["partly_checked", "informational"]


def test_the_type_that_r4_defines_is_its_own_profile(world: World):
    core = "http://hl7.org/fhir/StructureDefinition/"
    place = "/fhir/Patient/$validate?profile="
    assert issues(world, LEARNT, f"{place}{core}Patient") == NOTHING
    assert issues(world, LEARNT, f"{place}{core}Patient%7C9.9")[0][:2] == ("error", "unknown_version")
    assert issues(world, LEARNT, f"{place}{core}Goal")[0][:2] == ("error", "unknown_profile")


def test_a_fault_of_two_versions_of_one_profile_is_told_once(world: World):
    tddui = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-patient"
    claims = {"resourceType": "Patient", "meta": {"profile": [f"{tddui}|2.3.0", f"{tddui}|2.4.0"]}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": claims}]}
    told = issues(world, bundle, "/fhir/Bundle/$validate")
    assert len(told) == len(set(told)) > 1


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"resourceType": "Patient", "contact": [{"gender": "female"}]}, "Patient.contact[0]"),
        ({"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"},
          "period": {"start": "2026-05-02", "end": "2026-05-01"}}, "Encounter.period"),
        ({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueString": "y",
          "dataAbsentReason": {"text": "z"}}, "Observation"),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]},
         "Patient.contained[0]"),
    ],
    ids=["pat-1", "per-1", "obs-6", "dom-3"],
)  # fmt: skip
def test_a_rule_of_r4_is_told_and_refused_when_written(world: World, body: Any, where: str):
    kind = body["resourceType"]
    assert issues(world, body, f"/fhir/{kind}/$validate", "chu") == [("error", "invariant", where)]
    answer = asked(world, "POST", kind, body)
    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["code"], issue["expression"]) == (400, "invariant", [where])


def test_answers_to_a_grid_are_warned_of(world: World):
    wrong = response(item=[{"linkId": "besoin-x", "answer": [{"valueInteger": 1}]}])
    assert ("warning", "questionnaire.unknown_question", "QuestionnaireResponse.item[0].linkId") in issues(world, wrong)


def test_nothing_is_written_nor_repeated(world: World):
    before = world.rows("SELECT count(*) AS n FROM assessment")[0]["n"]
    answer = world.post("chu", PLACE, {**response(), "status": "255081416802538"})
    assert "255081416802538" not in answer.text
    assert world.rows("SELECT count(*) AS n FROM assessment")[0]["n"] == before


def test_is_for_who_is_signed_in(world: World):
    world.bearers["nobody"] = {}
    assert world.post("nobody", PLACE, response()).status_code == 401
    assert world.post("nobody", f"/fhir/Flag/{uuid4()}/$validate", {}).status_code == 401


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/csv", b"{}", 415), (FHIR, b"{", 400), (FHIR, b"", 400), (FHIR_XML, b"<x/>", 400), (FHIR_XML, b"{}", 400),
        (FHIR, b'{"resourceType": "Parameters"}', 400), (FHIR, b'{"resourceType": "Parameters", "parameter": 1}', 400),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(world: World, kind: str, body: bytes, status: int):
    headers = {**world.bearers["sonia"], "Content-Type": kind, "Accept": FHIR}
    answer = world.client.post(PLACE, content=body, headers=headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


def test_xml_is_read_and_told(world: World):
    wrong = xml.write({**response(), "status": "banana"})
    headers = {**world.bearers["sonia"], "Content-Type": FHIR_XML}
    answer = world.client.post("/fhir/$validate", content=wrong, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, FHIR_XML)
    [issue, _] = xml.read(answer.content)["issue"]
    assert issue["expression"] == ["QuestionnaireResponse.status"]


@pytest.mark.parametrize(
    "said", ["mode=delete", "mode=update", "mode=banana", "mode=profile", "mode=create&mode=create", "x=1"]
)
def test_a_bad_parameter_is_refused(world: World, said: str):
    answer = world.post("sonia", f"{PLACE}?{said}", response())
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_a_bundle_is_told_of_with_each_of_its_entries(world: World, package: None):
    entries = [
        {"fullUrl": f"urn:uuid:{n}", "resource": each}
        for n, each in enumerate((response(), response(meta={"profile": [URL]})))
    ]
    told = issues(world, {"resourceType": "Bundle", "type": "collection", "entry": entries}, "/fhir/Bundle/$validate")
    assert told == [
        ("warning", "partly_checked", "Bundle.entry[0].resource.meta.profile[0]"),
        ("error", "profile.too_many", "Bundle.entry[1].resource.authored"),
    ]


def test_a_type_that_is_only_read_is_not_to_be_created(world: World):
    line = world.get("sonia", "/fhir/Questionnaire").json()["entry"][0]["resource"]
    found = ("error", "not_carried", "Questionnaire")
    assert found in issues(world, line, "/fhir/Questionnaire/$validate?mode=create")
    assert found not in issues(world, line, "/fhir/Questionnaire/$validate")


class TestAtItsAddress:
    @pytest.fixture
    def standing(self, world: World) -> Any:
        return kept(world)

    def asked(self, world: World, standing: Any, said: str = "", body: Any = None, who: str = "chu") -> list[Any]:
        place = f"/fhir/Flag/{standing['id']}/$validate{said}"
        if body is not None:
            return issues(world, body, place, who)
        told = [world.get(who, place), world.client.post(place, headers=world.bearers[who])]
        assert told[0].status_code == told[1].status_code == 200, told[0].text
        assert told[0].json() == told[1].json()
        return [
            (i["severity"], i["details"]["coding"][0]["code"], *i.get("expression", [""]))
            for i in told[0].json()["issue"]
        ]

    def test_what_stands_is_judged_as_it_stands(self, world: World, standing: Any):
        assert self.asked(world, standing) == [("information", "informational", "")]
        assert self.asked(world, standing, f"?profile={URL}") == [("error", "unknown_profile", "Flag.meta.profile")]

    def test_it_is_read_as_a_read_is(self, world: World, standing: Any):
        """Within reach, and traced: what is out of reach is as absent as what never was."""
        before = len(world.traces(action="read", kind="kept_resource"))
        self.asked(world, standing)
        assert len(world.traces(action="read", kind="kept_resource")) == before + 2
        for who in ("mdph", "yann", "jeanne"):
            told = [world.get(who, f"/fhir/Flag/{id}/$validate", headers=FIXED) for id in (standing["id"], uuid4())]
            assert [(t.status_code, t.content) for t in told] == [(404, told[0].content)] * 2, who

    def test_a_scope_that_reads_nothing_judges_nothing(self, world: World, standing: Any):
        world.bearers["writer"] = scoped(world, "system/Flag.c")
        assert world.get("writer", f"/fhir/Flag/{standing['id']}/$validate").status_code == 403

    def test_a_deleted_one_is_gone(self, world: World, standing: Any):
        assert asked(world, "DELETE", f"Flag/{standing['id']}").status_code == 204
        assert world.get("chu", f"/fhir/Flag/{standing['id']}/$validate").status_code == 410

    def test_what_would_change_it_bears_its_id(self, world: World, standing: Any):
        assert self.asked(world, standing, "?mode=update", standing) == [("information", "informational", "")]
        for wrong in ({**standing, "id": "1"}, {k: v for k, v in standing.items() if k != "id"}):
            assert self.asked(world, standing, "?mode=update", wrong) == [("error", "wrong_url", "Flag.id")]
        assert world.get("chu", f"/fhir/Flag/{standing['id']}").json() == standing

    def test_whether_it_may_be_deleted(self, world: World, standing: Any):
        assert self.asked(world, standing, "?mode=delete") == [("information", "informational", "")]
        world.bearers["reader"] = scoped(world, "system/Flag.r")
        assert self.asked(world, standing, "?mode=delete", who="reader") == [("error", "scope", "Flag")]
        person = standing["subject"]["reference"]
        told = world.get("chu", f"/fhir/{person}/$validate?mode=delete").json()["issue"]
        assert [issue["code"] for issue in told] == ["forbidden"]
        lucas = world.get("sonia", f"/fhir/Patient/{world.ids['lucas']}/$validate?mode=delete").json()["issue"]
        assert [issue["severity"] for issue in lucas] == ["error"]
        assert world.get("chu", f"/fhir/Flag/{standing['id']}").status_code == 200


def test_a_type_that_r4_does_not_know_is_no_address(world: World):
    sent = {"json": {"resourceType": "Flag"}, "headers": world.bearers["chu"]}
    for place in ("Nope", "Nope/1"):
        assert world.client.post(f"/fhir/{place}/$validate", **sent).status_code == 404
    assert world.client.post("/fhir/Account/$validate", **sent).status_code == 200  # not served here, and known


def test_it_is_promised(world: World):
    rest = world.client.get("/fhir/metadata").json()["rest"][0]
    named = {r["type"]: [o["name"] for o in r.get("operation", ())] for r in rest["resource"]}
    assert [o["name"] for o in rest["operation"]] == ["validate"]
    assert named["Patient"] == ["validate", "everything", "tddui-export"]
    assert all(
        "validate" in operations for name, operations in named.items() if name not in ("AuditEvent", "Questionnaire")
    )
    [export] = [o for r in rest["resource"] for o in r.get("operation", ()) if o["name"] == "tddui-export"]
    assert export["definition"] in {each["url"] for each in operations()}
