"""A house of cards on 127.0.0.1: serves the cast's pages with their real headers, and keeps what is posted."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.portal.frame import Screen
from app.portal.pages import HEADERS, STATIC_DIR, STATIC_URL, Reading, headers, render
from app.portal.views import View
from tests.portal.cast import everything

KINDS = {".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
DOOR = "/p/AAAAAAAAAAAAAAAAAAAAAA"
CODE = "482913"


@dataclass
class House:
    address: str = ""
    pages: dict[str, View] = field(default_factory=everything)
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def see(self, name: str, reading: Reading | None = None) -> str:
        how = f"?size={reading.size}&contrast={reading.contrast}" if reading else ""
        return f"{self.address}/see/{name}{how}"


@contextmanager
def open_house() -> Iterator[House]:
    house = House()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(house))
    house.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield house
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(house: House) -> type[BaseHTTPRequestHandler]:
    screens = {screen.path: f"{screen.name.lower()}-jeanne" for screen in Screen} | {DOOR: "door"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path.startswith(STATIC_URL):
                file = STATIC_DIR / address.path.removeprefix(f"{STATIC_URL}/")
                self._answer(200, file.read_bytes(), {"Content-Type": KINDS[file.suffix]})
                return
            told: Any = {name: values[0] for name, values in parse_qs(address.query).items()}
            name = screens.get(address.path, address.path.removeprefix("/see/"))
            self._page(house.pages[name], Reading(**told))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = {name: values[0] for name, values in parse_qs(body).items()}
            house.posts.append((self.path, told))
            if self.path == DOOR and told.get("code") != CODE:
                self._page(house.pages["door-wrong"], Reading())
            elif self.path == "/mon-dossier/quitter":
                self._page(house.pages["bye"], Reading())
            else:
                place = "/mon-dossier" if self.path == DOOR else "/".join(self.path.split("/")[:3])
                self._answer(303, b"", {"Location": place})

        def log_message(self, *_: object) -> None:
            """Silent: the tests read the pages, not the log."""

        def _page(self, view: View, reading: Reading) -> None:
            self._answer(200, render(view, csrf="s3cret", reading=reading), headers(view))

        def _answer(self, status: int, body: bytes, told: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (told or HEADERS).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # a browser may leave before the end
                self.wfile.write(body)

    return Handler
