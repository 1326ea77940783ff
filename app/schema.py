"""Every table of the product, known to `Base.metadata`: the models of each room are found, none has to be listed."""

import importlib
from pathlib import Path

from app.kernel.db import Base

ROOMS_OF_TABLES = (
    "models",
    "contents",
    "openings",
    "entry",
    "versions",
    "idempotency",
)  # some tables stand outside of a models.py


def _found() -> list[str]:
    """By their files: to walk the packages would import them all, the command line and the demo too."""
    here = Path(__file__).parent
    files = (file.relative_to(here.parent) for name in ROOMS_OF_TABLES for file in here.rglob(f"{name}.py"))
    return sorted(".".join(file.with_suffix("").parts) for file in files)


for _name in _found():
    importlib.import_module(_name)

metadata = Base.metadata
