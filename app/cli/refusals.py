"""What every command says when it can't be done: our words, never those of a library, which may quote a value."""

import os
import select
import sys
from typing import Any

import typer
from typer._click import exceptions as mistyped
from typer.core import TyperGroup

from app import start
from app.audit.export import ExportFault
from app.audit.heads import HeadsFault
from app.audit.sealer import NewCluster
from app.kernel.engine import PostgresFault
from app.kernel.migrations import MigrationBlocked
from app.vault.sealed import BackupFault

OURS = (MigrationBlocked, PostgresFault, BackupFault, HeadsFault, ExportFault, NewCluster)
ADDRESSES = "DUI_OWNER_DATABASE_URL, DUI_DATABASE_URL ou DUI_SEALER_DATABASE_URL (« dui doctor » dit laquelle)"
PIPE_CLOSED = 141  # 128 and SIGPIPE: what a shell says of a command whose reader left
ONE_OF = " is not one of "
NAMELESS = {
    "No such command": "Cette commande n'existe pas.",
    "Missing command": "Il manque le nom de la commande.",
    "Got unexpected extra argument": "Il y a un mot de trop.",
}


class Said(TyperGroup):
    """The commands, whose foreseen failures are one sentence and the status 1; any other is a bug, and shows itself."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except mistyped.NoArgsIsHelpError:
            raise
        except mistyped.UsageError as exc:
            at = exc.ctx or ctx
            typer.echo(f"{_mistyped(exc)} Voyez « {at.command_path} --help ».", err=True)
            raise typer.Exit(exc.exit_code) from None
        except (*OURS, *start.FORESEEN) as exc:
            if isinstance(exc, BrokenPipeError) and unheard():
                raise typer.Exit(PIPE_CLOSED) from None
            typer.echo(str(exc) if isinstance(exc, OURS) else start.why(exc, ADDRESSES), err=True)
            raise typer.Exit(1) from None


def said(words: str) -> None:
    """Told on the screen by what must be done whether or not someone still reads it."""
    try:
        typer.echo(words)
    except BrokenPipeError:
        if not unheard():
            raise


def unheard() -> bool:
    """Whether the reader of the standard output has left, as `head` does; what else would be told goes nowhere."""
    try:
        out = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    watched = select.poll()
    watched.register(out, 0)
    gone = any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out)
    return gone


def _mistyped(exc: mistyped.UsageError) -> str:
    """Never what was typed: it may be a number of a person."""
    if isinstance(exc, mistyped.MissingParameter):
        return f"Il manque {_named(exc)}."
    if isinstance(exc, mistyped.BadParameter):
        _, one_of, choices = exc.message.rpartition(ONE_OF)
        expected = f"l'un de {choices.rstrip('.')}" if one_of else "une autre valeur"
        return f"{_named(exc)} : {expected} est attendu{'' if one_of else 'e'}."
    if isinstance(exc, mistyped.NoSuchOption):
        return "Cette commande n'a pas une de ces options."
    if isinstance(exc, mistyped.BadOptionUsage):
        return f"{exc.option_name} : il manque sa valeur, ou cette option n'en prend pas."
    return next((ours for theirs, ours in NAMELESS.items() if exc.message.startswith(theirs)), "À corriger.")


def _named(exc: mistyped.BadParameter) -> str:
    """« --to (Le client_id du partenaire) »"""
    param: Any = exc.param
    if param is None:
        return "une valeur"
    name = max(param.opts, key=len) if str(param.opts[0]).startswith("-") else param.name
    told = str(getattr(param, "help", None) or "").rstrip(".")
    return f"{name} ({told})" if told else str(name)
