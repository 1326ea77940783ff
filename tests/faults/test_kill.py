"""kill -9 in the middle of the work: nothing acknowledged is lost, no act is without trace, no trace without act."""

import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.house import House, a_house, chain_holds, load_of, wrongs

FEW, MANY, RESTARTS = 3, 100, 3
KILLED = pytest.mark.threat("fault-killed-under-load")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with a_house(tmp_path_factory.mktemp("house")) as made:
        yield made


def survives(house: House, trials: int, what: str) -> str:
    """What it counted."""
    chance = random.Random(trials)
    load = load_of(house)
    for trial in range(trials):
        with load_of(house) as now:
            now.under_way()
            time.sleep(chance.random() / 2)
            if what == "application":
                house.kill()
            else:
                house.kill_postgres()
        load.written |= now.written
        load.read |= now.read
        if what == "application":
            house.open()
        else:
            house.start_postgres()
            house.wait()
        assert not any(wrongs(house, load).values()), (trial, wrongs(house, load))
    assert chain_holds(house)
    return f"kill -9 of {what}: {trials} trials, {len(load.written)} notes acknowledged, {len(load.read)} read again, none lost"


@KILLED
@pytest.mark.parametrize("what", ["application", "postgres"])
def test_a_few_kills_lose_nothing(house: House, what: str, figure: Callable[[str], None]) -> None:
    figure(survives(house, FEW, what))


@KILLED
@pytest.mark.long
@pytest.mark.parametrize("what", ["application", "postgres"])
def test_a_hundred_kills_lose_nothing(house: House, what: str, figure: Callable[[str], None]) -> None:
    figure(survives(house, MANY, what))


@pytest.mark.threat("fault-postgres-restarted-under-load")
def test_postgres_restarted_under_load_is_waited_for(house: House) -> None:
    """Meanwhile each request is refused or cut; then all goes on, with nobody's help: the application never restarts."""
    with load_of(house) as load:
        for _ in range(RESTARTS):
            load.under_way()
            house.restart_postgres()
            house.wait()
            load.under_way()
    assert load.statuses <= {201, 200, 503}
    assert not any(wrongs(house, load).values()), wrongs(house, load)
    assert chain_holds(house)
