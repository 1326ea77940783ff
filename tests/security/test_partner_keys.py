"""A partner that publishes its keys: read when needed and no more, kept a while, replaced with an overlap."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.errors import Invalid, Unauthenticated
from app.security import jose, partner_keys, partners
from app.security.models import PartnerClient
from app.security.outbound import Outbound
from tests.postgres import TestDatabase
from tests.security import keys
from tests.security.conftest import House
from tests.security.keys import TOKEN_URL
from tests.security.publisher import Publisher, publishing

FIRST, SECOND = keys.ec_key(which=11), keys.ec_key(which=12)
OLD, NEW = keys.public_jwk(FIRST, "k1"), keys.public_jwk(SECOND, "k2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publishing(tmp_path_factory.mktemp("publisher")) as made:
        yield made


@pytest.fixture
async def publisher(server: Publisher, owner: Database, house: House) -> Publisher:
    """The CHU now publishes one key at its address; it was never read."""
    server.keys, server.asked = [OLD], []
    await became(owner, house, jwks=[], jwks_url=server.url)
    return server


async def became(owner: Database, house: House, **values: object) -> None:
    async with owner.session(None) as session:
        await session.execute(update(PartnerClient).where(PartnerClient.id == house.chu).values(**values))
        await session.commit()


async def slept(owner: Database, house: House, *, read: timedelta, asked: timedelta) -> None:
    await became(owner, house, jwks_read_at=now() - read, jwks_asked_at=now() - asked)


async def enter(db: Database, rules: Outbound, house: House, key: object = FIRST, kid: str = "k1") -> UUID:
    proof = keys.assertion(key, kid, iss=house.client_id, sub=house.client_id)
    return (await partners.authenticate(db, rules, proof, [TOKEN_URL])).partner_id


async def refused(db: Database, rules: Outbound, house: House, key: object = FIRST, kid: str = "k1") -> None:
    with pytest.raises(Unauthenticated):
        await enter(db, rules, house, key, kid)


class TestReading:
    async def test_the_first_proof_reads_the_keys(self, db: Database, house: House, publisher: Publisher):
        assert await enter(db, publisher.outbound, house) == house.chu
        assert publisher.asked == ["/jwks.json"]

    async def test_the_next_ones_do_not(self, db: Database, house: House, publisher: Publisher):
        for _ in range(3):
            await enter(db, publisher.outbound, house)
        assert len(publisher.asked) == 1

    async def test_an_hour_later_they_are_read_again(
        self, db: Database, owner: Database, house: House, publisher: Publisher
    ):
        await enter(db, publisher.outbound, house)
        publisher.keys = [NEW]
        await slept(owner, house, read=partner_keys.FRESH, asked=partner_keys.FRESH)
        await refused(db, publisher.outbound, house)
        assert len(publisher.asked) == 2

    async def test_a_new_key_is_found_a_minute_later(
        self, db: Database, owner: Database, house: House, publisher: Publisher
    ):
        await enter(db, publisher.outbound, house)
        publisher.keys = [OLD, NEW]
        await slept(owner, house, read=partner_keys.APART, asked=partner_keys.APART)
        await enter(db, publisher.outbound, house, SECOND, "k2")
        await enter(db, publisher.outbound, house)
        assert len(publisher.asked) == 2

    @pytest.mark.threat("partner-keys-hammered")
    async def test_an_unknown_kid_asks_once_a_minute_whoever_asks(
        self, database: TestDatabase, house: House, publisher: Publisher
    ):
        """Two pools stand for two workers."""
        pools = [Database(database.app_url, 5) for _ in range(2)]
        tries = (refused(pools[n % 2], publisher.outbound, house, SECOND, f"unknown-{n}") for n in range(10))
        await asyncio.gather(*tries)
        for pool in pools:
            await pool.close()
        assert len(publisher.asked) == 1

    @pytest.mark.threat("partner-keys-unknown-client")
    async def test_nothing_is_asked_for_a_client_we_do_not_know(self, db: Database, house: House, publisher: Publisher):
        await refused(db, publisher.outbound, replace(house, client_id="nobody"))
        assert publisher.asked == []

    @pytest.mark.threat("partner-keys-unknown-client", "partner-client-disabled")
    async def test_nor_for_one_that_was_disabled(
        self, db: Database, owner: Database, house: House, publisher: Publisher
    ):
        await became(owner, house, disabled_at=now())
        await refused(db, publisher.outbound, house)
        assert publisher.asked == []

    @pytest.mark.threat("partner-steering-header")
    async def test_an_address_in_the_proof_is_never_read(self, db: Database, house: House, publisher: Publisher):
        header = {"jku": f"{publisher.origin}/forged.json"}
        proof = keys.assertion(FIRST, iss=house.client_id, sub=house.client_id, header=header)
        with pytest.raises(Unauthenticated):
            await partners.authenticate(db, publisher.outbound, proof, [TOKEN_URL])
        assert "/forged.json" not in publisher.asked


class TestTheAddressFails:
    @pytest.fixture
    async def read(self, db: Database, owner: Database, house: House, publisher: Publisher) -> Publisher:
        """Read once, an hour ago."""
        await enter(db, publisher.outbound, house)
        await slept(owner, house, read=partner_keys.FRESH, asked=partner_keys.FRESH)
        return publisher

    @pytest.mark.parametrize("path", ["/absent", "/redirect", "/large", "/noise"])
    async def test_what_was_read_still_serves(
        self, db: Database, owner: Database, house: House, read: Publisher, path: str
    ):
        await became(owner, house, jwks_url=read.origin + path)
        assert await enter(db, read.outbound, house) == house.chu
        assert read.asked[-1] == path

    @pytest.mark.parametrize(
        "published", [[], [{"kid": "k1"}], [OLD, OLD], [keys.public_jwk(keys.ec_key("P-256"), "k1")]]
    )
    async def test_keys_we_would_not_take_replace_nothing(
        self, db: Database, house: House, read: Publisher, published: list[dict[str, str]]
    ):
        read.keys = published
        assert await enter(db, read.outbound, house) == house.chu

    @pytest.mark.threat("partner-keys-outlived")
    async def test_but_a_day_at_most(self, db: Database, owner: Database, house: House, read: Publisher):
        long_ago = partner_keys.KEPT + timedelta(minutes=1)
        await became(owner, house, jwks_url=f"{read.origin}/absent")
        await slept(owner, house, read=long_ago, asked=long_ago)
        await refused(db, read.outbound, house)

    @pytest.mark.threat("outbound-private-address")
    async def test_the_product_s_own_rules_never_reach_this_machine(self, db: Database, house: House, read: Publisher):
        before = len(read.asked)
        assert await enter(db, Outbound(tls=read.outbound.tls), house) == house.chu
        assert len(read.asked) == before


class TestReplacing:
    def test_the_new_keys_verify_beside_the_old_ones(self):
        told = partner_keys.replaced([OLD], [NEW], timedelta(days=7))
        assert [key["kid"] for key in partner_keys.running(told, None)] == ["k2", "k1"]

    @pytest.mark.threat("partner-key-retired")
    async def test_an_old_key_past_its_overlap_proves_nothing(self, db: Database, owner: Database, house: House):
        told = partner_keys.replaced([OLD], jose.public_keys({"keys": [NEW]}), timedelta(days=7))
        await became(owner, house, jwks=told)
        await enter(db, Outbound(), house)
        past = (now() - timedelta(seconds=1)).timestamp()
        await became(owner, house, jwks=[NEW, {**OLD, "until": past}])
        await refused(db, Outbound(), house)
        await enter(db, Outbound(), house, SECOND, "k2")

    def test_a_key_that_leaked_leaves_at_once(self):
        assert partner_keys.replaced([OLD], [NEW], timedelta()) == [NEW]

    def test_replacing_again_gives_no_old_key_more_time(self):
        first = partner_keys.replaced([OLD], [NEW], timedelta(days=1))
        again = partner_keys.replaced(first, [{**NEW, "kid": "k3"}], timedelta(days=30))
        assert [key.get("until") for key in again if key["kid"] == "k1"] == [first[1]["until"]]

    def test_a_key_given_again_stays(self):
        assert partner_keys.replaced([OLD], [OLD, NEW], timedelta(days=1)) == [OLD, NEW]

    @pytest.mark.threat("partner-kid-reused")
    def test_a_name_never_passes_to_another_key(self):
        with pytest.raises(Invalid):
            partner_keys.replaced([OLD], [{**NEW, "kid": "k1"}], timedelta(days=1))

    async def test_a_leaving_key_stays_beside_what_its_address_says_now(
        self, db: Database, owner: Database, house: House, publisher: Publisher
    ):
        """The house gave keys before it gave an address: the overlap it asked for holds."""
        leaving = {**NEW, "until": (now() + timedelta(days=1)).timestamp()}
        await became(owner, house, jwks=[leaving])
        await enter(db, publisher.outbound, house)
        await enter(db, publisher.outbound, house, SECOND, "k2")
