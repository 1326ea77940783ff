"""What proves, at each start, that the key file is the one of this base."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base


class KeyCheck(Base):
    """One row: a value sealed by the first key, and the fingerprint of the same by the index key."""

    __tablename__ = "key_check"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes]
    blind: Mapped[bytes]
