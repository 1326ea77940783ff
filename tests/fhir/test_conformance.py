"""`make fhir-conformance`: each TDDUI profile comes in, is shown by REST, leaves, and is equal after a second journey. By
calling the server, never by asking what it declares.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from app.api.openapi_shared import resolved
from app.features.transports.models import Traveller
from app.fhir.registry import profiles_of
from app.security.principal import Role
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, read_back, said, sent
from tests.exchange.test_round_trip import canonical_of, pushed
from tests.features.assessments.exchanged import PRO, answered
from tests.features.contacts.test_fhir import contact
from tests.features.deaths.test_fhir import died
from tests.features.documents.test_fhir import document
from tests.features.life_projects.test_fhir import MOTHER, PRACTITIONER, life
from tests.features.meals.test_fhir import observed
from tests.features.mobility.test_fhir import moves
from tests.features.orientation.test_fhir import decision, request
from tests.features.presences.test_fhir import dossier as presences
from tests.features.projects.exchanged import own_bundle
from tests.features.projects.test_exchange import sendable
from tests.features.schooling.test_fhir import SCHOOL, TEACHER, period
from tests.features.stays.test_fhir import stay
from tests.features.transports.test_fhir import dossier as transports
from tests.features.usagers.people import INS_NIR, checked, whole
from tests.fhir import official
from tests.world import World

Json = dict[str, Any]
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-"
STEPS = ("received", "shown", "sent", "equal")
# The 30 resource profiles of 2.4.0, and the bundle that carries them. task-transport is the base of its two.
PROFILES = [
    "patient",
    "patient-ins",
    "organization",
    "practitioner",
    "practitioner-role",
    "encounter-sejour",
    "encounter-evenement",
    "careplan-projet-personnalise",
    "consent-accord",
    "goal-attente",
    "goal-objectif",
    "goal-projet-vie",
    "service-request-besoin",
    "service-request-demande-orientation",
    "task-action",
    "task-prestation",
    "task-moyen-ressource",
    "task-bilan",
    "task-transport-professionnel",
    "task-transport-usager",
    "questionnaire-response",
    "document-reference",
    "related-person-contact",
    "observation-cause-mortalite",
    "observation-mobilite-usager",
    "observation-periode-scolaire",
    "observation-repas",
    "schedule",
    "slot-presence-absence",
    "basic-decision",
]
NOT_SHOWN = {"organization", "practitioner", "practitioner-role"}  # who stands in a bundle without being of the house


def about(*resources: Json) -> Json:
    return bundle(entry(patient(fresh())), *map(entry, resources))


def person_with_a_number() -> Json:
    """Its INS is its sender's word: it leaves from here once the identity was checked here."""
    ins = {"use": "official", "system": "urn:oid:1.2.250.1.213.1.4.10", "value": "255081416802538"}
    person = patient(fresh(), meta={"profile": [f"{TDDUI}patient-ins"]})
    return bundle(entry({**person, "identifier": [*person["identifier"], ins]}))


SOURCES: dict[str, Callable[[], Json]] = {
    "project": lambda: sendable(own_bundle()),
    "presence": lambda: presences(fresh()),
    "ride": lambda: transports(fresh()),
    "ride of a professional": lambda: transports(fresh(), Traveller.PROFESSIONAL),
    "life": lambda: about(PRACTITIONER, MOTHER, life()),
    "school": lambda: about(TEACHER, SCHOOL, period()),
    "day": lambda: about(stay(), observed(fresh()), moves(), contact()),
    "death": lambda: about(died()),
    "orientation": lambda: about(request(), decision()),
    "grid": lambda: about({"resourceType": "Practitioner", "id": str(PRO)}, {**answered("p"), "id": "q"}),
    "paper": lambda: about(document()),
    "number": person_with_a_number,
    **{name.rpartition("/")[2]: (lambda name=name: official.bundle(name)) for name in official.BUNDLES},
}


@pytest.fixture(scope="module")
def lists(world: World) -> list[str]:
    """Every list of a dossier that the REST API has."""
    found = []
    openapi = world.client.get("/openapi.json").json()
    for path, verbs in openapi["paths"].items():
        asked = {resolved(openapi, p)["name"] for p in verbs.get("get", {}).get("parameters", ())}
        if "usager" in asked and path.startswith("/api/v1/"):
            found.append(f"{path}?usager={{usager_id}}" + ("&limit=200" if "limit" in asked else ""))
        elif path.count("{") == 1 and path.startswith("/api/v1/usagers/{usager_id}"):
            found.append(path)
    return found


@pytest.fixture(scope="module", autouse=True)
def nurse(world: World) -> None:
    world.hire("idec", Role.IDEC, "ime")
    world.rows("UPDATE structure SET finess = '690012349' WHERE id = $1", world.ids["ime"])


def shown(world: World, lists: list[str], usager: str) -> str:
    """All that the staff reads of this person by REST."""
    text = []
    for who in ("idec", "odile", "marc"):
        for path in lists:
            answer = world.get(who, path.format(usager_id=usager))
            text.append(answer.text if answer.status_code == 200 else "")
        for project in world.get(who, f"/api/v1/projects?usager={usager}").json().get("items", ()):
            text.append(world.get(who, f"/api/v1/projects/{project['id']}").text)
    return "".join(text)


def names(resource: Json) -> set[str]:
    return {p.removeprefix(TDDUI) for p in profiles_of(resource) if p.startswith(TDDUI)}


def journey(world: World, lists: list[str], body: Json) -> dict[str, set[str]]:
    """The steps that each profile of this bundle went through."""
    answer = sent(world, body)
    assert answer.status_code == 200, answer.text
    places = [e["response"]["location"].partition("/_history")[0] for e in answer.json()["entry"]]
    usager = next(place for place in places if place.startswith("Patient/")).partition("/")[2]
    kinds = world.rows(
        "SELECT row_id::text AS id, kind FROM exchange_row WHERE row_id = ANY($1::uuid[])",
        [place.partition("/")[2] for place in places],
    )
    kept = {row["id"] for row in kinds if row["kind"] == "kept_resource"}
    once = pushed(world, usager, "mdph")
    text = shown(world, lists, usager)
    again = sent(world, once, "mdph")
    assert again.status_code == 200, again.text
    there = [e["response"]["location"].split("/")[1] for e in again.json()["entry"]]
    twice = pushed(world, next(i for i, e in zip(there, once["entry"], strict=True) if is_person(e)), "chu")
    came_back = Counter(canonical_of(twice).values())
    left, told = canonical_of(once), {e["resource"]["id"]: e["resource"] for e in once["entry"]}
    found: dict[str, set[str]] = {}
    for each, place in zip(body["entry"], places, strict=True):
        id = place.partition("/")[2]
        for name in names(each["resource"]):
            steps = found.setdefault(name, set())
            steps |= {"received"} if id not in kept else set()
            steps |= {"shown"} if id in text or name in NOT_SHOWN else set()
            steps |= {"sent"} if id in told and name in names(told[id]) else set()
            steps |= {"equal"} if id in told and came_back[left[place]] else set()
    return found


def is_person(of: Json) -> bool:
    return bool(of["resource"]["resourceType"] == "Patient")


def with_its_number(world: World) -> set[str]:
    """A person of ours whose identity was checked: what leaves bears the INS, and its taker gives it back so."""
    number = {"system": INS_NIR, "value": "295109912611193"}
    place = whole(world, "QUALIFIE", structure="ime", identifiers=[number])
    assert checked(world, "odile", place, status="qualifiee").status_code == 200
    usager = place.rpartition("/")[2]
    [out] = [e for e in pushed(world, usager, "mdph")["entry"] if is_person(e)]
    assert "patient-ins" in names(out["resource"])
    told = sent(world, bundle(out), "mdph").json()["entry"][0]["response"]["location"].split("/")[1]
    back = said(read_back(world, "Patient", told, "mdph"))
    return {"sent", "equal"} if back == said(out["resource"]) else {"sent"}


def test_each_profile_comes_in_is_shown_leaves_and_is_equal(
    world: World, lists: list[str], figure: Callable[[str], None]
):
    went: dict[str, set[str]] = {}
    for source in SOURCES.values():
        for name, steps in journey(world, lists, source()).items():
            went[name] = went.get(name, set()) | steps
    went["patient-ins"] = went.get("patient-ins", set()) | with_its_number(world)
    for name in PROFILES:
        line = " ".join(f"{step if step in went.get(name, ()) else '—':>9}" for step in STEPS)
        figure(f"profile {name:38} {line}")
    assert {name: set(STEPS) - went.get(name, set()) for name in PROFILES} == {name: set() for name in PROFILES}
