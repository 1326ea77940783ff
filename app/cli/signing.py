"""Who signs at the keyboard: an account of the staff, by its password and its second factor when it has one."""

import asyncio
import sys
from getpass import getpass
from uuid import UUID

import typer

from app.config import settings
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError
from app.security import accounts, second_factor

KEYBOARD = accounts.Caller(None)  # no address, no device: counted as a stranger's tries are


def signer(login: str) -> UUID:
    """The account whose password, then code if it has a second factor, are the next lines of the standard input."""
    try:
        return asyncio.run(_proved(login))
    except DuiError as no:
        typer.echo(no.message, err=True)
        raise typer.Exit(1) from None


async def _proved(login: str) -> UUID:
    config = settings()
    database, keyring = Database(config.database_url, 2), Keyring.load(config.key_file)
    try:
        account = await accounts.authenticate(database, keyring, login, hidden(f"Mot de passe de {login}"), KEYBOARD)
        async with database.session(None) as session:
            enrolled = await second_factor.enrolled(session, account)
        if enrolled:
            code = hidden(f"Code du téléphone de {login}")
            await second_factor.prove(database, keyring, account, code, KEYBOARD.place(keyring, login), known=False)
        return account
    finally:
        await database.close()


def hidden(asked: str) -> str:
    """Asked, and not shown as it is typed; or the next line of what is given on the standard input."""
    if sys.stdin.isatty():
        return getpass(f"{asked} : ")
    return sys.stdin.readline().rstrip("\r\n")
