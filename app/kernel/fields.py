"""What a field of a body may hold: text without control characters, trimmed, of a bounded length; codes as `system|code`; near days."""

from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from app.kernel.clock import YEARS

T = TypeVar("T")
# What neither a FHIR string, nor XML, nor the base holds: https://hl7.org/fhir/R4/datatypes.html#string
CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
_WRITTEN = rf"^[^{CONTROLS}]*$"


def of_our_time(value: T) -> T:
    """Raises ValueError on a day or a moment of no life, past or planned."""
    if isinstance(value, date) and value.year not in YEARS:
        raise ValueError("far_date")
    return value


def _without_defaults(schema: dict[str, Any], body: type[BaseModel]) -> None:
    """What a correction leaves out stays: a client that filled in a default would change what it never named."""
    if body.__name__.endswith("Patch"):
        for field in schema["properties"].values():
            field.pop("default", None)


class Strict(BaseModel):
    """An unknown field is refused, never dropped in silence; so is a day of no life."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def _of_our_time(cls, value: T) -> T:
        return of_our_time(value)


class Body(Strict):
    """What REST hears. A correction is named `…Patch`."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


def written(longest: int, shortest: int = 1) -> StringConstraints:
    """Of a text: trimmed, without control characters, so many characters."""
    return StringConstraints(min_length=shortest, max_length=longest, strip_whitespace=True, pattern=_WRITTEN)


Line = Annotated[str, written(120)]
Note = Annotated[str, written(2_000)]
Prose = Annotated[str, written(10_000)]
# A code keeps its system: value sets are loaded by who deploys, so a code is never checked against a list here.
Code = Annotated[
    str, StringConstraints(max_length=300, strip_whitespace=True, pattern=rf"^[^\s|{CONTROLS}]+\|[^\s|{CONTROLS}]+$")
]
Phone = Annotated[str, StringConstraints(max_length=25, strip_whitespace=True, pattern=r"^\+?[0-9 .()-]{3,24}$")]
Email = Annotated[
    str, StringConstraints(max_length=200, strip_whitespace=True, pattern=rf"^[^@\s{CONTROLS}]+@[^@\s{CONTROLS}]+$")
]
