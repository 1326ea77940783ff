"""`dui audit`: checking the trail."""

import asyncio

import asyncpg
import typer

from app.audit import verify
from app.config import settings

commands = typer.Typer(no_args_is_help=True, help="La trace : la vérifier, en donner la tête.")


@commands.command("verify")
def audit_verify() -> None:
    """Recalcule chaque maillon de la chaîne. Sort avec 1 si un maillon ne tient plus."""
    if not asyncio.run(_verify(settings().owner_database_url or settings().sealer_database_url)):
        raise typer.Exit(1)


async def _verify(url: str) -> bool:
    connection = await asyncpg.connect(url)
    holds = True
    try:
        async for v in verify.verify_all(connection):
            whole = v.broken is None
            holds = holds and whole
            state = "tient" if whole else f"ROMPUE au maillon {v.broken} : {v.why}"
            typer.echo(
                f"{v.organisation_id} : {state} ({v.links} maillons, {v.lines} lignes, {v.unsealed} pas encore scellées)"
            )
            typer.echo(f"  tête {v.head.hex()}")
    finally:
        await connection.close()
    return holds
