"""REST for staff applications."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.responses import Response

from app.access.acts import Act
from app.access.gate import Gate
from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, created, one, page, seen
from app.features.usagers import doubles, identifiers, names, service
from app.features.usagers.models import Usager
from app.features.usagers.schemas import (
    Asked,
    ComingOfAgeRow,
    IdentifierAdded,
    IdentifierPatch,
    IdentityChecked,
    Notice,
    UsagerChanged,
    UsagerIn,
    UsagerLine,
    UsagerOut,
    UsagerPatch,
)
from app.kernel.answers import etag, told
from app.kernel.errors import Invalid
from app.kernel.fields import Line, of_our_time

router = APIRouter(prefix="/usagers", tags=["usagers"])
PATH = "/api/v1/usagers"
OF_THE_STAY = ("/unit_id", "/ends")  # told by the rules of a stay, which here is inside
Word = Annotated[Line, Query()]
Day = Annotated[date | None, AfterValidator(of_our_time)]


@router.post("", status_code=201, operation_id="openDossier")
async def open_dossier(said: UsagerIn, gate: StaffGate) -> Response:
    """409 when someone like them is here: « Une personne semblable existe déjà. », and nothing else."""
    try:
        return await created(gate, UsagerOut, PATH, lambda: service.open_dossier(gate, said))
    except Invalid as no:
        if no.where not in OF_THE_STAY:
            raise
        raise Invalid(no.message, where=f"/stay{no.where}", code=no.told) from None


@router.get("", operation_id="listUsagers")
async def listed(
    gate: StaffReading,
    name: Annotated[str | None, Query(min_length=1, max_length=120)] = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """In the order of names. `name`: how it begins, family name first, with or without accents."""
    if name:
        first, last = names.prefix(name)
        return await page(gate, UsagerLine, service.NAMED, limit, after, "named", first=first, last=last)
    return await page(gate, UsagerLine, service.ALL, limit, after, "all")


@router.get("/check", operation_id="checkUsager", responses={403: {}})
async def check(
    gate: StaffReading, birth_family_name: Word, birth_given_names: Word, birth_date: Day = None
) -> Response:
    """Before a dossier is opened: is someone like them here, in the whole organisation? One of two sentences."""
    await gate.require(Act.LOOK_FOR_DOUBLE)
    asked = Asked(birth_family_name=birth_family_name, birth_given_names=birth_given_names, birth_date=birth_date)
    return told({"message": doubles.ALIKE if await doubles.someone_like(gate, asked) else doubles.NOBODY})


@router.get("/coming-of-age", operation_id="listComingOfAge")
async def coming_of_age(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    """« À préparer » : who is 18 within 180 days, the nearest first, and what is ready."""
    asked = service.soon_of_age()
    return await page(gate, ComingOfAgeRow, service.COMING_OF_AGE, limit, after, "coming_of_age", **asked)


@router.get(
    "/{usager_id}", operation_id="readUsager", responses={308: {"description": "Réuni à un autre dossier"}, 410: {}}
)
async def read(usager_id: UUID, gate: StaffReading) -> Response:
    """308 towards the dossier that this one was merged into."""
    row = await gate.get(UsagerOut, usager_id)
    if row.merged_into_id:
        return Response(status_code=308, headers={"Location": f"{PATH}/{row.merged_into_id}"})
    return one(row)


@router.patch("/{usager_id}", operation_id="correctUsager", responses={409: {}})
async def correct(usager_id: UUID, said: UsagerPatch, version: Version, gate: StaffGate) -> Response:
    """`notices` tells what the change did beside: an identity that is `provisoire` again."""
    return await _changed(gate, *await service.correct(gate, usager_id, version, said))


@router.post("/{usager_id}/identity", operation_id="checkIdentity")
async def check_identity(usager_id: UUID, said: IdentityChecked, version: Version, gate: StaffGate) -> Response:
    """The identity referent saw a document: `validee`, or `qualifiee` when the INS is known too."""
    if gate.replay:
        return one(await gate.get(UsagerOut, usager_id))
    return await _changed(gate, await service.check_identity(gate, usager_id, version, said), ())


async def _changed(gate: Gate, row: Usager, notices: Sequence[Notice]) -> Response:
    await gate.settle()
    answer = msgspec.structs.replace(seen(UsagerChanged, row), notices=tuple(notices))
    return told(answer, headers={"ETag": etag(row.version)})


@router.get("/{usager_id}/identifiers", operation_id="listIdentifiers", responses={410: {}})
async def listed_identifiers(usager_id: UUID, gate: StaffReading) -> Response:
    return told({"items": await identifiers.of_usager(gate, usager_id), "next": None})


@router.post("/{usager_id}/identifiers", status_code=201, operation_id="addIdentifier")
async def add_identifier(usager_id: UUID, said: IdentifierAdded, gate: StaffGate) -> Response:
    if gate.replay:
        known = UUID(str(gate.replay.location).rpartition("/")[2])
        return told(await identifiers.one(gate, usager_id, known), status=201, headers={"Idempotency-Replayed": "true"})
    row = await identifiers.add(gate, usager_id, said)
    gate.location = f"{PATH}/{usager_id}/identifiers/{row.id}"
    await gate.settle()
    headers = {"Location": gate.location, "ETag": etag(row.version)}
    return told(identifiers.told(gate.keyring, row), status=201, headers=headers)


@router.get("/{usager_id}/identifiers/{identifier_id}", operation_id="readIdentifier")
async def read_identifier(usager_id: UUID, identifier_id: UUID, gate: StaffReading) -> Response:
    return one(await identifiers.one(gate, usager_id, identifier_id))


@router.patch("/{usager_id}/identifiers/{identifier_id}", operation_id="correctIdentifier", responses={409: {}})
async def correct_identifier(
    usager_id: UUID, identifier_id: UUID, said: IdentifierPatch, version: Version, gate: StaffGate
) -> Response:
    row, back = await identifiers.correct(gate, usager_id, identifier_id, version, said)
    await gate.settle()
    answer = msgspec.to_builtins(identifiers.told(gate.keyring, row))
    answer["notices"] = [service.back_to_provisoire("/value")] if back else []
    return told(answer, headers={"ETag": etag(row.version)})
