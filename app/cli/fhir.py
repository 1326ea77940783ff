"""`dui fhir`: the official FHIR packages this server checks with, and whose questionnaires it knows."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.owner import acted
from app.fhir.packages import reading, store
from app.kernel.errors import DuiError

commands = typer.Typer(no_args_is_help=True, help="Les paquets FHIR : profils, codes, grilles.")


@commands.command("install")
def install(
    package: Annotated[Path, typer.Argument(help="Le fichier .tgz.")],
) -> None:
    """Installe un paquet FHIR officiel, lu d'un fichier. Ses grilles servent aussitôt."""
    try:
        read = reading.read(package)
    except DuiError as no:
        typer.echo(no.message, err=True)
        raise typer.Exit(1) from None

    async def work(session: AsyncSession) -> bool:
        return await store.install(session, read)

    new = acted(work)
    named = f"{read.name} {read.version}"
    forms = sum(each.type_name == "Questionnaire" for each in read.definitions)
    told = f"{len(read.definitions)} définition(s), dont {forms} grille(s)."
    typer.echo(f"{named} est installé : {told}" if new else f"{named} était déjà installé : rien n'a changé.")


@commands.command("list")
def listed() -> None:
    """Dit ce qui est installé."""
    found = acted(store.listed)
    for each in found:
        title = f" · {each.title}" if each.title else ""
        counted = f"{each.definitions} définition(s), {each.questionnaires} grille(s)"
        typer.echo(f"{each.name} {each.version} · {counted}{title}")
    if not found:
        typer.echo("Aucun paquet installé : dui fhir install PAQUET.tgz")


@commands.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Son nom, tel que « dui fhir list » le dit.")],
    version: Annotated[str, typer.Argument(help="Sa version.")],
) -> None:
    """Retire un paquet. Les évaluations déjà faites gardent leurs questions et leurs réponses."""

    async def work(session: AsyncSession) -> None:
        await store.remove(session, name, version)

    acted(work)
    typer.echo("Le paquet est retiré.")
