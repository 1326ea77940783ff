"""`dui doctor`: what whoever runs the server would want to know before anyone calls, each with what to do about it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import asyncpg
import typer

from app import start
from app.audit import sealer, upkeep
from app.audit.watch import LATE
from app.config import Settings, settings
from app.kernel import objects, revisions
from app.kernel.clock import PARIS, now, today
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import NIL
from app.vault import check, files, proof

commands = typer.Typer()
FRESH = timedelta(hours=36)  # one night may be missed, not two
LOCAL = ("127.0.0.1", "localhost")
MONTHS = "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relname = $1"
NO_REPORT = "aucune sauvegarde essayée ici : « dui backup », puis « dui restore --check »."


class Amiss(Exception):
    """What is not as it should be, and what to do; never a received value."""


Look = Callable[[Settings, Path | None], Coroutine[Any, Any, str]]


@commands.command()
def doctor(
    backups: Annotated[Path | None, typer.Option(help="Le dossier des sauvegardes, pour juger de la dernière.")] = None,
) -> None:
    """Regarde tout ce qui doit tenir, et dit quoi faire de ce qui ne tient pas. Sort avec 1 s'il reste à faire."""
    amiss = [name for name, look in LOOKS.items() if not _told(name, look, backups)]
    if amiss:
        raise typer.Exit(1)


def _told(name: str, look: Look, backups: Path | None) -> bool:
    try:
        said, holds = asyncio.run(look(settings(), backups)), True
    except Amiss as exc:
        said, holds = str(exc), False
    except (start.UnsafeStart, *start.FORESEEN) as exc:
        said, holds = start.why(exc, ADDRESSES.get(name, "DUI_DATABASE_URL")), False
    typer.echo(f"{'✓' if holds else '✗'} {name:<11} {said}")
    return holds


async def _keys(config: Settings, _: Path | None) -> str:
    keyring = Keyring.load(config.key_file)
    if keyring.demo and not config.demo:
        raise Amiss(start.DEMO_KEYS)
    await proof.opens(config.database_url, keyring)
    return "lisibles par vous seul, et elles ouvrent la base. Sont-elles aussi gardées ailleurs ?"


async def _application(config: Settings, _: Path | None) -> str:
    await start.check_role(config.database_url)
    return "son rôle ne peut pas contourner la sécurité par ligne."


async def _schema(config: Settings, _: Path | None) -> str:
    application = await asyncpg.connect(config.database_url)
    try:
        found = await application.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await application.close()
    if found != revisions.head():
        raise Amiss("la base n'est pas au schéma de cette version : « dui migrate ».")
    return "celui de cette version."


async def _months(config: Settings, _: Path | None) -> str:
    """Rows of a month that nobody made go to the default partition, which only grows."""
    next_one = upkeep.months(today(), 1)[1][0]
    owner = await asyncpg.connect(config.owner_database_url)
    try:
        made = [await owner.fetchval(MONTHS, f"{table}_{next_one:%Y_%m}") for table in upkeep.PARTITIONED]
    finally:
        await owner.close()
    if not all(made):
        raise Amiss("le mois prochain n'est pas préparé : « dui migrate » le fait, douze mois d'avance.")
    return "ceux qui viennent sont préparés."


async def _seal(config: Settings, _: Path | None) -> str:
    if not config.sealer_database_url:
        raise Amiss("personne ne scelle ici (DUI_SEALER_DATABASE_URL) : un autre processus le fait-il ?")
    connection = await asyncpg.connect(config.sealer_database_url)
    try:
        epoch = (await sealer.here(connection))[1]
        waiting = await connection.fetch(sealer.WAITING, epoch, NIL)
    except sealer.NewCluster as exc:
        raise Amiss(str(exc)) from None
    finally:
        await connection.close()
    late = max((row["age"] for row in waiting), default=0.0)
    if late > LATE:
        raise Amiss(f"une ligne de la trace attend son sceau depuis {late / 60:.0f} min : le serveur tourne-t-il ?")
    return "la trace est scellée à mesure."


async def _answers(config: Settings, _: Path | None) -> str:
    if config.demo:
        return "démonstration : les six questions ne sont pas posées."
    await start.check_answers(config.database_url)
    return "les six questions ont leur réponse."


async def _origin(config: Settings, _: Path | None) -> str:
    plain = [o for o in config.origins if urlsplit(o).scheme != "https" and urlsplit(o).hostname not in LOCAL]
    if not config.origins or plain:
        raise Amiss("DUI_PUBLIC_ORIGINS doit dire des adresses https, celles que les personnes tapent.")
    if any(urlsplit(o).hostname in LOCAL for o in config.origins):
        return "cette machine seulement (DUI_PUBLIC_ORIGINS) : pas encore de nom public."
    return "https."


async def _files(config: Settings, _: Path | None) -> str:
    """Documents kept out of the base: what a row names is there, and nothing else of ours is."""
    try:
        found = await files.look(config.owner_database_url, kept := objects.opened(config.documents))
    except objects.Misplaced as no:
        raise Amiss(str(no)) from None
    except objects.Unreached:
        raise Amiss("DUI_DOCUMENTS ne répond pas, ou se refuse : vérifiez son adresse, et AWS_* pour s3.") from None
    if kept is None:
        if found.named:
            raise Amiss(f"{found.named} document(s) hors de la base : DUI_DOCUMENTS doit dire où.")
        return "dans la base."
    if found.lost:
        raise Amiss(f"{len(found.lost)} document(s) n'ont plus leur fichier : reprenez-les d'une sauvegarde.")
    if found.unnamed:
        raise Amiss(f"{len(found.unnamed)} fichier(s) que rien ne nomme : « dui documents sweep » les enlève.")
    return f"{found.named}, hors de la base, tous là."


async def _backup(config: Settings, backups: Path | None) -> str:
    if backups is None:
        raise Amiss("dites leur dossier avec --backups pour juger de la dernière.")
    if not backups.is_dir():
        raise Amiss("ce dossier de sauvegardes n'existe pas, ou ne se lit pas.")
    reports = sorted(backups.glob("*.report.json"), key=lambda path: path.stat().st_mtime)
    if not reports:
        raise Amiss(NO_REPORT)
    try:
        told = check.read_signed(reports[-1].read_text(), Keyring.load(config.key_file))
    except (ValueError, KeyError, KeyFault):
        raise Amiss("le dernier rapport n'est pas signé par ce serveur : refaites « dui restore --check ».") from None
    saved = datetime.fromisoformat(told["saved_at"])
    if told["wrong"]:
        raise Amiss("la dernière sauvegarde essayée ne se restaure pas : son rapport dit quoi. Refaites-en une.")
    if now() - saved > FRESH:
        raise Amiss(f"la dernière qui se restaure date du {saved.astimezone(PARIS):%d/%m/%Y} : voyez celles d'après.")
    if not (backups / told["file"]).is_file():
        raise Amiss(
            "la dernière sauvegarde essayée n'est plus dans ce dossier : son rapport seul y est. Refaites-en une."
        )
    return f"celle du {saved.astimezone(PARIS):%d/%m/%Y à %H:%M} se restaure."


LOOKS: dict[str, Look] = {
    "Clés": _keys,
    "Application": _application,
    "Schéma": _schema,
    "Mois": _months,
    "Sceau": _seal,
    "Questions": _answers,
    "Adresse": _origin,
    "Fichiers": _files,
    "Sauvegarde": _backup,
}
ADDRESSES = {
    "Mois": "DUI_OWNER_DATABASE_URL",
    "Fichiers": "DUI_OWNER_DATABASE_URL",
    "Sceau": "DUI_SEALER_DATABASE_URL",
}  # the others: the application's
