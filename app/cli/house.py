"""`dui settings`: what the house answers for itself."""

import asyncio
from datetime import datetime
from typing import Annotated

import asyncpg
import typer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.owner import acted, told
from app.config import settings
from app.features.settings.shipped import QUESTIONS
from app.kernel.db import NIL
from app.kernel.ids import uuid7

commands = typer.Typer(no_args_is_help=True, help="Les réglages du serveur.")


@commands.command("show")
def settings_show() -> None:
    """Les six questions posées avant d'y mettre une vraie personne, et vos réponses. Sort avec 1 s'il en manque."""
    rows = asyncio.run(_answers(settings().owner_database_url))
    for key, question in QUESTIONS.items():
        value, since = rows.get(key, ("", None))
        said = f"{value} (le {since:%d/%m/%Y})" if value.strip() and since else "PAS DE RÉPONSE"
        typer.echo(f"{key.removeprefix('deployment.'):<9} {question} {said}")
    missing = [key for key in QUESTIONS if not rows.get(key, ("",))[0].strip()]
    if missing:
        typer.echo("Le serveur ne quitte pas la démonstration avant : voyez « Avant d'y mettre une vraie personne ».")
        raise typer.Exit(1)


@commands.command("answer")
def settings_answer(
    question: Annotated[str, typer.Argument(help="L'une des six : hosting, tls, backup, aipd, register, accounts.")],
    answer: Annotated[str, typer.Argument(help="La réponse, en clair.")],
) -> None:
    """Répond à l'une des six questions posées avant d'y mettre une vraie personne."""
    key = f"deployment.{question}"
    if key not in QUESTIONS or not answer.strip():
        typer.echo("Question inconnue, ou réponse vide. Les six : " + ", ".join(k[11:] for k in QUESTIONS), err=True)
        raise typer.Exit(2)

    async def work(session: AsyncSession) -> None:
        values = {"nobody": NIL, "id": uuid7(), "key": key, "answer": answer.strip()}
        id = (await session.execute(text(ANSWER), values)).scalar_one()
        await told(session, [NIL], "update", "setting", [id])

    acted(work)
    typer.echo(f"Noté : {QUESTIONS[key]}")


ANSWER = """INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)
    VALUES (:nobody, :id, 'server', :key, :answer, now(), 1, now(), now())
    ON CONFLICT (organisation_id, scope, key) WHERE deleted_at IS NULL DO UPDATE SET value = excluded.value,
        since = now(), updated_at = now(), version = setting.version + 1 RETURNING id"""


async def _answers(owner_url: str) -> dict[str, tuple[str, datetime]]:
    connection = await asyncpg.connect(owner_url)
    try:
        rows = await connection.fetch(
            "SELECT key, value, since FROM setting WHERE organisation_id = $1 AND deleted_at IS NULL", NIL
        )
    finally:
        await connection.close()
    return {row["key"]: (row["value"], row["since"]) for row in rows}
