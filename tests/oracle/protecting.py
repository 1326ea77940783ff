"""Protected places, drawn over the rows of a house: addresses, stays, schools, events, journeys (field.md §5).

Every other such row tells a place that is not protected: a word of its own, the same few towns for all.
"""

from random import Random
from typing import Any
from uuid import UUID

from tests.dossier import Dossiers, Person, Values

PROTECTED = 0.4
TOWNS, COUNTRIES, CODES = ("brest", "lyon", "nantes"), ("espagne", "france"), ("29200", "69003", "44000")
PHONES, MAILS = ("0298000001", "0478000002"), ("a@refuge.test", "b@refuge.test")
NAMES = ("abri", "havre", "refuge")
FLAGS = {
    "usager": "address_protected",
    "contact": "address_protected",
    "stay": "place_protected",
    "event": "place_protected",
    "transport": "place_protected",
    "school_period": "place_protected",
}


def protect(made: Dossiers, draw: Random, persons: list[Person]) -> None:
    for person in persons:
        if draw.random() < PROTECTED:
            _school(made, draw, person)
    for kind, row in made.rows:
        if kind in FLAGS:
            mine = row["usager_id"] == persons[0].id  # of whom most is asked
            row |= {FLAGS[kind]: mine or draw.random() < PROTECTED, **_place(draw, kind, row["id"])}


def word(id: UUID) -> str:
    """What the place of a row says of itself, and no other row says."""
    return f"lieu{id.hex}"


def _place(draw: Random, kind: str, id: UUID) -> Values:
    said = word(id)
    match kind:
        case "usager" | "contact":
            told = dict.fromkeys(("address", "postal_code", "city", "country", "phone", "email"))
            if draw.random() < 0.85:
                told |= {"address": said, "postal_code": draw.choice(CODES), "city": draw.choice(TOWNS)}
                told |= {"country": draw.choice(COUNTRIES)}
            if draw.random() < 0.7:
                told |= {"phone": draw.choice(PHONES), "email": draw.choice(MAILS)}
            return {**told, **(_named(draw) if kind == "contact" else {})}
        case "stay":
            return {"comment": said}
        case "event":
            return {"comment": said, "place": draw.choice(TOWNS)}
        case "transport":
            return {"description": said}
        case _:
            return {"comment": said, "school_name": draw.choice(NAMES) if draw.random() < 0.8 else None}


def _named(draw: Random) -> Values:
    """Someone, or a service, whose name says where it is."""
    return {"family_name": draw.choice(NAMES), "given_name": draw.choice((None, "Zoé"))}


def _school(made: Dossiers, draw: Random, person: Person) -> None:
    sent = draw.random() < 0.3
    told: dict[str, Any] = {
        "category": draw.choice(("administrative", "support")),
        "visibility": draw.choice(("shared", "shared", "not_shared")),
    }
    if sent:
        told |= {"origin_partner_id": made.world.ids["chu"], "origin_version": 1, "version": draw.choice((1, 2))}
    made.row("school_period", person, **told)
