"""Whatever was written is text: kept as it is, escaped wherever it is shown."""

import dataclasses
from enum import Enum
from typing import Any

import pytest
from markupsafe import escape

from app.portal.pages import render
from app.portal.views import View
from tests.portal.cast import everything
from tests.portal.html import Node, read

CODES = {"relation", "kind", "what", "older", "phone"}  # keys and addresses of ours, never written by a person
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</title></textarea></q><svg onload=alert(1)>",
    "'; DROP TABLE usager; --",
    "{{ 7 * 191 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt; &amp;amp;",
]
PAGES = everything()


def planted(value: Any, payload: str) -> Any:
    """The same view with the payload in every string that someone may have written."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return payload
    if isinstance(value, tuple):
        return tuple(planted(one, payload) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {
            field.name: planted(getattr(value, field.name), payload)
            for field in dataclasses.fields(value)
            if field.name not in CODES
        }
        return dataclasses.replace(value, **told)
    return value


def shape(page: Node) -> list[tuple[str, tuple[str, ...]]]:
    return [(node.tag, tuple(node.attrs)) for node in page.walk()]


@pytest.mark.threat("input-html-in-text")
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("name", [name for name, view in PAGES.items() if view.frame])
def test_a_hostile_string_changes_no_element(name: str, payload: str) -> None:
    plain: View = planted(PAGES[name], "mot")
    hostile: View = planted(PAGES[name], payload)
    assert shape(read(render(hostile, csrf="0"))) == shape(read(render(plain, csrf="0")))


@pytest.mark.threat("input-html-in-text", "input-template-in-text")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_string_is_shown_as_it_was_written(payload: str) -> None:
    for name in ("home-jeanne", "project-jeanne", "journal-jeanne", "agreements-jeanne", "access-jeanne"):
        page = render(planted(PAGES[name], payload), csrf="0").decode()
        assert str(escape(payload)) in page, name
        assert "1337" not in page


@pytest.mark.threat("page-secret-injected")
def test_the_secret_of_a_form_is_escaped_too() -> None:
    page = read(render(PAGES["home-jeanne"], csrf='"><b>'))
    assert {field.attrs["value"] for field in page.all("input", name="csrf")} == {'"><b>'}
    assert not page.all("b")
