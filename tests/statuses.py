"""A status stands on a route of the OpenAPI document only if some test produces it (`-p tests.statuses`).

Every answer that a client of the tests hears is noted, by route; at the end of the run the document is held against them.
`DUI_TEST_STATUSES` names a file where a run leaves what it saw to the next one: some tests run on one PostgreSQL only.
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
Said = tuple[str, str, str]  # verb, route, status


def told() -> set[Said]:
    """What the document says each route may answer."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    routes = ((verb, path, one) for path, verbs in paths.items() for verb, one in verbs.items() if verb in VERBS)
    return {(verb, path, status) for verb, path, one in routes for status in one["responses"]}


class Heard:
    """The answers of one process, as (verb, route, status)."""

    def __init__(self) -> None:
        paths = {path for _, path, _ in told()}
        ordered = sorted(paths, key=lambda path: [part.startswith("{") for part in path.split("/")])  # words first
        self.routes = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in ordered]
        self.known: dict[str, str | None] = {}
        self.seen: set[Said] = set()

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
        if route := self.known[path]:
            self.seen.add((verb, route, status))


class Whole:
    """Of the run: what its processes heard, and what the run before left."""

    def __init__(self, own: Heard) -> None:
        self.own = own

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.own.seen |= {tuple(one) for one in getattr(node, "workeroutput", {}).get("statuses", ())}

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        seen, document = self.own.seen, told()
        if kept := os.environ.get("DUI_TEST_STATUSES"):
            place = Path(kept)
            seen |= {tuple(one) for one in json.loads(place.read_text())} if place.exists() else set()
            place.write_text(json.dumps(sorted(seen)))
        never, unsaid = document - seen, seen - document
        terminalreporter.section("statuses of the document")
        terminalreporter.line(
            f"{len(document)} told, {len(never)} that no test produced, {len(unsaid)} heard and not told"
        )
        for verb, path, status in sorted(unsaid):
            terminalreporter.line(f"  not told: {verb.upper()} {path} {status}")


class Worker:
    def __init__(self, own: Heard, output: dict[str, Any]) -> None:
        self.own, self.output = own, output

    def pytest_sessionfinish(self) -> None:
        self.output["statuses"] = [list(one) for one in sorted(self.own.seen)]


def pytest_configure(config: pytest.Config) -> None:
    own = Heard()
    own.listen()
    is_worker = hasattr(config, "workerinput")
    config.pluginmanager.register(Worker(own, config.workeroutput) if is_worker else Whole(own))
