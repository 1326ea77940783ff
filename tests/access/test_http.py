"""What surrounds a write over REST: the key that makes it safe to repeat, the version that was read."""

from uuid import uuid4

import pytest

from tests.features.transmissions.test_rest import PATH, said, written
from tests.world import World


def where(answer: object) -> list[str]:
    return [e["where"] for e in answer.json()["errors"]]  # type: ignore[attr-defined]


class TestIdempotencyKey:
    @pytest.mark.threat("input-idempotency-key")
    @pytest.mark.parametrize("key", ["", "k" * 201])
    def test_empty_or_endless_is_unreadable(self, world: World, key: str):
        answer = world.post("sonia", PATH, said(world), headers={"Idempotency-Key": key})
        assert (answer.status_code, where(answer)) == (400, ["Idempotency-Key"])

    def test_of_two_hundred_characters_is_taken(self, world: World):
        key = uuid4().hex.ljust(200, "k")
        assert world.post("sonia", PATH, said(world), headers={"Idempotency-Key": key}).status_code == 201


class TestIfMatch:
    @pytest.mark.threat("object-if-match-star")
    @pytest.mark.parametrize("tag", ["1", '"un"', '"1", "2"', "*", '"1234567890"'])
    def test_that_is_no_version_is_unreadable(self, world: World, tag: str):
        headers = {**world.bearers["sonia"], "If-Match": tag}
        answer = world.client.patch(written(world), json={"text": "Autre."}, headers=headers)
        assert (answer.status_code, where(answer)) == (400, ["If-Match"])

    @pytest.mark.parametrize("tag", ['"1"', 'W/"1"', ' W/"1" '])
    def test_strong_or_weak_names_the_version_read(self, world: World, tag: str):
        headers = {**world.bearers["sonia"], "If-Match": tag}
        answer = world.client.patch(written(world), json={"text": "Autre."}, headers=headers)
        assert answer.status_code == 200
