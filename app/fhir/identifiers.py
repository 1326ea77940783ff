"""The identifiers of French exchanges: whose they are, how they are written, whether their key is right.

Sources: TDDUI 2.4.0 (https://interop.esante.gouv.fr/ig/fhir/tddui), INS (https://esante.gouv.fr/offres-services/referentiel-ins),
fr-core (https://hl7.fr/ig/fhir/core). A value may be a NIR: it is never repeated.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from stdnum import luhn
from stdnum.fr import nir, siren, siret

from app.kernel.crypto import Keyring

Json = dict[str, Any]

INS_NIR = "urn:oid:1.2.250.1.213.1.4.8"
INS_NIA = "urn:oid:1.2.250.1.213.1.4.9"
INS_NIR_TEST = "urn:oid:1.2.250.1.213.1.4.10"
INS_NIR_DEMO = "urn:oid:1.2.250.1.213.1.4.11"
INS_ROOT = b"urn:oid:1.2.250.1.213.1.4."
INS = frozenset({INS_NIR, INS_NIA, INS_NIR_TEST, INS_NIR_DEMO})
STRUCTURE = "urn:oid:1.2.250.1.71.4.2.2"  # idNat_Struct: a kind on one digit, then the number
PROFESSIONAL = "urn:oid:1.2.250.1.71.4.2.1"  # idNat_PS: 8 and the RPPS, or 0 and the ADELI
RPPS = "https://rpps.esante.gouv.fr"
FINESS = "https://finess.esante.gouv.fr"
SIRENE = "https://sirene.fr"

_HOST = "https://identifiant-medicosocial-{}.esante.gouv.fr"
_AS_WRITTEN = re.compile(r"https?://identifiant-medicosocial-([a-z]+)\.(?:esante\.gouv|cnsa)\.fr/?").fullmatch
USAGER = _HOST.format("localusager")
# The tag each of TDDUI's systems puts in its values; a usager's has none.
TAGS = {
    USAGER: "",
    **{
        _HOST.format(of): tag
        for of, tag in {
            "sejour": "SEJOUR",
            "evenement": "EVN",
            "evaluation": "EVAL",
            "projetpersonnalise": "PPER",
            "attente": "ATTE",
            "objectif": "OBJE",
            "projetvie": "PDV",
            "besoin": "BESO",
            "action": "ACTI",
            "prestation": "PRES",
            "bilan": "BILA",
            "transportprofessionnel": "TPPro",
            "transportusager": "TPPat",
            "repas": "REPAS",
            "periodescolaire": "PSCO",
            "presenceabsence": "PA",
        }.items()
    },
}
OTHER_PROFESSIONALS = (
    "0",
    "3",
    "4",
    "5",
    "6",
)  # ADELI, or a number inside a FINESS, SIREN, SIRET, RPPS: no key to check
FILE_NUMBER = "NUMDOSS"  # an administrative number in the system of stays: written as the house likes

_BUSINESS = re.compile(r"3([0-9][0-9AB][0-9]{7})/([A-Za-z0-9]+)(?:-([A-Za-z]+)-([A-Za-z0-9]+))?", re.ASCII).fullmatch
_INS = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}", re.ASCII).fullmatch
_FINESS = re.compile(r"[0-9][0-9AB][0-9]{7}", re.ASCII).fullmatch
_DIGITS = re.compile(r"[0-9]+", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class BusinessId:
    """`3480787529/123456-PPER-12`: the structure's FINESS, the usager's local number, what it is, its number."""

    finess: str
    local: str
    tag: str = ""
    number: str = ""

    def __str__(self) -> str:
        return f"3{self.finess}/{self.local}" + (f"-{self.tag}-{self.number}" if self.tag else "")


@dataclass(frozen=True, slots=True)
class Key:
    """What tells one thing of a sender from another."""

    system: str
    value: str


SYSTEMS = (*TAGS, *sorted(INS), STRUCTURE, PROFESSIONAL, RPPS, FINESS)  # where a value without its system is looked for
EXTERNAL_ID = "external_id"


def fingerprint(keyring: Keyring, type_name: str, system: str, value: str) -> bytes:
    """How a sender's name for a resource is kept: never the value, which may hold a NIR."""
    return keyring.blind(f"identifier\0{type_name}\0{system}\0{value}", EXTERNAL_ID)


def normal(system: str) -> str:
    """One spelling for one system: TDDUI 2.0.0 said `…cnsa.fr` where later versions say `…esante.gouv.fr`."""
    written = _AS_WRITTEN(system)
    return _HOST.format(written[1]) if written else system


def business_id(value: str) -> BusinessId | None:
    """A TDDUI business identifier taken apart, or None."""
    written = _BUSINESS(value)
    return BusinessId(*(part or "" for part in written.groups())) if written else None


def keys_of(resource: Json) -> list[Key]:
    """The identifiers by which its sender knows a resource, the surest first: TDDUI's own, an INS, then the others."""
    keys = [
        Key(normal(one["system"]), one["value"].strip())
        for one in identifiers(resource)
        if "system" in one and "value" in one and one.get("use") != "old"
    ]
    return sorted(keys, key=_rank)


def identifiers(resource: Json) -> list[Json]:
    """`identifier` as a list, since some types have one only."""
    told = resource.get("identifier", [])
    return [told] if isinstance(told, dict) else list(told)


def without_ins(resource: Json) -> Json:
    """The same, but for an INS told in passing: in a reference, in a contained resource. That of the person stays, of which
    their map answers: we tell nobody an INS that we did not qualify.
    """
    if INS_ROOT not in orjson.dumps(resource):  # nearly all: read through at once
        return resource
    ours = resource.get("resourceType") == "Patient"
    told = {n: value if ours and n == "identifier" else _without(value) for n, value in resource.items()}
    return {name: value for name, value in told.items() if value not in ({}, [])}


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [left for item in value if not _is_ins(item) and (left := _without(item)) not in ({}, [])]
    if isinstance(value, dict):
        left = {name: _without(inner) for name, inner in value.items() if not _is_ins(inner)}
        return {name: inner for name, inner in left.items() if inner not in ({}, [])}
    return value


def _is_ins(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("system"), str) and normal(value["system"]) in INS


def doubt(identifier: Json) -> tuple[str, str] | None:
    """Our code and a sentence when the value is not what its system promises; None when it is, or when none is known."""
    system, value = normal(identifier.get("system", "")), identifier.get("value")
    if not isinstance(value, str) or FILE_NUMBER in _types(identifier):
        return None
    if system in TAGS:
        return _business(value, TAGS[system])
    check = _CHECKS.get(system)
    return check(value) if check else None


def ins_is_right(value: str) -> bool:
    """15 characters, the last two being the key; Corsica's 2A and 2B too."""
    return bool(_INS(value)) and nir.is_valid(value)


def finess_is_right(value: str) -> bool:
    """Nine characters, the last being a key; that of Corsica (2A, 2B) is not published, so not checked."""
    return bool(_FINESS(value)) and (not value.isdigit() or luhn.is_valid(value))


def rpps_is_right(value: str) -> bool:
    return len(value) == 11 and bool(_DIGITS(value)) and luhn.is_valid(value)


def _rank(key: Key) -> int:
    if key.system in TAGS and business_id(key.value):
        return 0
    return 1 if key.system in INS else 2


def _types(identifier: Json) -> Iterator[str]:
    for coding in identifier.get("type", {}).get("coding", ()):
        yield coding.get("code", "")


def _business(value: str, tag: str) -> tuple[str, str] | None:
    written = business_id(value)
    if written and written.tag == tag:
        return None
    form = "3 + FINESS + / + numéro local de l'usager" + (f" + -{tag}- + numéro" if tag else "")
    return "bad_identifier", f"Cet identifiant n'a pas la forme attendue : {form}."


def _ins(value: str) -> tuple[str, str] | None:
    if not _INS(value):
        return "bad_identifier", "Un matricule INS compte 15 caractères, clé comprise."
    return (
        None
        if nir.is_valid(value)
        else ("wrong_key", "La clé de ce matricule INS n'est pas la bonne : recopiez ses 15 caractères.")
    )


def _structure(value: str) -> tuple[str, str] | None:
    kind, number = value[:1], value[1:]
    if kind == "1":
        return _finess(number)
    if kind == "3":
        return (
            None
            if siret.is_valid(number)
            else ("wrong_key", "Ce numéro SIRET n'est pas valable : recopiez ses 14 chiffres.")
        )
    return "bad_identifier", "Un identifiant national de structure commence par 1 (FINESS) ou 3 (SIRET)."


def _finess(value: str) -> tuple[str, str] | None:
    return (
        None
        if finess_is_right(value)
        else ("wrong_key", "Ce numéro FINESS n'est pas valable : recopiez ses 9 caractères.")
    )


def _professional(value: str) -> tuple[str, str] | None:
    if value[:1] == "8":
        return _rpps(value[1:])
    if value[:1] in OTHER_PROFESSIONALS and len(value) > 1:
        return None
    return "bad_identifier", "Un identifiant national de professionnel s'écrit 8 suivi du RPPS, ou 0 suivi de l'ADELI."


def _rpps(value: str) -> tuple[str, str] | None:
    return (
        None if rpps_is_right(value) else ("wrong_key", "Ce numéro RPPS n'est pas valable : recopiez ses 11 chiffres.")
    )


def _sirene(value: str) -> tuple[str, str] | None:
    right = siren.is_valid(value) or siret.is_valid(value)
    return (
        None if right else ("wrong_key", "Ce numéro SIREN ou SIRET n'est pas valable : recopiez ses 9 ou 14 chiffres.")
    )


_CHECKS: dict[str, Callable[[str], tuple[str, str] | None]] = {
    **dict.fromkeys(INS, _ins),
    STRUCTURE: _structure,
    PROFESSIONAL: _professional,
    RPPS: _rpps,
    FINESS: _finess,
    SIRENE: _sirene,
}
