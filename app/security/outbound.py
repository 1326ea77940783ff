"""Reading a small page that somebody else names, without being led where they like.

https only, no redirect, no proxy; the name is resolved once, and the very address that is then connected to must be
public: not this machine, not our network, not the cloud's metadata. Bounded in time and in bytes, whatever is answered.

Sources: OWASP Server-Side Request Forgery Prevention; RFC 6890 (special-purpose addresses).
"""

import asyncio
import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from app.kernel.forms import FORM

WITHIN = 5.0  # seconds, from the name to the last byte
MOST = 64 * 1024  # bytes
NONE: Mapping[str, str] = MappingProxyType({})
URL = re.compile(r"https://[!-~]{1,1000}", re.ASCII)
# Called global by some versions of Python, or by their number, and yet nobody's on the Internet: protocol assignments
# (Oracle's metadata), IPv4 translated (NAT64), Azure's metadata.
SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "168.63.129.16/32")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_threads = ThreadPoolExecutor(4, thread_name_prefix="outbound")


class Unreachable(Exception):
    """Not read; says which rule stopped it, and nothing that was received."""


def is_public(address: Address) -> bool:
    """Is it someone else's, on the Internet? An IPv4 address carried by an IPv6 one is judged as itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo or address.is_site_local:
            return False
        if inner := address.ipv4_mapped or address.sixtofour:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not any(address in special for special in SPECIAL)


@dataclass(frozen=True)
class Outbound:
    """`allowed` and `tls` are named so that a test can be its own server; the product never gives them."""

    allowed: Callable[[Address], bool] = is_public
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    within: float = WITHIN

    async def read(self, url: str, form: bytes | None = None, headers: Mapping[str, str] = NONE) -> bytes:
        """The body of a 200, to a GET, or to this form posted. Raises Unreachable."""
        asked = parsed(url)
        line = Line(asked, self)
        work = asyncio.get_running_loop().run_in_executor(_threads, line.read, form, headers)
        try:
            async with asyncio.timeout(self.within):
                return await work
        except TimeoutError:
            raise Unreachable("too slow") from None
        finally:
            line.hang_up()


def parsed(url: str) -> SplitResult:
    try:
        asked = urlsplit(url) if URL.fullmatch(url) else None
        if asked is None or not asked.hostname or asked.username is not None or asked.port == 0:
            raise ValueError
    except ValueError:
        raise Unreachable("not an https address") from None
    return asked


class Line(http.client.HTTPSConnection):
    """One question, one answer, on a connection whose address was checked."""

    def __init__(self, asked: SplitResult, rules: Outbound) -> None:
        super().__init__(str(asked.hostname), asked.port or 443, timeout=rules.within, context=rules.tls)
        self._path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        self._rules = rules
        self._held: socket.socket | None = None  # http.client lets go of its own before the answer is read
        self._over = False

    def read(self, form: bytes | None = None, headers: Mapping[str, str] = NONE) -> bytes:
        said = {"Accept": "application/json", **({"Content-Type": FORM} if form is not None else {}), **headers}
        try:
            self.request("GET" if form is None else "POST", self._path, form, said)
            with self.getresponse() as answer:
                if answer.status != http.HTTPStatus.OK:
                    raise Unreachable("not a 200: no redirect is followed")
                body = answer.read(MOST + 1)
        except (OSError, http.client.HTTPException, ValueError):
            raise Unreachable("no answer") from None
        finally:
            self.close()
        if len(body) > MOST:
            raise Unreachable("too large")
        return body

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        if not all(self._rules.allowed(ipaddress.ip_address(where[0])) for *_, where in found):
            raise Unreachable("not a public address")
        family, kind, proto, _, where = found[0]
        plain = socket.socket(family, kind, proto)
        plain.settimeout(self._rules.within)
        self._hold(plain)
        plain.connect(where)
        self._hold(self._rules.tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False))
        self.sock.do_handshake()

    def _hold(self, line: socket.socket) -> None:
        """From here on `hang_up` ends it; if it came first, nothing begins."""
        self.sock = self._held = line
        if self._over:
            raise Unreachable("too slow")

    def hang_up(self) -> None:
        """Whatever the thread waits for is over."""
        self._over = True
        with suppress(AttributeError, OSError):  # nothing was opened yet, or all is closed already
            self._held.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
