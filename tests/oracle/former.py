"""What a partner reads of rows that have changed since: what it sent itself, what a professional sent it (decisions.md).

Versions and acts of sending are written over a world already drawn; who reads which is said again in plain Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

from app.kernel.ids import uuid7
from tests.dossier import TABLES, Values, insert
from tests.oracle.attaching import POLICY
from tests.oracle.facts import Facts, Line, known
from tests.oracle.truth import CELLS, Truth, Who, runs, stands
from tests.oracle.worlds import CATEGORIES, Drawn
from tests.world import World

KINDS = ("transmission", "contact", "goal")  # of which versions are drawn
GROUNDS = ("equipe", "echange", "loi", "vital", "accord")
WHATEVER, BY_TEAM = ("loi", "vital"), ("equipe", "echange")  # field.md §4: the first, whatever the person answers
Versions = dict[tuple[UUID, int], Line]


def remembered(world: Drawn) -> "Past":
    """Former versions of half of the rows, and what left for two partners."""
    w, draw = world.cast.world, Random(world.seed)
    for kind in KINDS:  # a row of ours has changed too
        w.rows(f"UPDATE {TABLES.get(kind, kind)} SET version = 2 WHERE origin_partner_id IS NULL")
    facts = known(w)
    insert(w, "sharing_consent", [*_noes(w, draw, facts)])
    wrapped = {row["usager_id"]: row["wrapped"] for row in w.rows("SELECT usager_id, wrapped FROM usager_key")}
    keyring = w.client.app.state.keyring  # type: ignore[attr-defined]
    keys = {person.id: keyring.usager_key(wrapped[person.id], str(person.id)) for person in world.persons}
    versions, sent = list[Line](), list[Line]()
    for kind in KINDS:
        for row in facts.rows[kind]:
            if draw.random() < 0.5:
                versions += _versions(w, draw, kind, row, keys[row["usager_id"]])
                sent += _sent(w, draw, kind, row)
    acts = [_act(w, draw, row) for row in sent]
    rows = [{**row, "handover_id": act["id"]} for row, act in zip(sent, acts, strict=True)]
    w.rows("TRUNCATE entry_version, handover_row, handover")  # of the world before: some ids stay
    insert(w, "entry_version", versions)
    insert(w, "handover", acts)
    insert(w, "handover_row", rows)
    by_version = {(line["entry_id"], line["version"]): line for line in versions}
    return Past(known(w), by_version, rows, {act["id"]: act for act in acts})


def _noes(w: World, draw: Random, facts: Facts) -> Iterator[Line]:
    """A no to the first partner, good or one trait away."""
    alone = {row["usager_id"]: row for row in facts.rows["sharing_consent"]}
    for row in alone.values():
        flaw = draw.choice(("none", "gone", "held", "over", "no sharing", "of another", "withdrawn"))
        if draw.random() < 0.6:
            yield {
                **row,
                "id": uuid7(),
                "answer": draw.choice(("no", "disagreement")),
                "kind": "image" if flaw == "no sharing" else "partage",
                "partner_id": w.ids["mdph" if flaw == "of another" else "chu"],
                "withdrawn_at": facts.now if flaw == "withdrawn" else None,
                "deleted_at": facts.now if flaw == "gone" else None,
                "held": flaw == "held",
                "starts": facts.today - timedelta(days=9),
                "ends": facts.today if flaw == "over" else None,
            }


def _versions(w: World, draw: Random, kind: str, row: Line, key: Any) -> Iterator[Line]:
    """The row as it is, under each number it has borne, but for what the policy asks of it."""
    [whole] = w.rows(f"SELECT row_to_json(t)::text AS said FROM {TABLES.get(kind, kind)} t WHERE id = $1", row["id"])
    for version in range(1, row["version"] + 1):
        traits: Values = {}
        if version < row["version"]:
            traits = {
                "category": row["category"] if draw.random() < 0.6 else draw.choice(CATEGORIES),
                "held": draw.random() < 0.3,
                "deleted_at": row["updated_at"] if draw.random() < 0.15 else None,
            }
        snapshot = {**orjson.loads(whole["said"]), **traits, "version": version}
        yield {
            **{name: row[name] for name in POLICY},
            **traits,
            "entry_id": row["id"],
            "version": version,
            "kind": kind,
            "at": row["updated_at"],
            "snapshot": key.seal(orjson.dumps(snapshot, default=str), f"{kind}:{row['id']}:{version}"),
        }


def _sent(w: World, draw: Random, kind: str, row: Line) -> Iterator[Line]:
    """Some of its versions, to either partner."""
    for version in range(1, row["version"] + 1):
        for partner in ("chu", "mdph"):
            if draw.random() < 0.4:
                yield {
                    "organisation_id": w.organisation,
                    "entry_id": row["id"],
                    "partner_id": w.ids[partner],
                    "usager_id": row["usager_id"],
                    "kind": kind,
                    "version": version,
                }


def _act(w: World, draw: Random, row: Line) -> Line:
    now = datetime.now(UTC)
    return {
        "organisation_id": w.organisation,
        "id": uuid7(),
        "usager_id": row["usager_id"],
        "structure_id": w.ids["ime"],
        "category": "administrative",
        "visibility": "shared",
        "author_kind": "professional",
        "occurred_at": now,
        "recorded_at": now,
        "updated_at": now,
        "version": 1,
        "held": False,
        "consigne": False,
        "minor_secret": False,
        "person_informed": True,
        "partner_id": row["partner_id"],
        "ground": draw.choice(GROUNDS),
        "article": "L. 226-2-1",
        "ends_at": draw.choice((None, now + timedelta(hours=1), now - timedelta(hours=1))),
        "stopped_at": now if draw.random() < 0.15 else None,
    }


@dataclass(frozen=True)
class Past:
    """What was written over a world, and who reads it."""

    facts: Facts
    versions: Versions
    sent: list[Line]
    acts: dict[UUID, Line]

    def told(self, who: Who, kind: str) -> dict[UUID, int]:
        """The rows of this kind that a partner reads, and at which version: as it stands, or a former one."""
        truth, told = Truth(self.facts, who), dict[UUID, int]()
        for row in self.facts.rows[kind]:
            if truth.why_not(kind, {**row, "deleted_at": None}) is None:
                if row["deleted_at"] is None:
                    told[row["id"]] = row["version"]
            elif (former := self._former(truth, who, kind, row)) is not None:
                told[row["id"]] = former["version"]
        return told

    def _former(self, truth: Truth, who: Who, kind: str, row: Line) -> Line | None:
        ours = row["origin_partner_id"] == who.id
        version = row["origin_version"] if ours else self._handed(truth, who, row)
        line = self.versions.get((row["id"], version)) if version else None
        if line is None or line["deleted_at"] is not None:
            return None
        return line if CELLS.get((who.kind, kind, line["category"], "read")) == "sent_or_granted" else None

    def _handed(self, truth: Truth, who: Who, row: Line) -> int | None:
        """The last version that left for them, when an act that sent it still holds."""
        mine = [one for one in self.sent if one["entry_id"] == row["id"] and one["partner_id"] == who.id]
        last = max((one["version"] for one in mine), default=None)
        acts = [self.acts[one["handover_id"]] for one in mine if one["version"] == last]
        return last if any(self._holds(act, who, row) for act in acts) else None

    def _holds(self, act: Line, who: Who, row: Line) -> bool:
        over = act["stopped_at"] is not None or (act["ends_at"] is not None and act["ends_at"] <= self.facts.now)
        if over or act["ground"] in WHATEVER:
            return not over
        return act["ground"] in BY_TEAM and not self._opposed(who, row) and not self._said_no(who, row)

    def _opposed(self, who: Who, row: Line) -> bool:
        mine = [one for one in self.facts.rows["opposition"] if one["partner_id"] == who.id and stands(one)]
        return any(one["usager_id"] == row["usager_id"] and runs(one, self.facts.today) for one in mine)

    def _said_no(self, who: Who, row: Line) -> bool:
        asked = [one for one in self.facts.rows["sharing_consent"] if one["partner_id"] == who.id and stands(one)]
        asked = [one for one in asked if one["usager_id"] == row["usager_id"] and one["kind"] == "partage"]
        return any(one["answer"] in ("no", "disagreement") and runs(one, self.facts.today) for one in asked)
