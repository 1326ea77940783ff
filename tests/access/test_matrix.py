"""The access matrix against `expected.csv`, written by hand from what the field demands: no cell in one only."""

from collections.abc import Callable

from app.access.permissions import STAFF, WITHOUT_ROLE
from tests.access.expected import Cells, expected
from tools import matrix


def held() -> Cells:
    lines = {**{role.value: row for role, row in STAFF.items()}, **{c.value: row for c, row in WITHOUT_ROLE.items()}}
    return {
        (who, kind.value, category.value, action.value): reach.value
        for who, row in lines.items()
        for (kind, category, action), reach in row.items()
    }


def test_each_cell_is_the_one_expected(figure: Callable[[str], None]) -> None:
    ours, theirs = held(), expected()
    figure(f"matrix: {len(theirs)} cells written by hand")
    differences = [(cell, ours.get(cell), theirs.get(cell)) for cell in sorted({*ours, *theirs})]
    assert [one for one in differences if one[1] != one[2]] == []


def test_every_role_and_kind_of_caller_has_its_line() -> None:
    assert {who for who, *_ in expected()} == {who for who, *_ in held()}


def test_the_page_tells_it_all() -> None:
    told = matrix.PLACE.read_text(encoding="utf-8")
    assert told == matrix.text(), "make openapi"
    assert f"{len(expected())} cells" in told
