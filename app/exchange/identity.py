"""How a partner names what it sends: the business identifier that makes a second sending a new version, or its address.

No value is kept: fingerprints of type, system and value (the official examples' hold a NIR).
"""

from dataclasses import dataclass
from urllib.parse import unquote

from app.fhir.identifiers import EXTERNAL_ID, fingerprint, keys_of, normal
from app.fhir.mapping import Json
from app.kernel.crypto import Keyring


@dataclass(frozen=True, slots=True)
class Identity:
    """`own` is what the resource is known by, None for an anonymous one; `url` is its address, when absolute.

    `by_url`: without a business identifier, its address is its own name.
    """

    own: bytes | None
    url: bytes | None
    by_url: bool


def of(keyring: Keyring, resource: Json, full_url: str) -> Identity:
    url = of_url(keyring, full_url)
    keys = keys_of(resource)
    if not keys:
        return Identity(url, url, by_url=True)
    type_name = str(resource["resourceType"])
    return Identity(of_identifier(keyring, type_name, keys[0].system, keys[0].value), url, by_url=False)


def of_url(keyring: Keyring, url: str) -> bytes | None:
    """Of an absolute address; a `urn:uuid:` is good for its bundle only."""
    return keyring.blind(f"url\0{url}", EXTERNAL_ID) if url.startswith(("http://", "https://")) else None


def of_identifier(keyring: Keyring, type_name: str, system: str, value: str) -> bytes:
    return fingerprint(keyring, type_name, system, value)


def of_search(keyring: Keyring, target: str) -> bytes | None:
    """Of a conditional reference, `Patient?identifier=system|value`; None when it asks for anything else."""
    kind, asks, query = target.partition("?")
    name, _, said = query.partition("=")
    system, bar, value = unquote(said).partition("|")
    if not (asks and bar and name == "identifier") or "&" in said:
        return None
    return of_identifier(keyring, kind, normal(system), value.strip())
