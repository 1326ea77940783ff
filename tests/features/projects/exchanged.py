"""A project as another house sends it, in our own words; what a bundle becomes here, and what goes out again."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson

from app.access.entry import DossierEntry
from app.api.resources import REGISTRY
from app.fhir import references
from app.fhir.mapping import AnyMap, Inbound, Neighbours, about_extra, as_read, plain
from app.kernel.crypto import Keyring, UsagerKey

Json = dict[str, Any]
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
OUTSIDE = ("Practitioner", "PractitionerRole", "RelatedPerson", "DocumentReference", "QuestionnaireResponse")
SERVERS_OWN = ("versionId", "lastUpdated", "source")


def _profile(name: str) -> Json:
    return {"profile": [f"{TDDUI}/StructureDefinition/tddui-{name}"]}


def _extension(name: str, kind: str, value: object) -> Json:
    return {"url": f"{TDDUI}/StructureDefinition/tddui-{name}", f"value{kind}": value}


def _to(name: str, **more: Any) -> Json:
    return {"reference": name, **more}


def _apart(code: str) -> Json:
    coding = [{"system": f"{TDDUI}/CodeSystem/tddui-discriminator", "code": code}]
    return {"extension": [_extension("discriminator", "CodeableConcept", {"coding": coding})]}


def _identifier(system: str, tag: str, number: int, **more: Any) -> list[Json]:
    host = f"https://identifiant-medicosocial-{system}.esante.gouv.fr"
    return [{"system": host, "value": f"3690012345/4711-{tag}-{number}", **more}]


def _given(of: str, code: str, kind: str, value: object) -> Json:
    coding = [{"system": f"{TDDUI}/CodeSystem/tddui-task-{of}", "code": code}]
    return {"type": {"coding": coding}, f"value{kind}": value}


BY_A_ROLE = {"extension": [_extension("status-author", "Reference", _to("PractitionerRole/chef"))]}
SIGNED = {
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "policy": [{"authority": "https://ailleurs.example/"}],
}
SERAFIN = "https://smt.esante.gouv.fr/terminologie-SERAFINPH"
RESOURCES: dict[str, Json] = {
    "Patient/noe": {"resourceType": "Patient", "meta": _profile("patient"), "birthDate": "2011-04-02"},
    "Practitioner/anne": {"resourceType": "Practitioner", "meta": _profile("practitioner")},
    "PractitionerRole/chef": {"resourceType": "PractitionerRole", "meta": _profile("practitioner-role")},
    "RelatedPerson/mere": {"resourceType": "RelatedPerson", "meta": _profile("related-person-contact")},
    "DocumentReference/lettre": {"resourceType": "DocumentReference", "meta": _profile("document-reference")},
    "QuestionnaireResponse/grille": {
        "resourceType": "QuestionnaireResponse",
        "meta": _profile("questionnaire-response"),
    },
    "Consent/structure": {
        "resourceType": "Consent",
        "meta": _profile("consent-accord"),
        "status": "active",
        **SIGNED,
        "dateTime": "2026-01-12T10:30:00+01:00",
        "performer": [_to("PractitionerRole/chef", display="La cheffe de service")],
        "extension": [
            {
                "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.period",
                "valuePeriod": {"start": "2026-01-12", "end": "2027-01-12"},
            }
        ],
    },
    "Consent/mere": {
        "resourceType": "Consent",
        "meta": _profile("consent-accord"),
        "status": "rejected",
        **SIGNED,
        "dateTime": "2026-01-14",
        "performer": [_to("RelatedPerson/mere")],
    },
    "CarePlan/projet": {
        "resourceType": "CarePlan",
        "meta": _profile("careplan-projet-personnalise"),
        "extension": [_extension("attachment", "Reference", _to("DocumentReference/lettre"))],
        "identifier": _identifier("projetpersonnalise", "PPER", 7),
        "status": "on-hold",
        "_status": BY_A_ROLE,
        "intent": "plan",
        "category": [{"coding": [{"system": "urn:jdv:j367", "code": "PPA", "display": "Projet"}]}],
        "title": "Projet de Noé",
        "description": "Une année pour choisir la suite.",
        "subject": _to("Patient/noe"),
        "period": {"start": "2026-01-15", "end": "2026-12-31"},
        "supportingInfo": [
            {**_apart("accordStructure"), **_to("Consent/structure")},
            {**_apart("accordUsager"), **_to("Consent/mere")},
        ],
        "note": [{"text": "Lu ensemble, avec des images.", "time": "2026-01-12"}],
    },
    "Goal/souhait": {
        "resourceType": "Goal",
        "meta": _profile("goal-attente"),
        "extension": [
            _extension("careplan-reference", "Reference", _to("CarePlan/projet")),
            _extension("attachment", "Reference", _to("DocumentReference/lettre")),
        ],
        "identifier": _identifier("attente", "ATTE", 1),
        "lifecycleStatus": "proposed",
        "description": {"text": "Je veux conduire un tracteur."},
        "subject": _to("Patient/noe"),
        "startDate": "2025-11-03",
        "note": [
            {**_apart("origineAttente"), "text": "Famille : son grand-père"},
            {**_apart("commentaireAttente"), "text": "Il y passe ses vacances.", "time": "2025-11-04"},
            {**_apart("commentaireAttente"), "text": "Il connaît les outils."},
        ],
    },
    "ServiceRequest/besoin": {
        "resourceType": "ServiceRequest",
        "meta": _profile("service-request-besoin"),
        "extension": [_extension("attachment", "Reference", _to("DocumentReference/lettre"))],
        "identifier": _identifier(
            "besoin",
            "BESO",
            2,
            type={"coding": [{"system": f"{TDDUI}/CodeSystem/tddui-service-request-identifier", "code": "BES"}]},
        ),
        "basedOn": [_to("CarePlan/projet")],
        "status": "active",
        "intent": "proposal",
        "category": [{"coding": [{"system": SERAFIN, "code": "1.3.3.2", "display": "Besoins pour se former"}]}],
        "code": {"text": "Apprendre un métier au calme"},
        "subject": _to("Patient/noe"),
    },
    "Goal/but": {
        "resourceType": "Goal",
        "meta": _profile("goal-objectif"),
        "extension": [
            _extension("evaluation-reference", "Reference", _to("QuestionnaireResponse/grille")),
            _extension("careplan-reference", "Reference", _to("CarePlan/projet")),
            _extension("attachment", "Reference", _to("DocumentReference/lettre")),
        ],
        "identifier": _identifier("objectif", "OBJE", 3),
        "lifecycleStatus": "active",
        "_lifecycleStatus": BY_A_ROLE,
        "description": {"text": "Trouver un stage dans une ferme."},
        "subject": _to("Patient/noe"),
        "target": [{"dueDate": "2026-06-30"}],
        "expressedBy": _to("Practitioner/anne", display="Anne"),
        "addresses": [_to("ServiceRequest/besoin")],
        "note": [
            {**_apart("titreObjectif"), "text": "Un stage à la ferme"},
            {**_apart("avisUsagerObjectif"), "text": "Moyen : c'est loin", "time": "2026-02-01T16:00:00+01:00"},
            {**_apart("strategieMiseEnOeuvreObjectif"), "text": "Appeler trois fermes."},
            {"text": "Une note que personne ne range."},
        ],
    },
    "Task/action": {
        "resourceType": "Task",
        "meta": _profile("task-action"),
        "identifier": _identifier("action", "ACTI", 4),
        "basedOn": [_to("CarePlan/projet")],
        "status": "in-progress",
        "_status": BY_A_ROLE,
        "intent": "plan",
        "description": "Visiter, puis écrire.",
        "for": _to("Patient/noe"),
        "executionPeriod": {"start": "2026-02-02", "end": "2026-05-29"},
        "owner": _to("PractitionerRole/chef"),
        "input": [
            _given("input-action", "titre", "String", "Visiter trois fermes"),
            _given("input-action", "evaluation", "Reference", _to("QuestionnaireResponse/grille")),
            _given("input-action", "avisUsager", "String", "D'accord"),
            _given("input-action", "resultatAttendu", "String", "Un stage signé"),
            _given("input-action", "pieceJointe", "Reference", _to("DocumentReference/lettre")),
            _given("input-action", "objectif", "Reference", _to("Goal/but")),
        ],
    },
    "Task/prestation": {
        "resourceType": "Task",
        "meta": _profile("task-prestation"),
        "identifier": _identifier("prestation", "PRES", 5),
        "basedOn": [_to("CarePlan/projet")],
        "partOf": [_to("Task/action")],
        "status": "completed",
        "_status": BY_A_ROLE,
        "intent": "plan",
        "input": [
            _given("input-prestation", "titre", "String", "Accompagner les visites"),
            *(
                _given(
                    "input-prestation",
                    "typePrestation",
                    "CodeableConcept",
                    {"coding": [{"system": SERAFIN, "code": code}]},
                )
                for code in ("2.3.3.2", "3.2.1")
            ),
            _given("input-prestation", "evaluation", "Reference", _to("QuestionnaireResponse/grille")),
            _given("input-prestation", "pieceJointe", "Reference", _to("DocumentReference/lettre")),
        ],
    },
    "Task/moyen": {
        "resourceType": "Task",
        "meta": _profile("task-moyen-ressource"),
        "identifier": [{"system": "https://ailleurs.example/moyens", "value": "3690012345/4711-MORE-6"}],
        "partOf": [_to("Task/action")],
        "status": "ready",
        "intent": "plan",
        "input": [
            _given("input-moyen-ressource", "titre", "String", "La voiture du service"),
            _given("input-moyen-ressource", "evaluation", "Reference", _to("QuestionnaireResponse/grille")),
            _given("input-moyen-ressource", "pieceJointe", "Reference", _to("DocumentReference/lettre")),
        ],
    },
    "Task/bilan": {
        "resourceType": "Task",
        "meta": _profile("task-bilan"),
        "identifier": _identifier("bilan", "BILA", 8),
        "basedOn": [_to("CarePlan/projet")],
        "status": "completed",
        "intent": "plan",
        "code": {"coding": [{"system": "urn:jdv:j366", "code": "REALISE"}]},
        "executionPeriod": {"start": "2026-06-29T14:00:00+02:00", "end": "2026-06-29T16:00:00+02:00"},
        "input": [
            _given("input-bilan", "perimetre", "String", "L'année"),
            _given("input-bilan", "problematique", "String", "Et après ?"),
            _given("input-bilan", "invite", "String", "Son grand-père"),
            _given("input-bilan", "pieceJointe", "Reference", _to("DocumentReference/lettre")),
            _given("input-bilan", "dateProchainBilan", "DateTime", "2027-01-11"),
            *(
                _given("input-bilan", "synthesePreparationBilan", "Annotation", {"text": text, "authorString": by})
                for text, by in (("J'aime les vaches.", "Noé"), ("Il se lève seul.", "L'internat"))
            ),
        ],
        "output": [_given("output-bilan", "syntheseBilan", "String", "Le stage a plu ; un second est prévu.")],
    },
}


@dataclass(frozen=True, slots=True)
class Came:
    """One resource, as it was received once its references were rewritten, and what it became."""

    its_map: AnyMap
    resource: Json
    row: DossierEntry
    told: Json
    wrapped: bytes
    keyring: Keyring

    def out(self) -> Json:
        view = as_read(self.its_map.view, self.row, {**self.told, "wrapped_key": self.wrapped})
        return plain(self.its_map.out(view, self.keyring))

    def extra(self) -> Json:
        if self.row.extra is None:
            return {}
        key = self.keyring.usager_key(self.wrapped, str(self.row.usager_id))
        kept: Json = orjson.loads(key.open(self.row.extra, about_extra(type(self.row), self.row.id)))
        return kept


@dataclass(frozen=True, slots=True)
class _Entry:
    at: int
    full_url: str
    resource: Json


def own_bundle() -> Json:
    entries = [
        {"fullUrl": f"https://ailleurs.example/{name}", "resource": {"id": name.partition("/")[2], **deepcopy(body)}}
        for name, body in RESOURCES.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def arrived(
    bundle: Json, keyring: Keyring, key: UsagerKey, wrapped: bytes, usager: UUID, structure: UUID, partner: UUID
) -> list[Came]:
    """Each resource of a project in a bundle, as the exchange would hand it to its map."""
    entries = [_Entry(n, e["fullUrl"], e["resource"]) for n, e in enumerate(bundle["entry"])]
    ids = {e.at: usager if e.resource["resourceType"] == "Patient" else uuid4() for e in entries}
    names = {e.at: f"{e.resource['resourceType']}/{ids[e.at]}" for e in entries}
    links = references.Links(entries)
    around = Neighbours({names[e.at]: links.rewritten(e, names) for e in entries})
    local = {name: ids[at] for at, name in names.items()}
    found = []
    for entry in entries:
        resource = around[names[entry.at]]
        if entry.resource["resourceType"] in ("Patient", *OUTSIDE):
            continue
        inbound = Inbound(ids[entry.at], usager, structure, partner, key, keyring, "Bundle", local=local, around=around)
        its_map, became = REGISTRY.received(resource, inbound, lenient=False)
        found.append(Came(its_map, resource, became.row, dict(became.told), wrapped, keyring))
    return found


def bare(resource: Json) -> Json:
    """Canonical: without what a server says of its own."""
    rest = {name: value for name, value in resource.items() if name != "id"}
    rest["meta"] = {name: value for name, value in resource.get("meta", {}).items() if name not in SERVERS_OWN}
    canonical: Json = json.loads(json.dumps(rest, sort_keys=True))
    return canonical


def filled(definition: Json, resource: Json) -> tuple[list[str], list[str]]:
    """The elements of a differential that a resource says, and those it does not."""
    elements = [e for e in definition["differential"]["element"] if e.get("max") != "0"]
    said, unsaid = [], []
    for element in elements:
        path = element["id"].split(".")[1:]
        (said if any(True for _ in _nodes(resource, path, element["id"].split(".")[:1], elements)) else unsaid).append(
            element["id"]
        )
    return said, unsaid


def _nodes(node: Any, path: list[str], done: list[str], elements: list[Json]) -> Iterator[Any]:
    if not path:
        yield node
        return
    name, _, piece = path[0].partition(":")
    here = [*done, path[0]]
    for value in _children(node, name, path[1:]):
        for item in value if isinstance(value, list) else [value]:
            if not piece or _is_slice(item, ".".join(here), elements):
                yield from _nodes(item, path[1:], here, elements)


def _children(node: Any, name: str, then: list[str]) -> Iterator[Any]:
    if not isinstance(node, dict):
        return
    if name.endswith("[x]"):
        yield from (value for key, value in node.items() if key.startswith(name[:-3]))
    elif then and then[0].startswith("extension") and f"_{name}" in node:
        yield node[f"_{name}"]
    elif name in node:
        yield node[name]


def _is_slice(item: Any, slice_id: str, elements: list[Json]) -> bool:
    """By what the slice fixes: the code of a pattern under it, or the extension's address."""
    text = json.dumps(item)
    for element in elements:
        if not element["id"].startswith(slice_id):
            continue
        for pattern in (element[k] for k in element if k.startswith("pattern")):
            codes = [c["code"] for c in pattern.get("coding", [])] if isinstance(pattern, dict) else [pattern]
            return all(f'"{code}"' in text for code in codes)
        for profile in (p for t in element.get("type", []) for p in t.get("profile", [])):
            if element["id"] == slice_id:
                return f'"{profile}"' in text
    return False
