"""A large house made by the base itself: 10,000 usagers, 200 professionals, and some rows of each fact of the policy.

Of each structure 250 usagers in two units, a chief, a secretary, two educators and a nurse. An educator accompanies half of
them by name; the nurse all, by the rule of both units. No version is kept, nothing is sealed, nobody acted: no reading asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

import app.schema  # noqa: F401  every table is known
from app.features.narrowing.houses import starts
from app.kernel.crypto import Keyring
from app.kernel.db import Base
from app.kernel.ids import uuid7

STRUCTURES, USAGERS = 40, 10_000
ROLES = ("chef_de_service", "secretariat", "educateur", "educateur", "infirmier")  # of each structure
MODEL = "mas_fam"  # what each starts from, as narrowed as its kind is
NOTES, CARE_NOTES, EVENTS = 18, 2, 6  # of each usager
MANY = {"structure": STRUCTURES, "usager": USAGERS, "partner": 1} | dict.fromkeys(
    ("professional", "membership"), STRUCTURES * len(ROLES)
)
Columns = Mapping[str, str]

MINUTE = (
    "timestamptz '2026-01-01' - (n * 7919::bigint + k * 104729) % 525600 * interval '1 minute'"  # of a year, spread
)
TEXT = "'A passé une bonne matinée ; l''équipe en reparle demain. ' || md5((n + k)::text)"
DAYS: Columns = {"starts": "date '2025-01-01'"}
HOURS: Columns = {"starts_at": "timestamptz '2025-01-01'", "ends_at": "timestamptz '2100-01-01'"}


@dataclass(frozen=True, slots=True)
class House:
    organisation_id: UUID
    ids: Mapping[str, tuple[UUID, ...]]  # of what `MANY` names, by number

    def of_role(self, role: str) -> list[int]:
        """The numbers of the professionals of this role."""
        return [p for p in range(MANY["professional"]) if ROLES[p // STRUCTURES] == role]

    def usagers_of(self, professional: int) -> list[UUID]:
        """Those of their structure whom its first educator accompanies."""
        return [self.ids["usager"][n] for n in range(professional % STRUCTURES, USAGERS, STRUCTURES * 2)]


async def people(superuser: asyncpg.Connection, keyring: Keyring) -> House:
    """Write them, in one transaction, and let the planner know. Rows agree with each other: no key of theirs is checked."""
    o = uuid7()
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        for statement in (*_directory(o), *_dossiers(o)):
            await superuser.execute(statement)
    found = {
        what: await superuser.fetch(f"SELECT {_made(what, 'n')} FROM generate_series(0, {many - 1}) n ORDER BY n")
        for what, many in MANY.items()
    }
    house = House(o, {what: tuple(row[0] for row in rows) for what, rows in found.items()})
    keys = [(o, id, keyring.new_usager_key(str(id))[1]) for id in house.ids["usager"]]
    await superuser.copy_records_to_table(
        "usager_key", records=keys, columns=("organisation_id", "usager_id", "wrapped")
    )
    await superuser.execute("VACUUM ANALYZE")
    return house


def _made(what: str, n: str, at: str = "timestamptz '2026-01-01'") -> str:
    """An id in order of time, as ours are; the same from the same words."""
    moment = f"lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7'"
    return f"overlay(overlay(md5('{what}' || ({n})) PLACING {moment} FROM 1) PLACING 'a' FROM 17)::uuid"


PLACE, UNIT = _made("structure", f"n % {STRUCTURES}"), _made("unit", f"n % {STRUCTURES * 2}")
USAGER, PARTNER = _made("usager", "n"), _made("partner", "0")
EDUCATOR = _made("professional", f"n % {STRUCTURES} + {STRUCTURES} * (2 + n / {STRUCTURES} % 2)")
NURSE = _made("professional", f"n % {STRUCTURES} + {STRUCTURES} * 4")
STRANGER = _made("professional", f"(n + 1) % {STRUCTURES} + {STRUCTURES} * 4")  # the nurse of another house


def _insert(table: str, o: UUID, columns: Columns, source: str) -> str:
    usual = (c for c in Base.metadata.tables[table].columns if c.default is not None and c.default.is_scalar)
    said = {c.name: f"'{c.default.arg}'" for c in usual} | {"organisation_id": f"'{o}'", **columns}
    names = ", ".join(f'"{name}"' for name in said)
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(said.values())} FROM {source}"


def _directory(o: UUID) -> list[str]:
    def some(table: str, many: int, **columns: str) -> str:
        row = {"id": _made(table, "n"), "recorded_at": "now()", "updated_at": "now()"}
        return _insert(table, o, row | columns, f"generate_series(0, {many - 1}) n")

    staff, two, narrowings = MANY["professional"], STRUCTURES * 2, list(starts(MODEL))
    roles = ", ".join(f"'{role}'" for role in ROLES)
    told = ", ".join(f"({i}, '{role}', '{category}', '{to}')" for i, (role, category, to) in enumerate(narrowings))
    narrowed = f"generate_series(0, {STRUCTURES - 1}) n CROSS JOIN (VALUES {told}) told (k, role, category, far)"
    by_rule = {
        "professional_id": NURSE,
        "unit_id": _made("unit", "n"),
        "kind": "'rule'",
        "starts_at": HOURS["starts_at"],
    }
    both = f"ARRAY[{PLACE}, {_made('structure', f'(n + 1) % {STRUCTURES}')}]"
    member = {"membership_id": _made("membership", "n"), "structure_id": PLACE}
    accepted = {"partner_id": PARTNER, "structure_id": PLACE}
    return [
        _insert("organisation", o, {"name": "'Association'"}, "(VALUES (0)) n"),
        some("structure", STRUCTURES, name="'Maison ' || n", model=f"'{MODEL}'"),
        some("unit", two, structure_id=PLACE, name="'Unité'", kind="'unit'"),
        some("professional", staff, family_name="'Petit ' || n", given_name="'Camille'"),
        some(
            "membership", staff, professional_id=_made("professional", "n"), **DAYS,
            role=f"(ARRAY[{roles}])[n / {STRUCTURES} + 1]",
        ),
        _insert("membership_structure", o, member, f"generate_series(0, {staff - 1}) n"),
        some("unit_team", two, **by_rule),
        some("on_call", STRUCTURES, professional_id=STRANGER, structure_ids=both, **HOURS),
        _insert(
            "narrowing", o,
            {
                "id": _made("narrowing", "n * 100 + k"), "recorded_at": "now()", "updated_at": "now()",
                "structure_id": PLACE, "role": "role", "category": "category", "to": "far",
            },
            narrowed,
        ),
        _insert(
            "partner", o,
            {
                "id": PARTNER, "name": "'CHU'", "client_id": "'bench'", "jwks": "'[]'", "scopes": "'{*.r,*.s}'",
                "default_structure_id": PLACE, "created_at": "now()",
            },
            "(VALUES (0)) s (n)",
        ),
        _insert("partner_structure", o, accepted, f"generate_series(0, {STRUCTURES - 1}) n"),
    ]  # fmt: skip


def _dossiers(o: UUID) -> list[str]:
    def some(table: str, every: int = 1, at: int = 0, **columns: str) -> str:
        """A row of one usager in so many."""
        row = _entry("administrative", _made(f"{table}_{at}_", "n"), "timestamptz '2025-01-01'") | columns
        return _insert(table, o, row, f"generate_series({at}, {USAGERS - 1}, {every}) n")

    def several(table: str, many: int, category: str, **columns: str) -> str:
        id = _made(f"{table}_{category}", "n * 100 + k", MINUTE)
        pairs = f"generate_series(0, {USAGERS - 1}) n CROSS JOIN generate_series(0, {many - 1}) k"
        return _insert(table, o, _entry(category, id, MINUTE) | columns, pairs)

    name = "'famille ' || md5(n::text)"
    yes = {"kind": "'partage'", "question": "''", "if_yes": "''", "if_no": "''", "answer": "'yes'"}
    note = {"kind": "'narrative'", "text": TEXT, "important": f"k % {NOTES} = 0"}
    wall = f"({MINUTE}) AT TIME ZONE 'Europe/Paris'"
    then = {"starts": wall, "ends": wall, "zone": "'Europe/Paris'", "ends_at": MINUTE}
    event = {"id": _made("event", "n * 100 + k", MINUTE), "starts_at": MINUTE, **then}
    all_events = f"generate_series(0, {USAGERS - 1}) n CROSS JOIN generate_series(0, {EVENTS - 1}) k"
    common = f"ARRAY[{PLACE}, {_made('structure', f'(n + 1) % {STRUCTURES}')}]"
    return [
        some(
            "usager", id=USAGER, birth_family_name=name, birth_given_names="'Camille'", name_key=f"{name} || ' camille'",
            birth_date="date '2000-01-01' - n",
        ),
        some("stay", unit_id=UNIT, status="'in_progress'", **DAYS),
        some("team_member", professional_id=EDUCATOR, referent="true", **DAYS),
        some("opposition", 97, professional_id=EDUCATOR, **DAYS),
        some("opposition", 97, 1, partner_id=PARTNER, **DAYS),
        some("sharing_consent", 5, partner_id=PARTNER, categories="'{support,administrative}'", **yes, **DAYS),
        some("emergency_access", 100, 7, professional_id=STRANGER, reason="''", **HOURS),
        some("shared_team", 50, 3, name="''", structure_ids=common, person_told_on=DAYS["starts"], **DAYS),
        several("transmission", NOTES, "support", thread_id=_made("thread", "n * 100 + k"), **note),
        several("transmission", CARE_NOTES, "care", thread_id=_made("thread", "n * 100 + k"), **note),
        _insert("event", o, event, all_events),
        several(
            "event_participant", EVENTS, "support", event_id=event["id"], types="'{}'", title="'Sortie'",
            status="'planned'", **then,
        ),
    ]  # fmt: skip


def _entry(category: str, id: str, at: str) -> dict[str, str]:
    """What every row of a dossier says of itself."""
    return {
        "id": id, "usager_id": USAGER, "structure_id": PLACE, "category": f"'{category}'", "visibility": "'shared'",
        "author_id": EDUCATOR, "author_kind": "'professional'", "occurred_at": at, "recorded_at": at, "updated_at": at,
    }  # fmt: skip
