"""The README's path, as a newcomer walks it: every shell block, in order, in a clean clone and an empty HOME."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.postgres import free_port

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
READY = "dui-serveur est prêt"
LONGEST = 600  # seconds, installation included


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if os.environ.get("DUI_TEST_PG"):
        pytest.skip("The README is walked once, on the embedded Postgres.")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("A clean clone needs git, and this tree to be one.")
    tmp_path.chmod(0o711)
    place = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


def environment(home: Path) -> dict[str, str]:
    home.mkdir()
    kept = {
        k: v
        for k, v in os.environ.items()
        if k in ("PATH", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CACHE_DIR")
    }
    pip = Path.home() / ".config" / "pip" / "pip.conf"
    if pip.exists():  # where this machine finds its packages, if it says so
        kept.setdefault("PIP_CONFIG_FILE", str(pip))
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def test_every_shell_block_works_in_its_order(clone: Path, tmp_path: Path):
    assert [block.strip() for block in BLOCKS[:2]] == ["make run", "make test"]
    port = str(free_port())
    env = environment(tmp_path / "home") | {"PORT": port}
    log = tmp_path / "run.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            ["bash", "-c", BLOCKS[0]], cwd=clone, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            end = time.monotonic() + LONGEST
            while READY not in log.read_text() and server.poll() is None and time.monotonic() < end:
                time.sleep(0.5)
            assert READY in log.read_text(), log.read_text()[-2000:]
            planned = subprocess.run(
                ["make", "-n", "test"], check=False, cwd=clone, env=env, capture_output=True, text=True
            )
            assert "tools/test.sh" in planned.stdout  # this very suite: not run inside itself
            for block in BLOCKS[2:]:
                done = subprocess.run(
                    ["bash", "-euc", block.replace("8000", port)],
                    check=False,
                    cwd=clone,
                    env=env,
                    capture_output=True,
                    text=True,
                )
                assert done.returncode == 0, done.stderr
                assert done.stdout.startswith("{"), done.stdout[:200]
                assert '"status":4' not in done.stdout
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(40)
    assert (clone / ".dui" / "demo.json").stat().st_mode & 0o077 == 0


def test_every_place_it_names_is_there():
    told = re.findall(
        r"`((?:docs|fhir_profiles|openapi)/[^`]*|CONTRIBUTING\.md|Dockerfile|compose\.yaml)`",
        "".join((ROOT / "README.md").read_text()),
    )
    assert told
    assert [place for place in told if not (ROOT / place).exists()] == []
