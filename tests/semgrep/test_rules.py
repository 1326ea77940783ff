"""Each rule fires on its planted lines, on nothing that is right, and app/ holds nothing unexplained."""

import re
import shutil
from pathlib import Path

import pytest

from tools import scan

pytestmark = pytest.mark.skipif(
    not (scan.BIN / "semgrep").exists(), reason="`make scan` makes the venv of semgrep and bandit; it is not here."
)
PLANTED = Path(__file__).parent / "planted"
IDS = re.findall(r"- id: ([a-z-]+)", scan.RULES.read_text())
MARK = re.compile(r"# planted: ([a-z-]+)")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int, str]]:
    """What the rules find in the planted files, laid where every rule looks."""
    root = tmp_path_factory.mktemp("planted")
    for room in ("app/features/x", "app/security/x"):
        (root / room).mkdir(parents=True)
        for path in PLANTED.glob("*.py"):
            shutil.copy(path, root / room / path.name)
    return {(Path(each.path).name, each.line, each.rule) for each in scan.semgrep(root / "app", root)}


def test_there_are_ten_rules() -> None:
    assert len(set(IDS)) == len(IDS) == 10


@pytest.mark.parametrize("rule", IDS)
def test_a_rule_fires_on_its_planted_lines_and_no_other(found: set[tuple[str, int, str]], rule: str) -> None:
    lines = (PLANTED / "planted.py").read_text().splitlines()
    planted = {n for n, line in enumerate(lines, 1) if rule in MARK.findall(line)}
    assert planted
    assert {line for name, line, id in found if id == rule and name == "planted.py"} == planted


def test_nothing_is_found_in_what_is_right(found: set[tuple[str, int, str]]) -> None:
    assert [each for each in found if each[0] == "right.py"] == []


def test_nothing_unexplained_is_found_in_the_application() -> None:
    new, idle = scan.unexplained([*scan.bandit(scan.ROOT / "app"), *scan.semgrep(scan.ROOT / "app")])
    assert (new, idle) == ([], [])


def test_a_line_that_explains_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explained = tmp_path / "scan.toml"
    explained.write_text('[[explained]]\nrule = "x"\npath = "app/a*.py"\nwhy = "…"\n')
    monkeypatch.setattr(scan, "EXPLAINED", explained)
    there, elsewhere = scan.Found("app/ab.py", 1, "x"), scan.Found("app/b.py", 1, "x")
    assert scan.unexplained([there, elsewhere]) == ([elsewhere], [])
    assert scan.unexplained([elsewhere]) == ([elsewhere], ["x app/a*.py"])
