"""What several routes of the OpenAPI document say alike, said once among its components."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

VERBS = ("get", "post", "put", "patch", "delete")
NAMES = {"application/problem+json": "Problem", "application/fhir+json": "Fhir", "application/json": "Json"}
Json = dict[str, Any]


def share(document: Json) -> None:
    """Parameters and answers said word for word by two routes become references."""
    routes = [route for verbs in document["paths"].values() for verb, route in verbs.items() if verb in VERBS]
    for place, told in (("parameters", _parameters(routes)), ("responses", _responses(routes))):
        said = [*told]
        counts = Counter(_text(each) for _, each, _, _ in said)
        names: dict[str, str] = {}
        for name, each, holder, key in said:
            text = _text(each)
            if counts[text] > 1:
                if text not in names:
                    names[text] = _free(name, names.values())
                    document["components"].setdefault(place, {})[names[text]] = each
                holder[key] = {"$ref": f"#/components/{place}/{names[text]}"}


def resolved(document: Json, said: Json) -> Json:
    """What a reference leads to; anything else, as it is."""
    if "$ref" not in said:
        return said
    _, _, place, name = said["$ref"].split("/")
    found: Json = document["components"][place][name]
    return found


def _parameters(routes: list[Json]) -> Iterator[tuple[str, Json, Any, Any]]:
    for route in routes:
        for n, each in enumerate(route.get("parameters", ())):
            yield each["name"].strip("_").replace("-", ""), each, route["parameters"], n


def _responses(routes: list[Json]) -> Iterator[tuple[str, Json, Any, Any]]:
    for route in routes:
        for status, each in route["responses"].items():
            media = next(iter(each.get("content", {})), "")
            yield f"{NAMES.get(media, '')}{status}", each, route["responses"], status


def _free(name: str, taken: Any) -> str:
    several = (name, *(f"{name}_{n}" for n in range(2, 1_000)))
    return next(each for each in several if each not in taken)


def _text(said: Json) -> str:
    return json.dumps(said, sort_keys=True)
