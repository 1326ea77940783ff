"""Write docs/access.md from the access matrix and the table of acts: `make openapi`."""

from collections.abc import Mapping
from pathlib import Path

from app.access.acts import ACTS
from app.access.permissions import STAFF, WITHOUT_ROLE, Action, Category, Cell, Kind, Reach
from app.features.narrowing.houses import FOREIGN, starts

PLACE = Path(__file__).parents[1] / "docs" / "access.md"
REACHES = {
    Reach.STRUCTURE: "everyone in the structures of my membership",
    Reach.TEAM: "the persons I accompany today, there: by name, or by the unit of an open stay",
    Reach.REFERENT: "of these persons, those whose named référent I am",
    Reach.TEAM_CONSIGNE: "of these persons, only the rows flagged as a consigne",
    Reach.OWN: "what I wrote there",
    Reach.MYSELF: "my own dossier: what is shared with me, or that I wrote",
    Reach.MINE: "of my own dossier, what I wrote",
    Reach.MANDATE: "the person I represent: what my mandates open",
    Reach.SENT: "what this partner sent, as it sent it",
    Reach.SENT_OR_GRANTED: "that, and what a running consent of the person covers",
    Reach.ALERTED: "alerts: those I wrote, those that name me, wherever they stand",
    Reach.PURPOSE: "whom a purpose that was stated opens to me, for some hours",
    Reach.ORGANISATION: "the directory of the organisation",
    Reach.ON_DUTY: "myself in a unit, for a day at most (en poste)",
    Reach.RECEIVING: "rows this partner sends to the structure its token names",
    Reach.NAMED: "an outside party named by a row I may read, or that I sent",
}
HEAD = """# Who may do what

Made from `app/access/permissions.py`; its expected answers are written by hand in `tests/access/expected.csv`. {cells} cells. What has no
cell is refused. It is the widest the law allows: a structure narrows it by its settings, nobody widens it. Beside it, and whatever the
cell: the tenant, a living session, a running membership, an opposition of the person, rows reserved to some, rows that wait in the sas.

## How far
"""
HOUSES_HEAD = """
## Where each kind of house starts

Narrower than the law: `none`, or `team` (only those the role accompanies) for a role that reads everyone. A house changes it in
`/api/v1/access/narrowings`, up to the tables above and no further.

| kind of house | role | categories | to |
|---|---|---|---|
"""
ACTS_HEAD = """
## Acts

What is not a row: gestures that open, close or confirm (`app/access/acts.py`).

| act | roles |
|---|---|
"""
COLUMNS = "\n| kinds | category | read | create | update | delete |\n|---|---|---|---|---|---|\n"


def text() -> str:
    lines = {**{role.value: row for role, row in STAFF.items()}, **{c.value: row for c, row in WITHOUT_ROLE.items()}}
    told = [HEAD.format(cells=sum(len(row) for row in lines.values()))]
    told += [f"- `{reach.value}`: {words}\n" for reach, words in REACHES.items()]
    told += [f"\n## {who}\n{COLUMNS}{_table(row)}" for who, row in lines.items()]
    acts = (f"| {act.value} | {', '.join(sorted(role.value for role in roles))} |\n" for act, roles in ACTS.items())
    return "".join((*told, ACTS_HEAD, *acts, HOUSES_HEAD, *_houses()))


def _houses() -> list[str]:
    together: dict[tuple[str, str, str], list[str]] = {}
    for model in FOREIGN:
        for role, category, to in starts(model):
            together.setdefault((model, role.value, to.value), []).append(category.value)
    return [f"| {model} | {role} | {', '.join(told)} | {to} |\n" for (model, role, to), told in together.items()]


def _table(row: Mapping[Cell, Reach]) -> str:
    """Kinds with the same reaches share a line."""
    together: dict[tuple[Category, tuple[str, ...]], list[str]] = {}
    for category in Category:
        for kind in Kind:
            found = (row.get((kind, category, action)) for action in Action)
            reaches = tuple(reach.value if reach else "" for reach in found)
            if any(reaches):
                together.setdefault((category, reaches), []).append(kind.value)
    return "".join(
        f"| {', '.join(kinds)} | {category.value} | {' | '.join(reaches)} |\n"
        for (category, reaches), kinds in together.items()
    )


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")
