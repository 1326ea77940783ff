"""A parameter that an address does not know is refused, not passed over: of a filter misspelt, everything would be told."""

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.kernel.errors import Unreadable


async def known_parameters(request: Request) -> None:
    """Raises Unreadable, which names those the address knows, and none of those received."""
    if not request.query_params:
        return
    known = _known(request.scope["route"])
    if not known.issuperset(request.query_params.keys()):
        told = ", ".join(sorted(known))
        said = f"Cette adresse connaît ces paramètres : {told}." if told else "Cette adresse ne prend pas de paramètre."
        raise Unreadable(f"Un paramètre de cette adresse lui est inconnu. {said}", code="unknown_parameter")


def _known(route: APIRoute) -> frozenset[str]:
    names, waiting = set[str](), [route.dependant]
    while waiting:
        one = waiting.pop()
        waiting += one.dependencies
        for asked in one.query_params:
            kind = asked.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names.update(field.alias or name for name, field in kind.model_fields.items())
            else:
                names.add(asked.alias)
    return frozenset(names)
