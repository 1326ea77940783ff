"""`dui …`: what the person who runs the server types. Words of the screen are French."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
import uvicorn

from app.api.resources import REGISTRY
from app.audit import upkeep, verify
from app.config import settings
from app.demo import run as demonstration
from app.demo import seed as seeding
from app.demo.places import PARTNERS
from app.exchange import remap
from app.features.settings.shipped import QUESTIONS
from app.kernel import migrations, postgres, roles
from app.kernel.crypto import Keyring
from app.kernel.db import NIL, Database
from app.kernel.engine import PostgresFault
from app.kernel.ids import uuid7

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Le serveur du dossier usager informatisé.")
audit = typer.Typer(no_args_is_help=True, help="La trace : la vérifier, en donner la tête.")
main.add_typer(audit, name="audit")
house = typer.Typer(no_args_is_help=True, help="Les réglages du serveur.")
main.add_typer(house, name="settings")
exchange = typer.Typer(no_args_is_help=True, help="Ce qui est reçu et envoyé.")
main.add_typer(exchange, name="exchange")
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
    uvicorn.run("app.main:create_app", factory=True, workers=workers, **_serving(host, port))


def _serving(host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "loop": "uvloop",
        "http": "httptools",
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": GRACE,
        "server_header": False,
    }


@main.command()
def demo(
    port: Annotated[int, typer.Option(help="Port d'écoute, sur cette machine seulement.")] = 8000,
    data: Annotated[Path, typer.Option(help="Dossier de la démonstration.")] = Path(".dui"),
    database_url: Annotated[
        str, typer.Option(envvar="DATABASE_URL", help="Une base à vous (rôle propriétaire) ; sinon, l'embarquée.")
    ] = "",
    reset: Annotated[
        bool, typer.Option("--reset", help="Recommence la démonstration : ses données sont effacées.")
    ] = False,
    and_serve: Annotated[bool, typer.Option("--serve", help="Puis sert, jusqu'à Ctrl+C.")] = False,
) -> None:
    """Quatre histoires inventées, et les trois portes pour les lire."""
    if reset:
        _forget(data, database_url)
    server = None
    try:
        if database_url:
            urls = asyncio.run(roles.prepare(database_url, data))
        else:
            server = postgres.start(data)
            urls = roles.Urls(server.owner_url, server.app_url, server.sealer_url)
        _stage(port, data, urls)
        migrations.upgrade(urls.owner_url)
        told = demonstration.prepared(settings(), f"http://127.0.0.1:{port}").told
        if and_serve:
            signal.signal(
                signal.SIGTERM, lambda number, _: sys.exit(128 + number)
            )  # uvicorn raises it again: leave tidily
            _Announced(told, data, port).run()
        else:
            typer.echo(demonstration.box(told, data))
    except (PostgresFault, migrations.MigrationBlocked) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(1) from None
    finally:
        if server:
            server.leave()


@main.command()
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


def _forget(data: Path, database_url: str) -> None:
    if database_url:
        typer.echo(
            "Avec DATABASE_URL, videz la base vous-même : ce serveur n'efface pas une base qui est à vous.", err=True
        )
        raise typer.Exit(1)
    postgres.remove(data)
    for name in ("demo.json", "keys.json", *(f"{partner}.pem" for partner in PARTNERS)):
        (data / name).unlink(missing_ok=True)  # what the demo wrote and no more: the folder may hold other things


def _stage(port: int, data: Path, urls: roles.Urls) -> None:
    """The demo's environment, for this process and for the application it serves."""
    keys = data / "keys.json"
    if not keys.exists():
        Keyring.create(keys, demo=True)
    os.environ |= {
        "DUI_DATABASE_URL": urls.app_url,
        "DUI_OWNER_DATABASE_URL": urls.owner_url,
        "DUI_SEALER_DATABASE_URL": urls.sealer_url,
        "DUI_KEY_FILE": str(keys),
        "DUI_DATA": str(data),
        "DUI_DEMO": "1",
        "DUI_PUBLIC_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
    }
    settings.cache_clear()


class _Announced(uvicorn.Server):
    """Says the three doors once they are open."""

    def __init__(self, told: dict[str, Any], data: Path, port: int) -> None:
        super().__init__(uvicorn.Config("app.main:create_app", factory=True, **_serving("127.0.0.1", port)))
        self.told, self.folder = told, data

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(demonstration.box(self.told, self.folder))
            sys.stdout.flush()


@house.command("answer")
def settings_answer(
    question: Annotated[str, typer.Argument(help="L'une des six : hosting, tls, backup, aipd, register, accounts.")],
    answer: Annotated[str, typer.Argument(help="La réponse, en clair.")],
) -> None:
    """Répond à l'une des six questions posées avant d'y mettre une vraie personne."""
    key = f"deployment.{question}"
    if key not in QUESTIONS or not answer.strip():
        typer.echo("Question inconnue, ou réponse vide. Les six : " + ", ".join(k[11:] for k in QUESTIONS), err=True)
        raise typer.Exit(2)
    asyncio.run(_answer(settings().owner_database_url, key, answer.strip()))
    typer.echo(f"Noté : {QUESTIONS[key]}")


ANSWER = """INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)
    VALUES ($1, $2, 'server', $3, $4, now(), 1, now(), now())
    ON CONFLICT (organisation_id, scope, key) WHERE deleted_at IS NULL DO UPDATE SET value = excluded.value, since = now(), updated_at = now(),
        version = setting.version + 1"""


async def _answer(owner_url: str, key: str, answer: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(ANSWER, NIL, uuid7(), key, answer)
    finally:
        await connection.close()


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


@exchange.command("remap")
def exchange_remap() -> None:
    """Range dans leur table les ressources gardées telles quelles que cette version sait lire."""
    moved, stayed = asyncio.run(_remap())
    typer.echo(f"{moved} ressource(s) rangée(s), {stayed} gardée(s) telles quelles.")


async def _remap() -> tuple[int, int]:
    config = settings()
    owner = Database(config.owner_database_url, 1)
    try:
        return await remap.remap(owner, Keyring.load(config.key_file), REGISTRY)
    finally:
        await owner.close()


if __name__ == "__main__":
    main()
