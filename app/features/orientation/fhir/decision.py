"""Decision of the CDAPH (décision d'orientation) ⇄ Basic and its extension.

Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-basic-decision
and https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-decision
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from app.access.protection import ANYWHERE_PROTECTED
from app.features.orientation.fhir.numbers import named, number, unsealed
from app.features.orientation.fhir.request import PROFILE as REQUEST_PROFILE
from app.features.orientation.models import OrientationDecision
from app.features.orientation.schemas import without_houses
from app.features.orientation.service import due
from app.fhir.concepts import Concept, concept, concept_of, nested, unnested
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.observed import constant
from app.fhir.registry import profiles_of
from app.fhir.search.criteria import When
from app.fhir.search.issued import Named
from app.fhir.tddui import TDDUI, day, instant_of, last_updated, profile, to, whole_day
from app.fhir.types import Basic, CodeableConcept, Coding, Extension, Reference, heard
from app.kernel.clock import now

PROFILE, EXTENSION = profile("basic-decision"), profile("decision")
CODE = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-basic-type", "DECISION"),))
NUMBER, REVISES = (
    CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-basic-decision-identifier", code),))
    for code in ("IDDECISION", "IDDECISIONMAJ")
)


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    qualification: Concept | None = None
    temporality: Concept | None = None
    precision: Concept | None = None
    structure_id: str | None = None
    structure_name: str | None = None


class Right(msgspec.Struct, frozen=True, omit_defaults=True):
    category: Concept | None = None
    type: Concept | None = None
    nature: Concept | None = None
    opens_on: date | None = None
    ends_on: date | None = None
    global_plan: bool | None = None
    creton: bool | None = None
    details: tuple[Detail, ...] = ()


class DecisionFhir(RecordView, frozen=True):
    TABLE: ClassVar = OrientationDecision
    COMPUTED: ClassVar = {"protected": ANYWHERE_PROTECTED}

    number: bytes | None
    number_system: str | None
    revises: bytes | None
    revises_system: str | None
    request_id: str | None
    decided_on: date | None
    decided_by: str | None
    type_code: str | None
    type_label: str | None
    motivation: str | None
    motivation_label: str | None
    local_motivation: str | None
    closes_on: date | None
    rights: str | None
    protected: bool = True  # where nobody could tell


def to_fhir(d: DecisionFhir) -> Basic:
    told = (
        *_concept("typeDecision", _of(d.type_code, d.type_label)),
        *_concept("motivation", _of(d.motivation, d.motivation_label)),
        *_said("dateEffetCloture", valueDate=day(d.closes_on)),
        *(_right(right) for right in unnested(d.rights, Right)),
        *_said("motivationLocale", valueString=d.local_motivation),
    )
    return Basic(
        id=d.id,
        meta=meta(d, PROFILE),
        extension=(Extension(url=EXTENSION, extension=told),) if told else (),
        identifier=(*named(d, NUMBER), *number(d, "revises", REVISES)),
        code=CODE,
        subject=to("ServiceRequest", d.request_id) if d.request_id else to("Patient", d.usager_id),
        created=day(d.decided_on),
        author=Reference(display=d.decided_by) if d.decided_by else None,
    )


def _right(r: Right) -> Extension:
    return Extension(
        url="droitPrestation",
        extension=(
            *_concept("categorieDroitPrestation", r.category),
            *_concept("typeDroitPrestation", r.type),
            *_concept("natureDroitPrestation", r.nature),
            *_said("dateOuverture", valueDate=day(r.opens_on)),
            *_said("dateEcheance", valueDate=day(r.ends_on)),
            *_said("existencePAG", valueBoolean=r.global_plan),
            *(_detail(each) for each in r.details),
            *_said("creton", valueBoolean=r.creton),
        ),
    )


def _detail(d: Detail) -> Extension:
    house = Reference(f"Organization/{d.structure_id}" if d.structure_id else None, d.structure_name)
    return Extension(
        url="detailPrestation",
        extension=(
            *_concept("qualificationOrientation", d.qualification),
            *_concept("temporaliteAccueil", d.temporality),
            *_concept("precisionOrientation", d.precision),
            *_said("structureAccueil", valueReference=house if d.structure_id or d.structure_name else None),
        ),
    )


def _said(url: str, **value: Any) -> tuple[Extension, ...]:
    return (Extension(url=url, **value),) if next(iter(value.values())) is not None else ()


def _concept(url: str, one: Concept | None) -> tuple[Extension, ...]:
    return _said(url, valueCodeableConcept=concept(one))


def _of(code: str | None, label: str | None) -> Concept | None:
    return Concept(code, label) if code or label else None


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    b = heard(Basic, resource)
    told = next((e.extension for e in b.extension if e.url == EXTENSION), ())
    kind, why = (
        concept_of(_one(told, url).valueCodeableConcept) or Concept() for url in ("typeDecision", "motivation")
    )
    rights = [_right_of(inbound, e.extension) for e in told if e.url == "droitPrestation"]
    row = OrientationDecision(
        request_id=_request_of(inbound, b.subject),
        decided_on=whole_day(b.created),
        decided_by=b.author.display if b.author and b.author.reference is None else None,
        type_code=kind.code,
        type_label=kind.label,
        motivation=why.code,
        motivation_label=why.label,
        local_motivation=_one(told, "motivationLocale").valueString,
        closes_on=whole_day(_one(told, "dateEffetCloture").valueDate),
        rights=nested(rights),
        rights_end_on=due([right.ends_on for right in rights if right.ends_on]),
        occurred_at=instant_of(b.created) or last_updated(resource) or now(),
    )
    return Arrived(row)


def _one(told: Iterable[Extension], url: str) -> Extension:
    return next((e for e in told if e.url == url), Extension())


def _right_of(inbound: Inbound, told: tuple[Extension, ...]) -> Right:
    category, kind, nature = (
        concept_of(_one(told, f"{name}DroitPrestation").valueCodeableConcept)
        for name in ("categorie", "type", "nature")
    )
    return Right(
        category,
        kind,
        nature,
        whole_day(_one(told, "dateOuverture").valueDate),
        whole_day(_one(told, "dateEcheance").valueDate),
        _one(told, "existencePAG").valueBoolean,
        _one(told, "creton").valueBoolean,
        tuple(_detail_of(inbound, e.extension) for e in told if e.url == "detailPrestation"),
    )


def _detail_of(inbound: Inbound, told: tuple[Extension, ...]) -> Detail:
    """A house that leads nowhere stays beside the row."""
    house = _one(told, "structureAccueil").valueReference or Reference()
    id = inbound.target(house, "Organization")
    return Detail(
        concept_of(_one(told, "qualificationOrientation").valueCodeableConcept),
        concept_of(_one(told, "temporaliteAccueil").valueCodeableConcept),
        concept_of(_one(told, "precisionOrientation").valueCodeableConcept),
        str(id) if id else None,
        house.display if id or house.reference is None else None,
    )


def _request_of(inbound: Inbound, subject: Reference | None) -> UUID | None:
    """A need is a ServiceRequest too: one of the same bundle says by its profile what it is."""
    resource = inbound.around.get((subject.reference if subject else None) or "")
    if resource is not None and REQUEST_PROFILE not in profiles_of(resource):
        return None
    return inbound.target(subject, "ServiceRequest")


def masked(d: DecisionFhir) -> DecisionFhir:
    return msgspec.structs.replace(d, rights=without_houses(d.rights)) if d.protected else d


DECISION = ResourceMap(
    profile=PROFILE,
    type_name="Basic",
    view=DecisionFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    codes=frozenset({f"{CODE.coding[0].system}|{CODE.coding[0].code}"}),
    by_type=False,
    unseals=unsealed,
    search={
        "code": constant(CODE),
        "created": When(OrientationDecision.decided_on, at=("created",), parts=OrientationDecision.told_in_part),
        "identifier": Named(OrientationDecision),
    },
    masked=masked,
    hides=lambda decision: decision.protected,
)
