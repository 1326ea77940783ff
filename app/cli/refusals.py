"""What every command says when it can't be done: our words, never those of a library, which may quote a value."""

from typing import Any

import typer
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


class Said(TyperGroup):
    """The commands, whose foreseen failures are one sentence and the status 1; any other is a bug, and shows itself."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (*OURS, *start.FORESEEN) as exc:
            typer.echo(str(exc) if isinstance(exc, OURS) else start.why(exc, ADDRESSES), err=True)
            raise typer.Exit(1) from None
