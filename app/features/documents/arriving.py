"""The bytes of a document that comes: inline, or in a Binary of the same bundle."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.access import contents
from app.access.contents import Content
from app.features.documents import files
from app.features.documents.models import Document
from app.features.documents.service import of_file
from app.fhir.mapping import Inbound, Json
from app.fhir.references import literal
from app.fhir.types import Attachment
from app.kernel.errors import Fault, Invalid, TooLarge
from app.kernel.ids import uuid7

BINARY = "Binary"
OTHER_HASH = "L'empreinte (hash, SHA-1 en base64) n'est pas celle du fichier reçu : vérifiez qu'il est arrivé entier, ou corrigez hash."
OTHER_SIZE = (
    "La taille (size, en octets) n'est pas celle du fichier reçu : vérifiez qu'il est arrivé entier, ou corrigez size."
)
KEPT_SO = "Il est gardé, et se lit ici avec ce qu'il est vraiment."
OTHERWISE = "Ce fichier n'est pas ce que l'envoi en dit, et vous demandez qu'il soit suivi à la lettre."


def with_file(row: Document, told: Attachment, at: str, inbound: Inbound) -> tuple[Content, ...]:
    """The row says its bytes, when some came; what is to be put away of them. Raises Invalid when they are not what they
    say, TooLarge when they are too many.
    """
    try:
        file, declared = _file(told, inbound)
    except TooLarge as no:
        raise TooLarge(no.message, where=f"{inbound.where}.{at}") from None
    if file is None:
        return ()
    row.content_type = files.of_type(declared, file.found, "content")
    new = file.put_away(inbound)
    for name, value in file.told.items():
        setattr(row, name, value)
    faults = []
    if told.hash not in (None, row.sha1):
        faults.append(Fault(f"{at}.hash", "document.other_hash", OTHER_HASH))
    if told.size not in (None, row.size):
        faults.append(Fault(f"{at}.size", "document.other_size", OTHER_SIZE))
    if faults and inbound.strict:
        raise Invalid(OTHERWISE, faults=[replace(fault, where=f"{inbound.where}.{fault.where}") for fault in faults])
    for fault in faults:
        inbound.warn(fault.code, fault.where, f"{fault.message} {KEPT_SO}")
    return new


@dataclass(slots=True)
class File:
    """Bytes that came, and the types they may be. `told`: what a row says of them, once they are put away."""

    clear: bytes
    found: frozenset[str]
    told: Json = field(default_factory=dict)

    def put_away(self, inbound: Inbound) -> tuple[Content, ...]:
        """Once, however many documents lead to them."""
        if self.told:
            return ()
        id = uuid7()
        self.told = of_file(self.clear, id)
        return (contents.sealed(inbound.key, inbound.usager_id, id, self.clear),)


def _file(told: Attachment, inbound: Inbound) -> tuple[File | None, str | None]:
    """With the type they are said to be: inline, or in a Binary of the same bundle, which is read once. Raises Invalid."""
    if told.data:
        return _read(told.data), told.contentType
    named = literal(told.url or "")
    binary = inbound.around.get(f"{BINARY}/{named.id}", {}) if named and named.kind == BINARY else {}
    if named is None or not binary.get("data"):
        return None, None
    read, of = inbound.around.told(_binaries), (named.id, inbound.usager_id)
    if of not in read:
        read[of] = _read(binary["data"])
    return read[of], told.contentType or binary.get("contentType")


def _binaries(_: Mapping[str, Json]) -> dict[tuple[str, UUID], File]:
    """Those of a bundle that were read, each for the person of its document: none at first."""
    return {}


def _read(given: str) -> File:
    clear = b64decode(given)  # base64 indeed, the door has seen to it
    return File(clear, files.looked_at(clear, "content"))
