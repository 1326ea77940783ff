"""Partner systems: registered once with their keys, proved by each assertion, good once."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Invalid, Unauthenticated
from app.security import jose, partners, sessions
from app.security.models import JtiSeen, LiveSession, PartnerClient
from app.security.outbound import Outbound
from app.security.partners import Client
from tests.postgres import TestDatabase
from tests.security import keys
from tests.security.conftest import House
from tests.security.keys import TOKEN_URL

EC, RSA = keys.ec_key(), keys.rsa_key()


def proof(house: House, **claims: object) -> str:
    return keys.assertion(EC, **({"iss": house.client_id, "sub": house.client_id} | claims))


async def authenticated(db: Database, assertion: str) -> Client:
    return await partners.authenticate(db, Outbound(), assertion, [TOKEN_URL])


async def refused(db: Database, assertion: str) -> None:
    with pytest.raises(Unauthenticated) as told:
        await authenticated(db, assertion)
    assert told.value.message == jose.ASSERTION_REFUSED


async def test_a_good_proof_tells_what_the_client_was_given(db: Database, house: House) -> None:
    client = await authenticated(db, proof(house))
    assert client == Client(
        house.id, house.chu, house.client_id, frozenset(f"*.{x}" for x in "cruds"), house.ime, {house.ime, house.ehpad}
    )


async def test_either_of_its_keys_will_do(db: Database, house: House) -> None:
    signed = keys.assertion(RSA, "k2", "RS384", iss=house.client_id, sub=house.client_id)
    assert (await authenticated(db, signed)).partner_id == house.chu


@pytest.mark.threat("partner-assertion-replay")
async def test_a_proof_is_good_once(db: Database, house: House) -> None:
    said = proof(house)
    await authenticated(db, said)
    await refused(db, said)


@pytest.mark.threat("partner-assertion-replay-parallel", "partner-assertion-replay-workers")
async def test_twenty_at_once_are_one(database: TestDatabase, house: House) -> None:
    """Two pools stand for two workers."""
    said, pools = proof(house), [Database(database.app_url, 5) for _ in range(2)]
    answers = await asyncio.gather(*(authenticated(pools[n % 2], said) for n in range(20)), return_exceptions=True)
    for pool in pools:
        await pool.close()
    assert sum(isinstance(answer, Client) for answer in answers) == 1
    late = [answer for answer in answers if isinstance(answer, TimeoutError | PoolTimeout)]  # no connection in time
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 19 - len(late)


@pytest.mark.threat("partner-assertion-replay-restart")
async def test_a_restart_forgives_no_replay(database: TestDatabase, house: House) -> None:
    """Nothing of the first process is left to the second but the base."""
    said = proof(house)
    for works in (True, False):
        pool = Database(database.app_url, 1)
        try:
            await (authenticated(pool, said) if works else refused(pool, said))
        finally:
            await pool.close()


@pytest.mark.threat("partner-jti-resigned")
async def test_the_same_number_signed_anew_is_a_replay(db: Database, house: House) -> None:
    await authenticated(db, proof(house, jti="one"))
    await refused(db, proof(house, jti="one"))


async def test_two_clients_may_use_the_same_number(db: Database, owner: Database, house: House) -> None:
    other = f"mdph-{uuid4().hex[:8]}"
    async with owner.session(house.id) as session:
        jwks = jose.public_keys({"keys": [keys.public_jwk(EC, "k1")]})
        await partners.register(session, house.id, "MDPH", other, jwks, "system/*.r", house.ime)
        await session.commit()
    await authenticated(db, proof(house, jti="shared"))
    assert (await authenticated(db, proof(house, jti="shared", iss=other, sub=other))).client_id == other


@pytest.mark.threat("partner-jti-burnt")
async def test_a_forged_proof_uses_no_number_up(db: Database, house: House) -> None:
    forged = keys.assertion(keys.ec_key(which=5), iss=house.client_id, sub=house.client_id, jti="mine")
    await refused(db, forged)
    assert await authenticated(db, proof(house, jti="mine"))


async def test_numbers_past_are_swept(db: Database, owner: Database, house: House) -> None:
    await authenticated(db, proof(house))
    async with owner.session(None) as session:
        await session.execute(text("UPDATE jti_seen SET expires_at = now() - interval '1 s'"))
        await session.commit()
    await authenticated(db, proof(house))
    async with owner.session(None) as session:
        count = select(func.count()).select_from(JtiSeen).where(JtiSeen.client_id == house.client_id)
        assert await session.scalar(count) == 1


@pytest.mark.threat("partner-enumeration")
async def test_an_unknown_client_hears_what_a_wrong_signature_hears(db: Database, house: House) -> None:
    await refused(db, proof(house, iss="unknown", sub="unknown"))
    await refused(db, keys.assertion(keys.ec_key(which=5), iss=house.client_id, sub=house.client_id))


@pytest.mark.threat("partner-client-disabled")
async def test_a_disabled_client_is_out_and_its_tokens_too(db: Database, keyring: Keyring, house: House) -> None:
    async with db.session(house.id) as session:
        opened = await sessions.open_partner(
            session, keyring, "https://dui.test", (house.id, house.chu), house.ime, frozenset({"*.r"})
        )
        await partners.disable(session, house.chu)
        await session.commit()
    await refused(db, proof(house))
    async with db.session(None) as session:
        assert (await session.get_one(LiveSession, opened.principal.session_id)).revoked_at


async def test_another_organisation_sees_no_client(db: Database, house: House) -> None:
    async with db.session(uuid4()) as session:
        assert await session.get(PartnerClient, (house.id, house.chu)) is None


@pytest.mark.parametrize("client_id", ["", "ab", "a b c", "é" * 5, "x" * 121, "a\x00b"])
async def test_a_client_s_name_is_short_and_plain(db: Database, house: House, client_id: str) -> None:
    async with db.session(house.id) as session:
        with pytest.raises(Invalid) as told:
            await partners.register(session, house.id, "X", client_id, [], "system/*.r", house.ime)
    assert told.value.where == "/client_id"


async def test_rights_are_readable_when_they_are_given(db: Database, house: House) -> None:
    async with db.session(house.id) as session:
        with pytest.raises(Invalid) as told:
            await partners.register(session, house.id, "X", "abc", [], "tout", house.ime)
    assert told.value.where == "/scope"
