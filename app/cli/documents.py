"""`dui documents`: the files that lie beside the base."""

import asyncio

import typer

from app.config import settings
from app.kernel import objects
from app.vault import files

commands = typer.Typer(no_args_is_help=True, help="Les fichiers des documents, quand ils sont hors de la base.")
UNREACHED = "Le dossier ou le compartiment de DUI_DOCUMENTS ne répond pas, ou se refuse : vérifiez son adresse, et AWS_* pour s3."


@commands.callback()
def _() -> None:
    """So that a lone command keeps its name."""


@commands.command()
def sweep() -> None:
    """Enlève les fichiers que rien ne nomme depuis plus d'un jour : envoi coupé, personne effacée. Se relance sans risque."""
    config = settings()
    try:
        kept = objects.opened(config.documents)
        if kept is None:
            typer.echo("Les documents sont dans la base : rien à enlever.")
            return
        gone = asyncio.run(files.sweep(config.owner_database_url, kept))
    except objects.Misplaced as no:
        typer.echo(str(no), err=True)
        raise typer.Exit(1) from None
    except objects.Unreached:
        typer.echo(UNREACHED, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(gone)} fichier(s) que rien ne nommait : enlevé(s).")
