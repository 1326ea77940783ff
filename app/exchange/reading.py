"""One line of the journal, whole: its rows, their warnings, whom its sender says it tells of."""

from datetime import date
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy import LargeBinary, text

from app.access.arrivals import Arrivals
from app.access.permissions import Action, Kind
from app.exchange import journal, persons, sas
from app.exchange.schemas import ArrivedOut, ExchangeOut, ExchangeWhole, RowOut, Warned
from app.features.usagers import doubles
from app.features.usagers.schemas import Asked
from app.fhir.mapping import Json

BODY = text("SELECT body, body_key FROM exchange WHERE organisation_id = :organisation AND id = :exchange").columns(
    body=LargeBinary(), body_key=LargeBinary()
)
PERSON = "Patient"


async def whole(gate: Arrivals, id: UUID) -> ExchangeWhole:
    """Raises OutOfReach."""
    line = await gate.get(ExchangeOut, id)
    rows = await gate.consult(sas.WRITTEN, exchange=id)
    arrived = [await _someone(gate, row, body) for row, body in await _persons(gate, id, rows)]
    return ExchangeWhole(line, [_row(row) for row in rows if not row["part"]], arrived)


def _row(row: Any) -> RowOut:
    warned = [Warned(w.expression, w.code, w.diagnostics) for w in journal.issues(row["warnings"])]
    usager_id = str(row["usager_id"]) if row["usager_id"] else None
    return RowOut(
        row["position"],
        row["type_name"],
        row["kind"],
        str(row["row_id"]),
        row["version"],
        usager_id,
        row["beside"],
        warned,
    )


async def _persons(gate: Arrivals, id: UUID, rows: Any) -> list[tuple[Any, Json]]:
    """The entries that tell of someone, from the bundle as it came; none once it was erased."""
    told = [row for row in rows if row["type_name"] == PERSON and not row["part"]]
    [kept] = await gate.consult(BODY, exchange=id)
    if not told or kept["body"] is None:
        return []
    entries = orjson.loads(journal.opened(gate.keyring, id, kept["body"], kept["body_key"]))["entry"]
    return [(row, entries[row["position"]]["resource"]) for row in told]


async def _someone(gate: Arrivals, row: Any, resource: Json) -> ArrivedOut:
    traits = persons.traits(resource)
    gate.tell(Action.READ, Kind.USAGER, [row["row_id"]], usager_id=row["usager_id"])
    return ArrivedOut(
        str(row["usager_id"]),
        traits.family,
        traits.given,
        traits.birth_date,
        await _alike(gate, traits.family, traits.given, traits.birth_date),
    )


async def _alike(gate: Arrivals, family: str, given: str, born: date | None) -> bool:
    try:
        asked = Asked(birth_family_name=family, birth_given_names=given, birth_date=born)
    except ValidationError:  # named too little to be compared
        return False
    return await doubles.someone_like(gate, asked)
