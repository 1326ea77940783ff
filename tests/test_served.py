"""What the process that serves does without: memory that a small house would pay for at all times."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOADED = "import sys, app.main; print(*sys.modules)"
NOT_NEEDED = (
    "alembic",  # migrations are another command's
    "app.cli",
    "app.demo",
    "fhir.resources",  # a second opinion, once a resource is judged
    "fhirpathpy.models",  # once an invariant of a package is
    "typer",
    "zxcvbn",  # once a password is chosen
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    told = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(told.stdout.split())


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_what_serving_does_not_need_is_not_loaded(loaded: set[str], name: str) -> None:
    assert "app.main" in loaded
    assert not {module for module in loaded if module == name or module.startswith(f"{name}.")}
