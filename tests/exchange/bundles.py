"""Bundles of our own, in the shape of TDDUI, about people who never were."""

from typing import Any

from app.fhir.mapping import Json

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
HOST = "https://identifiant-medicosocial-{}.esante.gouv.fr"
BASE = "https://chu.test/fhir"
FINESS = "3380000018"
NIR = "255081416802538"


def entry(resource: Json, full_url: str | None = None, **request: Any) -> Json:
    kind = resource["resourceType"]
    url = f"{BASE}/{kind}/{resource['id']}" if full_url is None else full_url
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": kind, **request}}


def bundle(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def resource(kind: str, id: str, profile: str | None = None, **elements: Any) -> Json:
    about = {"meta": {"profile": [f"{TDDUI}/{profile}"]}} if profile else {}
    return {"resourceType": kind, "id": id, **about, **elements}


def identifier(system: str, value: str) -> list[Json]:
    return [{"system": HOST.format(system), "value": value}]


def discriminated(code: str) -> Json:
    system = TDDUI.replace("StructureDefinition", "CodeSystem/tddui-discriminator")
    concept = {"coding": [{"system": system, "code": code}]}
    return {"extension": [{"url": f"{TDDUI}/tddui-discriminator", "valueCodeableConcept": concept}]}


def patient(local: str = "9001", id: str = "p", family: str = "LEROUX", **elements: Any) -> Json:
    return resource(
        "Patient",
        id,
        "tddui-patient",
        identifier=identifier("localusager", f"{FINESS}/{local}"),
        name=[{"use": "official", "family": family, "given": ["Agathe"]}],
        gender="female",
        birthDate="1955-08-14",
        _birthDate={"extension": [{"url": f"{TDDUI}/tddui-birth-order", "valuePositiveInt": 1}]},
        **elements,
    )


def plan(local: str = "9001", id: str = "pp", title: str = "Rester chez moi", **elements: Any) -> Json:
    return resource(
        "CarePlan",
        id,
        "tddui-careplan-projet-personnalise",
        identifier=identifier("projetpersonnalise", f"{FINESS}/{local}-PPER-1"),
        status="active",
        intent="plan",
        title=title,
        subject={"reference": "Patient/p"},
        supportingInfo=[{**discriminated("accordStructure"), "reference": "Consent/c"}],
        **elements,
    )


def consent(id: str = "c", performer: str = "pro") -> Json:
    """As in the official project: it says nobody's name."""
    return resource(
        "Consent",
        id,
        "tddui-consent-accord",
        status="active",
        scope={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        category=[{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        dateTime="2026-01-15T09:00:00+01:00",
        performer=[{"reference": f"Practitioner/{performer}"}],
        policy=[{"authority": "https://www.cnsa.fr/"}],
    )


def goal(number: int = 1, local: str = "9001", id: str | None = None, plan: str = "CarePlan/pp") -> Json:
    return resource(
        "Goal",
        id or f"g{number}",
        "tddui-goal-objectif",
        extension=[{"url": f"{TDDUI}/tddui-careplan-reference", "valueReference": {"reference": plan}}],
        identifier=identifier("objectif", f"{FINESS}/{local}-OBJE-{number}"),
        lifecycleStatus="active",
        description={"text": f"Marcher {number} fois par jour jusqu'au jardin."},
        subject={"reference": "Patient/p"},
        note=[{**discriminated("titreObjectif"), "text": f"Objectif {number}"}],
    )


def practitioner(local: str = "9001", id: str = "pro") -> Json:
    return resource(
        "Practitioner",
        id,
        "tddui-practitioner",
        identifier=[{"system": "https://chu.test/agents", "value": local}],
        name=[{"family": "Duval", "given": ["Rose"]}],
    )


def project(local: str = "9001", goals: int = 1, **changes: Any) -> Json:
    """A person, their project, whom it was agreed with: the last entries are what the first refer to."""
    return bundle(
        *(entry(goal(n, local)) for n in range(1, goals + 1)),
        entry(plan(local, **changes)),
        entry(consent()),
        entry(practitioner(local)),
        entry(patient(local)),
    )
