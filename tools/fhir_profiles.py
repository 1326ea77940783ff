"""Write fhir_profiles/ from the code: `python -m tools.fhir_profiles`.

This server's CapabilityStatement, our own profiles and extensions (app/api/own_profiles.py), our code systems.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.oauth.partner import TOKEN
from app.api.own_profiles import definitions, head, operations
from app.api.own_words import CODE_SYSTEMS
from app.api.resources import REGISTRY
from app.config import Settings
from app.fhir import capability
from app.fhir.canonicals import code_system
from app.fhir.types import said

PLACE = Path(__file__).parents[1] / "fhir_profiles"
Json = dict[str, Any]


def files() -> Iterator[tuple[str, str]]:
    """Each file's name and text."""
    origin = Settings().origins[0]
    yield "CapabilityStatement-dui-serveur.json", _text(said(capability.statement(REGISTRY, origin, origin + TOKEN)))
    for each in definitions().values():
        yield f"StructureDefinition-{each['id']}.json", _text(each)
    for each in operations():
        yield f"OperationDefinition-{each['id']}.json", _text(each)
    for name, (title, codes) in CODE_SYSTEMS.items():
        yield f"CodeSystem-{name}.json", _text(_code_system(name, title, codes))


def _text(thing: Json) -> str:
    return json.dumps(thing, ensure_ascii=False, indent=1) + "\n"


def _code_system(name: str, title: str, codes: dict[str, str]) -> Json:
    concepts = [{"code": code, "display": display} for code, display in codes.items()]
    about = {"caseSensitive": True, "content": "complete", "count": len(concepts), "concept": concepts}
    return head("CodeSystem", code_system(name), name, title, title) | about


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for name, text in files():
        (PLACE / name).write_text(text)
