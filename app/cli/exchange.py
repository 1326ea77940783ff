"""`dui exchange`: what was received and sent."""

import asyncio

import typer

from app.api.resources import REGISTRY
from app.cli import sending
from app.config import settings
from app.exchange import remap, reread
from app.kernel.crypto import Keyring
from app.kernel.db import Database

commands = typer.Typer(no_args_is_help=True, help="Ce qui est reçu et envoyé.")
commands.command("send")(sending.send)


@commands.command("remap")
def exchange_remap() -> None:
    """Range dans leur table les ressources gardées telles quelles que cette version sait lire."""
    moved, stayed, parties, dates = asyncio.run(_remap())
    typer.echo(f"{moved} ressource(s) rangée(s), {stayed} gardée(s) telles quelles.")
    typer.echo(f"{parties} intervenant(s) et {dates} date(s) dites en partie relus, pour être cherchés.")


async def _remap() -> tuple[int, int, int, int]:
    config = settings()
    owner = Database(config.owner_database_url, 1)
    try:
        keyring = Keyring.load(config.key_file)
        moved = await remap.remap(owner, keyring, REGISTRY)
        return *moved, await reread.parties(owner, keyring), await reread.dates(owner, keyring, REGISTRY)
    finally:
        await owner.close()
