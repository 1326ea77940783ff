"""The second factor: codes good once, recovery codes good once, and nobody locked out by another's tries."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import select, text

from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import Database
from app.kernel.errors import Conflict, DuiError, TooMany, Unauthenticated
from app.security import second_factor
from app.security.models import AccountCredential, CodeAttempt
from tests.security.conftest import House

HERE = ("192.0.2.1",)
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DEVICE = ("device", "00")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


class Phone:
    """What the telephone computes, by the library, from what it was given."""

    def __init__(self, secret: str) -> None:
        self.secret = base64.b32decode(secret)

    def code(self, at: datetime) -> str:
        return TOTP(self.secret, 6, SHA1(), 30).generate(int(at.timestamp())).decode()  # noqa: S303


async def enrolled(db: Database, keyring: Keyring, account: UUID, at: datetime = NOON) -> tuple[Phone, list[str]]:
    async with db.session(None) as session:
        phone = Phone((await second_factor.begin(session, keyring, account, "sonia")).secret)
        codes = await second_factor.confirm(session, keyring, account, phone.code(at))
        await session.commit()
    return phone, codes


async def proved(
    db: Database, keyring: Keyring, account: UUID, code: str, place: tuple[str, ...] = HERE, *, known: bool = False
) -> object:
    try:
        return await second_factor.prove(db, keyring, account, code, place, known=known)
    except DuiError as error:
        return type(error)


LATER = NOON + timedelta(minutes=1)


class TestEnrolling:
    async def test_the_address_for_the_telephone_names_us_and_the_account(
        self, db: Database, keyring: Keyring, house: House
    ):
        async with db.session(None) as session:
            begun = await second_factor.begin(session, keyring, house.account, "sonia")
        assert begun.uri.startswith("otpauth://totp/DUI:sonia?")
        assert f"secret={begun.secret}" in begun.uri

    async def test_without_its_first_code_it_is_not_in_use(self, db: Database, keyring: Keyring, house: House):
        async with db.session(None) as session:
            await second_factor.begin(session, keyring, house.account, "sonia")
            assert not await second_factor.enrolled(session, house.account)

    async def test_a_wrong_first_code_confirms_nothing(self, db: Database, keyring: Keyring, house: House):
        async with db.session(None) as session:
            await second_factor.begin(session, keyring, house.account, "sonia")
            with pytest.raises(Unauthenticated):
                await second_factor.confirm(session, keyring, house.account, "000000x")

    async def test_a_telephone_never_begun_is_said(self, db: Database, keyring: Keyring, house: House):
        async with db.session(None) as session:
            with pytest.raises(Conflict):
                await second_factor.confirm(session, keyring, house.account, "123456")

    async def test_confirmed_it_gives_ten_recovery_codes(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        _, codes = await enrolled(db, keyring, house.account)
        assert (len(set(codes)), {len(code) for code in codes}) == (10, {19})
        async with db.session(None) as session:
            assert await second_factor.enrolled(session, house.account)

    @pytest.mark.threat("otp-replayed")
    async def test_the_first_code_opens_nothing_more(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        assert await proved(db, keyring, house.account, phone.code(NOON)) is Unauthenticated

    @pytest.mark.threat("otp-enrolment-taken")
    async def test_the_one_in_use_stays_until_the_other_is_confirmed(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        async with db.session(None) as session:
            await second_factor.begin(session, keyring, house.account, "sonia")
            await session.commit()
        clock.move_to(LATER, tick=False)
        assert await proved(db, keyring, house.account, phone.code(LATER)) == second_factor.WITH_CODE


class TestCodes:
    async def test_six_digits_as_the_telephone_shows_them(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        clock.move_to(LATER, tick=False)
        code = phone.code(LATER)
        assert await proved(db, keyring, house.account, f"{code[:3]} {code[3:]}") == ("pwd", "otp", "mfa")

    @pytest.mark.parametrize("seconds", [-30, 0, 30])
    async def test_a_neighbour_of_thirty_seconds_will_do(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller, seconds: int
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        clock.move_to(LATER, tick=False)
        code = phone.code(LATER + timedelta(seconds=seconds))
        assert await proved(db, keyring, house.account, code) == second_factor.WITH_CODE

    @pytest.mark.threat("otp-stale")
    @pytest.mark.parametrize("seconds", [-90, -60, 60, 90])
    async def test_another_minute_will_not(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller, seconds: int
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        at = NOON + timedelta(minutes=10)
        clock.move_to(at, tick=False)
        code = phone.code(at + timedelta(seconds=seconds))
        assert await proved(db, keyring, house.account, code) is Unauthenticated

    @pytest.mark.threat("otp-replayed")
    async def test_a_code_is_good_once_and_so_are_those_before_it(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        clock.move_to(LATER, tick=False)
        assert await proved(db, keyring, house.account, phone.code(LATER)) == second_factor.WITH_CODE
        assert await proved(db, keyring, house.account, phone.code(LATER)) is Unauthenticated
        assert await proved(db, keyring, house.account, phone.code(LATER - timedelta(seconds=30))) is Unauthenticated

    @pytest.mark.threat("otp-replayed")
    async def test_of_five_at_once_one_passes(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        clock.move_to(LATER, tick=False)
        code = phone.code(LATER)
        answers = await asyncio.gather(*(proved(db, keyring, house.account, code) for _ in range(5)))
        assert sorted(map(str, answers)).count(str(second_factor.WITH_CODE)) == 1

    async def test_an_account_without_a_factor_proves_none(self, db: Database, keyring: Keyring, house: House):
        for code in ("123456", "AAAA-AAAA-AAAA-AAAA"):
            assert await proved(db, keyring, house.account, code) is Unauthenticated

    @pytest.mark.parametrize(
        ("at", "code"),
        [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (20000000000, "353130"),
        ],
    )
    async def test_the_codes_are_those_of_the_standard(
        self, db: Database, owner: Database, keyring: Keyring, house: House, at: int, code: str
    ):
        """RFC 6238, appendix B, cut to six digits."""
        secret = keyring.seal(b"12345678901234567890", f"totp:{house.account}")
        async with owner.session(None) as session:
            session.add(AccountCredential(account_id=house.account, kind="totp", sealed=secret))
            await session.commit()
        with time_machine.travel(at, tick=False):
            assert await proved(db, keyring, house.account, code) == second_factor.WITH_CODE


class TestRecovery:
    async def test_a_recovery_code_enters_however_it_is_typed(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        _, codes = await enrolled(db, keyring, house.account)
        assert await proved(db, keyring, house.account, codes[0].lower().replace("-", " ")) == ("pwd", "mfa")

    @pytest.mark.threat("otp-recovery-reused")
    async def test_once(self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller):
        _, codes = await enrolled(db, keyring, house.account)
        answers = await asyncio.gather(*(proved(db, keyring, house.account, codes[3]) for _ in range(4)))
        assert sorted(map(str, answers)).count(str(second_factor.WITH_RECOVERY)) == 1
        assert await proved(db, keyring, house.account, codes[4]) == second_factor.WITH_RECOVERY

    @pytest.mark.threat("otp-recovery-reused")
    async def test_those_from_before_a_new_telephone_serve_no_more(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        _, old = await enrolled(db, keyring, house.account)
        await enrolled(db, keyring, house.account)
        assert await proved(db, keyring, house.account, old[0]) is Unauthenticated

    @pytest.mark.threat("otp-secret-read")
    async def test_neither_secret_nor_codes_are_in_the_base(
        self, db: Database, owner: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, codes = await enrolled(db, keyring, house.account)
        async with owner.session(None) as session:
            mine = select(AccountCredential).where(AccountCredential.account_id == house.account)
            kept = repr([(c.kind, c.secret, c.sealed) for c in await session.scalars(mine)])
        assert not any(code.replace("-", "") in kept for code in codes)
        assert (repr(phone.secret)[2:-1] in kept, base64.b32encode(phone.secret).decode() in kept) == (False, False)

    @pytest.mark.threat("otp-secret-read")
    async def test_a_secret_moved_to_another_account_no_longer_opens(
        self, db: Database, owner: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        await enrolled(db, keyring, house.account)
        async with owner.session(None) as session:
            kept = await session.get_one(AccountCredential, (house.account, "totp"))
        with pytest.raises(KeyFault):
            keyring.open(bytes(kept.sealed or b""), f"totp:{house.chu}")

    @pytest.mark.threat("otp-secret-read")
    async def test_the_application_cannot_list_them(self, db: Database, house: House):
        async with db.session(None) as session:
            with pytest.raises(Exception, match="permission denied"):
                await session.execute(text("SELECT sealed FROM account_credential"))


class TestGuessing:
    @pytest.mark.threat("otp-guessed")
    async def test_a_sixth_guess_waits_even_right(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        clock.move_to(LATER, tick=False)
        for _ in range(5):
            assert await proved(db, keyring, house.account, "000000") is Unauthenticated
        assert await proved(db, keyring, house.account, phone.code(LATER)) is TooMany

    @pytest.mark.threat("otp-guessed")
    async def test_a_hundred_a_day_are_all_that_many_addresses_get(
        self, db: Database, owner: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        await proved(db, keyring, house.account, "000000")
        async with owner.session(None) as session:
            await session.execute(text("UPDATE code_attempt SET count = 100 WHERE count = 1"))
            await session.commit()
        clock.move_to(LATER, tick=False)
        code = phone.code(LATER)
        assert await proved(db, keyring, house.account, code, ("198.51.100.7",)) is TooMany

    @pytest.mark.threat("otp-lockout-weapon")
    @pytest.mark.parametrize("way", ["device", "recovery"])
    async def test_the_owner_enters_all_the_same(
        self, db: Database, owner: Database, keyring: Keyring, house: House, clock: time_machine.Traveller, way: str
    ):
        phone, codes = await enrolled(db, keyring, house.account)
        await proved(db, keyring, house.account, "000000")
        async with owner.session(None) as session:
            await session.execute(text("UPDATE code_attempt SET count = 1000 WHERE count = 1"))
            await session.commit()
            assert await session.scalar(select(CodeAttempt.count).where(CodeAttempt.count == 1000).limit(1))
        clock.move_to(LATER, tick=False)
        if way == "device":
            answer = await proved(db, keyring, house.account, phone.code(LATER), DEVICE, known=True)
            assert answer == second_factor.WITH_CODE
        else:
            answer = await proved(db, keyring, house.account, codes[0], ("198.51.100.7",))
            assert answer == second_factor.WITH_RECOVERY

    async def test_a_right_code_forgives_the_wrong_ones(
        self, db: Database, keyring: Keyring, house: House, clock: time_machine.Traveller
    ):
        phone, _ = await enrolled(db, keyring, house.account)
        for minute in (1, 2):
            for _ in range(4):
                await proved(db, keyring, house.account, "000000")
            at = NOON + timedelta(minutes=minute)
            clock.move_to(at, tick=False)
            assert await proved(db, keyring, house.account, phone.code(at)) == second_factor.WITH_CODE
