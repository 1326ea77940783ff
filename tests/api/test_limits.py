"""Asking too fast, and proving wrongly too often: refused in the shape of each door, at the cost of no one else."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.oauth.partner import A_PROOF
from app.kernel.clock import now
from app.security import partners, throttle
from app.security.models import CodeAttempt
from app.security.rates import Rates
from tests.api.test_oauth import INTROSPECT, JWT_BEARER, partner, proof, refused
from tests.portal.html import read
from tests.portal.visitor import visit
from tests.security import keys
from tests.security.conftest import House
from tests.world import World

FAST = pytest.mark.threat("rate-one-caller")
JEANNE = "/api/v1/usagers/{jeanne}"
FORGED = keys.ec_key(which=8)


@pytest.fixture
def slow(world: World) -> Iterator[Rates]:
    """A hundred at once, and time stands still."""
    state = world.client.app.state
    shipped, state.rates = state.rates, Rates(10, clock=lambda: 0.0)
    yield state.rates
    state.rates = shipped


def worn_out(rates: Rates, who: object) -> None:
    rates.spend(who, 100)


class TestTooFast:
    @FAST
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_rest_hears_a_problem(self, world: World, slow: Rates, method: str):
        worn_out(slow, world.ids["sonia"])
        path = JEANNE.format(**world.ids) if method == "GET" else "/api/v1/transmissions"
        answer = world.client.request(method, path, headers=world.bearers["sonia"])
        told = (answer.status_code, answer.headers["retry-after"], answer.headers["content-type"])
        assert told == (429, "1", "application/problem+json")
        assert (answer.json()["code"], answer.json()["errors"]) == ("too_fast", [])

    @FAST
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/fhir/Patient/{jeanne}"),
            ("GET", "/fhir/Patient"),
            ("POST", "/fhir/Patient/_search"),
            ("POST", "/fhir"),
        ],
    )
    def test_fhir_hears_an_outcome(self, world: World, slow: Rates, method: str, path: str):
        worn_out(slow, world.ids["chu"])
        headers = {**world.bearers["chu"], "Content-Type": "application/fhir+json"}
        answer = world.client.request(method, path.format(**world.ids), headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert (answer.json()["resourceType"], answer.json()["issue"][0]["code"]) == ("OperationOutcome", "throttled")

    @FAST
    def test_the_person_s_application_hears_it_too(self, world: World, slow: Rates):
        worn_out(slow, world.ids["jeanne"])
        assert world.get("jeanne", "/api/v1/me").status_code == 429

    @FAST
    def test_the_page_says_it_in_a_page(self, world: World, slow: Rates):
        visitor = visit(world, "karim")
        worn_out(slow, world.ids["karim"])
        answer = visitor.get("/mon-dossier")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert read(answer.content).all("h1")[0].text == "La page est très occupée."

    @FAST
    def test_a_refusal_asks_nothing_of_the_base(self, world: World, slow: Rates):
        for who in ("sonia", "jeanne", "chu"):
            path = {"sonia": JEANNE, "jeanne": "/api/v1/me", "chu": "/fhir/Patient/{jeanne}"}[who].format(**world.ids)
            world.get(who, path)
            slow.spend(world.ids[who], 99)
            with world.statements() as asked:
                assert world.get(who, path).status_code == 429
            assert asked.sql == []

    @pytest.mark.threat("rate-weapon")
    def test_a_colleague_s_haste_stops_nobody_else(self, world: World, slow: Rates):
        worn_out(slow, world.ids["sonia"])
        assert world.get("leila", JEANNE.format(**world.ids)).status_code == 200

    @FAST
    def test_a_token_of_the_same_caller_is_the_same_caller(self, world: World, slow: Rates, house: House):
        one, other = (partner(world, house).json()["access_token"] for _ in range(2))
        worn_out(slow, house.chu)
        for token in (one, other):
            answer = world.client.get("/fhir/Patient", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 429


class TestProofs:
    @FAST
    def test_a_partner_asks_ten_tokens_at_once_here(self, world: World, slow: Rates, house: House):
        for _ in range(10):
            assert partner(world, house).status_code == 200
        with world.statements() as asked:
            answer = partner(world, house)
        refused(answer, 429, "temporarily_unavailable")
        assert (answer.headers["retry-after"], asked.sql) == ("1", [])

    @FAST
    def test_nor_asks_more_about_them(self, world: World, slow: Rates, house: House):
        token = partner(world, house).json()["access_token"]
        slow.spend(house.client_id, 9 * A_PROOF)
        said = {"token": token, "client_assertion_type": JWT_BEARER, "client_assertion": proof(house)}
        refused(world.client.post(INTROSPECT, data=said), 429, "temporarily_unavailable")

    @pytest.mark.threat("rate-weapon")
    def test_who_cannot_prove_it_spends_nothing_of_its_name(self, world: World, slow: Rates, house: House):
        for _ in range(12):
            refused(partner(world, house, proof(house, key=FORGED)), 401, "invalid_client")
        assert partner(world, house).status_code == 200

    @pytest.mark.threat("partner-failures-flood")
    def test_too_many_failures_hear_when_to_come_back(self, world: World, house: House, failures: Any):
        failures("proof", house.client_id, "unknown", count=partners.FAILURES.tries - 1)
        refused(partner(world, house, proof(house, key=FORGED)), 401, "invalid_client")
        answer = partner(world, house, proof(house, key=FORGED))
        refused(answer, 429, "temporarily_unavailable")
        assert answer.headers["retry-after"] == "900"

    @pytest.mark.threat("partner-failures-weapon")
    def test_the_partner_itself_enters_all_the_same_and_waits_for_nothing(
        self, world: World, house: House, failures: Any
    ):
        failures("proof", house.client_id, "unknown", count=1_000)
        failures("proofs", "unknown", count=1_000)
        start = time.monotonic()
        assert partner(world, house).status_code == 200
        assert time.monotonic() - start < throttle.SLOWEST / 2

    @pytest.mark.threat("partner-failures-flood")
    @pytest.mark.parametrize("named", ["nobody", None])
    def test_an_address_that_fails_much_is_slowed_whoever_it_names(
        self, world: World, house: House, failures: Any, named: str | None
    ):
        failures("proofs", "unknown", count=partners.FREE_PER_ADDRESS + 1)
        start = time.monotonic()
        said = proof(house, iss=named, sub=named) if named else "no proof at all"
        refused(partner(world, house, said), 401, "invalid_client")
        assert time.monotonic() - start > 2 * throttle.STEP


@pytest.fixture
def failures(world: World) -> Iterator[Any]:
    """As many failures as said, counted since now; forgotten after the test."""

    def kept(*what: str, count: int) -> None:
        key = throttle.key(world.keyring, *what)
        world.rows("DELETE FROM code_attempt WHERE key = $1", key)
        world.add(CodeAttempt(key=key, window_start=now(), count=count))

    yield kept
    world.rows("DELETE FROM code_attempt")
