"""R4's own rules: each that we check is R4's, each has what follows and what breaks it, and FHIRPath judges the same."""

import json
from typing import Any

import pytest

from app.fhir.checking import faults_of
from app.fhir.known_types import CARRIED
from app.fhir.profiles.invariants import _holds as by_fhirpath
from app.fhir.profiles.values import Run, nowhere
from app.fhir.rules import TABLE, broken, model_of
from app.fhir.rules.table import Rule
from tests.fhir import r4
from tests.fhir.base_rules import EXAMPLES, inside, text

# Of definitions, which no dossier holds; what HL7's own tools alone judge; what asks for a resource elsewhere.
DEFINITIONS = [
    "CapabilityStatement",
    "CodeSystem",
    "ConceptMap",
    "DataRequirement",
    "ElementDefinition",
    "ImplementationGuide",
    "MessageDefinition",
    "MolecularSequence",
    "NamingSystem",
    "OperationDefinition",
    "SearchParameter",
    "StructureDefinition",
    "StructureMap",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "TriggerDefinition",
    "ValueSet",
]
ELSEWHERE = {
    "ref-1": "the references tell it",
    "ctm-1": "asks for what is elsewhere",
    "ele-1": "in the walk",
    **dict.fromkeys(("ppc-2", "ppc-3", "ppc-4", "ppc-5"), "R4 wrote it of the system « something »: nothing breaks it"),
}
BY_R4 = {"ras-1": "RiskAssessment.prediction.probability[x]"}  # where R4 puts it; ours is where its value is held
NOT_FHIRPATH = {"txt-1", "txt-2", "ras-1"}  # htmlChecks() is HL7's own; a choice has no object
NO_ENGINE = {  # where the library we judge by does not follow R4's words
    **dict.fromkeys(("age-1", "bdl-10", "cnt-3", "per-1"), "knows no hasValue()"),
    "dom-3": "reads as(canonical) otherwise", "que-7": "knows no Boolean of a choice", "rng-2": "compares no quantities",
}  # fmt: skip
ONE_EACH = {(rule.key, rule.on): rule for rule in TABLE}


def test_each_rule_has_its_examples() -> None:
    assert set(EXAMPLES) == set(ONE_EACH)


@pytest.mark.parametrize(("key", "on"), sorted(EXAMPLES))
def test_what_follows_follows_and_what_breaks_breaks(key: str, on: str) -> None:
    rules = tuple(rule for rule in TABLE if (rule.key, rule.on) == (key, on))
    follows, breaks = EXAMPLES[key, on]
    told = [list(broken(each, rules)) for each in (follows, breaks)]
    assert told[0] == []
    assert [sentence.endswith(f"({key}).") for _, _, sentence in told[1]] == [True], told[1]


@pytest.mark.parametrize(
    ("key", "on"), sorted(each for each in EXAMPLES if each[0] not in NOT_FHIRPATH | NO_ENGINE.keys())
)
def test_fhirpath_judges_the_same(key: str, on: str) -> None:
    """R4's expression, by another's engine."""
    expression = ONE_EACH[key, on].expression
    name = {"DomainResource": "Patient"}.get(on, on)
    judged = []
    for each in EXAMPLES[key, on]:
        value = each[on.rpartition(".")[2]] if on in ("Organization.address", "Organization.telecom") else each
        values = value if isinstance(value, list) else [value]
        judged += [by_fhirpath(expression, one, name, Run(each, nowhere), lambda _: None) for one in values]
    assert judged == [True, False]


def of_r4() -> dict[tuple[str, str], str]:
    """R4's own rules that are errors, of the types we carry."""
    found = {}
    for path in r4.files("StructureDefinition-*.json"):
        told = r4.read(path)
        if told.get("derivation", "specialization") != "specialization" or told["kind"] == "logical":
            continue
        if told["kind"] == "resource" and told["id"] not in CARRIED | {"DomainResource"}:
            continue
        for element in told["differential"]["element"]:
            for each in element.get("constraint", ()):
                if each["severity"] == "error":
                    found[each["key"], element["path"]] = each["expression"]
    return found


def test_each_rule_of_r4_is_checked_or_left_out_for_a_reason() -> None:
    known = of_r4()
    ours = {(rule.key, BY_R4.get(rule.key, rule.on)): rule.expression for rule in TABLE}
    inherited = {each for each in ours if each[0] == "qty-3" and each[1] != "Quantity"}
    assert {at: said for at, said in ours.items() if at not in inherited and known.get(at) != said} == {}
    left = {at for at in known if at not in ours and at[1].partition(".")[0] not in DEFINITIONS}
    assert {key for key, _ in left} <= set(ELSEWHERE)


NARRATIVE = (
    ("<p onclick='x()'>a</p>", False), ("<script>a</script>", False), ("<form>a</form>", False), ("<iframe/>", False),
    ("<a href='javascript:x'>a</a>", False), ("<a href=' JAVAscript:x'>a</a>", False), ("<object>a</object>", False),
    ("<p>a", False), ("a&nbsp;b", False), ("<svg onload='x'/>", False), ("<link href='a'/>a", False), ("<P>a</P>", False),
    ("<img src='data:text/html,x'/>", False), ("<a href='vbscript:x'>a</a>", False), ("<meta content='a'/>a", False),
    ("<img src='data:image/png;base64,eA==' alt='a'/>", True), ("<table border='1'><tr><td>a</td></tr></table>", True),
    ("<a href='#b'>a</a>", True), ("<p class='x' style='color: red'>é — a</p>", True), ("a &amp; b &#233;", True),
    ("<a href='Patient/1'>a</a>", True), ("<a href='mailto:a@b.fr'>a</a>", True), ("<a href='sip:a@b'>a</a>", True),
    ("<a href='java&#10;script:x'>a</a>", False), ("<a href='data:image/svg+xml,x'>a</a>", False),
    ("<img src='data:image/svg+xml;base64,eA=='/>", True), ("<img src='data:image/jpg;base64,eA=='/>", True),
    ("<p xml:lang='fr'>a</p>", True), ("<p xmlns:x='urn:x' x:onclick='y'>a</p>", False), ("&#160;", True),
)  # fmt: skip


@pytest.mark.threat("input-narrative")
@pytest.mark.parametrize(("said", "taken"), NARRATIVE, ids=[str(n) for n in range(len(NARRATIVE))])
def test_a_text_is_layout_and_nothing_that_acts(said: str, taken: bool) -> None:
    faults = faults_of({"resourceType": "Patient", "text": text(said)})
    assert [(each.where, each.code) for each in faults] == ([] if taken else [("Patient.text.div", "invariant")])


@pytest.mark.threat("input-narrative")
@pytest.mark.parametrize(
    "div",
    [
        '<!DOCTYPE div [<!ENTITY a "aaaa">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<p xmlns="http://www.w3.org/1999/xhtml">a</p>', '<div xmlns="http://www.w3.org/2000/svg">a</div>', "a",
        '<?x y?><div xmlns="http://www.w3.org/1999/xhtml">a</div>', "<div>\x01</div>",
    ],
    ids=["entity", "root", "space", "bare", "instruction", "control"],
)  # fmt: skip
def test_a_text_is_one_div_that_declares_nothing(div: str) -> None:
    [fault] = faults_of({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    assert (fault.where, fault.message[-8:]) == ("Patient.text.div", "(txt-1).")


@pytest.mark.parametrize(
    "div",
    [
        '<div xmlns="http://www.w3.org/1999/xhtml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">a</div>',
        '<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>a</h:p></h:div>', "<div>a</div>",
    ],
    ids=["declares", "prefixed", "bare"],
)  # fmt: skip
def test_a_text_is_a_div_however_its_space_is_said(div: str) -> None:
    assert faults_of({"resourceType": "Patient", "text": {"status": "generated", "div": div}}) == []


def test_a_day_is_lived_wherever_it_is() -> None:
    def told(starts: str, ends: str) -> list[str]:
        period = {"start": starts, "end": ends}
        return [each.code for each in faults_of({"resourceType": "Patient", "name": [{"period": period}]})]

    assert told("2026-05-02", "2026-05-01T23:30:00-04:00") == []
    assert told("2026-05-02T00:30:00+02:00", "2026-05-01") == []
    assert told("2026-05-03", "2026-05-01T23:30:00-04:00") == ["invariant"]
    assert told("2026-05-04T00:30:00+02:00", "2026-05-01") == ["invariant"]
    assert told("0001-01-01", "0001-01-01T00:00:00+14:00") == []


def test_an_id_alone_says_nothing() -> None:
    """ele-1."""
    for said, where in (
        ({"name": [{"id": "a"}]}, "name[0]"), ({"_birthDate": {"id": "a"}}, "birthDate"),
        ({"name": [{"given": [None, "B"], "_given": [{"id": "a"}, None]}]}, "name[0].given[0]"),
    ):  # fmt: skip
        [fault] = faults_of({"resourceType": "Patient", **said})
        assert (fault.where, fault.code) == (f"Patient.{where}", "empty")
    beside = {"birthDate": "1943-05-03", "_birthDate": {"id": "a"}}
    assert faults_of({"resourceType": "Patient", **beside}) == []


@pytest.mark.parametrize("led", ["#", "#o"])
def test_what_is_contained_may_lead_to_the_whole_or_be_led_to(led: str) -> None:
    org = {"resourceType": "Organization", "id": "o", "name": "a"}
    whole = inside({**org, "partOf": {"reference": "#"}}) if led == "#" else inside(org, link=LINK)
    assert faults_of(whole) == []


LINK = [{"other": {"reference": "#o"}, "type": "seealso"}]


def test_no_rule_repeats_what_was_received() -> None:
    """Whatever word is sent in the place of each that breaks a rule."""
    canary = "255081416802538"
    for (key, on), (_, breaks) in EXAMPLES.items():
        rules = tuple(rule for rule in TABLE if (rule.key, rule.on) == (key, on))
        for planted in _planted(breaks, canary):
            assert canary not in json.dumps(list(broken(planted, rules)))


def _planted(value: Any, canary: str) -> list[Any]:
    """The same, each of its words in turn the canary, as each of its names."""
    if isinstance(value, str):
        return [canary]
    if isinstance(value, list):
        return [[*value[:at], one, *value[at + 1 :]] for at, each in enumerate(value) for one in _planted(each, canary)]
    if not isinstance(value, dict):
        return []
    within = [{**value, name: one} for name, each in value.items() for one in _planted(each, canary)]
    return [*within, {**value, canary: canary}]


def test_a_rule_stands_on_a_model_of_r4() -> None:
    wrong: list[Rule] = [rule for rule in TABLE if rule.on != "DomainResource" and not _known(model_of(rule.on))]
    assert wrong == []


def _known(model: str) -> bool:
    from app.fhir.shapes import shape

    return bool(shape(model).parts)
