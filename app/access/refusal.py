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
    why: str = MAY_NOT,
) -> Refused:
    """`why`: the better way, when there is one; never of what is out of reach."""
    no = kind_of(NOT_FOUND if issubclass(kind_of, OutOfReach) else why, where=where)
    no.action, no.kind, no.ids, no.usager_id = action, kind, tuple(ids), usager_id
    return no
