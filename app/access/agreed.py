"""What the person agreed to share with a partner, asked by who would send it: the rule by which that partner would read it."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.sql import visitors

from app.access.entry import DossierEntry
from app.access.facts import ME, outer
from app.access.sharing import granted, said_no


def with_partner(row: type[DossierEntry], partner: BindParameter[Any]) -> ColumnElement[bool]:
    """Rows of this table that a yes to `partner` covers, and that nothing else the person said closes."""

    def instead(element: Any, **_: Any) -> Any:
        return partner if isinstance(element, BindParameter) and element.key == ME.key else None

    told: ColumnElement[bool] = visitors.replacement_traverse(granted(row), {}, instead)
    return told


def refused_to(usager: type[DossierEntry], partner: BindParameter[Any]) -> ColumnElement[bool]:
    """A question of sharing with `partner` stands at no for this person, or their parents disagree on it."""
    return said_no(outer(usager, "id"), partner)
