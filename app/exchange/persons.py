"""Someone who arrives: created apart, `provisoire` whatever the sender claims, never matched with a person we know."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.features.usagers import names
from app.features.usagers.models import IdentityStatus, Usager
from app.fhir.mapping import Inbound, Json


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
    return Traits(str(official.get("family") or official.get("text") or ""), given, _day(resource.get("birthDate")))


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


def _day(told: Any) -> date | None:
    try:
        return date.fromisoformat(str(told))
    except ValueError:  # `1947`, `1947-04`
        return None
