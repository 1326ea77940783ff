"""Local accounts: proving, and what a wrong guess is told."""

import asyncio
import time
from uuid import uuid4

import pytest
from sqlalchemy import delete, text, update

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Conflict, DuiError, Invalid, TooMany, Unauthenticated
from app.security import accounts, devices, passwords, sessions, throttle
from app.security.accounts import Caller
from app.security.models import Account, AccountCredential, CodeAttempt
from tests.security.conftest import PASSWORD, House

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
async def db(db: Database, owner: Database) -> Database:
    """Nothing was tried before: else one test waits for the tries of another."""
    async with owner.session(None) as session:
        await session.execute(delete(CodeAttempt))
        await session.commit()
    return db


async def tried(
    db: Database,
    keyring: Keyring,
    login: str,
    password: str,
    address: str | None = HERE,
    device: str | None = None,
) -> object:
    try:
        return await accounts.authenticate(db, keyring, login, password, Caller(address, device))
    except DuiError as error:
        return type(error), error.message


async def test_login_and_password_prove_the_account(db: Database, keyring: Keyring, house: House) -> None:
    assert await tried(db, keyring, house.login, PASSWORD) == house.account


async def test_the_login_is_read_as_people_type_it(db: Database, keyring: Keyring, house: House) -> None:
    assert await tried(db, keyring, f" {house.login.upper()} ", PASSWORD) == house.account


@pytest.mark.threat("login-enumeration")
async def test_wrong_password_unknown_login_disabled_account_hear_the_same(
    db: Database, keyring: Keyring, house: House
) -> None:
    wrong = await tried(db, keyring, house.login, "pas celui-là du tout")
    unknown = await tried(db, keyring, f"nobody-{uuid4().hex}", PASSWORD)
    async with db.session(None) as session:
        await accounts.disable(session, house.account)
        await session.commit()
    disabled = await tried(db, keyring, house.login, PASSWORD)
    assert wrong == unknown == disabled == (Unauthenticated, accounts.WRONG)


@pytest.mark.threat("login-guessing")
async def test_five_wrong_guesses_close_the_login_from_there(db: Database, keyring: Keyring, house: House) -> None:
    for _ in range(5):
        await tried(db, keyring, house.login, "pas celui-là du tout")
    assert await tried(db, keyring, house.login, PASSWORD) == (TooMany, throttle.TOO_MANY)


@pytest.mark.threat("login-lockout-weapon")
async def test_nobody_is_locked_out_from_elsewhere(db: Database, keyring: Keyring, house: House) -> None:
    for _ in range(6):
        await tried(db, keyring, house.login, "pas celui-là du tout", ELSEWHERE)
    assert await tried(db, keyring, house.login, PASSWORD, HERE) == house.account


@pytest.mark.threat("login-guessing-parallel")
async def test_twenty_guesses_at_once_get_five(db: Database, keyring: Keyring, house: House) -> None:
    answers = await asyncio.gather(
        *(tried(db, keyring, house.login, "pas celui-là du tout", ELSEWHERE) for _ in range(20))
    )
    assert sum(answer == (Unauthenticated, accounts.WRONG) for answer in answers) == 5
    assert sum(answer == (TooMany, throttle.TOO_MANY) for answer in answers) == 15


@pytest.mark.threat("login-lockout-weapon")
async def test_nor_from_the_very_same_place_on_a_device_that_already_entered(
    db: Database, keyring: Keyring, house: House
) -> None:
    """A whole house comes from one address: a colleague who fails on purpose closes it to strangers only."""
    mine = devices.new(keyring, house.login)
    for _ in range(6):
        await tried(db, keyring, house.login, "pas celui-là du tout")
    assert await tried(db, keyring, house.login, PASSWORD) == (TooMany, throttle.TOO_MANY)
    assert await tried(db, keyring, house.login, PASSWORD, device=mine) == house.account


@pytest.mark.threat("login-device-forged")
async def test_a_device_s_own_guesses_are_counted(db: Database, keyring: Keyring, house: House) -> None:
    mine = devices.new(keyring, house.login)
    for _ in range(5):
        await tried(db, keyring, house.login, "pas celui-là du tout", device=mine)
    assert await tried(db, keyring, house.login, PASSWORD, device=mine) == (TooMany, throttle.TOO_MANY)
    assert await tried(db, keyring, house.login, PASSWORD) == house.account


@pytest.mark.threat("login-device-forged")
@pytest.mark.parametrize("forge", ["another login's", "another server's", "cut", "noise", "empty"])
async def test_what_is_no_device_of_this_login_is_a_stranger(
    db: Database, keyring: Keyring, other_keyring: Keyring, house: House, forge: str
) -> None:
    said = {
        "another login's": devices.new(keyring, "marc"),
        "another server's": devices.new(other_keyring, house.login),
        "cut": devices.new(keyring, house.login)[:40],
        "noise": "é\x00",
        "empty": "",
    }[forge]
    for _ in range(5):
        await tried(db, keyring, house.login, "pas celui-là du tout")
    assert await tried(db, keyring, house.login, PASSWORD, device=said) == (TooMany, throttle.TOO_MANY)


@pytest.mark.threat("login-spraying")
async def test_one_try_of_many_logins_from_many_addresses_is_seen_and_slowed(
    db: Database, keyring: Keyring, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    failed = CodeAttempt(key=throttle.key(keyring, "all logins"), window_start=now(), count=accounts.FREE_FOR_ALL)
    async with db.session(None) as session:
        await session.merge(failed)
        await session.commit()
    start = time.monotonic()
    await tried(db, keyring, f"sprayed-{uuid4().hex}", "Printemps2026!", "203.0.113.77")
    assert time.monotonic() - start > throttle.slowness(accounts.FREE_FOR_ALL + 1, accounts.FREE_FOR_ALL) == 0.25
    assert [record.msg for record in caplog.records if record.name == "dui"] == ["login.spraying"]


@pytest.mark.threat("login-spraying", "login-lockout-weapon")
async def test_meanwhile_a_known_device_waits_for_nothing(db: Database, keyring: Keyring, house: House) -> None:
    sprayed = CodeAttempt(key=throttle.key(keyring, "all logins"), window_start=now(), count=10_000)
    async with db.session(None) as session:
        await session.merge(sprayed)
        await session.commit()
    start = time.monotonic()
    mine = devices.new(keyring, house.login)
    assert await tried(db, keyring, house.login, PASSWORD, device=mine) == house.account
    assert time.monotonic() - start < throttle.SLOWEST / 2


async def test_a_right_password_forgives_the_wrong_ones(db: Database, keyring: Keyring, house: House) -> None:
    for _ in range(2):
        for _ in range(4):
            await tried(db, keyring, house.login, "pas celui-là du tout")
        assert await tried(db, keyring, house.login, PASSWORD) == house.account


@pytest.mark.threat("login-guessing-spread")
async def test_a_login_that_fails_much_is_slowed_wherever_it_comes_from(
    db: Database, keyring: Keyring, house: House
) -> None:
    async with db.session(None) as session:
        failed = CodeAttempt(key=throttle.key(keyring, "login", house.login), window_start=now(), count=12)
        session.add(failed)
        await session.commit()
    start = time.monotonic()
    await tried(db, keyring, house.login, PASSWORD)
    assert time.monotonic() - start > throttle.slowness(13, accounts.FREE_PER_LOGIN) == 0.75


async def test_a_weak_old_hash_is_made_stronger_at_the_next_login(
    db: Database, owner: Database, keyring: Keyring, house: House
) -> None:
    old = passwords.PasswordHash((passwords.Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)
    ours = (await passwords.hashed(PASSWORD, house.login)).rpartition("$")[0].rpartition("$")[0]
    async with owner.session(None) as session:
        await session.execute(
            update(AccountCredential).where(AccountCredential.account_id == house.account).values(secret=old)
        )
        await session.commit()
    assert await tried(db, keyring, house.login, PASSWORD) == house.account
    async with owner.session(None) as session:
        kept = await session.get_one(AccountCredential, (house.account, "password"))
    assert kept.secret.startswith(ours)
    assert not old.startswith(ours)


@pytest.mark.threat("login-lookalike")
@pytest.mark.parametrize("login", ["", "ab", "a b c", "x" * 121, "nul\x00nul", "\u202eevil"])
async def test_a_login_is_short_and_plain(db: Database, login: str) -> None:
    async with db.session(None) as session:
        with pytest.raises(Invalid):
            await accounts.create(session, login, "Quelqu'un", PASSWORD)


@pytest.mark.threat("login-lookalike")
async def test_a_login_is_one_person_s_whatever_the_case(db: Database, house: House) -> None:
    async with db.session(None) as session:
        with pytest.raises(Conflict):
            await accounts.create(session, house.login.title(), "Quelqu'un", PASSWORD)


@pytest.mark.threat("token-password-changed")
async def test_a_new_password_replaces_the_old_and_ends_its_sessions(
    db: Database, keyring: Keyring, house: House
) -> None:
    async with db.session(None) as session:
        [place] = await sessions.places(session, house.account)
        opened = await sessions.open_staff(session, keyring, "https://dui.test", house.account, place)
        await accounts.set_password(session, house.account, "une autre phrase assez longue")
        await session.commit()
    assert await tried(db, keyring, house.login, PASSWORD) == (Unauthenticated, accounts.WRONG)
    assert await tried(db, keyring, house.login, "une autre phrase assez longue") == house.account
    async with db.session(None) as session:
        with pytest.raises(Unauthenticated):
            await sessions.rotate(session, keyring, "https://dui.test", str(opened.refresh))


async def test_a_password_is_set_for_an_account_that_is_there(db: Database) -> None:
    async with db.session(None) as session:
        with pytest.raises(Invalid):
            await accounts.set_password(session, uuid4(), "court")


@pytest.mark.threat("login-hashes-listed")
async def test_the_application_cannot_list_the_hashes(db: Database, house: House) -> None:
    async with db.session(None) as session:
        with pytest.raises(Exception, match="permission denied"):
            await session.execute(text("SELECT secret FROM account_credential"))


@pytest.mark.threat("login-account-deleted")
async def test_the_application_cannot_delete_an_account(db: Database, house: House) -> None:
    async with db.session(None) as session:
        with pytest.raises(Exception, match="permission denied"):
            await session.execute(Account.__table__.delete())


@pytest.mark.threat("login-ipv6-hopping")
@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_house_is_one_neighbourhood(address: str | None, told: str) -> None:
    assert throttle.neighbourhood(address) == told


def test_slowness_grows_and_stops() -> None:
    assert [throttle.slowness(n, 10) for n in (0, 10, 11, 14, 1000)] == [0, 0, 0.25, 1.0, 4.0]


@pytest.mark.threat("login-throttle-table-read")
def test_what_is_tried_cannot_be_read_from_the_table(keyring: Keyring, other_keyring: Keyring) -> None:
    assert throttle.key(keyring, "login", "sonia") != throttle.key(other_keyring, "login", "sonia")


def test_two_words_are_not_one(keyring: Keyring) -> None:
    assert throttle.key(keyring, "login", "a", "b") != throttle.key(keyring, "login", "ab")


async def test_the_window_opens_again_after_a_quarter_of_an_hour(
    db: Database, owner: Database, keyring: Keyring
) -> None:
    key = throttle.key(keyring, "link", uuid4().hex)
    for _ in range(5):
        await throttle.spend(db, [key])
    with pytest.raises(TooMany):
        await throttle.spend(db, [key])
    async with owner.session(None) as session:
        await session.execute(
            text("UPDATE code_attempt SET window_start = window_start - interval '15 minutes' WHERE key = :k"),
            {"k": key},
        )
        await session.commit()
    assert await throttle.spend(db, [key]) == [1]


async def test_old_counts_are_swept(db: Database, owner: Database, keyring: Keyring) -> None:
    old = throttle.key(keyring, "link", uuid4().hex)
    async with owner.session(None) as session:
        await session.execute(text("DELETE FROM code_attempt"))  # a few are swept at each try, not all
        await session.commit()
    await throttle.spend(db, [old])
    async with owner.session(None) as session:
        await session.execute(text("UPDATE code_attempt SET window_start = window_start - interval '2 days'"))
        await session.commit()
    await throttle.spend(db, [throttle.key(keyring, "link", uuid4().hex)])
    async with owner.session(None) as session:
        assert await session.get(CodeAttempt, old) is None
