"""What a JSON Patch may make of a resource: no deeper than what is read, and its Binary is R4's base64."""

import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.exchange import inbound
from app.fhir.mapping import Json
from app.fhir.verbs import patch
from app.kernel.depth import MAX_DEPTH
from app.kernel.errors import DuiError, Invalid, Unreadable
from tests.fhir.test_read import outcome
from tests.fhir.test_writing import asked, kept
from tests.world import World

OPERATIONS = [{"op": "replace", "path": "/status", "value": "inactive"}]


def flag(**more: Any) -> Json:
    inner = {"url": "https://x.test/a", "extension": [{"url": "https://x.test/b", "valueString": "z"}]}
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "a"},
        "subject": {"reference": "Patient/p"},
        "extension": [inner],
        **more,
    }


def nested(levels: int) -> Any:
    """Extensions, each in the last: two levels each, an odd one for the innermost list."""
    value: Any = {"url": "https://x.test/a", "valueString": "z"}
    for _ in range((levels - 1) // 2):
        value = {"url": "https://x.test/a", "extension": [value]}
    return value


def copies() -> list[Json]:
    """Each copy goes into its own depth, which doubles."""
    operations, deep = [], "/extension/0"
    for at in range(9):
        operations.append({"op": "copy", "from": "/extension/0", "path": f"{deep}/extension/0"})
        deep += "/extension/0" * 2**at
    return operations


def additions(levels: int = 49) -> list[Json]:
    """Each puts as deep a value as is read at the bottom of the last."""
    step = "/extension/0" * ((levels - 1) // 2)
    return [
        {"op": "add", "path": f"/extension/0{(step + '/extension') * at}/extension", "value": [nested(levels)]}
        for at in range(12)
    ]


def moves() -> list[Json]:
    chain = [
        {"op": "add", "path": "/extension/-", "value": nested(41)},
        {"op": "add", "path": "/extension/-", "value": nested(41)},
    ]
    return [*chain, {"op": "move", "from": "/extension/1", "path": "/extension/1" + "/extension/0" * 20 + "/extension"}]


@pytest.mark.threat("input-patch-depth")
@pytest.mark.parametrize("operations", [copies(), additions(), moves()], ids=["copy", "add", "move"])
def test_what_would_be_too_deep_is_refused_at_its_operation(operations: list[Json]) -> None:
    with pytest.raises(Unreadable) as no:
        patch.patched(flag(), operations, "Flag")
    assert no.value.told == "too_deep"
    assert (no.value.where, no.value.message[:13]) == ("Flag", "Opération n° ")


@pytest.mark.threat("input-patch-depth")
@pytest.mark.parametrize("operations", [copies(), additions(), moves()], ids=["copy", "add", "move"])
def test_what_would_be_too_deep_is_refused_at_the_door(world: World, operations: list[Json]) -> None:
    told = kept(world)
    start = {"op": "add", "path": "/extension", "value": flag()["extension"]}
    answer = asked(world, "PATCH", f"Flag/{told['id']}", [start, *operations])
    assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (400, "too_deep")
    assert world.get("chu", f"/fhir/Flag/{told['id']}").json() == told


@pytest.mark.threat("input-patch-depth")
@pytest.mark.parametrize("op", ["add", "replace"])
def test_as_deep_as_what_is_read_is_taken(op: str) -> None:
    def put(levels: int) -> Json:
        value = nested(levels)
        return patch.patched(flag(), [{"op": op, "path": "/extension/0", "value": value}], "Flag")

    assert put(MAX_DEPTH - 3)["extension"][0] == nested(MAX_DEPTH - 3)
    with pytest.raises(Unreadable) as no:
        put(MAX_DEPTH - 1)
    assert no.value.told == "too_deep"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "copy", "path": "/extension/-"},
        {"op": "copy", "from": "/nothing", "path": "/extension/-"},
        {"op": "move", "from": "/extension/9", "path": "/extension/-"},
        {"op": "add", "from": "/extension/0", "value": 1},
        {"op": "add", "path": "/extension/~3", "value": 1},
    ],
)
def test_a_place_that_is_nowhere_is_told_as_such(operation: Json) -> None:
    with pytest.raises(Invalid) as no:
        patch.patched(flag(), [operation], "Flag")
    assert no.value.told == "patch.path"


def binary(data: str) -> Json:
    return {"resourceType": "Binary", "contentType": patch.JSON_PATCH, "data": data}


@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "\t"])
def test_base64_on_several_lines_is_read(blank: str) -> None:
    data = b64encode(orjson.dumps(OPERATIONS)).decode()
    lines = blank.join(data[at : at + 20] for at in range(0, len(data), 20))
    assert patch.of_binary(binary(f"{blank}{lines}{blank}"), "Binary") == OPERATIONS


@pytest.mark.parametrize("data", ["a", "é===", "YQ=", "Y*Q="])
def test_what_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(DuiError) as no:
        patch.of_binary(binary(data), "Binary")
    assert no.value.status == 400


@pytest.mark.threat("input-patch-copies")
@pytest.mark.parametrize("op", ["copy", "move"])
def test_what_its_operations_take_from_elsewhere_is_counted_together(op: str) -> None:
    """A hundred copies of a long element, each in the place of the last, would be a second of work for 6 kB sent."""
    long = {**flag(), "extension": [{"url": "https://x.test/a", "valueString": "a" * 100_000}]}
    there = ["/extension", "/modifierExtension"]
    each = [{"op": op, "from": there[at % 2], "path": there[(at + 1) % 2]} for at in range(20)]
    patch.patched(long, each[:2], "Flag")
    with pytest.raises(Invalid) as no:
        patch.patched(long, each, "Flag")
    assert (no.value.told, no.value.where) == ("too_long", "Flag")


@pytest.mark.threat("input-patch-copies")
def test_a_patch_is_applied_and_judged_beside_the_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes may change much."""
    where: dict[str, str] = {}

    def noted(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            where[name] = threading.current_thread().name
            return act(*args, **more)

        return run

    told = kept(world)
    monkeypatch.setattr(patch, "patched", noted("patched", patch.patched))
    monkeypatch.setattr(inbound, "tolerated", noted("judged", inbound.tolerated))
    assert asked(world, "PUT", f"Flag/{told['id']}", {**told, "status": "inactive"}).status_code == 200
    loop = where["judged"]
    said = [{"op": "replace", "path": "/status", "value": "active"}]
    assert asked(world, "PATCH", f"Flag/{told['id']}", said).status_code == 200
    assert {where["patched"] == loop, where["judged"] == loop} == {False}
