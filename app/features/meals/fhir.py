"""A meal ⇄ Observation, of which the category tells which meal.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-repas
"""

from datetime import datetime
from typing import ClassVar

import msgspec

from app.access.protection import HOUSE_HIDDEN
from app.features.meals.models import Meal, MealStatus
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Token, When, constant
from app.fhir.search.issued import Issued
from app.fhir.tddui import TDDUI, code_of, coded, instant_of, issued, last_updated, profile, system, to
from app.fhir.types import Annotation, CodeableConcept, Coding, Extension, Observation, heard, moment
from app.kernel.errors import Invalid

PROFILE = profile("observation-repas")
MEALS = system("repas")
ID_MEAL = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-observation-identifier", "REP", "Identifiant du repas"),))
TYPES = f"{TDDUI}/CodeSystem/tddui-observation-type"
PRESENT = profile("participant-present")
STATUSES = {
    MealStatus.PLANNED.value: "registered",
    MealStatus.DONE.value: "final",
    MealStatus.CANCELLED.value: "cancelled",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "amended": MealStatus.DONE.value,
    "corrected": MealStatus.DONE.value,
    "entered-in-error": MealStatus.CANCELLED.value,
}


class MealFhir(RecordView, frozen=True):
    TABLE: ClassVar = Meal
    COMPUTED: ClassVar = {"finess": FINESS, "house_hidden": HOUSE_HIDDEN}

    occurred_at: datetime
    type_code: str
    present: bool | None
    comment: str | None
    status: str
    finess: str | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(m: MealFhir) -> Observation:
    which = coded(m.type_code)
    return Observation(
        id=m.id,
        meta=meta(m, PROFILE),
        extension=(Extension(url=PRESENT, valueBoolean=m.present),) if m.present is not None else (),
        identifier=issued(m, MEALS, ID_MEAL),
        status=STATUSES[m.status],
        category=(which,) if which else (),
        code=CodeableConcept((Coding(TYPES, "REPAS", "Repas"),)),
        subject=to("Patient", m.usager_id),
        effectiveDateTime=moment(m.occurred_at),
        note=(Annotation(text=m.comment),) if m.comment else (),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when it does not say which meal, or when."""
    o = heard(Observation, resource)
    when, which = instant_of(o.effectiveDateTime), code_of(o.category[0] if o.category else None)
    if when is None:
        raise Invalid("Un repas a une date.", where="effectiveDateTime", code="meal.no_date")
    if which is None:
        raise Invalid("Dites de quel repas il s'agit.", where="category", code="meal.no_type")
    row = Meal(
        occurred_at=when,
        type_code=which,
        present=next((e.valueBoolean for e in o.extension if e.url == PRESENT), None),
        comment=o.note[0].text if o.note else None,
        status=HEARD.get(o.status or "", MealStatus.PLANNED.value),
        status_changed_at=last_updated(resource),
    )
    return Arrived(row)


def masked(m: MealFhir) -> MealFhir:
    """What is written freely may name a protected house."""
    return msgspec.structs.replace(m, comment=None) if m.house_hidden else m


MEAL = ResourceMap(
    profile=PROFILE,
    type_name="Observation",
    view=MealFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({MEALS}),
    codes=frozenset({f"{TYPES}|REPAS"}),
    by_type=False,
    search={
        "identifier": Issued(Meal, MEALS),
        "category": Coded(Meal.type_code),
        "code": constant("REPAS", TYPES),
        "date": When(Meal.occurred_at),
        "status": Token.by(Meal.status, STATUSES, of="Observation.status"),
    },
    masked=masked,
    hides=lambda m: m.house_hidden,
    of_team=("comment",),  # as `schemas.MyMealOut`
)
