"""What the docs promise is checked by a machine: the glossary, the roles, the acts."""

import re
from pathlib import Path

from app.access.acts import ACTS, Act
from app.access.permissions import STAFF, Kind
from app.security.principal import Role

ROOT = Path(__file__).parents[1]
GLOSSARY = re.findall(r"^\| (\w+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)


def test_every_kind_of_row_is_in_the_glossary():
    assert {kind.value for kind in Kind} - set(GLOSSARY) == set()


def test_every_role_has_a_line_in_the_matrix_and_every_act_its_roles():
    assert set(STAFF) == set(Role)
    assert set(ACTS) == set(Act)


def test_every_helper_of_the_kernel_is_listed():
    listed = (ROOT / "app" / "kernel" / "README.md").read_text()
    rooms = {p.stem for p in (ROOT / "app" / "kernel").glob("*.py")} - {"__init__"}
    assert {room for room in rooms if f"`{room}" not in listed} == set()


def test_every_decision_stands_on_one_page():
    pages = [*(ROOT / "docs" / "adr").glob("*.md")]
    assert pages
    for page in pages:
        text = page.read_text()
        assert "**Decision.**" in text, page.name
        assert len(text.splitlines()) <= 60, page.name
