"""Around every request: its number, its one log line, its host, the caps on its body.

Plain ASGI, to stay out of the hot path.
"""

import logging
import re
import secrets
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import errors, metrics
from app.kernel.depth import MAX_DEPTH, deeper, outside_strings
from app.kernel.errors import TooLarge, Unreadable

MIB = 1024 * 1024
CAPS = (
    ("/fhir", 32 * MIB),
    ("/api/v1/documents", 20 * MIB),
    ("/api/v1/me/documents", 20 * MIB),
    ("/api", MIB),
    ("/oauth", 64 * 1024),
    ("/mon-dossier/documents/ajouter", 10 * MIB),
)
PAGE_CAP = 64 * 1024
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ASKED_BY_SUPERVISORS = frozenset({"/healthz", "/readyz"})  # under whatever name they know the machine by
STRANGE = "Ce serveur ne répond pas sous ce nom. Voyez DUI_PUBLIC_ORIGINS."
_GIVEN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # any other shape may be a value
_json = msgspec.json.Encoder().encode


class BodyTooLarge(Exception):
    """Raised while reading, before parsing."""

    def __init__(self, cap: int) -> None:
        super().__init__("body over the cap")
        self.cap = cap


def cap_of(path: str) -> int:
    return next((cap for prefix, cap in CAPS if path.startswith(prefix)), PAGE_CAP)


class Around:
    """`hosts`: the names we answer to; links are never made for another."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self.app, self.hosts = app, {host.encode() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        headers = dict(scope["headers"])
        asked = headers.get(b"x-request-id", b"").decode("latin-1")
        number = asked if _GIVEN.fullmatch(asked) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = number
        cap, read = cap_of(scope["path"]), 0

        async def capped() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > cap:
                raise BodyTooLarge(cap)
            return message

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*_said(message.get("headers", ())), (b"x-request-id", number.encode())]
            await send(message)

        try:
            if headers.get(b"host") not in self.hosts and scope["path"] not in ASKED_BY_SUPERVISORS:
                await errors.render(Request(scope), Unreadable(STRANGE, where="Host"))(scope, receive, told)
            elif scope["path"].startswith("/api") and b"json" in headers.get(b"content-type", b"json"):
                await self._shallow(scope, capped, told)
            else:
                await self.app(scope, capped, told)
        finally:
            route = getattr(scope.get("route"), "path", None) or "unmatched"
            took = time.perf_counter() - began
            metrics.observe(scope["method"], route, status, took)
            line(route=route, method=scope["method"], status=status, ms=round(took * 1000, 2), request_id=number)

    async def _shallow(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body whole, under its cap, and let it through when it is no deeper than we parse."""
        try:
            body = await _whole(receive) if scope["method"] in WRITES else b""
        except BodyTooLarge as exc:
            await errors.render(Request(scope), TooLarge(too_large(exc.cap)))(scope, receive, send)
            return
        if deeper(outside_strings(body)):
            refusal = Unreadable(f"Ce contenu a plus de {MAX_DEPTH} niveaux.", code="too_deep")
            await errors.render(Request(scope), refusal)(scope, receive, send)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again if scope["method"] in WRITES else receive, send)


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def too_large(cap: int) -> str:
    return f"Le corps envoyé dépasse {cap // 1024} Kio."


# On each answer that says nothing else of it: a page has a policy of its own, whatever is not a page needs nothing.
USUAL = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


def _said(headers: Any) -> list[tuple[bytes, bytes]]:
    """Taken as it is named; and what is told about a person is stored by nobody on the way."""
    said = {name for name, _ in headers}
    return [*headers, *(header for header in USUAL if header[0] not in said)]


def line(**words: object) -> None:
    """One JSON line, of these keys only: never a path, a query, a body.

    Written here: a record that no one filters nor formats costs each request more than its line.
    """
    with suppress(OSError, ValueError):  # nobody reads them any more: the answer goes all the same
        sys.stdout.write(_json(words).decode() + "\n")
        sys.stdout.flush()


class JsonFormatter(logging.Formatter):
    """An event of ours is named; another library's line keeps its level and error type, never its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {"level": record.levelname, "logger": record.name}
        if record.name.startswith("dui"):
            told["event"] = record.msg
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__name__
            told["at"] = _places(record.exc_info[2])
        return _json(told).decode()


def _places(trace: Any) -> list[str]:
    """Where it broke, by file and line: a traceback's text may quote a value."""
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]


def log_to_stdout(level: int = logging.INFO) -> None:
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # none of it is said
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("dui").setLevel(level)
