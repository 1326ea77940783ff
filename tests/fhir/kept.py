"""What lives beside a row alone, named."""

from collections.abc import Mapping
from typing import Any

from app.fhir.keeping import BESIDE, ITEMS, KEPT, LEFT, WHOLE, WITHIN


def kept_names(extra: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The paths of the elements that live in `extra` alone: those the map does not model."""
    found = [f"{prefix}{name}" for name in extra.get(KEPT, {})]
    for name, node in extra.get(WITHIN, {}).items():
        path = f"{prefix}{name}"
        if BESIDE in node or node.get("alone"):
            found.append(path)
        for item in node.get(ITEMS, [{LEFT: node}]):
            found.extend([path] if WHOLE in item else kept_names(item[LEFT], f"{path}."))
    return sorted(set(found))
