"""Everything one caller can hear of a person, as bytes: to be compared with what they hear when something is hidden."""

import re
from collections.abc import Sequence
from typing import Any

from tests.portal.visitor import Visitor
from tests.world import World

LISTS = (
    "structures", "professionals", "usagers", "contacts?usager={u}", "stays", "stays?usager={u}", "projects",
    "projects?usager={u}", "transmissions", "transmissions?usager={u}", "events?usager={u}", "teams/members?usager={u}",
    "consents?usager={u}", "consents/oppositions?usager={u}", "access/emergency", "access/emergency?usager={u}",
    "access/cards?usager={u}", "exchanges", "alerts", "alerts?usager={u}", "usagers/{u}", "usagers/{u}/emergency-sheet",
    "usagers/{u}/identifiers", "settings",
)  # fmt: skip
OWN = ("me/access", "me", "me/transmissions", "me/project", "me/events", "me/consents", "me/consents/oppositions")
FHIR = ("Patient", "Patient/{u}", "DocumentReference?patient={u}", "Encounter?patient={u}", "CarePlan?patient={u}",
        "RelatedPerson?patient={u}", "Consent?patient={u}", "Basic?patient={u}")  # fmt: skip
PAGES = ("/acces", "", "/projet", "/agenda", "/journal", "/accords")
UNLIKE = {"x-request-id", "date"}
STAMPS = re.compile(rb'"timestamp":"[^"]*"|"request_id":"[^"]*"|name="csrf" value="[^"]*"')


def api(world: World, who: str, usager: str, *more: str, paths: Sequence[str] = LISTS) -> list[Any]:
    """The answers at every list and place about this person, and at `more`: status, headers, body."""
    id = str(world.ids[usager])
    asked = [*(f"/api/v1/{path}" for path in paths), *(f"/fhir/{path}" for path in FHIR), *more]
    return [(path, *same(world.get(who, path.format(u=id)))) for path in asked]


def page(visitor: Visitor) -> list[Any]:
    return [(path, *same(visitor.get(f"/mon-dossier{path}"))) for path in PAGES]


def same(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """What is told, without what names the request."""
    headers = {k: v for k, v in answer.headers.items() if k not in UNLIKE}
    return answer.status_code, headers, STAMPS.sub(b"", answer.content)
