"""Each parameter of each map, in each shape it can take: a statement that the base reads, under the name and type of R4."""

import asyncio
from collections.abc import Iterator
from functools import lru_cache

import asyncpg
import orjson
import pytest
from sqlalchemy import literal_column, select, true
from sqlalchemy.sql import visitors

from app.access.entry import Readable
from app.api.resources import REGISTRY
from app.fhir.mapping import AnyMap
from app.fhir.search.criteria import Around, Criterion
from app.fhir.search.query import condition, read
from app.kernel.crypto import Keyring
from app.kernel.errors import Unreadable
from app.kernel.hot import compiled
from tests.fhir import r4
from tests.postgres import TestDatabase

ID = "018f3c1e-0000-7000-8000-00000000abcd"
VALUES = {
    "composite": (),
    "date": ("2026", "ne2026-05-03", "ge2026-05,ap2026"),
    "quantity": ("5.4", "ge5|http://unitsofmeasure.org|h,lt3||h", "ne2"),
    "reference": (ID, f"{ID},x"),
    "string": ("a", "a,b"),
    "token": ("a", "s|a,s|", "|a"),
    "uri": ("http://x", "http://x,http://y"),
}
MODIFIED = {"identifier": ("urn:x|1", "1,2"), "missing": ("true", "false"), "text": ("a", "a,b")}


def asked_of(name: str, criterion: Criterion, profiles: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for value in VALUES[criterion.type])
    if criterion.type == "composite":
        yield from ((name, value) for value in (f"{ID}$appends", f"http://x|a$b,{ID}$replaces"))
    for modifier in criterion.modifiers:
        default = (ID,) if modifier[0].isupper() else VALUES[criterion.type]
        yield from ((f"{name}:{modifier}", value) for value in MODIFIED.get(modifier, default))
    yield from ((name, profile) for profile in profiles if name == "_profile")


def statements(one: AnyMap, keyring: Keyring) -> Iterator[tuple[str, str]]:
    for outside in (True, False):
        around = Around("http://127.0.0.1", keyring, one.type_name, outside=outside, lenient=True)
        for name, criterion in one.criteria.items():
            for said, value in asked_of(name, criterion, (one.profile, *one.also)):
                try:
                    [shape] = read([(said, value)], [one.criteria], around, lenient=True).shapes
                except Unreadable:  # `system|` alone, where values are kept as fingerprints
                    continue
                if shape is not None:
                    where = visitors.replacement_traverse(
                        condition(one.criteria, shape, 0),
                        {},
                        lambda part: true() if isinstance(part, Readable) else None,
                    )
                    told = select(literal_column("1").label("found")).select_from(one.view.TABLE).where(where)
                    yield f"{one.type_name} {said}={value}", compiled(told).sql


def test_each_shape_of_each_parameter_is_read_by_the_base(database: TestDatabase):
    every = [said for one in REGISTRY.maps for said in statements(one, Keyring({}, b"", b"k" * 32))]

    async def prepare() -> list[str]:
        connection = await asyncpg.connect(database.owner_url)
        wrong = []
        for named, sql in every:
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError as exc:
                wrong.append(f"{named}: {exc}")
        await connection.close()
        return wrong

    assert len(every) > 1_000
    assert asyncio.run(prepare()) == []


@lru_cache(maxsize=1)
def registry() -> dict[tuple[str, str], dict[str, object]]:
    """R4's parameters by type and name. Source: https://hl7.org/fhir/R4/searchparameter-registry.html"""
    found = {}
    for path in r4.files("SearchParameter-*.json"):
        one = orjson.loads(path.read_bytes())
        if str(one.get("url", "")).startswith("http://hl7.org/fhir/SearchParameter/"):
            found |= {(base, one["code"]): one for base in one.get("base", ())}
    return found


@pytest.mark.once
def test_each_parameter_bears_the_name_and_the_type_of_r4():
    known = registry()
    said = [
        (one.type_name, name, c.type) for one in (*REGISTRY.maps, *REGISTRY.beside) for name, c in one.criteria.items()
    ]
    found = {(kind, name): known.get((kind, name)) or known.get(("Resource", name)) for kind, name, _ in said}
    assert [each for each, one in found.items() if one is None] == []
    assert [(kind, name, of) for kind, name, of in said if (found[kind, name] or {})["type"] != of] == []
