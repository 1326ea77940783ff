"""The database in SQLAlchemy's words: the language of every query, the tool of every write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, DateTime, Dialect, LargeBinary, MetaData, Text, event, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType

PATIENCE = 5.0  # seconds to wait for a connection, and as many for Postgres to open one: then 503, nobody hangs
# How a base that is full, stopped or away is heard: it may be there again in a moment. A DBAPIError may be a fault of ours.
PASSING: tuple[type[Exception], ...] = (
    DBAPIError,
    PoolTimeout,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,  # how the driver hears, while it asks, that Postgres stops
)
NIL = UUID(int=0)  # the organisation of a refusal before any organisation is known
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SERVER = {
    "jit": "off",
    "application_name": "dui",
    "plan_cache_mode": "force_generic_plan",  # as in the hot lane: a plan costs more than its use
}
SET_TENANT = text("SELECT set_config('dui.organisation', :organisation, true)")


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        str: Text(),
        bytes: LargeBinary(),
        list[str]: ARRAY(Text()),
    }


class Xid8(UserDefinedType[int]):
    """The transaction that wrote a row; unlike a sequence, it can be compared with what is still running."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "xid8"

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


ischema_names["xid8"] = Xid8  # a migration check reads it back from the catalogue


class Database:
    """The pool of writes and rare paths; the hot lane has its own (`app.kernel.hot`)."""

    def __init__(self, dsn: str, size: int) -> None:
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: asyncpg.connect(  # it reads all of an address: sslmode too
                dsn, timeout=PATIENCE, server_settings=SERVER
            ),
            pool_size=size,
            max_overflow=0,
            pool_timeout=PATIENCE,
            hide_parameters=True,  # an error never tells a value: it may be a NIR
        )
        event.listen(self.engine.sync_engine, "checkout", _check_open)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def session(self, organisation_id: UUID | None) -> AsyncIterator[AsyncSession]:
        """One connection, one transaction told to one tenant. The caller commits; leaving rolls back."""
        async with self.sessions() as session:
            if organisation_id is not None:
                await enter(session, organisation_id)
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


def _check_open(connection: Any, *_: object) -> None:
    """One that Postgres ended while it slept is opened again, not given to a caller."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def enter(session: AsyncSession, organisation_id: UUID) -> None:
    """Bind the transaction (and only it) to one tenant, for row-level security."""
    await session.execute(SET_TENANT, {"organisation": str(organisation_id)})
