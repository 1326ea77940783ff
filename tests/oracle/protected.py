"""The ways to ask by what a protected place hides: a criterion finds nothing by it, nothing is put in order by it, no answer
says it (field.md §5). Who is of outside is answered as if the row had no such element.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson

from tests.oracle.answers import PAGE, Ask, counted, entries, numbers, resources, texts
from tests.oracle.facts import Line
from tests.oracle.links import of_type
from tests.oracle.paths import FHIR, NOT_SEARCHED, Ids, Path, searched
from tests.oracle.protecting import CODES, COUNTRIES, MAILS, NAMES, PHONES, TOWNS
from tests.oracle.told import OUTSIDE, as_sent, hidden, whose
from tests.oracle.truth import Truth, Who
from tests.oracle.worlds import Drawn

Value = Callable[[Line], Any]
KINDS = {"Patient": "usager", "RelatedPerson": "contact"}
VALUES = {
    "address-city": TOWNS, "address-country": COUNTRIES, "address-postalcode": CODES, "phone": PHONES, "email": MAILS,
    "telecom": (*PHONES, *MAILS), "address": TOWNS,
}  # fmt: skip
COLUMNS = {
    "address": ("address", "postal_code", "city", "country"), "address-city": ("city",), "phone": ("phone",),
    "address-country": ("country",), "address-postalcode": ("postal_code",), "email": ("email",),
    "telecom": ("phone", "email"), "name": ("family_name", "given_name"),
}  # fmt: skip
SORTED = ("address", "address-city", "address-country", "address-postalcode")
PERSONS = 4
WORD = re.compile("lieu([0-9a-f]{32})")
# Of each kind, what says where: the words of its row here are as hidden.
WHERE = {
    "usager": "address", "contact": "address", "stay": "class", "event": "practitioner", "transport": "owner",
    "school_period": "performer",
}  # fmt: skip
SPEAKING = {name: tuple(kind for kind in kinds if kind in WHERE) for name, kinds in FHIR.items() if {*kinds} & {*WHERE}}


def protected(world: Drawn, who: Who) -> Iterator[Path]:
    for name, kind in KINDS.items():
        values = VALUES | ({"name": NAMES} if kind == "contact" else {})
        for parameter, those in values.items():
            yield from _by(world, name, kind, parameter, those)
        for parameter in (*SORTED, *(("name",) if kind == "contact" else ())):
            yield from _sorted(name, kind, parameter)
    yield from _through()
    yield from _classes()
    yield from _in_words(world)
    yield from _houses(world)


def _tells(truth: Truth, kind: str, row: Line, parameter: str, value: str | None = None) -> bool:
    """To them, this element, of that value."""
    told = [row[column] for column in COLUMNS[parameter] if row[column]]
    if hidden(truth, kind, row, parameter):
        return False
    return bool(told) if value is None else any(_begins(one, value) for one in told)


def _begins(told: str, value: str) -> bool:
    return any(word.lower().startswith(value) for word in told.split())


def _found(kind: str, parameter: str, value: str | None = None, told: bool = True) -> Callable[[Truth], Ids]:
    def right(truth: Truth) -> Ids:
        return {row["id"] for row in truth.open(kind) if _tells(truth, kind, row, parameter, value) is told}

    return right


def _by(world: Drawn, name: str, kind: str, parameter: str, values: tuple[str, ...]) -> Iterator[Path]:
    place = f"/fhir/{name}?{parameter}"

    def path(family: str, ask: Ask, right: Callable[[Truth], Ids]) -> Path:
        return Path(f"protected {family} {name} {parameter}", ask, right, about=f"{name} {parameter}")

    for value in values:
        found = _found(kind, parameter, value)
        yield path("by", searched(f"{place}={value}"), found)
        yield path("total", counted(f"{place}={value}", "_total=accurate&_count=1"), _count(found))
        for person in world.persons[:PERSONS]:
            theirs = f"/fhir/Patient/{person.id}/{name}?{parameter}={value}"
            yield path("compartment", searched(theirs), _of(found, kind, person.id))
        if kind == "usager":
            yield path("chain", entries(f"/fhir/Task?patient.{parameter}={value}", "match"), _led("Task", found))
        else:
            led = entries(f"/fhir/Patient?_has:RelatedPerson:patient:{parameter}={value}", "match")
            yield path("has", led, _leading(kind, found))
    if parameter in ("phone", "email", "telecom"):
        others = _found(kind, parameter, values[0], told=False)
        yield path("not", entries(f"{place}:not={values[0]}"), others)
    yield path("told", searched(f"{place}:missing=false"), _found(kind, parameter))
    yield path("untold", searched(f"{place}:missing=true"), _found(kind, parameter, told=False))


def _count(right: Callable[[Truth], Ids]) -> Callable[[Truth], Ids]:
    return lambda truth: numbers(right(truth))


def _of(right: Callable[[Truth], Ids], kind: str, person: UUID) -> Callable[[Truth], Ids]:
    def theirs(truth: Truth) -> Ids:
        found = right(truth)
        rows = [row for row in truth.open(kind) if row["id"] in found]
        return {row["id"] for row in rows if (row["id"] if kind == "usager" else whose(truth, row)) == person}

    return theirs


def _led(name: str, there: Callable[[Truth], Ids]) -> Callable[[Truth], Ids]:
    def right(truth: Truth) -> Ids:
        persons = there(truth)
        return {row["id"] for kind in FHIR[name] for row in truth.open(kind) if whose(truth, row) in persons}

    return right


def _leading(kind: str, found: Callable[[Truth], Ids]) -> Callable[[Truth], Ids]:
    def right(truth: Truth) -> Ids:
        those, read = found(truth), of_type("Patient")(truth)
        return {whose(truth, row) for row in truth.open(kind) if row["id"] in those} & read

    return right


# In order


def _sorted(name: str, kind: str, parameter: str) -> Iterator[Path]:
    for sign in ("", "-"):
        about = f"{name} {sign}{parameter}"
        yield Path(f"protected order {about}", _ordered(name, kind, parameter, sign), of_type(name), about=about)


def _ordered(name: str, kind: str, parameter: str, sign: str) -> Ask:
    """By what is told to them; what is not comes last, by id."""

    def ask(world: Drawn, who: Who) -> Ids:
        truth, column = world.truths[who.name], COLUMNS[parameter][0]
        rows = {row["id"]: row for row in truth.open(kind)}
        place = f"/fhir/{name}?_sort={sign}{parameter}&_count={PAGE}"
        found = [UUID(one["id"]) for one in resources(world, who, place)]
        hides = [_hides(truth, kind, rows[id], parameter, column) for id in found if id in rows]
        told = [rows[id][column].lower() for id, none in zip(found, hides, strict=False) if not none]
        assert hides == sorted(hides), f"{parameter} puts a hidden row among the others"
        assert told == sorted(told, reverse=bool(sign)), f"{parameter} is not in order"
        last = [id for id, none in zip(found, hides, strict=False) if none]
        assert last == sorted(last, reverse=bool(sign)), f"{parameter} orders what it does not tell"
        return {*found}

    return ask


def _hides(truth: Truth, kind: str, row: Line, parameter: str, column: str) -> bool:
    return row[column] is None or hidden(truth, kind, row, parameter)


# What leads to a place, and what a stay says of its house


def _through() -> Iterator[Path]:
    """Who lives where: through what leads to someone else, as itself."""
    for value in TOWNS:
        far = f"/fhir/RelatedPerson?patient.address-city={value}"
        back = f"/fhir/Patient?address-city={value}&_revinclude=RelatedPerson:patient"
        found = _found("usager", "address-city", value)
        yield Path("protected chain far", entries(far, "match"), _led("RelatedPerson", found))

        def along(truth: Truth, found: Callable[[Truth], Ids] = found) -> Ids:
            return found(truth) | _led("RelatedPerson", found)(truth)

        yield Path("protected revinclude", entries(back), along)


def _classes() -> Iterator[Path]:
    """A house that receives, and not one that goes to the person: said of what is ours, but of a protected place."""

    def told(truth: Truth, yes: bool = True) -> Ids:
        stays = [row for row in truth.open("stay") if row["origin_partner_id"] is None]
        return {row["id"] for row in stays if hidden(truth, "stay", row, "class") is not yes}

    def said(truth: Truth) -> Ids:
        events = {row["id"] for row in truth.open("event") if row["origin_partner_id"] is None}
        return told(truth) | events

    yield Path("protected class", entries("/fhir/Encounter?class=IMP,HH"), told)
    yield Path("protected class told", entries("/fhir/Encounter?class:missing=false"), said)


# In words


def _in_words(world: Drawn) -> Iterator[Path]:
    for name, kinds in SPEAKING.items():
        rows = [(kind, row) for kind in kinds for row in world.facts.rows[kind]]
        some = rows[:: max(1, len(rows) // 6)]
        places = [f"/fhir/{name}/{row['id']}" for _, row in some]
        dated = [f"/fhir/{name}/{row['id']}/_history/{row['version']}" for _, row in some]

        def words(family: str, places: list[str], those: list[tuple[str, Line]], name: str = name) -> Path:
            return Path(f"protected words {family} {name}", _words(places), _spoken(those), False, name)

        yield words("found", [f"/fhir/{name}"], rows)
        yield words("past of all", [f"/fhir/{name}/_history"], rows)
        yield words("read", places, some)
        yield words("past", [f"{place}/_history" for place in places], some)
        yield words("vread", dated, some)
        for person in world.persons[:PERSONS]:
            place = f"/fhir/Patient/{person.id}"
            theirs = [(kind, row) for kind, row in rows if row["usager_id"] == person.id]
            them = [("usager", row) for row in world.facts.rows["usager"] if row["id"] == person.id]
            yield words("whole", [f"{place}/$everything?_type={name}"], theirs)
            yield words("compartment", [f"{place}/{name}"], theirs)
            if name not in NOT_SEARCHED:
                along = f"/fhir/Patient?_id={person.id}&_revinclude={name}:patient"
                yield words(
                    "along", [along, f"/fhir/{name}?patient={person.id}&_include={name}:patient"], theirs + them
                )


def _spoken(those: list[tuple[str, Line]]) -> Callable[[Truth], Ids]:
    """The rows that they read, and whose place may be told to them."""

    def right(truth: Truth) -> Ids:
        read = [(kind, row) for kind, row in those if truth.reads(kind, {**row, "deleted_at": None})]
        return {row["id"] for kind, row in read if not hidden(truth, kind, row, WHERE[kind])}

    return right


def _words(places: list[str]) -> Ask:
    def ask(world: Drawn, who: Who) -> Ids:
        told = (text for place in places for text in texts(world, who, place))
        return {UUID(word) for text in told for word in WORD.findall(text)}

    return ask


# In which house


def _houses(world: Drawn) -> Iterator[Path]:
    """The house that holds a row, where it is a refuge of its person."""
    for name, kinds in FHIR.items():
        refuges = world.facts.refuges
        rows = [row for kind in kinds for row in world.facts.rows[kind]]
        those = {row["id"]: row for row in rows if (row["usager_id"], row["structure_id"]) in refuges}

        def right(truth: Truth, those: dict[UUID, Line] = those) -> Ids:
            return {id for id, row in those.items() if truth.who.kind not in OUTSIDE or as_sent(truth, row)}

        for family, place in (("found", f"/fhir/{name}"), ("past", f"/fhir/{name}/_history")):
            yield Path(f"protected house {family} {name}", _housed(place, those), right, False, name)


def _housed(place: str, those: dict[UUID, Line]) -> Ask:
    """The rows that tell their house."""

    def ask(world: Drawn, who: Who) -> Ids:
        told = {UUID(one["id"]): orjson.dumps(one).decode() for one in resources(world, who, place)}
        return {id for id, text in told.items() if id in those and str(those[id]["structure_id"]) in text}

    return ask
