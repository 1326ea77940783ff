"""`dui account`: the staff's local accounts. A password is never an argument: it is drawn and told once, or read on stdin."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Membership, MembershipStructure, Professional
from app.cli.owner import acted, told
from app.cli.places import structures_named
from app.cli.signing import hidden
from app.config import settings
from app.kernel.clock import PARIS, today
from app.kernel.crypto import Keyring
from app.kernel.db import NIL
from app.kernel.errors import Invalid
from app.kernel.ids import uuid7
from app.security import accounts, identities, second_factor, sessions
from app.security.models import Account, AccountCredential, LiveSession
from app.security.principal import Role

commands = typer.Typer(no_args_is_help=True, help="Les comptes de l'équipe.")
KIND = "account"
PROOFS = {"totp": "second facteur", identities.KIND: "identité reliée"}
PASSWORD_BYTES = 15  # twenty characters
Login = Annotated[str, typer.Argument(help="L'identifiant du compte.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Lit le mot de passe sur l'entrée standard ; sinon il est tiré au sort."),
]


@commands.command("add")
def add(
    login: Login,
    given_name: Annotated[str, typer.Option(help="Le prénom.")],
    family_name: Annotated[str, typer.Option(help="Le nom.")],
    structure: Annotated[list[str], typer.Option(help="FINESS, id ou nom d'une structure ; plusieurs fois si besoin.")],
    role: Annotated[Role, typer.Option(help="La fonction, telle que la matrice la nomme.")],
    ends: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Le jour où la fonction finit.")] = None,
    password_stdin: FromStdin = False,
) -> None:
    """Ouvre un compte, et sa fonction dans une ou plusieurs structures d'une organisation."""
    password, drawn = _password(password_stdin)
    names = given_name.strip(), family_name.strip()
    last = ends.date() if ends else None
    acted(lambda session: _add(session, login, names, structure, role, last, password))
    typer.echo(f"Compte « {accounts.normal(login)} » ouvert.")
    _tell(password, drawn)


@commands.command("list")
def listed() -> None:
    """Les comptes, ouverts et fermés, et les fonctions en cours."""
    for account, roles, proofs in acted(_all):
        state = f"fermé le {account.disabled_at.astimezone(PARIS):%d/%m/%Y}" if account.disabled_at else "ouvert"
        factor = ", ".join(word for kind, word in PROOFS.items() if kind in proofs) or "mot de passe seul"
        works = ", ".join(roles) or "sans fonction en cours"
        typer.echo(f"{account.login} · {account.name} · {state} · {factor} · {works}")


@commands.command("disable")
def disable(login: Login) -> None:
    """Ferme un compte : qui était connecté ne l'est plus à la requête suivante. Ce qu'il a écrit reste sien."""

    async def work(session: AsyncSession) -> None:
        account = await accounts.named(session, login)
        await accounts.disable(session, account.id)
        await _told(session, "disable", account)

    acted(work)
    typer.echo("Compte fermé.")


@commands.command("enable")
def enable(login: Login) -> None:
    """Rouvre un compte fermé, avec le mot de passe qu'il avait."""

    async def work(session: AsyncSession) -> None:
        account = await accounts.named(session, login)
        account.disabled_at = None
        await _told(session, "enable", account)

    acted(work)
    typer.echo("Compte rouvert.")


@commands.command("reset-password")
def reset_password(login: Login, password_stdin: FromStdin = False) -> None:
    """Donne un autre mot de passe ; tout ce que l'ancien avait ouvert finit."""
    password, drawn = _password(password_stdin)

    async def work(session: AsyncSession) -> None:
        account = await accounts.named(session, login)
        await accounts.set_password(session, account.id, password)
        await _told(session, "reset_password", account)

    acted(work)
    typer.echo("Mot de passe changé.")
    _tell(password, drawn)


@commands.command("reset-second-factor")
def reset_second_factor(login: Login) -> None:
    """Oublie le téléphone et les codes de secours : un téléphone perdu. La personne en inscrit un autre."""

    async def work(session: AsyncSession) -> None:
        account = await accounts.named(session, login)
        await second_factor.forget(session, account.id)
        await sessions.revoke(session, LiveSession.account_id == account.id)
        await _told(session, "reset_second_factor", account)

    acted(work)
    typer.echo("Second facteur oublié.")


@commands.command("link")
def link(
    login: Login,
    subject: Annotated[str, typer.Argument(help="Qui c'est chez le fournisseur d'identité : son « sub », exactement.")],
) -> None:
    """Relie un compte à une identité du fournisseur (DUI_OIDC_ISSUER) : c'est elle qui entre, quoi qu'elle dise d'autre."""
    issuer, keyring = settings().oidc_issuer, Keyring.load(settings().key_file)

    async def work(session: AsyncSession) -> None:
        if not issuer:
            raise Invalid("Aucun fournisseur d'identité n'est configuré : donnez DUI_OIDC_ISSUER.")
        account = await accounts.named(session, login)
        await identities.link(session, account.id, identities.kept(keyring, issuer, subject))
        await _told(session, "link_identity", account)

    acted(work)
    typer.echo("Identité reliée.")


@commands.command("unlink")
def unlink(login: Login) -> None:
    """Oublie l'identité de ce compte : elle n'entre plus, et ce qu'elle avait ouvert finit."""

    async def work(session: AsyncSession) -> None:
        account = await accounts.named(session, login)
        await identities.unlink(session, account.id)
        await _told(session, "unlink_identity", account)

    acted(work)
    typer.echo("Identité oubliée.")


async def _add(
    session: AsyncSession,
    login: str,
    names: tuple[str, str],
    structures: Sequence[str],
    role: Role,
    ends: date | None,
    password: str,
) -> None:
    if not all(names):
        raise Invalid("Le prénom et le nom sont attendus.")
    if ends is not None and ends <= today():
        raise Invalid("Ce jour est passé : la fonction ne commencerait pas.")
    organisation, places = await structures_named(session, structures)
    account = await accounts.create(session, login, " ".join(names), password)
    here = {"organisation_id": organisation}
    person = Professional(id=uuid7(), account_id=account, given_name=names[0], family_name=names[1], **here)
    session.add(person)
    await session.flush()
    membership = Membership(id=uuid7(), professional_id=person.id, role=role.value, starts=today(), ends=ends, **here)
    session.add(membership)
    await session.flush()
    session.add_all(MembershipStructure(membership_id=membership.id, structure_id=place, **here) for place in places)
    await session.flush()
    await told(session, [organisation], "create", KIND, [account])


async def _all(session: AsyncSession) -> list[tuple[Account, list[str], set[str]]]:
    day, m, p = today(), Membership, Professional
    running = (m.starts <= day) & (m.ends.is_(None) | (m.ends > day)) & m.deleted_at.is_(None)
    held = select(p.account_id, m.role).join(
        m, (m.organisation_id == p.organisation_id) & (m.professional_id == p.id) & running
    )
    roles: dict[UUID | None, list[str]] = {}
    for account_id, role in await session.execute(held.where(p.deleted_at.is_(None)).order_by(m.id)):
        roles.setdefault(account_id, []).append(role)
    c = AccountCredential
    proofs: dict[UUID, set[str]] = {}
    for account_id, kind in await session.execute(select(c.account_id, c.kind)):
        proofs.setdefault(account_id, set()).add(kind)
    found = await session.scalars(select(Account).order_by(Account.login))
    return [(account, roles.get(account.id, []), proofs.get(account.id, set())) for account in found]


async def _told(session: AsyncSession, action: str, account: Account) -> None:
    """In each house where this account works; in none, among what concerns no organisation."""
    p = Professional
    houses = await session.scalars(select(p.organisation_id).where(p.account_id == account.id).distinct())
    await told(session, list(houses) or [NIL], action, KIND, [account.id])


def _password(from_stdin: bool) -> tuple[str, bool]:
    if from_stdin:
        return hidden("Le mot de passe"), False
    return secrets.token_urlsafe(PASSWORD_BYTES), True


def _tell(password: str, drawn: bool) -> None:
    if drawn:
        typer.echo(f"Mot de passe, dit cette seule fois : {password}")
