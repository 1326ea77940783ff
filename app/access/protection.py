"""What is hidden from whoever is of outside (a representative, a partner) because a place is protected (field.md §5)."""

from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Exists,
    Text,
    Uuid,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal_column,
    or_,
    table,
)

from app.access.entry import ME, DossierEntry, OfPlace, View, word

PROTECTED = "lieu protégé"  # what is told in the place of it
TOLD: ColumnElement[str] = literal_column(f"'{PROTECTED}'", Text())  # the same, in a statement
_DAY = cast(func.timezone(word("Europe/Paris"), func.now()), Date())
_STAY = table(  # a room above this floor
    "stay",
    column("organisation_id", Uuid()),
    column("usager_id", Uuid()),
    column("structure_id", Uuid()),
    column("place_protected"),
    column("ends", Date()),
    column("deleted_at"),
).alias("protected_stay")


OWN_FLAGS = ("address_protected", "place_protected")  # of the row
COMPUTED_FLAGS = ("house_hidden", "protected")  # by a view
V = TypeVar("V", bound=View)
FLAGS = {
    "usager": "address_protected",
    "contact": "address_protected",
    "stay": "place_protected",
    "school_period": "place_protected",
    "event_participant": "place_protected",
    "transport": "place_protected",
}


def house_hidden(row: Any) -> ColumnElement[bool]:
    """The house that holds this row of a dossier is itself a protected place, as long as the person's stay there is not over."""
    s = _STAY.c
    there = and_(s.organisation_id == row.organisation_id, s.usager_id == row.usager_id)
    there = and_(there, s.structure_id == row.structure_id, s.place_protected, s.deleted_at.is_(None))
    return exists().where(there, or_(s.ends.is_(None), s.ends > _DAY)).correlate_except(_STAY)


def anywhere_protected(row: Any) -> ColumnElement[bool]:
    """An address or a place of the person whose row it is, or of someone around them, is protected."""
    return or_(*(_protected(row, name, flag) for name, flag in FLAGS.items()))


def _protected(row: Any, name: str, flag: str) -> Exists:
    one = table(
        name, column("organisation_id", Uuid()), column("usager_id", Uuid()), column(flag), column("deleted_at")
    ).alias(f"protected_{name}")
    mine = and_(one.c.organisation_id == row.organisation_id, one.c.usager_id == row.usager_id)
    return exists().where(mine, one.c[flag], one.c.deleted_at.is_(None)).correlate_except(one)


HOUSE_HIDDEN = OfPlace(Boolean(), house_hidden)
ANYWHERE_PROTECTED = OfPlace(Boolean(), anywhere_protected)


def not_me(row: type[DossierEntry]) -> ColumnElement[bool]:
    """Who looks is not the person: for the views of the person and of who represents them."""
    return row.usager_id != ME


def hidden_now(row: type[DossierEntry]) -> ColumnElement[bool]:
    """What this very row tells is protected as it stands."""
    columns = row.__table__.columns
    told: list[ColumnElement[bool]] = [columns[name] for name in OWN_FLAGS if name in columns]
    return or_(false(), *told)


def hidden_since(view: V, anywhere: bool, itself: bool) -> V:
    """An older version, which knows nothing of today: what has been protected since is hidden in it too."""
    told = set(view.__struct_fields__)
    own = {name: itself or getattr(view, name) for name in OWN_FLAGS if name in told}
    return msgspec.structs.replace(view, **own, **{name: anywhere for name in COMPUTED_FLAGS if name in told})
