"""« L'adresse d'une mère protégée »: nothing that leads to her is served to the other parent or to a partner (field.md §5).

Claire left; the court shared the authority over Lucas. All that tells where she is was written at the doors, by the team.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import SharingConsent
from app.features.stays.models import Stay
from app.kernel.clock import today
from tests.exchange.sending import sent
from tests.features.consents.people import represent
from tests.features.contacts.people import added, confirmed, entered
from tests.portal.visitor import visit
from tests.stories import watching
from tests.world import World

SECRETS = (
    "Cachette", "0611223344", "06 11 22 33 44", "claire.abri", "Foyer Zinnia", "Rivesaltes", "66600",  # where she lives
    "Tribune des Halles", "bus Mirabelle", "Capucine", "Ecole Vermeil",  # where she works, what was written of events
    "Ancolie",  # what a partner sent beside
)  # fmt: skip
APART = {"kind": "autorite_parentale_separes", "scope": "both", "starts": "2024-03-01"}
DAY = today() + timedelta(days=3)
LEADS = tuple(
    f"/fhir/{asked}"
    for asked in (
        "Patient/{u}/_history", "Patient/{u}/$everything", "Patient?_id={u}&_include=*", "RelatedPerson", "Encounter",
        "Encounter?patient={u}&date=gt2000", "Encounter?_count=0", "Patient?_count=0", "Goal?patient={u}",
        "DocumentReference", "Organization", "Location", "Practitioner", "Organization/{ime}", "Basic",
    )
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def lives_apart(world: World) -> None:
    """What the team writes, as on any day: nobody ticks « protégé » but on the event and on the shelter."""
    where = {"address": "4 rue de la Cachette", "city": "Rivesaltes", "postal_code": "66600"}
    reached = {"phone": "0611223344", "email": "claire.abri@example.org"}
    work = "Travaille à la Tribune des Halles. Ecole Vermeil pour la sœur."
    mother = added(world, "lucas", family_name="Martin", given_name="Claire", notes=work, **where, **reached)
    father = added(world, "lucas", family_name="Martin", given_name="Paul", phone="0699999999", address="1 rue Droite")
    shelter = {"address": "9 quai Foyer Zinnia", "address_protected": True}
    added(world, "lucas", family_name="Foyer Zinnia", **shelter)
    child = world.patch("odile", f"/api/v1/usagers/{world.ids['lucas']}", {**where, **reached}, 1)
    assert child.status_code == 200, child.text
    for contact in (father, mother):
        assert confirmed(world, entered(world, contact, **APART)).status_code == 200
    plan(world)
    world.ids["mother"] = UUID(mother[-36:])
    represent(world, "father", "lucas", "autorite_parentale_separes", contact=UUID(father[-36:]))
    yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "starts": today()}
    at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
    for partner in ("chu", "mdph"):
        each = ["administrative", "support", "care"]
        world.add(SharingConsent(partner_id=world.ids[partner], categories=each, **yes, **at))


def plan(world: World) -> None:
    told = {
        "usager_ids": [str(world.ids["lucas"])],
        "structure_id": str(world.ids["ime"]),
        "title": "Visite au Foyer Zinnia",
        "starts": f"{DAY}T14:00:00",
        "ends": f"{DAY}T15:00:00",
        "place": "4 rue de la Cachette",
        "place_protected": True,
        "reason": "Voir sa mère au Foyer Zinnia",
        "comment": "Par le bus Mirabelle",
        "attendees": [{"name": "Capucine, du Foyer Zinnia"}],
    }
    answer = world.post("sonia", "/api/v1/events", told)
    assert answer.status_code == 201, answer.text
    event = answer.headers["location"]
    world.ids["event"] = UUID(event[-36:])
    report = {"report": "Sa mère l'attendait à l'arrêt du bus Mirabelle."}
    assert world.patch("sonia", event, report, 1).status_code == 200


def served(answers: list[Any]) -> dict[str, list[str]]:
    """What was told of her, by path."""
    found: dict[str, list[str]] = {}
    for path, _, headers, body in answers:
        text = f"{headers}{body.decode()}".lower()
        if here := [secret for secret in SECRETS if secret.lower() in text]:
            found[path] = here
    return found


def asks(world: World, who: str, *paths: str) -> list[Any]:
    leads = [path.format(u=world.ids["lucas"], ime=world.ids["ime"]) for path in (*LEADS, *paths)]
    return watching.api(world, who, "lucas", *leads, paths=watching.OWN)


def test_the_team_and_the_child_read_where_she_is(world: World) -> None:
    contact = world.get("sonia", f"/api/v1/contacts/{world.ids['mother']}").json()
    assert (contact["address"], contact["phone"]) == ("4 rue de la Cachette", "0611223344")
    assert contact["address_protected"]  # nobody had to think of it
    event = world.get("sonia", f"/api/v1/events/{world.ids['event']}").json()
    assert (event["title"], event["place"]) == ("Visite au Foyer Zinnia", "4 rue de la Cachette")
    assert world.get("lucas", f"/api/v1/me/events/{world.ids['event']}").json()["place"] == "4 rue de la Cachette"
    assert "Cachette" in visit(world, "lucas").get("/mon-dossier/agenda").text


@pytest.mark.threat("protected-parent-found")
def test_the_other_parent_is_served_no_byte_of_it(world: World) -> None:
    event, mother = world.ids["event"], world.ids["mother"]
    mine = (f"/api/v1/me/events/{event}", f"/fhir/Encounter/{event}", f"/fhir/RelatedPerson/{mother}")
    answers = asks(world, "father", *mine, f"/api/v1/contacts/{mother}", f"/api/v1/usagers/{world.ids['lucas']}")
    page = watching.page(visit(world, "lucas", world.ids["father"]))
    assert served([*answers, *page]) == {}
    opened = {path for path, status, *_ in [*answers, *page] if status == 200}
    assert {*mine, "/agenda", "", "/acces", f"/fhir/Patient/{world.ids['lucas']}"} <= {
        path.format(u=world.ids["lucas"]) for path in opened
    }


@pytest.mark.threat("protected-parent-found")
def test_what_the_other_parent_writes_answers_no_byte_of_it(world: World) -> None:
    event = f"/api/v1/me/events/{world.ids['event']}"
    answers = [
        world.post("father", f"{event}/answer", {"answer": "yes"}),
        world.post("father", f"{event}/answer", {"answer": "peut-être"}),
        world.patch("father", f"/api/v1/contacts/{world.ids['mother']}", {"address_protected": False}, 1),
        world.post("father", "/fhir", {"resourceType": "Bundle"}),
    ]
    assert [answer.status_code for answer in answers][:1] == [200]
    assert served([(n, *watching.same(answer)) for n, answer in enumerate(answers)]) == {}


@pytest.mark.threat("protected-parent-found")
@pytest.mark.parametrize("who", ["chu", "mdph"])
def test_a_partner_is_served_no_byte_of_it(world: World, who: str) -> None:
    event, mother = world.ids["event"], world.ids["mother"]
    theirs = (f"/fhir/Encounter/{event}", f"/fhir/RelatedPerson/{mother}", f"/fhir/Patient/{world.ids['lucas']}")
    answers = asks(world, who, *theirs)
    assert {status for path, status, *_ in answers if path in theirs} == {200}
    assert served(answers) == {}


@pytest.mark.threat("protected-parent-found")
def test_what_a_partner_sent_of_her_is_told_to_no_other(world: World) -> None:
    """A leftover of a Patient that no map models: nobody can say where in it a place may stand."""
    at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
    yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "starts": today()}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:5d1c2f0e-3f6b-4c55-9f61-5f9e6c9d8a11",
                "resource": {
                    "resourceType": "Patient",
                    "name": [{"family": "ESSAI", "given": ["Ana"]}],
                    "contact": [{"name": {"text": "Sa mère"}, "address": {"text": "allée Ancolie"}}],
                },
                "request": {"method": "POST", "url": "Patient"},
            }
        ],
    }
    answer = sent(world, bundle, "mdph")
    assert answer.status_code == 200, answer.text
    id = UUID(answer.json()["entry"][0]["response"]["location"].split("/")[1])
    at["usager_id"] = id
    [row] = world.rows("SELECT structure_id, version FROM usager WHERE id = $1", id)
    at["structure_id"] = row["structure_id"]
    world.add(SharingConsent(partner_id=world.ids["chu"], categories=["administrative"], **yes, **at))
    assert "Ancolie" in world.get("chu", f"/fhir/Patient/{id}").text
    protect = {"address_protected": True}
    assert world.patch("odile", f"/api/v1/usagers/{id}", protect, row["version"]).status_code == 200
    assert "Ancolie" in world.get("marc", f"/fhir/Patient/{id}").text
    assert "Ancolie" not in world.get("chu", f"/fhir/Patient/{id}").text


@pytest.mark.threat("protected-house-named")
def test_a_house_that_is_itself_the_place_is_not_named(world: World) -> None:
    """Inès and her mother are received in the shelter; her father keeps his authority."""
    world.rows(
        "UPDATE structure SET name = 'Foyer Zinnia', phone = '0611223344', finess = '660066600' WHERE model = 'mecs'"
    )
    at = {"usager_id": world.ids["ines"], "structure_id": world.ids["mecs"]}
    represent(world, "papa", "ines", "autorite_parentale_separes")
    visible = world.get("papa", "/api/v1/me").json()["house"]["name"]
    world.rows("UPDATE stay SET ends = current_date WHERE usager_id = $1", world.ids["ines"])
    world.add(Stay(unit_id=world.ids["unit_mecs"], status="in_progress", starts=today(), place_protected=True, **at))
    asked = {"usager_ids": [str(world.ids["ines"])], "structure_id": str(world.ids["mecs"]), "title": "Judo"}
    event = world.post("sonia", "/api/v1/events", {**asked, "starts": f"{DAY}T14:00:00", "ends": f"{DAY}T15:00:00"})
    assert event.status_code == 201, event.text
    answers = watching.api(world, "papa", "ines", paths=watching.OWN)
    page = watching.page(visit(world, "ines", world.ids["papa"]))
    assert visible == "Foyer Zinnia"
    assert served([*answers, *page]) == {}
    assert not any(str(world.ids["mecs"]).encode() in b for p, *_, b in answers if "Encounter" in p)
    assert "Judo" in world.get("papa", "/api/v1/me/events").text
    assert world.get("ines", "/api/v1/me").json()["house"]["name"] == "Foyer Zinnia"


def test_protection_costs_no_statement_more(world: World) -> None:
    for path in (f"/fhir/Patient/{world.ids['lucas']}", "/api/v1/me/events", "/api/v1/me"):
        world.get("father", path)
        with world.statements() as sql:
            assert world.get("father", path).status_code == 200
        assert len(sql) == 1, path


def test_lifting_it_is_an_act_of_the_team(world: World) -> None:
    """It may be lifted row by row, and is put back when the next mandate of the kind is entered."""
    father = f"/api/v1/contacts/{world.ids['father']}"
    told = world.get("odile", father).json()
    assert world.patch("odile", father, {"address_protected": False}, told["version"]).status_code == 200
    assert "0699999999" in world.get("father", f"/fhir/RelatedPerson/{world.ids['father']}").text
    entered(world, f"/api/v1/contacts/{world.ids['mother']}", **APART)
    assert "0699999999" not in world.get("father", f"/fhir/RelatedPerson/{world.ids['father']}").text
    assert world.get("odile", f"/api/v1/contacts/{uuid4()}").status_code == 404
