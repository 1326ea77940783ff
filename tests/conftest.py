"""What every test may ask for: a database of its own, and no network but this machine."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.kernel.postgres import Server
from app.security import passwords
from tests import postgres
from tests.postgres import TestDatabase
from tests.world import World
from tests.world import world as make_world

# A shared machine is slow at times: slowness alone fails no property.
settings.register_profile("dui", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dui")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Server]:
    """One server per pytest process (per xdist worker)."""
    with postgres.cluster() as server:
        yield server


@pytest.fixture(scope="session")
def template(cluster: Server) -> str:
    return postgres.migrated(cluster)


@pytest.fixture(scope="module")
def database(cluster: Server, template: str) -> Iterator[TestDatabase]:
    """Migrated, without a row; shared by the tests of one module."""
    with postgres.clone(cluster, template) as database:
        yield database


@pytest.fixture
def fresh_database(cluster: Server, template: str) -> Iterator[TestDatabase]:
    """Migrated, without a row; for one test."""
    with postgres.clone(cluster, template) as database:
        yield database


@pytest.fixture
def empty_database(cluster: Server) -> Iterator[TestDatabase]:
    """Never migrated; for one test."""
    with postgres.clone(cluster, None) as database:
        yield database


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """A test that would leave this machine fails, naming where it went."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any, /) -> None:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            raise PermissionError(f"Tests stay on this machine: {address[0]} refused.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="module", autouse=True)
def light_passwords() -> Iterator[None]:
    """Argon2id at nearly its least: 64 MiB and 0.2 s a sign-in are tried where they are the matter (security/test_passwords)."""
    light = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=16, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", light)
        patch.setattr(passwords, "NOBODY", light.hash("personne"))
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="module")
def world(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator["World"]:
    """The cast on a running app; shared by the tests of one module."""
    with make_world(database, tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a figure at the end of the run, whichever worker counted it."""
    return lambda said: record_property("figure", said)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    told = sorted({str(said) for one in reports for name, said in one.user_properties if name == "figure"})
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.line(line)
