"""The house where each cell of the matrix is asked, and the answer `expected.csv` gives for it.

One professional holds a membership for each role. The dossiers differ in what a reach may rest on: whether they
accompany the person, as référent or not, wrote the row, and whether it is a consigne.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from app.access.permissions import Action, Category
from app.security.principal import Role
from tests.access.expected import KINDS, each, expected
from tests.dossier import FIRST, Dossiers, Person, address
from tests.world import World

HOUSE = "ehpad"
DOSSIER = tuple(each("dossier", KINDS))
WHO = "matrix"


@dataclass(frozen=True, order=True)
class Profile:
    """What a row is to who asks. `team` and `referent`: they accompany its person; `purpose`: they stated one."""

    team: bool = False
    referent: bool = False
    own: bool = False
    consigne: bool = False
    purpose: bool = False


PROFILES = sorted(
    [
        *(Profile(r or t, r, o, c) for (t, r), o, c in itertools.product(((0, 0), (1, 0), (1, 1)), (0, 1), (0, 1))),
        Profile(purpose=True),
        Profile(True, True, True, True, True),
    ],
    key=lambda p: (p.team + p.referent + p.own + p.consigne + p.purpose, p),
)  # from the stranger's to the row that everything opens


def opens(reach: str | None, row: Profile) -> bool:
    near = {
        "structure": True, "team": row.team, "referent": row.referent, "own": row.own,
        "team_consigne": row.team and row.consigne, "purpose": row.purpose,
    }  # fmt: skip
    return near.get(reach or "", False)


@dataclass(frozen=True)
class Cell:
    who: str
    kind: str
    category: str
    action: str

    @property
    def reach(self) -> str | None:
        return CELLS.get((self.who, self.kind, self.category, self.action))

    def within(self, row: Profile) -> bool:
        return self.would(self.reach, row)

    def would(self, reach: str | None, row: Profile) -> bool:
        """Whether `expected.csv` would let this caller do it, this reach said: nothing is changed that is not read, nothing written about
        someone who is not, but of a newcomer, or to open a dossier in an emergency.
        """
        if self.action == "read":
            return opens(reach, row)
        if self.action != "create":
            return opens(reach, row) and opens(self.read, row)
        about = CELLS.get((self.who, "usager", "administrative", "read"))
        return opens(reach, row) and (self.kind in ("usager", "emergency_access") or opens(about, row))

    @property
    def read(self) -> str | None:
        return CELLS.get((self.who, self.kind, self.category, "read"))

    def asked(self) -> list[Profile]:
        """The least that opens it, and the most that does not: any other reach answers one of the two differently."""
        most = [row for row in PROFILES if not self.within(row)][-1:]
        return [row for row in PROFILES if self.within(row)][:1] + most


CELLS = expected()


def every(action: Action, categories: tuple[Category, ...] = tuple(Category)) -> Iterator[Cell]:
    for role, kind, category in itertools.product(Role, DOSSIER, categories):
        yield Cell(role.value, kind, category.value, action.value)


@dataclass(frozen=True)
class House:
    world: World
    persons: dict[tuple[Profile, str], Person]  # one dossier for each profile and category, all its rows alike
    rows: dict[tuple[Profile, str, str], UUID]  # by kind
    blank: dict[tuple[Profile, str], Person]  # of whom little is written yet

    def bearer(self, role: str) -> str:
        return f"{WHO}_{role}"

    def row(self, cell: Cell, profile: Profile) -> UUID:
        return self.rows[profile, cell.category, cell.kind]

    def place(self, cell: Cell, profile: Profile) -> str:
        """The address of a row of this kind."""
        return address(cell.kind, self.persons[profile, cell.category], self.row(cell, profile))


def founded(world: World) -> House:
    """The dossiers, written at once."""
    roles = list(Role)
    world.hire(WHO, roles[0], HOUSE)
    for role in roles:
        world.appoint(f"{WHO}_{role.value}", WHO, role, HOUSE)
    made, house = Dossiers(world), House(world, {}, {}, {})
    for profile, category in itertools.product(PROFILES, Category):
        at = (profile, category.value)
        said = {"category": category.value, "consigne": profile.consigne}
        if profile.own:
            said["author_id"] = world.ids[WHO]
        house.persons[at] = person = made.person(HOUSE)
        alike = made.person(HOUSE, **said)
        house.rows[*at, "usager"] = alike.id
        for kind in FIRST[1:]:
            house.rows[*at, kind] = made.row(kind, person, id=getattr(person, kind), **said)
        for kind in DOSSIER:
            if kind not in FIRST:
                ended = {"ends": "2026-01-06"} if kind == "opposition" else {}
                house.rows[*at, kind] = made.row(kind, person, **said, **ended)
        of_blank = made.person(HOUSE)
        for kind in FIRST[1:]:
            made.row(kind, of_blank, id=getattr(of_blank, kind), category="support")
        house.blank[at] = of_blank
        for known in (person, alike, of_blank) if profile.team else ():
            made.row("team_member", known, professional_id=world.ids[WHO], referent=profile.referent)
        for known in (person, alike, of_blank) if profile.purpose else ():
            made.row("stated_purpose", known, professional_id=world.ids[WHO], ends_at="2100-01-01T00:00:00Z")
    made.write()
    return house
