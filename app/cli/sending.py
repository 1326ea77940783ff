"""`dui exchange send`: a professional, at the server's own keyboard, gives a partner one dossier or several as files.

The same rules as `/api/v1/exchanges/sent`, the same journal, the same trail: the command only writes the bundles down.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.acts import ACTS, Act
from app.access.arrivals import Arrivals
from app.access.opening import opened_as
from app.api.resources import REGISTRY
from app.audit.vocabulary import Call, Door
from app.cli.envelopes import envelope
from app.cli.envelopes import folder as made
from app.cli.places import structures_named
from app.cli.refusals import said
from app.cli.signing import signer
from app.config import Settings, settings
from app.exchange import dossier, sending
from app.exchange.handover_schemas import Ground
from app.exchange.sending_schemas import SendingIn, SendingPlan
from app.kernel import db, objects
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError, Fault, Invalid
from app.kernel.hot import HotLane
from app.kernel.ids import uuid7
from app.kernel.objects import Objects
from app.portal.labels import RECORD, WHAT
from app.security import sessions
from app.security.models import PartnerClient
from app.security.principal import Principal
from app.security.sessions import Place

OPTIONS = {
    "usager_id": "usagers", "structure_id": "--structure", "partner_id": "--to", "person_informed": "--informed",
    "kinds": "--kind", "format": "--xml",
}  # fmt: skip
NAMED = {"structure": "structures", "professional": "professionnels", "membership": "fonctions"}  # who is named in it
GROUNDS = ", ".join(get_args(Ground))
NOBODY = "Ce compte ne transmet à aucun partenaire de ce nom (--to) : « dui partner list » dit ceux de la maison."


@dataclass(frozen=True, slots=True)
class Acting:
    """Who sends, from where, to whom; and what it takes to act."""

    who: Principal
    partner: UUID
    structure: UUID
    config: Settings
    keyring: Keyring
    database: Database
    lane: HotLane
    kept: Objects | None

    def gate(self) -> AbstractAsyncContextManager[Arrivals]:
        call = Call(Door.SYSTEM, str(uuid7()))
        return opened_as(Arrivals, self.who, call, self.keyring, self.lane, self.database)


def send(
    usagers: Annotated[list[UUID], typer.Argument(help="Les numéros internes des personnes.")],
    structure: Annotated[str, typer.Option(help="Votre structure, qui transmet : son FINESS, son id ou son nom.")],
    to: Annotated[str, typer.Option(help="Le client_id ou le nom du partenaire (« dui partner list »).")],
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
    told: dict[str, Any] = {"ground": ground, "article": article, "reason": reason}
    told |= {"person_informed": informed, "kinds": kind, "format": "xml" if xml else "json"}
    account = signer(by)
    try:
        asyncio.run(_all(account, to, structure, list(dict.fromkeys(usagers)), told, None if dry_run else folder))
    except DuiError as no:
        faults = no.faults or (Fault("", "", no.message),)
        typer.echo("\n".join(dict.fromkeys(map(_refusal, faults))), err=True)
        raise typer.Exit(1) from None


async def _all(
    account: UUID, to: str, structure: str, usagers: list[UUID], told: dict[str, Any], folder: Path | None
) -> None:
    """One dossier after the other: a thousand take the memory of one. What was written before a refusal stays."""
    async with _acting(account, to, structure) as acting:
        told |= {"partner_id": acting.partner, "structure_id": acting.structure}
        with made(folder) if folder else nullcontext():
            for usager in usagers:
                asked = _asked({**told, "usager_id": usager})
                await (_leave(acting, asked, folder / str(usager)) if folder else _try(acting, asked))


async def _try(acting: Acting, asked: SendingIn) -> None:
    async with acting.gate() as gate:
        plan = sending.plan(asked, await sending.prepare(gate, REGISTRY, asked, acting.kept))
    for line in _planned(asked, plan):
        typer.echo(line)


async def _leave(acting: Acting, asked: SendingIn, place: Path) -> None:
    """On the disk before it is said to have left: they stand, or neither does."""
    with envelope(place) as write:
        async with acting.gate() as gate:
            line = await sending.send(gate, REGISTRY, asked, acting.config.origins[0], acting.kept)
            await gate.settle()
            manifest = await sending.told(gate, line.id)
            write(manifest, await sending.bundle_of(gate, line.id))
    said(f"{asked.usager_id} : {manifest.entries} éléments, sha256 {manifest.sha256}")


@asynccontextmanager
async def _acting(account: UUID, to: str, structure: str) -> AsyncIterator[Acting]:
    """The session of who sends ends with the command."""
    config = settings()
    keyring, kept = Keyring.load(config.key_file), objects.opened(config.documents)
    database, lane = Database(config.database_url, 2), HotLane(config.database_url, 2)
    await lane.open()
    try:
        async with database.session(None) as session:
            place, partner = await _place(session, account, to)
            _, [there] = await structures_named(session, [structure])
            who = (await sessions.open_staff(session, keyring, config.origins[0], account, place)).principal
            await session.commit()
        try:
            yield Acting(who, partner, there, config, keyring, database, lane, kept)
        finally:
            async with database.session(None) as session:
                await sessions.end(session, who)
                await session.commit()
    finally:
        await lane.close()
        await database.close()


async def _place(session: AsyncSession, account: UUID, to: str) -> tuple[Place, UUID]:
    """A function of theirs that may send, in a house that knows this partner; the session is in that house."""
    p = PartnerClient
    named = or_(func.lower(p.client_id) == to.strip().lower(), func.lower(p.name) == to.strip().lower())
    for place in await sessions.places(session, account):
        await db.enter(session, place.organisation_id)
        known = list(await session.scalars(select(p.id).where(named, p.disabled_at.is_(None))))
        if len(known) > 1:
            raise Invalid("Plusieurs partenaires portent ce nom (--to) : donnez son client_id.")
        if known and place.role in ACTS[Act.HAND_OVER]:
            return place, known[0]
    raise Invalid(NOBODY, code="sending.nobody")


def _asked(told: dict[str, Any]) -> SendingIn:
    """Raises Invalid in the words of the command."""
    try:
        return SendingIn.model_validate(told)
    except ValidationError as no:
        wrong = sorted({_option(str(e["loc"][0])) for e in no.errors() if e["loc"]})
        told_more = {"--kind": f" Les sortes : {', '.join(_kinds())}.", "--ground": f" Les fondements : {GROUNDS}."}
        more = "".join(told_more.get(name, "") for name in wrong)
        raise Invalid(f"À corriger : {', '.join(wrong)}.{more} Voyez « dui exchange send --help ».") from None


def _kinds() -> list[str]:
    """« assessment (évaluations) », for all that may leave."""
    return sorted(f"{kind} ({_label(kind)})" for kind in {table.KIND.value for table in dossier.tables(REGISTRY)})


def _label(kind: str) -> str:
    return NAMED.get(kind) or WHAT.get(kind, RECORD)[1]


def _option(field: str) -> str:
    return OPTIONS.get(field, f"--{field}")


def _refusal(fault: Fault) -> str:
    """With the option to mend, where the fault names one."""
    field = fault.where.strip("/").partition("/")[0]
    return f"{fault.message} ({_option(field)})" if field else fault.message


def _planned(asked: SendingIn, plan: SendingPlan) -> Iterator[str]:
    yield f"{asked.usager_id} → {plan.partner}, fondement {plan.ground} : {plan.entries} éléments partiraient."
    for label, many in sorted(Counter(_label(row.kind) for row in plan.rows).items()):
        yield f"  {many:5}  {label}"
    for held in plan.staying:
        yield f"  {held.count:5}  {_label(held.kind)} : {'reste' if held.count == 1 else 'restent'} ici. {held.words}"
    for one in plan.advice:
        yield f"Attention : {one.message}"
    yield "En FHIR :"
    for profile, many in plan.profiles.items():
        yield f"  {many:5}  {profile.rpartition('/')[2]}"
