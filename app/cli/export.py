"""`dui export`: what leaves for the person."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.owner import acted
from app.cli.signing import signer
from app.config import settings
from app.kernel import objects
from app.kernel.crypto import Keyring
from app.vault.copy.gather import Copy, prepare
from app.vault.copy.page import page

commands = typer.Typer(no_args_is_help=True, help="Ce qui est remis à la personne.")


@commands.callback()
def export() -> None:
    """Ce qui est remis à la personne."""


@commands.command("person")
def person(
    usager: Annotated[UUID, typer.Argument(help="Le numéro interne de la personne.")],
    to: Annotated[Path, typer.Option(help="Le dossier où poser la copie ; il ne doit pas exister.")],
    by: Annotated[str, typer.Option(help="L'identifiant de la direction ; son mot de passe est lu à l'entrée.")],
    care_by: Annotated[
        str | None, typer.Option(help="Celui d'un professionnel de santé, pour la partie soins ; lu ensuite.")
    ] = None,
) -> None:
    """Prépare la copie complète d'un dossier : une page à lire, un fichier pour un autre logiciel."""
    if to.exists():
        typer.echo(f"{to} existe déjà : donnez un autre nom.", err=True)
        raise typer.Exit(1)
    account, care_account = signer(by), signer(care_by) if care_by else None
    keyring = Keyring.load(settings().key_file)

    async def prepared(session: AsyncSession) -> Copy:
        return await prepare(session, keyring, usager, account, care_account, objects.opened(settings().documents))

    copy = acted(prepared)
    to.mkdir(mode=0o700, parents=True)
    for name, told in (("dossier.html", page(copy).encode()), ("dossier.json", copy.json())):
        (to / name).touch(mode=0o600)
        (to / name).write_bytes(told)
    rows = sum(len(section) for section in copy.sections.values())
    typer.echo(f"{rows} éléments dans {to}. Remettez-les en main propre, puis effacez ce dossier de cette machine.")
