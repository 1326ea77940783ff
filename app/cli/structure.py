"""`dui organisation`, `dui structure`: the houses, before anyone can sign in. Later ones are opened by the direction, by REST."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.errors import fault
from app.cli.owner import acted, told
from app.features.structures import founding
from app.features.structures.models import Organisation, Structure
from app.features.structures.schemas import Model, OrganisationIn, StructureIn
from app.kernel.errors import Invalid

commands = typer.Typer(
    no_args_is_help=True, help="Les structures : la première ; les autres s'ouvrent aussi par l'API."
)
organisations = typer.Typer(no_args_is_help=True, help="L'organisme gestionnaire.")
B = TypeVar("B", bound=BaseModel)
Finess = Annotated[str | None, typer.Option(help="Neuf chiffres, le dernier étant sa clé.")]


@organisations.command("add")
def add_organisation(
    name: Annotated[str, typer.Argument(help="Son nom.")],
    finess: Finess = None,
) -> None:
    """Inscrit un organisme gestionnaire : ce qu'une organisation garde, aucune autre ne le voit."""

    async def work(session: AsyncSession) -> None:
        said = _said(OrganisationIn, name=name, finess=finess)
        id = await founding.organisation(session, said.name, said.finess)
        await told(session, [id], "create", "organisation", [id])

    acted(work)
    typer.echo("Organisation inscrite. Ensuite : dui structure add.")


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Son nom, tel que les personnes le liront.")],
    model: Annotated[Model, typer.Option(help="Le genre de maison : ce dont partent ses réglages.")],
    finess: Finess = None,
    phone: Annotated[str | None, typer.Option(help="Le téléphone, au bas de la page de la personne.")] = None,
    human: Annotated[str | None, typer.Option(help="À qui demander, au bas de la page : « Marc Petit, chef ».")] = None,
    organisation: Annotated[str | None, typer.Option(help="Son organisme, quand il y en a plusieurs.")] = None,
) -> None:
    """Ouvre une structure (FINESS ET) d'un organisme gestionnaire."""

    async def work(session: AsyncSession) -> UUID:
        said = _said(StructureIn, name=name, model=model, finess=finess, phone=phone, human=human)
        within = await founding.only_organisation(session, organisation)
        id = await founding.structure(session, within, said)
        await told(session, [within], "create", "structure", [id])
        return id

    typer.echo(f"Structure ouverte : {acted(work)}. Ensuite : dui account add.")


@commands.command("list")
def listed() -> None:
    """Les organisations et leurs structures."""
    o, s = Organisation, Structure

    async def work(session: AsyncSession) -> list[tuple[str, str | None, Structure | None]]:
        joined = select(o.name, o.finess, s).join(
            s, (s.organisation_id == o.organisation_id) & s.deleted_at.is_(None), isouter=True
        )
        return [
            (name, finess, row) for name, finess, row in await session.execute(joined.order_by(o.name, s.name, s.id))
        ]

    for name, finess, row in acted(work):
        house = f"{row.name} · {row.model} · {row.finess or 'sans FINESS'} · {row.id}" if row else "sans structure"
        typer.echo(f"{name} ({finess or 'sans FINESS'}) · {house}")


def _said(body: type[B], **values: Any) -> B:
    """Raises Invalid, which names the options to mend and never their values."""
    try:
        return body(**values)
    except ValidationError as exc:
        faults = [fault({**e, "loc": ("body", *e["loc"])}) for e in exc.errors()]
        told = [f"{'NOM' if f.where == '/name' else '--' + f.where[1:]} : {f.message}" for f in faults]
        raise Invalid("\n".join(told)) from None
