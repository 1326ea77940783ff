"""An official FHIR package read from a file: an npm tarball, taken apart by hand and within caps; nothing is extracted.

Kept of it: the definitions this server uses. The rest (examples, pages, other types) is passed over.
Sources: https://hl7.org/fhir/packages.html, https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from app.fhir.checking import faults_of
from app.fhir.packages.shapes import first_wrong
from app.fhir.reading import read_json
from app.kernel.errors import DuiError, Invalid, TooLarge

Json = dict[str, Any]
TYPES = frozenset({"StructureDefinition", "CodeSystem", "ValueSet", "Questionnaire"})
MIB = 1024 * 1024
PACKED_MOST = 64 * MIB
UNPACKED_MOST = 512 * MIB
FILE_MOST = 16 * MIB
FILES_MOST = 20_000
KEPT_MOST = 256 * MIB
ROOT, MANIFEST = "package/", "package/package.json"
DEPTH_MOST = 64
_NAME = re.compile(r"(?:@[a-z0-9][a-z0-9._-]{0,60}/)?[a-z0-9][a-z0-9._-]{0,120}").fullmatch
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,60}").fullmatch
_RESOURCE = re.compile(r"package/[A-Za-z0-9][^/\\\x00]{0,200}\.json").fullmatch
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_CANONICAL = re.compile(r"[a-z][a-z0-9+.-]*:[^\s|]+").fullmatch

NOT_A_PACKAGE = "Ce fichier n'est pas un paquet FHIR (archive .tgz avec package/package.json)."
TOO_BIG = "Ce paquet est trop grand : {} au plus."
LEADS_OUT = "Ce paquet contient un chemin ou un lien qui sort de son dossier : il est refusé en entier."


@dataclass(frozen=True, slots=True)
class Definition:
    type_name: str
    id: str
    url: str
    version: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    title: str | None
    definitions: tuple[Definition, ...]

    @property
    def sha256(self) -> str:
        whole = hashlib.sha256(f"{self.name}\0{self.version}".encode())
        for each in sorted(self.definitions, key=lambda d: (d.type_name, d.id)):
            whole.update(f"\0{each.type_name}/{each.id}\0{hashlib.sha256(each.body).hexdigest()}".encode())
        return whole.hexdigest()


class _Capped:
    """What comes out of the gzip, counted: a few kilobytes may unpack into a disk."""

    def __init__(self, inside: gzip.GzipFile) -> None:
        self.inside, self.left = inside, UNPACKED_MOST

    def read(self, size: int = -1) -> bytes:
        got = self.inside.read(min(size, MIB) if size > 0 else MIB)
        self.left -= len(got)
        if self.left < 0:
            raise TooLarge(TOO_BIG.format(f"{UNPACKED_MOST // MIB} Mio une fois déplié"))
        return got


def read(path: Path) -> Package:
    """Raises Invalid or TooLarge, in words that name the file of the package at fault, never the machine's."""
    if path.stat().st_size > PACKED_MOST:
        raise TooLarge(TOO_BIG.format(f"{PACKED_MOST // MIB} Mio"))
    try:
        with (
            path.open("rb") as packed,
            gzip.GzipFile(fileobj=packed) as inside,
            tarfile.open(fileobj=cast(IO[bytes], _Capped(inside)), mode="r|") as archive,
        ):
            return _package(dict(_files(archive)))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise Invalid(NOT_A_PACKAGE, code="package.not_one") from exc


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    kept = 0
    for count, member in enumerate(archive, 1):
        if count > FILES_MOST:
            raise TooLarge(TOO_BIG.format(f"{FILES_MOST} fichiers"))
        _check_inside(member)
        if not (member.isreg() and _RESOURCE(member.name)):
            continue
        if member.size > FILE_MOST:
            raise TooLarge(TOO_BIG.format(f"{FILE_MOST // MIB} Mio par fichier"))
        kept += member.size
        if kept > KEPT_MOST:
            raise TooLarge(TOO_BIG.format(f"{KEPT_MOST // MIB} Mio de définitions"))
        content = archive.extractfile(member)
        if content is not None:
            yield member.name, content.read()


def _check_inside(member: tarfile.TarInfo) -> None:
    parts = member.name.replace("\\", "/").split("/")
    if member.name.startswith(("/", "\\")) or ".." in parts or not (member.isreg() or member.isdir()):
        raise Invalid(LEADS_OUT, code="package.leads_out")


def _package(files: dict[str, bytes]) -> Package:
    if MANIFEST not in files:
        raise Invalid(NOT_A_PACKAGE, code="package.not_one")
    told = _json(MANIFEST, files.pop(MANIFEST))
    name, version, title = told.get("name"), told.get("version"), told.get("title")
    if not (isinstance(name, str) and _NAME(name) and isinstance(version, str) and _VERSION(version)):
        raise Invalid("package.json : il faut un nom (name) et une version.", code="package.unnamed")
    made_for = told.get("fhirVersions") or told.get("fhir-version-list") or ["4.0.1"]
    if not (isinstance(made_for, list) and any(str(each).startswith("4.0") for each in made_for)):
        raise Invalid("Ce paquet n'est pas fait pour FHIR R4 (4.0.1).", code="package.other_fhir")
    found = {}
    for place, content in sorted(files.items()):
        if each := _definition(place, content):
            found[each.type_name, each.id] = each
    if not found:
        raise Invalid("Ce paquet ne contient aucune définition que ce serveur utilise.", code="package.empty")
    return Package(name, version, title if isinstance(title, str) else None, tuple(found.values()))


def _definition(place: str, content: bytes) -> Definition | None:
    resource = _json(place, content)
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str) or type_name not in TYPES:
        return None
    id, url, version = resource.get("id"), resource.get("url"), resource.get("version")
    if not (isinstance(id, str) and _ID(id) and isinstance(url, str) and _CANONICAL(url)):
        raise _bad(place, "il faut un id et une adresse (url)")
    if version is not None and not isinstance(version, str):
        raise _bad(place, "la version est un texte")
    if type_name == "Questionnaire" and (faults := faults_of(resource)):
        raise _bad(place, f"{faults[0].where} : {faults[0].message}")
    if wrong := first_wrong(resource):
        raise _bad(place, "{} : {}.".format(*wrong))
    return Definition(type_name, id, url, version, orjson.dumps(resource))


def _json(place: str, content: bytes) -> Json:
    try:
        read = read_json(content, DEPTH_MOST)
    except DuiError as no:
        raise _bad(place, no.message) from None
    if not isinstance(read, dict):
        raise _bad(place, "un objet JSON est attendu")
    return read


def _bad(place: str, why: str) -> Invalid:
    """`place` was matched by `_RESOURCE`: the name of a file of a published package."""
    return Invalid(f"{place.removeprefix(ROOT)} : {why}", code="package.bad_file")
