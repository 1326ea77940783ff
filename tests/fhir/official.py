"""Where official material is found when this machine has it; nothing of it is in the repository."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = (os.environ.get("DUI_TEST_DATA", ""), str(ROOT / "../shared/data"), str(ROOT / "../../shared/data"))
BUNDLES = (
    "tddui/examples/Bundle-tddui-pp-ime-bundle-example.v2.3.0.json",
    "tddui/examples/Bundle-tddui-bundle-example.v2.4.0.json",
)


def text(name: str) -> bytes:
    for place in filter(None, PLACES):
        if (found := Path(place) / name).is_file():
            return found.read_bytes()
    pytest.skip(f"official data absent: {name}")


def bundle(name: str) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(text(name))
    return read


def all_of(folder: str) -> list[dict[str, Any]]:
    for place in filter(None, PLACES):
        if found := sorted((Path(place) / folder).glob("*.json")):
            return [orjson.loads(each.read_bytes()) for each in found]
    pytest.skip(f"official data absent: {folder}")
