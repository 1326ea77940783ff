"""`make bench`, or `python -m bench reads access`: each part on a base of its own, ended and removed with it."""

import shutil
import sys
import tempfile
from pathlib import Path

from app.kernel import migrations, postgres
from app.kernel.crypto import Keyring
from bench import access, exchange, pages, reads, sending

PARTS = {
    "reads": reads.run,
    "access": access.run,
    "pages": pages.run,
    "exchange": exchange.run,
    "sending": sending.run,
}


def main(asked: list[str]) -> None:
    if unknown := set(asked) - set(PARTS):
        sys.exit(f"{', '.join(sorted(unknown))}: no such part; there are {', '.join(PARTS)}.")
    for part in asked or PARTS:
        folder = Path(tempfile.mkdtemp(prefix="dui-bench-"))
        folder.chmod(0o711)
        server = postgres.start(folder)
        try:
            migrations.upgrade(server.owner_url)
            keyring = Keyring.create(folder / "keys.json", demo=True)
            env = {
                "DUI_DATABASE_URL": server.app_url,
                "DUI_OWNER_DATABASE_URL": server.owner_url,
                "DUI_SEALER_DATABASE_URL": server.sealer_url,
                "DUI_KEY_FILE": str(folder / "keys.json"),
                "DUI_DATA": str(folder),
                "DUI_DEMO": "1",
                "DUI_REQUESTS_PER_SECOND": "100000",  # one caller asks as a whole house would
            }
            PARTS[part](server, keyring, env)
        finally:
            server.stop()
            postgres.remove(folder)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
