"""How an answer is shown: laid out, its main elements only, or those asked for. Nothing is shown that was not told.

Applied to what the verbs answered, only when asked: no verb knows of it. What was cut is marked SUBSETTED, so that nobody
writes it back as if it were whole. Sources: https://hl7.org/fhir/R4/http.html#parameters, search.html#summary
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from app.fhir.known_types import CARRIED
from app.fhir.rules import RULES, broken
from app.fhir.search.names import Left
from app.fhir.shapes import shape
from app.kernel.errors import Fault, Unreadable

Json = dict[str, Any]
Pairs = list[tuple[str, str]]
PARAMETERS = ("_pretty", "_summary", "_elements")
SUMMARIES = ("true", "text", "data", "count", "false")
ALWAYS = frozenset({"resourceType", "id", "meta"})
WHOLE = frozenset(
    {"Bundle", "OperationOutcome", "CapabilityStatement", "Parameters"}
)  # envelopes: what is in them is cut
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
NAME = re.compile(r"(?:[A-Z][A-Za-z]{0,63}\.)?[a-z][A-Za-z0-9]{0,63}(?:\[x\])?", re.ASCII)
_WORD = re.compile(r"[A-Za-z]+").findall
NAMES_MOST = 50


@dataclass(frozen=True, slots=True)
class Shown:
    pretty: bool = False
    summary: str = "false"
    elements: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()  # what the links of the pages that follow repeat

    def body(self, told: bytes) -> bytes:
        """An answer in JSON, as it was asked to be shown."""
        thing = orjson.loads(told)
        if self.summary != "false" or self.elements:
            thing = self._cut(thing)
        if isinstance(thing, dict) and self.said:
            thing = self._linked(thing)
        return orjson.dumps(thing, option=orjson.OPT_INDENT_2 if self.pretty else 0)

    def _cut(self, thing: Json) -> Json:
        kind = str(thing.get("resourceType"))
        if kind == "Bundle":
            return {**thing, "entry": [self._entry(e) for e in thing["entry"]]} if "entry" in thing else thing
        if kind in WHOLE or kind not in CARRIED:
            return thing
        keeps = self._keeps(kind)
        kept = {name: value for name, value in thing.items() if keeps(name.removeprefix("_"))}
        if len(kept) == len(thing):
            return thing
        kept = {name: value for name, value in thing.items() if name in kept or name in _asked_by_rules(kept, thing)}
        about = dict(kept.get("meta") or {})
        return {**kept, "meta": {**about, "tag": [*about.get("tag", ()), SUBSETTED]}}

    def _entry(self, entry: Json) -> Json:
        return {**entry, "resource": self._cut(entry["resource"])} if "resource" in entry else entry

    def _keeps(self, kind: str) -> Callable[[str], bool]:
        if self.summary == "data":
            return lambda name: name != "text"
        named: Iterable[str] = ("text",)
        if self.summary == "true":
            named = summary_of(kind)
        elif self.elements:
            named = (e.rpartition(".")[2] for e in self.elements if e.partition(".")[0] in (kind, e))
        wanted = {each.removesuffix("[x]") for each in named}
        parts = shape(kind).parts
        kept = ALWAYS | mandatory(kind) | wanted | {n for n, part in parts.items() if part.choice in wanted}
        return kept.__contains__

    def _linked(self, thing: Json) -> Json:
        """The pages that follow are shown alike."""
        if thing.get("resourceType") != "Bundle" or not thing.get("link"):
            return thing
        return {**thing, "link": [{**each, "url": self._repeated(str(each["url"]))} for each in thing["link"]]}

    def _repeated(self, url: str) -> str:
        told = "&".join(f"{name}={text}" for name, text in self.said)
        return f"{url}{'&' if '?' in url else '?'}{told}"


def read(pairs: Iterable[tuple[str, str]]) -> tuple[Shown | None, Sequence[tuple[str, str]]]:
    """How the answer is to be shown (None: as it is), and the parameters that are left for the verb.

    Raises Unreadable. `_summary=count` is the total alone: the verb is asked `_count=0`.
    """
    asked: dict[str, str] = {}
    left, ranks = Pairs(), list[int]()
    for rank, (name, text) in enumerate(pairs):
        if name not in PARAMETERS:
            left.append((name, text))
            ranks.append(rank)
        elif name in asked:
            raise _bad(name, f"{name} ne se dit qu'une fois.")
        else:
            asked[name] = text
    if not asked:
        return None, left
    if asked.get("_pretty", "true") not in ("true", "false"):
        raise _bad("_pretty", "_pretty attend true ou false.")
    summary = asked.get("_summary", "false")
    if summary not in SUMMARIES:
        raise _bad("_summary", f"_summary attend {', '.join(SUMMARIES[:-1])} ou false.")
    elements = tuple(asked["_elements"].split(",")) if "_elements" in asked else ()
    if len(elements) > NAMES_MOST or not all(map(NAME.fullmatch, elements)):
        raise _bad(
            "_elements", f"_elements attend des noms d'éléments, séparés par une virgule ({NAMES_MOST} au plus)."
        )
    if elements and summary != "false":
        raise _bad("_elements", "Demandez _elements ou _summary, pas les deux.")
    if summary == "count":
        kept = [each for each in zip(left, ranks, strict=True) if each[0][0] != "_count"]
        left, ranks = [*(pair for pair, _ in kept), ("_count", "0")], [*(rank for _, rank in kept), len(ranks)]
        summary = "false"
    said = tuple((name, asked[name]) for name in PARAMETERS if name in asked)
    return Shown(asked.get("_pretty") == "true", summary, elements, said), Left.of(left, ranks)


def _asked_by_rules(kept: Json, whole: Json) -> frozenset[str]:
    """The elements without which what is kept breaks a rule of R4 that the whole follows."""
    kind = str(whole["resourceType"])
    asking = (rule.expression for rule in RULES.get(kind, ()) if broken(kept, (rule,)))
    words = frozenset(word for each in asking for word in _WORD(each))
    return frozenset(name for name in whole if name in words or _stem(name, kind) in words)


def _stem(name: str, kind: str) -> str:
    part = shape(kind).parts.get(name.removeprefix("_"))
    return part.choice if part else ""


@lru_cache
def summary_of(kind: str) -> frozenset[str]:
    """The elements that R4 marks Σ."""
    from fhir.resources.R4B import get_fhir_model_class

    return frozenset(get_fhir_model_class(kind).summary_elements_sequence())


@lru_cache
def mandatory(kind: str) -> frozenset[str]:
    return frozenset(name for _, names in shape(kind).required for name in names)


def _bad(name: str, sentence: str) -> Unreadable:
    return Unreadable(sentence, faults=[Fault(name, "bad_parameter", sentence)])
