"""Whom a bundle names without being of the house: found whole, and each entry looked through once."""

from collections.abc import Callable
from uuid import UUID

import pytest

from app.exchange.parties import Parties
from app.exchange.resolution import Named
from app.fhir.mapping import Json
from app.fhir.reading import Entry
from app.fhir.verbs.transaction import asked
from tests.counting import is_linear

BEFORE = {
    "Organization/before": Named("outside_party", UUID(int=901), None),
    "Goal/g": Named("goal", UUID(int=902), None),
}


def parties(*resources: Json) -> Parties:
    entries = tuple(
        Entry(n, f"Bundle.entry[{n}]", "", "POST", r["resourceType"], {}, r) for n, r in enumerate(resources)
    )
    ids = {n: UUID(int=n) for n in range(len(resources))}
    return Parties(asked(entries, range(len(entries))), ids, lambda _, target: BEFORE.get(target))


def naming(kind: str, id: str, *targets: str) -> Json:
    return {"resourceType": kind, "id": id, "element": [{"reference": target} for target in targets]}


def test_who_is_named_and_who_is_named_by_these() -> None:
    found = parties(
        naming("Goal", "a", "PractitionerRole/r", "Goal/b", "Goal/g"),
        naming("Goal", "b", "Organization/o"),
        naming("PractitionerRole", "r", "Practitioner/p", "Organization/before", "PractitionerRole/r"),
        naming("Practitioner", "p", "PractitionerRole/r"),
        naming("Organization", "o"),
    )
    assert [{id.int for id in found.of(place)} for place in (0, 1, 2)] == [{2, 3, 901}, {4}, {2, 3, 901}]


@pytest.mark.threat("input-compared-each-with-each")
@pytest.mark.parametrize("shape", ["one row that names all", "rows that name one and the same"])
def test_the_work_grows_as_the_bundle(shape: str) -> None:
    def act(n: int) -> Callable[[], object]:
        chain = [naming("Organization", f"{at}", f"Organization/{at + 1}") for at in range(n)]
        rows = {
            "one row that names all": [naming("Goal", "g", *(f"Organization/{at}" for at in range(n)))],
            "rows that name one and the same": [naming("Goal", f"g{at}", "Organization/0") for at in range(n)],
        }[shape]
        found = parties(*chain, *rows)
        for place in range(len(found.ids)):
            found.asked.leads(place)  # read by others before
        return lambda: [found.of(n + at) for at in range(len(rows))]

    assert is_linear(act, 100)
