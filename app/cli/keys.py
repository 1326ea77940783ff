"""`dui keys`: the keys that seal what is at rest, changed while the server runs."""

import asyncio
from typing import Annotated

import typer

from app.config import settings
from app.kernel.crypto import Keyring
from app.vault import rotation

commands = typer.Typer(no_args_is_help=True, help="Les clés qui ferment ce qui est gardé.")


@commands.command("create")
def create() -> None:
    """Crée le fichier de clés, le premier jour. Un fichier déjà là n'est jamais remplacé : il serait perdu."""
    place = settings().key_file
    if place.exists():
        typer.echo(f"{place} existe déjà : rien n'est changé.")
        return
    Keyring.create(place)
    typer.echo(f"Clés créées dans {place} : sauvegardez-les ailleurs que la base, sans elles rien ne se relit.")


@commands.command("rotate")
def rotate() -> None:
    """Met une nouvelle clé en tête du fichier, et referme tout avec elle. Le serveur continue ; à relancer si coupé."""
    config = settings()
    done = asyncio.run(rotation.rotate(config.owner_database_url, config.key_file, tell=typer.echo))
    typer.echo(f"{done.values} valeurs et {done.versions} versions refermées. La base n'a plus besoin des autres clés.")
    typer.echo("Sauvegardez le fichier de clés, puis : dui keys retire.")


@commands.command("sign")
def sign(
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Une clé a fui : ses jetons ne valent plus rien, tout de suite.")
    ] = False,
) -> None:
    """Signe désormais les jetons avec une nouvelle clé ; l'ancienne vaut jusqu'à la fin des siens. Sans redémarrer."""
    kid = rotation.resign(settings().key_file, leaked=leaked)
    typer.echo(f"Les jetons sont signés avec la clé {kid}. Sauvegardez le fichier de clés.")


@commands.command("retire")
def retire() -> None:
    """Retire du fichier les clés dont la base n'a plus besoin ; chacune est mise de côté pour les anciennes sauvegardes."""
    config = settings()
    aside = asyncio.run(rotation.retire(config.owner_database_url, config.key_file))
    for path in aside:
        typer.echo(f"{path} : à garder avec les sauvegardes faites jusqu'ici, à détruire avec elles.")
    if not aside:
        typer.echo("Il n'y a qu'une clé : rien à retirer.")
