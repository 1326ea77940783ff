"""Who may answer in a person's place, as SQL beside a row of theirs: for the views that compute it (field.md §5)."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.orm import aliased

from app.access.entry import ME, DossierEntry, word
from app.access.mandates import OF_A_MINOR, Effect, MandateKind, Scope
from app.access.models import Mandate

NEVER_ANSWERS = (MandateKind.SUBROGE,)  # watches over who represents, C. civ. 454
TODAY = bindparam("today", type_=Date())
USAGER = table(
    "usager",
    column("organisation_id", Uuid()),
    column("id", Uuid()),
    column("birth_date", Date()),
    column("died_on", Date()),
)  # a room above this floor
_stands_for = aliased(Mandate, name="stands_for")
_mine = aliased(Mandate, name="my_mandate")


def born(row: type[DossierEntry]) -> ColumnElement[Any]:
    return _of_person(row, USAGER.c.birth_date)


def dead(row: type[DossierEntry]) -> ColumnElement[bool]:
    return _of_person(row, USAGER.c.died_on).is_not(None)


def _of_person(row: type[DossierEntry], told: ColumnElement[Any]) -> ScalarSelect[Any]:
    mine = (USAGER.c.organisation_id == row.organisation_id, USAGER.c.id == row.usager_id)
    return select(told).where(*mine).correlate(row).scalar_subquery()


def minor(row: type[DossierEntry]) -> ColumnElement[Any]:
    """Today, in Paris. Of unknown age: an adult, who decides alone."""
    eighteen = cast(TODAY - literal_column("interval '18 years'"), Date())
    return func.coalesce(born(row) > eighteen, literal_column("false"))


def parents(row: type[DossierEntry]) -> Select[Any]:
    """The contacts, as text, who hold authority over this minor."""
    return _representing(row).where(_stands_for.kind.in_(_words(OF_A_MINOR)))


def awaited(row: type[DossierEntry]) -> ColumnElement[bool]:
    """Someone else holds authority over this minor, whose decision was entered and is yet to be confirmed."""
    return (
        _representing(row, _stands_for.confirmed_at.is_(None)).where(_stands_for.kind.in_(_words(OF_A_MINOR))).exists()
    )


def deciders(row: type[DossierEntry]) -> Select[Any]:
    """The contacts, as text, who may decide for this adult when the person cannot say."""
    return _representing(row).where(_stands_for.kind.not_in(_words({*OF_A_MINOR, *NEVER_ANSWERS})))


def may_answer(row: type[DossierEntry]) -> ColumnElement[bool]:
    """The person, or who represents them by right: who assists, manages their goods or watches over does not."""
    return or_(row.usager_id == ME, cast(ME, Text).in_(by_right(row)))


def by_right(row: type[DossierEntry]) -> Select[Any]:
    """The contacts, as text, who represent the person: not who assists, manages their goods or watches over."""
    return _representing(row).where(_stands_for.kind.not_in(_words(NEVER_ANSWERS)))


def for_another(row: type[DossierEntry]) -> ColumnElement[bool]:
    """Who looks stands for the person."""
    m = _mine
    mine = (m.organisation_id == row.organisation_id, m.usager_id == row.usager_id, m.contact_id == ME)
    return exists().where(*mine).correlate(row)


def _representing(row: type[DossierEntry], confirmed: ColumnElement[bool] | None = None) -> Select[Any]:
    """By a decision that runs today and covers what concerns the person; confirmed, unless said otherwise."""
    m = _stands_for
    confirmed = m.confirmed_at.is_not(None) if confirmed is None else confirmed
    mine = (m.organisation_id == row.organisation_id, m.usager_id == row.usager_id)
    runs = (m.starts <= TODAY, or_(m.ends.is_(None), m.ends > TODAY), confirmed)
    covers = (m.scope.in_(_words((Scope.PERSONNE, Scope.BOTH))), m.effect == word(Effect.REPRESENTATION))
    found = select(cast(m.contact_id, Text)).where(*mine, *runs, *covers, m.deleted_at.is_(None), m.held.is_(False))
    return found.correlate(row)


def _words(words: Iterable[str]) -> list[ColumnElement[str]]:
    return [word(w) for w in sorted(words)]
