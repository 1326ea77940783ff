"""What the Observations of TDDUI share: their state, their code, how they are searched.

Source: https://hl7.org/fhir/R4/observation.html
"""

from typing import Any

from sqlalchemy import Text, literal_column

from app.fhir.search.criteria import Criterion, Token
from app.fhir.types import Annotation, CodeableConcept

FINAL, IN_ERROR = "final", "in_error"  # as our tables say it
CODES = {FINAL: "final", IN_ERROR: "entered-in-error"}
SAID = {"entered-in-error": IN_ERROR, "cancelled": IN_ERROR}


def status_of(code: str | None) -> str:
    """What was registered, amended or corrected stands: its sender's word stays beside the row."""
    return SAID.get(code or "", FINAL)


def searched(status: Any, code: CodeableConcept) -> dict[str, Criterion]:
    """By status, and by the code that all rows of a table have."""
    return {"status": Token(status, {said: (word,) for word, said in CODES.items()}), "code": constant(code)}


def constant(code: CodeableConcept) -> Token:
    """The code that every row of a table has."""
    [coding] = code.coding
    own = literal_column(f"'{coding.code}'", Text())
    return Token(own, {str(coding.code): (str(coding.code),)}, coding.system)


def remark(text: str | None) -> tuple[Annotation, ...]:
    return (Annotation(text=text),) if text else ()


def remark_of(notes: tuple[Annotation, ...]) -> str | None:
    """What the first one says."""
    return notes[0].text if notes else None
