"""What a house tunes: one row a key, at one layer. The newest value only; former ones are told by the trail."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.access.entry import DirectoryEntry
from app.access.permissions import Kind
from app.kernel.clock import now


class Setting(DirectoryEntry):
    """`scope`: `organisation`, `model:<model>` or `structure:<id>`; `value`: JSON. The nil organisation's are the server's."""

    __tablename__ = "setting"
    __table_args__ = (
        Index(
            "uq_setting_key",
            "organisation_id",
            "scope",
            "key",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )
    KIND: ClassVar = Kind.SETTING

    scope: Mapped[str]
    key: Mapped[str]
    value: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[UUID | None]
