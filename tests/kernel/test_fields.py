"""What a field may hold: as much as FHIR, XML and the base can all give back."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.features.usagers.schemas import System
from app.kernel.fields import Code, Email, Line, Prose


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(Line, "a{}b"), (Prose, "a{}b"), (Code, "urn:a|b{}c"), (Email, "a@b{}c"), (System, "https://a{}b")],
    ids=["line", "prose", "code", "email", "system"],
)
@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x1d", "\x1f", "\uffff"], ids=["nul", "vt", "gs", "us", "ffff"])
def test_a_control_character_is_refused(kind: Any, shape: str, control: str):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(shape.format(control))


@pytest.mark.parametrize("text", ["Bonjour\u202f!", "Un\n\tdeux\r\ntrois", "🙂 été"], ids=["narrow", "lines", "emoji"])
def test_what_people_write_is_kept(text: str):
    assert TypeAdapter(Prose).validate_python(text) == text
