"""School period ⇄ Observation; the last day of `effectivePeriod` is of the period, ours `[starts, ends)` ends the day after.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-periode-scolaire
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, ClassVar

import msgspec
from sqlalchemy import ColumnElement, Double, Text, cast, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from app.access.protection import HOUSE_HIDDEN, PROTECTED, house_hidden
from app.features.schooling.models import SchoolPeriod
from app.features.structures.shown import FINESS
from app.fhir import observed
from app.fhir.concepts import Concept, concept, concepts_of, nested, unnested
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Either, Mask, When
from app.fhir.search.criteria import Quantity as QuantityCriterion
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import TDDUI, day, instant_of, issued, last_updated, number, profile, system, to, whole_day
from app.fhir.types import (
    CodeableConcept,
    Coding,
    Observation,
    ObservationComponent,
    Period,
    Quantity,
    Reference,
    heard,
)
from app.kernel.clock import now
from app.kernel.errors import Invalid

PROFILE, SYSTEM = profile("observation-periode-scolaire"), system("periodescolaire")
CODE = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-observation-type", "PERIODESCOL", "Période scolaire"),))
PARTS = f"{TDDUI}/CodeSystem/tddui-observation-periode-scolaire"
TEACHING, DIPLOMA, VOLUME = (
    Coding(PARTS, code, display)
    for code, display in (
        ("typeEnseignementSpecialise", "Type enseignement spécialisé"),
        ("diplome", "Diplôme"),
        ("volumeScolarisation", "Volume de scolarisation"),
    )
)
CONTACT, SCHOOL = "RelatedPerson", "Organization"
A_DAY = timedelta(days=1)


class Volume(msgspec.Struct, frozen=True, omit_defaults=True):
    value: float | int | None = None
    unit: str | None = None
    code: str | None = None


class SchoolPeriodFhir(RecordView, frozen=True):
    TABLE: ClassVar = SchoolPeriod
    COMPUTED: ClassVar = {
        "finess": FINESS,
        "house_hidden": HOUSE_HIDDEN,
    }

    status: str
    starts: date | None
    ends: date | None
    referent_id: str | None
    referent_name: str | None
    school_id: str | None
    school_name: str | None
    teachings: str | None
    diplomas: str | None
    volume: str | None
    comment: str | None
    place_protected: bool
    finess: str | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(s: SchoolPeriodFhir) -> Observation:
    last = s.ends - A_DAY if s.ends else None
    referent, school = _named(CONTACT, s.referent_id, s.referent_name), _named(SCHOOL, s.school_id, s.school_name)
    return Observation(
        id=s.id,
        meta=meta(s, PROFILE),
        identifier=issued(s, SYSTEM),
        status=observed.CODES[s.status],
        code=CODE,
        subject=to("Patient", s.usager_id),
        effectivePeriod=Period(day(s.starts), day(last)) if s.starts or last else None,
        performer=tuple(one for one in (referent, school) if one),
        note=observed.remark(s.comment),
        component=(
            *(_part(TEACHING, valueCodeableConcept=concept(one)) for one in unnested(s.teachings, Concept)),
            *(_part(DIPLOMA, valueCodeableConcept=concept(one)) for one in unnested(s.diplomas, Concept)),
            *(_part(VOLUME, valueQuantity=_quantity(s.volume)) for _ in (s.volume,) if s.volume),
        ),
    )


def _part(code: Coding, **value: Any) -> ObservationComponent:
    return ObservationComponent(code=CodeableConcept((code,)), **value)


def _quantity(volume: str | None) -> Quantity:
    v = msgspec.json.decode(volume or "{}", type=Volume)
    of, _, code = (v.code or "").rpartition("|")
    return Quantity(
        value=None if v.value is None else number(v.value), unit=v.unit, system=of or None, code=code or None
    )


def _named(type_name: str, id: str | None, name: str | None) -> Reference | None:
    """A name alone says of what type it is: the two are told apart by it."""
    if id:
        return Reference(f"{type_name}/{id}", name)
    return Reference(display=name, type=type_name) if name else None


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when it ends before it starts."""
    o = heard(Observation, resource)
    period = o.effectivePeriod or Period()
    starts, last = whole_day(period.start), whole_day(period.end)
    if starts and last and last < starts:
        raise Invalid("Une période finit après avoir commencé.", where="effectivePeriod.end", code="not_carried")
    referent_id, referent_name = _who(inbound, o.performer, CONTACT)
    school_id, school_name = _who(inbound, o.performer, SCHOOL)
    row = SchoolPeriod(
        status=observed.status_of(o.status),
        starts=starts,
        ends=last + A_DAY if last else None,
        referent_id=referent_id,
        referent_name=referent_name,
        school_id=school_id,
        school_name=school_name,
        teachings=nested(concepts_of([c.valueCodeableConcept for c in _parts(o, TEACHING)])),
        diplomas=nested(concepts_of([c.valueCodeableConcept for c in _parts(o, DIPLOMA)])),
        volume=_volume(next((c.valueQuantity for c in _parts(o, VOLUME)), None)),
        comment=observed.remark_of(o.note),
        occurred_at=instant_of(period.start) or last_updated(resource) or now(),
    )
    return Arrived(row)


def _parts(o: Observation, of: Coding) -> list[ObservationComponent]:
    return [c for c in o.component if c.code and any((d.system, d.code) == (of.system, of.code) for d in c.code.coding)]


def _volume(q: Quantity | None) -> str | None:
    if q is None or q.value is None:
        return None
    return nested(Volume(q.value, q.unit, f"{q.system}|{q.code}" if q.system and q.code else None))


def _who(inbound: Inbound, performers: Iterable[Reference], type_name: str) -> tuple[Any, str | None]:
    """The first of this type, by its row and its name, or by its name alone; what leads nowhere stays beside the row."""
    for one in performers:
        if id := inbound.target(one, type_name):
            return id, one.display
        if one.reference is None and one.type == type_name:
            return None, one.display
    return None, None


def protected(s: SchoolPeriodFhir) -> bool:
    return s.place_protected or s.house_hidden


def masked(s: SchoolPeriodFhir) -> SchoolPeriodFhir:
    """The school, and what was said of it, of who is in a protected place."""
    if not protected(s):
        return s
    return msgspec.structs.replace(s, school_id=None, school_name=PROTECTED, comment=None)


def _said_of(name: str) -> ColumnElement[Any]:
    return cast(SchoolPeriod.volume, JSONB()).op("->>", return_type=Text())(literal_column(f"'{name}'"))


PERIOD = ResourceMap(
    profile=PROFILE,
    type_name="Observation",
    view=SchoolPeriodFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    codes=frozenset({f"{CODE.coding[0].system}|{CODE.coding[0].code}"}),
    by_type=False,
    search={
        **observed.searched(SchoolPeriod.status, CODE),
        "date": When(
            SchoolPeriod.starts,
            SchoolPeriod.ends,
            at=("effectivePeriod.start", "effectivePeriod.end"),
            parts=SchoolPeriod.told_in_part,
        ),
        "identifier": Issued(SchoolPeriod, SYSTEM),
        "component-value-concept": Coded(observed.codes_within(SchoolPeriod.teachings, SchoolPeriod.diplomas)),
        "component-value-quantity": QuantityCriterion(
            cast(_said_of("value"), Double()), _said_of("code"), _said_of("unit")
        ),
        "performer": Either(
            (
                Leads(SchoolPeriod.referent_id, CONTACT, SchoolPeriod.referent_name),
                Leads(SchoolPeriod.school_id, SCHOOL, SchoolPeriod.school_name),
            ),
            mask=Mask(SchoolPeriod, or_(SchoolPeriod.place_protected, house_hidden(SchoolPeriod))),
        ),
    },
    masked=masked,
    hides=protected,
)
