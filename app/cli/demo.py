"""`dui demo`: the four stories and the three doors, on this machine only."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import uvicorn

from app.cli.serving import APPLICATION, free, serving
from app.config import settings
from app.demo import run as demonstration
from app.demo.places import PARTNERS
from app.kernel import migrations, postgres, roles
from app.kernel.crypto import Keyring
from app.kernel.engine import PostgresFault

commands = typer.Typer()
MAKE_THEIR_OWN = ("demo", "serve", "migrate", "seed", "restore", "keys")  # never on the demo by mistake


@commands.command()
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
    if and_serve:
        free("127.0.0.1", port)
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


def joined(command: str) -> None:
    """The base of a demo that runs here, for a command that was told of none: `dui` works as it is after `make run`."""
    config = settings()
    if command in MAKE_THEIR_OWN or config.database_url or config.owner_database_url:
        return
    try:
        base = json.loads((config.data / "demo.json").read_text())
        urls = roles.Urls(*(base["database"][name] for name in ("owner_url", "app_url", "sealer_url")))
        port = int(urlsplit(base["base_url"]).port)
    except (OSError, ValueError, KeyError, TypeError):
        return
    _stage(port, config.data, urls)
    typer.echo(f"Base de la démonstration ({config.data}) : DUI_DATABASE_URL n'en nomme pas d'autre.", err=True)


class _Announced(uvicorn.Server):
    """Says the three doors once they are open."""

    def __init__(self, told: dict[str, Any], data: Path, port: int) -> None:
        super().__init__(uvicorn.Config(APPLICATION, factory=True, **serving("127.0.0.1", port)))
        self.told, self.folder = told, data

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(demonstration.box(self.told, self.folder))
            sys.stdout.flush()
