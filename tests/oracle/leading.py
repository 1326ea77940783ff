"""What rows of a world lead to, written once they all stand: to another of the same person, to someone of a bundle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import orjson

from app.kernel.ids import uuid7
from tests.dossier import LOCAL, TABLES, THEN, lots
from tests.world import World

Ids = dict[tuple[str, UUID], list[UUID]]  # of the rows drawn, by kind and person
PARTIES, TYPES = 24, ("Organization", "Organization", "Practitioner", "PractitionerRole")


@dataclass(frozen=True)
class Lead:
    """A column of a kind, and the kinds it leads to."""

    kind: str
    column: str
    targets: tuple[str, ...]

    def drawn(self, draw: Random, rows: Ids) -> Iterator[tuple[UUID, UUID]]:
        for (kind, person), mine in rows.items():
            theirs = [id for target in self.targets for id in rows.get((target, person), ())]
            for id in mine if kind == self.kind else ():
                others = [other for other in theirs if other != id]
                if others and draw.random() < 0.8:
                    yield id, draw.choice(others)


LATER = (
    Lead("project", "replaces_id", ("project",)),
    Lead("document", "replaces_id", ("document", "transmission")),
    Lead("document", "encounter_id", ("event", "stay")),
    Lead("event", "stay_id", ("stay",)),
    Lead("assessment", "event_id", ("event",)),
    Lead("presence", "schedule_id", ("presence_schedule",)),
)
DANGLING = LATER[1:]  # no constraint of the base holds these: what arrived may lead to nothing
NAMING = (("orientation_request", "mdph_id"), ("transport", "carrier_id"))


def lead(world: World, draw: Random, rows: Ids) -> None:
    """Most rows that may lead somewhere do; some persons were merged into another; few bundles named someone."""
    said = [pointing(one.kind, one.column, one.drawn(draw, rows)) for one in LATER]
    people = [id for (kind, _), ids in rows.items() if kind == "usager" for id in ids]
    merged = draw.sample(people[1:], len(people) // 8) if len(people) > 8 else []
    said.append(pointing("usager", "merged_into_id", [(id, draw.choice(people)) for id in merged]))
    world.write([*said, *_parties(world, draw, rows), *_names(world, draw, people)])


def pointing(kind: str, column: str, pairs: Iterable[tuple[UUID, UUID]]) -> tuple[str, str]:
    table, told = TABLES.get(kind, kind), [{"id": id, "leads": to} for id, to in pairs if id != to]
    said = "json_to_recordset($1::json) AS said(id uuid, leads uuid)"
    return f"UPDATE {table} SET {column} = said.leads FROM {said} WHERE {table}.id = said.id", _json(told)


def _parties(world: World, draw: Random, rows: Ids) -> Iterator[tuple[str, str]]:
    """Whom partners named; a row that names one says so beside, or has forgotten to."""
    those = [uuid7() for _ in range(PARTIES)]
    common = {"organisation_id": world.organisation, "version": 1, "recorded_at": THEN, "updated_at": THEN}
    lines = []
    for id in those:
        body = world.keyring.seal(b"{}", f"outside_party:{id}")
        from_ = {"origin_partner_id": world.ids[draw.choice(("chu", "mdph"))], "type_name": draw.choice(TYPES)}
        gone = THEN if draw.random() < 0.1 else None
        lines.append({**common, "id": id, "body": body, "deleted_at": gone, **from_})
    _roles(lines)
    yield from lots("outside_party", lines)
    mentions = []
    for kind, column in NAMING:
        ids = [id for (of, _), some in rows.items() if of == kind for id in some]
        named = [(id, draw.choice(those)) for id in ids if draw.random() < 0.8]
        yield pointing(kind, column, named)
        mentions += [{"kind": kind, "entry_id": id, "party_id": to} for id, to in named if draw.random() < 0.7]
    yield from lots("outside_party_mention", [{"organisation_id": world.organisation, **one} for one in mentions])


def _roles(lines: list[dict[str, Any]]) -> None:
    """Most of the roles that partners named say whose they are and where; some lead to nothing that stands."""
    draw = Random(len(lines))  # beside the worlds drawn so far
    for line in lines:
        for name in ("practitioner", "organization"):
            of = [one["id"] for one in lines if one["type_name"].lower() == name] or [uuid7()]
            leads = line["type_name"] == "PractitionerRole" and draw.random() < 0.8
            line[f"{name}_id"], line[f"{name}_said"] = (draw.choice([*of, uuid7()]), True) if leads else (None, None)


def _names(world: World, draw: Random, people: list[UUID]) -> list[tuple[str, str]]:
    """How partners name some persons: by a number that is, in these worlds, their own id."""
    common, lines = {"organisation_id": world.organisation, "kind": "usager"}, []
    for id in people[:20]:
        name = world.keyring.blind(f"identifier\0Patient\0{LOCAL}\0{id.hex}", "external_id")
        partner = {"partner_id": world.ids[draw.choice(("chu", "mdph"))]}
        lines.append({**common, **partner, "fingerprint": name, "row_id": id, "usager_id": id})
    return lots("external_id", lines)


def _json(told: object) -> str:
    return orjson.dumps(told, default=str).decode()
