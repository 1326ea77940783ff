"""Forms filled in. Source: https://hl7.org/fhir/R4/questionnaireresponse.html"""

from app.fhir.types.base import Element
from app.fhir.types.datatypes import (
    Attachment,
    Coding,
    DomainResource,
    Extension,
    Identifier,
    Primitive,
    Quantity,
    Reference,
)


class ResponseAnswer(Element, frozen=True, kw_only=True):
    valueBoolean: bool | None = None
    valueDecimal: float | int | None = None
    valueInteger: int | None = None
    valueDate: str | None = None
    valueDateTime: str | None = None
    valueTime: str | None = None
    valueString: str | None = None
    valueUri: str | None = None
    valueAttachment: Attachment | None = None
    valueCoding: Coding | None = None
    valueQuantity: Quantity | None = None
    valueReference: Reference | None = None
    item: tuple["ResponseItem", ...] = ()


class ResponseItem(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    linkId: str | None = None
    text: str | None = None
    answer: tuple[ResponseAnswer, ...] = ()
    item: tuple["ResponseItem", ...] = ()


class QuestionnaireResponse(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: Identifier | None = None
    questionnaire: str | None = None
    status: str | None = None
    status_ext: Primitive | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    authored: str | None = None
    author: Reference | None = None
    source: Reference | None = None
    item: tuple[ResponseItem, ...] = ()
