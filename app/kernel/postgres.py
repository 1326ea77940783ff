"""The embedded Postgres: started, joined or stopped under one lock, reachable by a socket in a closed folder only.

`start(data)` is for a program not yet in an event loop. The cluster outlives the program: the next start joins it.
"""

import asyncio
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.kernel.engine import Account, Engine, PostgresFault, find, named, newcomer, owner_of, root_home
from app.kernel.roles import APP, DATABASE, OWNER, SEALER, create_database, new_passwords, write_secret

SUPERUSER = "postgres"
SOCKET = ".s.PGSQL.5432"
SOCKET_BYTES = 107  # sun_path, less its closing zero
ORPHANS = 10  # seconds left to backends whose server was killed, before a new one may open their files
STATE = "postgres.json"
HOLDERS = "postgres.holders"
SETTINGS = """
listen_addresses = ''
log_min_messages = fatal            # an error's text may hold a received value: a NIR
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
timezone = 'UTC'
log_timezone = 'UTC'
update_process_title = off          # a title is written twice a statement
wal_sync_method = open_datasync     # one call a commit, as durable as the two of the default
"""
THROWAWAY = "fsync = off\nfull_page_writes = off\nautovacuum_naptime = 1h\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A running cluster, held by this program until it leaves. `started`: by this call (else joined)."""

    data: Path
    engine: Engine
    owner_url: str
    app_url: str
    sealer_url: str
    superuser_url: str
    started: bool
    hold: int = field(compare=False, repr=False)  # a shared lock: the system gives it back if the program is killed

    def leave(self) -> None:
        """Stop the cluster, unless another program still holds it."""
        with _locked(self.data):
            os.close(self.hold)
            if not _is_held(self.data):
                _stop(self.data)

    def stop(self) -> None:
        """Stop it, whoever holds it."""
        stop(self.data)


def start(data: Path, *, engine: Engine | None = None, throwaway: bool = False) -> Server:
    """Create the cluster of `data` if there is none, start it if it is not running, and say how to reach it.

    `throwaway`: durability is given up for speed (tests). Raises PostgresFault.
    """
    data = _plain(data)
    with _locked(data):
        state = _state(data)
        home = data / state["home"]  # relative to the data, or absolute as root
        cluster = home / "cluster"
        engine = engine or find(_major(cluster) if cluster.exists() else None)
        if not cluster.exists():
            _create(home, engine, state["passwords"][SUPERUSER], throwaway)
        account = owner_of(cluster)
        engine = engine.within_reach(account)
        sockets = _running(cluster)
        started = sockets is None
        if sockets is None:
            sockets = _sockets(home, state.get("sockets"), account)
            _launch(cluster, engine, account, sockets)
        server = _server(data, engine, sockets, state["passwords"], started=started, hold=_held(data))
        if not state.get("ready"):
            asyncio.run(create_database(server.superuser_url, state["passwords"]))
        if not state.get("ready") or state.get("sockets") != str(sockets):
            write_secret(data / STATE, json.dumps({**state, "ready": True, "sockets": str(sockets)}))
        return server


def stop(data: Path) -> None:
    """Stop the cluster of `data`, if it runs."""
    data = _plain(data)
    if not (data / STATE).exists():
        return
    with _locked(data):
        _stop(data)


def _stop(data: Path) -> None:
    cluster = data / _state(data)["home"] / "cluster"
    if _running(cluster) is not None:
        _halt(cluster)


def remove(data: Path) -> None:
    """Stop the cluster of `data` and delete it, its rows and its passwords: the next start makes another."""
    data = _plain(data)
    if not (data / STATE).exists():
        return
    stop(data)
    with _locked(data):
        state = _state(data)
        shutil.rmtree(data / state["home"], ignore_errors=True)
        shutil.rmtree(state.get("sockets", data / state["home"]), ignore_errors=True)
        (data / STATE).unlink()
        (data / HOLDERS).unlink(missing_ok=True)


def _major(cluster: Path) -> int:
    return int((cluster / "PG_VERSION").read_text())


def _halt(cluster: Path) -> None:
    account = owner_of(cluster)
    engine = find(_major(cluster)).within_reach(account)
    done = account.run([engine.command("pg_ctl"), "-D", str(cluster), "-m", "fast", "-w", "-t", "60", "stop"])
    if done.returncode:
        raise PostgresFault(f"Postgres ne s'est pas arrêté : voyez {cluster.parent / 'log'}.")


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Two starts of one folder wait for each other. As root the folder may be gone through (not listed) by others."""
    try:
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        lock = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise PostgresFault(f"Le dossier {data} n'est pas à ce compte : choisissez-en un autre (DATA).") from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _held(data: Path) -> int:
    hold = os.open(data / HOLDERS, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(hold, fcntl.LOCK_SH)
    return hold


def _is_held(data: Path) -> bool:
    probe = os.open(data / HOLDERS, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False


def _state(data: Path) -> dict[str, Any]:
    """Where the cluster is, and the passwords; decided once, at the first start."""
    path = data / STATE
    if path.exists():
        try:
            state: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as exc:
            raise PostgresFault(f"{path} est illisible : rendez-le à ce compte, ou choisissez un autre DATA.") from exc
        return state
    if (data / "postgres" / "cluster").exists():
        raise PostgresFault(f"{data} contient une base, mais plus ses mots de passe ({STATE}).")
    home = "postgres"
    if not newcomer().reaches(data):
        home = str(root_home() / f"data-{secrets.token_hex(8)}")
    state = {"home": home, "passwords": {SUPERUSER: secrets.token_urlsafe(24), **new_passwords()}}
    write_secret(path, json.dumps(state))
    return state


def _create(home: Path, engine: Engine, password: str, throwaway: bool) -> None:
    """initdb beside, then rename: a cluster seen is a cluster whole."""
    account, creator = newcomer(), named()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    part, secret = home / "part", home / "password"
    write_secret(secret, password)
    creator.take(home)
    engine = engine.within_reach(creator)
    command = [engine.command("initdb"), "-D", str(part), "-U", SUPERUSER, "-E", "UTF8", "--data-checksums"]
    command += ["--auth-local=scram-sha-256", "--auth-host=reject", f"--pwfile={secret}"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if engine.major >= 17 else []
    command += ["--no-sync"] if throwaway else []
    done = creator.run([*command, "--locale=C.UTF-8"])
    if done.returncode:  # a libc without C.UTF-8: words keep their order, trigrams lose their accents
        shutil.rmtree(part, ignore_errors=True)
        done = creator.run([*command, "--locale=C"])
    if done.returncode:
        raise PostgresFault(f"La base n'a pas pu être créée : {done.stderr.strip().splitlines()[-1:]}")
    secret.unlink()
    account.take(home)
    with os.fdopen(os.open(part / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW), "a") as f:
        f.write(SETTINGS + (THROWAWAY if throwaway else ""))
    part.rename(home / "cluster")


def _launch(cluster: Path, engine: Engine, account: Account, sockets: Path) -> None:
    _clear_stale(cluster, sockets)
    log = cluster.parent / "log"
    options = f"-c listen_addresses='' -c unix_socket_permissions=0700 -k {sockets}"
    command = [engine.command("pg_ctl"), "-D", str(cluster), "-l", str(log), "-o", options, "-w", "-t", "60", "start"]
    give_up = time.monotonic() + ORPHANS
    while (done := account.run(command)).returncode:
        if time.monotonic() > give_up or "pre-existing shared memory" not in _tail(log):
            told = _tail(log) or done.stderr
            raise PostgresFault(f"Postgres n'a pas démarré : {told.strip()} (journal : {log})")
        time.sleep(0.2)


def _clear_stale(cluster: Path, sockets: Path) -> None:
    """After a kill -9 the number kept in a lock file may be another process's by now, or a zombie's: Postgres would
    refuse to start for ever. The files go only when no live server has that number; orphans still at work hold the
    shared memory, which Postgres checks apart from them.
    """
    for path in (cluster / "postmaster.pid", sockets / f"{SOCKET}.lock"):
        try:
            command = Path(f"/proc/{int(path.read_text().split()[0])}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            continue
        if str(cluster).encode() in command.split(b"\0"):
            _halt(cluster)  # alive, but its socket is gone (a cleaned temporary folder)
        else:
            path.unlink(missing_ok=True)


def _running(cluster: Path) -> Path | None:
    """The folder of the socket on which the cluster answers."""
    try:
        folder = Path((cluster / "postmaster.pid").read_text().splitlines()[4])
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(folder / SOCKET))
    except (OSError, IndexError):
        return None
    return folder


def _sockets(home: Path, before: str | None, account: Account) -> Path:
    """A closed folder: in the data when its path leaves room for the socket's name and holds no character that
    drivers read otherwise (a comma is a list of hosts), else a short one, the same from one start to the next.
    """
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET)) <= SOCKET_BYTES and re.fullmatch(r"[\w./-]+", str(folder), re.ASCII):
        folder.mkdir(mode=0o700, exist_ok=True)
    elif before and _is_closed(Path(before), account):
        return Path(before)
    else:
        folder = Path(tempfile.mkdtemp(prefix="dui-", dir=root_home() if account.uid is not None else None))
    account.take(folder)
    return folder


def _is_closed(folder: Path, account: Account) -> bool:
    try:
        seen = folder.lstat()
    except OSError:
        return False
    uid = os.geteuid() if account.uid is None else account.uid
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == uid and not seen.st_mode & 0o077


def _server(data: Path, engine: Engine, sockets: Path, passwords: dict[str, str], **more: Any) -> Server:
    def url(role: str, database: str) -> str:
        return f"postgresql://{role}:{passwords[role]}@/{database}?host={quote(str(sockets))}"

    return Server(
        data=data,
        engine=engine,
        owner_url=url(OWNER, DATABASE),
        app_url=url(APP, DATABASE),
        sealer_url=url(SEALER, DATABASE),
        superuser_url=url(SUPERUSER, "postgres"),
        **more,
    )


def _plain(data: Path) -> Path:
    """initdb and pg_ctl pass their paths through a shell."""
    data = data.resolve()
    if set(str(data)) & set('"$`\\\n'):
        raise PostgresFault("Le chemin de DATA contient un caractère que Postgres n'admet pas (guillemet, $, \\).")
    return data


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-3:])
    except OSError:
        return ""
