"""The OpenAPI document is kept: cases made from it by schemathesis, as staff, person, partner and stranger, are answered
without a fault of ours, by a status it tells, in the shape it tells, and no refusal repeats what it received.
"""

import json
import traceback
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.openapi import PROBLEM
from app.security.principal import Role
from tests.api.cases import CANARY, KINDS, NEGATIVE, STRANGER, Asked, Caller, Known, drawn, shares
from tests.api.fhir_cases import Sender
from tests.world import World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEED = 20261122
ORDER = ("POST", "GET", "PUT", "PATCH", "DELETE")
ENDING = ("session", "revoke")  # what ends the callers' own sessions is asked last
OTHERS = ("chu", "lucas", "marc", "mdph", "jeanne", "sonia")
LEAST = 30  # % of 2xx among the cases of someone signed in


class Trial:
    """Every operation of the document, its share of the cases each; what went wrong, once a kind."""

    def __init__(self, world: World, total: int) -> None:
        self.world, self.total, self.rng = world, total, Random(SEED)
        self.known = Known(world)
        self.caller = Caller(world, self.known, Sender(world, self.rng), self.rng)
        document = world.client.get("/openapi.json").json()
        found = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
        self.operations = sorted(found, key=lambda one: (self._last(one.path), ORDER.index(one.method.upper())))
        self.faults: dict[str, str] = {}
        self.asked, self.signed, self.good = 0, 0, 0
        self.statuses: Counter[int] = Counter()

    def _last(self, path: str) -> bool:
        return any(word in path for word in ENDING)

    def run(self) -> None:
        for number, (operation, count) in enumerate(
            zip(self.operations, shares(self.total, len(self.operations)), strict=True)
        ):
            good = drawn(operation, GenerationMode.POSITIVE, count, SEED + number)
            bad = drawn(operation, GenerationMode.NEGATIVE, max(1, count // 6), SEED + number)
            if not good:
                self.faults[f"{operation.label} has no case"] = "what the document says can't be met"
            for n in range(count if good else 0):
                kind = KINDS[n % 6] if bad else KINDS[n % 5]
                case = bad[n // 6 % len(bad)] if kind == NEGATIVE else good[n % len(good)]
                self.one(case, kind, self._who(number, n, operation.path))

    def _who(self, number: int, n: int, path: str) -> str:
        """In each six: a stranger, someone at whatever door, and those of that door."""
        if n % 6 == 3:
            return STRANGER
        return OTHERS[(number + n // 6) % len(OTHERS)] if n % 6 == 1 and number % 2 else self.caller.who(path)

    def one(self, case: Case, kind: str, who: str) -> None:
        asked = self.caller.asked(case, kind, who)
        self.asked += 1
        self.signed += who != STRANGER
        headers = {**self.world.bearers.get(who, {}), **asked.headers}
        try:
            answer = self.world.client.request(
                asked.method, asked.path, params=asked.query or None, headers=headers, content=asked.content
            )
        except Exception as bug:  # noqa: BLE001  the client of tests lets the server's own through
            self.fault(asked, f"{type(bug).__name__}", "".join(traceback.format_exception(bug)[-3:]))
            return
        self.statuses[answer.status_code] += 1
        self.judge(case, asked, answer)
        if answer.status_code < 300:
            self.good += who != STRANGER
            if answer.headers.get("content-type") == "application/json":
                self.known.learn(asked.path, asked.template, answer.json())
            if asked.method == "DELETE":
                self.known.forget(asked.path)
        elif answer.status_code in (401, 403, 404) and who != STRANGER:
            self.caller.refused(asked.template)

    def judge(self, case: Case, asked: Asked, answer: Any) -> None:
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as several:
            for each in several.exceptions:
                self.fault(asked, f"{answer.status_code} {type(each).__name__}", f"{each} {answer.text[:300]}")
        except Failure as one:
            self.fault(asked, f"{answer.status_code} {type(one).__name__}", f"{one} {answer.text[:300]}")
        if answer.status_code >= 400:
            for told in refusal_at_fault(asked.template, answer):
                self.fault(asked, f"{answer.status_code} {told}", answer.text[:300])

    def fault(self, asked: Asked, what: str, detail: str) -> None:
        said = f"{asked.who} {asked.kind} {asked.path} {asked.query} {(asked.content or b'')[:300]!r}\n{detail}"
        self.faults.setdefault(f"{asked.method} {asked.template} {what}", said)


def refusal_at_fault(template: str, answer: Any) -> list[str]:
    """What a refusal should have been, and is not."""
    found = []
    seen = answer.text + json.dumps({k: v for k, v in answer.headers.items() if k != "location"})
    if any(one in seen for one in (CANARY, quote(CANARY), "CANARI")):
        found.append("repeats what it received")
    kind = answer.headers.get("content-type", "")
    if template.startswith("/fhir") and not kind.startswith(("application/fhir+json", "application/fhir+xml")):
        found.append(f"is no FHIR: {kind}")
    elif template.startswith("/fhir") and kind.startswith("application/fhir+json"):
        told = answer.json()
        if told["resourceType"] != "OperationOutcome" or not all(i["code"] and i["severity"] for i in told["issue"]):
            found.append("is no OperationOutcome")
    elif template.startswith("/api"):
        told = answer.json() if kind == "application/problem+json" else {}
        if set(told) != set(PROBLEM["required"]) or told["status"] != answer.status_code:
            found.append(f"is no problem: {kind}")
        elif told["request_id"] != answer.headers["x-request-id"]:
            found.append("names another request")
    return found


def trial(world: World, total: int, figure: Callable[[str], None], name: str) -> None:
    world.hire("dora", Role.DPO, "ehpad", "mas_fam", "ime", "mecs")
    world.hire("adam", Role.ADMIN, "ehpad", "mas_fam", "ime", "mecs")
    done = Trial(world, total)
    done.run()
    share = 100 * done.good / done.signed
    figure(f"schemathesis, {name}: {done.asked} cases, {share:.0f} % of those signed in are 2xx")
    assert not done.faults, "\n\n".join(f"{what}\n{said}" for what, said in sorted(done.faults.items()))
    assert done.asked == total
    assert share >= LEAST


@pytest.mark.once
def test_two_thousand_cases(world: World, figure: Callable[[str], None]):
    trial(world, 2_000, figure, "in each run")


@pytest.mark.long
def test_ten_thousand_cases(world: World, figure: Callable[[str], None]):
    trial(world, 10_000, figure, "the long trial")
