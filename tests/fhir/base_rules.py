"""Of each base rule of R4 that we check, what follows it and what breaks it: the object it is asked of."""

from typing import Any

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
TERMS = "http://terminology.hl7.org/CodeSystem"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def of_a_code(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}]}


def text(inside: str) -> Json:
    return {"status": "generated", "div": f"<div {XHTML}>{inside}</div>"}


def bundle(type: str, *entries: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries), **more}


def inside(*contained: Json, **more: Any) -> Json:
    return {"resourceType": "Patient", "contained": list(contained), **more}


ORG = {"resourceType": "Organization", "id": "o", "name": "Les Tilleuls"}
LED = {"managingOrganization": {"reference": "#o"}}
FLAG = {"resourceType": "Flag", "id": "f"}
ASKED = {"method": "GET", "url": "Patient"}
SAID = {"status": "200"}
SUM = {"text": "x"}
QUESTION = {"linkId": "1", "type": "string"}
SHOWN = {"linkId": "1", "type": "display"}
UNIT = {"value": 3, "code": "a", "system": UCUM}
DOCUMENT = {"timestamp": "2026-01-01T00:00:00Z", "identifier": {"system": "urn:x", "value": "1"}}
COMPOSED = {"resource": {"resourceType": "Composition"}}
HEADED = {"resource": {"resourceType": "MessageHeader"}}
WHEN, BEFORE = "2026-05-02", "2026-05-01T10:00:00Z"


def kind(name: str, /, **more: Any) -> Json:
    return {"resourceType": name, **more}


# (key, on): (follows, breaks); of the first of each model
EXAMPLES: dict[tuple[str, str], tuple[Json, Json]] = {
    ("ext-1", "Extension"): ({"url": "urn:a", "valueString": "x"}, {"url": "urn:a"}),
    ("txt-1", "Narrative.div"): (text("<p>x <a href='https://x.fr'>y</a></p>"), text("x<script>y</script>")),
    ("txt-2", "Narrative.div"): (text("x"), text(" <p> </p>")),
    ("per-1", "Period"): ({"start": "2026-05-02T10:00:00Z", "end": WHEN}, {"start": WHEN, "end": "2026-05-01"}),
    ("att-1", "Attachment"): ({"data": "eA==", "contentType": "text/plain"}, {"data": "eA=="}),
    ("cpt-2", "ContactPoint"): ({"system": "phone", "value": "01"}, {"value": "01"}),
    ("exp-1", "Expression"): ({"language": "a/b", "expression": "x"}, {"language": "a/b"}),
    ("rng-2", "Range"): ({"low": {"value": 1}, "high": {"value": 2}}, {"low": {"value": 2}, "high": {"value": 1}}),
    ("rat-1", "Ratio"): ({"numerator": {"value": 1}, "denominator": {"value": 1}}, {"numerator": {"value": 1}}),
    ("qty-3", "Quantity"): (UNIT, {"value": 3, "code": "a"}),
    ("qty-3", "Age"): (UNIT, {"value": 3, "code": "a"}),
    ("qty-3", "Count"): ({"value": 3, "code": "1", "system": UCUM}, {"value": 3, "code": "1"}),
    ("qty-3", "Distance"): (UNIT, {"value": 3, "code": "m"}),
    ("qty-3", "Duration"): (UNIT, {"value": 3, "code": "h"}),
    ("age-1", "Age"): (UNIT, {**UNIT, "value": 0}),
    ("cnt-3", "Count"): ({"value": 3, "code": "1", "system": UCUM}, {"value": 3.5, "code": "1", "system": UCUM}),
    ("dis-1", "Distance"): (UNIT, {**UNIT, "system": "urn:x"}),
    ("drt-1", "Duration"): (UNIT, {**UNIT, "system": "urn:x"}),
    ("tim-1", "Timing.repeat"): ({"duration": 1, "durationUnit": "h"}, {"duration": 1}),
    ("tim-2", "Timing.repeat"): ({"period": 1, "periodUnit": "h"}, {"period": 1}),
    ("tim-4", "Timing.repeat"): ({"duration": 1, "durationUnit": "h"}, {"duration": -1, "durationUnit": "h"}),
    ("tim-5", "Timing.repeat"): ({"period": 1, "periodUnit": "h"}, {"period": -1, "periodUnit": "h"}),
    ("tim-6", "Timing.repeat"): ({"period": 1, "periodMax": 2}, {"periodMax": 2}),
    ("tim-7", "Timing.repeat"): ({"duration": 1, "durationMax": 2}, {"durationMax": 2}),
    ("tim-8", "Timing.repeat"): ({"count": 1, "countMax": 2}, {"countMax": 2}),
    ("tim-9", "Timing.repeat"): ({"offset": 1, "when": ["ACM"]}, {"offset": 1, "when": ["CM"]}),
    ("tim-10", "Timing.repeat"): ({"when": ["CM"]}, {"when": ["CM"], "timeOfDay": ["10:00:00"]}),
    ("dom-2", "DomainResource"): (inside(ORG, **LED), inside({**ORG, "contained": [FLAG]}, **LED)),
    ("dom-3", "DomainResource"): (inside(ORG, **LED), inside(ORG)),
    ("dom-4", "DomainResource"): (inside(ORG, **LED), inside({**ORG, "meta": {"versionId": "1"}}, **LED)),
    ("dom-5", "DomainResource"): (
        inside(ORG, **LED),
        inside({**ORG, "meta": {"security": [{"code": "R"}]}}, **LED),
    ),
    ("bdl-1", "Bundle"): (bundle("searchset", total=1), bundle("collection", total=1)),
    ("bdl-2", "Bundle"): (
        bundle("searchset", {"resource": FLAG, "search": {"mode": "match"}}),
        bundle("collection", {"resource": FLAG, "search": {"mode": "match"}}),
    ),
    ("bdl-3", "Bundle"): (
        bundle("batch", {"request": ASKED}),
        bundle("collection", {"resource": FLAG, "request": ASKED}),
    ),
    ("bdl-4", "Bundle"): (
        bundle("batch-response", {"response": SAID}),
        bundle("batch-response", {"resource": FLAG}),
    ),
    ("bdl-5", "Bundle.entry"): ({"resource": FLAG}, {"fullUrl": "urn:x"}),
    ("bdl-7", "Bundle"): (
        bundle("collection", {"fullUrl": "urn:x", "resource": FLAG}, {"fullUrl": "urn:y", "resource": FLAG}),
        bundle("collection", {"fullUrl": "urn:x", "resource": FLAG}, {"fullUrl": "urn:x", "resource": FLAG}),
    ),
    ("bdl-8", "Bundle.entry"): ({"fullUrl": "https://a/Flag/1"}, {"fullUrl": "https://a/Flag/1/_history/2"}),
    ("bdl-9", "Bundle"): (bundle("document", COMPOSED, **DOCUMENT), bundle("document", COMPOSED)),
    ("bdl-10", "Bundle"): (bundle("document", COMPOSED, **DOCUMENT), bundle("document", COMPOSED)),
    ("bdl-11", "Bundle"): (bundle("document", COMPOSED), bundle("document", HEADED)),
    ("bdl-12", "Bundle"): (bundle("message", HEADED), bundle("message", COMPOSED)),
    ("inv-1", "Parameters.parameter"): ({"name": "a", "valueString": "x"}, {"name": "a"}),
    ("pat-1", "Patient.contact"): ({"name": {"text": "Paule"}}, {"gender": "female"}),
    ("org-1", "Organization"): (ORG, kind("Organization", active=True)),
    ("org-2", "Organization.address"): ({**ORG, "address": [{"use": "work"}]}, {**ORG, "address": [{"use": "home"}]}),
    ("org-3", "Organization.telecom"): ({**ORG, "telecom": [{"use": "work"}]}, {**ORG, "telecom": [{"use": "home"}]}),
    ("grp-1", "Group"): (kind("Group", actual=True, member=[{}]), kind("Group", actual=False, member=[{}])),
    ("sev-1", "AuditEvent.entity"): ({"name": "a"}, {"name": "a", "query": "eA=="}),
    ("ppc-1", "Consent"): (kind("Consent", policyRule=SUM), kind("Consent", status="active")),
    ("lnk-1", "Linkage"): (kind("Linkage", item=[{}, {}]), kind("Linkage", item=[{}])),
    ("ipn-1", "InsurancePlan"): (kind("InsurancePlan", name="x"), kind("InsurancePlan", status="active")),
    ("obs-3", "Observation.referenceRange"): ({"text": "x"}, {"type": SUM}),
    ("obs-6", "Observation"): (
        kind("Observation", dataAbsentReason=SUM),
        kind("Observation", dataAbsentReason=SUM, valueString="x"),
    ),
    ("obs-7", "Observation"): (
        kind("Observation", code=of_a_code("a", "1"), component=[{"code": of_a_code("a", "2")}], valueString="x"),
        kind("Observation", code=of_a_code("a", "1"), component=[{"code": of_a_code("a", "1")}], valueString="x"),
    ),
    ("cpl-3", "CarePlan.activity"): ({"detail": {}}, {"detail": {"status": "a"}, "reference": {"display": "x"}}),
    ("gol-1", "Goal.target"): ({"measure": SUM, "detailString": "x"}, {"detailString": "x"}),
    ("prr-1", "ServiceRequest"): (
        kind("ServiceRequest", code=SUM, orderDetail=[SUM]),
        kind("ServiceRequest", orderDetail=[SUM]),
    ),
    ("inv-1", "Task"): (
        kind("Task", authoredOn=BEFORE, lastModified="2026-05-02T10:00:00Z"),
        kind("Task", authoredOn="2026-05-02T10:00:00Z", lastModified=BEFORE),
    ),
    ("con-1", "Condition.stage"): ({"summary": SUM}, {"type": SUM}),
    ("con-2", "Condition.evidence"): ({"code": [SUM]}, {"id": "a"}),
    ("con-4", "Condition"): (
        kind("Condition", clinicalStatus=of_a_code("condition-clinical", "resolved"), abatementString="x"),
        kind("Condition", clinicalStatus=of_a_code("condition-clinical", "active"), abatementString="x"),
    ),
    ("con-5", "Condition"): (
        kind("Condition", verificationStatus=of_a_code("condition-ver-status", "entered-in-error")),
        kind("Condition", verificationStatus=of_a_code("condition-ver-status", "entered-in-error"), clinicalStatus=SUM),
    ),
    ("ait-1", "AllergyIntolerance"): (
        kind("AllergyIntolerance", clinicalStatus=SUM),
        kind("AllergyIntolerance", code=SUM),
    ),
    ("ait-2", "AllergyIntolerance"): (
        kind("AllergyIntolerance", clinicalStatus=SUM),
        kind(
            "AllergyIntolerance",
            clinicalStatus=SUM,
            verificationStatus=of_a_code("allergyintolerance-verification", "entered-in-error"),
        ),
    ),
    ("fhs-1", "FamilyMemberHistory"): (
        kind("FamilyMemberHistory", ageString="x"),
        kind("FamilyMemberHistory", ageString="x", bornString="y"),
    ),
    ("fhs-2", "FamilyMemberHistory"): (
        kind("FamilyMemberHistory", ageString="x", estimatedAge=True),
        kind("FamilyMemberHistory", estimatedAge=True),
    ),
    ("imm-1", "Immunization.education"): ({"documentType": "x"}, {"publicationDate": WHEN}),
    ("imr-1", "ImmunizationRecommendation.recommendation"): ({"targetDisease": SUM}, {"forecastStatus": SUM}),
    ("mad-1", "MedicationAdministration.dosage"): ({"rateQuantity": UNIT}, {"text": "x"}),
    ("mdd-1", "MedicationDispense"): (
        kind("MedicationDispense", whenPrepared=BEFORE, whenHandedOver="2026-05-02T10:00:00Z"),
        kind("MedicationDispense", whenPrepared="2026-05-02T10:00:00Z", whenHandedOver=BEFORE),
    ),
    ("ras-1", "RiskAssessment.prediction"): (
        {"probabilityRange": {"low": {"value": 1, "code": "%", "system": UCUM}}},
        {"probabilityRange": {"low": {"value": 1, "code": "a", "system": UCUM}}},
    ),
    ("ras-2", "RiskAssessment.prediction"): ({"probabilityDecimal": 99.5}, {"probabilityDecimal": 100.5}),
    ("rqg-1", "RequestGroup.action"): ({"resource": {"display": "x"}}, {"title": "x"}),
    ("ces-1", "CoverageEligibilityResponse.insurance.item"): ({"category": SUM}, {"name": "x"}),
    ("mrp-1", "MeasureReport"): (
        kind("MeasureReport", type="summary", group=[{}]),
        kind("MeasureReport", type="data-collection", group=[{"code": SUM}]),
    ),
    ("mrp-2", "MeasureReport"): (
        kind("MeasureReport", group=[{"stratifier": [{"stratum": [{"value": SUM}]}]}]),
        kind("MeasureReport", group=[{"stratifier": [{"stratum": [{"measureScore": UNIT}]}]}]),
    ),
    ("mea-1", "Measure"): (
        kind("Measure", group=[{"stratifier": [{"description": "x"}]}]),
        kind("Measure", group=[{"stratifier": [{"description": "x", "component": [{"description": "y"}]}]}]),
    ),
    ("app-1", "Appointment.participant"): ({"actor": {"display": "x"}}, {"status": "accepted"}),
    ("app-2", "Appointment"): (kind("Appointment", start=BEFORE, end=BEFORE), kind("Appointment", start=BEFORE)),
    ("app-3", "Appointment"): (kind("Appointment", status="proposed"), kind("Appointment", status="booked")),
    ("app-4", "Appointment"): (
        kind("Appointment", status="cancelled", cancelationReason=SUM),
        kind("Appointment", status="booked", cancelationReason=SUM),
    ),
    ("apr-1", "AppointmentResponse"): (
        kind("AppointmentResponse", actor={"display": "x"}),
        kind("AppointmentResponse", participantStatus="accepted"),
    ),
    ("cmp-1", "Composition.section"): ({"title": "x", "text": text("x")}, {"title": "x"}),
    ("cmp-2", "Composition.section"): ({"emptyReason": SUM}, {"emptyReason": SUM, "entry": [{"display": "x"}]}),
    ("lst-1", "List"): (
        kind("List", emptyReason=SUM),
        kind("List", emptyReason=SUM, entry=[{"item": {"display": "x"}}]),
    ),
    ("lst-2", "List"): (
        kind("List", mode="changes", entry=[{"deleted": True}]),
        kind("List", mode="working", entry=[{"deleted": True}]),
    ),
    ("lst-3", "List"): (
        kind("List", mode="working", entry=[{"date": WHEN}]),
        kind("List", mode="changes", entry=[{"date": WHEN}]),
    ),
    ("que-2", "Questionnaire"): (
        kind("Questionnaire", item=[QUESTION, {**QUESTION, "linkId": "2"}]),
        kind("Questionnaire", item=[QUESTION, {**QUESTION, "linkId": "2", "item": [QUESTION]}]),
    ),
    ("que-1", "Questionnaire.item"): (
        {"linkId": "1", "type": "group", "item": [QUESTION]},
        {"linkId": "1", "type": "group"},
    ),
    ("que-3", "Questionnaire.item"): (SHOWN, {**SHOWN, "code": [{"code": "a"}]}),
    ("que-4", "Questionnaire.item"): (
        {**QUESTION, "answerValueSet": "urn:x"},
        {**QUESTION, "answerValueSet": "urn:x", "answerOption": [{"valueString": "a"}]},
    ),
    ("que-5", "Questionnaire.item"): ({**QUESTION, "answerValueSet": "urn:x"}, {**SHOWN, "answerValueSet": "urn:x"}),
    ("que-6", "Questionnaire.item"): (SHOWN, {**SHOWN, "required": False}),
    ("que-7", "Questionnaire.item.enableWhen"): (
        {"question": "1", "operator": "exists", "answerBoolean": True},
        {"question": "1", "operator": "exists", "answerString": "x"},
    ),
    ("que-8", "Questionnaire.item"): (SHOWN, {**SHOWN, "initial": [{"valueString": "x"}]}),
    ("que-9", "Questionnaire.item"): (SHOWN, {**SHOWN, "readOnly": True}),
    ("que-10", "Questionnaire.item"): ({**QUESTION, "maxLength": 3}, {**SHOWN, "maxLength": 3}),
    ("que-11", "Questionnaire.item"): (
        {**QUESTION, "initial": [{"valueString": "a"}]},
        {**QUESTION, "initial": [{"valueString": "a"}], "answerOption": [{"valueString": "a"}]},
    ),
    ("que-12", "Questionnaire.item"): (
        {**QUESTION, "enableWhen": [{"question": "2"}]},
        {**QUESTION, "enableWhen": [{"question": "2"}, {"question": "3"}, {"question": "4"}]},
    ),
    ("que-13", "Questionnaire.item"): (
        {**QUESTION, "initial": [{"valueString": "a"}]},
        {**QUESTION, "initial": [{"valueString": "a"}, {"valueString": "b"}]},
    ),
    ("qrs-1", "QuestionnaireResponse.item"): (
        {"linkId": "1", "answer": [{"valueString": "x"}]},
        {"linkId": "1", "answer": [{"valueString": "x"}], "item": [{"linkId": "2"}]},
    ),
}
