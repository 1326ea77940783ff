"""A setting as an expression of SQL, for a reading that can't ask twice: the structure's, its model's, the organisation's,
the country's.
"""

from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, literal_column

from app.features.settings.shipped import MODELS, SHIPPED


def chosen(key: str, of: str) -> ColumnElement[Any]:
    """The JSON text of this key for the structure of `of`, a table (or its alias) of rows that belong to a structure."""
    models = "".join(
        f" WHEN '{model}' THEN '{_json(values[key])}'" for model, values in MODELS.items() if key in values
    )
    shipped = f"'{_json(SHIPPED[key].value)}'"
    default = f"CASE s.model{models} ELSE {shipped} END" if models else shipped
    return literal_column(
        f"""(SELECT coalesce((SELECT v.value FROM setting v WHERE v.organisation_id = s.organisation_id
        AND v.key = '{key}' AND v.deleted_at IS NULL
        AND v.scope IN ('organisation', 'model:' || s.model, 'structure:' || s.id)
        ORDER BY v.scope LIKE 'structure:%' DESC, v.scope LIKE 'model:%' DESC LIMIT 1), {default})
        FROM structure s WHERE s.organisation_id = {of}.organisation_id AND s.id = {of}.structure_id)""",  # noqa: S608
        Text(),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode().replace("'", "''")
