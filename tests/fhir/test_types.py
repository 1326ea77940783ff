"""Our structures say FHIR's names, lists and values, no more."""

import typing
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class
from msgspec.structs import fields

from app.fhir import types
from app.fhir.types import Element
from app.fhir.types.datatypes import Primitive, Resource
from tests.fhir import official

RESOURCES = sorted(
    n
    for n in types.__all__
    if isinstance(getattr(types, n), type)
    and issubclass(getattr(types, n), Resource)
    and n not in ("Resource", "DomainResource")
)


def structs() -> list[tuple[type[msgspec.Struct], Any]]:
    """Each structure of ours that a resource reaches, beside the definition that R4B gives of it."""
    todo = [(getattr(types, name), get_fhir_model_class(name)) for name in RESOURCES]
    seen: dict[Any, Any] = {}
    while todo:
        ours, theirs = todo.pop()
        if (ours, theirs) in seen or ours is Primitive:
            continue
        seen[ours, theirs] = None
        for field in fields(ours):
            inner, _ = plain(field.type)
            if isinstance(inner, type) and issubclass(inner, Element) and not issubclass(inner, Resource):
                todo.append((inner, definition(theirs, field.encode_name)[0]))
    return list(seen)


def plain(annotation: Any) -> tuple[Any, bool]:
    """What stands inside `X | None` or `tuple[X, ...]`, and whether it is a list."""
    args = [arg for arg in typing.get_args(annotation) if arg not in (type(None), Ellipsis)]
    if typing.get_origin(annotation) is tuple:
        return plain(args[0])[0], True
    if args and typing.get_origin(annotation) is not typing.Annotated and float not in args:
        return plain(args[0])
    return annotation, False


def definition(model: Any, name: str) -> tuple[Any, bool]:
    """The same of R4B's element, or a KeyError when it has none of that name."""
    field = {info.alias or key: info for key, info in model.model_fields.items()}[name]
    annotation, listed = field.annotation, "List" in str(field.annotation)
    while args := [arg for arg in typing.get_args(annotation) if arg is not type(None)]:
        annotation = args[0]
    return annotation.get_model_klass() if hasattr(annotation, "get_model_klass") else annotation, listed


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_says_its_type(name: str) -> None:
    required: dict[str, Any] = {
        "Bundle": {"type": "searchset"},
        "OperationOutcome": {"issue": ()},
        "CapabilityStatement": {
            "status": "active",
            "date": "2026",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": (),
        },
        "AuditEvent": {
            "type": types.Coding(),
            "recorded": "2026",
            "agent": (),
            "source": types.AuditSource(observer=types.Reference()),
        },
    }
    thing = getattr(types, name)(**required.get(name, {}))
    assert msgspec.to_builtins(thing)["resourceType"] == name


@pytest.mark.parametrize(("ours", "theirs"), structs(), ids=lambda thing: thing.__name__)
def test_every_name_and_every_list_is_of_the_standard(ours: type[msgspec.Struct], theirs: Any) -> None:
    for field in fields(ours):
        _, listed = definition(theirs, field.encode_name)
        assert plain(field.type)[1] == listed, field.encode_name


def test_what_is_absent_is_not_written() -> None:
    assert msgspec.json.encode(types.Reference("Patient/1")) == b'{"reference":"Patient/1"}'


def test_words_that_python_keeps_for_itself_are_written_as_fhir_says() -> None:
    thing = types.Encounter(class_=types.Coding(code="HH"), status="planned", status_ext=types.Primitive(id="1"))
    written = msgspec.to_builtins(thing)
    assert {"class", "status", "_status"} <= set(written)


@pytest.mark.parametrize("name", official.BUNDLES)
def test_official_resources_are_said_whole_by_our_types(name: str) -> None:
    for entry in official.bundle(name)["entry"]:
        thing = entry["resource"]
        if kind := getattr(types, thing["resourceType"], None):
            assert types.said(types.heard(kind, thing)) == thing


def test_a_moment_says_its_zone() -> None:
    assert types.moment(datetime(2026, 5, 3, 9, tzinfo=UTC)) == "2026-05-03T09:00:00+00:00"
