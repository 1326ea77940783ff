"""Around every request: its number, its one log line, the caps on its body. Plain ASGI, to stay out of the hot path."""

import json
import logging
import re
import sys
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.ids import uuid7

MIB = 1024 * 1024
CAPS = (("/fhir", 32 * MIB), ("/api/v1/documents", 20 * MIB), ("/api", MIB), ("/oauth", 64 * 1024))
PAGE_CAP = 64 * 1024
HEADERS_CAP = 16 * 1024
_GIVEN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # any other shape may be a value
log = logging.getLogger("dui.request")


class BodyTooLarge(Exception):
    """Raised while reading, before parsing."""

    def __init__(self, cap: int) -> None:
        super().__init__("body over the cap")
        self.cap = cap


def cap_of(path: str) -> int:
    return next((cap for prefix, cap in CAPS if path.startswith(prefix)), PAGE_CAP)


class Around:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        headers = dict(scope["headers"])
        asked = headers.get(b"x-request-id", b"").decode("latin-1")
        number = asked if _GIVEN.fullmatch(asked) else str(uuid7())
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
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", number.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    *_unstored(message.get("headers", ())),
                ]
            await send(message)

        try:
            await self.app(scope, capped, told)
        finally:
            route = getattr(scope.get("route"), "path", None) or "unmatched"
            line(route=route, method=scope["method"], status=status, ms=_ms(began), request_id=number)


def _unstored(headers: Any) -> list[tuple[bytes, bytes]]:
    """What is told about a person is stored by nobody on the way."""
    return [] if any(k == b"cache-control" for k, _ in headers) else [(b"cache-control", b"no-store")]


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def line(**words: object) -> None:
    """One JSON line, of these keys only: never a path, a query, a body."""
    log.info(json.dumps(words, separators=(",", ":")))


class JsonFormatter(logging.Formatter):
    """Our lines are JSON already; another library's keep their level, logger and error type, never their arguments."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == log.name:
            return record.getMessage()
        told: dict[str, object] = {"level": record.levelname, "logger": record.name}
        if record.name.startswith("dui"):
            told["event"] = record.msg
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__name__
            told["at"] = _places(record.exc_info[2])
        return json.dumps(told, separators=(",", ":"))


def _places(trace: Any) -> list[str]:
    """Where it broke, by file and line: a traceback's text may quote a value."""
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]


def log_to_stdout(level: int = logging.INFO) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("dui").setLevel(level)
