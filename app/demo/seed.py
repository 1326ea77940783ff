"""`dui seed`: a larger population, plausible and deterministic, for benches and tests. Same seed, same persons and words.

Rows are written by the owner in batches, each with its first version; no trace, since nobody acted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

import asyncpg
import orjson
from stdnum import luhn

from app.access.entry import DossierEntry, fill
from app.access.models import Membership, MembershipStructure, Professional, TeamMember
from app.access.versions import EntryVersion, values_of, version_of
from app.demo.places import HOUSES, House
from app.features.narrowing import service as narrowing
from app.features.stays.models import Stay
from app.features.structures.models import Organisation, Structure, Unit
from app.features.transmissions.models import Transmission
from app.features.usagers import names
from app.features.usagers.models import Usager
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.db import Base
from app.schema import metadata

BATCH = 2_000
USAGERS_PER_HOUSE = 60
USAGERS_PER_REFERENT = 12
NOTES_PER_USAGER = 60
DAY = date(2026, 10, 1)  # the last day told: the same rows whatever the day they are made

FAMILIES = [
    "Martin",
    "Bernard",
    "Thomas",
    "Petit",
    "Robert",
    "Richard",
    "Durand",
    "Dubois",
    "Moreau",
    "Laurent",
    "Simon",
    "Michel",
    "Lefebvre",
    "Leroy",
    "Roux",
]
GIVEN = [
    "Louise",
    "Alice",
    "Jeanne",
    "Emma",
    "Rose",
    "Anna",
    "Camille",
    "Lina",
    "Paul",
    "Louis",
    "Gabriel",
    "Hugo",
    "Adam",
    "Jules",
    "Nadia",
    "Yasmine",
    "Omar",
    "Tom",
]
TARGETS = ("sommeil", "repas", "sortie", "famille", "toilette", "santé", "atelier", "humeur", "école", "travail")
BEGINNINGS = (
    "A passé une bonne matinée",
    "A demandé à appeler sa sœur",
    "A participé à l'atelier cuisine",
    "A mal dormi",
)
NEXT = (
    "le dit lui-même",
    "l'équipe en reparle demain",
    "souhaite recommencer",
    "a besoin de calme",
    "va mieux le soir",
)


@dataclass(slots=True)
class Seeded:
    """What was made, by id: for who wants to walk it."""

    organisation_id: UUID
    structures: list[UUID] = field(default_factory=list)
    professionals: list[tuple[UUID, UUID, str]] = field(default_factory=list)  # professional, membership, role
    usagers: list[UUID] = field(default_factory=list)
    team: dict[UUID, list[UUID]] = field(default_factory=dict)  # usagers by professional
    transmissions: list[UUID] = field(default_factory=list)


class Maker:
    """Ids and values drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  plausible, not secret
        self.rows: list[Base] = []
        self.keys: dict[UUID, tuple[UsagerKey, bytes]] = {}

    def id(self, at: datetime | None = None) -> UUID:
        """A UUIDv7 of the seed's own past."""
        stamp = int((at or datetime.combine(DAY, time(), UTC)).timestamp() * 1000)
        value = stamp << 80 | self.random.getrandbits(80)
        return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)

    def text(self) -> str:
        return f"{self.random.choice(BEGINNINGS)} ; {self.random.choice(NEXT)}, {self.random.choice(NEXT)}."


async def seed(owner: asyncpg.Connection, keyring: Keyring, usagers: int, number: int) -> Seeded:
    """Write `usagers` persons with their houses, teams, stays and transmissions in an organisation of their own."""
    maker = Maker(number)
    made = Seeded(maker.id())
    maker.rows.append(Organisation(organisation_id=made.organisation_id, name=f"Association {number}", finess=None))
    for n in range(max(1, -(-usagers // USAGERS_PER_HOUSE))):
        _house(maker, keyring, made, n, min(USAGERS_PER_HOUSE, usagers - n * USAGERS_PER_HOUSE))
    async with owner.transaction():
        await _write(owner, maker)
    return made


def _house(maker: Maker, keyring: Keyring, made: Seeded, n: int, usagers: int) -> None:
    house: House = list(HOUSES.values())[n % len(HOUSES)]
    o = made.organisation_id
    structure, unit = maker.id(), maker.id()
    made.structures.append(structure)
    root = f"99{n + 1000:06}"
    finess = root + luhn.calc_check_digit(root)
    maker.rows.append(
        Structure(organisation_id=o, id=structure, name=f"{house.name} {n + 1}", model=house.model, finess=finess)
    )
    for one in narrowing.starting(structure, house.model):
        one.organisation_id, one.id = o, maker.id()
        maker.rows.append(one)
    maker.rows.append(Unit(organisation_id=o, id=unit, structure_id=structure, name=house.unit, kind="unit"))
    chief = _worker(maker, made, structure, "chef_de_service")
    made.team[chief] = []
    referent = chief
    for k in range(usagers):
        if k % USAGERS_PER_REFERENT == 0:
            referent = _worker(maker, made, structure, "educateur" if k % 24 == 0 else "infirmier")
            made.team[referent] = []
        usager = _usager(maker, keyring, made, structure, unit, referent)
        made.team[referent].append(usager)


def _worker(maker: Maker, made: Seeded, structure: UUID, role: str) -> UUID:
    o, professional, membership = made.organisation_id, maker.id(), maker.id()
    given, family = maker.random.choice(GIVEN), maker.random.choice(FAMILIES)
    maker.rows += [
        Professional(organisation_id=o, id=professional, given_name=given, family_name=family),
        Membership(organisation_id=o, id=membership, professional_id=professional, role=role, starts=date(2020, 1, 1)),
        MembershipStructure(organisation_id=o, membership_id=membership, structure_id=structure),
    ]
    made.professionals.append((professional, membership, role))
    return professional


def _usager(maker: Maker, keyring: Keyring, made: Seeded, structure: UUID, unit: UUID, referent: UUID) -> UUID:
    random = maker.random
    id = maker.id()
    key, wrapped = keyring.new_usager_key(str(id))
    maker.keys[id] = key, wrapped
    made.usagers.append(id)
    family, given = random.choice(FAMILIES).upper(), random.choice(GIVEN)
    born = date(random.randint(1935, 2018), random.randint(1, 12), random.randint(1, 28))
    since = DAY - timedelta(days=random.randint(30, 2000))
    common = {"organisation_id": made.organisation_id, "usager_id": id, "structure_id": structure}
    maker.rows += [
        _entry(
            maker,
            Usager(
                id=id, birth_family_name=family, birth_given_names=given, birth_date=born,
                gender=random.choice(("male", "female")), identity_status="provisoire",
                name_key=names.key(family, given), **common,
            ),
            referent,
            shared=True,
        ),
        _entry(maker, Stay(unit_id=unit, status="in_progress", starts=since, **common), referent, shared=True),
        _entry(
            maker,
            TeamMember(professional_id=referent, referent=True, starts=since, **common),
            referent,
            shared=True,
        ),
    ]  # fmt: skip
    for _ in range(NOTES_PER_USAGER):
        at = datetime.combine(DAY, time(), UTC) - timedelta(minutes=random.randint(0, 365 * 24 * 60))
        note = maker.id(at)
        made.transmissions.append(note)
        row = Transmission(
            id=note, thread_id=note, target=random.choice(TARGETS), kind="narrative", text=maker.text(), occurred_at=at,
            **common,
        )  # fmt: skip
        maker.rows.append(_entry(maker, row, referent, shared=random.random() < 0.4))
    return id


def _entry(maker: Maker, row: DossierEntry, author: UUID, *, shared: bool) -> DossierEntry:
    at = row.occurred_at or datetime.combine(DAY, time(), UTC)
    row.id = row.id or maker.id(at)
    row.category, row.author_kind, row.author_id = row.CATEGORY.value, "professional", author
    row.visibility = "shared" if shared else "not_shared"
    row.occurred_at = row.recorded_at = row.updated_at = at
    return row


async def _write(owner: asyncpg.Connection, maker: Maker) -> None:
    """Tables in the order of their keys, rows by thousands, versions with them."""
    order = {t.name: i for i, t in enumerate(metadata.sorted_tables)}
    for row in maker.rows:
        fill(row)
    by_table: dict[type[Base], list[Base]] = {}
    for row in maker.rows:
        by_table.setdefault(type(row), []).append(row)
    organisation = maker.rows[0].organisation_id  # type: ignore[attr-defined]
    keys = [
        {"organisation_id": organisation, "usager_id": id, "wrapped": "\\x" + wrapped.hex()}
        for id, (_, wrapped) in maker.keys.items()
    ]
    await _insert(owner, "usager_key", keys)
    for table in sorted(by_table, key=lambda t: order[t.__tablename__]):
        for batch in _batches(by_table[table]):
            await _insert(owner, table.__tablename__, [values_of(row) for row in batch])
            entries = [row for row in batch if isinstance(row, DossierEntry)]
            versions = [version_of(row, maker.keys[row.usager_id][0], row.author_id) for row in entries]
            lines = [{**each, "snapshot": "\\x" + each["snapshot"].hex()} for each in versions]
            await _insert(owner, EntryVersion.__tablename__, lines)


async def _insert(owner: asyncpg.Connection, table: str, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        names = ", ".join(f'"{name}"' for name in rows[0])  # some are words of SQL
        sql = f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, $1)"  # noqa: S608
        await owner.execute(sql, orjson.dumps(rows, default=str).decode())


def _batches(rows: Sequence[Base]) -> Iterable[Sequence[Base]]:
    return (rows[i : i + BATCH] for i in range(0, len(rows), BATCH))
