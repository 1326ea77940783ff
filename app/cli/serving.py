"""`dui serve`, and how the application is served wherever it is."""

from typing import Annotated, Any

import typer
import uvicorn

from app.start import taken

commands = typer.Typer()
APPLICATION = "app.main:served"
GRACE = 20  # seconds left to requests in flight when told to stop


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="Adresse d'écoute.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port d'écoute.")] = 8000,
    workers: Annotated[int, typer.Option(help="Nombre de processus.")] = 1,
) -> None:
    """Sert l'API, FHIR et la page de la personne."""
    free(host, port)
    uvicorn.run(APPLICATION, factory=True, workers=workers, **serving(host, port))


def free(host: str, port: int) -> None:
    """Raises Exit, once it is said, when nothing can listen there: asked before anything is prepared."""
    if said := taken(host, port):
        typer.echo(f"{said} (--port ; avec make, PORT=…)", err=True)
        raise typer.Exit(1)


def serving(host: str, port: int) -> dict[str, Any]:
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
