"""Coverage floors, checked by pytest itself so that its closing line stays the last one (`-p tests.floors`).

Lines and branches are counted by probes put in as `app` is imported (SlipCover), not by a tracer of each call: a tracer must
ask at each one which greenlet of SQLAlchemy it is in, and the suite then takes four times as long.
"""

import json
import os
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import slipcover

ROOT = Path(__file__).parent.parent
ROOM = ROOT / "app"
FLOORS = {"app/*": 95, "app/access/*": 100, "app/audit/*": 100, "app/security/*": 100}  # % of lines and branches
EXCUSED = [r"if TYPE_CHECKING:"]  # nothing else: a pragma excuses no line
BRANCHES = ("executed_branches", "missing_branches")
COUNTED = ("executed_lines", "missing_lines", *BRANCHES)

Counts = dict[str, Any]  # what SlipCover tells: {"files": {path: {name of COUNTED: […]}}}


def probes() -> slipcover.Slipcover:
    """Put probes into each module of `app` that is imported from now on."""
    counting = slipcover.Slipcover(branch=True, source=[str(ROOM)], exclude_lines=EXCUSED)
    slipcover.ImportManager(counting, slipcover.FileMatcher(sources=[ROOM])).__enter__()
    return counting


def verdict(counts: Counts) -> tuple[list[str], bool]:
    """The lines to print, and whether each floor is kept."""
    told, kept = [], True
    files = {str(Path(name).resolve().relative_to(ROOT)): found for name, found in counts["files"].items()}
    for rooms, floor in FLOORS.items():
        inside = {name: found for name, found in files.items() if fnmatch(name, rooms)}
        lines, missed, branches, untaken = (sum(len(found[kind]) for found in inside.values()) for kind in COUNTED)
        of = lines + missed + branches + untaken
        reached = 100 * (lines + branches) / of if of else 0.0
        if broken := reached < floor:
            kept = False
            told += [f"  {name}: {_missing(found)}" for name, found in sorted(inside.items()) if _missing(found)]
        told.append(f"{rooms:16} {reached:6.2f} %  floor {floor} %  {'BROKEN' if broken else 'kept'}")
    return told, kept


def _missing(found: Counts) -> str:
    lines = found["missing_lines"]
    untaken = [f"{start}->{end or 'exit'}" for start, end in found["missing_branches"] if start not in lines]
    return ", ".join([*map(str, lines), *untaken])


class Floors:
    """Of the run as a whole: a worker hands its counts over as it ends, and the controller puts them together."""

    def __init__(self, counting: slipcover.Slipcover | None) -> None:
        self.counting = counting  # None where the workers count
        self.counts: Counts | None = None
        self.lines: list[str] = []

    def add(self, counts: Counts) -> None:
        self.counts = slipcover.merge_coverage(self.counts, counts) if self.counts else counts

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        if told := getattr(node, "workeroutput", {}).get("floors"):  # a worker that died told nothing
            self.add(json.loads(told))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Each worker has ended; the summary comes next."""
        if self.counting:
            self.add(self.counting.get_coverage())
        self.lines, kept = verdict(self.counts or {"files": {}})
        if failed := os.environ.get("DUI_TEST_FAILED"):
            self.lines.append(f"Failed before this run: {failed}")
        if (failed or not kept) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)  # the figures first: what failed the run stands last
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("coverage floors")
        for line in self.lines:
            terminalreporter.line(line)


class Worker:
    def __init__(self, counting: slipcover.Slipcover, output: dict[str, Any]) -> None:
        self.counting, self.output = counting, output

    def pytest_sessionfinish(self) -> None:
        self.output["floors"] = json.dumps(self.counting.get_coverage())


# As this plugin is read, before any conftest imports `app`; the controller of workers imports nothing of it.
_COUNTING = probes()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(_COUNTING, config.workeroutput))
    else:
        config.pluginmanager.register(Floors(None if config.getoption("numprocesses", None) else _COUNTING))
