"""The house of tests/security, in the base of the running app; a desk in front of an identity provider."""

import pytest

from tests.api.desk import desk, linked, own, provider, server, standing  # noqa: F401  fixtures
from tests.api.house import as_owner
from tests.security.conftest import House, built
from tests.world import World


@pytest.fixture
def house(world: World) -> House:
    return as_owner(world, built)
