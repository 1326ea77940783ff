"""The datatypes we send and hear. Source: https://hl7.org/fhir/R4/datatypes.html"""

from app.fhir.types.base import Element


class Extension(Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/extensibility.html: one value, or extensions inside."""

    url: str | None = None
    extension: tuple["Extension", ...] = ()
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valuePositiveInt: int | None = None
    valueCode: str | None = None
    valueUri: str | None = None
    valueDate: str | None = None
    valueDateTime: str | None = None
    valueInstant: str | None = None
    valueCoding: "Coding | None" = None
    valueCodeableConcept: "CodeableConcept | None" = None
    valueReference: "Reference | None" = None
    valueIdentifier: "Identifier | None" = None
    valuePeriod: "Period | None" = None
    valueAddress: "Address | None" = None
    valueQuantity: "Quantity | None" = None


class Primitive(Element, frozen=True, kw_only=True):
    """What stands beside a primitive value: `_status` beside `status`."""

    id: str | None = None
    extension: tuple[Extension, ...] = ()


class Coding(Element, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    version: str | None = None
    userSelected: bool | None = None
    extension: tuple[Extension, ...] = ()


class CodeableConcept(Element, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None
    extension: tuple[Extension, ...] = ()


class Period(Element, frozen=True):
    start: str | None = None
    end: str | None = None
    extension: tuple[Extension, ...] = ()


class Identifier(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    use: str | None = None
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None
    period: Period | None = None
    assigner: "Reference | None" = None


class Reference(Element, frozen=True):
    reference: str | None = None
    display: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    extension: tuple[Extension, ...] = ()


class Quantity(Element, frozen=True):
    """Also Age, Count, Distance, Duration."""

    value: float | int | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    comparator: str | None = None


class Money(Element, frozen=True):
    value: float | int | None = None
    currency: str | None = None


class Annotation(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    authorReference: Reference | None = None
    authorString: str | None = None
    time: str | None = None
    text: str | None = None


class Attachment(Element, frozen=True, kw_only=True):
    """`data` is base64 text; `hash` the base64 of a SHA-1, as R4 says."""

    extension: tuple[Extension, ...] = ()
    contentType: str | None = None
    language: str | None = None
    data: str | None = None
    url: str | None = None
    size: int | None = None
    hash: str | None = None
    title: str | None = None
    creation: str | None = None


class HumanName(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    given_ext: tuple[Primitive | None, ...] = ()
    prefix: tuple[str | None, ...] = ()
    suffix: tuple[str | None, ...] = ()
    period: Period | None = None


class ContactPoint(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    system: str | None = None
    value: str | None = None
    use: str | None = None
    rank: int | None = None
    period: Period | None = None


class Address(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    use: str | None = None
    type: str | None = None
    text: str | None = None
    line: tuple[str | None, ...] = ()
    line_ext: tuple[Primitive | None, ...] = ()
    city: str | None = None
    district: str | None = None
    district_ext: Primitive | None = None
    state: str | None = None
    postalCode: str | None = None
    country: str | None = None
    period: Period | None = None


class Narrative(Element, frozen=True):
    status: str | None = None
    div: str | None = None


class Meta(Element, frozen=True, kw_only=True):
    versionId: str | None = None
    lastUpdated: str | None = None
    source: str | None = None
    profile: tuple[str | None, ...] = ()  # null beside an extension that says why
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Resource(Element, frozen=True, kw_only=True, tag_field="resourceType", tag=True):
    """Every resource of ours; `resourceType` is the name of the class."""

    id: str | None = None
    meta: Meta | None = None
    implicitRules: str | None = None
    language: str | None = None


class DomainResource(Resource, frozen=True, kw_only=True, tag=True):
    text: Narrative | None = None
    extension: tuple[Extension, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
