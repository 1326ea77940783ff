"""FHIR patch by JSON Patch: operations on the resource as its caller reads it; the result is an update like another.

Who a row belongs to, who reads it and its versions stand in no element of it, and `id` and `meta` are ours to say.
Sources: https://hl7.org/fhir/R4/http.html#patch, https://www.rfc-editor.org/rfc/rfc6902
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer
import orjson

from app.fhir.checking import faults_of
from app.fhir.mapping import Json
from app.fhir.reading import read_json
from app.kernel.depth import MAX_DEPTH
from app.kernel.errors import Invalid, Unreadable

JSON_PATCH = "application/json-patch+json"
OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})
OPERATIONS_MOST = 100
COPIED_MOST = 256 * 1024  # bytes, of all its operations: a `copy` into itself doubles
NEEDED = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "test": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
}
OURS = frozenset({"id", "meta", "resourceType"})
NO_PATH = "un chemin commence par /, nomme chaque élément et, d'une liste, sa place depuis 0, comme /name/0/family"
SHAPE = "Un JSON Patch est une liste d'opérations, chacune avec op, path et, selon elle, value ou from."


def of_binary(resource: Json, where: str) -> Any:
    """The operations that an entry of a bundle carries. Raises Unreadable."""
    kind = str(resource.get("contentType", "")).partition(";")[0].strip()
    if resource.get("resourceType") != "Binary" or kind != JSON_PATCH:
        raise Unreadable(f"Un PATCH se porte en ressource Binary, de type {JSON_PATCH}.", where=where)
    try:
        return read_json(b64decode("".join(str(resource.get("data", "")).split()), validate=True))
    except (NotBase64, ValueError):
        raise Unreadable("Le contenu de ce Binary n'est pas du base64.", where=where) from None


def patched(resource: Json, operations: Any, where: str) -> Json:
    """The resource once the operations were applied. Raises Unreadable or Invalid naming the operation."""
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise Unreadable(SHAPE, where=where)
    if len(operations) > OPERATIONS_MOST:
        raise Invalid(f"Un PATCH tient en {OPERATIONS_MOST} opérations.", where=where, code="too_many")
    told, copied = deepcopy(resource), 0
    for place, operation in enumerate(operations):
        try:
            copied += _checked(told, operation, where)
            if copied > COPIED_MOST:
                raise Invalid(
                    f"Un PATCH copie ou déplace {COPIED_MOST // 1024} Kio au plus.", where=where, code="too_long"
                )
            told = _applied(told, operation, where)
        except Invalid as no:
            raise type(no)(f"Opération n° {place + 1} : {no.message}", where=where, code=no.told) from None
    if faults := faults_of(told, where):
        raise Unreadable("Après ce PATCH, la ressource n'est plus conforme à FHIR R4.", faults=faults)
    return told


def _checked(resource: Json, operation: Json, where: str) -> int:
    """How many bytes the operation takes from elsewhere. Raises Unreadable or Invalid."""
    paths = [operation.get(name) for name in ("path", "from") if name in operation]
    if str(operation.get("op")) not in OPERATIONS:
        raise Unreadable(f"op est l'un de {', '.join(sorted(OPERATIONS))}.", where=where)
    if not paths or not all(isinstance(each, str) for each in paths):
        raise Unreadable("path manque, ou n'est pas un texte.", where=where)
    if lacking := [name for name in NEEDED.get(operation["op"], ()) if name not in operation]:
        raise Invalid(f"cette opération demande {lacking[0]}.", where=where, code="patch.path")
    if any(path and not path.startswith("/") for path in paths):
        raise Invalid(f"{NO_PATH}.", where=where, code="patch.path")
    ours = any(str(path).strip("/").partition("/")[0] in OURS or not path for path in paths)
    if ours and operation["op"] != "test":
        raise Invalid(
            "ce chemin ne se change pas : id, meta et type sont tenus par le serveur.", where=where, code="not_yours"
        )
    taken = operation["op"] in ("copy", "move")
    if not taken and operation["op"] not in ("add", "replace"):
        return 0
    with _applying(where):
        put = jsonpointer.resolve_pointer(resource, operation["from"]) if taken else operation.get("value")
        deep = len(jsonpointer.JsonPointer(operation["path"]).parts) + _depth(put)
    if (
        deep > MAX_DEPTH
    ):  # before anything is put: what copies, writes or compares it afterwards goes down as deep as it is
        raise Unreadable(f"la ressource a ensuite plus de {MAX_DEPTH} niveaux.", where=where, code="too_deep")
    return len(orjson.dumps(put)) if taken else 0


def _applied(resource: Json, operation: Json, where: str) -> Json:
    with _applying(where):
        told: Json = jsonpatch.JsonPatch([operation]).apply(resource, in_place=True)
    return told


@contextmanager
def _applying(where: str) -> Iterator[None]:
    """Raises Invalid naming the operation in the place of what the libraries raise."""
    try:
        yield
    except jsonpatch.JsonPatchTestFailed:
        raise Invalid("le test de ce PATCH ne tient pas.", where=where, code="patch.test") from None
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError, KeyError):
        raise Invalid(
            f"rien ne se trouve à ce chemin dans la ressource telle que vous la lisez ; {NO_PATH}.",
            where=where,
            code="patch.path",
        ) from None


def _depth(value: Any) -> int:
    """How many levels of objects and lists, 0 for a plain value; level by level, since it may be too deep to go down."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
