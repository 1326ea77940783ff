"""The numbers of the MDPH: ours are opened to go out, a sender's stay sealed beside its row."""

from typing import Any

import msgspec

from app.access.sealed import about
from app.fhir.types import CodeableConcept, Identifier
from app.kernel.crypto import Keyring


def unsealed(view: Any, keyring: Keyring) -> Any:
    sealed = {name: getattr(view, name) for name in view.TABLE.SEALED if getattr(view, name) is not None}
    if not sealed:
        return view
    key = keyring.usager_key(view.wrapped_key, view.usager_id)
    opened = {name: key.open(value, about(view.TABLE, view.id, name)).decode() for name, value in sealed.items()}
    return msgspec.structs.replace(view, **opened)


def number(view: Any, name: str, kind: CodeableConcept) -> tuple[Identifier, ...]:
    value = getattr(view, name)
    return (Identifier(type=kind, system=getattr(view, f"{name}_system"), value=value),) if value else ()


def named(view: Any, kind: CodeableConcept) -> tuple[Identifier, ...]:
    """Its number; of one of ours without any, its id: TDDUI wants it named."""
    if found := number(view, "number", kind):
        return found
    if view.origin_partner_id is not None:
        return ()
    return (Identifier(type=kind, system="urn:ietf:rfc:3986", value=f"urn:uuid:{view.id}"),)
