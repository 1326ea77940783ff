"""The numbers of a person at rest: sealed, found again by a blind index, their control key checked.

Source: INS doctrine (systems and OIDs), https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-patient-ins
"""

from typing import Any
from uuid import UUID

from stdnum.fr import nir

from app.features.usagers.models import UsagerIdentifier
from app.fhir.identifiers import INS_NIA, INS_NIR, INS_NIR_DEMO, INS_NIR_TEST, ins_is_right, normal
from app.kernel.crypto import Keyring
from app.kernel.errors import Invalid
from app.kernel.ids import uuid7

INS = {INS_NIR: "INS-NIR", INS_NIA: "INS-NIA", INS_NIR_TEST: "INS-NIR-TEST", INS_NIR_DEMO: "INS-NIR-DEMO"}
ABOUT = "usager_identifier"


def plain(system: str, value: str) -> str:
    """As it is kept and compared: an INS without the spaces it is read with."""
    return nir.compact(value) if system in INS else value.strip()


def key_holds(system: str, value: str) -> bool:
    """Whether the control key of an INS is right; what has no key we know always holds."""
    return system not in INS or ins_is_right(nir.compact(value))


def check(system: str, value: str, where: str) -> None:
    if not key_holds(system, value):
        raise Invalid(
            "La clé de ce numéro ne correspond pas. Relisez-le sur le document.", where=where, code="identifier.bad_key"
        )


def of(keyring: Keyring, system: str, value: str, id: UUID | None = None, **values: Any) -> UsagerIdentifier:
    """A row for this number, its value sealed."""
    id = id or uuid7()
    return UsagerIdentifier(id=id, system=system, **sealed(keyring, id, system, value), **values)


def sealed(keyring: Keyring, id: UUID, system: str, value: str) -> dict[str, Any]:
    """The columns that keep a value, for the row `id`."""
    said = plain(system, value)
    return {"sealed": keyring.seal(said.encode(), f"{ABOUT}:{id}"), "blind": blind(keyring, system, said)}


def opened(keyring: Keyring, id: str | UUID, value: bytes) -> str:
    return keyring.open(value, f"{ABOUT}:{id}").decode()


def blind(keyring: Keyring, system: str, value: str) -> bytes:
    return keyring.blind(f"{normal(system)}\0{plain(system, value)}", ABOUT)
