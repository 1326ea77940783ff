"""The routes of the OpenAPI document, and a body that each would take: from its schema, and what only a person knows."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.api.openapi_shared import resolved
from tests.statuses import DOCUMENT, VERBS

Json = Any
PARAMETER = re.compile(r"\{(\w+)\}")
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(frozen=True)
class Route:
    verb: str
    path: str
    said: Json  # as the document tells it, its references resolved one deep
    document: Json

    @property
    def name(self) -> str:
        return f"{self.verb.upper()} {self.path}"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path)))

    @property
    def is_fhir(self) -> bool:
        return self.path.startswith("/fhir")

    @property
    def statuses(self) -> frozenset[str]:
        return frozenset(self.said["responses"])

    @property
    def is_open(self) -> bool:
        return self.said.get("security") == []

    @property
    def media(self) -> str | None:
        return next(iter(self.said.get("requestBody", {}).get("content", {})), None)

    @property
    def schema(self) -> Json:
        content = self.said.get("requestBody", {}).get("content", {})
        return self.resolved(content[self.media].get("schema", {})) if self.media else {}

    @property
    def body_name(self) -> str:
        content = self.said.get("requestBody", {}).get("content", {})
        schema = content[self.media].get("schema", {}) if self.media else {}
        return str(schema.get("$ref", "").rpartition("/")[2] or schema.get("title", ""))

    def parameters(self, place: str) -> list[Json]:
        return [one for each in self.said.get("parameters", ()) if (one := self.resolved(each))["in"] == place]

    def takes(self, name: str) -> bool:
        return any(one["name"] == name for one in self.parameters("header"))

    def resolved(self, said: Json) -> Json:
        return resolved(self.document, said)


def routes() -> Iterator[Route]:
    document = json.loads(DOCUMENT.read_text())
    for path, verbs in document["paths"].items():
        for verb, said in verbs.items():
            if verb in VERBS:
                yield Route(verb, path, said, document)


def body(route: Route, known: Callable[[str], Json | None]) -> Json:
    """The least that the schema asks for; `known` gives what stands here under a name."""
    return _made(route, route.schema, "", known)


def _made(route: Route, schema: Json, name: str, known: Callable[[str], Json | None]) -> Json:
    schema = route.resolved(schema)
    if name and (value := known(name)) is not None:
        return value if schema.get("type") != "array" or isinstance(value, list) else [value]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _made(route, next(s for s in schema[several] if s.get("type") != "null"), name, known)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("examples"):
        return schema["examples"][0]
    match schema.get("type"):
        case "object":
            asked = schema.get("required", ())
            return {n: _made(route, s, n, known) for n, s in schema.get("properties", {}).items() if n in asked}
        case "array":
            return [_made(route, schema.get("items", {}), "", known)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return _text(schema)


def _text(schema: Json) -> str:
    said = {
        "uuid": "00000000-0000-7000-8000-000000000000",
        "date": "2026-11-10",
        "date-time": "2026-11-10T09:00:00+01:00",
        "time": "09:00:00",
        "binary": "%PDF-1.7",
    }
    return said.get(schema.get("format", ""), "x" * max(3, schema.get("minLength", 0)))
