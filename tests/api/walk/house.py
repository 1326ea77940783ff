"""A house where something of each kind stands, and who may ask what there: each route finds what its address names."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from app.security.principal import Role
from tests.access.holding import tables
from tests.api.walk.document import FORM, PARAMETER, Json, Route, body, routes
from tests.dossier import FIRST, KINDS, THEN, Dossiers, address
from tests.exchange.bundles import project
from tests.exchange.sending import sent
from tests.world import Headers, World

PLACE = "ime"
USAGER, THEIRS = "/api/v1/usagers/{usager_id}", "/api/v1/me/documents/{document_id}"
ABSENT = "00000000-0000-7000-8000-000000000000"
STAFF = ("marc", "odile", "helene", "sonia", "leila", "dora", "adam", "benoit", "oscar")
PERSONS = ("person", "parent", "helper")
HIRED = {
    "dora": Role.DPO,
    "adam": Role.ADMIN,
    "oscar": Role.EVALUATEUR,
    "benoit": Role.BENEVOLE,
    "theo": Role.EDUCATEUR,
}
SOON, LATER = ((datetime.now(UTC) + timedelta(hours=hours)).isoformat() for hours in (2, 9))
DANGER = {"ground": "loi", "article": "L. 226-2-1", "reason": "Danger"}
HELPS = {
    "kind": "curatelle_renforcee",
    "effect": "assistance",
    "opens": ["administrative", "support"],
    "person_agreed": True,
}
# What a schema can't tell of a body that makes sense, by its name.
BODIES: dict[str, Json] = {
    "SettingIn": {"key": "emergency.hours", "value": 6},
    "SettingPatch": {"value": 7},
    "UsagerIn": {"confirmed_new": True},
    "app__features__judicial__schemas__DecisionIn": {"consigne": {"in_doubt": "Le chef de service"}},
    "InvitationIn": {"template": "educateur"},
    "IdentifierAdded": {"system": "https://mdph.example/individu", "value": "12345"},
    "MobilityIn": {"mode_label": "En bus"},
    "DeathIn": {"causes": [{"code": "https://cim.test|I21"}]},
    "OnDutyIn": {"until": SOON},
    "OnCallIn": {"starts_at": SOON, "ends_at": LATER},
    "EventIn": {"starts": "2026-12-01T09:00:00", "ends": "2026-12-01T10:00:00"},
    "PresenceIn": {"type_code": "urn:presence|1", "ends_at": "2026-11-10T18:00:00+01:00"},
    "MealIn": {"type_code": "urn:repas|1"},
    "PositionIn": {"seen": "0" * 64},
    "HandoverIn": DANGER,
    "SendingIn": DANGER,
    "StayIn": {"starts": "2030-01-01"},
    "ConsentIn": {"kind": "image"},
    "DocumentIn": {"content": "JVBERi0xLjcKJSVFT0Y="},
    "MyDocumentIn": {"content": "JVBERi0xLjcKJSVFT0Y="},
    "OppositionIn": {"professional_id": "@professional_id"},
    "MyOppositionIn": {"professional_id": "@professional_id"},
}


@dataclass(frozen=True)
class Asked:
    """One request, ready to be sent or spoilt."""

    verb: str
    path: str
    headers: Headers = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None

    def but(self, **headers: str | None) -> "Asked":
        """The same with these headers; None takes one away."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {n: v for n, v in self.headers.items() if n not in told}
        return replace(self, headers=kept | {n: v for n, v in told.items() if v is not None})


class House:
    def __init__(self, world: World) -> None:
        self.world = world
        for name, role in HIRED.items():
            world.hire(name, role, PLACE)
        assert sent(world, project("walk", goals=1)).status_code == 200
        found = world.get("chu", "/fhir/Patient").json()["entry"]
        self.here: dict[str, str] = {}
        self.rows = {USAGER}
        self.fhir_id = found[0]["resource"]["id"]
        self.anew()

    def anew(self) -> None:
        """Someone new, with a row of each kind, and new rows of what the house creates."""
        self.named = self._dossier()
        for route in every():
            if (item := _item(route)) and (item == THEIRS or item.replace("/me/", "/") not in self.rows):
                self.create(route, item)

    def _dossier(self) -> dict[str, str]:
        made, ids = Dossiers(self.world), self.world.ids
        someone, where, of = made.person(PLACE), [], tables()
        for kind in KINDS[1:]:
            row: dict[str, Any] = {"id": getattr(someone, kind)} if kind in FIRST else {}
            row |= {"author_id": ids["marc"], "category": of[kind].CATEGORY.value} | self._said(kind)
            where.append(address(kind, someone, made.row(kind, someone, **row)))
        helping = made.row("contact", someone)
        made.row("mandate", someone, contact_id=helping, confirmed_at=THEN, **HELPS)
        made.write()
        for name in ("sonia", "leila", "benoit"):
            self.world.accompany(name, someone.id, PLACE, referent=name == "sonia")
        self.world.enter("person", someone.id)
        self.world.enter("parent", someone.id, someone.contact)
        self.world.enter("helper", someone.id, helping)
        for route, at in ((route, at) for route in every() for at in where if route.pattern.fullmatch(at)):
            self.here[route.path] = at.rpartition("/")[2]
            self.rows.add(route.path)
        self.here[USAGER] = str(someone.id)
        return {
            "usager_id": str(someone.id),
            "structure_id": str(ids[PLACE]),
            "unit_id": str(ids[f"unit_{PLACE}"]),
            "professional_id": str(ids["sonia"]),
            "membership_id": str(ids["sonia_membership"]),
            "partner_id": str(ids["chu"]),
            "project_id": str(someone.project),
            "contact_id": str(someone.contact),
            "consent_id": str(someone.sharing_consent),
            "structure_ids": f"{ids[PLACE]} {ids['mecs']}",
            "type_name": "Patient",
            "version": "1",
            "id": self.fhir_id,
            "entry_id": self.here["/api/v1/transmissions/{transmission_id}"],
        }

    def _said(self, kind: str) -> dict[str, Any]:
        """Who stands where: Oscar came to look, Théo is not wanted, the parent sees the papers only."""
        ids, until = self.world.ids, "2030-01-01T00:00:00Z"
        told: dict[str, dict[str, Any]] = {
            "opposition": {"professional_id": ids["theo"]},
            "stated_purpose": {"professional_id": ids["oscar"], "ends_at": until},
            "team_member": {"professional_id": ids["theo"]},
            "assessment": {"category": "support"},
            "emergency_access": {"professional_id": ids["marc"], "ends_at": until},
            "mandate": {"opens": ["administrative"], "confirmed_at": THEN},
            "usager_identifier": {},
        }
        return told.get(kind, {})

    def create(self, route: Route, item: str) -> None:
        """One more of this collection, by whoever may."""
        for who in self.callers(route):
            answer = self.send(self.good(route, who))
            if answer.status_code == 201 and "location" in answer.headers:
                self.here[item] = answer.headers["location"].rpartition("/")[2]
                return

    def callers(self, route: Route) -> tuple[str, ...]:
        if route.is_open:
            return ("nobody",)
        if route.path.startswith("/fhir"):
            return ("chu",)
        return PERSONS if route.path.startswith("/api/v1/me") else STAFF

    def path(self, route: Route, last: str | None = None) -> str:
        """Its address here; `last`: what stands at its last parameter instead."""

        def found(match: Any) -> str:
            there = route.path[: match.end()]
            if last and "{" not in route.path[match.end() :]:
                return last
            return self.here.get(there) or self.here.get(there.replace("/me/", "/")) or self.named.get(match[1], ABSENT)

        return PARAMETER.sub(found, route.path)

    def known(self, name: str) -> Json:
        if name == "structure_ids":
            return self.named[name].split()
        return self.named.get(name) or self.named.get(f"{name}_id") or self.named.get(name.removesuffix("s"))

    def good(self, route: Route, who: str | None = None, last: str | None = None) -> Asked:
        """A request that this route understands."""
        headers = {**self.world.bearers.get(who or self.callers(route)[0], {})}
        if route.takes("If-Match") and not route.is_fhir:
            headers["If-Match"] = 'W/"1"'
        query = tuple((p["name"], self.known(p["name"]) or "x") for p in route.parameters("query") if p.get("required"))
        query = query or ((("_type", "Task"),) if (route.path, route.verb) == ("/fhir", "get") else ())
        content = None
        if route.media:
            headers["Content-Type"] = route.media
            said = self.body(route)
            content = urlencode(said).encode() if route.media == FORM else json.dumps(said).encode()
        return Asked(route.verb.upper(), self.path(route, last), headers, query, content)

    def body(self, route: Route) -> Json:
        if route.is_fhir:
            return (
                {"_type": "Task"}
                if route.path == "/fhir/_search"
                else {}
                if route.media == FORM
                else {"resourceType": "Patient"}
            )
        made = body(route, self.known)
        more = BODIES.get(route.body_name, {})
        more = {n: self.named[v[1:]] if isinstance(v, str) and v.startswith("@") else v for n, v in more.items()}
        return {**made, **more} if isinstance(made, dict) else made

    def send(self, asked: Asked) -> Any:
        return self.world.client.request(
            asked.verb,
            asked.path,
            params=[*asked.query] or None,
            headers=asked.headers,
            content=asked.content,
            follow_redirects=False,
        )


@cache
def every() -> tuple[Route, ...]:
    """The routes, those that end the session that asks at last."""
    return tuple(sorted(routes(), key=lambda r: ("session" in r.path, r.path.endswith("/me/session"))))


def _item(route: Route) -> str | None:
    """The address of what is created here."""
    if route.verb != "post":
        return None
    depth = route.path.count("{") + 1
    held = (r.path for r in every() if r.path.startswith(f"{route.path}/{{") and r.path.endswith("}"))
    return next((path for path in held if path.count("{") == depth), None)
