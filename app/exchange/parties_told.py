"""What who stands in a bundle is searched by, read from their resource: names, what they do, where and for whom, since when.

The resource itself stays sealed beside it. Source: https://hl7.org/fhir/R4/practitionerrole.html#search and its neighbours
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Text, case, false, literal_column, true

from app.access.entry import word
from app.exchange.models import OutsideParty
from app.fhir.concepts import concept_of
from app.fhir.references import literal
from app.fhir.search.criteria import Coded, Criterion, Identifier, Profile, Reference, Token, When, Words
from app.fhir.search.values import Moment, moment_of, uuid_of
from app.fhir.types import CodeableConcept, heard
from app.kernel.clock import YEARS

Json = Mapping[str, Any]
P = OutsideParty
LEADS = ("organization", "practitioner")


def read(resource: Json) -> dict[str, Any]:
    """The columns of `OutsideParty` that are searched; a value that says nothing of it is None."""
    names = [each for each in _list(resource.get("name")) if isinstance(each, Mapping)]
    concepts = [concept_of(heard(CodeableConcept, each)) for each in _list(resource.get("code"))]
    told = [each for each in concepts if each]
    period = resource.get("period") or {}
    starts, ends = _moment(period.get("start")), _moment(period.get("end"))
    return {
        "name": _words(_parts(resource, names)),
        "family": _words(each.get("family") for each in names),
        "given": _words(one for each in names for one in _list(each.get("given"))),
        "active": resource.get("active"),
        "codes": [each.code for each in told if each.code] or None,
        "labels": _words(each.label for each in told),
        "starts": starts.low if starts else None,
        "ends": ends.high if ends else None,
        **{f"{name}_id": _lead(resource, name) for name in LEADS},
        **{f"{name}_said": True if resource.get(name) else None for name in LEADS},
    }


def _parts(resource: Json, names: Iterable[Json]) -> Iterable[object]:
    if isinstance(resource.get("name"), str):
        yield resource["name"]
    yield from _list(resource.get("alias"))
    for each in names:
        yield each.get("text")
        yield from (*_list(each.get("prefix")), *_list(each.get("suffix")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(parts: Iterable[object]) -> str | None:
    return "\n".join(part for part in parts if isinstance(part, str)) or None


def _moment(text: str | None) -> Moment | None:
    return moment_of(text) if text and int(text[:4]) in YEARS else None


def _lead(resource: Json, name: str) -> UUID | None:
    led = literal(str((resource.get(name) or {}).get("reference") or ""))
    return uuid_of(led.id) if led and not led.base and led.kind.lower() == name else None


def searched(type_name: str, profile: str) -> dict[str, Criterion]:
    """By what the house's own rows of this type are."""
    named = Profile({profile: literal_column(f"'{profile}'", Text()) == P.profile})
    return {"_profile": named, "identifier": Identifier(named=P.id), **_OF.get(type_name, {})}


def _columns(*names: str) -> tuple[Any, ...]:
    return tuple(getattr(P, name) for name in names)


_ACTIVE = Token(
    case((P.active.is_(true()), word("true")), (P.active.is_(false()), word("false"))),
    {"true": ("true",), "false": ("false",)},
)
_OF: Mapping[str, Mapping[str, Criterion]] = {
    "Organization": {"active": _ACTIVE, "name": Words(_columns("name"), words=True)},
    "Practitioner": {
        "family": Words(_columns("family"), words=True),
        "given": Words(_columns("given"), words=True),
        "name": Words(_columns("family", "given", "name"), words=True),
    },
    "PractitionerRole": {
        "active": _ACTIVE,
        "date": When(P.starts, P.ends),
        "organization": Reference(P.organization_id, "Organization", P.organization_said),
        "practitioner": Reference(P.practitioner_id, "Practitioner", P.practitioner_said),
        "role": Coded(P.codes, P.labels),
    },
}
