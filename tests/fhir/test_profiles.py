"""fhir_profiles/ says what the code says: its CapabilityStatement, every word of our own, examples that pass and fail."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.fhir.mapping import Inbound
from app.kernel.crypto import UsagerKey
from app.kernel.errors import Invalid
from tools.fhir_profiles import PLACE, files

WORD = re.compile(r'\b(code_system|extension)\("([a-z0-9-]+)"\)')
KINDS = {"code_system": "CodeSystem", "extension": "StructureDefinition"}


def test_what_is_committed_is_what_the_code_says():
    committed = {path.name: path.read_text() for path in PLACE.glob("*.json")}
    assert committed == dict(files()), "python -m tools.fhir_profiles"


@pytest.mark.parametrize(
    "path", sorted([*PLACE.glob("*.json"), *PLACE.glob("examples/*.json")]), ids=lambda path: path.stem
)
def test_every_file_is_valid_r4(path: Path):
    thing = json.loads(path.read_text())
    get_fhir_model_class(thing["resourceType"]).model_validate(thing)


def test_every_word_of_our_own_is_told():
    code = [path.read_text() for path in (PLACE.parent / "app").rglob("*.py")]
    spoken = {f"{KINDS[kind]}-{name}.json" for text in code for kind, name in WORD.findall(text)}
    assert spoken - {path.name for path in PLACE.glob("*.json")} == set(), "app/api/own_words.py"


def received(path: Path) -> Any:
    usager = uuid4()
    where = path.stem
    around = Inbound(uuid4(), usager, uuid4(), uuid4(), UsagerKey(bytes(32)), None, where)  # type: ignore[arg-type]
    return REGISTRY.received(json.loads(path.read_text()), around, lenient=False)


@pytest.mark.parametrize("path", sorted((PLACE / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_an_example_is_taken_by_the_map_of_its_profile(path: Path):
    chosen, arrived = received(path)
    assert chosen.profile in json.loads(path.read_text())["meta"]["profile"]
    assert arrived.row.KIND == chosen.view.TABLE.KIND


@pytest.mark.parametrize("path", sorted((PLACE / "refused").glob("*.json")), ids=lambda path: path.stem)
def test_what_breaks_a_profile_is_refused_under_strict_handling(path: Path):
    with pytest.raises(Invalid):
        received(path)
