"""Someone who arrives and whom no map could hold: created apart all the same, `provisoire` whatever the sender claims.

Never matched with a person we know. What the sender declares stays in the resource, given back to it alone.
"""

from datetime import date
from typing import Any

from app.features.usagers import names
from app.features.usagers.models import IdentityStatus, Usager
from app.fhir.mapping import Inbound, Json

UNNAMED = ""


def provisional(resource: Json, inbound: Inbound) -> Usager:
    """The dossier's own row, with the traits that can be read."""
    official = _name(resource)
    given = [str(one) for one in official.get("given", ()) if one]
    family = str(official.get("family") or official.get("text") or UNNAMED)
    row = Usager(
        birth_family_name=family,
        birth_given_names=" ".join(given),
        birth_date=_day(resource.get("birthDate")),
        gender=resource.get("gender"),
        name_key=names.key(family, " ".join(given)),
        identity_status=IdentityStatus.PROVISOIRE.value,
    )
    return inbound.stamped(row)


def _name(resource: Json) -> Json:
    names: list[Any] = resource.get("name", [])
    return next((one for one in names if one.get("use") == "official"), names[0] if names else {})


def _day(told: Any) -> date | None:
    try:
        return date.fromisoformat(str(told))
    except ValueError:  # `1947`, `1947-04`
        return None
