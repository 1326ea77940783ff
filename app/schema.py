"""Every table of the product, known to `Base.metadata`: the models of each room are found, none has to be listed."""

import importlib
import pkgutil

import app
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
    modules = (m.name for m in pkgutil.walk_packages(app.__path__, "app."))
    return sorted(name for name in modules if name.rpartition(".")[2] in ROOMS_OF_TABLES)


for _name in _found():
    importlib.import_module(_name)

metadata = Base.metadata
