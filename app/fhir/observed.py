"""What the Observations of TDDUI share: their state, their code, how they are searched.

Source: https://hl7.org/fhir/R4/observation.html
"""

from functools import reduce
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, cast, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from app.fhir.search.criteria import Criterion, Token
from app.fhir.search.criteria import constant as of_all
from app.fhir.types import Annotation, CodeableConcept

FINAL, IN_ERROR = "final", "in_error"  # as our tables say it
CODES = {FINAL: "final", IN_ERROR: "entered-in-error"}
SAID = {"entered-in-error": IN_ERROR, "cancelled": IN_ERROR}


def status_of(code: str | None) -> str:
    """What was registered, amended or corrected stands: its sender's word stays beside the row."""
    return SAID.get(code or "", FINAL)


def searched(status: Any, code: CodeableConcept) -> dict[str, Criterion]:
    """By status, and by the code that all rows of a table have."""
    return {"status": Token.by(status, CODES, of="Observation.status"), "code": constant(code)}


def constant(concept: CodeableConcept) -> Token:
    """The code that every row of a table has."""
    [coding] = concept.coding
    return of_all(str(coding.code), coding.system, label=coding.display or concept.text)


def codes_within(*nested: Any) -> ColumnElement[Any]:
    """Those of the concepts that columns hold as texts of JSON (`concepts.nested`), in one array."""
    one = column("one", JSONB())
    held: list[ColumnElement[Any]] = [cast(func.coalesce(each, literal_column("'[]'")), JSONB()) for each in nested]
    every = func.jsonb_array_elements(reduce(lambda a, b: a.concat(b), held))
    items = every.table_valued(one).render_derived(name="held")
    code = items.c.one.op("->>")(literal_column("'code'"))
    return func.array(select(code).where(code.is_not(None)).scalar_subquery(), type_=ARRAY(Text()))


def remark(text: str | None) -> tuple[Annotation, ...]:
    return (Annotation(text=text),) if text else ()


def remark_of(notes: tuple[Annotation, ...]) -> str | None:
    """What the first one says."""
    return notes[0].text if notes else None
