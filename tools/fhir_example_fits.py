"""What TDDUI's own package asks further of the examples of fhir_profiles/: systems, codes, slices; and who has no rule of ours.

Sources: https://interop.esante.gouv.fr/ig/fhir/tddui (2.4.0), https://hl7.org/fhir/R4/location.html
"""

from typing import Any

from app.fhir.canonicals import CORE
from app.fhir.identifiers import PROFESSIONAL, STRUCTURE, TAGS
from app.fhir.tddui import DISCRIMINATOR, DISCRIMINATORS, TDDUI, profile, system
from tools.fhir_example_parts import SOMEONE

Json = dict[str, Any]
FR_CORE = "https://hl7.fr/ig/fhir/core"


def _concept(of: str, code: str, display: str = "") -> Json:
    system = of if ":" in of else f"{TDDUI}/CodeSystem/tddui-{of}"
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def _number(of: str, kind: Json | None = None) -> Json:
    tag = TAGS[system(of)]
    return {**({"type": kind} if kind else {}), "system": system(of), "value": f"3380000018/12-{tag}-1"}


def _apart(code: str, **more: Any) -> list[Json]:
    concept = {"coding": [{"system": DISCRIMINATORS, "code": code}]}
    return [{"extension": [{"url": DISCRIMINATOR, "valueCodeableConcept": concept}], **more}]


def _titled(of: str) -> list[Json]:
    return [{"type": _concept(f"task-input-{of}", "titre"), "valueString": "Un titre"}]


DEATH, MOBILITY = _concept("http://loinc.org", "79378-6"), _concept("http://loinc.org", "LP73551-1")
# By example, the elements that the package holds to a value or to a slice.
FITTED: dict[str, Json] = {
    "tddui-careplan-projet-personnalise": {
        "identifier": [_number("projetpersonnalise")],
        "supportingInfo": _apart("accordStructure", display="Accord"),
    },
    "tddui-encounter-evenement": {"identifier": [_number("evenement")]},
    "tddui-encounter-sejour": {"identifier": [_number("sejour", _concept("encounter-identifier", "SEJ", "Identifiant du séjour") )]},
    "tddui-goal-attente": {
        "identifier": [_number("attente")], "note": _apart("origineAttente", text="Dit par elle-même"),
    },
    "tddui-goal-objectif": {
        "identifier": [_number("objectif")], "note": _apart("titreObjectif", text="Marcher jusqu'au jardin"),
    },
    "tddui-goal-projet-vie": {"identifier": [_number("projetvie", _concept("goal-identifier", "PDV"))]},
    "tddui-observation-cause-mortalite": {
        "code": DEATH, "component": [{"code": DEATH, "valueCodeableConcept": {"text": "Naturelle"}}],
    },
    "tddui-observation-mobilite-usager": {"code": MOBILITY},
    "tddui-observation-periode-scolaire": {
        "identifier": [_number("periodescolaire")], "code": _concept("observation-type", "PERIODESCOL", "Période scolaire"),
    },
    "tddui-observation-repas": {
        "identifier": [_number("repas", _concept("observation-identifier", "REP"))],
        "code": _concept("observation-type", "REPAS", "Repas"),
        "effectiveDateTime": "2026-11-20T12:00:00+01:00",
    },
    "tddui-organization": {
        "identifier": [{"type": _concept(f"{FR_CORE}/CodeSystem/fr-core-cs-v2-0203", "IDNST"), "system": STRUCTURE, "value": "1380000018"}],
    },
    "tddui-practitioner": {"identifier": [{"system": PROFESSIONAL, "value": "881000000000"}]},
    "tddui-questionnaire-response": {"identifier": _number("evaluation")},
    "tddui-service-request-besoin": {"identifier": [_number("besoin", _concept("service-request-identifier", "BES"))]},
    "tddui-slot-presence-absence": {
        "identifier": [_number("presenceabsence", _concept("slot-identifier", "PA"))],
        "serviceType": [{"coding": [{"code": "1"}]}],
    },
    "tddui-task-action": {"identifier": [_number("action")], "input": _titled("action")},
    "tddui-task-bilan": {"identifier": [_number("bilan")]},
    "tddui-task-moyen-ressource": {"input": _titled("moyen-ressource")},
    "tddui-task-prestation": {"identifier": [_number("prestation")], "input": _titled("prestation")},
    "tddui-task-transport-professionnel": {"identifier": [_number("transportprofessionnel")]},
    "tddui-task-transport-usager": {"identifier": [_number("transportusager")]},
    "tddui-basic-decision": {
        "identifier": [{"type": _concept("basic-decision-identifier", "IDDECISION"), "system": "https://exemple.test/decisions", "value": "7"}],
        "code": _concept("basic-type", "DECISION"),
    },
}  # fmt: skip
OF_EXTENSIONS: dict[str, Json] = {
    "tddui-careplan-reference": {"valueReference": {"display": "Le projet"}},
    "tddui-participant-present": {"valueBoolean": True},
    "tddui-birth-order": {"valuePositiveInt": 1},
}
# By example, the profiles we map that have no rule of ours: type, profile, what it tells.
OTHERS: dict[str, tuple[str, str, Json]] = {
    "tddui-related-person-contact": (
        "RelatedPerson",
        profile("related-person-contact"),
        {"name": [{"use": "official", "family": "Leroux", "given": ["Paul"]}], "relationship": [{"text": "Frère"}]},
    ),
    "tddui-practitioner-role": (
        "PractitionerRole",
        profile("practitioner-role"),
        {"practitioner": {"display": "Rose Duval"}, "organization": {"display": "Les Tilleuls"}},
    ),
    "tddui-schedule": ("Schedule", profile("schedule"), {"actor": [SOMEONE]}),
    "tddui-basic-decision": (
        "Basic",
        profile("basic-decision"),
        {**FITTED["tddui-basic-decision"], "subject": {"display": "La demande d'orientation"}},
    ),
    "location": ("Location", f"{CORE}Location", {"description": "Au fond de la cour"}),
}
