"""What each act of the trail is told as: none is told as something else, none is forgotten."""

import ast
import importlib
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import pytest

from app.access.acts import Act
from app.access.permissions import Action
from app.audit.vocabulary import DEEDS
from app.kernel.ids import uuid7
from tests.features.access_log.facts import trace
from tests.features.access_log.test_rest import visits
from tests.world import World

APP = Path(__file__).parents[3] / "app"
# Where the name of an act stands, among the arguments of who writes it in the trail.
PLACES = {
    "tell": 0, "traced": 2, "trace_system": 2, "trace_account": 2, "trace": 2, "refuse_unknown": 2, "told": 2,
    "_told": 1, "_decided": 3,
}  # fmt: skip


def acts_of(file: Path) -> Iterator[str]:
    """Every word of a call that writes a line, or changes a row under the name of an act."""
    tree = ast.parse(file.read_text())
    module = None
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        said = [word.value for word in call.keywords if word.arg == "action"]
        if name in PLACES and len(call.args) > PLACES[name] and len(call.args) > 1:
            said.append(call.args[PLACES[name]])
        for word in said:
            if isinstance(word, ast.Constant):
                yield word.value
            elif isinstance(word, ast.Name | ast.Attribute):
                module = module or importlib.import_module(".".join(file.relative_to(APP.parent).with_suffix("").parts))
                try:
                    yield attrgetter(ast.unparse(word))(module)
                except AttributeError:
                    continue  # an argument of the function around: its own callers say it


def test_every_act_that_the_trail_can_hold_has_its_deed():
    found = {str(word) for file in APP.rglob("*.py") for word in acts_of(file) if isinstance(word, str)}
    assert {"send", "hand_over", "attach", "erase", "explain", "change_password", "prepare_copy"} <= found
    assert (found | {*map(str, Action)} | {*map(str, Act)}) - set(DEEDS) == set()


@pytest.mark.parametrize("act", sorted(DEEDS))
def test_it_is_told_as_what_it_is(world: World, act: str):
    trace(world, "karim", uuid7(), action=act)
    assert visits(world, "karim")[0]["deed"] == DEEDS[act]


def test_an_act_of_no_known_name_is_never_told_as_written(world: World):
    trace(world, "karim", uuid7(), action="of_another_version")
    assert visits(world, "karim")[0]["deed"] == "acted"
