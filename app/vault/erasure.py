"""Erasing a person whose time is over: proposed, signed by the direction, told to the DPO, and done thirty days later.

Each person is one transaction: their rows, the certificate and the line of the trail, or nothing. Cut anywhere, it is
done again from where it stands; done, it is not done twice. Backups forget with time: they are kept for days, not years.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Membership, Professional
from app.access.opening import trace_system
from app.access.permissions import Kind
from app.features.settings.models import Setting
from app.features.settings.shipped import SHIPPED
from app.kernel import clock
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.objects import Objects
from app.security.principal import Role
from app.vault import files, forgetting, retention
from app.vault.models import Erasure

NOTICE = "erasure.notice_days"  # between the notice to the DPO and the erasure
DOMAIN = b"dui-erasure\n"  # no token is signed over bytes that begin so
PROPOSED, SIGNED, STOPPED, ERASED = "proposed", "signed", "stopped", "erased"
COPIES = ("given", "refused", "unreachable")
HEAD = text("SELECT encode(hash, 'hex') FROM audit_seal WHERE organisation_id = :o ORDER BY number DESC LIMIT 1")
NO_LONGER = "Le délai ne court plus : la personne est revenue, ou la règle a changé."


@dataclass(frozen=True, slots=True)
class Done:
    erased: list[UUID]
    stopped: list[UUID]


async def propose(session: AsyncSession) -> list[Erasure]:
    """Those whose time is over and who are on no list yet. Nothing is erased by it."""
    open_ones = select(Erasure.organisation_id, Erasure.usager_id).where(Erasure.state.in_([PROPOSED, SIGNED]))
    known = {tuple(row) for row in await session.execute(open_ones)}
    new = [
        Erasure(
            organisation_id=each.organisation_id,
            usager_id=each.usager_id,
            state=PROPOSED,
            rules=each.told(),
            due_on=each.on,
        )
        for each in await retention.due(session, clock.today())
        if (each.organisation_id, each.usager_id) not in known
    ]
    session.add_all(new)
    await session.flush()
    return new


async def sign(session: AsyncSession, ids: Collection[UUID], account_id: UUID, copy: str) -> date:
    """The direction signs; the DPO is told by a line of the trail for each. The first day all of it may be done.

    Raises Invalid, Conflict, Forbidden.
    """
    if copy not in COPIES:
        raise Invalid("Proposez d'abord la copie : given, refused ou unreachable.", where="copy", code="erasure.copy")
    rows = (await session.scalars(select(Erasure).where(Erasure.id.in_(ids)).with_for_update())).all()
    if not rows or len(rows) != len(set(ids)) or any(row.state != PROPOSED for row in rows):
        raise Conflict("La liste a changé : relisez-la (dui erasure list), puis signez ce qui est proposé.")
    for row in rows:
        if not await _in_office(session, row.organisation_id, Role.DIRECTION, account_id):
            raise Forbidden("La direction de cette organisation signe, par son propre compte.")
        if not await _in_office(session, row.organisation_id, Role.DPO):
            raise Conflict("Cette organisation n'a pas de DPO en fonction : il doit pouvoir s'y opposer.")
        row.state, row.copy, row.signed_by, row.signed_at = SIGNED, copy, account_id, clock.now()
        row.not_before = clock.today() + await _notice(session, row.organisation_id)
        await trace_system(session, row.organisation_id, "erasure_notice", Kind.USAGER, [row.id], row.usager_id)
    return max(row.not_before for row in rows if row.not_before)


async def stop(session: AsyncSession, ids: Collection[UUID], why: str) -> None:
    """Raises Conflict when one is neither proposed nor signed."""
    rows = (await session.scalars(select(Erasure).where(Erasure.id.in_(ids)).with_for_update())).all()
    if len(rows) != len(set(ids)) or any(row.state not in (PROPOSED, SIGNED) for row in rows):
        raise Conflict("La liste a changé : relisez-la (dui erasure list).")
    for row in rows:
        await _stop(session, row, why)


async def run(owner: Database, keyring: Keyring, objects: Objects | None = None) -> Done:
    """Those signed whose days of notice are over, one transaction each; a person no longer due is stopped. Their files
    go next, which nothing opens any more: cut in between, `files.sweep` takes them.
    """
    done = Done([], [])
    async with owner.session(None) as session:
        waiting = select(Erasure.id).where(Erasure.state == SIGNED, Erasure.not_before <= clock.today())
        ids: Sequence[UUID] = (await session.scalars(waiting.order_by(Erasure.id))).all()
    for id in ids:
        async with owner.session(None) as session:
            row = await session.scalar(
                select(Erasure).where(Erasure.id == id, Erasure.state == SIGNED).with_for_update(skip_locked=True)
            )
            if row is None:
                continue  # another run has it
            left: list[str] = []
            if await retention.due(session, clock.today(), row.usager_id):
                left = await forgetting.objects_of(session, row.organisation_id, row.usager_id)
                await _erase(session, row, keyring)
                done.erased.append(row.usager_id)
            else:
                await _stop(session, row, NO_LONGER)
                done.stopped.append(row.usager_id)
            await session.commit()
        if objects is not None:
            await files.take_away(objects, left)
    return done


async def again(owner: Database, certificate: str, keyring: Keyring, objects: Objects | None = None) -> dict[str, int]:
    """After a restore: what a certificate says was erased since goes again. Raises KeyFault when it was forged."""
    told = read_certificate(certificate, keyring)
    organisation, usager = UUID(told["organisation_id"]), UUID(told["usager_id"])
    async with owner.session(None) as session:
        left = await forgetting.objects_of(session, organisation, usager)
        gone = await forgetting.forget(session, organisation, usager)
        if gone:
            await trace_system(session, organisation, "erase", Kind.USAGER, [UUID(told["id"])], usager)
        await session.commit()
    if objects is not None:
        await files.take_away(objects, left)
    return gone


def read_certificate(certificate: str, keyring: Keyring) -> dict[str, Any]:
    said = json.loads(certificate)
    keyring.check_signature(str(said["kid"]), DOMAIN + str(said["said"]).encode(), bytes.fromhex(said["signature"]))
    told: dict[str, Any] = json.loads(said["said"])
    return told


async def _erase(session: AsyncSession, row: Erasure, keyring: Keyring) -> None:
    gone = await forgetting.forget(session, row.organisation_id, row.usager_id)
    at, head = clock.now(), await session.scalar(HEAD, {"o": row.organisation_id})
    said = {
        "id": str(row.id),
        "organisation_id": str(row.organisation_id),
        "usager_id": str(row.usager_id),
        "rules": json.loads(row.rules),
        "due_on": row.due_on.isoformat(),
        "copy": row.copy,
        "signed_by": str(row.signed_by),
        "signed_at": row.signed_at.isoformat() if row.signed_at else None,
        "erased_at": at.isoformat(),
        "rows": gone,
        "head": head,
    }
    told = json.dumps(said, sort_keys=True)
    kid, signature = keyring.sign(DOMAIN + told.encode())
    row.state, row.ended_at = ERASED, at
    row.certificate = json.dumps({"said": told, "kid": kid, "signature": signature.hex()})
    await trace_system(session, row.organisation_id, "erase", Kind.USAGER, [row.id], row.usager_id)


async def _stop(session: AsyncSession, row: Erasure, why: str) -> None:
    row.state, row.why_stopped, row.ended_at = STOPPED, why, clock.now()
    await trace_system(session, row.organisation_id, "erasure_stopped", Kind.USAGER, [row.id], row.usager_id)


async def _notice(session: AsyncSession, organisation: UUID) -> timedelta:
    here = (Setting.organisation_id == organisation, Setting.scope == "organisation", Setting.key == NOTICE)
    said = await session.scalar(select(Setting.value).where(*here, Setting.deleted_at.is_(None)))
    return timedelta(days=json.loads(said) if said else SHIPPED[NOTICE].value)


async def _in_office(session: AsyncSession, organisation: UUID, role: Role, account: UUID | None = None) -> bool:
    today = clock.today()
    query = (
        select(Membership.id)
        .join(
            Professional,
            (Professional.organisation_id == Membership.organisation_id)
            & (Professional.id == Membership.professional_id),
        )
        .where(Membership.organisation_id == organisation, Membership.role == role.value)
        .where(Membership.starts <= today, (Membership.ends.is_(None)) | (Membership.ends > today))
        .where(Membership.deleted_at.is_(None), Professional.deleted_at.is_(None))
        .limit(1)
    )
    if account:
        query = query.where(Professional.account_id == account)
    return await session.scalar(query) is not None
