"""`dui audit`: checking the trail, here or far from here; its heads, its keys, the trail as a file."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from app.audit import export, heads, verify
from app.audit.sealer import NewCluster
from app.config import settings
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import NIL

commands = typer.Typer(no_args_is_help=True, help="La trace : la vérifier, en donner la tête, l'exporter.")
NO_HEADS = (
    "Aucune tête signée n'a été comparée : une chaîne refaite, ou coupée à la fin, ne se verrait pas. Copiez ailleurs "
    "celles de DUI_DATA/heads, puis donnez-les ici (--heads)."
)
BROKEN = (
    "La trace a été changée, ou la base abîmée. Ne réparez rien : gardez une copie de la base telle qu'elle est, "
    "prévenez la direction et le DPO, et comparez avec la dernière sauvegarde."
)
OF_NOBODY = "Hors de toute organisation (connexions refusées, réglages du serveur)"
NOTHING = "Il n'y a encore aucune ligne dans la trace."
Exported = Annotated[Path | None, typer.Option("--export", help="Vérifie une trace exportée, sans base ni serveur.")]
Published = Annotated[
    Path | None, typer.Option("--heads", help="Les têtes signées à retrouver : un fichier, ou leur dossier.")
]
Keys = Annotated[
    Path | None, typer.Option("--keys", help="Les clés publiques (JWKS) ; sinon celles du fichier de clés.")
]


@commands.command("verify")
def audit_verify(exported: Exported = None, published: Published = None, keys: Keys = None) -> None:
    """Recalcule chaque maillon de la chaîne, et y cherche les têtes signées. Sort avec 1 si un maillon ne tient plus."""
    try:
        known = _heads(published, keys)
        verdicts = export.verify(exported, known) if exported else asyncio.run(_verify(known))
    except (heads.HeadsFault, export.ExportFault, KeyFault) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from None
    if not _said(verdicts):
        typer.echo(BROKEN, err=True)
        raise typer.Exit(1)
    if not known:
        typer.echo(NO_HEADS)


@commands.command("head")
def audit_head() -> None:
    """Donne la tête de chaque chaîne, signée : à garder ailleurs que sur ce serveur."""
    try:
        told = asyncio.run(_head(Keyring.load(settings().key_file)))
    except (NewCluster, KeyFault) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(told, indent=1))


@commands.command("keys")
def audit_keys() -> None:
    """Donne les clés publiques qui vérifient les têtes (JWKS)."""
    typer.echo(json.dumps(heads.published(Keyring.load(settings().key_file)), indent=1))


@commands.command("export")
def audit_export(
    file: Annotated[Path, typer.Argument(help="Fichier à créer ; compressé si son nom finit par .gz.")],
) -> None:
    """Écrit toute la trace et sa chaîne dans un fichier, que « dui audit verify --export » relit partout."""
    try:
        count = asyncio.run(_export(file))
    except FileExistsError:
        typer.echo("Ce fichier existe déjà : choisissez un autre nom.", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{count} lignes. Ce fichier dit qui a lu quel dossier : gardez-le comme le dossier lui-même.")


def _heads(published: Path | None, keys: Path | None) -> heads.Heads:
    """Those of DUI_DATA when nothing is said. Raises HeadsFault, KeyFault."""
    where = published or settings().data / heads.FOLDER
    files = sorted(where.glob("*.json")) if where.is_dir() else [where] if published else []
    if not files:
        return {}
    held = heads.keys_of(keys) if keys else heads.own_keys(Keyring.load(settings().key_file))
    return heads.read(files, held)


async def _verify(known: heads.Heads) -> list[verify.Verdict]:
    connection = await asyncpg.connect(settings().owner_database_url or settings().sealer_database_url)
    try:
        return [verdict async for verdict in verify.verify_all(connection, known)]
    finally:
        await connection.close()


async def _head(keyring: Keyring) -> dict[str, object]:
    connection = await asyncpg.connect(settings().sealer_database_url or settings().owner_database_url)
    try:
        return await heads.signed(connection, keyring)
    finally:
        await connection.close()


async def _export(file: Path) -> int:
    connection = await asyncpg.connect(settings().owner_database_url)
    try:
        return await export.write(connection, file)
    finally:
        await connection.close()


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number < 2 else many or f'{one}s'}"


def _said(verdicts: Iterable[verify.Verdict]) -> bool:
    """Whether every chain holds."""
    holds, empty = True, True
    for v in verdicts:
        whole = v.broken is None
        holds = holds and whole
        if not v.links and not v.unsealed and whole:
            continue  # nothing was ever done there
        empty = False
        state = "tient" if whole else f"ROMPUE au maillon {v.broken} : {v.why}"
        typer.echo(
            f"{OF_NOBODY if v.organisation_id == NIL else v.organisation_id} : {state} ({_many(v.links, 'maillon')}, {_many(v.lines, 'ligne')}, "
            f"{_many(v.unsealed, 'pas encore scellée', 'pas encore scellées')}, "
            f"{_many(v.heads, 'tête retrouvée', 'têtes retrouvées')})"
        )
        if v.clock:
            typer.echo(f"  l'horloge du serveur a reculé : voyez les lignes du maillon {v.clock}")
        typer.echo(f"  tête {v.head.hex()}")
    if empty:
        typer.echo(NOTHING)
    return holds
