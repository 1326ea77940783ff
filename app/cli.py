"""`dui …`: what the person who runs the server types. Words of the screen are French."""

import asyncio
from typing import Annotated

import asyncpg
import typer
import uvicorn

from app.audit import upkeep, verify
from app.config import settings
from app.kernel import migrations

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Le serveur du dossier usager informatisé.")
audit = typer.Typer(no_args_is_help=True, help="La trace : la vérifier, en donner la tête.")
main.add_typer(audit, name="audit")
GRACE = 20  # seconds left to requests in flight when told to stop


@main.command()
def migrate() -> None:
    """Met la base au schéma de cette version ; prépare les mois à venir de la trace."""
    url = settings().owner_database_url
    try:
        migrations.upgrade(url)
    except migrations.MigrationBlocked as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(1) from None
    asyncio.run(_keep_up(url))
    typer.echo(f"Base à jour (version {migrations.current(url)}).")


async def _keep_up(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await upkeep.keep_up(connection)
    finally:
        await connection.close()


@main.command()
def serve(
    host: Annotated[str, typer.Option(help="Adresse d'écoute.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port d'écoute.")] = 8000,
    workers: Annotated[int, typer.Option(help="Nombre de processus.")] = 1,
) -> None:
    """Sert l'API, FHIR et la page de la personne."""
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )


@audit.command("verify")
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


if __name__ == "__main__":
    main()
