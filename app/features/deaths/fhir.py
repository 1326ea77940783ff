"""The causes of a death ⇄ Observation: one component a cause, of CIM-10.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-cause-mortalite
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import Uuid, literal_column

from app.features.deaths.models import Death
from app.fhir import observed
from app.fhir.concepts import Concept, concept, concepts_of, nested, unnested
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, When
from app.fhir.search.criteria import Reference as Leads
from app.fhir.tddui import day, instant_of, last_updated, profile, to, whole_day
from app.fhir.types import CodeableConcept, Coding, Observation, ObservationComponent, Reference, heard
from app.kernel.clock import now

PROFILE = profile("observation-cause-mortalite")
CODE = CodeableConcept((Coding("http://loinc.org", "79378-6"),))


class DeathFhir(RecordView, frozen=True):
    TABLE: ClassVar = Death

    status: str
    causes: str | None
    noted_on: date | None
    said_by: str | None
    comment: str | None


def to_fhir(d: DeathFhir) -> Observation:
    return Observation(
        id=d.id,
        meta=meta(d, PROFILE),
        status=observed.CODES[d.status],
        code=CODE,
        subject=to("Patient", d.usager_id),
        effectiveDateTime=day(d.noted_on),
        performer=(Reference(display=d.said_by),) if d.said_by else (),
        note=observed.remark(d.comment),
        component=tuple(
            ObservationComponent(code=CODE, valueCodeableConcept=concept(one)) for one in unnested(d.causes, Concept)
        ),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """A doctor who is referred to stays beside the row; one who is only named is told here."""
    o = heard(Observation, resource)
    doctor = o.performer[0] if len(o.performer) == 1 else Reference()
    row = Death(
        status=observed.status_of(o.status),
        causes=nested(concepts_of([c.valueCodeableConcept for c in o.component])),
        noted_on=whole_day(o.effectiveDateTime),
        said_by=doctor.display if doctor.reference is None else None,
        comment=observed.remark_of(o.note),
        occurred_at=instant_of(o.effectiveDateTime) or last_updated(resource) or now(),
    )
    return Arrived(row)


DEATH = ResourceMap(
    profile=PROFILE,
    type_name="Observation",
    view=DeathFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    codes=frozenset({"http://loinc.org|79378-6"}),
    by_type=False,
    search={
        **observed.searched(Death.status, CODE),
        "component-value-concept": Coded(observed.codes_within(Death.causes)),
        "date": When(Death.noted_on, at=("effectiveDateTime",), parts=Death.told_in_part),
        "performer": Leads(literal_column("NULL::uuid", Uuid()), "Practitioner", Death.said_by),  # by their name alone
    },
)
