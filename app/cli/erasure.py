"""`dui erasure`: whom the house may erase, signed by its direction, told to the DPO, done thirty days later."""

import asyncio
import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.owner import acted
from app.cli.signing import signer
from app.config import settings
from app.features.usagers.models import Usager
from app.kernel import objects
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import Database
from app.vault import erasure
from app.vault.models import Erasure

commands = typer.Typer(no_args_is_help=True, help="L'effacement, quand la durée de conservation est passée.")
Ids = Annotated[list[UUID], typer.Argument(help="Les numéros de la liste.")]


@commands.command("propose")
def propose() -> None:
    """Met sur la liste ceux dont le délai est passé, selon les réglages retention.*. N'efface rien."""
    typer.echo(f"{len(acted(erasure.propose))} personne(s) proposée(s). La liste : dui erasure list.")


@commands.command("list")
def listed() -> None:
    """La liste à signer, celle qui attend, et ce qui est fait."""
    for row, name in acted(_named):
        end = f", à effacer à partir du {row.not_before:%d/%m/%Y}" if row.state == erasure.SIGNED else ""
        typer.echo(f"{row.id} {row.state:<8} {name or 'effacée'} · délai passé le {row.due_on:%d/%m/%Y}{end}")
        for rule in json.loads(row.rules):
            typer.echo(f"    {rule['model']}, {rule['category']} : {rule['months']} mois ({rule['source']})")


@commands.command("sign")
def sign(
    ids: Ids,
    by: Annotated[
        str, typer.Option(help="L'identifiant de la direction ; son mot de passe, et son code, sont lus à l'entrée.")
    ],
    copy: Annotated[str, typer.Option(help="La copie, proposée d'abord : given, refused ou unreachable.")],
) -> None:
    """Signe la liste : le DPO est prévenu par la trace, et l'effacement attend trente jours."""
    account = signer(by)
    day = acted(lambda session: erasure.sign(session, ids, account, copy))
    typer.echo(f"{len(ids)} signée(s). Rien n'est effacé avant le {day:%d/%m/%Y} ; d'ici là : dui erasure stop.")


@commands.command("stop")
def stop(ids: Ids, why: Annotated[str, typer.Option(help="Pourquoi, en clair, sans nommer personne.")]) -> None:
    """Retire de la liste : la direction ou le DPO s'y oppose."""
    acted(lambda session: erasure.stop(session, ids, why))
    typer.echo(f"{len(ids)} retirée(s) de la liste.")


@commands.command("run")
def run(
    certificates: Annotated[Path, typer.Option(help="Le dossier où poser les certificats, gardés hors de la base.")],
) -> None:
    """Efface ceux dont la liste est signée depuis trente jours. Peut être coupé et relancé."""
    done = asyncio.run(_run())
    certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
    for id, certificate in acted(_certificates):
        (certificates / f"{id}.json").write_text(certificate)
    typer.echo(f"{len(done.erased)} effacée(s), {len(done.stopped)} arrêtée(s). Certificats : {certificates}")


@commands.command("again")
def again(certificates: Annotated[list[Path], typer.Argument(help="Les certificats.")]) -> None:
    """Après une restauration : efface de nouveau ceux que la sauvegarde a fait revenir."""
    config = settings()
    for path in certificates:
        try:
            gone = asyncio.run(_again(config.owner_database_url, path.read_text(), Keyring.load(config.key_file)))
        except (KeyFault, OSError, ValueError, KeyError) as exc:
            typer.echo(f"{path.name} : {exc if isinstance(exc, KeyFault) else 'certificat illisible'}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{path.name} : {sum(gone.values())} ligne(s) effacée(s).")


async def _run() -> erasure.Done:
    config = settings()
    owner = Database(config.owner_database_url, 1)
    try:
        return await erasure.run(owner, Keyring.load(config.key_file), objects.opened(config.documents))
    finally:
        await owner.close()


async def _again(owner_url: str, certificate: str, keyring: Keyring) -> dict[str, int]:
    owner = Database(owner_url, 1)
    try:
        return await erasure.again(owner, certificate, keyring, objects.opened(settings().documents))
    finally:
        await owner.close()


async def _named(session: AsyncSession) -> list[tuple[Erasure, str]]:
    usager = (Usager.organisation_id == Erasure.organisation_id) & (Usager.id == Erasure.usager_id)
    query = select(Erasure, Usager.birth_given_names, Usager.birth_family_name).outerjoin(Usager, usager)
    rows = await session.execute(query.order_by(Erasure.id))
    return [(row, f"{given} {family}" if family else "") for row, given, family in rows]


async def _certificates(session: AsyncSession) -> list[tuple[UUID, str]]:
    query = select(Erasure.id, Erasure.certificate).where(Erasure.certificate.is_not(None))
    return [(id, str(certificate)) for id, certificate in await session.execute(query)]
