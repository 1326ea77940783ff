"""docs/asvs.md: each requirement has one state, each link leads to an attack that is tried, a test, or a written rule."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "asvs.md").read_text()
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
THREATS = set(re.findall(r"^\| `(.+?)` \|", (ROOT / "docs" / "threats.md").read_text(), re.MULTILINE))
STATES = ("met", "rule", "partly", "not met", "n/a")
LINK = re.compile(r"`([^`]+)`")


def leads_somewhere(link: str) -> bool:
    """An id of an attack; `file::test`; a file of tests or docs; `file#Heading`."""
    if link in THREATS:
        return True
    name, test, heading = link.partition("#")[0].partition("::")[0], link.partition("::")[2], link.partition("#")[2]
    path = ROOT / name
    if not path.is_file():
        return False
    if test:
        return any(getattr(node, "name", "") == test for node in ast.walk(ast.parse(path.read_text())))
    return not heading or re.search(rf"^#+ {re.escape(heading)}$", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_requirement_is_backed_by_what_it_names(row: tuple[str, ...]) -> None:
    _, _, _, state, by = row
    links = LINK.findall(by)
    assert state in STATES
    assert bool(links) or state not in ("met", "rule")
    assert [link for link in links if not leads_somewhere(link)] == []


def test_each_requirement_stands_once() -> None:
    assert [number for number, times in Counter(row[0] for row in ROWS).items() if times > 1] == []


def test_the_page_counts_itself_right() -> None:
    counts = Counter(row[3] for row in ROWS)
    assert f"Of {len(ROWS)}: " + ", ".join(f"{counts[state]} {state}" for state in STATES) + "." in PAGE


def test_every_chapter_is_there() -> None:
    assert {int(row[0].partition(".")[0]) for row in ROWS} == set(range(1, 18))


@pytest.mark.parametrize(
    "link", ["no-such-attack", "tests/test_asvs.py::test_nothing", "tests/none.py", "SECURITY.md#Nulle part"]
)
def test_a_dead_link_is_seen(link: str) -> None:
    assert not leads_somewhere(link)


def test_every_attack_of_the_model_is_tried() -> None:
    for page in ("docs/threat-model.md", "SECURITY.md"):
        named = re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", (ROOT / page).read_text())
        assert [id for id in named if id not in THREATS and id not in ("pip-audit", "verify-full")] == [], page
