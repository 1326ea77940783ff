"""Newcomers whom a partner sent and whom the secretary attached to someone who was here, drawn beside the rest of a house.

A newcomer keeps the identity that was declared; all that its sender told of them is, since, of the person who was here.
"""

from collections.abc import Iterator
from random import Random
from uuid import UUID

import orjson

from tests.dossier import FIRST, LOCAL, TABLES, Dossiers, Person, Values, lots
from tests.world import World

PARTNERS = ("chu", "mdph")
# Of the first persons of a house, of whom most is asked: by whom each was sent, once for each newcomer that they are.
SENT = (("chu",), ("mdph",), ("chu", "chu"), ("mdph", "chu"))
MORE = 0.3  # of their rows, beside those of any person: what a partner sent
OF_WHICH = frozenset({
    "need", "action", "service", "review", "event", "transport", "transmission", "document", "assessment", "goal", "mobility",
})  # fmt: skip
ONE_IN = 12  # of the others
REMEMBERED = 0.5  # of the rows told of someone, those of which it is remembered whom they named
POLICY = (  # what a version repeats of its row
    "organisation_id", "usager_id", "structure_id", "category", "visibility", "withheld_reason", "withheld_until",
    "reserved_to", "author_id", "author_kind", "occurred_at", "origin_partner_id", "origin_version", "held", "consigne",
    "minor_secret", "deleted_at",
)  # fmt: skip
Row = tuple[str, Values]
_columns: dict[str, Values] = {}  # of each table, all of them, empty


def attach(made: Dossiers, draw: Random, persons: list[Person]) -> Iterator[tuple[str, str]]:
    """Writes newcomers among the rows of `made`; gives what is to be written once these are."""
    world, names, versions = made.world, list[Values](), list[Values]()
    told_of: dict[UUID, list[Row]] = {}
    for kind, row in made.rows:
        told_of.setdefault(row["usager_id"], []).append((kind, row))
    for here in persons[: len(SENT)]:
        for kind, row in told_of[here.id]:
            if kind in OF_WHICH and draw.random() < MORE:
                row |= {"origin_partner_id": world.ids["chu"], "origin_version": 1, "version": 1}
    others = persons[len(SENT) :]
    senders = [*SENT, *((draw.choice(PARTNERS),) for _ in range(len(others) // ONE_IN))]
    for here, sent_by in zip(
        [*persons[: len(SENT)], *draw.sample(others, len(others) // ONE_IN)], senders, strict=True
    ):
        newcomers = [(_newcomer(made, world.ids[name]), world.ids[name]) for name in sent_by]
        names += [line for one, partner in newcomers for line in _names(world, one, here, partner)]
        for kind, row in told_of[here.id]:
            mine = [one for one, partner in newcomers if row.get("origin_partner_id") == partner]
            if mine and kind not in FIRST and row["version"] == row["origin_version"]:
                versions += _remembered(world, draw, (kind, row), mine, here)
    yield "DELETE FROM entry_version WHERE $1::text IS NOT NULL", "of the house before: some ids stay"
    yield from lots("external_id", names)
    yield from lots("entry_version", versions)


def _newcomer(made: Dossiers, partner: UUID) -> Person:
    one = made.newcomer("ime")
    came: Values = {"origin_partner_id": partner, "origin_version": 1, "held": True, "visibility": "not_shared"}
    made.row("usager", one, id=one.id, **came)
    return one


def _names(world: World, one: Person, here: Person, partner: UUID) -> Iterator[Values]:
    """What the sender called them, and the very row that it was told."""
    said = (f"person\0{one.id}", f"identifier\0Patient\0{LOCAL}\0{one.id.hex}")
    of = {"organisation_id": world.organisation, "partner_id": partner, "kind": "usager"}
    for name in said:
        fingerprint = world.keyring.blind(name, "external_id")
        yield {**of, "fingerprint": fingerprint, "row_id": one.id, "usager_id": here.id}


def _remembered(world: World, draw: Random, told: Row, newcomers: list[Person], here: Person) -> Iterator[Values]:
    """The version in which a row named a newcomer; of two, it is known by nothing else."""
    kind, row = told
    if len(newcomers) == 1 and draw.random() >= REMEMBERED:
        return
    then = draw.choice(newcomers)
    was = {**_empty(world, TABLES.get(kind, kind)), **row, "usager_id": then.id, "held": True, "deleted_at": None}
    bound = f"{kind}:{row['id']}:{row['version']}"
    yield {
        **{name: was.get(name) for name in POLICY},
        "entry_id": row["id"],
        "version": row["version"],
        "kind": kind,
        "at": row["updated_at"],
        "snapshot": then.key.seal(orjson.dumps(was, default=_plain), bound),
    }
    row |= {"version": row["version"] + 1, "origin_version": row["version"] + 1}
    if draw.random() < REMEMBERED:  # its sender's words name them as before
        kept = orjson.dumps({"known_as": str(then.id)})
        row["extra"] = here.key.seal(kept, f"extra:{kind}:{row['id']}")


def _empty(world: World, table: str) -> Values:
    if table not in _columns:
        asked = "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
        _columns[table] = {line["column_name"]: None for line in world.rows(asked, table)}
    return _columns[table]


def _plain(value: object) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
