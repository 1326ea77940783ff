"""Someone who arrives: created apart, `provisoire` whatever the sender claims, never matched with a person we know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.features.usagers import names
from app.features.usagers.models import IdentityStatus, Usager
from app.fhir.mapping import Inbound, Json
from app.fhir.tddui import whole_day
from app.fhir.verbs.transaction import WHOM

PERSON = "Patient"


@dataclass(frozen=True, slots=True)
class Traits:
    family: str
    given: str
    birth_date: date | None


def traits(resource: Json) -> Traits:
    """What can be read of a Patient, whatever it lacks."""
    said: list[Json] = resource.get("name", [])
    official = next((one for one in said if one.get("use") == "official"), said[0] if said else {})
    given = " ".join(str(one) for one in official.get("given", ()) if one)
    return Traits(
        str(official.get("family") or official.get("text") or ""), given, whole_day(resource.get("birthDate"))
    )


def provisional(resource: Json, inbound: Inbound) -> Usager:
    """The dossier's own row, where no map holds the resource."""
    said = traits(resource)
    row = Usager(
        birth_family_name=said.family,
        birth_given_names=said.given,
        birth_date=said.birth_date,
        gender=resource.get("gender"),
        name_key=names.key(said.family, said.given),
        identity_status=IdentityStatus.PROVISOIRE.value,
    )
    return inbound.stamped(row)


def known_as(resource: Json, local: Mapping[str, UUID]) -> UUID | None:
    """How a resource names the person, who was attached to another; first where it says whom it is about."""
    named = [name for name, id in local.items() if name.startswith(f"{PERSON}/") and name != f"{PERSON}/{id}"]
    about = [said.get("reference") for element in WHOM if isinstance(said := resource.get(element), dict)]
    return next((UUID(name.partition("/")[2]) for name in sorted(named, key=lambda name: name not in about)), None)
