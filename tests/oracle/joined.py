"""The ways by which a row is reached through another: chains, `_has`, what comes along."""

from collections.abc import Callable, Iterator

from tests.oracle.answers import Ask, counted, entries, numbers
from tests.oracle.asked import asked
from tests.oracle.attached import attached
from tests.oracle.links import LINKS, Link, of_type
from tests.oracle.paths import Ids, Path
from tests.oracle.protected import protected
from tests.oracle.truth import Truth, Who
from tests.oracle.whole import whole
from tests.oracle.worlds import Drawn

# True of every row: what closes a chain is who may read the other row. The second says so of what a row is not.
ALWAYS, NEVER = "_lastUpdated=gt2000", "_id:not=00000000-0000-0000-0000-000000000000"


def joined(world: Drawn, who: Who) -> Iterator[Path]:
    for link in LINKS:
        yield from _through(link)
    yield from _twice()
    yield from whole(world, who)
    yield from asked(world, who)
    yield from attached(world, who)
    yield from protected(world, who)


def _through(link: Link) -> Iterator[Path]:
    here, there = f"/fhir/{link.type_name}", f"/fhir/{link.target}"

    def led(truth: Truth) -> Ids:
        return {row["id"] for row, _ in link.pairs(truth)}

    def leading(truth: Truth) -> Ids:
        return {to for _, to in link.pairs(truth)}

    own, theirs = of_type(link.type_name), of_type(link.target)
    named = f":{link.target}" if link.parameter != "patient" else ""
    chain, has = f"{here}?{link.parameter}{named}.", f"{there}?_has:{link.type_name}:{link.parameter}:"

    def path(family: str, ask: Ask, right: Callable[[Truth], Ids], whole: bool = True) -> Path:
        return Path(f"{family} {link}", ask, right, whole, about=str(link))

    for how, end in (("", ALWAYS), (" not", NEVER)):
        yield path(f"chain{how}", entries(f"{chain}{end}", "match"), led)
        yield path(f"has{how}", entries(f"{has}{end}", "match"), leading)
    # What came from a partner may tell less than its columns: then nothing comes along.
    yield path("include", entries(f"{here}?_include={link}"), lambda t: own(t) | leading(t), whole=False)
    yield path("revinclude", entries(f"{there}?_revinclude={link}"), lambda t: theirs(t) | led(t), whole=False)
    yield path("chain counted", counted(f"{chain}{ALWAYS}"), lambda t: numbers(led(t)))
    yield path("told", entries(f"{here}?{link.parameter}:missing=false", "match"), link.telling)


def _twice() -> Iterator[Path]:
    """Two hops: of each, the row in the middle counts as much as the one at the end."""
    based, part = (next(link for link in LINKS if str(link) == name) for name in ("Task:based-on", "Task:part-of"))

    def through(truth: Truth) -> Ids:
        middle = {row["id"] for row, _ in based.pairs(truth)}
        return {row["id"] for row, to in part.pairs(truth) if to in middle}

    def back(truth: Truth) -> Ids:
        middle = {to for _, to in part.pairs(truth)}
        return {to for row, to in based.pairs(truth) if row["id"] in middle}

    def iterated(truth: Truth) -> Ids:
        """What is part of an action, this action, and the projects of all of them."""
        first = {row["id"] for row, _ in part.sources(truth)}
        tasks = first | {to for _, to in part.pairs(truth)}
        return tasks | {to for row, to in based.pairs(truth) if row["id"] in tasks}

    yield Path("chain twice", entries(f"/fhir/Task?part-of.based-on.{ALWAYS}", "match"), through)
    yield Path("has twice", entries(f"/fhir/CarePlan?_has:Task:based-on:_has:Task:part-of:{ALWAYS}", "match"), back)
    iterate = "/fhir/Task?part-of:missing=false&_include=Task:part-of&_include:iterate=Task:based-on"
    yield Path("include twice", entries(iterate), iterated, whole=False)
