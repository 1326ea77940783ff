"""What each command that writes needs: one transaction of the owner, its refusals told in words, its line in the trail."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.opening import trace_system
from app.config import settings
from app.kernel.db import Database
from app.kernel.errors import DuiError

T = TypeVar("T")


def acted(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What `work` gives, committed; a refusal undoes it, is told on stderr, and the command fails."""
    try:
        return asyncio.run(_acted(work))
    except DuiError as no:
        typer.echo("\n".join([no.message, *(f.message for f in no.faults if f.message != no.message)]), err=True)
        raise typer.Exit(1) from None


async def _acted(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    owner = Database(settings().owner_database_url, 1)
    try:
        async with owner.session(None) as session:
            done = await work(session)
            await session.commit()
            return done
    finally:
        await owner.close()


async def told(
    session: AsyncSession, organisations: Collection[UUID], action: str, kind: str, ids: Collection[UUID]
) -> None:
    """A line of the server's own hand in each organisation that this concerns."""
    for organisation in organisations:
        await trace_system(session, organisation, action, kind, ids, None)
