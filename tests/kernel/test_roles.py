"""A server of the house's: its owner makes the two other roles, once, and nothing is started."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel import migrations, revisions
from app.kernel.engine import PostgresFault
from app.kernel.postgres import Server
from app.kernel.roles import APP, SEALER, Urls, prepare, url_as
from tests.postgres import ask, cluster


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that is not ours: none of our roles exists there."""
    with cluster() as server:
        ask(server.superuser_url, "DROP DATABASE dui", "DROP ROLE dui_app, dui_sealer, dui_owner")
        yield server


@pytest.fixture
def house(server: Server) -> Iterator[str]:
    """The address of a role that owns its database and may create roles, no more."""
    made = "CREATE ROLE house LOGIN CREATEROLE PASSWORD 'p@ss/wörd'", "CREATE DATABASE maison OWNER house"
    ask(server.superuser_url, *made)
    yield url_as(server.superuser_url, "house", "p@ss/wörd", "maison")
    ask(server.superuser_url, "DROP DATABASE maison WITH (FORCE)")
    ask(server.superuser_url, f"DROP ROLE IF EXISTS {APP}, {SEALER}, plain", "DROP ROLE house")


def prepared(house: str, data: Path) -> Urls:
    return asyncio.run(prepare(house, data))


def test_the_two_roles_are_made(house: str, tmp_path: Path) -> None:
    urls = prepared(house, tmp_path / "data")
    assert ask(urls.app_url, "SELECT current_user || ' ' || current_database()") == "dui_app maison"
    assert ask(urls.sealer_url, "SELECT current_user::text") == SEALER
    assert urls.owner_url == house


def test_their_passwords_are_kept_closed(house: str, tmp_path: Path) -> None:
    prepared(house, tmp_path / "data")
    assert (tmp_path / "data" / "roles.json").stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_nothing(house: str, tmp_path: Path) -> None:
    first = prepared(house, tmp_path)
    kept = json.loads((tmp_path / "roles.json").read_text())
    assert prepared(house, tmp_path) == first
    assert json.loads((tmp_path / "roles.json").read_text()) == kept


def test_roles_whose_password_was_lost_get_another(house: str, tmp_path: Path) -> None:
    prepared(house, tmp_path / "one")
    assert ask(prepared(house, tmp_path / "two").app_url, "SELECT 1") == 1


def test_an_owner_without_bypassrls_migrates_and_sees_all(house: str, tmp_path: Path) -> None:
    prepared(house, tmp_path)
    migrations.upgrade(house)
    assert migrations.current(house) == revisions.head()


@pytest.mark.threat("fault-role-too-strong")
def test_a_role_of_ours_that_could_see_everything_is_refused(server: Server, house: str, tmp_path: Path) -> None:
    ask(server.superuser_url, f"CREATE ROLE {APP} BYPASSRLS")
    with pytest.raises(PostgresFault, match="BYPASSRLS"):
        prepared(house, tmp_path)


def test_an_owner_who_may_not_create_roles_is_refused(house: str, tmp_path: Path) -> None:
    ask(house, "CREATE ROLE plain LOGIN PASSWORD 'p'")
    with pytest.raises(PostgresFault, match="CREATEROLE"):
        prepared(url_as(house, "plain", "p"), tmp_path)


def test_a_base_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(PostgresFault, match="ne répond pas"):
        prepared(f"postgresql://a:b@/dui?host={tmp_path}", tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a:b@h:5433/maison", "postgresql://r:p%2F@h:5433/maison"),
        ("postgresql://h/maison?sslmode=require", "postgresql://r:p%2F@h/maison?sslmode=require"),
        (
            "postgresql://a@h1:1,h2:2/m?target_session_attrs=read-write",
            "postgresql://r:p%2F@h1:1,h2:2/m?target_session_attrs=read-write",
        ),
        ("postgresql:///m?host=/run/pg&user=a&password=b", "postgresql://r:p%2F@/m?host=/run/pg"),
    ],
)
def test_the_same_server_under_another_role(url: str, expected: str) -> None:
    assert url_as(url, "r", "p/") == expected
