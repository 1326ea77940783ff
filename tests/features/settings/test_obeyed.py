"""A setting that nothing obeys is a lie: each one shipped is named where the app reads it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import app
from app.features.settings.shipped import SHIPPED

APP = Path(app.__file__).parent
SHOWN = APP / "features" / "settings" / "shipped.py"  # where they are told, not read


TESTS = APP.parent / "tests"
HERE = (TESTS / "features" / "settings", TESTS / "test_rgpd.py")  # where their values are told, not what they do
LAW = {key for key, shipped in SHIPPED.items() if shipped.least is not None and shipped.least == shipped.most}


@cache
def said(folder: Path, *but: Path) -> tuple[re.Pattern[str], ...]:
    """Each text that may name a setting; a part of an f-string stands for any one word."""
    paths = (path for path in folder.rglob("*.py") if not any(path.is_relative_to(other) for other in but))
    return tuple({re.compile(name) for path in paths for name in named(ast.parse(path.read_text()))})


def named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else "[a-z_]+" for v in node.values]
            yield "".join(parts)


def read(key: str) -> bool:
    return any(name.fullmatch(key) for name in said(APP, SHOWN))


def tried(key: str) -> bool:
    return any(name.fullmatch(key) for name in said(TESTS, *HERE))


@pytest.mark.parametrize("key", SHIPPED)
def test_each_setting_shipped_is_read_somewhere(key: str):
    assert read(key)


@pytest.mark.parametrize("key", sorted(SHIPPED.keys() - LAW))
def test_each_one_that_a_house_may_change_is_changed_by_a_test_of_what_it_does(key: str):
    assert tried(key)


def test_a_key_that_nobody_reads_or_tries_is_found():
    assert (read("page.nobody_reads_this"), tried("page.nobody_tries_this")) == (False, False)
