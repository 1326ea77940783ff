"""A text of a row that is kept sealed under its usager's key: judicial papers, alerts (design: decisions.md, secrets at rest).

The column holds bytes and is named in its table's `SEALED`; a view that shows it asks for `wrapped_key` beside.
"""

from collections.abc import Mapping
from typing import Any

from app.access.entry import DossierEntry, DossierView, Opens
from app.access.gate import Gate
from app.access.permissions import Action
from app.access.refusal import OutOfReach, refused
from app.kernel.errors import NotFound


async def sealed(gate: Gate, row: DossierEntry, told: Mapping[str, object]) -> dict[str, object]:
    """`told` with its texts as their columns keep them. Raises OutOfReach for someone who is not there, in the words of who is there out of reach."""
    texts = {name: told[name] for name in row.SEALED if name in told}
    if not texts:
        return dict(told)
    try:
        key = await gate.key_of(row.usager_id)
    except NotFound:
        raise refused(OutOfReach, Action.CREATE, row.KIND, [], usager_id=None, where="/usager_id") from None
    kept = {
        name: None if text is None else key.seal(str(text).encode(), about(type(row), row.id, name))
        for name, text in texts.items()
    }
    return {**told, **kept}


def opened(gate: Opens, view: DossierView, name: str) -> str | None:
    """Of a row as it was read, or just written. Raises KeyFault: altered, or moved from another row."""
    told: Any = view
    if (sealed := getattr(told, name)) is None:
        return None
    return gate.key_beside(view.usager_id, told.wrapped_key).open(sealed, about(view.TABLE, view.id, name)).decode()


def about(table: type[DossierEntry], id: object, name: str) -> str:
    return f"{table.KIND}:{id}:{name}"
