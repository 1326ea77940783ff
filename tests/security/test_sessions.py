"""Opening, renewing, ending: a row for every token, and one row ended is every copy of it dead."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Unauthenticated
from app.security import accounts, sessions, tokens
from app.security.models import LiveSession, RefreshFamily
from app.security.principal import Professional, Representative, Role, UsagerSelf
from app.security.sessions import Opened
from app.security.tokens import Door
from tests.security.conftest import House

ISSUER = "https://dui.test"


async def log_in(db: Database, keyring: Keyring, house: House, **ttl: timedelta) -> Opened:
    async with db.session(None) as session:
        [place] = await sessions.places(session, house.account)
        opened = await sessions.open_staff(session, keyring, ISSUER, house.account, place, **ttl)
        await session.commit()
    return opened


async def person(
    db: Database, house: House, contact: UUID | None = None, life: timedelta = timedelta(minutes=15)
) -> Opened:
    async with db.session(None) as session:
        opened = await sessions.open_person(
            session, house.id, uuid4(), house.jeanne, contact, Door.ME, until=now() + life
        )
        await session.commit()
    return opened


async def row_of(db: Database, opened: Opened) -> LiveSession:
    async with db.session(None) as session:
        return await session.get_one(LiveSession, opened.principal.session_id)


async def rotated(db: Database, keyring: Keyring, refresh: str | None, **ttl: timedelta) -> Opened:
    async with db.session(None) as session:
        opened = await sessions.rotate(session, keyring, ISSUER, str(refresh), **ttl)
        await session.commit()
    if isinstance(opened, LiveSession):
        raise Unauthenticated(sessions.ENDED)
    return opened


async def given_back(db: Database, keyring: Keyring, token: str | None) -> LiveSession | None:
    async with db.session(None) as session:
        ended = await sessions.give_back(session, keyring, ISSUER, str(token))
        await session.commit()
    return ended


async def dead(db: Database, keyring: Keyring, refresh: str | None) -> None:
    with pytest.raises(Unauthenticated, match="Connectez-vous"):
        await rotated(db, keyring, refresh)


async def owner_runs(owner: Database, house: House, sql: str) -> None:
    async with owner.session(house.id) as session:
        await session.execute(text(sql), {"house": house.id, "account": house.account})
        await session.commit()


async def test_an_account_works_where_its_memberships_run(db: Database, house: House) -> None:
    async with db.session(None) as session:
        assert await sessions.places(session, house.account) == [
            sessions.Place(house.id, house.sonia, house.membership, Role.EDUCATEUR)
        ]


@pytest.mark.threat("token-membership-ended")
@pytest.mark.parametrize(
    "end",
    [
        "UPDATE membership SET ends = (now() AT TIME ZONE 'Europe/Paris')::date WHERE organisation_id = :house",
        "UPDATE membership SET starts = (now() AT TIME ZONE 'Europe/Paris')::date + 1 WHERE organisation_id = :house",
        "UPDATE membership SET deleted_at = now() WHERE organisation_id = :house",
        "UPDATE professional SET deleted_at = now() WHERE organisation_id = :house",
        "UPDATE professional SET account_id = NULL WHERE organisation_id = :house",
        "UPDATE account SET disabled_at = now() WHERE id = :account",
    ],
)
async def test_what_ends_a_membership_ends_the_family(
    db: Database, owner: Database, keyring: Keyring, house: House, end: str
) -> None:
    opened = await log_in(db, keyring, house)
    await owner_runs(owner, house, end)
    async with db.session(None) as session:
        assert await sessions.places(session, house.account) == []
    await dead(db, keyring, opened.refresh)
    assert (await row_of(db, opened)).revoked_at


async def test_the_last_day_of_a_membership_is_the_day_before_its_end(
    db: Database, owner: Database, house: House
) -> None:
    end = "UPDATE membership SET ends = (now() AT TIME ZONE 'Europe/Paris')::date + 1 WHERE organisation_id = :house"
    await owner_runs(owner, house, end)
    async with db.session(None) as session:
        assert len(await sessions.places(session, house.account)) == 1


async def test_staff_get_a_signed_token_for_one_membership(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    known = tokens.read_signed(keyring, ISSUER, opened.token)
    assert known.principal == opened.principal
    assert isinstance(known.principal, Professional)
    assert (known.principal.membership_id, known.principal.role) == (house.membership, Role.EDUCATEUR)
    assert (await row_of(db, opened)).expires_at.timestamp() == known.principal.expires


async def test_an_access_token_lives_as_long_as_it_is_told(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house, ttl=timedelta(hours=12))
    assert opened.principal.expires == pytest.approx(now().timestamp() + 12 * 3600, abs=5)


async def test_a_partner_gets_a_signed_token_for_one_structure(db: Database, keyring: Keyring, house: House) -> None:
    async with db.session(None) as session:
        opened = await sessions.open_partner(
            session, keyring, ISSUER, (house.id, house.chu), house.ehpad, frozenset({"Goal.r"})
        )
        await session.commit()
    assert tokens.read_signed(keyring, ISSUER, opened.token).principal == opened.principal
    assert opened.refresh is None


async def test_the_person_gets_an_opaque_token(db: Database, house: House) -> None:
    opened = await person(db, house)
    known = await sessions.find(db, opened.token)
    assert known.door is Door.ME
    assert isinstance(known.principal, UsagerSelf)
    assert (known.principal.id, known.principal.usager_id) == (house.jeanne, house.jeanne)
    assert known.principal.session_id == opened.principal.session_id


async def test_who_represents_them_is_another_caller(db: Database, house: House) -> None:
    contact = uuid4()
    opened = await person(db, house, contact)
    found = (await sessions.find(db, opened.token)).principal
    assert isinstance(found, Representative)
    assert (found.id, found.usager_id) == (contact, house.jeanne)


@pytest.mark.threat("token-table-stolen")
async def test_the_token_itself_is_nowhere_in_the_table(db: Database, house: House) -> None:
    opened = await person(db, house)
    async with db.session(None) as session:
        rows = await session.scalars(select(func.row_to_json(text("session.*"))).select_from(text("session")))
        told = str(list(rows))
    assert str(opened.principal.session_id) in told
    assert opened.token not in told


@pytest.mark.threat("token-opaque-guessed")
@pytest.mark.parametrize("token", ["", "unknown", "x" * 43])
async def test_an_unknown_token_finds_nobody(db: Database, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await sessions.find(db, token)


async def test_a_session_over_finds_nobody(db: Database, house: House) -> None:
    opened = await person(db, house, life=timedelta(seconds=-1))
    with pytest.raises(Unauthenticated):
        await sessions.find(db, opened.token)


async def test_a_session_ended_finds_nobody(db: Database, house: House) -> None:
    opened = await person(db, house)
    async with db.session(None) as session:
        await sessions.revoke(session, LiveSession.id == opened.principal.session_id)
        await session.commit()
    with pytest.raises(Unauthenticated):
        await sessions.find(db, opened.token)


async def test_staying_connected_moves_the_end(db: Database, house: House) -> None:
    opened, later = await person(db, house), now() + timedelta(hours=1)
    async with db.session(None) as session:
        await sessions.extend(session, opened.principal, later)
        await session.commit()
    assert (await row_of(db, opened)).expires_at == later


@pytest.mark.threat("token-session-revived")
@pytest.mark.parametrize("how", ["ended", "over"])
async def test_what_ended_is_not_revived(db: Database, house: House, how: str) -> None:
    opened = await person(db, house, life=timedelta(seconds=60 if how == "ended" else -1))
    before = (await row_of(db, opened)).expires_at
    async with db.session(None) as session:
        if how == "ended":
            await sessions.revoke(session, LiveSession.id == opened.principal.session_id)
        await sessions.extend(session, opened.principal, now() + timedelta(hours=1))
        await session.commit()
    assert (await row_of(db, opened)).expires_at == before


async def test_a_refresh_token_gives_a_new_pair_of_the_same_session(
    db: Database, keyring: Keyring, house: House
) -> None:
    first = await log_in(db, keyring, house)
    second = await rotated(db, keyring, first.refresh)
    assert second.refresh != first.refresh
    assert second.principal.session_id == first.principal.session_id
    assert (await rotated(db, keyring, second.refresh)).principal.session_id == first.principal.session_id


@pytest.mark.threat("token-refresh-reused")
async def test_a_refresh_token_shown_again_ends_the_family(db: Database, keyring: Keyring, house: House) -> None:
    first = await log_in(db, keyring, house)
    second = await rotated(db, keyring, first.refresh)
    await dead(db, keyring, first.refresh)
    await dead(db, keyring, second.refresh)
    assert (await row_of(db, first)).revoked_at


@pytest.mark.threat("token-refresh-raced")
async def test_twenty_at_once_with_one_refresh_token_get_one_pair_at_most(
    db: Database, keyring: Keyring, house: House
) -> None:
    opened = await log_in(db, keyring, house)
    answers = await asyncio.gather(*(rotated(db, keyring, opened.refresh) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Opened) for answer in answers) == 1
    assert all(isinstance(answer, Opened | Unauthenticated) for answer in answers)
    assert (await row_of(db, opened)).revoked_at


@pytest.mark.threat("token-refresh-guessed")
async def test_a_guess_at_a_family_s_secret_does_not_end_it(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    family = (await row_of(db, opened)).family_id
    assert family
    guess, _ = sessions._new_refresh(family)  # noqa: SLF001
    await dead(db, keyring, guess)
    assert (await rotated(db, keyring, opened.refresh)).refresh


@pytest.mark.threat("token-refresh-malformed")
@pytest.mark.parametrize("refresh", ["", "é", "AAAA", "A" * 63, "A" * 64, "A" * 65, "A" * 10_000, "../" * 21 + "x"])
async def test_what_is_no_refresh_token_is_refused(db: Database, keyring: Keyring, refresh: str) -> None:
    await dead(db, keyring, refresh)


@pytest.mark.threat("token-refresh-endless")
async def test_a_family_ends_at_the_end_of_the_day(
    db: Database, owner: Database, keyring: Keyring, house: House
) -> None:
    opened = await log_in(db, keyring, house)
    await owner_runs(owner, house, "UPDATE refresh_family SET expires_at = now()")
    await dead(db, keyring, opened.refresh)


@pytest.mark.threat("token-refresh-endless")
async def test_a_renewed_session_does_not_outlive_its_family(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house, family_ttl=timedelta(hours=1))
    renewed = await rotated(db, keyring, opened.refresh, ttl=timedelta(hours=5))
    assert renewed.principal.expires == pytest.approx(now().timestamp() + 3600, abs=5)


@pytest.mark.threat("token-refresh-endless")
async def test_a_family_does_not_turn_for_ever(db: Database, owner: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    await owner_runs(owner, house, "UPDATE refresh_family SET used_hashes = array_fill('\\x00'::bytea, ARRAY[500])")
    await dead(db, keyring, opened.refresh)


@pytest.mark.threat("token-role-changed")
async def test_the_role_is_read_again_at_each_renewal(
    db: Database, owner: Database, keyring: Keyring, house: House
) -> None:
    opened = await log_in(db, keyring, house)
    await owner_runs(owner, house, "UPDATE membership SET role = 'chef_de_service' WHERE organisation_id = :house")
    renewed = (await rotated(db, keyring, opened.refresh)).principal
    assert isinstance(renewed, Professional)
    assert renewed.role is Role.CHEF_DE_SERVICE


@pytest.mark.threat("token-given-back-reused")
@pytest.mark.parametrize("which", ["access", "current", "used"])
async def test_any_token_given_back_ends_the_session(db: Database, keyring: Keyring, house: House, which: str) -> None:
    first = await log_in(db, keyring, house)
    second = await rotated(db, keyring, first.refresh)
    given = {"access": first.token, "current": second.refresh, "used": first.refresh}[which]
    assert await given_back(db, keyring, given)
    assert (await row_of(db, first)).revoked_at
    await dead(db, keyring, second.refresh)


async def test_the_person_s_token_given_back_ends_theirs(db: Database, keyring: Keyring, house: House) -> None:
    opened = await person(db, house)
    assert await given_back(db, keyring, opened.token)
    assert (await row_of(db, opened)).revoked_at


@pytest.mark.threat("token-revoke-others")
async def test_a_guess_ends_nobody_s_session(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    family = (await row_of(db, opened)).family_id
    assert family
    for guess in (sessions._new_refresh(family)[0], "x" * 43, "a.b.c", "", "é" * 64):  # noqa: SLF001
        assert await given_back(db, keyring, guess) is None
    assert (await row_of(db, opened)).revoked_at is None


async def test_disabling_an_account_ends_what_it_had_opened(db: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    async with db.session(None) as session:
        await accounts.disable(session, house.account)
        await session.commit()
    assert (await row_of(db, opened)).revoked_at
    async with db.session(None) as session:
        family = await session.scalar(
            select(RefreshFamily).where(RefreshFamily.session_id == opened.principal.session_id)
        )
    assert family
    assert family.revoked_at


async def test_sessions_long_over_are_swept(db: Database, owner: Database, keyring: Keyring, house: House) -> None:
    opened = await log_in(db, keyring, house)
    await owner_runs(
        owner, house, "UPDATE session SET expires_at = now() - interval '8 days' WHERE account_id = :account"
    )
    await person(db, house)
    async with db.session(None) as session:
        assert await session.get(LiveSession, opened.principal.session_id) is None
