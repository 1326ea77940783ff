"""One line of the journal, whole: its rows, their warnings, whom its sender says it tells of."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import LargeBinary, text

from app.access.acts import ACTS, Act
from app.access.arrivals import Arrivals
from app.access.permissions import Action, Kind
from app.exchange import journal, persons, sas, sent
from app.exchange.schemas import ArrivedOut, ExchangeOut, ExchangeWhole, RowOut, Warned
from app.features.usagers import doubles
from app.features.usagers.schemas import Asked
from app.fhir.mapping import Json
from app.security.principal import Professional

BODY = text("SELECT body, body_key FROM exchange WHERE organisation_id = :organisation AND id = :exchange").columns(
    body=LargeBinary(), body_key=LargeBinary()
)
PERSON = "Patient"


async def whole(gate: Arrivals, id: UUID) -> ExchangeWhole:
    """Raises OutOfReach."""
    line = await gate.get(ExchangeOut, id)
    rows = await gate.consult(sas.WRITTEN, exchange=id)
    arrived = await _someone(gate, await _persons(gate, id, rows))
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
    entries = sent.read_again(journal.opened(gate.keyring, id, kept["body"], kept["body_key"]))["entry"]
    return [(row, entries[row["position"]]["resource"]) for row in told]


async def _someone(gate: Arrivals, told: Sequence[tuple[Any, Json]]) -> list[ArrivedOut]:
    said = [(row, persons.traits(resource)) for row, resource in told]
    for row, _ in said:
        gate.tell(Action.READ, Kind.USAGER, [row["row_id"]], usager_id=row["usager_id"])
    alike = await _alike(gate, [traits for _, traits in said])
    return [
        ArrivedOut(str(row["usager_id"]), traits.family, traits.given, traits.birth_date, like)
        for (row, traits), like in zip(said, alike, strict=True)
    ]


async def _alike(gate: Arrivals, said: Sequence[persons.Traits]) -> list[bool] | list[None]:
    """Whether someone like each is here, asked once for all, by whoever may ask it of anybody."""
    who = gate.principal
    if not isinstance(who, Professional) or who.role not in ACTS[Act.LOOK_FOR_DOUBLE]:
        return [None] * len(said)
    asked = {place: one for place, traits in enumerate(said) if (one := _asked(traits))}
    found = dict(zip(asked, await doubles.some_like(gate, list(asked.values())), strict=True)) if asked else {}
    return [found.get(place, False) for place in range(len(said))]


def _asked(traits: persons.Traits) -> Asked | None:
    """None: named too little to be compared."""
    try:
        return Asked(birth_family_name=traits.family, birth_given_names=traits.given, birth_date=traits.birth_date)
    except ValidationError:
        return None
