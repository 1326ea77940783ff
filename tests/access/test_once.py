"""What hangs on the caller alone, asked once beside the branches of a statement (`app.access.once`)."""

from typing import Any

import pytest
from sqlalchemy import ARRAY, Integer, Select, any_, bindparam, column, func, not_, select, table, union_all

from app.access.entry import DossierEntry
from app.access.once import Once, asked_once
from app.access.order import Order
from app.access.several import order_of
from app.access.union import asking
from app.api.resources import REGISTRY
from app.fhir.verbs.everything import WHOM, _questions
from app.kernel.hot import DIALECT
from app.security.principal import Caller, Role, Shape

ONE, OTHER = (table(name, column("n", Integer())) for name in ("one", "other"))
FACT = table("fact", column("n", Integer()))


def known() -> Once[bool]:
    """Written anew each time, as the policy writes it."""
    return Once(select(FACT).exists())


def few() -> Once[Any]:
    return Once(func.array(select(FACT.c.n).scalar_subquery(), type_=ARRAY(Integer())))


def text(of: Any) -> str:
    return " ".join(str(of.compile(dialect=DIALECT)).split())


def whole(*branches: Select[Any]) -> tuple[str, str]:
    """What is asked beside, and what reads it."""
    facts, told = text(asked_once(select(union_all(*branches).subquery("every")))).split(" SELECT told.n", 1)
    return told, facts.removeprefix("WITH once AS MATERIALIZED (").removesuffix(")")


class TestAskedOnce:
    def test_a_fact_of_two_branches_is_one_column(self):
        written, facts = whole(*(select(each.c.n).where(known()) for each in (ONE, OTHER)))
        assert facts == "SELECT EXISTS (SELECT fact.n FROM fact) AS c0"
        assert written.count("WHERE once.c0") == 2
        assert "fact" not in written

    def test_the_branches_are_told_of_its_row(self):
        written, _ = whole(*(select(each.c.n).where(known()) for each in (ONE, OTHER)))
        assert " FROM once JOIN LATERAL (SELECT every.n AS n FROM (SELECT one.n AS n FROM one WHERE once.c0 " in written

    def test_two_facts_are_two_columns(self):
        written, facts = whole(*(select(each.c.n).where(known(), each.c.n == any_(few())) for each in (ONE, OTHER)))
        assert facts.count("FROM fact") == 2
        assert written.count("once.c0") == written.count("once.c1") == 2

    def test_alike_but_for_what_they_are_asked_of_they_are_two(self):
        asked = [
            Once(select(FACT).where(FACT.c.n == bindparam(name, type_=Integer())).exists()) for name in ("me", "to")
        ]
        _, facts = whole(*(select(each.c.n).where(fact) for each, fact in zip((ONE, OTHER), asked, strict=True)))
        assert facts.count("EXISTS") == 2

    def test_an_array_is_read_as_one(self):
        written, _ = whole(*(select(each.c.n).where(each.c.n == any_(few())) for each in (ONE, OTHER)))
        assert "one.n = ANY (once.c0)" in written

    def test_what_is_denied_is_denied_still(self):
        written, _ = whole(*(select(each.c.n).where(not_(known())) for each in (ONE, OTHER)))
        assert "NOT once.c0" in written

    def test_inside_what_a_branch_looks_up(self):
        inside = select(FACT.c.n).where(known()).scalar_subquery()
        written, facts = whole(*(select(each.c.n, inside).where(known()) for each in (ONE, OTHER)))
        assert written.count("WHERE once.c0") == 4
        assert facts.count("EXISTS") == 1

    def test_without_one_nothing_is_asked_beside(self):
        plain = select(ONE.c.n)
        assert asked_once(plain) is plain

    def test_left_there_it_is_asked_where_it_stands(self):
        assert (
            text(select(ONE.c.n).where(not_(known())))
            == "SELECT one.n FROM one WHERE NOT (EXISTS (SELECT fact.n FROM fact))"
        )


# The table of a fact, and how often a dossier's statement asks it, whatever the number of tables it is told from.
ASKED = {
    Shape(Caller.PARTNER): {"session": 2, "partner_structure": 1, "sharing_consent AS fact_no": 1},
    Shape(Caller.PROFESSIONAL, Role.CHEF_DE_SERVICE): {"session": 2, "narrowing": 2, "on_call": 1},
    Shape(Caller.PROFESSIONAL, Role.EDUCATEUR): {"session": 2, "narrowing": 1, "on_call": 1, "emergency_access": 1},
}  # of the session: once for the branches, once for the line that says that it lives


@pytest.mark.parametrize("shape", ASKED, ids=lambda shape: shape.role or shape.kind)
def test_a_dossier_asks_each_fact_of_its_caller_once(shape: Shape):
    maps = tuple(each for each in REGISTRY.everywhere if issubclass(each.view.TABLE, DossierEntry))
    asked = _questions(maps, False, since=False, typed=False)
    sql = asking(shape, asked, Order(order_of(each.view for each in maps)), WHOM).query.sql
    assert len(maps) > 20
    assert {name: sql.count(f"FROM {name}") for name in ASKED[shape]} == ASKED[shape]
