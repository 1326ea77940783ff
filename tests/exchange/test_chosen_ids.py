"""`PUT Type/id` of an id that is not here: it creates where the house allows it, under an id of its sender's own space."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.fhir.mapping import Json
from tests.exchange.bundles import bundle, entry, patient, plan
from tests.exchange.sending import fresh, sent, taken, written_by_the_team
from tests.exchange.test_acts import change, statuses
from tests.fhir.test_read import PATH, scoped, written
from tests.fhir.test_refusals import told
from tests.fhir.test_writing import asked, flag, kept, made, person
from tests.world import World

MEND = "PUT Type?identifier="


@pytest.fixture
def allowed(world: World) -> Iterator[None]:
    here = {"scope": f"structure:{world.ids['ime']}", "key": "fhir.update_create", "value": True}
    place = world.post("helene", "/api/v1/settings", here).headers["location"]
    yield
    world.delete("helene", place, 1)


def chosen(world: World, who: str = "chu", version: int = 8) -> str:
    """An id of this partner's space that nobody used."""
    return (
        f"{uuid4().hex[:8]}-{uuid4().hex[:4]}-{version}{uuid4().hex[:3]}-8{uuid4().hex[:3]}-{world.ids[who].hex[-12:]}"
    )


def put(world: World, id: str, one: Json, who: str = "chu", **headers: str) -> Any:
    return asked(world, "PUT", f"{one['resourceType']}/{id}", {**one, "id": id}, who=who, **headers)


def copied(world: World, table: str, row: UUID, **over: object) -> None:
    """The same row, of another organisation."""
    of_table = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'"
    names = [name for (name,) in world.rows(of_table, table)]
    held = {name: f"${place}" for place, name in enumerate(over, 2)}
    values = ", ".join(held.get(name, name) for name in names)
    world.rows(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE id = $1", row, *over.values()
    )


def a_flag(world: World) -> Json:
    return flag(f"Patient/{person(world)['id']}")


class TestRefused:
    def test_as_long_as_the_house_says_nothing(self, world: World):
        answer = put(world, chosen(world), a_flag(world))
        [(where, sentence)] = told(answer)
        assert (answer.status_code, where, MEND in sentence) == (404, "Flag", True)
        assert "espace" not in sentence

    def test_how_to_create_is_told_and_does_create(self, world: World):
        one = a_flag(world) | {"identifier": [{"system": "https://chu.test/alertes", "value": fresh()}]}
        refused = put(world, str(uuid4()), one)
        assert MEND in told(refused)[0][1]
        name = f"{one['identifier'][0]['system']}|{one['identifier'][0]['value']}"
        assert asked(world, "PUT", f"Flag?identifier={name}", one).status_code == 201

    def test_no_other_verb_is_told_of_it(self, world: World):
        for method, body in (("DELETE", None), ("PATCH", [])):
            assert MEND not in told(asked(world, method, f"Flag/{uuid4()}", body))[0][1]


@pytest.mark.usefixtures("allowed")
class TestAllowed:
    def test_it_creates_under_that_id(self, world: World):
        id, one = chosen(world), a_flag(world)
        answer = put(world, id, one)
        assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
        assert answer.headers["location"].endswith(f"/fhir/Flag/{id}/_history/1")
        assert world.get("chu", f"/fhir/Flag/{id}").json()["code"] == one["code"]
        again = put(world, id, {**one, "status": "inactive"})
        assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')

    def test_in_a_bundle_others_name_it(self, world: World):
        doctor, what, one = chosen(world), chosen(world), a_flag(world)
        body = bundle(
            change("PUT", f"Flag/{what}", {**one, "id": what, "author": {"reference": f"Practitioner/{doctor}"}}),
            change("PUT", f"Practitioner/{doctor}", {"resourceType": "Practitioner", "id": doctor, "active": True}),
        )
        assert statuses(sent(world, body)) == ["201", "201"]
        assert world.get("chu", f"/fhir/Flag/{what}").json()["author"] == {"reference": f"Practitioner/{doctor}"}
        assert statuses(sent(world, body)) == ["200", "200"]

    def test_never_a_person(self, world: World):
        """Erased, they must not come back as somebody else under the same id."""
        answer = put(world, chosen(world), patient(fresh()))
        assert (answer.status_code, MEND in told(answer)[0][1]) == (404, True)

    def test_deleted_it_comes_back(self, world: World):
        id, one = chosen(world), a_flag(world)
        steps = [put(world, id, one), asked(world, "DELETE", f"Flag/{id}"), put(world, id, one)]
        assert [each.status_code for each in steps] == [201, 204, 200]

    def test_after_the_team_wrote_it_is_no_new_one(self, world: World):
        id, one = chosen(world), a_flag(world)
        put(world, id, one)
        written_by_the_team(world, UUID(id))
        assert put(world, id, {**one, "status": "inactive"}).status_code == 200

    def test_under_a_version_it_is_a_change_of_nothing(self, world: World):
        assert put(world, chosen(world), a_flag(world), If_Match='W/"1"').status_code == 404

    def test_of_an_id_that_is_another_type_s(self, world: World):
        who, what, one = chosen(world), chosen(world), a_flag(world)
        project = {**plan(fresh()), "subject": one["subject"]}
        project.pop("supportingInfo")
        assert [put(world, who, project).status_code, put(world, what, one).status_code] == [201, 201]
        basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": one["subject"]}
        answers = [put(world, what, basic), put(world, who, one)]
        assert [(each.status_code, told(each)[0][0]) for each in answers] == [(404, "Basic"), (409, "Flag.id")]
        assert world.get("chu", f"/fhir/Flag/{what}").json()["code"] == one["code"]
        assert world.get("chu", f"/fhir/CarePlan/{who}").json()["title"] == project["title"]

    def test_whose_identifier_is_another_row_s(self, world: World):
        one = a_flag(world) | {"identifier": [{"system": "https://chu.test/alertes", "value": fresh()}]}
        made(world, one)
        assert put(world, chosen(world), one).status_code == 422

    def test_its_scope_is_asked(self, world: World):
        one, headers = a_flag(world), scoped(world, "system/*.rus")
        id = chosen(world)
        answer = world.client.put(
            f"/fhir/Flag/{id}", json={**one, "id": id}, headers={**headers, "Content-Type": "application/fhir+json"}
        )
        assert (answer.status_code, "system/Flag.cu" in told(answer)[0][1]) == (403, True)
        assert world.get("chu", f"/fhir/Flag/{id}").status_code == 404

    def test_a_trial_leaves_nothing(self, world: World):
        id = chosen(world)
        body = bundle(change("PUT", f"Flag/{id}", {**a_flag(world), "id": id}))
        assert statuses(sent(world, body, path="/fhir?dry-run=true")) == ["201"]
        assert world.get("chu", f"/fhir/Flag/{id}").status_code == 404

    @pytest.mark.threat("partner-chooses-an-id")
    def test_out_of_its_space_nothing_tells_what_is_there(self, world: World):
        """A row of the team, of another partner, of another organisation, one that never was: the same, to the byte."""
        same = {"X_Request_Id": str(uuid4())}
        one, note = a_flag(world), written(world)
        theirs = [kept(world)["id"], chosen(world)]
        put(world, theirs[1], a_flag(world))
        nothing = [str(uuid4()), chosen(world), chosen(world, "mdph", version=7), chosen(world, "mdph", version=4)]
        answers = {put(world, id, one, who="mdph", **same).content for id in (*theirs, *nothing)}
        assert len(answers) == 1
        assert MEND.encode() in answers.pop()
        papers = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"title": "x"}}]}
        papers["subject"] = one["subject"]
        answers = {put(world, id, papers, **same).content for id in (note, nothing[0])}
        assert len(answers) == 1
        assert world.get("sonia", f"{PATH}/{note}").status_code == 200

    @pytest.mark.threat("partner-chooses-an-id")
    def test_an_id_that_another_organisation_holds_is_free(self, world: World):
        """Rows are told apart by organisation first: one that is there elsewhere is as none."""
        id, one = chosen(world), {"resourceType": "Practitioner", "name": [{"family": "Duval"}]}
        there, model = world.other_organisation, UUID(made(world, one).json()["id"])
        default = world.ids["other"]
        copied(
            world, "partner", world.ids["chu"], organisation_id=there, default_structure_id=default, client_id=fresh()
        )
        copied(world, "outside_party", model, organisation_id=there, id=UUID(id))
        absent, elsewhere = put(world, chosen(world), one), put(world, id, one)
        assert (absent.status_code, elsewhere.status_code) == (201, 201)
        assert len(world.rows("SELECT 1 FROM outside_party WHERE id = $1", UUID(id))) == 2

    @pytest.mark.threat("partner-chooses-an-id")
    def test_a_dossier_is_not_joined_by_it(self, world: World):
        """The subject is someone else's: as in any creation, it leads nowhere."""
        one = flag(f"Patient/{world.ids['lucas']}")
        assert put(world, chosen(world), one).status_code == 422

    def test_the_space_is_told_to_its_owner(self, world: World):
        for who in ("chu", "mdph"):
            sentence = told(put(world, str(uuid4()), a_flag(world), who=who))[0][1]
            assert f"finissant par {world.ids[who].hex[-12:]}" in sentence


def test_rows_that_came_by_post_keep_ids_of_ours(world: World):
    [(_, id, _)] = taken(world, bundle(entry(patient(fresh()))))
    assert id.version == 7
