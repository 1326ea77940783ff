"""`dui backup`, `dui restore`: one encrypted file, and the proof that it gives the base back."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from app.config import settings
from app.kernel import objects
from app.kernel.clock import PARIS
from app.kernel.crypto import Keyring
from app.kernel.roles import write_secret
from app.vault import backup as backups
from app.vault import check as checks
from app.vault import restore as restores

commands = typer.Typer()
File = Annotated[Path, typer.Argument(help="Le fichier de la sauvegarde.")]
Phrase = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Un fichier qui contient la phrase secrète ; sinon, le fichier de clés."),
]


@commands.command()
def backup(file: File, passphrase_file: Phrase = None) -> None:
    """Sauvegarde tout dans un fichier chiffré, sans arrêter le serveur."""
    config = settings()
    keyring = Keyring.load(config.key_file)
    phrase, folder = _phrase(passphrase_file), objects.folder(config.documents)
    saved = asyncio.run(
        backups.save(config.owner_database_url, file, keyring, config.data, files=folder, passphrase=phrase)
    )
    typer.echo(
        f"{file} : {len(saved.tables)} tables, {saved.rows} lignes, {len(saved.files)} documents, version {saved.revision}."
    )
    if config.documents != objects.IN_BASE and folder is None:
        typer.echo(
            "ATTENTION : les documents de ce compartiment n'y sont pas. Sauvegardez-le à part, après cette sauvegarde "
            "(chiffrés, ils le sont déjà).",
            err=True,
        )
    typer.echo("Gardez-en une copie ailleurs, et le fichier de clés à part. Puis : dui restore --check.")


@commands.command()
def restore(
    file: File,
    check: Annotated[
        bool, typer.Option("--check", help="Essaie dans un serveur jetable, sans toucher à la base.")
    ] = False,
    scratch: Annotated[Path | None, typer.Option(help="Où l'essayer (il faut la place de la base).")] = None,
    report: Annotated[Path | None, typer.Option(help="Où écrire le rapport ; sinon à côté du fichier.")] = None,
    passphrase_file: Phrase = None,
) -> None:
    """Restaure une sauvegarde dans une base vide, ou (--check) prouve qu'elle se restaure."""
    config = settings()
    keyring, phrase = Keyring.load(config.key_file), _phrase(passphrase_file)
    if not check:
        folder = objects.folder(config.documents)
        done = restores.restore(config.owner_database_url, file, keyring, config.data, files=folder, passphrase=phrase)
        typer.echo(
            f"{done.saved.rows} lignes et {len(done.saved.files)} documents rendus, tels que {_moment(done.saved.at)}."
        )
        if done.saved.files and folder is None:
            place = (config.data / backups.DOCUMENTS).resolve()
            typer.echo(f"Les documents sont dans un dossier : DUI_DOCUMENTS=file://{quote(str(place))}")
        typer.echo(f"Époque {done.epoch} de la trace. Les sessions sont fermées : chacun se reconnecte.")
        typer.echo("Ce qui a été fait depuis est à refaire : accords retirés, et effacements (dui erasure again).")
        return
    told = checks.check(file, keyring, scratch=scratch, passphrase=phrase)
    place = report or file.with_name(f"{file.name}.report.json")
    write_secret(place, checks.signed(told, keyring))
    _say(told, place)


def _say(told: checks.Report, place: Path) -> None:
    typer.echo(
        f"{told.file}, faite {_moment(told.saved_at)} (version {told.revision}), essayée {_moment(told.checked_at)} :"
    )
    typer.echo(f"  {told.tables} tables, {told.rows} lignes, {told.files} documents")
    typer.echo(f"  {told.chains} chaînes, {told.links} maillons recalculés")
    typer.echo(f"  {told.callers} lecteurs, {told.questions} questions d'accès comparées")
    for wrong in told.wrong:
        typer.echo(f"  FAUX : {wrong}", err=True)
    typer.echo("Cette sauvegarde se restaure." if told.holds else "NE VOUS FIEZ PAS à cette sauvegarde.")
    typer.echo(f"Rapport signé : {place}")
    if not told.holds:
        raise typer.Exit(1)


def _phrase(file: Path | None) -> str | None:
    return file.read_text().strip() if file else None


def _moment(at: str) -> str:
    return f"le {datetime.fromisoformat(at).astimezone(PARIS):%d/%m/%Y à %H:%M}"
