"""A StructureDefinition as a tree: what it says of each element, of its slices, and of what is inside.

Source: https://hl7.org/fhir/R4/elementdefinition.html
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(eq=False)
class Node:
    """One element. `model` is the same element where the whole (snapshot) of the profile tells more of it."""

    name: str
    id: str
    element: Json = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)
    inside: dict[str, "Node"] = field(default_factory=dict)
    model: "Node | None" = None

    @property
    def whole(self) -> "Node":
        return self.model or self

    @property
    def slicing(self) -> Json:
        told: Json = self.element.get("slicing") or self.whole.element.get("slicing") or {}
        return told


def tree(definition: Json) -> Node:
    """What the profile itself asks (its differential, else its snapshot), by the ids of its elements."""
    told, whole = definition.get("differential"), definition.get("snapshot")
    root = _grown(definition, told or whole or {})
    if told and whole:
        _model(root, _grown(definition, whole))
    return root


def _grown(definition: Json, told: Json) -> Node:
    name = str(definition.get("type", ""))
    root = Node(name, name)
    for element in told.get("element", ()):
        at = root
        for step in str(element.get("id") or element.get("path", "")).split(".")[1:]:
            name, _, piece = step.partition(":")
            at = at.inside.setdefault(name, Node(name, f"{at.id}.{name}"))
            at = at.slices.setdefault(piece, Node(name, f"{at.id}:{piece}")) if piece else at
        at.element = element
    return root


def _model(node: Node, whole: Node) -> None:
    node.model = whole
    for mine, others in ((node.slices, whole.slices), (node.inside, whole.inside)):
        for name, each in mine.items():
            if name in others:
                _model(each, others[name])


def profiles_of_type(rule: Json, kind: str = "profile") -> list[str]:
    """Of an element of one type and one profile (`targetProfile`: where it leads); with several, any may be right."""
    types = rule.get("type", ())
    found = [str(profile) for each in types for profile in each.get(kind, ())]
    return found if len(types) == 1 and len(found) == 1 else []


def imposed_of(rule: Json) -> list[tuple[bool, Any]]:
    """Its fixed values (True) and patterns."""
    return [(name[0] == "f", wanted) for name, wanted in rule.items() if name.startswith(("fixed", "pattern"))]
