"""A contact as the person is told of them: their relation (`system|code`, TRE_R216) and their name. Expressions over a
row of `of`; `who` is its column that names them.
"""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column


def relation(of: str, who: str) -> ColumnElement[Any]:
    return _told("c.relation", of, who)


def name(of: str, who: str) -> ColumnElement[Any]:
    return _told("concat_ws(' ', c.given_name, c.family_name)", of, who)


def _told(what: str, of: str, who: str) -> ColumnElement[Any]:
    return literal_column(
        f"(SELECT {what} FROM contact c WHERE c.organisation_id = {of}.organisation_id AND c.id = {of}.{who})",  # noqa: S608
        Text(),
    )
