"""`Idempotency-Key` on each POST of the REST API: asked twice, done once (decisions.md). That each handler looks at the
replay is read in its code, and in the functions of ours that it calls; what it then answers, in the tests of its feature.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from app.api.rest import rest

NOT_REPLAYED = {
    "/api/v1/me/session": "a login: its answer is a token, kept nowhere; again, another session",
    "/api/v1/me/notice": "the first day only is noted, whatever the key",
}


def posts() -> Iterator[tuple[str, Callable[..., Any]]]:
    for whole in rest().routes:
        for route in getattr(whole, "effective_route_contexts", lambda whole=whole: [whole])():
            if "POST" in route.methods:
                yield route.path, route.endpoint


def looks(handler: Callable[..., Any], seen: frozenset[Any] = frozenset()) -> bool:
    """Is the replay read, here or in a function of ours called by its own name?"""
    [whole] = ast.parse(textwrap.dedent(inspect.getsource(handler))).body
    nodes = [node for line in whole.body for node in ast.walk(line)]  # type: ignore[attr-defined]
    if any(isinstance(node, ast.Attribute) and node.attr == "replay" for node in nodes):
        return True
    names = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    called = [vars(sys.modules[handler.__module__]).get(name) for name in names]
    ours = {f for f in called if inspect.isfunction(f) and f.__module__.startswith("app.")} - seen
    return any(looks(f, seen | ours) for f in ours)


def test_each_post_replays_or_says_why_not() -> None:
    assert {path for path, handler in posts() if not looks(handler)} == set(NOT_REPLAYED)


def test_they_are_found() -> None:
    """Else the comparison would hold of nothing."""
    assert len(list(posts())) > 60
