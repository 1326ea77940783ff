"""What is said of a visit: who came, by role (field.md §6; CJUE C-579/21), and what of, never what it held."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from pydantic import Field, StringConstraints
from sqlalchemy import Boolean, ColumnElement, Text, Uuid, literal_column

from app.access.entry import ME
from app.access.log import VisitView, visit
from app.audit.vocabulary import Deed, Door, Ground, Outcome
from app.features.contacts import shown as contacts
from app.features.professionals.shown import first_name
from app.kernel.fields import Strict

ALWAYS = "Certaines lectures ne sont pas affichées. La loi le demande."

MOST_WORDS = 20
Word = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]

HERE = "organisation_id = visit.organisation_id"
PARTNER = f"(SELECT p.name FROM partner p WHERE p.{HERE} AND p.id = visit.principal_id)"  # noqa: S608
# A reason is told with the visits of the emergency it opened, its opening included.
REASON = f"""(SELECT e.reason FROM emergency_access e WHERE e.{HERE} AND e.professional_id = visit.principal_id
    AND e.usager_id = visit.usager_id AND e.recorded_at <= visit.at + interval '1 minute' AND e.ends_at > visit.at
    AND e.deleted_at IS NULL ORDER BY e.starts_at DESC LIMIT 1)"""  # noqa: S608

# Of who joined the person's unit for some hours, and accompanies them in no other way: that they were replacing.
_DAY = "timezone('Europe/Paris', visit.at)::date"
REPLACING = f"""(SELECT 'remplacant' FROM unit_team t JOIN stay s ON s.organisation_id = t.organisation_id AND s.unit_id = t.unit_id
    WHERE t.{HERE} AND t.professional_id = visit.principal_id AND t.kind = 'on_duty' AND t.deleted_at IS NULL
    AND t.starts_at <= visit.at AND t.ends_at > visit.at AND s.usager_id = visit.usager_id AND s.deleted_at IS NULL
    AND s.starts <= {_DAY} AND (s.ends IS NULL OR s.ends > {_DAY}) AND NOT s.held
    AND NOT EXISTS (SELECT FROM unit_team r WHERE r.{HERE} AND r.professional_id = visit.principal_id AND r.kind = 'rule'
        AND r.unit_id = t.unit_id AND r.starts_at <= visit.at AND (r.ends_at IS NULL OR r.ends_at > visit.at)
        AND r.deleted_at IS NULL)
    AND NOT EXISTS (SELECT FROM team_member m WHERE m.{HERE} AND m.professional_id = visit.principal_id
        AND m.usager_id = visit.usager_id AND m.starts <= {_DAY} AND (m.ends IS NULL OR m.ends > {_DAY})
        AND m.deleted_at IS NULL) LIMIT 1)"""  # noqa: S608

# Why the direction or an evaluator read, in the word they chose; of who was on call or replacing, that they were.
WHY = f"""CASE visit.ground WHEN 'astreinte' THEN 'astreinte' ELSE coalesce((SELECT s.purpose FROM stated_purpose s WHERE s.{HERE}
    AND s.professional_id = visit.principal_id AND s.usager_id = visit.usager_id AND s.purpose <> 'inspection'
    AND s.starts_at <= visit.at AND coalesce(s.closed_at, s.ends_at) >= visit.at AND s.deleted_at IS NULL
    ORDER BY s.starts_at DESC LIMIT 1), {REPLACING}) END"""  # noqa: S608


# To whom rows were sent by this visit, and under which ground (field.md §4); nothing of one that the law keeps apart.
SENT = f"""(SELECT {{}} FROM handover h JOIN partner p ON p.organisation_id = h.organisation_id AND p.id = h.partner_id
    WHERE h.{HERE} AND h.usager_id = visit.usager_id AND h.author_id = visit.principal_id
    AND visit.action = 'hand_over' AND h.visibility = 'shared'
    AND h.recorded_at BETWEEN visit.at - interval '1 minute' AND visit.at + interval '1 minute'
    ORDER BY abs(extract(epoch FROM h.recorded_at - visit.at)) LIMIT 1)"""  # noqa: S608

# The same of a whole dossier: its bundle is the one of this request.
BUNDLE = f"""(SELECT {{}} FROM exchange_row r JOIN exchange e ON e.organisation_id = r.organisation_id AND e.id = r.exchange_id
    JOIN partner p ON p.organisation_id = e.organisation_id AND p.id = e.partner_id
    WHERE r.{HERE} AND r.usager_id = visit.usager_id AND visit.action = 'send' AND e.request_id = visit.request_id
    AND e.direction = 'sent' AND e.decided_by = visit.principal_id AND e.ground <> 'loi' LIMIT 1)"""  # noqa: S608
# What a partner reads, it reads under a ground.
TAKEN = "CASE visit.principal_kind WHEN 'partner' THEN visit.ground END"


def _text(sql: str) -> ColumnElement[Any]:
    return literal_column(sql, Text())


class VisitRow(VisitView, frozen=True):
    COMPUTED: ClassVar = {
        "mine": visit("principal_id", Uuid()) == ME,
        "first_name": first_name("visit", "principal_id"),
        "partner": _text(PARTNER),
        "relation": contacts.relation("visit", "principal_id"),
        "relative": contacts.name("visit", "principal_id"),
        "reason": _text(REASON),
        "why": _text(WHY),
        "sent_to": _text(f"coalesce({SENT.format('p.name')}, {BUNDLE.format('p.name')})"),
        "ground": _text(f"coalesce({SENT.format('h.ground')}, {BUNDLE.format('e.ground')}, {TAKEN})"),
        "urgent": literal_column("(visit.urgent OR 'emergency_access' = ANY(visit.kinds))", Boolean()),
    }

    mine: bool
    first_name: str | None
    partner: str | None
    relation: str | None
    relative: str | None
    reason: str | None
    why: str | None
    sent_to: str | None
    ground: str | None


class Asked(Strict):
    """What an auditor looks for. A list is « one of »; words that the trail never says find nothing."""

    usager: UUID | None = None
    professional: UUID | None = Field(None, description="Qui a agi : professionnel, partenaire, représentant.")
    since: date | None = Field(None, description="Premier jour (Paris). Obligatoire sans usager.")
    until: date | None = Field(None, description="Premier jour qui n'en est plus.")
    principal_kind: list[Word] = Field([], max_length=MOST_WORDS)
    action: list[Word] = Field([], max_length=MOST_WORDS)
    kind: list[Word] = Field([], max_length=MOST_WORDS)
    ground: list[Ground] = Field([], max_length=MOST_WORDS)
    outcome: list[Outcome] = Field([], max_length=MOST_WORDS)
    door: list[Door] = Field([], max_length=MOST_WORDS)


class Visitor(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind`: professional, usager, representative, partner."""

    kind: str
    me: bool = False
    role: str | None = None
    first_name: str | None = None
    name: str | None = None  # of a partner, of who represents the person
    relation: str | None = None  # of the latter: `system|code`, TRE_R216


class VisitOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`deed`: opened, read, wrote, received, sent, acted (another act). `emergency`: the reason of an emergency access. `why`: the
    purpose the direction stated, `evaluation`, `astreinte` or `remplacant`. `to`: the partner to whom it was sent.
    `ground`: under what it was, or under what a partner read it.
    """

    at: datetime
    who: Visitor
    deed: Deed
    what: list[str]
    emergency: str | None = None
    why: str | None = None
    to: str | None = None
    ground: str | None = None


class MyVisits(msgspec.Struct, frozen=True):
    """`before`: ask for what came earlier, with this value; null when there is nothing more to ask for."""

    items: list[VisitOut]
    before: str | None
    notice: str = ALWAYS
