"""What compose.yaml and the Dockerfile run, run here: secrets, roles, keys, migrations; no Docker needed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import Settings
from app.kernel import revisions
from app.kernel.clock import today
from app.kernel.crypto import Keyring
from app.kernel.postgres import Server
from app.kernel.roles import url_as
from tests.postgres import ask, clone, cluster

pytestmark = pytest.mark.once

HERE = Path(__file__).resolve().parents[1]
RIGHTS = "SELECT string_agg(concat_ws(' ', rolname, rolsuper, rolbypassrls, rolcreaterole), ', ' ORDER BY rolname)"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", HERE / "docker" / "secrets.sh", folder], check=True)
    return folder


def roles_of(url: str) -> object:
    return ask(url, f"{RIGHTS} FROM pg_roles WHERE rolname LIKE 'dui%'")


@pytest.fixture(scope="module")
def image(secrets: Path) -> Iterator[Server]:
    """A server as the postgres image leaves it, after docker/roles.sh; the roles of our own launcher are gone."""
    with cluster() as server:
        ask(server.superuser_url, "DROP DATABASE dui", "DROP ROLE dui_app, dui_sealer, dui_owner")
        host = server.superuser_url.partition("host=")[2]
        password = re.search(":([^:@]+)@", server.superuser_url)
        env = {
            "PATH": f"{server.engine.bin}:{os.environ['PATH']}",
            "SECRETS": str(secrets),
            "POSTGRES_USER": "postgres",
            "PGHOST": host,
            "PGPASSWORD": password[1] if password else "",
        }
        subprocess.run(["sh", HERE / "docker" / "roles.sh"], env=env, check=True)
        yield server


def address(image: Server, secrets: Path, name: str) -> str:
    """The address of the secret, on this machine."""
    told = re.fullmatch(r"postgresql://(\w+):(\w+)@db:5432/(\w+)", (secrets / name).read_text())
    assert told
    return url_as(image.superuser_url, told[1], told[2], told[3])


def test_secrets_are_made_once(secrets: Path) -> None:
    before = {p.name: p.read_text() for p in secrets.iterdir()}
    subprocess.run(["sh", HERE / "docker" / "secrets.sh", secrets], check=True)
    assert {p.name: p.read_text() for p in secrets.iterdir()} == before
    assert len(set(before.values())) == 4
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_every_secret_asked_is_made(secrets: Path) -> None:
    asked = re.findall(r"file: \./secrets/(\w+)", (HERE / "compose.yaml").read_text())
    assert sorted(asked) == sorted(p.name for p in secrets.iterdir())


def test_a_secret_file_is_a_setting(secrets: Path) -> None:
    read = Settings(_secrets_dir=secrets)
    assert read.database_url == (secrets / "dui_database_url").read_text()
    assert read.sealer_database_url == (secrets / "dui_sealer_database_url").read_text()


def test_the_roles_are_those_of_our_own_launcher(image: Server, cluster: Server) -> None:
    assert roles_of(image.superuser_url) == roles_of(cluster.superuser_url)


def test_the_first_day_makes_keys_and_schema(image: Server, secrets: Path, tmp_path: Path) -> None:
    keys, owner = tmp_path / "keys.json", address(image, secrets, "dui_owner_database_url")
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(HERE),
        "DUI_KEY_FILE": str(keys),
        "DUI_OWNER_DATABASE_URL": owner,
    }
    run = ["sh", str(HERE / "docker" / "migrate.sh")]
    subprocess.run(run, env=env, check=True, capture_output=True)
    first = keys.read_text()
    subprocess.run(run, env=env, check=True, capture_output=True)
    assert keys.read_text() == first
    assert keys.stat().st_mode & 0o777 == 0o600
    app = address(image, secrets, "dui_database_url")
    assert ask(app, "SELECT version_num FROM alembic_version") == revisions.head()
    assert ask(address(image, secrets, "dui_sealer_database_url"), "SELECT count(*) FROM audit_entry") == 0


def test_the_image_holds_what_the_server_needs_and_no_more() -> None:
    """The folders copied are let in by .dockerignore, which lets in nothing else."""
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", (HERE / "Dockerfile").read_text(), re.MULTILINE)
    copied = [source for sources in copies for source in sources.split()]
    let_in = re.findall(r"^!(\S+)", (HERE / ".dockerignore").read_text(), re.MULTILINE)
    assert {c.split("/")[0] for c in copied} == set(let_in)


def test_the_night_saves_proves_and_keeps_the_last_ones(cluster: Server, template: str, tmp_path: Path) -> None:
    backups, keys = tmp_path / "backups", tmp_path / "keys.json"
    backups.mkdir(mode=0o711)
    Keyring.create(keys)
    with clone(cluster, template) as database:
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(HERE),
            "DUI_KEY_FILE": str(keys),
            "DUI_DATA": str(tmp_path),
            "DUI_OWNER_DATABASE_URL": database.owner_url,
            "BACKUPS": str(backups),
            "KEEP": "2",
            "AT": "now",
        }
        for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
            (backups / f"dui-{day}T020000.backup").write_bytes(b"")
        (backups / "dui-notes.txt").write_text("à garder")
        run = ["sh", str(HERE / "docker" / "backup.sh")]
        subprocess.run(run, env=env, check=True, capture_output=True)
        kept = sorted(p.name for p in backups.iterdir())
        assert [name[:14] for name in kept] == ["dui-2020-01-03", *[f"dui-{today():%Y-%m-%d}"] * 2, "dui-notes.txt"]
        keys.unlink()
        failed = subprocess.run(run, env=env, check=False, capture_output=True)
    assert (failed.returncode, sorted(p.name for p in backups.iterdir())) == (1, kept)
