"""Lines of the trail and entries of the record, written as facts."""

from typing import Any
from uuid import UUID

from app.features.transmissions.models import Transmission
from app.kernel.ids import uuid7
from tests.features.contacts import people as contacts
from tests.world import World


def noted(world: World, usager: str, **how: Any) -> UUID:
    """An entry of the record, and its version, as facts."""
    id = uuid7()
    place = world.ids[contacts.HOUSES[usager]]
    told = {"id": id, "thread_id": id, "kind": "narrative", "text": "…", "author_id": world.ids["marc"], **how}
    world.add(Transmission(usager_id=world.ids[usager], structure_id=place, **told))
    world.rows(
        """INSERT INTO entry_version (organisation_id, entry_id, version, kind, usager_id, structure_id, category,
        visibility, author_kind, occurred_at, held, consigne, minor_secret, snapshot)
        SELECT organisation_id, id, version, 'transmission', usager_id, structure_id, category, visibility, author_kind,
        occurred_at, held, consigne, minor_secret, '' FROM transmission WHERE id = $1 RETURNING 1""",
        id,
    )
    return id


def trace(world: World, usager: str, *ids: UUID, **how: Any) -> str:
    """A line of the trail, as a fact; its request."""
    request = str(uuid7())
    line = {
        "organisation_id": world.organisation,
        "principal_kind": "professional",
        "principal_id": world.ids["marc"],
        "role": "chef_de_service",
        "action": "read",
        "kind": "transmission",
        "usager_id": world.ids[usager],
        "entry_ids": list(ids),
        "outcome": "success",
        "door": "api",
        "request_id": request,
        **how,
    }
    places = ", ".join(f"${n}" for n in range(1, len(line) + 1))
    world.rows(f"INSERT INTO audit_entry ({', '.join(line)}) VALUES ({places}) RETURNING 1", *line.values())
    return request
