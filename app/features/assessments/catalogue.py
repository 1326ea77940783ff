"""The grids as they are read: `Questionnaire` for FHIR, a list for REST. They are about nobody: no trace, no dossier.

Source: https://hl7.org/fhir/R4/questionnaire.html
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement
from starlette.responses import Response

from app.access.reading import Reading
from app.features.assessments import grids
from app.features.assessments.grids import Grid
from app.fhir import paging
from app.fhir.packages.held import held
from app.fhir.registry import Beside
from app.fhir.search.criteria import Around, Asked, Bind, Criterion
from app.fhir.search.names import ranks_of, unknown
from app.fhir.search.values import BadValue, alternatives
from app.fhir.types import Bundle, BundleEntry, BundleLink, EntrySearch, moment
from app.fhir.verbs.asking import out_of_scope
from app.kernel.answers import FHIR_JSON, told
from app.kernel.clock import now
from app.kernel.errors import NotFound, Unreadable
from app.security import scopes
from app.security.principal import Partner

TYPE = "Questionnaire"
OF_THE_ANSWER = frozenset({"_format", "_count", "_total", "_sort"})  # they are few: told whole


class InHand(Criterion):
    """Looked for among the grids in memory: no SQL."""

    type: ClassVar = "token"

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        return Asked("any", tuple(alternatives(text)))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        raise NotImplementedError

    def told(self) -> ColumnElement[bool]:
        raise NotImplementedError


class WordsInHand(InHand):
    type: ClassVar = "string"


class AddressInHand(InHand):
    type: ClassVar = "uri"


CRITERIA: dict[str, Criterion] = {
    "_id": InHand(), "name": WordsInHand(), "status": InHand(), "title": WordsInHand(), "url": AddressInHand(),
    "version": InHand(),
}  # fmt: skip
QUESTIONNAIRES = Beside(
    TYPE,
    "http://hl7.org/fhir/StructureDefinition/Questionnaire",
    CRITERIA,
    "Les grilles d'évaluation : SERAFIN-PH, et celles des paquets installés (dui fhir install).",
)


async def every(reading: Reading) -> list[Grid]:
    """Ours first; of two of the same name and version, the first."""
    await reading.signed_in()
    found = {grid.named: grid for grid in reversed(grids.of(await held(reading)))}
    return list(reversed(found.values()))


async def one(reading: Reading, id: str) -> Grid | None:
    return next((grid for grid in await every(reading) if grid.resource["id"] == id), None)


async def read(reading: Reading, id: str) -> Response | None:
    """None when it is no grid of ours: then a partner's, kept as it came."""
    _check_scope(reading, "r")
    grid = await one(reading, id)
    return told(grid.resource, FHIR_JSON) if grid else None


async def search(reading: Reading, origin: str, said: Sequence[tuple[str, str]], *, lenient: bool) -> Response:
    """Raises Unreadable for a parameter that this type has not."""
    _check_scope(reading, "s")
    tests = list(_tests(said, lenient=lenient))
    found = [grid.resource for grid in await every(reading) if all(test(grid.resource) for _, _, test in tests)]
    link = BundleLink("self", paging.first(origin, TYPE, tuple((name, text) for name, text, _ in tests)))
    entries = tuple(
        BundleEntry(fullUrl=f"{origin}/fhir/{TYPE}/{each['id']}", resource=each, search=EntrySearch("match"))
        for each in found
    )
    whole = Bundle(type="searchset", timestamp=moment(now()), total=len(found), link=(link,), entry=entries)
    return told(whole, FHIR_JSON)


def _tests(said: Sequence[tuple[str, str]], *, lenient: bool) -> Iterator[tuple[str, str, Callable[[Any], bool]]]:
    for rank, (name, text) in zip(ranks_of(said), said, strict=True):
        base, _, modifier = name.partition(":")
        if base in OF_THE_ANSWER:
            continue
        of_text = CRITERIA[base].type == "string" if base in CRITERIA else False
        if base not in CRITERIA or (modifier and not (of_text and modifier in ("exact", "contains"))):
            if lenient:
                continue
            names = ", ".join(sorted(CRITERIA))
            where = base if base in CRITERIA else unknown(base, rank, CRITERIA)[0]
            raise Unreadable(f"Une grille se cherche par : {names}.", where=where, code="unknown_parameter")
        try:
            yield name, text, _wanted(base.removeprefix("_"), alternatives(text), modifier or ("starts" * of_text))
        except BadValue as bad:
            raise Unreadable(f"{base} : {bad}.", where=base, code="bad_value") from None


def _wanted(element: str, pieces: list[str], how: str) -> Callable[[Any], bool]:
    def wanted(resource: Any) -> bool:
        value = str(resource.get(element, ""))
        match how:
            case "starts":
                return any(_plain(value).startswith(_plain(piece)) for piece in pieces)
            case "contains":
                return any(_plain(piece) in _plain(value) for piece in pieces)
            case _:
                return value in [piece.rpartition("|")[2] if element == "status" else piece for piece in pieces]

    return wanted


def _plain(text: str) -> str:
    """Case and accents do not count. https://hl7.org/fhir/R4/search.html#string"""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _check_scope(reading: Reading, letter: str) -> None:
    who = reading.principal
    if isinstance(who, Partner) and not scopes.cover(who.scopes, TYPE, letter):
        raise out_of_scope(TYPE, letter)


def line(grid: Grid) -> dict[str, Any]:
    """What REST lists of a grid."""
    told = {name: grid.resource.get(name) for name in ("id", "url", "version", "title", "status", "description")}
    return {**told, "category": grids.category_of(grid.url).value, "shipped": grid.shipped}


async def listed(reading: Reading) -> Response:
    return told({"items": [line(grid) for grid in await every(reading)]})


async def whole(reading: Reading, id: str) -> Response:
    """Raises NotFound."""
    grid = await one(reading, id)
    if grid is None:
        raise NotFound("Cette grille n'est pas sur ce serveur.", code="questionnaire.unknown")
    return told({**line(grid), "questionnaire": grid.resource})
