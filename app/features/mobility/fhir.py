"""How a person moves about ⇄ Observation.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-mobilite-usager
"""

from datetime import date
from typing import ClassVar

import msgspec

from app.features.mobility.models import Mobility
from app.fhir import observed
from app.fhir.concepts import Concept, concept, concept_of, nested, unnested
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Composite, When
from app.fhir.tddui import day, instant_of, last_updated, profile, to, whole_day
from app.fhir.types import CodeableConcept, Coding, Observation, ObservationComponent, heard
from app.kernel.clock import now

PROFILE = profile("observation-mobilite-usager")
CODE = CodeableConcept((Coding("http://loinc.org", "LP73551-1"),))
UNNAMED = CodeableConcept(text="Précision")  # R4 asks a component what it is about


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    text: str
    code: str | None = None
    label: str | None = None


class MobilityFhir(RecordView, frozen=True):
    TABLE: ClassVar = Mobility

    status: str
    mode: str | None
    mode_label: str | None
    noted_on: date | None
    details: str | None
    comment: str | None


def to_fhir(m: MobilityFhir) -> Observation:
    mode = Concept(m.mode, m.mode_label) if m.mode or m.mode_label else None
    return Observation(
        id=m.id,
        meta=meta(m, PROFILE),
        status=observed.CODES[m.status],
        code=CODE,
        subject=to("Patient", m.usager_id),
        effectiveDateTime=day(m.noted_on),
        valueCodeableConcept=concept(mode),
        note=observed.remark(m.comment),
        component=tuple(
            ObservationComponent(
                code=concept(Concept(d.code, d.label)) if d.code or d.label else UNNAMED, valueString=d.text
            )
            for d in unnested(m.details, Detail)
        ),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    o = heard(Observation, resource)
    mode = concept_of(o.valueCodeableConcept) or Concept()
    row = Mobility(
        status=observed.status_of(o.status),
        mode=mode.code,
        mode_label=mode.label,
        noted_on=whole_day(o.effectiveDateTime),
        details=nested([_detail(c) for c in o.component if c.valueString]),
        comment=observed.remark_of(o.note),
        occurred_at=instant_of(o.effectiveDateTime) or last_updated(resource) or now(),
    )
    return Arrived(row)


def _detail(c: ObservationComponent) -> Detail:
    about = concept_of(c.code) or Concept()
    return Detail(c.valueString or "", about.code, about.label)


_MODE = Coded(Mobility.mode, Mobility.mode_label)
MOBILITY = ResourceMap(
    profile=PROFILE,
    type_name="Observation",
    view=MobilityFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    codes=frozenset({"http://loinc.org|LP73551-1"}),
    by_type=False,
    search={
        **observed.searched(Mobility.status, CODE),
        "date": When(Mobility.noted_on, at=("effectiveDateTime",), parts=Mobility.told_in_part),
        "value-concept": _MODE,
        "code-value-concept": Composite(observed.constant(CODE), _MODE),
    },
)
