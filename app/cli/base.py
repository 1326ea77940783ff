"""`dui migrate`, `dui seed`: the base itself, and a population to fill it."""

import asyncio
from typing import Annotated

import asyncpg
import typer

from app.audit import upkeep
from app.config import settings
from app.demo import seed as seeding
from app.kernel import migrations
from app.kernel.crypto import Keyring

commands = typer.Typer()


@commands.command()
def migrate() -> None:
    """Met la base au schéma de cette version ; prépare les mois à venir de la trace."""
    url = settings().owner_database_url
    migrations.upgrade(url)
    asyncio.run(_keep_up(url))
    typer.echo(f"Base à jour (version {migrations.current(url)}).")


async def _keep_up(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await upkeep.keep_up(connection)
    finally:
        await connection.close()


@commands.command()
def seed(
    usagers: Annotated[int, typer.Option(help="Combien de personnes.")] = 500,
    number: Annotated[int, typer.Option("--seed", help="La graine : la même donne les mêmes personnes.")] = 1,
) -> None:
    """Une population plausible et inventée, dans une organisation à elle (mesures et essais)."""
    try:
        made = asyncio.run(_seed(settings().owner_database_url, usagers, number))
    except asyncpg.UniqueViolationError:
        typer.echo("Cette graine a déjà donné ses personnes dans cette base. Prenez-en une autre : --seed.", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{len(made.usagers)} personnes, {len(made.transmissions)} transmissions, {len(made.structures)} maisons."
    )


async def _seed(owner_url: str, usagers: int, number: int) -> seeding.Seeded:
    connection = await asyncpg.connect(owner_url)
    try:
        return await seeding.seed(connection, Keyring.load(settings().key_file), usagers, number)
    finally:
        await connection.close()
