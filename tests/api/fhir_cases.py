"""What a partner knows that the OpenAPI document can't tell of FHIR: types, ids of its own, resources that make sense."""

from collections import defaultdict
from random import Random
from typing import Any

from schemathesis.core import NOT_SET
from schemathesis.generation.case import Case

from app.fhir.mapping import Json
from tests.exchange.bundles import FINESS, goal, patient, project
from tests.exchange.sending import sent
from tests.world import World

FORM = "application/x-www-form-urlencoded"
SEARCHES = ({}, {"_count": "3"}, {"_lastUpdated": "ge2026-01-01"}, {"_summary": "true"}, {"_pretty": "true"})
WRITTEN = ("Patient", "Goal")


class Sender:
    """One dossier sent by the CHU before anything is asked; then ids as each caller finds them."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world, self.rng, self.count = world, rng, 0
        answer = sent(world, project("cases", goals=3))
        assert answer.status_code == 200, answer.text
        listed = world.client.get("/fhir/metadata").json()["rest"][0]["resource"]
        self.types = [each["type"] for each in listed]
        self.ids: dict[str, dict[str, list[str]]] = defaultdict(dict)

    def asked(self, case: Case, who: str, *, raw: bool) -> tuple[dict[str, str], dict[str, Any], Any, str | None]:
        """The parameters of the path and of the query, the body and its media type."""
        if raw:
            path = {n: str(v) for n, v in case.path_parameters.items()}
            return path, case.query, case.body, case.media_type
        writes = case.method in ("PUT", "PATCH", "DELETE") or (
            case.path == "/fhir/{type_name}" and case.method == "POST"
        )
        type_name = "Patient" if "/Patient/" in case.path else self._type(who, writes)
        ids = self._ids(who, type_name) if "{id}" in case.path else []
        id = self.rng.choice(ids) if ids else str(case.path_parameters.get("id", "x"))
        path = {"type_name": type_name, "id": id, "version": "1"}
        return path, self._query(case, type_name), self._body(case, who, type_name, id), self._media(case)

    def _type(self, who: str, writes: bool) -> str:
        if writes:
            return self.rng.choice(WRITTEN)
        known = [name for name in self.types if self._ids(who, name)]
        return self.rng.choice(known or self.types)

    def _ids(self, who: str, type_name: str) -> list[str]:
        if type_name not in self.ids[who]:
            found = self._unchecked(f"/fhir/{type_name}?_count=20", who)
            told = found.json().get("entry", []) if found.status_code == 200 else []
            self.ids[who][type_name] = [each["resource"]["id"] for each in told if "id" in each["resource"]]
        return self.ids[who][type_name]

    def _unchecked(self, path: str, who: str) -> Any:
        """What is asked only to know what to ask; the cases themselves are judged."""
        hooks, self.world.client.event_hooks = self.world.client.event_hooks, {}
        answer = self.world.client.get(path, headers=self.world.bearers.get(who, {}))
        self.world.client.event_hooks = hooks
        return answer

    def _query(self, case: Case, type_name: str) -> dict[str, Any]:
        if case.path == "/fhir/{type_name}" and case.method in ("PUT", "PATCH", "DELETE"):
            return {"identifier": f"{_system(type_name)}|{FINESS}/cases"}
        if case.path == "/fhir/{type_name}" and case.method == "GET":
            return dict(self.rng.choice(SEARCHES))
        return {n: v for n, v in case.query.items() if n in ("_count", "manifest", "dry-run")} if case.query else {}

    def _media(self, case: Case) -> str | None:
        return "application/fhir+json" if case.path == "/fhir" else case.media_type

    def _body(self, case: Case, who: str, type_name: str, id: str) -> Any:
        self.count += 1
        local = f"cases{self.count}"
        if case.body is NOT_SET:
            return NOT_SET
        if case.path.endswith("_search"):
            return dict(self.rng.choice(SEARCHES[:3]))
        if case.path == "/fhir":
            return project(local) | {"type": self.rng.choice(("transaction", "batch"))}
        if case.method == "PATCH":
            return [{"op": "add", "path": "/language", "value": "fr"}]
        new = patient(local) if type_name == "Patient" else self._goal(local)
        if case.method == "PUT" and "{id}" in case.path:
            answer = self._unchecked(f"/fhir/{type_name}/{id}", who)
            found = answer.json() if answer.status_code == 200 else {**new, "id": id}
            return {**found, "language": "fr-FR"}
        return {name: value for name, value in new.items() if name != "id"}

    def _goal(self, local: str) -> Json:
        someone = self._ids("chu", "Patient")[0]
        aim = {name: value for name, value in goal(1, local).items() if name != "extension"}
        return {**aim, "subject": {"reference": f"Patient/{someone}"}}


def _system(type_name: str) -> str:
    whole = patient() if type_name == "Patient" else goal()
    return str(whole["identifier"][0]["system"])
