"""An identity provider of its own, on this machine: real keys, real TLS, codes good once, PKCE held to.

A test says who is in front of it (`user`), and may have it lie: other claims, another header, another key (`forge`).
"""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import httpx2
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.security.outbound import Outbound
from tests.security import keys
from tests.security.publisher import certificate

CLIENT, SECRET, KID = "dui-essai", "un secret: avec des signes %&+", "idp-1"
BASIC = "basic"
Forge = Callable[[dict[str, Any], dict[str, Any]], str]


@dataclass
class Idp:
    origin: str
    outbound: Outbound  # lets this machine be reached: a test's own allowance
    tls: ssl.SSLContext
    user: dict[str, Any] = field(default_factory=lambda: {"sub": "f:1:899700000001", "sid": "s-1", "acr": "eidas1"})
    metadata: dict[str, Any] = field(default_factory=dict)  # told in place of the true ones
    forge: Forge | None = None
    holds_to_pkce: bool = True
    client_key: Any = None  # the client proves itself by it, not by the secret
    grants: dict[str, dict[str, str]] = field(default_factory=dict)  # by code
    asked: list[str] = field(default_factory=list)

    def jwk(self) -> dict[str, Any]:
        return keys.public_jwk(self.key, KID, use="sig", alg="RS256")

    @property
    def key(self) -> Any:
        return keys.rsa_key(2048, which=50)

    def visit(self, address: str) -> str:
        """What a browser sent there is answered: where to go back to."""
        answer = httpx2.get(address, verify=self.tls)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        said = {"alg": "RS256", "typ": "JWT", "kid": KID} | header
        return self.forge(said, claims) if self.forge else keys.token(said, claims, self.key)

    def id_token(self, nonce: str) -> str:
        at = int(time.time())
        said = {"iss": self.origin, "aud": CLIENT, "azp": CLIENT, "iat": at, "exp": at + 300, "nonce": nonce}
        return self.sign(said | self.user)

    def logout_token(self, **changes: Any) -> str:
        at = int(time.time())
        said = {
            "iss": self.origin,
            "aud": CLIENT,
            "iat": at,
            "exp": at + 120,
            "jti": secrets.token_hex(8),
            "sid": self.user["sid"],
            "sub": self.user["sub"],
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        } | changes
        return self.sign({k: v for k, v in said.items() if v is not None}, typ="logout+jwt")

    async def _metadata(self, _: Request) -> Response:
        told = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "userinfo_endpoint": f"{self.origin}/userinfo",
            "jwks_uri": f"{self.origin}/jwks",
        }
        return JSONResponse(told | self.metadata)

    async def _jwks(self, _: Request) -> Response:
        encryption = keys.public_jwk(keys.rsa_key(2048, which=51), "enc", use="enc", alg="RSA-OAEP")
        return JSONResponse({"keys": [encryption, self.jwk()]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked["client_id"] != CLIENT or asked["response_type"] != "code" or "openid" not in asked["scope"].split():
            return Response("not as registered", 400)
        code = secrets.token_urlsafe()
        self.grants[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.origin})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), strict_parsing=True))
        granted = self.grants.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = granted is not None and granted["redirect_uri"] == form["redirect_uri"]
        if fits and self.holds_to_pkce:
            fits = keys.b64(challenge) == granted["code_challenge"]
        if not fits or not self._is_client(request, form) or form["grant_type"] != "authorization_code":
            return JSONResponse({"error": "invalid_grant"}, 400)
        told = {
            "access_token": secrets.token_urlsafe(),
            "token_type": "Bearer",
            "id_token": self.id_token(granted["nonce"]),
        }
        return JSONResponse(told)

    def _is_client(self, request: Request, form: dict[str, str]) -> bool:
        if self.client_key is None:
            kind, _, pair = request.headers["authorization"].partition(" ")
            said = base64.b64decode(pair).decode().partition(":")
            return kind == "Basic" and (unquote_plus(said[0]), unquote_plus(said[2])) == (CLIENT, SECRET)
        head, body, proof = form["client_assertion"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        signature = base64.urlsafe_b64decode(proof + "==")
        self.client_key.public_key().verify(signature, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        return claims["iss"] == claims["sub"] == CLIENT and claims["aud"] == f"{self.origin}/token"

    async def note(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await self._app(scope, receive, send)

    def __post_init__(self) -> None:
        self._app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )


@contextmanager
def providing(folder: Path) -> Iterator[Idp]:
    pem = certificate(folder)
    tls = ssl.create_default_context(cafile=str(pem))
    made = Idp("", Outbound(lambda address: address.is_loopback, tls, within=5.0), tls)
    config = uvicorn.Config(
        made.note,
        "127.0.0.1",
        0,
        interface="asgi3",
        log_config=None,
        lifespan="off",
        ws="none",
        loop="asyncio",
        ssl_certfile=str(pem),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        made.origin = f"https://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
        yield made
    finally:
        server.should_exit = True
        thread.join()


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
