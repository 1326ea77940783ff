"""What the examples of fhir_profiles/ are made of: the least R4 asks of each type, and what stands for an element."""

from typing import Any

from app.fhir.identifiers import FINESS, INS, PROFESSIONAL, RPPS, SIRENE, STRUCTURE

Json = dict[str, Any]
ELSEWHERE = {"url": "https://exemple.test/StructureDefinition/autre", "valueBoolean": True}
SOMEONE = {"reference": "Patient/agathe", "display": "Agathe Leroux"}
TEXT = {"contentType": "text/plain; charset=utf-8", "data": "QmVsbGUgbnVpdC4="}
NUMBERS = [{"system": "https://exemple.test/numeros", "value": "12"}]
BASES: dict[str, Json] = {
    "Patient": {"name": [{"use": "usual", "text": "Agathe"}]},
    "Organization": {"name": "Les Tilleuls"},
    "Practitioner": {"name": [{"family": "Duval"}]},
    "PractitionerRole": {"active": True},
    "RelatedPerson": {"patient": SOMEONE},
    "Schedule": {"actor": [SOMEONE]},
    "Location": {"name": "Le jardin"},
    "Basic": {"code": {"text": "Une décision"}},
    "Encounter": {"status": "planned", "class": {"code": "HH"}},
    "CarePlan": {"status": "active", "intent": "plan", "subject": SOMEONE},
    "Consent": {
        "status": "active",
        "scope": {"text": "Partage"},
        "category": [{"text": "Partage"}],
        "policy": [{"authority": "https://exemple.test"}],
    },
    "Goal": {"lifecycleStatus": "active", "description": {"coding": [{"code": "a"}]}, "subject": SOMEONE},
    "ServiceRequest": {"status": "active", "intent": "plan", "subject": SOMEONE},
    "Task": {"status": "requested", "intent": "plan"},
    "QuestionnaireResponse": {"status": "completed", "author": {"display": "Rose Duval"}},
    "DocumentReference": {"status": "current", "content": [{"attachment": TEXT}]},
    "Observation": {"status": "final", "code": {"text": "Constat"}},
    "Slot": {"schedule": {"display": "Agenda"}, "status": "busy", "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z"},
    "AuditEvent": {
        "type": {"code": "rest"},
        "subtype": [{"code": "read"}],
        "action": "R",
        "recorded": "2026-11-20T09:00:00Z",
        "outcome": "0",
        "outcomeDesc": "success",
        "purposeOfEvent": [{"text": "Équipe"}],
        "agent": [{"requestor": True, "who": {"display": "Rose Duval"}}],
        "source": {"site": "api", "observer": {"display": "dui-serveur"}},
        "entity": [{"what": SOMEONE}, {"what": {"display": "Une ligne"}}],
    },
}  # fmt: skip
FULL: Json = {  # what stands for a mandatory element, by its name
    "identifier": NUMBERS, "gender": "female", "birthDate": "1955-08-14", "subject": SOMEONE, "for": SOMEONE,
    "serviceProvider": {"display": "Les Tilleuls"}, "title": "Rester chez moi", "supportingInfo": [{"display": "Accord"}],
    "dateTime": "2026-01-15", "performer": [{"display": "Rose Duval"}], "note": [{"text": "Marcher jusqu'au jardin"}],
    "basedOn": [{"display": "Le projet"}], "questionnaire": "https://exemple.test/Questionnaire/a", "item": [{"linkId": "a"}],
    "author": [{"display": "Rose Duval"}], "component": [{"code": {"text": "Cause"}, "valueString": "Naturelle"}],
    "category": [{"text": "Repas"}], "serviceType": [{"text": "Absence"}],
}  # fmt: skip
VALUES: Json = {
    "string": "Oui", "code": "oui", "boolean": True, "date": "2026-11-20", "positiveInt": 1, "Reference": {"display": "Ailleurs"},
}  # fmt: skip
ADDED: Json = {"AuditEvent.entity.query": "eA==", "AuditEvent.entity.detail": [{"type": "mot", "valueString": "x"}]}
TYPES = {
    "careplan": "CarePlan", "service-request": "ServiceRequest", "questionnaire-response": "QuestionnaireResponse",
    "document-reference": "DocumentReference",
}  # fmt: skip
KEYED = {  # right, of another form, of another key
    **dict.fromkeys(sorted(INS), ("255081416802538", "2550814", "255081416802539")),
    STRUCTURE: ("1380000018", "9380000018", "1380000019"),
    PROFESSIONAL: ("881000000000", "x", "881000000001"),
    RPPS: ("81000000000", "", "81000000001"),
    FINESS: ("380000018", "", "380000019"),
    SIRENE: ("732829320", "", "732829321"),
}
