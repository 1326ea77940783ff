"""Explaining: a row that the caller reads, of whom, and whether a consent would change it."""

from uuid import UUID

from app.access.acts import Act
from app.access.explaining import Explaining, Row, Someone, tables
from app.access.permissions import Action
from app.access.refusal import OutOfReach, refused
from app.features.explain.labels import why
from app.features.explain.schemas import Explained, Reader
from app.kernel.errors import Unreadable
from app.security.principal import Caller

PEOPLE = tuple(kind.value for kind in Caller)


async def explain(gate: Explaining, what: str, who: str | None, consent: UUID | None, answer: str | None) -> Explained:
    """Raises MayNot, OutOfReach for a row, a question or someone out of reach, Unreadable for what names nothing."""
    await gate.require(Act.EXPLAIN_ACCESS)
    kind, _, id = what.partition("/")
    table = tables().get(kind)
    if table is None:
        raise Unreadable("Dites de quoi : le type d'un élément et son numéro, comme transmission/….", where="what")
    if (consent is None) != (answer is None):
        raise Unreadable("Dites la question et la réponse : consent et answer vont ensemble.", where="consent")
    named = _named(who) if who is not None else None
    row = await gate.asked(table, _uuid(id, "what"))
    now = await gate.everyone(table, row)
    if named and named not in {(one.kind.value, one.id) for one in now}:
        raise refused(OutOfReach, Action.READ, row.kind, [row.id], where="/who")
    then = await gate.after(table, row, consent, answer) if consent is not None and answer is not None else None
    told = _readers(now, row, named)
    return Explained(
        row.kind.value, str(row.id), row.category.value, told, _readers(then, row, named) if then else None
    )


def _readers(found: list[Someone], row: Row, named: tuple[str, str] | None) -> list[Reader]:
    """Those who read; or the one asked about, whatever the answer."""
    chosen = [one for one in found if (one.reads if named is None else (one.kind.value, one.id) == named)]
    told = [
        Reader(one.kind.value, one.id, one.role.value if one.role else None, one.name, one.reads, why(one, row))
        for one in chosen
    ]
    return sorted(told, key=lambda one: (one.kind, one.role or "", one.name or "", one.id))


def _named(who: str) -> tuple[str, str]:
    kind, _, id = who.partition("/")
    if kind not in PEOPLE:
        raise Unreadable(f"Dites qui : {', '.join(PEOPLE)}, suivi de son numéro, comme professional/….", where="who")
    return kind, str(_uuid(id, "who"))


def _uuid(said: str, where: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise Unreadable("Ce numéro n'en est pas un.", where=where) from None
