"""A partner that publishes its keys, on this machine, under a certificate that only these tests trust."""

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.security.outbound import MOST, Outbound


@dataclass
class Publisher:
    """What it says now, and how often each path was asked."""

    origin: str
    outbound: Outbound  # lets this machine be reached: a test's own allowance
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.origin}/jwks.json"


@contextmanager
def publishing(folder: Path) -> Iterator[Publisher]:
    server = _Quiet(("127.0.0.1", 0), _Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    trust = ssl.create_default_context(cafile=str(folder / "server.pem"))
    made = Publisher(
        f"https://localhost:{server.server_port}", Outbound(lambda address: address.is_loopback, trust, within=2.0)
    )
    server.publisher = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever hangs up half-way is what these tests are about."""


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        said: Publisher = self.server.publisher  # type: ignore[attr-defined]
        said.asked.append(self.path)
        body = json.dumps({"keys": said.keys}).encode()
        match self.path:
            case "/redirect":
                self._answer(302, b"", location=f"{said.origin}/jwks.json")
            case "/absent":
                self._answer(404, body)
            case "/large":
                self._answer(200, b" " * (MOST + 1))
            case "/largest":
                self._answer(200, b" " * MOST)
            case "/endless":
                self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b" " * 100)
            case "/headers":
                self._drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)
            case "/noise":
                self.wfile.write(b"\x00\x01 no answer of HTTP\r\n\r\n")
            case _:
                self._answer(200, body)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, said: bytes) -> None:
        """A byte now and then: no single wait is long, the whole never ends."""
        try:
            for byte in said * 100:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    at = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
