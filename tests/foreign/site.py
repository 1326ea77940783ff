"""A server as a partner meets it: its own process on a port, who signs in with a key that `dui partner add` took."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.fhir.mapping import Json
from app.kernel.postgres import Server
from tests.exchange.bundles import bundle, entry, goal, patient
from tests.exchange.sending import fresh
from tests.faults.house import House
from tests.postgres import free_port
from tests.security import keys
from tests.world import World

CLIENT_ID = "chu-etranger"
SCOPE = "system/*.cruds"
KEYS = {"ES384": keys.ec_key(which=31), "RS384": keys.rsa_key(which=31)}  # each under its algorithm's name


@dataclass(frozen=True)
class Site:
    """Where the server is."""

    origin: str

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def assertion(self, alg: str = "ES384") -> str:
        """The proof of its one partner."""
        said = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": f"{self.origin}/oauth/token"}
        return keys.assertion(KEYS[alg], alg, alg, **said)


@contextmanager
def site(cluster: Server, world: World, folder: Path) -> Iterator[Site]:
    house = House(folder, cluster, world, free_port())
    _register(house)
    try:
        house.open()
        yield Site(house.origin)
    finally:
        house.kill()


def _register(house: House) -> None:
    jwks = house.folder / "jwks.json"
    jwks.write_text(json.dumps({"keys": [keys.public_jwk(key, alg) for alg, key in KEYS.items()]}))
    command = ["partner", "add", "CHU étranger", "--client-id", CLIENT_ID, "--jwks", str(jwks), "--accept"]
    places = ["--structure", str(house.world.ids["ime"]), "--scopes", SCOPE]
    typed = [sys.executable, "-m", "app.cli", *command, *places]
    subprocess.run(typed, env=house.environment, check=True, timeout=120, capture_output=True)


def person() -> Json:
    """Someone new, with nothing that another test could have said."""
    return _sent(patient(fresh()))


def aim(number: int, subject: str) -> Json:
    """One goal of theirs."""
    return {**_sent(goal(number, fresh())), "subject": {"reference": subject}}


def two_at_once() -> Json:
    """A transaction: someone new and a goal of theirs, tied by the address each has in the bundle."""
    whole = patient(fresh())
    return bundle(entry(whole), entry({**goal(1, fresh()), "subject": {"reference": f"Patient/{whole['id']}"}}))


def _sent(resource: Json) -> Json:
    """Without an id, nor what only a whole project gives a sense to."""
    return {name: value for name, value in resource.items() if name not in ("id", "extension")}
