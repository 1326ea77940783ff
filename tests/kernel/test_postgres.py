"""The embedded Postgres: closed to others, joined rather than started twice, and up again after any end."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from app.kernel import engine, postgres
from app.kernel.engine import Account, PostgresFault
from app.kernel.postgres import Server
from tests.postgres import TestDatabase, ask, chosen_engine

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="this account may not become another")


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder any account may go through, and nothing running in it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dui-"))
    folder.chmod(0o711)
    yield folder / "data"
    for path in list(folder.rglob(postgres.STATE)):
        postgres.remove(path.parent)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A stopped base, to copy rather than make again."""
    folder = Path(tempfile.mkdtemp(prefix="dui-"))
    folder.chmod(0o711)
    start(folder / "data").stop()
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def base(data: Path, made: Path) -> Path:
    """As `data`, a stopped base being there."""
    subprocess.run(["cp", "-a", made, data], check=True)
    return data


def start(data: Path) -> Server:
    return postgres.start(data, engine=chosen_engine(), throwaway=True)


def kill(server: Server) -> None:
    """As a power cut would: the server and, soon, all its backends."""
    cluster = Path(str(ask(server.superuser_url, "SHOW data_directory")))
    pid = int((cluster / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        time.sleep(0.01)


def test_each_role_has_its_own_right_and_no_other(cluster: Server) -> None:
    rights = "SELECT (rolsuper, rolbypassrls, rolcreaterole)::text FROM pg_roles WHERE rolname = current_user"
    assert ask(cluster.owner_url, rights) == "(f,t,f)"
    assert ask(cluster.app_url, rights) == "(f,f,f)"
    assert ask(cluster.sealer_url, rights) == "(f,f,f)"


@pytest.mark.parametrize("kind", ["TABLE", "TEMP TABLE"])
def test_only_the_owner_may_make_a_table(cluster: Server, kind: str) -> None:
    ask(cluster.owner_url, f"CREATE {kind} here ()", "DROP TABLE here")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(cluster.app_url, f"CREATE {kind} there ()")


def test_nothing_listens_on_the_network(cluster: Server) -> None:
    assert ask(cluster.superuser_url, "SHOW listen_addresses") == ""


def test_a_wrong_password_is_refused(cluster: Server) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(cluster.app_url.replace("dui_app:", "dui_app:x"), "SELECT 1")


@pytest.mark.threat("privacy-postgres-log")
def test_the_log_tells_no_value(cluster: Server, database: TestDatabase) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        ask(database.app_url, "SELECT '1850578006084'::uuid")
    insert = "INSERT INTO person VALUES ('1850578006084')"
    ask(database.owner_url, "CREATE TABLE person (nir text PRIMARY KEY)", insert)
    with pytest.raises(asyncpg.UniqueViolationError):
        ask(database.owner_url, insert)
    assert "1850578" not in (cluster.data / "postgres" / "log").read_text()


def test_words_fold_with_their_accents(empty_database: TestDatabase) -> None:
    ask(empty_database.owner_url, "CREATE EXTENSION pg_trgm")
    told = ask(empty_database.owner_url, "SELECT lower('ÉCOLE') || cardinality(show_trgm('été'))")
    assert told == "école4"


def test_secrets_and_socket_are_closed_to_others(base: Path) -> None:
    server = start(base)
    socket = Path(server.app_url.partition("host=")[2])
    assert (base / postgres.STATE).stat().st_mode & 0o777 == 0o600
    assert socket.stat().st_mode & 0o777 == 0o700


def test_a_second_start_joins_the_first(base: Path) -> None:
    first = start(base)
    assert start(base) == replace(first, started=False)


def test_the_last_to_leave_stops_it(base: Path) -> None:
    first, second = start(base), start(base)
    first.leave()
    assert ask(second.app_url, "SELECT 1") == 1
    second.leave()
    with pytest.raises(OSError, match=r"No such file|refused"):
        ask(second.app_url, "SELECT 1")


def test_a_program_killed_holds_nothing(base: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=lambda: (start(base), os._exit(9)))
    process.start()
    process.join()
    joined = start(base)
    assert not joined.started
    joined.leave()
    assert start(base).started


def test_a_stopped_base_keeps_its_rows(base: Path) -> None:
    server = start(base)
    ask(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    with pytest.raises(OSError, match=r"No such file|refused"):
        ask(server.owner_url, "SELECT 1")
    assert ask(start(base).owner_url, "SELECT n FROM kept") == 7


def test_stopping_twice_or_before_any_start_is_nothing(data: Path) -> None:
    postgres.stop(data)
    server = start(data)
    server.stop()
    server.stop()


def test_a_removed_base_leaves_nothing(data: Path) -> None:
    postgres.remove(data)
    server = start(data / ("d" * 120))
    postgres.remove(server.data)
    assert [p.name for p in server.data.iterdir()] == ["postgres.lock"]
    assert not Path(server.app_url.partition("host=")[2]).exists()


def test_two_starts_at_once_make_one_server(data: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        servers = [f.result() for f in [pool.submit(start, data) for _ in range(2)]]
    assert sorted(s.started for s in servers) == [False, True]


@pytest.mark.threat("fault-postgres-killed")
def test_up_again_after_a_kill(base: Path) -> None:
    server = start(base)
    ask(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    kill(server)
    again = start(base)
    assert again.started
    assert ask(again.owner_url, "SELECT n FROM kept") == 7


def test_up_again_when_another_process_took_the_number(base: Path) -> None:
    server = start(base)
    account = engine.owner_of(base / "postgres" / "cluster")
    kill(server)
    other = subprocess.Popen(["sleep", "60"], user=account.uid)
    try:
        for name in ("cluster/postmaster.pid", f"run/{postgres.SOCKET}.lock"):
            kept = base / "postgres" / name
            kept.write_text(str(other.pid) + kept.read_text()[kept.read_text().index("\n") :])
        assert start(base).started
    finally:
        other.kill()
        other.wait()


def test_up_again_when_the_socket_was_cleaned_away(base: Path) -> None:
    server = start(base)
    shutil.rmtree(server.app_url.partition("host=")[2])
    again = start(base)
    assert again.started
    assert ask(again.app_url, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["d" * 120, "mes données, à moi"])
def test_a_path_unfit_for_a_socket_gets_a_short_one(data: Path, name: str) -> None:
    server = start(data / name)
    assert ask(server.app_url, "SELECT 1") == 1
    server.stop()
    again = start(data / name)
    assert again.app_url == server.app_url
    assert ask(again.app_url, "SELECT 1") == 1


def test_a_short_socket_folder_taken_by_another_is_left(data: Path, tmp_path: Path) -> None:
    server = start(data / ("d" * 120))
    server.stop()
    short = Path(server.app_url.partition("host=")[2])
    short.chmod(0o755)
    assert start(server.data).app_url != server.app_url
    short.rmdir()


def test_a_path_that_a_shell_would_read_is_refused(data: Path) -> None:
    with pytest.raises(PostgresFault):
        start(data / "$HOME")


@pytest.mark.threat("fault-creation-cut")
def test_a_creation_cut_short_is_started_over(data: Path) -> None:
    start(data).stop()
    (data / "postgres" / "cluster").rename(data / "postgres" / "part")
    assert ask(start(data).superuser_url, "SELECT 1") == 1


@pytest.mark.threat("fault-creation-cut")
def test_roles_missing_after_a_cut_are_made(base: Path) -> None:
    path = base / postgres.STATE
    path.write_text(json.dumps({**json.loads(path.read_text()), "ready": False}))
    assert ask(start(base).app_url, "SELECT 1") == 1


def test_a_base_without_its_passwords_is_refused(base: Path) -> None:
    kept = (base / postgres.STATE).read_text()
    (base / postgres.STATE).unlink()
    with pytest.raises(PostgresFault, match="mots de passe"):
        start(base)
    (base / postgres.STATE).write_text("{")
    with pytest.raises(PostgresFault, match="illisible"):
        start(base)
    (base / postgres.STATE).write_text(kept)


def test_a_server_that_cannot_start_says_why(base: Path) -> None:
    with (base / "postgres" / "cluster" / "postgresql.conf").open("a") as f:
        f.write("no_such_setting = 1\n")
    with pytest.raises(PostgresFault, match="no_such_setting"):
        start(base)


def test_a_cluster_that_cannot_be_made_says_why(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SUPERUSER", "pg_reserved")
    data.mkdir(mode=0o711)
    (data / postgres.STATE).write_text(json.dumps({"home": "postgres", "passwords": {"pg_reserved": "x"}}))
    with pytest.raises(PostgresFault, match="pg_reserved"):
        start(data)


@as_root
def test_as_root_the_server_has_an_account_of_its_own(base: Path) -> None:
    server = start(base)
    pid = int((base / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{pid}").stat().st_uid == engine.SERVICE_UID
    assert os.listdir(f"/proc/{pid}/fd")  # alive
    assert ask(server.app_url, "SELECT 1") == 1


@as_root
def test_as_root_a_closed_folder_stays_closed(data: Path) -> None:
    """A clone in /root: no folder above is opened, the cluster goes where its account can."""
    closed = data / "root"
    closed.mkdir(parents=True, mode=0o700)
    server = start(closed / ".dui")
    home = Path(json.loads((closed / ".dui" / postgres.STATE).read_text())["home"])
    assert home.parent == engine.ROOT_HOME
    assert closed.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_mode & 0o777 == 0o700
    assert ask(server.app_url, "SELECT 1") == 1
    server.stop()
    assert start(closed / ".dui").started


@as_root
def test_as_root_an_existing_cluster_keeps_its_account(base: Path) -> None:
    other = Account(65528)
    other.take(base / "postgres")
    assert start(base).started
    assert (base / "postgres" / "cluster" / "postmaster.pid").stat().st_uid == other.uid


@as_root
def test_as_a_plain_account_nothing_changes_hands(data: Path) -> None:
    def started() -> None:
        assert ask(start(data / "plain").app_url, "SELECT 1") == 1

    data.mkdir()
    data.chmod(0o777)
    as_nobody(started)
    assert (data / "plain" / "postgres" / "cluster").stat().st_uid == NOBODY


@as_root
def test_the_base_of_another_account_is_refused(base: Path) -> None:

    def refused() -> None:
        with pytest.raises(PostgresFault, match="compte"):
            start(base)

    as_nobody(refused)


def as_nobody(act: Callable[[], None]) -> None:
    """Run `act` in a child that has left root for good."""

    def child() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        act()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 0
