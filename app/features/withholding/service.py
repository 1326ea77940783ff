"""Keeping something from the person for a reason of the closed list, and telling it again (field.md §6; CASF L311-3 3°).

By whoever may change the row. The person is never told that something is kept, nor how much.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, Text, and_, bindparam, or_
from sqlalchemy.sql.elements import ColumnElement

from app.access.entry import DossierEntry, word
from app.access.gate import Gate, Listing
from app.access.permissions import Action, Visibility
from app.access.withholding import ENDS, Withheld
from app.features.minor_secret import service as minor_secret
from app.features.minor_secret.schemas import SecretIn
from app.features.settings.tuned import tuned
from app.features.transmissions import masking
from app.features.transmissions.models import Transmission
from app.features.withholding.schemas import TABLES, TellIn, WithholdIn
from app.kernel.clock import PARIS, today
from app.kernel.errors import Conflict, Invalid

DAYS = {reason: f"withheld.{reason}_days" for reason in ENDS}
REVIEW = "withheld.review_days"
_due: ColumnElement[date] = bindparam("due_by", type_=Date())
_reason: ColumnElement[str] = bindparam("reason", type_=Text())


def _kept(table: type[DossierEntry]) -> Listing:
    due = or_(_due.is_(None), table.withheld_until <= _due)
    for_that = or_(_reason.is_(None), table.withheld_reason == _reason)
    return Listing(and_(table.visibility == word(Visibility.WITHHELD), due, for_that), ("occurred_at", "id"))


KEPT = {kind: _kept(table) for kind, table in TABLES.items()}


async def withhold(gate: Gate, said: WithholdIn) -> DossierEntry:
    """Raises OutOfReach, MayNot, Invalid naming what is missing, Conflict for the person's own words."""
    if said.reason is Withheld.MINOR_SECRET:
        return await _secret(gate, said)
    table = TABLES[said.kind]
    row = await gate.entry(table, said.entry_id, Action.UPDATE)
    if row.author_kind == "usager":
        raise Conflict(
            "La personne l'a écrit elle-même : cela ne se retient pas.", where="/entry_id", code="withheld.own_words"
        )
    values: dict[str, Any] = {
        "visibility": Visibility.WITHHELD.value,
        "withheld_reason": _told(said.reason).value,
        "withheld_until": await _until(gate, row, said),
        **_masked(row, said),
    }
    return await gate.change(row, **values)


def _told(reason: Withheld) -> Withheld:
    """Whoever reads the row reads its reason: « alerte » would tell them that one stands, so it is kept as a paper of
    procedure is, until someone reads it again.
    """
    return Withheld.PROCEDURE if reason is Withheld.ALERT else reason


async def tell(gate: Gate, said: TellIn) -> DossierEntry:
    """Told the person whole, from their next look. Raises Conflict when nothing is kept."""
    row = await gate.entry(TABLES[said.kind], said.entry_id, Action.UPDATE)
    if row.visibility != Visibility.WITHHELD.value:
        raise Conflict("Cet élément n'est pas retenu.", where="/entry_id", code="withheld.not")
    values: dict[str, Any] = {"visibility": Visibility.SHARED.value, "withheld_reason": None, "withheld_until": None}
    return await gate.change(row, **values, **(masking.NONE if isinstance(row, Transmission) else {}))


async def _secret(gate: Gate, said: WithholdIn) -> DossierEntry:
    """Kept from the parents, never from the child: it ends with their authority."""
    if not said.asked_by_child:
        raise Invalid("C'est l'enfant qui le demande : notez-le.", where="/asked_by_child", code="withheld.not_asked")
    if said.kind not in minor_secret.VIEWS:
        raise Invalid("Un enfant ne peut pas garder cela secret ici.", where="/kind", code="withheld.not_a_secret")
    secret = {"kind": said.kind, "entry_id": said.entry_id, "asked_by_child": True}
    return await minor_secret.keep(gate, SecretIn.model_validate(secret))


async def _until(gate: Gate, row: DossierEntry, said: WithholdIn) -> date:
    """A draft, and what is first said aloud, count from the day they were written: saying it again gains no day."""
    ends = said.reason in DAYS
    days = timedelta(days=await tuned(gate, row.structure_id, DAYS[said.reason] if ends else REVIEW))
    last = (row.recorded_at.astimezone(PARIS).date() if ends else today()) + days
    until = said.until or last
    if last <= today():
        raise Invalid(
            "Le délai de cette raison est passé depuis que c'est écrit. Montrez-le, ou dites une autre raison.",
            where="/reason",
            code="withheld.too_late",
        )
    if not today() < until <= last:
        raise Invalid(
            f"Choisissez un jour après aujourd'hui, au plus tard le {last:%d/%m/%Y}.",
            where="/until",
            code="withheld.until",
        )
    return until


def _masked(row: DossierEntry, said: WithholdIn) -> dict[str, Any]:
    if said.reason is not Withheld.THIRD_PARTY:
        if said.passages:
            raise Invalid("Masquer des mots va avec la raison « tiers ».", where="/passages", code="withheld.passages")
        return masking.NONE if isinstance(row, Transmission) else {}
    if not isinstance(row, Transmission):
        raise Invalid(
            "Seuls des mots d'une transmission se masquent. Ici, réécrivez sans nommer l'autre personne.",
            where="/kind",
            code="withheld.no_text",
        )
    if not said.passages:
        raise Invalid(
            "Recopiez les mots qui parlent de l'autre personne : eux seuls sont masqués, pas la note.",
            where="/passages",
            code="withheld.no_passage",
        )
    return masking.of(row.text, said.passages)
