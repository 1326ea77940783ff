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


@cache
def read() -> tuple[re.Pattern[str], ...]:
    """Each text of the app that may name a setting; a part of an f-string stands for any one word."""
    paths = (path for path in APP.rglob("*.py") if path != SHOWN)
    return tuple({re.compile(name) for path in paths for name in named(ast.parse(path.read_text()))})


def named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else "[a-z_]+" for v in node.values]
            yield "".join(parts)


def obeyed(key: str) -> bool:
    return any(name.fullmatch(key) for name in read())


@pytest.mark.parametrize("key", SHIPPED)
def test_each_setting_shipped_is_read_somewhere(key: str):
    assert obeyed(key)


def test_a_key_that_nobody_reads_is_found():
    assert not obeyed("page.nobody_reads_this")
