"""What is written by REST leaves by FHIR, what arrived is read by REST, and each by whoever may."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.projects.models import Project
from tests.features.projects.cast import SERAFIN, id_of, part, prepared, signed
from tests.features.projects.exchanged import Came, arrived, bare, own_bundle
from tests.fhir import official
from tests.world import World

TYPES = {
    "expectations": "Goal",
    "needs": "ServiceRequest",
    "goals": "Goal",
    "actions": "Task",
    "services": "Task",
    "means": "Task",
    "reviews": "Task",
    "agreements": "Consent",
}
FINESS = "690012349"


@pytest.fixture(scope="module", autouse=True)
def named(world: World) -> None:
    world.rows("UPDATE structure SET finess = $1 WHERE id = $2", FINESS, world.ids["ehpad"])


def came(world: World, bundle: dict[str, Any], usager: str = "lucas", structure: str = "ime") -> list[Came]:
    """A bundle of the CHU's about this person, its rows written as facts."""
    [key] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids[usager])
    opened = world.keyring.usager_key(key["wrapped"], str(world.ids[usager]))
    about = (world.ids[usager], world.ids[structure], world.ids["chu"])
    found = arrived(bundle, world.keyring, opened, key["wrapped"], *about)
    for each in found:
        each.row.visibility = "shared"
    order = ("Project", "Need", "Goal", "ProjectAction")
    rows = [each.row for each in found]
    for row in sorted(rows, key=lambda r: order.index(type(r).__name__) if type(r).__name__ in order else len(order)):
        world.add(row)
    return found


def fhir(world: World, who: str, type_name: str, id: str) -> Any:
    return world.get(who, f"/fhir/{type_name}/{id}")


def whole(world: World) -> tuple[str, dict[str, dict[str, Any]]]:
    """A project of Jeanne's with all that REST may say of each part."""
    project = prepared(
        world,
        description="Une année chez elle.",
        starts="2026-01-15",
        ends="2026-12-31",
        type_code="urn:jdv:j367|PPA",
        communication="Lu à voix haute.",
        next_review_on="2026-12-01",
    )
    told: dict[str, dict[str, Any]] = {}
    told["expectations"] = part(
        world,
        project,
        "expectations",
        origin="famille",
        said_by="sa sœur",
        said_on="2026-01-02",
        words="Qu'elle sorte.",
    )
    told["needs"] = part(world, project, "needs", text="Se fatigue vite", serafin=f"{SERAFIN}|1.1.8")
    told["goals"] = part(
        world,
        project,
        "goals",
        title="Aller au marché",
        description="Seule, le mardi.",
        kind="essayer",
        status="active",
        step="trying",
        strategy="Avec Sonia, puis seule.",
        referent_id=str(world.ids["sonia"]),
        review_on="2026-06-01",
        need_ids=[told["needs"]["id"]],
        team_view="Elle s'arrête deux fois.",
    )
    told["actions"] = part(
        world,
        project,
        "actions",
        title="Sortir le mardi",
        description="À dix heures.",
        status="in_progress",
        expected_result="Jusqu'à la place",
        person_opinion="Oui",
        owner_name="AESH",
        starts="2026-02-01",
        ends="2026-05-01",
        goal_ids=[told["goals"]["id"]],
    )
    action = told["actions"]["id"]
    told["services"] = part(
        world,
        project,
        "services",
        title="Vie sociale",
        action_id=action,
        types=[f"{SERAFIN}|2.3.3.1"],
        description="2 h",
    )
    told["means"] = part(world, project, "means", title="Un siège pliant", action_id=action, description="Léger")
    told["reviews"] = part(
        world,
        project,
        "reviews",
        starts_at="2026-06-01T14:00:00Z",
        ends_at="2026-06-01T15:00:00Z",
        status_code="urn:jdv:j366|PREVU",
        perimeter="Les sorties",
        question="Et l'hiver ?",
        guests="Sa sœur",
        preparations=[{"by": "Jeanne", "text": "Je veux continuer."}],
        synthesis="On continue.",
        next_review_on="2026-12-01",
    )
    told["agreements"] = part(
        world,
        project,
        "agreements",
        party="contact",
        answer="talk",
        signer_name="Sa sœur",
        comment="À revoir ensemble.",
        starts="2026-01-15",
        ends="2026-12-31",
    )
    return project, told


@pytest.fixture(scope="module")
def made(world: World) -> tuple[str, dict[str, dict[str, Any]]]:
    return whole(world)


Made = tuple[str, dict[str, dict[str, Any]]]


class TestWhatLeaves:
    @pytest.mark.parametrize("room", TYPES)
    def test_is_valid_r4_under_its_profile(self, world: World, made: Made, room: str):
        answer = fhir(world, "sonia", TYPES[room], made[1][room]["id"])
        assert answer.status_code == 200, answer.text
        get_fhir_model_class(TYPES[room]).model_validate(answer.json())
        assert answer.json()["meta"]["profile"][0].startswith("https://interop.esante.gouv.fr/ig/fhir/tddui/")

    def test_names_itself_by_rule(self, world: World, made: Made):
        plan = fhir(world, "sonia", "CarePlan", id_of(made[0])).json()
        [identifier] = plan["identifier"]
        assert identifier["system"] == "https://identifiant-medicosocial-projetpersonnalise.esante.gouv.fr"
        assert identifier["value"] == (f"3{FINESS}/{world.ids['jeanne'].hex}-PPER-{id_of(made[0]).replace('-', '')}")

    @pytest.mark.parametrize("room", [r for r in TYPES if r != "agreements"])
    def test_is_found_by_that_name(self, world: World, made: Made, room: str):
        [own] = fhir(world, "sonia", TYPES[room], made[1][room]["id"]).json()["identifier"]
        found = world.get("sonia", f"/fhir/{TYPES[room]}?identifier={own['system']}|{own['value']}").json()
        assert [e["resource"]["id"] for e in found["entry"]] == [made[1][room]["id"]]
        other = own["value"].replace(FINESS, "123456789").replace(world.ids["jeanne"].hex, world.ids["karim"].hex)
        assert "entry" not in world.get("sonia", f"/fhir/{TYPES[room]}?identifier={other}").json()
        assert "entry" not in world.get("sonia", f"/fhir/{TYPES[room]}?identifier=123,3690012349/x-PPER-y").json()

    def test_without_a_finess_is_named_by_its_id(self, world: World):
        project = prepared(world, usager="karim", structure="mas_fam")
        [identifier] = fhir(world, "sonia", "CarePlan", id_of(project)).json()["identifier"]
        assert (identifier["system"], identifier["value"]) == ("urn:ietf:rfc:3986", f"urn:uuid:{id_of(project)}")

    def test_says_all_of_the_plan(self, world: World, made: Made):
        project, told = made
        signer = signed(world, project)
        plan = fhir(world, "sonia", "CarePlan", id_of(project)).json()
        assert (plan["title"], plan["description"], plan["status"]) == (
            "Projet de Jeanne",
            "Une année chez elle.",
            "draft",
        )
        assert plan["period"] == {"start": "2026-01-15", "end": "2026-12-31"}
        assert plan["category"] == [{"coding": [{"system": "urn:jdv:j367", "code": "PPA"}]}]
        assert [n["text"] for n in plan["note"]] == ["Lu à voix haute."]
        author = plan["_status"]["extension"][0]["valueReference"]["reference"]
        assert author == f"Practitioner/{world.ids['sonia']}"
        cited = {
            r["extension"][0]["valueCodeableConcept"]["coding"][0]["code"]: r["reference"]
            for r in plan["supportingInfo"]
        }
        assert cited == {
            "accordStructure": f"Consent/{signer['id']}",
            "accordUsager": f"Consent/{told['agreements']['id']}",
        }

    def test_is_heard_again_as_it_was_said(self, world: World, made: Made):
        """Everything REST said of each part is in the row that another house would make of it."""
        project, told = made
        names = {f"CarePlan/{id_of(project)}"} | {f"{TYPES[room]}/{row['id']}" for room, row in told.items()}
        entries = [
            {"fullUrl": f"https://ici.example/{name}", "resource": fhir(world, "sonia", *name.split("/")).json()}
            for name in names
        ]
        [key] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids["lucas"])
        opened = world.keyring.usager_key(key["wrapped"], str(world.ids["lucas"]))
        about = (world.ids["lucas"], world.ids["ime"], world.ids["mdph"])
        found = arrived({"entry": entries}, world.keyring, opened, key["wrapped"], *about)
        by_kind = {each.row.KIND.value: each.row for each in found}
        left_out = {"goals": {"referent_id", "need_ids", "team_view_by", "team_view_at"}, "actions": {"goal_ids"}}
        servers = {
            "id", "usager_id", "project_id", "author_id", "author_kind", "visibility", "recorded_at", "updated_at",
            "version", "status_changed_at", "status_author_id", "status_author_kind", "signer_kind", "action_id",
            "shown_version", "shown_sha256", "signed_at", "starts_at", "ends_at", "said_on", "review_on", "starts",
            "ends", "next_review_on", "referent_kind",
        }  # fmt: skip
        for room, row in told.items():
            kind = by_kind[{"means": "means"}.get(room, room[:-1])]
            compared = {n: v for n, v in row.items() if n not in servers | left_out.get(room, set())}
            assert {n: getattr(kind, n) for n in compared} == compared
            for name in ("starts", "ends", "said_on", "review_on", "next_review_on"):
                if row.get(name):
                    assert getattr(kind, name).isoformat() == row[name]

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("CarePlan?patient=Patient/{jeanne}&status=draft&category=PPA&date=ge2026-03", 1),
            ("CarePlan?patient=Patient/{jeanne}&category=urn:jdv:j367|PPA&status=completed", 0),
            ("Goal?patient=Patient/{jeanne}&lifecycle-status=active&target-date=2026-06-01", 1),
            ("Goal?patient=Patient/{jeanne}&start-date=2026-01-02", 1),
            ("ServiceRequest?subject=Patient/{jeanne}&category=1.1.8&based-on=CarePlan/{project}", 1),
            ("Task?subject=Patient/{jeanne}&status=in-progress", 1),
            ("Task?based-on=CarePlan/{project}", 4),
            ("Task?subject=Patient/{jeanne}&period=2026-06-01&code=PREVU", 1),
            ("Consent?patient=Patient/{jeanne}&status=proposed", 1),
        ],
    )
    def test_is_searched(self, world: World, made: Made, query: str, count: int):
        asked = query.format(jeanne=world.ids["jeanne"], project=id_of(made[0]))
        answer = world.get("sonia", f"/fhir/{asked}")
        assert answer.status_code == 200, answer.text
        assert len(answer.json().get("entry", [])) == count

    def test_of_an_amendment_says_what_it_replaces(self, world: World, made: Made):
        project, told = made
        version = world.get("marc", project).json()["version"]
        signed(world, project)
        world.post("marc", f"{project}/validate", {}, headers={"If-Match": f'W/"{version}"'})
        answer = world.post("marc", f"{project}/amend", {}, headers={"If-Match": f'W/"{version + 1}"'})
        new = world.get("sonia", answer.headers["location"]).json()
        plan = fhir(world, "sonia", "CarePlan", new["id"]).json()
        assert plan["replaces"] == [{"reference": f"CarePlan/{id_of(project)}"}]
        goal = fhir(world, "sonia", "Goal", new["goals"][0]["id"]).json()
        assert f"Goal/{told['goals']['id']}" in [e["valueReference"]["reference"] for e in goal["extension"]]


class TestWhatArrived:
    @pytest.mark.parametrize("name", ["own", *official.BUNDLES[:1]])
    def test_comes_back_to_its_sender_equal_and_to_nobody_else(self, world: World, name: str):
        found = came(world, own_bundle() if name == "own" else official.bundle(name))
        for each in found:
            type_name, id = each.resource["resourceType"], str(each.row.id)
            back = bare(fhir(world, "chu", type_name, id).json())
            back["meta"].pop("tag")  # where it stands here
            assert back == bare(each.resource)
            assert fhir(world, "mdph", type_name, id).status_code == 404

    def test_is_read_by_rest_with_its_parts(self, world: World):
        found = came(world, own_bundle())
        project = next(each.row for each in found if isinstance(each.row, Project))
        told = world.get("marc", f"/api/v1/projects/{project.id}").json()
        assert (told["title"], told["status"], told["number"]) == ("Projet de Noé", "on_hold", 7)
        assert (told["starts"], told["type_code"]) == ("2026-01-15", "urn:jdv:j367|PPA")
        assert [(e["words"], e["said_by"]) for e in told["expectations"]] == [
            ("Je veux conduire un tracteur.", "son grand-père")
        ]
        [goal], [action], [service], [means] = (told[n] for n in ("goals", "actions", "services", "means"))
        assert (goal["strategy"], goal["need_ids"]) == ("Appeler trois fermes.", [told["needs"][0]["id"]])
        assert (action["goal_ids"], service["action_id"], means["action_id"]) == (
            [goal["id"]],
            action["id"],
            action["id"],
        )
        assert service["types"] == [f"{SERAFIN}|2.3.3.2", f"{SERAFIN}|3.2.1"]
        [review] = told["reviews"]
        assert list(zip(review["prepared_by"], review["preparations"], strict=True)) == [
            ("Noé", "J'aime les vaches."),
            ("L'internat", "Il se lève seul."),
        ]
        assert [(a["party"], a["answer"]) for a in told["agreements"]] == [("structure", "yes"), ("contact", "no")]

    def test_is_read_by_the_person(self, world: World):
        came(world, own_bundle(), "ines", "mecs")
        assert world.get("ines", "/api/v1/me/project").json()["title"] == "Projet de Noé"

    def test_continued_by_the_team_goes_out_with_what_only_the_sender_knew(self, world: World):
        found = came(world, own_bundle())
        goal = next(each for each in found if each.row.KIND == "goal")
        place = f"/api/v1/projects/{goal.row.project_id}/goals/{goal.row.id}"
        assert world.patch("marc", place, {"title": "Deux stages", "step": "moving"}, 1).status_code == 200
        out = fhir(world, "marc", "Goal", str(goal.row.id)).json()
        assert (out["note"][0]["text"], out["note"][3]["text"]) == ("Deux stages", "Une note que personne ne range.")
        assert out["identifier"] == goal.resource["identifier"]
        assert out["achievementStatus"]["text"] == "Ça avance"

    def test_leaves_no_received_identifier_in_the_base(self, world: World):
        came(world, own_bundle())
        tables = ("project", "expectation", "need", "goal", "action", "service", "means", "review", "agreement")
        for table in tables:
            [found] = world.rows(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%3690012345/4711%'")
            assert found[0] == 0
