"""`dui …`: what the person who runs the server types, one module an area. Words of the screen are French."""

import typer

import app.schema  # noqa: F401  every table is known
from app.cli import (
    account,
    audit,
    base,
    demo,
    doctor,
    documents,
    erasure,
    exchange,
    export,
    fhir,
    house,
    keys,
    partner,
    refusals,
    serving,
    structure,
    vault,
)

main = typer.Typer(
    cls=refusals.Said,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Le serveur du dossier usager informatisé.",
)


@main.callback()
def found(ctx: typer.Context) -> None:
    demo.joined(ctx.invoked_subcommand or "")


for commands in (base.commands, serving.commands, demo.commands, doctor.commands, vault.commands):
    main.add_typer(commands)
main.add_typer(structure.organisations, name="organisation")
main.add_typer(structure.commands, name="structure")
main.add_typer(account.commands, name="account")
main.add_typer(audit.commands, name="audit")
main.add_typer(house.commands, name="settings")
main.add_typer(partner.commands, name="partner")
main.add_typer(exchange.commands, name="exchange")
main.add_typer(fhir.commands, name="fhir")
main.add_typer(keys.commands, name="keys")
main.add_typer(erasure.commands, name="erasure")
main.add_typer(documents.commands, name="documents")
main.add_typer(export.commands, name="export")
