"""What an entry of a bundle asks to read, answered by the verb that its address names.

Source: https://hl7.org/fhir/R4/http.html#transaction
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson
from starlette.responses import Response

from app.access.entry import DossierEntry
from app.access.reading import Reading
from app.api.resources import REGISTRY
from app.fhir import showing
from app.fhir.mapping import Json
from app.fhir.outcomes import outcome
from app.fhir.reading import Entry
from app.fhir.verbs import history
from app.fhir.verbs.asking import asking, asking_everywhere
from app.fhir.verbs.conditions import Conditions
from app.fhir.verbs.everything import everything
from app.fhir.verbs.read import read
from app.fhir.verbs.search_type import search
from app.fhir.verbs.vread import vread
from app.kernel.errors import DuiError, NotFound, Unreadable

ADDRESS = re.compile(
    r"(?:(?P<type>[A-Z][A-Za-z]{1,63})(?:/(?P<id>[A-Za-z0-9.-]{1,64}))?/?)?"
    r"(?:(?P<past>_history)(?:/(?P<version>[A-Za-z0-9.-]{1,64}))?|(?P<all>\$everything))?",
    re.ASCII,
)
BESIDE = frozenset(each.type_name for each in REGISTRY.beside)
Pairs = list[tuple[str, str]]
Verb = Callable[[Reading, str, dict[str, str | None], Pairs], Awaitable[Response]]


async def look(reading: Reading, origin: str, entry: Entry) -> Json | None:
    """The resource that a GET of a bundle tells; None when the caller has it already. Raises what refuses it."""
    path, _, query = entry.url.removeprefix(f"{origin}/fhir").lstrip("/").partition("?")
    address = ADDRESS.fullmatch(path)
    if address is None or not path or address["type"] in BESIDE:
        raise NotFound("Cette adresse n'existe pas.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Unreadable("Les paramètres ne sont pas lisibles (UTF-8 attendu).") from None
    how, said = showing.read(pairs)
    said = [(name, text) for name, text in said if name != "_format"]
    under = {name: entry.request.get(name) for name in ("ifNoneMatch", "ifModifiedSince")}
    answer = await _verb(address.groupdict())(reading, origin, {**address.groupdict(), **under}, said)
    if answer.status_code == 304:
        return None
    body = bytes(answer.body)
    told: Json = orjson.loads(how.body(body) if how else body)
    return told


def refusal(no: DuiError) -> Json:
    """What an entry of a batch is refused for."""
    return {"response": {"status": f"{no.status} {HTTPStatus(no.status).phrase}", "outcome": outcome(no)}}


def _verb(asked: dict[str, str | None]) -> Verb:
    if asked["past"] and not asked["type"]:
        return _of_system
    if asked["version"]:
        return _version if asked["id"] else _nothing
    if asked["past"]:
        return _of_instance if asked["id"] else _of_type
    if asked["all"]:
        return _everything if asked["type"] == "Patient" and asked["id"] else _nothing
    return _one if asked["id"] else _search


async def _nothing(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    raise NotFound("Cette adresse n'existe pas.")


async def _one(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    _none_of(said)
    return await read(await asking(reading, REGISTRY, origin, str(asked["type"]), "r"), str(asked["id"]), _under(asked))


async def _version(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    _none_of(said)
    how = await asking(reading, REGISTRY, origin, str(asked["type"]), "r")
    return await vread(how, str(asked["id"]), str(asked["version"]), _under(asked))


async def _search(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    return await search(await asking(reading, REGISTRY, origin, str(asked["type"]), "s"), said)


async def _of_instance(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    how = await asking(reading, REGISTRY, origin, str(asked["type"]), "r")
    return await history.of_instance(how, str(asked["id"]), said)


async def _of_type(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    return await history.of_type(await asking(reading, REGISTRY, origin, str(asked["type"]), "s"), said)


async def _of_system(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    return await history.of_system(await asking_everywhere(reading, REGISTRY, origin, "s"), said)


async def _everything(reading: Reading, origin: str, asked: dict[str, str | None], said: Pairs) -> Response:
    how = await asking_everywhere(reading, REGISTRY, origin, "r", about=DossierEntry, type_name="Patient")
    return await everything(how, str(asked["id"]), said)


def _under(asked: dict[str, str | None]) -> Conditions:
    return Conditions(asked["ifNoneMatch"], asked["ifModifiedSince"])


def _none_of(said: Pairs) -> None:
    if said:
        raise Unreadable("Ce geste ne prend pas ce paramètre.", code="unknown_parameter")
