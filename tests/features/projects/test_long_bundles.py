"""Many projects, agreements and means in one bundle: each is read as often as it is there."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.features.projects.fhir import agreements, tasks
from app.fhir.mapping import Inbound, Neighbours
from app.kernel.crypto import Keyring, UsagerKey
from tests.counting import is_linear
from tests.exchange.bundles import consent, discriminated, plan

Keys = tuple[UsagerKey, Keyring]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keyring = Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json", demo=True)
    return keyring.new_usager_key(str(UUID(int=1)))[0], keyring


def inbound(keys: Keys, at: int, around: Neighbours) -> Inbound:
    local = {name: UUID(name.partition("/")[2]) for name in around}
    return Inbound(UUID(int=at), UUID(int=1), UUID(int=2), UUID(int=3), *keys, "Bundle", local=local, around=around)


def id(kind: int, at: int) -> str:
    return str(UUID(int=kind * 10_000 + at))


@pytest.mark.threat("input-compared-each-with-each")
def test_projects_are_looked_through_once_for_all_agreements(keys: Keys) -> None:
    def act(n: int) -> Callable[[], object]:
        around = Neighbours()
        for at in range(n):
            cited = {**discriminated("accordStructure"), "reference": f"Consent/{UUID(int=at)}"}
            around[f"CarePlan/{id(1, at)}"] = {**plan(id=id(1, at)), "supportingInfo": [cited]}

        def receive() -> None:
            for at in range(n):
                row: Any = agreements.from_fhir({**consent(), "performer": []}, inbound(keys, at, around)).row
                assert str(row.project_id) == id(1, at)

        return receive

    assert is_linear(act, 40)


@pytest.mark.threat("input-compared-each-with-each")
def test_actions_are_read_once_for_all_means(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    n, reads = 10, []
    base = f"CarePlan/{id(1, 0)}"
    actions = {f"Task/{id(2, at)}": {"resourceType": "Task", "basedOn": [{"reference": base}]} for at in range(n)}
    around = Neighbours({base: plan(id=id(1, 0)), f"CarePlan/{id(1, 1)}": plan(id=id(1, 1)), **actions})
    mean = {"resourceType": "Task", "partOf": [{"reference": name} for name in actions] * 2}

    def heard(kind: Any, thing: Any) -> Any:
        reads.append(1)
        return read(kind, thing)

    read = tasks.heard
    monkeypatch.setattr(tasks, "heard", heard)
    for at in range(n):
        row: Any = tasks.means_from_fhir(mean, inbound(keys, at, around)).row
        assert str(row.project_id) == id(1, 0)
    assert len(reads) <= n + len(actions)
