"""Coverage floors, checked by pytest itself so that its closing line stays the last one (`-p tests.floors --cov`)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO

import pytest
from coverage import Coverage
from coverage.exceptions import NoDataError

FLOORS = {"app/*": 95, "app/access/*": 100, "app/audit/*": 100, "app/security/*": 100}  # % of lines and branches
PRAGMA = "pragma"


@dataclass
class Verdict:
    lines: list[str] = field(default_factory=list)
    ok: bool = True


def verdict() -> Verdict:
    """Read what pytest-cov wrote; where 100 % is asked, no line may be excused by a pragma."""
    told = Verdict()
    for rooms, floor in FLOORS.items():
        coverage = Coverage()
        if rooms != "app/*":
            excused = coverage.get_option("report:exclude_lines")
            coverage.set_option("report:exclude_lines", [e for e in excused or [] if PRAGMA not in e])
        coverage.load()
        out = StringIO()
        try:
            reached = coverage.report(include=[rooms], file=out, precision=2)
        except NoDataError:
            reached = 0.0
        kept = reached >= floor
        told.ok &= kept
        if not kept:
            told.lines += out.getvalue().splitlines()
        told.lines.append(f"{rooms:16} {reached:6.2f} %  floor {floor} %  {'kept' if kept else 'BROKEN'}")
    return told


class Floors:
    def __init__(self) -> None:
        self.lines: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Before the summary, after pytest-cov has put the workers' data together."""
        found = verdict()
        self.lines = found.lines
        if failed := os.environ.get("DUI_TEST_FAILED"):
            self.lines.append(f"Failed before this run: {failed}")
            found.ok = False
        if not found.ok and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("coverage floors")
        for line in self.lines:
            terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Floors())
