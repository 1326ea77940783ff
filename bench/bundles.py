"""What a partner sends: a person who never was, their project, and rows of seven more kinds in turn."""

from base64 import b64encode
from typing import Any

import orjson

Json = dict[str, Any]
BASE = "https://chu.test/fhir"
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
NOTE = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"
HL7 = "http://terminology.hl7.org/CodeSystem"
CISIS = "https://smt.esante.gouv.fr/fhir/CodeSystem"
PERSON, PLAN, WHO = {"reference": "Patient/p"}, {"reference": "CarePlan/pp"}, {"reference": "Practitioner/pro"}
TEXT = "A passé une bonne matinée ; l'équipe en reparle demain."


def mixed(number: int, entries: int) -> bytes:
    """A transaction whose names no other number has. The same number, the same bytes."""
    first = [_patient(number), _practitioner(number), _plan(number), _consent()]
    told = [*first, *(KINDS[n % len(KINDS)](number, n) for n in range(entries - len(first)))]
    return orjson.dumps(
        {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(number, each) for each in told]}
    )


def _entry(number: int, resource: Json) -> Json:
    kind = resource["resourceType"]
    return {
        "fullUrl": f"{BASE}/{number}/{kind}/{resource['id']}",
        "resource": resource,
        "request": {"method": "POST", "url": kind},
    }


def _resource(kind: str, id: object, profile: str, **elements: Any) -> Json:
    about = {"meta": {"profile": [profile if ":" in profile else f"{TDDUI}/StructureDefinition/tddui-{profile}"]}}
    return {"resourceType": kind, "id": str(id), **about, **elements}


def _named(system: str, number: int, tag: str) -> list[Json]:
    host = f"https://identifiant-medicosocial-{system}.esante.gouv.fr"
    return [{"system": host, "value": f"3380000018/{number}{tag}"}]


def _extension(name: str, **value: Any) -> Json:
    return {"url": f"{TDDUI}/StructureDefinition/tddui-{name}", **value}


def _apart(code: str) -> Json:
    concept = {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-discriminator", "code": code}]}
    return {"extension": [_extension("discriminator", valueCodeableConcept=concept)]}


def _at(n: int) -> str:
    return f"2026-{1 + n % 9:02}-{1 + n % 28:02}T{8 + n % 10:02}:30:00+02:00"


def _patient(number: int) -> Json:
    return _resource(
        "Patient", "p", "patient",
        identifier=_named("localusager", number, ""),
        name=[{"use": "official", "family": f"LEROUX {number}", "given": ["Agathe"]}],
        gender="female", birthDate="1955-08-14",
        _birthDate={"extension": [_extension("birth-order", valuePositiveInt=1)]},
        telecom=[{"system": "phone", "value": "0102030405"}],
        address=[{"line": ["12 rue des Tilleuls"], "city": "Grenoble", "postalCode": "38000"}],
    )  # fmt: skip


def _practitioner(number: int) -> Json:
    name = [{"family": "Duval", "given": ["Rose"]}]
    identifier = [{"system": "https://chu.test/agents", "value": str(number)}]
    return _resource("Practitioner", "pro", "practitioner", identifier=identifier, name=name)


def _plan(number: int) -> Json:
    return _resource(
        "CarePlan", "pp", "careplan-projet-personnalise",
        identifier=_named("projetpersonnalise", number, "-PPER-1"),
        status="active", intent="plan", title="Rester chez moi", subject=PERSON,
        description="Une année pour choisir la suite.", period={"start": "2026-01-15", "end": "2026-12-31"},
        supportingInfo=[{**_apart("accordStructure"), "reference": "Consent/c"}],
        note=[{"text": "Lu ensemble, avec des images.", "time": "2026-01-12"}],
    )  # fmt: skip


def _consent() -> Json:
    return _resource(
        "Consent", "c", "consent-accord",
        status="active", dateTime="2026-01-15T09:00:00+01:00", performer=[WHO],
        scope={"coding": [{"system": f"{HL7}/consentscope", "code": "patient-privacy"}]},
        category=[{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        policy=[{"authority": "https://www.cnsa.fr/"}],
    )  # fmt: skip


def _goal(number: int, n: int) -> Json:
    return _resource(
        "Goal", f"g{n}", "goal-objectif",
        extension=[_extension("careplan-reference", valueReference=PLAN)],
        identifier=_named("objectif", number, f"-OBJE-{n}"),
        lifecycleStatus="active", description={"text": f"Marcher {n} fois par jour jusqu'au jardin."}, subject=PERSON,
        target=[{"dueDate": "2026-06-30"}], expressedBy=WHO,
        note=[{**_apart("titreObjectif"), "text": f"Objectif {n}"}],
    )  # fmt: skip


def _action(number: int, n: int) -> Json:
    kind = {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-task-input-action", "code": "titre"}]}
    return _resource(
        "Task", f"a{n}", "task-action",
        identifier=_named("action", number, f"-ACTI-{n}"), basedOn=[PLAN],
        status="in-progress", intent="plan", description="Visiter, puis écrire.", owner=WHO,
        executionPeriod={"start": "2026-02-02", "end": "2026-05-29"},
        input=[{"type": kind, "valueString": "Visiter trois fermes"}], **{"for": PERSON},
    )  # fmt: skip


def _need(number: int, n: int) -> Json:
    kind = {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-service-request-identifier", "code": "BES"}]}
    return _resource(
        "ServiceRequest", f"n{n}", "service-request-besoin",
        identifier=[{"type": kind, **_named("besoin", number, f"-BESO-{n}")[0]}], basedOn=[PLAN],
        status="active", intent="proposal", code={"text": "Apprendre un métier au calme"}, subject=PERSON,
    )  # fmt: skip


def _visit(number: int, n: int) -> Json:
    soon = {"start": _at(n), "end": _at(n).replace(":30:", ":45:")}
    return _resource(
        "Encounter", f"e{n}", "encounter-evenement",
        identifier=_named("evenement", number, f"-EVN-{n}"), status="planned", subject=PERSON, period=soon,
        type=[{"coding": [{"system": f"{CISIS}/terminologie-cisis", "code": "MED-1298", "display": "Soins"}]}],
        participant=[{"individual": WHO}], location=[{"location": {"display": "À la maison"}}],
        **{"class": {"system": f"{HL7}/v3-ActCode", "code": "HH"}},
    )  # fmt: skip


def _note(number: int, n: int) -> Json:
    data = b64encode(TEXT.encode()).decode()
    return _resource(
        "DocumentReference", f"d{n}", NOTE,
        identifier=[{"system": "urn:oid:1.2.3.4", "value": f"{number}-{n}"}], status="current", subject=PERSON,
        date=_at(n), description="Relève du matin", author=[WHO],
        content=[{"attachment": {"contentType": "text/plain", "data": data}}],
    )  # fmt: skip


def _meal(number: int, n: int) -> Json:
    kind = {"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-observation-identifier", "code": "REP"}]}
    return _resource(
        "Observation", f"m{n}", "observation-repas",
        extension=[_extension("participant-present", valueBoolean=True)],
        identifier=[{"type": kind, **_named("repas", number, f"-REPAS-{n}")[0]}], status="final", subject=PERSON,
        category=[{"coding": [{"system": f"{CISIS}/tre-r425-type-repas", "code": "1"}]}],
        code={"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-observation-type", "code": "REPAS"}]},
        effectiveDateTime=_at(n), note=[{"text": "A repris deux fois du gratin."}],
    )  # fmt: skip


def _flag(number: int, n: int) -> Json:
    """Of a type that no map models: kept as it came."""
    told = {"status": "active", "code": {"text": "Tombe souvent"}, "subject": PERSON, "author": WHO}
    identifier = [{"system": "urn:oid:1.2.3.5", "value": f"{number}-{n}"}]
    return _resource("Flag", f"f{n}", f"{BASE}/StructureDefinition/flag", identifier=identifier, **told)


KINDS = (_goal, _action, _need, _visit, _note, _meal, _flag)
