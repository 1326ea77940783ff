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
from app.features.usagers.models import Usager
from app.features.usagers.schemas import Asked
from app.fhir.mapping import Json
from app.security.principal import Professional

BODY = text("SELECT body, body_key FROM exchange WHERE organisation_id = :organisation AND id = :exchange").columns(
    body=LargeBinary(), body_key=LargeBinary()
)
PERSON = "Patient"
NOBODY = persons.Traits("", "", None)


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
    return [(row, entries[row["position"]].get("resource", {})) for row in told]


async def _someone(gate: Arrivals, told: Sequence[tuple[Any, Json]]) -> list[ArrivedOut]:
    for row, _ in told:
        gate.tell(Action.READ, Kind.USAGER, [row["row_id"]], usager_id=row["usager_id"])
    said = [persons.traits(resource) if resource.get("resourceType") == PERSON else None for _, resource in told]
    stand = await _as_they_stand(
        gate, [row["row_id"] for (row, _), traits in zip(told, said, strict=True) if not traits]
    )
    shown = [traits or stand.get(row["row_id"], NOBODY) for (row, _), traits in zip(told, said, strict=True)]
    return [
        ArrivedOut(str(row["usager_id"]), traits.family, traits.given, traits.birth_date, like)
        for (row, _), traits, like in zip(told, shown, await _alike(gate, said), strict=True)
    ]


async def _as_they_stand(gate: Arrivals, ids: Sequence[UUID]) -> dict[UUID, persons.Traits]:
    """Of those whom the bundle patches or deletes: it does not say who they are."""
    rows = await gate.arrived(Usager, ids) if ids else ()
    return {row.id: persons.Traits(row.birth_family_name, row.birth_given_names, row.birth_date) for row in rows}


async def _alike(gate: Arrivals, said: Sequence[persons.Traits | None]) -> list[bool | None]:
    """Whether someone like each is here, asked once for all, by whoever may ask it of anybody; nothing of who is not told."""
    who = gate.principal
    if not isinstance(who, Professional) or who.role not in ACTS[Act.LOOK_FOR_DOUBLE]:
        return [None] * len(said)
    asked = {place: one for place, traits in enumerate(said) if traits and (one := _asked(traits))}
    found = dict(zip(asked, await doubles.some_like(gate, list(asked.values())), strict=True)) if asked else {}
    return [found.get(place, False) if traits else None for place, traits in enumerate(said)]


def _asked(traits: persons.Traits) -> Asked | None:
    """None: named too little to be compared."""
    try:
        return Asked(birth_family_name=traits.family, birth_given_names=traits.given, birth_date=traits.birth_date)
    except ValidationError:
        return None
