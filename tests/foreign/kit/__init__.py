"""fhir-kit-client, as npm gives it by the lock beside this file, once in a folder of this machine's tmp."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = Path(tempfile.gettempdir()) / f"dui-tests-kit-{os.getuid()}"
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0")
LOCK = "package-lock.json"


def installed() -> Path:
    """The folder, with the story to run in it; skips where Node, npm or the package is not to be had."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} absent: fhir-kit-client is not tried")
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = FOLDER / "whole"
        if not whole.exists() or whole.read_bytes() != (HERE / LOCK).read_bytes():
            for name in ("package.json", LOCK):
                shutil.copy(HERE / name, FOLDER)
            try:
                subprocess.run(["npm", "ci", *QUIET], check=True, capture_output=True, timeout=180, cwd=FOLDER)
            except (subprocess.SubprocessError, OSError):
                pytest.skip("npm package absent: fhir-kit-client, by tests/foreign/kit/package-lock.json")
            shutil.copy(HERE / LOCK, whole)
        shutil.copy(HERE / "story.mjs", FOLDER)
    return FOLDER
