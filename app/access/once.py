"""What hangs on the caller alone, or on the caller and the one person asked about.

A statement over many tables asks it once, beside them, where each branch would ask it again: of two dozen tables that
is most of what Postgres has to set up.
"""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, literal_column, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.visitors import InternalTraversal

from app.kernel.hot import DIALECT

T = TypeVar("T")
NAME = "once"
INSIDE = [("fact", InternalTraversal.dp_clauseelement)]  # what walks a statement goes through


class Once(ColumnElement[T]):
    """A fact that names no column of the row judged. Left there, it is asked where it stands."""

    inherit_cache = True
    _traverse_internals = INSIDE

    def __init__(self, fact: ColumnElement[T]) -> None:
        self.fact, self.type = fact, fact.type


@compiles(Once)
def _where_it_stands(element: Once[Any], compiler: Any, **more: Any) -> str:
    return f"({compiler.process(element.fact, **more)})"


def asked_once(statement: Select[Any]) -> Select[Any]:
    """The same statement, beside the one row that answers each of its facts: it reads them there, as its parameters."""
    asked: dict[tuple[str, ...], ColumnElement[Any]] = {}  # by their text, and what its parameters are called

    def read(element: Any, **_: Any) -> ColumnElement[Any] | None:
        if not isinstance(element, Once):
            return None
        text: Any = element.fact.compile(dialect=DIALECT)
        fact = (str(text), *(text.positiontup or ()))
        name = f"c{list(asked).index(fact) if fact in asked else len(asked)}"
        asked.setdefault(fact, element.fact.label(name))
        return literal_column(f"{NAME}.{name}", element.type)

    written: Any = visitors.replacement_traverse(statement, {}, read)
    if not asked:
        return statement
    facts = select(*asked.values()).cte(NAME).prefix_with("MATERIALIZED")  # else each would be asked where it is read
    told = written.lateral("told")
    return select(told).select_from(facts.join(told, true()))
