"""`dui partner`: the systems that exchange with the house, the keys they sign with, where what they send arrives."""

import asyncio
import json
import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli import curl
from app.cli.owner import acted, told
from app.cli.places import structures_named
from app.config import settings
from app.features.structures.models import Structure
from app.fhir.known_types import R4_TYPES
from app.kernel.clock import PARIS, now
from app.kernel.errors import Conflict, Invalid, NotFound
from app.security import jose, partner_keys, partners, scopes
from app.security.models import PartnerClient, PartnerKind, PartnerStructure
from app.security.outbound import Outbound

commands = typer.Typer(no_args_is_help=True, help="Les partenaires, et les clés avec lesquelles ils signent.")
KIND = "partner"
USUAL = "system/*.crus"  # all of an exchange but deleting
OVERLAP = 7  # days during which an old key still verifies
Named = Annotated[str, typer.Argument(help="Son client_id, tel que « dui partner list » le dit.")]
Keys = Annotated[str, typer.Option(help="Ses clés publiques : un fichier JWKS, ou l'adresse https où il les publie.")]


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Son nom, tel que les personnes le liront.")],
    jwks: Keys,
    structure: Annotated[
        list[str], typer.Option(help="FINESS, id ou nom : la première reçoit ce qu'il envoie, les autres l'acceptent.")
    ],
    scope: Annotated[str, typer.Option("--scopes", help="Ce qu'il pourra faire au plus.")] = USUAL,
    client_id: Annotated[str, typer.Option(help="Comment il se nommera ; sinon, d'après son nom.")] = "",
    kind: Annotated[
        PartnerKind | None, typer.Option(help="Ce qu'il est : rien ne part à une MDPH sans l'accord de la personne.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Ce qu'il envoie entre dans les dossiers sans passer par le secrétariat.")
    ] = False,
) -> None:
    """Inscrit un partenaire ; dit l'adresse du jeton, ses droits, et une commande qui marche."""
    as_named = client_id or _slug(name)
    if set(re.findall(r"system/(\w+)\.", scope)) - R4_TYPES:
        typer.echo("Un des droits nomme un type que FHIR R4 n'a pas.", err=True)
        raise typer.Exit(1)

    async def work(session: AsyncSession) -> PartnerClient:
        organisation, places = await structures_named(session, structure)
        if await session.scalar(select(PartnerClient.id).where(PartnerClient.client_id == as_named)):
            raise Conflict("Ce client_id est déjà pris : donnez-en un autre avec --client-id.")
        keys, url = await _keys(jwks)
        id = await partners.register(
            session,
            organisation,
            name.strip(),
            as_named,
            keys,
            scope,
            places[0],
            places,
            accepts=accept,
            jwks_url=url,
            kind=kind or (PartnerKind.MDPH if "mdph" in _slug(name).split("-") else PartnerKind.OTHER),
        )
        await told(session, [organisation], "create", KIND, [id])
        return await session.get_one(PartnerClient, (organisation, id))

    made = acted(work)
    may = scopes.said(frozenset(made.scopes))
    typer.echo(
        f"Partenaire inscrit.\n\n  client_id   {made.client_id}\n  jeton       {_token_url()}\n  droits      {may}\n"
    )
    typer.echo("Pour demander un jeton, avec sa clé privée dans le fichier que nomme DUI_PARTNER_KEY :\n")
    typer.echo(curl.asking(_token_url(), made.client_id, made.jwks[0], may))


@commands.command("list")
def listed() -> None:
    """Les partenaires, leurs droits, les structures qui les acceptent, leurs clés."""
    for partner, places in acted(_all):
        off = partner.disabled_at
        state = f"fermé le {off.astimezone(PARIS):%d/%m/%Y}" if off else "ouvert"
        typer.echo(f"{partner.client_id} · {partner.name} · {state} · {scopes.said(frozenset(partner.scopes))}")
        typer.echo(f"  structures : {', '.join(places)}")
        source = f" (lues à {partner.jwks_url})" if partner.jwks_url else ""
        typer.echo(f"  clés : {', '.join(map(_key, partner.jwks))}{source}")


@commands.command("disable")
def disable(client_id: Named) -> None:
    """Ferme l'accès d'un partenaire : ses jetons ne servent plus, dès la requête suivante."""

    async def work(session: AsyncSession) -> None:
        partner = await _named(session, client_id)
        await partners.disable(session, partner.id)
        await told(session, [partner.organisation_id], "disable", KIND, [partner.id])

    acted(work)
    typer.echo("Partenaire fermé.")


@commands.command("rotate")
def rotate(
    client_id: Named,
    jwks: Keys,
    overlap_days: Annotated[
        int, typer.Option(min=0, max=90, help="Jours où les anciennes clés servent encore.")
    ] = OVERLAP,
) -> None:
    """Remplace ses clés ; les anciennes servent encore quelques jours (0 si l'une d'elles a fui)."""

    async def work(session: AsyncSession) -> PartnerClient:
        partner = await _named(session, client_id)
        keys, url = await _keys(jwks)
        partner.jwks = partner_keys.replaced(partner.jwks, keys, timedelta(days=overlap_days))
        partner.jwks_url, partner.jwks_read_at = url, now() if url else None
        await told(session, [partner.organisation_id], "rotate", KIND, [partner.id])
        return partner

    typer.echo(f"Clés : {', '.join(map(_key, acted(work).jwks))}.")


async def _keys(said: str) -> tuple[list[dict[str, str]], str | None]:
    """Raises Invalid."""
    if said.startswith("https:"):
        return await partner_keys.read(Outbound(), said), said
    try:
        jwks = json.loads(await asyncio.to_thread(Path(said).read_bytes))
    except (OSError, ValueError, RecursionError):
        raise Invalid("Ce fichier de clés n'est pas lisible : un JWKS est attendu, ou une adresse https.") from None
    return jose.public_keys(jwks), None


async def _named(session: AsyncSession, client_id: str) -> PartnerClient:
    found = await session.scalar(select(PartnerClient).where(PartnerClient.client_id == client_id))
    if found is None:
        raise NotFound("Aucun partenaire ne porte ce client_id.")
    return found


async def _all(session: AsyncSession) -> list[tuple[PartnerClient, list[str]]]:
    p, s = PartnerStructure, Structure
    accepted = select(p.partner_id, s.name, p.accepts).join(
        s, (s.organisation_id == p.organisation_id) & (s.id == p.structure_id)
    )
    places: dict[UUID, list[str]] = {}
    for partner_id, name, accepts in await session.execute(accepted.order_by(s.name)):
        places.setdefault(partner_id, []).append(f"{name} (d'office)" if accepts else name)
    found = await session.scalars(select(PartnerClient).order_by(PartnerClient.client_id))
    return [(partner, places.get(partner.id, [])) for partner in found]


def _key(key: partner_keys.Key) -> str:
    return f"{key['kid']} ({key['kty']}{', remplacée' if 'until' in key else ''})"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def _token_url() -> str:
    return f"{settings().origins[0]}/oauth/token"
