"""Each door takes its own kind of token, from its own place, and no other."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from fastapi import Request

from app.config import Settings
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Unauthenticated
from app.security import access_cards, dependencies, jose, sessions
from app.security.principal import Caller, Principal
from app.security.rates import Rates
from app.security.tokens import Door, TokenCache
from app.vault import rotation
from tests.security import keys
from tests.security.conftest import House

HTTPS, LOOPBACK, LAN = "https://dui.test", "http://127.0.0.1:8000", "http://192.168.1.10:8000"
OPENS = {
    "staff": {Door.API, Door.FHIR},
    "partner": {Door.FHIR},
    "usager": {Door.ME, Door.FHIR},
    "representative": {Door.ME, Door.FHIR},
    "usager's page": {Door.PAGE},
    "representative's page": {Door.PAGE},
    "refresh": set(),
    "assertion": set(),
    "link": set(),
    "code": set(),
}


class Doors:
    """A server as the doors see it."""

    def __init__(self, db: Database, keyring: Keyring, *, demo: bool = True) -> None:
        config = Settings(public_origins=f"{HTTPS}, {LOOPBACK}, {LAN}", demo=demo)
        self.state = SimpleNamespace(
            database=db, keyring=keyring, tokens=TokenCache(), settings=config, rates=Rates(200)
        )

    def request(self, headers: list[tuple[str, str]], host: str = "dui.test") -> Request:
        raw = [(k.encode(), v.encode("latin-1")) for k, v in [("host", host), *headers]]
        return Request({"type": "http", "headers": raw, "app": SimpleNamespace(state=self.state)})

    async def __call__(self, door: Door, token: str) -> Principal:
        header = ("cookie", f"__Host-dui={token}") if door is Door.PAGE else ("authorization", f"Bearer {token}")
        return await dependencies.caller(self.request([header]), door)


@pytest.fixture
async def doors(db: Database, keyring: Keyring) -> Doors:
    return Doors(db, keyring)


@pytest.fixture
async def cast(db: Database, keyring: Keyring, house: House) -> Mapping[str, str]:
    """One token, or what looks like one, of each kind."""
    until, them = now() + timedelta(minutes=5), (house.id, uuid4(), house.jeanne)
    async with db.session(house.id) as session:
        [place] = await sessions.places(session, house.account)
        staff = await sessions.open_staff(session, keyring, HTTPS, house.account, place)
        partner = await sessions.open_partner(
            session, keyring, HTTPS, (house.id, house.chu), house.ime, frozenset({"*.r"})
        )
        people = {
            f"{kind}{where}": (await sessions.open_person(session, *them, contact, door, until)).token
            for kind, contact in (("usager", None), ("representative", uuid4()))
            for where, door in (("", Door.ME), ("'s page", Door.PAGE))
        }
        link, code = await access_cards.give(session, keyring, house.id, house.jeanne)
        await session.commit()
    signed = keys.assertion(keys.ec_key(), iss=house.client_id, sub=house.client_id, aud=f"{HTTPS}/oauth/token")
    made = {"staff": staff.token, "partner": partner.token, "refresh": str(staff.refresh), "assertion": signed}
    return {**made, **people, "link": link, "code": code}


@pytest.mark.threat("token-wrong-door", "token-refresh-as-access")
@pytest.mark.parametrize("door", Door)
@pytest.mark.parametrize("kind", OPENS)
async def test_a_token_opens_its_doors_and_no_other(
    doors: Doors, cast: Mapping[str, str], kind: str, door: Door
) -> None:
    if door in OPENS[kind]:
        assert (await doors(door, cast[kind])).session_id
    else:
        with pytest.raises(Unauthenticated):
            await doors(door, cast[kind])


@pytest.mark.threat("token-wrong-door-cached")
async def test_a_token_just_verified_is_still_refused_at_another_door(doors: Doors, cast: Mapping[str, str]) -> None:
    await doors(Door.API, cast["staff"])
    with pytest.raises(Unauthenticated):
        await doors(Door.ME, cast["staff"])


@pytest.mark.threat("token-key-leaked")
@pytest.mark.parametrize("leaked", [True, False])
async def test_a_token_just_verified_by_a_key_that_leaked_opens_nothing_more(
    db: Database, other_keyring: Keyring, house: House, leaked: bool
) -> None:
    """By one that was only replaced, it does."""
    doors = Doors(db, other_keyring)
    async with db.session(house.id) as session:
        [place] = await sessions.places(session, house.account)
        token = (await sessions.open_staff(session, other_keyring, HTTPS, house.account, place)).token
    assert await doors(Door.API, token) == await doors(Door.API, token)
    rotation.resign(other_keyring.source or Path(), leaked=leaked)
    if not leaked:
        assert await doors(Door.API, token)
        return
    with pytest.raises(Unauthenticated):
        await doors(Door.API, token)


async def test_a_token_just_verified_costs_no_second_look(doors: Doors, cast: Mapping[str, str], db: Database) -> None:
    first = await doors(Door.ME, cast["usager"])
    doors.state.database = None
    assert await doors(Door.ME, cast["usager"]) is first


@pytest.mark.threat("token-bearer-smuggled")
@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic c29uaWE6eA==",
        "Token {}",
        "{}",
        "Bearer {} {}",
        "Bearer {},{}",
        "Bearer\t{}",
        " Bearer {}",
        'Bearer "{}"',
        "Bearer é",
    ],
)
async def test_a_bearer_is_said_in_one_way(doors: Doors, cast: Mapping[str, str], said: str | None) -> None:
    headers = [] if said is None else [("authorization", said.replace("{}", cast["staff"]))]
    with pytest.raises(Unauthenticated):
        await dependencies.caller(doors.request(headers), Door.API)


async def test_the_word_bearer_has_no_case(doors: Doors, cast: Mapping[str, str]) -> None:
    request = doors.request([("authorization", f"bEARER  {cast['staff']}")])
    assert (await dependencies.caller(request, Door.API)).shape.kind is Caller.PROFESSIONAL


@pytest.mark.threat("token-bearer-smuggled")
async def test_two_bearers_are_none(doors: Doors, cast: Mapping[str, str]) -> None:
    request = doors.request([("authorization", f"Bearer {cast['staff']}")] * 2)
    with pytest.raises(Unauthenticated):
        await dependencies.caller(request, Door.API)


@pytest.mark.threat("token-cookie-as-bearer")
async def test_the_page_takes_no_header(doors: Doors, cast: Mapping[str, str]) -> None:
    token = cast["usager's page"]
    request = doors.request([("authorization", f"Bearer {token}")])
    with pytest.raises(Unauthenticated):
        await dependencies.caller(request, Door.PAGE)


@pytest.mark.threat("token-bearer-as-cookie")
@pytest.mark.parametrize("door", [Door.API, Door.ME, Door.FHIR])
async def test_the_other_doors_take_no_cookie(doors: Doors, cast: Mapping[str, str], door: Door) -> None:
    request = doors.request([("cookie", f"__Host-dui={cast['usager']}; dui={cast['usager']}")])
    with pytest.raises(Unauthenticated):
        await dependencies.caller(request, door)


@pytest.mark.parametrize(
    ("host", "demo", "name"),
    [
        ("dui.test", True, "__Host-dui"),
        ("dui.test", False, "__Host-dui"),
        ("127.0.0.1:8000", True, "dui"),
        ("127.0.0.1:8000", False, None),
        ("192.168.1.10:8000", True, None),
        ("evil.test", True, None),
        ("", True, None),
    ],
)
async def test_the_cookie_s_name_follows_the_origin(
    db: Database, keyring: Keyring, host: str, demo: bool, name: str | None
) -> None:
    assert dependencies.cookie_name(Doors(db, keyring, demo=demo).request([], host)) == name


@pytest.mark.threat("token-cookie-other-name")
@pytest.mark.parametrize("cookie", ["__Host-dui=", "dui={}", "other={}"])
async def test_another_cookie_is_none(doors: Doors, cast: Mapping[str, str], cookie: str) -> None:
    request = doors.request([("cookie", cookie.replace("{}", cast["usager's page"]))])
    with pytest.raises(Unauthenticated):
        await dependencies.caller(request, Door.PAGE)


@pytest.mark.threat("token-cookie-other-origin")
async def test_at_an_unlisted_origin_no_cookie_is_read(doors: Doors, cast: Mapping[str, str]) -> None:
    token = cast["usager's page"]
    request = doors.request([("cookie", f"__Host-dui={token}; dui={token}")], host="evil.test")
    with pytest.raises(Unauthenticated):
        await dependencies.caller(request, Door.PAGE)


@pytest.mark.threat("token-other-issuer")
async def test_a_token_signed_for_another_origin_is_refused(
    doors: Doors, db: Database, keyring: Keyring, house: House
) -> None:
    async with db.session(None) as session:
        [place] = await sessions.places(session, house.account)
        opened = await sessions.open_staff(session, keyring, "https://elsewhere.test", house.account, place)
        await session.commit()
    with pytest.raises(Unauthenticated, match=jose.REFUSED[:10]):
        await doors(Door.API, opened.token)


@pytest.mark.threat("search-forged-host")
@pytest.mark.parametrize(
    ("host", "told"), [("dui.test", HTTPS), ("192.168.1.10:8000", LAN), ("evil.test", HTTPS), ("", HTTPS)]
)
async def test_links_keep_a_listed_origin(db: Database, keyring: Keyring, host: str, told: str) -> None:
    assert dependencies.origin(Doors(db, keyring).request([], host)) == told
