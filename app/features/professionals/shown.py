"""A professional as the person is told of them: by role, by first name only where the structure chose it and told its
staff (design: field.md §6; CJUE C-579/21). Expressions over a row `of` a structure; `who` is its column that names them.
"""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column

from app.features.settings.chosen import chosen

SETTING = "page.staff_first_names"


def role(of: str, who: str = "author_id", day: str = "occurred_at") -> ColumnElement[Any]:
    """Their role in the structure of the row, that day; else the last they had there."""
    then = f"timezone('Europe/Paris', {of}.{day})::date"
    return _text(
        f"""(SELECT m.role FROM membership m JOIN membership_structure i
        ON i.organisation_id = m.organisation_id AND i.membership_id = m.id AND i.structure_id = {of}.structure_id
        WHERE m.organisation_id = {of}.organisation_id AND m.professional_id = {of}.{who}
        ORDER BY (m.starts <= {then} AND (m.ends IS NULL OR m.ends > {then})) DESC, m.starts DESC LIMIT 1)"""  # noqa: S608
    )


def given_name(of: str, who: str) -> ColumnElement[Any]:
    """Of someone the person does things with: they know each other's names."""
    return _text(
        f"(SELECT p.given_name FROM professional p WHERE p.organisation_id = {of}.organisation_id AND p.id = {of}.{who})"  # noqa: S608
    )


def first_name(of: str, who: str = "author_id") -> ColumnElement[Any]:
    return _text(
        f"""(SELECT p.given_name FROM professional p
        WHERE p.organisation_id = {of}.organisation_id AND p.id = {of}.{who} AND {chosen(SETTING, of)} = 'true')"""  # noqa: S608
    )


def _text(sql: str) -> ColumnElement[Any]:
    return literal_column(sql, Text())
