"""What the REST API hears and says about structures and their units."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator
from stdnum import luhn

from app.access.entry import View
from app.features.structures.models import Structure, Unit
from app.kernel.fields import Body, written

Name = Annotated[str, written(200)]
Model = Literal["ehpad", "mas_fam", "ime", "savs", "mecs", "domicile"]
FINESS_DIGITS = 9


def _finess(said: str) -> str:
    """Nine characters; a key of Luhn when all are digits (Corsica's 2A, 2B stand for 20)."""
    digits = said.upper().replace("2A", "20", 1).replace("2B", "20", 1)
    if len(said) != FINESS_DIGITS or not digits.isdigit() or not luhn.is_valid(digits):
        raise ValueError("finess")
    return said.upper()


Finess = Annotated[str, AfterValidator(_finess)]


class OrganisationIn(Body):
    name: Name
    finess: Finess | None = None


class StructureIn(Body):
    name: Name
    model: Model
    finess: Finess | None = None
    phone: Name | None = None
    human: Name | None = None


class StructurePatch(Body):
    name: Name | None = None
    model: Model | None = None
    finess: Finess | None = None
    phone: Name | None = None
    human: Name | None = None


class StructureOut(View, frozen=True):
    TABLE: ClassVar = Structure

    name: str
    model: str
    finess: str | None
    phone: str | None
    human: str | None
    version: int


class UnitIn(Body):
    structure_id: UUID
    name: Name
    kind: Literal["unit", "service"] = "unit"


class UnitPatch(Body):
    name: Name | None = None
    kind: Literal["unit", "service"] | None = None


class UnitOut(View, frozen=True):
    TABLE: ClassVar = Unit

    structure_id: str
    name: str
    kind: str
    version: int
