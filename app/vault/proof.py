"""The server does not start with a key file that does not open what is there (field.md §9).

A value sealed on the first day is opened at each start; a base older than this value is asked for a person's key.
"""

import asyncpg

from app.kernel.crypto import KeyFault, Keyring

ABOUT = "key_check"
KNOWN = b"dui"
READ = "SELECT sealed, blind FROM key_check"
WRITE = "INSERT INTO key_check (id, sealed, blind) VALUES (1, $1, $2) ON CONFLICT DO NOTHING"
WRAPPED = "SELECT usager_id, wrapped FROM a_wrapped_key()"
WRONG = (
    "Ce fichier de clés (DUI_KEY_FILE) n'ouvre pas ce que contient cette base. Remettez celui de cette base, gardé "
    "ailleurs qu'elle ; n'en créez pas un autre : rien ne se relirait."
)


async def opens(app_url: str, keyring: Keyring) -> None:
    """Raises KeyFault. As the application's role."""
    connection = await asyncpg.connect(app_url)
    try:
        if not await connection.fetchval("SELECT count(*) FROM key_check"):
            await _begin(connection, keyring)
        [row] = await connection.fetch(READ)
    finally:
        await connection.close()
    try:
        held = keyring.open(row["sealed"], ABOUT) == KNOWN and keyring.blind(KNOWN.decode(), ABOUT) == row["blind"]
    except KeyFault:
        held = False
    if not held:
        raise KeyFault(WRONG)


async def _begin(connection: asyncpg.Connection, keyring: Keyring) -> None:
    """The value of the first day, unless someone's key is already there and does not open."""
    someone = await connection.fetchrow(WRAPPED)
    if someone:
        try:
            keyring.usager_key(someone["wrapped"], str(someone["usager_id"]))
        except KeyFault as exc:
            raise KeyFault(WRONG) from exc
    await connection.execute(WRITE, keyring.seal(KNOWN, ABOUT), keyring.blind(KNOWN.decode(), ABOUT))
