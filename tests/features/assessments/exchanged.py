"""An evaluation as another house sends it, in our own words: every element of its profile, and answers of every type."""

from typing import Any
from uuid import UUID

from tests.features.maps import Bench

Json = dict[str, Any]
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
SERAFIN = "https://interop.esante.gouv.fr/ig/fhir/tddui/Questionnaire/tddui-questionnaire-serafin|2.4.0"
PRO, PLACE, PAPER, VISIT = (UUID(int=n) for n in (1, 2, 3, 4))


def extension(name: str, kind: str, value: object) -> Json:
    return {"url": f"{TDDUI}/tddui-{name}", f"value{kind}": value}


def to(type_name: str, id: object) -> Json:
    return {"reference": f"{type_name}/{id}"}


def answered(usager: UUID | str, **more: Any) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "meta": {"profile": [f"{TDDUI}/tddui-questionnaire-response"], "lastUpdated": "2026-03-02T10:00:00+01:00"},
        "extension": [
            {
                "url": f"{TDDUI}/tddui-qr-participant",
                "extension": [
                    {"url": "TDDUIResponsible", "valueReference": to("Practitioner", PRO)},
                    {"url": "TDDUIHolder", "valueReference": to("Organization", PLACE)},
                ],
            },
            extension("attachment", "Reference", to("DocumentReference", PAPER)),
            extension("comment", "String", "Faite à la maison"),
            extension("assessment-method", "String", "Entretien et observation"),
        ],
        "identifier": {
            "system": "https://identifiant-medicosocial-evaluation.esante.gouv.fr",
            "value": "3690012345/4711-EVAL-1",
        },
        "questionnaire": "https://ailleurs.example/Questionnaire/grille|1",
        "status": "amended",
        "_status": {"extension": [extension("status-author", "Reference", to("Practitioner", PRO))]},
        "subject": to("Patient", usager),
        "encounter": to("Encounter", VISIT),
        "authored": "2026-03-01T09:00:00+00:00",
        "author": to("Practitioner", PRO),
        "source": to("Practitioner", PRO),
        "item": [
            {
                "extension": [extension("comment", "String", "Le matin seulement")],
                "linkId": "a",
                "text": "Se lever",
                "answer": [{"valueInteger": 3, "item": [{"linkId": "a.1", "answer": [{"valueBoolean": True}]}]}],
            },
            {
                "linkId": "b",
                "item": [
                    {"linkId": "b.1", "answer": [{"valueDecimal": 1.5}, {"valueDecimal": 2.25}]},
                    {"linkId": "b.2", "answer": [{"valueDate": "2026-02"}]},
                    {"linkId": "b.3", "answer": [{"valueDateTime": "2026-02-03T08:00:00+01:00"}]},
                    {"linkId": "b.4", "answer": [{"valueTime": "08:30:00"}]},
                    {"linkId": "b.5", "answer": [{"valueString": "Seule"}]},
                    {"linkId": "b.6", "answer": [{"valueUri": "https://ailleurs.example/x"}]},
                    {"linkId": "b.7", "answer": [{"valueCoding": {"system": "urn:s", "code": "c", "display": "Ça"}}]},
                    {
                        "linkId": "b.8",
                        "answer": [
                            {
                                "valueQuantity": {
                                    "value": 2,
                                    "unit": "h",
                                    "system": "http://unitsofmeasure.org",
                                    "code": "h",
                                }
                            }
                        ],
                    },
                    {"linkId": "b.9", "answer": [{"valueAttachment": {"contentType": "text/plain", "data": "YQ=="}}]},
                    {"linkId": "b.10", "answer": [{"valueReference": to("Practitioner", PRO)}]},
                ],
            },
        ],
    } | more


def inbound_of(bench: Bench) -> Any:
    """What leads to a row here."""
    inbound = bench.inbound()
    known = {"Practitioner": PRO, "Organization": PLACE, "DocumentReference": PAPER, "Encounter": VISIT}
    local = {f"{kind}/{id}": id for kind, id in known.items()} | {f"Patient/{bench.usager}": bench.usager}
    object.__setattr__(inbound, "local", local)
    return inbound
