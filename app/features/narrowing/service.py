"""The rules of narrowing: a house starts from its kind, narrows more, or widens back to the law; at the next request."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.gate import Gate, Listing
from app.access.openings import Narrowing
from app.access.permissions import STAFF, Action
from app.features.narrowing.houses import starts
from app.features.narrowing.schemas import NarrowingIn, NarrowingPatch
from app.kernel.errors import Conflict, Invalid

OF_STRUCTURE = Listing(
    Narrowing.structure_id == bindparam("structure", type_=Uuid()), ("role", "category", "id"), newest_first=False
)


def starting(structure_id: UUID, model: str) -> list[Narrowing]:
    """What a new house of this kind starts from, to be written with it."""
    return [
        Narrowing(structure_id=structure_id, role=role.value, category=category.value, to=to.value)
        for role, category, to in starts(model)
    ]


async def narrow(gate: Gate, said: NarrowingIn) -> Narrowing:
    """Raises Invalid when the role reads nothing of it anyway, Conflict when the house narrows it already."""
    kinds = {kind for kind, category, _ in STAFF[said.role] if category == said.category}
    if not kinds or (said.of_kind is not None and said.of_kind not in kinds):
        raise Invalid("Ce rôle ne lit déjà rien de cela.", where="/category", code="narrowing.nothing")
    row = gate.add(Narrowing(**said.model_dump(mode="python")))
    try:
        await gate.flush()
    except Conflict:
        raise Conflict(
            "Cette maison dit déjà jusqu'où ce rôle lit cela : changez ce qu'elle dit, ou retirez-le d'abord.",
            where="/category",
            code="narrowing.again",
        ) from None
    return row


async def change(gate: Gate, id: UUID, version: int, said: NarrowingPatch) -> Narrowing:
    return await gate.change(await gate.entry(Narrowing, id, Action.UPDATE, version), to=said.to.value)


async def widen(gate: Gate, id: UUID, version: int) -> None:
    """Back to the law, and no further."""
    await gate.remove(await gate.entry(Narrowing, id, Action.DELETE, version))
