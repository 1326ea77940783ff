"""Dates told in part (`1980-03`, `2026`), or too far for a column that holds days: what each covers, to be searched by.

Source: https://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from app.fhir.search.values import moment_of
from app.kernel.clock import PARIS, YEARS

Json = Mapping[str, Any]
FIRST, LAST = 1, 9999  # years that hold no moment in every zone
Span = list[str]  # the first day, and the first one after


def of(resource: Json, paths: Iterable[str]) -> dict[str, Span] | None:
    """Of these elements (`period.start`), those that no column of days holds; None for none."""
    found = {path: span for path in paths if (span := _span(_at(resource, path)))}
    return found or None


def kept(extra: Json, paths: Iterable[str]) -> dict[str, Span] | None:
    """The same, of what was kept beside a row (`app.fhir.keeping`)."""
    found = {path: span for path in paths if (span := _span(_kept(extra, path.split("."))))}
    return found or None


def _at(thing: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(thing, list):
            thing = thing[0] if len(thing) == 1 else None
        thing = thing.get(name) if isinstance(thing, Mapping) else None
    return thing


def _kept(extra: Json, names: list[str]) -> Any:
    first, *rest = names
    if first in extra.get("kept", {}):
        return _at({first: extra["kept"][first]}, ".".join(names))
    within = extra.get("within", {}).get(first, {})
    items = within.get("items", ())
    if len(items) == 1:
        within = items[0].get("left", {})
    return _kept(within, rest) if rest and within else None


def _span(text: Any) -> Span | None:
    if not isinstance(text, str):
        return None
    try:
        if len(text) >= len("2026-11-21") and int(text[:4]) in YEARS:
            return None  # `tddui.whole_day` holds it
        told = moment_of(text)
    except ValueError:
        return None
    if not FIRST < told.low.year <= told.high.year < LAST:
        return None
    low, high = (edge.astimezone(PARIS).date() for edge in (told.low, told.high))
    return [low.isoformat(), max(high, low + timedelta(days=1)).isoformat()]
