"""Whoever walks the tables knows them all, in a process of its own: what other modules load there is no help."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MISSING = """
import importlib, sys
importlib.import_module(sys.argv[1])
from app.kernel.db import Base
known = set(Base.metadata.tables)
import app.schema
print(*sorted(set(app.schema.metadata.tables) - known))
"""
# Those who walk them, and the processes of which the floors below are a part.
WALKERS = (
    "app.main",
    "app.cli",
    "app.demo.run",
    "app.demo.seed",
    "app.vault.forgetting",
    "app.vault.copy.gather",
    "app.vault.copy.telling",
)


@pytest.mark.once
@pytest.mark.parametrize("name", WALKERS)
def test_no_table_is_unknown(name: str):
    told = subprocess.run([sys.executable, "-c", MISSING, name], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
