"""Two maps of everything: of what has no map yet, and of who stands in a bundle without being of the house.

Both model nothing: all of the resource is beside the row, sealed, and given back whole.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import orjson
from sqlalchemy import Text, bindparam

from app.access.entry import View
from app.access.protection import ANYWHERE_PROTECTED
from app.exchange import parties_told
from app.exchange.models import KeptResource, OutsideParty
from app.fhir import keeping
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.registry import profiles_of
from app.fhir.search.chains import Opaque
from app.fhir.types import said
from app.fhir.verbs.transaction import OUTSIDE
from app.kernel.crypto import Keyring

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
PROFILES = {
    "Location": "http://hl7.org/fhir/StructureDefinition/Location",
    "Organization": f"{TDDUI}/tddui-organization",
    "Practitioner": f"{TDDUI}/tddui-practitioner",
    "PractitionerRole": f"{TDDUI}/tddui-practitioner-role",
}
TYPE = bindparam("fhir_type", type_=Text())


class KeptFhir(RecordView, frozen=True):
    TABLE: ClassVar = KeptResource
    COMPUTED: ClassVar = {"protected": ANYWHERE_PROTECTED}

    type_name: str
    protected: bool = True  # where nobody could tell


def to_fhir(kept: KeptFhir) -> Json:
    return {"resourceType": kept.type_name, "id": kept.id, "meta": said(meta(kept))}


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    profiles = profiles_of(resource)
    return Arrived(KeptResource(type_name=resource["resourceType"], profile=profiles[0] if profiles else None))


def without_bytes(view: object) -> bool:
    """A document that did not go among documents: its bytes do not leave."""
    return isinstance(view, KeptFhir) and view.type_name == "DocumentReference"


def to_others(kept: Json) -> Json:
    """Of a document that did not go among documents, the bytes go back to their sender alone: they may not be what they say."""
    received = kept.get(keeping.KEPT, {})
    contents = received.get("content")
    if not isinstance(contents, list):
        return kept
    without = [
        {**each, "attachment": {name: value for name, value in each["attachment"].items() if name != "data"}}
        if isinstance(each, dict) and isinstance(each.get("attachment"), dict)
        else each
        for each in contents
    ]
    return {**kept, keeping.KEPT: {**received, "content": without}}


KEPT = ResourceMap(
    profile="",
    type_name="",
    view=KeptFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    narrow=KeptResource.type_name == TYPE,
    search=Opaque(),
    to_others=to_others,
    hides=lambda kept: kept.protected,  # no map says where in it a place may stand
)


class OutsidePartyFhir(View, frozen=True):
    TABLE: ClassVar = OutsideParty

    version: int
    updated_at: datetime
    type_name: str
    body: bytes
    organization_id: str | None
    practitioner_id: str | None


def _opened(view: OutsidePartyFhir, keyring: Keyring) -> Json:
    """The whole resource is sealed under the key file: it is about no usager."""
    kept: Json = orjson.loads(keyring.open(view.body, _about(view.id)))
    return kept


def party_to_fhir(party: OutsidePartyFhir) -> Json:
    return {"resourceType": party.type_name, "id": party.id, "meta": said(meta(party))}


def party(
    resource: Json, as_told: Json | None, id: UUID, partner_id: UUID, exchange_id: UUID | None, keyring: Keyring
) -> OutsideParty:
    """A row of who stands in a bundle; its references were rewritten. `as_told`: as of `Inbound`."""
    profiles = profiles_of(resource)
    kept = keeping.leftover(resource, {"resourceType": resource["resourceType"], "id": str(id), "meta": {}})
    if as_told:
        kept[keeping.AS_SENT] = keeping.leftover(as_told, resource)
    return OutsideParty(
        id=id,
        origin_partner_id=partner_id,
        origin_exchange_id=exchange_id,
        type_name=resource["resourceType"],
        profile=profiles[0] if profiles else None,
        body=keyring.seal(orjson.dumps(kept), _about(id)),
        **parties_told.read(resource),
    )


def resource_of(row: OutsideParty, keyring: Keyring) -> Json:
    """The resource that such a row was made of."""
    kept: Json = orjson.loads(keyring.open(row.body, _about(row.id)))
    kept.pop(keeping.AS_SENT, None)
    return keeping.merge({"resourceType": row.type_name, "id": str(row.id), "meta": {}}, kept)


def _about(id: UUID | str) -> str:
    return f"outside_party:{id}"


OUTSIDE_MAPS = tuple(
    ResourceMap(
        profile=PROFILES[type_name],
        type_name=type_name,
        view=OutsidePartyFhir,
        to_fhir=party_to_fhir,
        narrow=OutsideParty.type_name == TYPE,
        opens=_opened,
        search=parties_told.searched(type_name, PROFILES[type_name]),
    )
    for type_name in sorted(OUTSIDE)
)
