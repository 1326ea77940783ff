"""A paper that the person adds: theirs, read by their team, taken back as long as nobody uses it."""

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest

from tests.features.consents.people import represent
from tests.features.documents.papers import HTML, JPEG, PATH, PDF, PNG, SVG, filed
from tests.world import World

ME = "/api/v1/me/documents"
TEXT = b"Bonjour"


def said(clear: bytes = PDF, **more: Any) -> dict[str, Any]:
    return {"title": "Carte Vitale", "content": b64encode(clear).decode(), **more}


def added(world: World, who: str = "jeanne", clear: bytes = PDF, **more: Any) -> str:
    """Its id."""
    answer = world.post(who, ME, said(clear, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def codes(answer: Any) -> tuple[int, list[tuple[str, str]]]:
    return answer.status_code, [(e["where"], e["code"]) for e in answer.json()["errors"]]


class TestAdd:
    def test_is_theirs_and_their_team_reads_it(self, world: World):
        id = added(world)
        told = world.get("jeanne", f"{ME}/{id}").json()
        assert (told["title"], told["mine"], told["only_team"], told["author_kind"]) == (
            "Carte Vitale",
            True,
            False,
            "usager",
        )
        seen = world.get("sonia", f"{PATH}/{id}").json()
        assert (seen["author_kind"], seen["category"], seen["visibility"]) == ("usager", "support", "shared")
        assert world.get("sonia", f"{PATH}/{id}/content").content == PDF
        mine = world.get("jeanne", f"{ME}/{id}/content")
        assert mine.content == PDF
        held = {"If-None-Match": mine.headers["etag"]}
        assert world.get("jeanne", f"{ME}/{id}/content", headers=held).status_code == 304

    def test_by_a_form_of_several_parts(self, world: World):
        answer = world.client.post(
            ME, data={"title": "Photo"}, files={"file": ("x", JPEG)}, headers=world.bearers["jeanne"]
        )
        assert (answer.status_code, answer.json()["content_type"]) == (201, "image/jpeg")

    @pytest.mark.parametrize(("clear", "title"), [(PDF, "Mon document"), (PNG, "Ma photo")])
    def test_has_a_name_all_the_same(self, world: World, clear: bytes, title: str):
        assert world.get("jeanne", f"{ME}/{added(world, clear=clear, title=None)}").json()["title"] == title

    @pytest.mark.parametrize(("who", "status"), [("leila", 200), ("sonia", 404), ("odile", 404), ("marc", 404)])
    def test_a_paper_of_health_is_read_by_who_cares(self, world: World, who: str, status: int):
        assert world.get(who, f"{PATH}/{added(world, care=True)}").status_code == status

    def test_tells_the_trail_who_added_it(self, world: World):
        answer = world.post("jeanne", ME, said())
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert ("create", "document", world.ids["jeanne"]) in {
            (line["action"], line["kind"], line["principal_id"]) for line in lines
        }

    def test_costs_five_statements_at_most(self, world: World):
        added(world)
        with world.statements() as counted:
            added(world)
        assert len(counted) <= 5, counted.sql

    @pytest.mark.threat("file-html-upload")
    @pytest.mark.parametrize("clear", [HTML, SVG, TEXT, b"PK\x03\x04" + b"\x00" * 64])
    def test_only_an_image_or_a_pdf(self, world: World, clear: bytes):
        assert codes(world.post("jeanne", ME, said(clear))) == (422, [("/content", "document.type")])

    @pytest.mark.threat("file-lies-about-type")
    def test_what_lies_about_its_type(self, world: World):
        answer = world.post("jeanne", ME, said(HTML, content_type="image/png"))
        assert codes(answer) == (422, [("/content", "document.other_type")])

    @pytest.mark.threat("object-mass-assignment-create")
    @pytest.mark.parametrize("field", ["usager_id", "structure_id", "author_id", "visibility", "category"])
    def test_says_nothing_else_of_it(self, world: World, field: str):
        assert world.post("jeanne", ME, said(**{field: str(world.ids["karim"])})).status_code == 422

    @pytest.mark.parametrize("who", ["sonia", "chu"])
    def test_is_their_door_alone(self, world: World, who: str):
        assert world.post(who, ME, said()).status_code == 401


class TestRepresented:
    @pytest.mark.threat("paper-read-by-parents")
    def test_reads_what_is_not_closed_to_them(self, world: World):
        represent(world, "tuteur_papiers", "karim", "tutelle")
        seen, closed = added(world, "karim"), added(world, "karim", only_team=True)
        ids = {i["id"] for i in world.get("tuteur_papiers", f"{ME}?limit=200").json()["items"]}
        assert (seen in ids, closed in ids) == (True, False)
        assert world.get("tuteur_papiers", f"{ME}/{closed}/content").status_code == 404
        assert world.get("karim", f"{ME}/{closed}").json()["only_team"] is True
        assert world.get("sonia", f"{PATH}/{closed}").status_code == 200

    def test_adds_nothing_nor_takes_back(self, world: World):
        represent(world, "tuteur_lecteur", "karim", "tutelle")
        id = added(world, "karim")
        assert world.post("tuteur_lecteur", ME, said()).status_code == 403
        assert world.delete("tuteur_lecteur", f"{ME}/{id}", 1).status_code == 403


class TestTakeBack:
    def test_is_gone_for_everyone(self, world: World):
        id = added(world)
        assert world.delete("jeanne", f"{ME}/{id}", 1).status_code == 204
        assert world.get("jeanne", f"{ME}/{id}").status_code == 410
        assert world.get("sonia", f"{PATH}/{id}").status_code == 410
        assert id not in world.get("jeanne", f"{ME}?limit=200").text

    @pytest.mark.threat("paper-of-another-taken")
    def test_what_the_team_filed_is_not_theirs_to_take(self, world: World):
        id = filed(world).rpartition("/")[2]
        assert world.delete("jeanne", f"{ME}/{id}", 1).status_code == 403
        assert world.get("sonia", f"{PATH}/{id}").status_code == 200

    @pytest.mark.threat("paper-of-another-taken")
    def test_nor_what_is_out_of_reach(self, world: World):
        theirs, kept = added(world, "karim"), filed(world, visibility="not_shared").rpartition("/")[2]
        answers = [world.delete("jeanne", f"{ME}/{id}", 1) for id in (theirs, kept, uuid4())]
        assert [answer.status_code for answer in answers] == [404] * 3

    def test_says_which_version(self, world: World):
        id = added(world)
        assert world.client.delete(f"{ME}/{id}", headers=world.bearers["jeanne"]).status_code == 428
        assert world.delete("jeanne", f"{ME}/{id}", 7).status_code == 412

    def test_stays_once_the_team_wrote_on_it(self, world: World):
        id = added(world)
        world.rows("UPDATE document SET version = 2 WHERE id = $1", id)
        answer = world.delete("jeanne", f"{ME}/{id}", 2)
        assert (answer.status_code, answer.json()["code"]) == (409, "document.used")

    @pytest.mark.parametrize(("visibility", "status"), [("shared", 409), ("not_shared", 204)])
    def test_stays_once_it_is_named(self, world: World, visibility: str, status: int):
        """By a row that they may read: of another they are told nothing."""
        id = added(world)
        asked = {
            "structure_id": str(world.ids["ehpad"]),
            "request_document_ids": [id],
            "visibility": visibility,
        }
        written = world.post("marc", f"/api/v1/usagers/{world.ids['jeanne']}/orientation-requests", asked)
        assert written.status_code == 201, written.text
        assert world.delete("jeanne", f"{ME}/{id}", 1).status_code == status


class TestTheTeam:
    @pytest.mark.parametrize("changes", [{"title": "Autre"}, {"visibility": "shared"}])
    def test_changes_neither_its_title_nor_who_sees_it(self, world: World, changes: dict[str, str]):
        place = f"{PATH}/{added(world, only_team=True)}"
        answer = world.patch("marc", place, changes, 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "document.theirs")

    def test_classes_it(self, world: World):
        assert world.patch("marc", f"{PATH}/{added(world)}", {"type": "urn:t|34108-1"}, 1).status_code == 200

    def test_does_not_delete_it(self, world: World):
        place = f"{PATH}/{added(world)}"
        assert {world.delete(who, place, 1).status_code for who in ("sonia", "marc")} == {403}
