"""What a partner sent, written through the gate as the transaction will: the same map, the same stamp, the same seal."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from app.access.opening import opened
from app.api.resources import REGISTRY
from app.audit.vocabulary import Call, Door
from app.features.transmissions.fhir import PROFILE
from app.fhir.mapping import Inbound
from app.kernel.ids import uuid7
from app.security.principal import Partner
from tests.world import SCOPES, World


def note(usager: UUID, text: str = "Belle nuit.", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [PROFILE]},
        "status": "current",
        "subject": {"reference": f"Patient/{usager}"},
        "date": "2026-11-20T09:00:00+01:00",
        "description": "Relève du matin",
        "author": [{"display": "Service de nuit"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": b64encode(text.encode()).decode()}}],
    } | more


def principal(world: World, who: str) -> Partner:
    return Partner(
        id=world.ids[who],
        organisation_id=world.organisation,
        session_id=world.ids[f"{who}_session"],
        expires=2e10,
        structure_id=world.ids["ime"],
        scopes=SCOPES,
    )


def sent(world: World, who: str = "chu", usager: str = "lucas", held: bool = False, **more: Any) -> UUID:
    """The id of one cahier de liaison note that `who` sent about `usager`."""
    state: Any = world.client.app.state  # type: ignore[attr-defined]
    partner, id, whom = principal(world, who), uuid7(), world.ids[usager]

    async def write() -> None:
        call = Call(Door.FHIR, str(id))
        async with opened(partner, call, state.keyring, state.lane, state.database) as gate:
            inbound = Inbound(
                id=id,
                usager_id=whom,
                structure_id=partner.structure_id,
                partner_id=partner.id,
                key=await gate.key_of(whom),
                keyring=state.keyring,
                where="Bundle.entry[0].resource",
                held=held,
                local={f"Patient/{whom}": whom},
            )
            _, arrived = REGISTRY.received(note(whom, **more), inbound)
            gate.add(arrived.row)
            await gate.settle()

    world.client.portal.call(write)  # type: ignore[union-attr]
    return id
