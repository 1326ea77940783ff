"""Saying no: what the policy refused, in the words the caller hears and those the trail keeps."""

from collections.abc import Collection
from uuid import UUID

from app.access.permissions import Action
from app.kernel.errors import DuiError, Forbidden, NotFound

NOT_FOUND = "Cet élément n'existe pas, ou n'est pas à votre portée."
MAY_NOT = "Votre rôle ne permet pas ce geste ici."
ENDED = "Votre session est terminée. Connectez-vous à nouveau."


class Refused(DuiError):
    """The policy said no; carries what the trail needs to remember."""

    action: str = Action.READ
    kind: str = ""
    ids: tuple[UUID, ...] = ()
    usager_id: UUID | None = None


class OutOfReach(Refused, NotFound):
    """Told as "not found", so as not to reveal that it exists."""


class MayNot(Refused, Forbidden):
    pass


def refused(
    kind_of: type[Refused],
    action: str,
    kind: str,
    ids: Collection[UUID] = (),
    *,
    usager_id: UUID | None = None,
    where: str | None = None,
    why: str = "",
) -> Refused:
    """`why`: the better way, when there is one; of what is out of reach, the same as of what never was."""
    told = " ".join(filter(None, (NOT_FOUND, why))) if issubclass(kind_of, OutOfReach) else why or MAY_NOT
    no = kind_of(told, where=where)
    no.action, no.kind, no.ids, no.usager_id = action, kind, tuple(ids), usager_id
    return no
