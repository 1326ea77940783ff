"""The server with an identity provider, and the browser of one person in front of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.security import identities, oidc
from tests.api.house import as_owner
from tests.security.conftest import House, built
from tests.security.provider import CLIENT, SECRET, Idp, providing, query
from tests.world import World

HERE, APPLICATION = "https://dui.test", "https://equipe.test/retour?ecran=1"
AUTHORIZE, BACK, TOKEN, READ = "/oauth/authorize", "/oauth/openid/callback", "/oauth/token", "/api/v1/transmissions"
COOKIE = "__Host-dui-openid"
LINK = """INSERT INTO account_credential (account_id, kind, secret, changed_at) VALUES ($1, 'oidc', $2, now())
    ON CONFLICT (account_id, kind) DO UPDATE SET secret = excluded.secret"""
VERIFIER = "un-verifier-tire-par-l-application-de-l-equipe"


@dataclass(frozen=True)
class Desk:
    """The server with its provider, and the browser of one person in front of both."""

    client: TestClient
    idp: Idp
    world: World

    def ask(self, **changes: str | None) -> Any:
        said = {
            "response_type": "code",
            "redirect_uri": APPLICATION,
            "code_challenge": oidc.challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "state": "à l'application",
        } | changes
        wanted = {name: value for name, value in said.items() if value is not None}
        return self.client.get(f"{AUTHORIZE}?{urlencode(wanted)}", follow_redirects=False)

    def away(self, **changes: str | None) -> str:
        """The address at the provider where the browser is sent."""
        answer = self.ask(**changes)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def proved(self) -> str:
        """The address here where the provider sends the browser back."""
        return self.idp.visit(self.away()).removeprefix(HERE)

    def back(self, address: str) -> Any:
        return self.client.get(address, follow_redirects=False)

    def code(self) -> str:
        answer = self.back(self.proved())
        assert answer.status_code == 303, answer.text
        return query(answer.headers["location"])["code"]

    def redeem(self, handed: str, **changes: str) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": handed,
            "code_verifier": VERIFIER,
            "redirect_uri": APPLICATION,
        }
        return self.client.post(TOKEN, data=form | changes)

    def enter(self) -> Any:
        answer = self.redeem(self.code())
        assert answer.status_code == 200, answer.text
        return answer

    def reads(self, told: Any) -> int:
        headers = {"Authorization": f"Bearer {told.json()['access_token']}"}
        return int(self.client.get(READ, headers=headers).status_code)

    def link(self, account: UUID, subject: str | None = None) -> None:
        kept = identities.kept(self.world.keyring, self.idp.origin, subject or self.idp.user["sub"])
        self.world.rows(LINK, account, kept)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    with providing(tmp_path_factory.mktemp("idp")) as idp:
        yield idp


@contextmanager
def opened(world: World, idp: Idp, **changes: Any) -> Iterator[TestClient]:
    secret = world.folder / "oidc-secret"
    secret.write_text(f"{SECRET}\n")
    said = {
        "oidc_issuer": idp.origin,
        "oidc_client_id": CLIENT,
        "oidc_secret_file": secret,
        "oidc_acr": "eidas1",
        "oidc_applications": APPLICATION,
    } | changes
    config = Settings(
        database_url=world.database.app_url,
        key_file=world.folder / "keys.json",
        data=world.folder,
        demo=True,
        pool_size=4,
        public_origins=f"{HERE},http://127.0.0.1:8000,http://dui.interne",
        **said,
    )
    with TestClient(create_app(config), base_url=HERE) as client:
        client.app.state.outbound = idp.outbound  # type: ignore[attr-defined]
        yield client


@pytest.fixture(scope="module")
def server(world: World, provider: Idp) -> Iterator[TestClient]:
    with opened(world, provider) as client:
        yield client


@pytest.fixture
def desk(server: TestClient, provider: Idp, world: World) -> Iterator[Desk]:
    """Someone else each time, linked to nothing, in a browser that never came."""
    server.cookies.clear()
    before = replace(provider)
    provider.user = {"sub": f"f:1:{uuid4()}", "sid": str(uuid4()), "acr": "eidas1"}
    yield Desk(server, provider, world)
    provider.user, provider.metadata, provider.forge, provider.holds_to_pkce = before.user, {}, None, True
    world.rows("DELETE FROM code_attempt")


@pytest.fixture(scope="module")
def standing(world: World) -> House:
    return as_owner(world, built)


@pytest.fixture
def linked(desk: Desk, standing: House) -> House:
    """A house where whoever is at the desk works; it stands for the whole module: nothing in it is changed."""
    desk.link(standing.account)
    return standing


@pytest.fixture
def own(desk: Desk, house: House) -> House:
    """The same, for this test alone."""
    desk.link(house.account)
    return house
