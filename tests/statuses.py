"""A status stands on a route of the OpenAPI document only if some test produces it, and what a route answers stands there
(`-p tests.statuses`).

Every answer that a client of the tests hears is noted, by route; of a test that asks what it draws, only what is not told:
another day, it draws otherwise. A world that is drawn holds rows deleted that no act deletes: a 410 there is none of the
product's. `DUI_TEST_STATUSES` names a file where a run leaves what it heard to the next one: some tests run on one
PostgreSQL only. The document is held against it all, and the run fails, where `DUI_TEST_WHOLE` is set: at the end of the
last run of the whole suite. Elsewhere what lacks is counted, and no more.

No route promises, so none tells: a 500 (tests break the server under itself), what verbs answer that its path does not
have (HEAD, OPTIONS, and 405 of the others).
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

DOCUMENT = Path(__file__).parent.parent / "openapi" / "openapi.json"
VERBS = ("get", "post", "put", "patch", "delete")
WORLDS = ("tests/oracle/", "tests/access/test_oracle_")  # they write rows as deleted that no act deletes
DRAWN = (*WORLDS, "tests/api/test_schemathesis.py", "tests/faults/test_kill.py")
WHOLE = "DUI_TEST_WHOLE"
MEND = {
    "told, and no test produced it: try it, or take it away (app/api/openapi_statuses.py, fhir_described.py)": "-",
    "heard, and not told: declare it (`responses={409: {}}` on the route, fhir_described.py), or mend the route": "+",
}
Said = tuple[str, str, str]  # verb, route, status


def told() -> set[Said]:
    """What the document says each route may answer."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    routes = ((verb, path, one) for path, verbs in paths.items() for verb, one in verbs.items() if verb in VERBS)
    return {(verb, path, status) for verb, path, one in routes for status in one["responses"]}


class Heard:
    """The answers of one process, as (verb, route, status)."""

    def __init__(self) -> None:
        self.told = told()
        paths = {path for _, path, _ in self.told}
        ordered = sorted(paths, key=lambda path: [part.startswith("{") for part in path.split("/")])  # words first
        self.routes = [(_shape(path), path) for path in ordered]
        self.known: dict[str, str | None] = {}
        self.seen: set[Said] = set()
        self.drawn = self.world = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.drawn, self.world = item.nodeid.startswith(DRAWN), item.nodeid.startswith(WORLDS)

    def listen(self) -> None:
        send = TestClient.send

        def heard(client: TestClient, request: Any, **more: Any) -> Any:
            answer = send(client, request, **more)
            self.note(request.method.lower(), request.url.path, str(answer.status_code))
            return answer

        TestClient.send = heard  # type: ignore[method-assign]

    def note(self, verb: str, path: str, status: str) -> None:
        if path not in self.known:
            place = path.rstrip("/") or "/"
            self.known[path] = next((route for shape, route in self.routes if shape.fullmatch(place)), None)
        if (route := self.known[path]) and status != "500":
            said = (verb, route, status)
            if not (self.drawn and said in self.told) and not (self.world and status == "410"):
                self.seen.add(said)


def _shape(path: str) -> re.Pattern[str]:
    """A type of FHIR is letters only: `_history` and `$validate` are none."""
    told = re.escape(path).replace(r"\{type_name\}", "[A-Za-z]+")
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", told))


class Whole:
    """Of the run: what its processes heard, and what the run before left."""

    def __init__(self, own: Heard) -> None:
        self.own = own

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.own.seen |= {tuple(one) for one in getattr(node, "workeroutput", {}).get("statuses", ())}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Once every process said what it heard."""
        if kept := os.environ.get("DUI_TEST_STATUSES"):
            place = Path(kept)
            self.own.seen |= {tuple(one) for one in json.loads(place.read_text())} if place.exists() else set()
            place.write_text(json.dumps(sorted(self.own.seen)))
        if os.environ.get(WHOLE) and any(self.lacking()) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def lacking(self) -> tuple[set[Said], set[Said]]:
        """What is told and was not heard, and what was heard and is not told."""
        document = told()
        verbs = {(verb, path) for verb, path, _ in document}
        heard = {one for one in self.own.seen if one[:2] in verbs}
        return document - heard, heard - document

    @pytest.hookimpl(trylast=True)  # the figures first: what failed the run stands last
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("statuses of the document")
        lacking = self.lacking()
        never, unsaid = map(len, lacking)
        terminalreporter.line(f"{len(told())} told, {never} that no test produced, {unsaid} heard and not told")
        for (words, sign), lot in zip(MEND.items(), lacking, strict=True):
            if lot and os.environ.get(WHOLE):
                terminalreporter.line(words)
                for verb, path, status in sorted(lot, key=lambda one: (one[1], one[0], one[2])):
                    terminalreporter.line(f"  {sign} {verb.upper()} {path} {status}")


class Worker:
    def __init__(self, own: Heard, output: dict[str, Any]) -> None:
        self.own, self.output = own, output

    def pytest_sessionfinish(self) -> None:
        self.output["statuses"] = [list(one) for one in sorted(self.own.seen)]


def pytest_configure(config: pytest.Config) -> None:
    own = Heard()
    own.listen()
    config.pluginmanager.register(own)
    is_worker = hasattr(config, "workerinput")
    config.pluginmanager.register(Worker(own, config.workeroutput) if is_worker else Whole(own))
