"""The FHIR endpoint: HTTP in, FHIR out. The work is in `app.fhir`, the meaning in the features.

Plain routes, outside the framework's dependency machinery: reading is the hot path (design: performance.md, rule 9).
Source: https://hl7.org/fhir/R4/http.html
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.gate import Reading
from app.access.http import read_at
from app.api import binary
from app.api.oauth.partner import TOKEN
from app.api.resources import REGISTRY
from app.audit.lines import named
from app.audit.vocabulary import Door
from app.config import Settings
from app.features.access_log import fhir as audit_event
from app.features.assessments import catalogue as questionnaire
from app.features.documents.fhir import BINARY
from app.fhir import capability, showing
from app.fhir.search.names import ALL, Left, not_taken, ranked, spot
from app.fhir.search.query import FEWER, PAIRS_MOST
from app.fhir.search.values import uuid_of
from app.fhir.showing import Shown
from app.fhir.verbs.asking import asking
from app.fhir.verbs.conditions import Conditions
from app.fhir.verbs.read import read
from app.fhir.verbs.search_type import Pairs, search
from app.kernel.answers import FHIR_JSON, told
from app.kernel.errors import NotAcceptable, NotFound, Unreadable, UnsupportedMedia

JSON_ASKED = frozenset({"application/fhir+json", "application/json", "text/json", "application/*", "*/*", "json"})
BY_POST = "_search se demande par POST ; par GET, la recherche est à l'adresse du type."
FORM = "application/x-www-form-urlencoded"
R4 = frozenset({"", "4.0"})
QUERY_LONGEST = 16 * 1024
ALLOWED = {  # at the addresses where partners write too: app.api.fhir_writing
    "/fhir/{type_name}/{id}": "GET, PUT, PATCH, DELETE",
    "/fhir/{type_name}": "GET, POST, PUT, PATCH, DELETE",
}
Refusal = Callable[[Request, Exception], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
PATIENT = "Patient"
SHOWN = "fhir_shown"  # in the scope: how the answer is to be shown

HOT = re.compile(
    r"/fhir/(?P<type_name>[A-Z][A-Za-z]+)(?:/(?P<id>[^/_$][^/]*))?/?"
)  # `_history`, `$everything` stand elsewhere


class HotFirst:
    """Reads and searches skip the framework's layers, each of which costs as much as the row: same handlers, same
    refusals, the same answer. What it does not know goes on to the framework.
    """

    def __init__(self, app: ASGIApp, refusals: Mapping[type[Exception], Refusal]) -> None:
        self.app, self.refusals = app, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = HOT.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        read = found["id"] is not None
        scope["route"] = READ if read else SEARCH
        scope["path_params"] = found.groupdict() if read else {"type_name": found["type_name"]}
        request, bug = Request(scope, receive), None
        try:
            answer = shaped(request, await (_read(request) if read else _search(request)))
        except Exception as error:  # noqa: BLE001  this is where a bug becomes an answer
            answer, bug = self._refused(request, error)
        await answer(scope, receive, send)
        if bug:
            raise bug  # told to the caller in neutral words; the server logs what it was

    def _refused(self, request: Request, error: Exception) -> tuple[Response, Exception | None]:
        """The most precise refusal; when there is none, or it does not know this error, the neutral one."""
        kind = next(kind for kind in type(error).__mro__ if kind in self.refusals)
        try:
            return self.refusals[kind](request, error), error if kind is Exception else None
        except type(error):
            return self.refusals[Exception](request, error), error


class FhirRoute(Route):
    """A plain route that the log line can name. A type is letters only: `/fhir/.well-known/…` is another's.

    `alone`: it opens a transaction of its own, and stands in no other.
    """

    def __init__(self, path: str, endpoint: Endpoint, *, alone: bool = False, **more: Any) -> None:
        self.alone = alone

        async def answer(request: Request) -> Response:
            return shaped(request, await endpoint(request))

        super().__init__(path, answer, **more)

    def matches(self, scope: Any) -> tuple[Match, Any]:
        match, inner = super().matches(scope)
        if match is Match.NONE or not _is_type(inner["path_params"]):
            return Match.NONE, {}
        inner["route"] = self
        return match, inner


def _is_type(found: Mapping[str, str]) -> bool:
    name = found.get("type_name", "A")
    return name.isalpha() and name[0].isupper()


def routes() -> list[BaseRoute]:
    """Each address with and without a slash at its end: foreign clients write both."""
    found: list[BaseRoute] = []
    for path, answer, method in (
        ("/fhir/metadata", _metadata, "GET"),
        ("/fhir/{type_name}/_search", _search_by_form, "POST"),
        ("/fhir/{type_name}/{id}", _read, "GET"),
        ("/fhir/{type_name}", _search, "GET"),
    ):
        for each in (path, f"{path}/"):
            told = options(ALLOWED.get(path, method))
            found += [FhirRoute(each, answer, methods=[method]), FhirRoute(each, told, methods=["OPTIONS"])]
    return found


def options(methods: str) -> Callable[[Request], Awaitable[Response]]:
    async def options(request: Request) -> Response:
        """No page of another site calls us: no CORS."""
        type_name, allowed = request.path_params.get("type_name"), methods.replace("GET", "GET, HEAD")
        if type_name == PATIENT:
            allowed = allowed.replace(", DELETE", "")  # a dossier is not deleted by who sent it
        if "PUT" in methods and any(type_name == each.type_name for each in REGISTRY.beside):
            allowed = "GET, HEAD"
        return Response(status_code=204, headers={"Allow": f"{allowed}, OPTIONS"})

    return options


async def _metadata(request: Request) -> Response:
    """What this server does, to whoever asks: no token, no trace, nothing about anyone."""
    negotiate(request)
    pairs_of(request)
    origin = origin_of(request)
    return told(capability.statement(REGISTRY, origin, origin + TOKEN), FHIR_JSON)


async def _read(request: Request) -> Response:
    reading = await reading_of(request)
    if request.path_params["id"] == "_search":
        raise NotFound(BY_POST, where=request.path_params["type_name"])
    if request.path_params["type_name"] == audit_event.TYPE and named(request.path_params["id"]):
        return await audit_event.one(reading, request.path_params["id"])
    if request.path_params["type_name"] == questionnaire.TYPE and (
        grid := await questionnaire.read(reading, request.path_params["id"])
    ):
        return grid
    asked = await asking(reading, REGISTRY, origin_of(request), request.path_params["type_name"], "r")
    nothing_more(request)
    key = uuid_of(request.path_params["id"])
    if request.path_params["type_name"] == BINARY and key and (found := await binary.read(request, asked, key)):
        return found
    negotiate(request)
    return await read(asked, request.path_params["id"], conditions(request))


async def _search(request: Request) -> Response:
    return await _searched(request, await reading_of(request), pairs_of(request))


async def _search_by_form(request: Request) -> Response:
    """The same, its parameters in the body, which no log keeps. https://hl7.org/fhir/R4/http.html#search"""
    reading = await reading_of(request)
    return await _searched(request, reading, await form_of(request))


async def form_of(request: Request) -> Pairs:
    """Raises UnsupportedMedia for a POST that is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMedia(f"Une recherche par POST s'envoie en {FORM}.", where="Content-Type")
    return pairs_of(request, await request.body())


async def _searched(request: Request, reading: Reading, said: Pairs) -> Response:
    type_name, lenient = request.path_params["type_name"], prefers(request, "handling", "lenient")
    if type_name == audit_event.TYPE:
        return await audit_event.search(
            reading, origin_of(request), said if isinstance(said, Left) else tuple(said), lenient=lenient
        )
    if type_name == questionnaire.TYPE:
        return await questionnaire.search(reading, origin_of(request), said, lenient=lenient)
    return await search(await asking(reading, REGISTRY, origin_of(request), type_name, "s"), said, lenient=lenient)


async def reading_of(request: Request) -> Reading:
    if not request.scope["path"].startswith("/fhir/Binary/"):  # whose bytes may be asked for under their own type
        negotiate(request)
    return await read_at(request, Door.FHIR)


def negotiate(request: Request) -> None:
    """JSON only. Raises NotAcceptable; `_format` wins over `Accept`. https://hl7.org/fhir/R4/http.html#mime-type"""
    named = request.query_params.get("_format") if b"_format" in request.scope["query_string"] else None
    if not served(request.headers.get("accept", "") if named is None else named):
        where = "Accept" if named is None else "_format"
        raise NotAcceptable("Cette adresse répond en JSON : application/fhir+json.", where=where)


@lru_cache(maxsize=500)
def served(accept: str) -> bool:
    return not accept.strip() or any(_is_json(part) for part in accept.split(","))


def _is_json(part: str) -> bool:
    kind, *parameters = (piece.strip().lower() for piece in part.replace("fhir json", "fhir+json").split(";"))
    told = dict(p.partition("=")[::2] for p in parameters)
    return kind in JSON_ASKED and told.get("fhirversion", "").strip('"') in R4 and told.get("q") not in ("0", "0.0")


def prefers(request: Request, name: str, value: str) -> bool:
    """Does `Prefer` say so? https://www.rfc-editor.org/rfc/rfc7240"""
    said = (piece.strip() for header in request.headers.getlist("prefer") for piece in header.split(","))
    return f"{name}={value}" in {piece.replace(" ", "").replace('"', "") for piece in said}


def origin_of(request: Request) -> str:
    """Our address as links say it: the public origin asked for when it is one of ours, else the first."""
    config: Settings = request.app.state.settings
    return config.hosts.get(request.headers.get("host", ""), config.origins[0])


def pairs_of(request: Request, form: bytes = b"") -> Pairs:
    """All that is said; how the answer is to be shown is kept for `shaped`. Raises Unreadable."""
    pairs = said_by(request, form)
    if any(name in showing.PARAMETERS for name, _ in pairs):
        request.scope[SHOWN], pairs = showing.read(pairs)
    return pairs


def said_by(request: Request, form: bytes = b"") -> Pairs:
    """The query, in its order, then what a form says.

    Raises Unreadable, also for more than anyone means: each one wrong would be told.
    """
    pairs: Pairs = [*_read_pairs(request.scope["query_string"]), *_read_pairs(form)]
    if len(pairs) > PAIRS_MOST:
        raise Unreadable(
            f"Une demande tient en {PAIRS_MOST} paramètres : {FEWER}.", where=spot(PAIRS_MOST), code="too_many"
        )
    return pairs


def shaped(request: Request, answer: Response) -> Response:
    """An answer laid out, or cut, as it was asked to be shown."""
    how: Shown | None = request.scope.get(SHOWN)
    if how is None or not answer.body or answer.media_type != FHIR_JSON:
        return answer
    body = how.body(bytes(answer.body))
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(body, answer.status_code, headers)


def nothing_more(request: Request, *but: str) -> Pairs:
    """The parameters of a verb that takes none but these. Raises Unreadable."""
    asked = ranked(pairs_of(request), "_format")
    if strange := [(rank, name) for rank, name, _ in asked if name not in but]:
        raise no_such_parameter(strange, *but)
    return [(name, text) for _, name, text in asked]


def no_such_parameter(strange: Iterable[tuple[int, str]], *but: str) -> Unreadable:
    """Of a verb that takes these, and how the answer is shown. The name received may be a NIR."""
    takes = ", ".join(sorted((*but, "_format", *showing.PARAMETERS)))
    faults = [not_taken(name, rank, f"ce geste ne prend que {takes}") for rank, name in strange]
    return Unreadable(f"Ce geste ne prend que {takes}.", code="unknown_parameter", faults=faults)


def conditions(request: Request) -> Conditions:
    return Conditions(request.headers.get("if-none-match"), request.headers.get("if-modified-since"))


def _read_pairs(raw: bytes) -> Pairs:
    """Raises Unreadable when it is too long or is no UTF-8."""
    if not raw:
        return ()
    if len(raw) > QUERY_LONGEST:
        raise Unreadable("Cette recherche est trop longue : dites-la par POST, ou en plusieurs.", where=ALL)
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as exc:
        raise Unreadable("Les paramètres ne sont pas lisibles (UTF-8 attendu).", where=ALL) from exc


READ, SEARCH = FhirRoute("/fhir/{type_name}/{id}", _read), FhirRoute("/fhir/{type_name}", _search)
