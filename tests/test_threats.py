"""Every attack of docs/threats.md is tried by a test, and every test that names an attack names one of the page."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
ROWS = re.findall(r"^\| `(.+?)` \|", (TESTS.parent / "docs" / "threats.md").read_text(), re.MULTILINE)


def marks(tree: ast.AST) -> Iterator[ast.Call]:
    """Each `pytest.mark.threat(…)`, on a test, a class or one of its parameters."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.threat":
            yield node


@cache
def tried() -> set[str]:
    trees = [ast.parse(path.read_text()) for path in TESTS.rglob("test_*.py")]
    return {ast.literal_eval(said) for tree in trees for mark in marks(tree) for said in mark.args}


def test_every_attack_of_the_page_is_tried(figure: Callable[[str], None]):
    figure(f"threats: {len(ROWS)} attacks, each tried by a test")
    assert sorted(set(ROWS) - tried()) == []


def test_every_attack_tried_is_on_the_page():
    assert sorted(tried() - set(ROWS)) == []


def test_no_id_names_two_attacks():
    assert [id for id, times in Counter(ROWS).items() if times > 1] == []


def test_an_id_is_short_and_plain():
    assert [id for id in ROWS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,6}", id)] == []


def test_the_marks_are_found():
    """Else the two comparisons would hold of nothing."""
    assert len(ROWS) > 300
    assert len(tried()) > 300
