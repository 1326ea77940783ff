"""The migrations by the names of their files, `NNNN_what.py`, one after the other: a worker tells its version without
loading alembic.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def known() -> list[str]:
    """The first one first."""
    return sorted(file.stem.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    return known()[-1]
