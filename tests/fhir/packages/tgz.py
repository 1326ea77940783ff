"""Small FHIR packages of our own, as npm tarballs."""

import asyncio
import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import orjson

from app.fhir.packages import reading, store
from app.kernel.db import Database

Json = dict[str, Any]
MANIFEST: Json = {"name": "exemple.fhir.grilles", "version": "1.0.0", "title": "Grilles", "fhirVersions": ["4.0.1"]}
GRID_URL = "https://exemple.test/Questionnaire/autonomie"
CODES_URL = "https://exemple.test/CodeSystem/niveaux"
LEVELS_URL = "https://exemple.test/ValueSet/niveaux"
GRID: Json = {
    "resourceType": "Questionnaire",
    "id": "autonomie",
    "url": GRID_URL,
    "version": "1",
    "title": "Autonomie",
    "status": "active",
    "item": [
        {"linkId": "niveau", "text": "Niveau", "type": "choice", "required": True, "answerValueSet": LEVELS_URL},
        {
            "linkId": "gestes",
            "type": "group",
            "item": [
                {"linkId": "lever", "type": "boolean", "required": True},
                {"linkId": "mots", "type": "string", "maxLength": 5},
                {"linkId": "aide", "type": "open-choice", "repeats": True, "answerOption": [{"valueCoding": {"code": "a"}}]},
                {"linkId": "nombre", "type": "integer", "answerOption": [{"valueInteger": 1}, {"valueInteger": 2}]},
                {"linkId": "si", "type": "string", "required": True, "enableWhen": [{"question": "lever", "operator": "=", "answerBoolean": False}]},
            ],
        },
    ],
}  # fmt: skip
CODES: Json = {
    "resourceType": "CodeSystem",
    "id": "niveaux",
    "url": CODES_URL,
    "status": "active",
    "content": "complete",
    "concept": [{"code": "A", "concept": [{"code": "A1"}]}, {"code": "B"}],
}
LEVELS: Json = {
    "resourceType": "ValueSet",
    "id": "niveaux",
    "url": LEVELS_URL,
    "status": "active",
    "compose": {"include": [{"system": CODES_URL}], "exclude": [{"system": CODES_URL, "concept": [{"code": "B"}]}]},
}


def tgz(place: Path, *resources: Json, manifest: Json | None = None, more: dict[str, bytes] | None = None) -> Path:
    """A package at `place`: its manifest, these resources, and any other file."""
    files = {"package/package.json": orjson.dumps(MANIFEST if manifest is None else manifest)}
    for each in resources:
        files[f"package/{each['resourceType']}-{each.get('id', 'x')}.json"] = orjson.dumps(each)
    members = [(tarfile.TarInfo(name), content) for name, content in (files | (more or {})).items()]
    return packed(place, *members)


def packed(place: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    place.write_bytes(gzip.compress(whole.getvalue()))
    return place


def installed(owner_url: str, place: Path) -> None:
    """As `dui fhir install` does."""

    async def work() -> None:
        base = Database(owner_url, 1)
        async with base.session(None) as session:
            await store.install(session, reading.read(place))
            await session.commit()
        await base.close()

    asyncio.run(work())
