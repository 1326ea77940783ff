"""Whose time is over: how long each part of a dossier is kept is a setting of the house, never a constant (field.md §9).

A part has a rule when its house says how long, from what day, and by which text. A person is due the day the last of
their parts is, in every house that wrote in their dossier; a part without a rule keeps the whole dossier.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from dateutil.relativedelta import relativedelta
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.mandates import majority
from app.features.settings.shipped import MODELS, SHIPPED, STARTS

# Everyone without an open or planned stay, whose copy nobody waits for; what stands in their dossier, and the days a rule may start from.
DOSSIERS = text("""SELECT u.organisation_id, u.id, u.birth_date, u.died_on,
        (SELECT max(s.ends) FROM stay s WHERE s.organisation_id = u.organisation_id AND s.usager_id = u.id
            AND s.deleted_at IS NULL) AS left_on,
        (SELECT array_agg(DISTINCT v.structure_id || ' ' || v.category) FROM entry_version v
            WHERE v.organisation_id = u.organisation_id AND v.usager_id = u.id) AS parts
    FROM usager u WHERE u.merged_into_id IS NULL AND (CAST(:usager AS uuid) IS NULL OR u.id = :usager)
      AND NOT EXISTS (SELECT FROM stay s WHERE s.organisation_id = u.organisation_id AND s.usager_id = u.id
        AND s.deleted_at IS NULL AND (s.ends IS NULL OR s.ends > :today))
      AND NOT EXISTS (SELECT FROM copy_request r WHERE r.organisation_id = u.organisation_id AND r.usager_id = u.id
        AND r.answer IS NULL AND r.deleted_at IS NULL)
    ORDER BY u.organisation_id, u.id""")
HOUSES = text("SELECT organisation_id, id, model FROM structure")
SAID = text(
    "SELECT organisation_id, scope, key, value FROM setting WHERE deleted_at IS NULL AND key LIKE 'retention.%'"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Of one part of the dossier, in one house."""

    model: str
    category: str
    months: int
    starts: str
    source: str


@dataclass(frozen=True, slots=True)
class Due:
    organisation_id: UUID
    usager_id: UUID
    on: date
    rules: tuple[Rule, ...]

    def told(self) -> str:
        return orjson.dumps([asdict(rule) for rule in self.rules]).decode()


async def due(session: AsyncSession, today: date, usager_id: UUID | None = None) -> list[Due]:
    """Those whose time is over today, as the owner sees all organisations; or that one, if theirs is."""
    settings = Settings(
        {(row.organisation_id, row.id): row.model for row in await session.execute(HOUSES)},
        {(row.organisation_id, row.scope, row.key): row.value for row in await session.execute(SAID)},
    )
    found = []
    for row in await session.execute(DOSSIERS, {"usager": usager_id, "today": today}):
        parts = [tuple(part.split(" ")) for part in row.parts or ()]
        rules = [settings.rule(row.organisation_id, UUID(structure), category) for structure, category in parts]
        days = [_ends(rule, row) for rule in rules]
        kept = [day for day in days if day is not None]
        if parts and len(kept) == len(days) and max(kept) <= today:
            distinct = sorted({rule for rule in rules if rule}, key=lambda r: (r.model, r.category))
            found.append(Due(row.organisation_id, row.id, max(kept), tuple(distinct)))
    return found


@dataclass(frozen=True, slots=True)
class Settings:
    """What the houses say, by layer: as shipped, the organisation's and its model's, the structure's."""

    models: Mapping[tuple[UUID, UUID], str]
    said: Mapping[tuple[UUID, str, str], str]

    def rule(self, organisation: UUID, structure: UUID, category: str) -> Rule | None:
        """None: this part is kept."""
        model = self.models[organisation, structure]

        def value(name: str) -> Any:
            key = f"retention.{category}.{name}"
            if key not in SHIPPED:
                return None
            for scope in (f"structure:{structure}", f"model:{model}", "organisation"):
                if (organisation, scope, key) in self.said:
                    return orjson.loads(self.said[organisation, scope, key])
            return MODELS[model].get(key, SHIPPED[key].value)

        months, starts, source = value("months"), value("starts"), value("source")
        if not months or starts not in STARTS or not str(source or "").strip():
            return None
        return Rule(model, category, months, starts, source.strip())


def _ends(rule: Rule | None, row: Any) -> date | None:
    """The day from which this part may be erased; None: not begun, or kept."""
    if rule is None or row.left_on is None:
        return None
    match rule.starts:
        case "exit":
            begins = row.left_on
        case "death":
            begins = row.died_on
        case _:
            begins = max(majority(row.birth_date), row.left_on) if row.birth_date else None
    try:
        return begins + relativedelta(months=rule.months) if begins else None
    except ValueError:  # no calendar has that day: it does not come
        return None
