"""`dui exchange send`: a professional, at the server's own keyboard, gives a partner one dossier or several as files.

The same rules as `/api/v1/exchanges/sent`, the same journal, the same trail: the command only writes the bundles down.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import UUID

import msgspec
import typer
from pydantic import ValidationError
from sqlalchemy import select

from app.access.acts import ACTS, Act
from app.access.arrivals import Arrivals
from app.access.opening import opened_as
from app.api.resources import REGISTRY
from app.audit.vocabulary import Call, Door
from app.cli.signing import signer
from app.config import settings
from app.exchange import sending, sent
from app.exchange.handover_schemas import Ground
from app.exchange.sending_schemas import SendingIn, SendingPlan
from app.kernel import db, objects
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError, Invalid
from app.kernel.hot import HotLane
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.models import PartnerClient
from app.security.principal import Principal

ASKED = {"person_informed": "informed", "kinds": "kind", "usager_id": "usagers", "partner_id": "to", "format": "xml"}
GROUNDS = ", ".join(get_args(Ground))


@dataclass(frozen=True, slots=True)
class Acting:
    who: Principal
    partner: UUID


def send(
    usagers: Annotated[list[UUID], typer.Argument(help="Les numéros internes des personnes.")],
    structure: Annotated[UUID, typer.Option(help="Votre structure, qui transmet.")],
    to: Annotated[str, typer.Option(help="Le client_id du partenaire (« dui partner list »).")],
    ground: Annotated[str, typer.Option(help=f"Le fondement : {GROUNDS}.")],
    by: Annotated[str, typer.Option(help="L'identifiant du professionnel ; son mot de passe est lu à l'entrée.")],
    folder: Annotated[Path | None, typer.Option(help="Où poser les envois ; ce dossier ne doit pas exister.")] = None,
    article: Annotated[str | None, typer.Option(help="L'article, avec le fondement « loi ».")] = None,
    reason: Annotated[str | None, typer.Option(help="La raison, avec le fondement « vital ».")] = None,
    informed: Annotated[bool, typer.Option("--informed", help="La personne a été prévenue.")] = False,
    kind: Annotated[list[str] | None, typer.Option(help="Seulement cette sorte ; à répéter.")] = None,
    xml: Annotated[bool, typer.Option("--xml", help="En XML ; sans cela, en JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Montre ce qui partirait ; rien ne part.")] = False,
) -> None:
    """Prépare l'envoi d'un dossier à un partenaire : un bundle TDDUI et son manifeste par personne."""
    if not dry_run and (folder is None or folder.exists()):
        typer.echo("Dites où poser les envois : --folder, un dossier qui n'existe pas encore.", err=True)
        raise typer.Exit(1)
    told = {"structure_id": structure, "ground": ground, "article": article, "reason": reason}
    told |= {"person_informed": informed, "kinds": kind, "format": "xml" if xml else "json"}
    account = signer(by)
    try:
        asyncio.run(_each(account, to, usagers, told, None if dry_run else folder))
    except DuiError as no:
        typer.echo("\n".join([no.message, *(f.message for f in no.faults if f.message != no.message)]), err=True)
        raise typer.Exit(1) from None


async def _each(account: UUID, to: str, usagers: list[UUID], told: dict[str, Any], folder: Path | None) -> None:
    """One dossier after the other: a thousand take the memory of one. What was written before a refusal stays."""
    config = settings()
    database, lane, keyring = (
        Database(config.database_url, 2),
        HotLane(config.database_url, 2),
        Keyring.load(config.key_file),
    )
    kept = objects.opened(config.documents)
    await lane.open()
    try:
        async with _acting(database, keyring, config.origins[0], account, to) as acting:
            for usager in usagers:
                said = _said({**told, "usager_id": usager, "partner_id": acting.partner})
                call = Call(Door.SYSTEM, str(uuid7()))
                async with opened_as(Arrivals, acting.who, call, keyring, lane, database) as gate:
                    if folder is None:
                        _show(usager, sending.plan(said, await sending.prepare(gate, REGISTRY, said, kept)))
                        continue
                    line = await sending.send(gate, REGISTRY, said, config.origins[0], kept)
                    await gate.settle()
                    manifest, body = await sending.told(gate, line.id), await sending.bundle_of(gate, line.id)
                ending = "xml" if sent.is_xml(body) else "json"
                _write(
                    folder / str(usager), f"bundle.{ending}", body, msgspec.json.format(msgspec.json.encode(manifest))
                )
                typer.echo(f"{usager} : {manifest.entries} éléments, sha256 {manifest.sha256}")
    finally:
        await lane.close()
        await database.close()


@asynccontextmanager
async def _acting(database: Database, keyring: Keyring, issuer: str, account: UUID, to: str) -> AsyncIterator[Acting]:
    """Who sends, in a function of theirs that may and whose house knows the partner; their session ends with the command."""
    async with database.session(None) as session:
        for place in await sessions.places(session, account):
            await db.enter(session, place.organisation_id)
            known = select(PartnerClient.id).where(PartnerClient.client_id == to, PartnerClient.disabled_at.is_(None))
            partner = await session.scalar(known)
            if partner and place.role in ACTS[Act.HAND_OVER]:
                opened = await sessions.open_staff(session, keyring, issuer, account, place)
                break
        else:
            raise Invalid("Ce compte ne transmet à aucun partenaire de ce nom.", code="sending.nobody")
        await session.commit()
    try:
        yield Acting(opened.principal, partner)
    finally:
        async with database.session(None) as session:
            await sessions.end(session, opened.principal)
            await session.commit()


def _said(told: dict[str, Any]) -> SendingIn:
    """Raises Invalid in the words of the command."""
    try:
        return SendingIn.model_validate(told)
    except ValidationError as no:
        names = ", ".join(sorted({f"--{ASKED.get(str(e['loc'][0]), e['loc'][0])}" for e in no.errors() if e["loc"]}))
        raise Invalid(f"À corriger : {names}. Voyez « dui exchange send --help ».") from None


def _show(usager: UUID, plan: SendingPlan) -> None:
    typer.echo(f"{usager} → {plan.partner}, fondement {plan.ground} : {plan.entries} éléments partiraient.")
    for profile, many in plan.profiles.items():
        typer.echo(f"  {many:5}  {profile.rpartition('/')[2]}")
    for held in plan.staying:
        typer.echo(f"  {held.count:5}  {held.kind} reste ici. {held.words}")


def _write(folder: Path, name: str, body: bytes, manifest: bytes) -> None:
    """For the eyes of who asked only."""
    folder.mkdir(mode=0o700, parents=True)
    for file, content in ((folder / name, body), (folder / "manifest.json", manifest)):
        file.touch(mode=0o600)
        file.write_bytes(content)
