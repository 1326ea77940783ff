"""Whether a paper is used: a row of the same dossier names it, or it was sent; as far as who asks may know.

Which tables name documents is found when first asked: they stand in rooms beside this one and above it.
"""

from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, exists, or_
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from app.access.entry import DossierEntry, DossierView, Readable
from app.features.documents.models import Document
from app.kernel.db import Base

NAMES = frozenset(
    {
        "attachment_ids",
        "request_document_ids",
        "receipt_document_id",
        "answer_document_id",
        "more_document_ids",
    }
)
SENT = sql_table(
    "exchange_row", *(sql_column(name, Uuid()) for name in ("organisation_id", "exchange_id", "row_id", "usager_id"))
)


class Use(DossierView, frozen=True):
    """`used` is told by `view()`."""

    TABLE: ClassVar = Document

    used: bool


@cache
def view() -> type[Use]:
    class Used(Use, frozen=True):
        COMPUTED: ClassVar = {"used": or_(*_naming(), _sent())}

    return Used


def _naming() -> list[ColumnElement[bool]]:
    tables = [m.class_ for m in Base.registry.mappers if issubclass(m.class_, DossierEntry)]
    return [_named(row, name) for row in tables for name in sorted(NAMES & set(row.__table__.columns.keys()))]


def _named(row: type[DossierEntry], name: str) -> ColumnElement[bool]:
    names = getattr(row, name)
    its = Document.id == any_(names) if isinstance(names.type, ARRAY) else Document.id == names
    same = (row.organisation_id == Document.organisation_id) & (row.usager_id == Document.usager_id)
    return exists().where(same, its, row.deleted_at.is_(None), Readable(row)).correlate(Document)


def _sent() -> ColumnElement[bool]:
    """In a bundle that the person may know of."""
    exchange: Any = next(m.class_ for m in Base.registry.mappers if m.class_.__tablename__ == "exchange")
    its = (SENT.c.organisation_id == Document.organisation_id) & (SENT.c.row_id == Document.id)
    that = (exchange.organisation_id == SENT.c.organisation_id) & (exchange.id == SENT.c.exchange_id)
    return exists().where(its, SENT.c.usager_id == Document.usager_id, that, Readable(exchange)).correlate(Document)
