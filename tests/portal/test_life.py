"""« Mon projet de vie », « Mes demandes à la MDPH », « Mes évaluations », presences and meals: on real rows."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
import pytest

from app.features.assessments import grids, serafin
from app.kernel.clock import PARIS, today
from app.portal.frame import Screen
from tests.features.contacts.people import HOUSES
from tests.portal.html import Node
from tests.portal.test_acts import represented
from tests.portal.test_inside import HOSTILE
from tests.portal.visitor import visit
from tests.world import World

LIFE, MDPH, ASSESSMENTS, AGENDA = (
    Screen.LIFE.path,
    Screen.ORIENTATION.path,
    Screen.ASSESSMENTS.path,
    Screen.AGENDA.path,
)
DAY = today() + timedelta(days=4)


def about(world: World, usager: str = "jeanne", **more: object) -> dict[str, object]:
    return {"usager_id": str(world.ids[usager]), "structure_id": str(world.ids[HOUSES[usager]]), **more}


def written(world: World, who: str, path: str, body: dict[str, object]) -> dict[str, Any]:
    answer = world.post(who, path, body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def moment(hour: int, day: int = 0) -> str:
    return datetime.combine(DAY + timedelta(days=day), time(hour), PARIS).astimezone(UTC).isoformat()


def plain(node: Node) -> str:
    return node.text.replace("\u202f", " ").replace("\u00a0", " ")


class TestLife:
    def test_words_are_written_read_and_kept_when_they_change(self, world: World) -> None:
        visitor = visit(world, "karim")
        first, then = f"Un chien.\r\n{HOSTILE}", "Deux chiens !"
        for words in (first, then):
            answer = visitor.answer(LIFE, LIFE, words=words)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{LIFE}?note=1")
        page = visitor.see(LIFE)
        now, *before = [quote.text for quote in page.all("blockquote")]
        assert now == "«\u202fDeux chiens\u202f!\u202f»"
        assert any("Un chien." in words and "<script>" in words for words in before)
        assert not page.all("script")
        assert page.all("textarea")[0].text == then  # to be sent again as it was
        rows = world.rows("SELECT * FROM life_project WHERE author_id = $1 ORDER BY id", world.ids["karim"])
        assert [row["words"] for row in rows][-2:] == [first.replace("\r\n", "\n"), then]
        assert [row["version"] for row in rows] == [1] * len(rows)
        told = world.get("sonia", f"/api/v1/projects/life?usager={world.ids['karim']}").json()["items"]
        assert then in {row["words"] for row in told}

    def test_the_same_words_again_are_written_once(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        for _ in "ab":
            assert visitor.answer(LIFE, LIFE, words="Voir la mer.").status_code == 303
        assert len(world.rows("SELECT 1 FROM life_project WHERE words = 'Voir la mer.'")) == 1

    def test_what_the_team_heard_says_who_wrote_it_down(self, world: World) -> None:
        written(world, "sonia", "/api/v1/projects/life", about(world, "ines", words="Un studio.", aim="Être chez moi."))
        page = visit(world, "ines").see(LIFE)
        assert "Une personne de l'équipe éducative a écrit ces mots." in page.text
        assert "Être chez moi." in page.text

    def test_what_is_kept_from_them_is_not_told(self, world: World) -> None:
        hidden = about(world, words="Un projet caché", visibility="not_shared")
        written(world, "sonia", "/api/v1/projects/life", hidden)
        assert "Un projet caché" not in visit(world, "jeanne").get(LIFE).text

    @pytest.mark.parametrize("words", ["", "   ", "a\x07b", "x" * 10_001])
    def test_words_that_are_none_are_refused(self, world: World, words: str) -> None:
        assert visit(world, "jeanne").answer(LIFE, LIFE, words=words).status_code == 400

    @pytest.mark.threat("page-csrf")
    def test_not_without_its_secret(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        for secret in ("x", visitor.secret(Screen.HOME.path)):
            assert visitor.post(LIFE, csrf=secret, words="Volé").status_code == 403
        assert not world.rows("SELECT 1 FROM life_project WHERE words = 'Volé'")

    @pytest.mark.threat("life-words-read-by-parents")
    def test_who_represents_them_reads_what_is_open_and_writes_nothing(self, world: World) -> None:
        child = visit(world, "lucas")
        child.answer(LIFE, LIFE, words="Être pilote.")
        child.answer(LIFE, LIFE, words="Partir loin.", only_team="true")
        parent = represented(world, "lucas")
        page = parent.see(LIFE)
        assert "Être pilote." in page.text
        assert "Partir loin." not in page.text
        assert page.all("textarea") == []
        assert parent.post(LIFE, csrf=parent.secret(Screen.HOME.path), words="Volé").status_code == 403


class TestOrientation:
    def asked(self, world: World, usager: str = "jeanne", **more: object) -> None:
        at = {"structure_id": str(world.ids[HOUSES[usager]])}
        path = f"/api/v1/usagers/{world.ids[usager]}"
        asked = {"subject_label": "une place en foyer", "status": "sent", "asked_on": "2026-03-02"}
        written(world, "marc", f"{path}/orientation-requests", {**at, **asked, **more})
        right = {
            "category": {"code": "urn:c|1", "label": "orientation"},
            "nature": {"code": "urn:n|2", "label": "foyer de vie"},
            "opens_on": "2026-09-01",
            "ends_on": "2029-08-31",
            "details": [{"structure_name": "Foyer des Tilleuls"}],
        }
        decided = {"type_label": "accord", "decided_on": "2026-08-20", "rights": [right], **more}
        decided.pop("subject_label", None)
        written(world, "marc", f"{path}/orientation-decisions", {**at, **decided})

    def test_says_what_was_asked_and_decided(self, world: World) -> None:
        self.asked(world)
        told = plain(visit(world, "jeanne").see(MDPH))
        for words in ("Une place en foyer", "Envoyée", "Demande faite le 2 mars", "Accord", "Décidé le 20 août"):
            assert words in told
        assert "Foyer de vie. Début : le 1er septembre. Fin : le 31 août 2029." in told

    def test_never_where_a_right_is_lived(self, world: World) -> None:
        self.asked(world)
        assert "Tilleuls" not in visit(world, "jeanne").get(MDPH).text

    def test_nor_what_is_not_shown(self, world: World) -> None:
        self.asked(world, "ines", subject_label="une demande cachée", visibility="not_shared")
        told = visit(world, "ines").see(MDPH)
        assert "cachée" not in told.text
        assert "Aucune demande pour le moment." in told.text


class TestAssessments:
    def made(self, world: World, **more: object) -> None:
        items = [{"link_id": "besoin-mobilite", "answers": [{"type": "integer", "value": 3}]}]
        body = {"questionnaire": serafin.URL, "items": items, "comment": "Fait à deux.", **more}
        written(world, "sonia", "/api/v1/assessments", about(world, **body))

    def test_says_by_whom_when_and_what(self, world: World) -> None:
        self.made(world)
        told = plain(visit(world, "jeanne").see(ASSESSMENTS))
        for words in (
            "Mes besoins",
            "Faite par une personne de l'équipe éducative",
            "Fait à deux.",
            "Besoins pour la mobilité",
            "3",
        ):
            assert words in told

    def test_says_that_no_grid_explains_its_numbers(self, world: World) -> None:
        self.made(world)
        assert "La grille n'explique pas ces nombres." in plain(visit(world, "jeanne").see(ASSESSMENTS))

    def test_a_code_is_told_as_the_grid_reads_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        coding = {"system": "urn:test", "code": "B", "display": "Partiellement, habituellement"}
        item = {"linkId": "marche", "text": "Marcher", "type": "choice", "answerOption": [{"valueCoding": coding}]}
        grid = grids.Grid({"url": "urn:grid", "version": "1", "title": "Essai", "item": [item]})
        monkeypatch.setattr(grids, "SHIPPED", (*grids.SHIPPED, grid))
        self.made(world)
        given = [
            {
                "link_id": "marche",
                "text": "Marcher",
                "answers": [{"type": "choice", "value": {k: coding[k] for k in ("system", "code")}}],
            }
        ]
        world.rows("UPDATE assessment SET questionnaire = 'urn:grid|1', items = $1", orjson.dumps(given).decode())
        told = plain(visit(world, "jeanne").see(ASSESSMENTS))
        assert "Partiellement, habituellement" in told
        assert "La grille n'explique pas" not in told
        world.rows("DELETE FROM assessment WHERE questionnaire = 'urn:grid|1'")

    def test_nothing_of_what_is_not_shown(self, world: World) -> None:
        self.made(world, comment="Pas montrée", visibility="not_shared")
        assert "Pas montrée" not in visit(world, "jeanne").get(ASSESSMENTS).text

    @pytest.mark.threat("protected-house-named")
    def test_no_words_of_a_protected_house_to_who_represents_them(self, world: World) -> None:
        there = about(world, "lucas") | {"structure_id": str(world.ids["mecs"])}
        written(world, "odile", "/api/v1/stays", there | {"starts": str(today()), "place_protected": True})
        items = [{"link_id": "besoin-mobilite", "answers": [{"type": "integer", "value": 3}]}]
        said = {"questionnaire": serafin.URL, "items": items, "comment": "Vue aux Tilleuls."}
        written(world, "sonia", "/api/v1/assessments", there | said)
        own, parent = plain(visit(world, "lucas").see(ASSESSMENTS)), plain(represented(world, "lucas").see(ASSESSMENTS))
        assert ("Vue aux Tilleuls." in own, "Tilleuls" in parent) == (True, False)
        assert "Besoins pour la mobilité" in own
        assert "Besoins pour la mobilité" in parent


class TestAgenda:
    def test_says_when_they_are_there_away_and_whether_they_eat(self, world: World) -> None:
        away = {
            "occurred_at": moment(9),
            "ends_at": moment(17, 2),
            "type_code": "urn:p|2",
            "reason_code": "urn:r|1",
            "planned": True,
        }
        written(world, "sonia", "/api/v1/events/presences", about(world, **away))
        here = {"occurred_at": moment(9, 5), "ends_at": moment(17, 5), "type_code": "urn:p|1"}
        written(world, "sonia", "/api/v1/events/presences", about(world, **here))
        for hour, present in ((12, True), (19, False)):
            meal = {"occurred_at": moment(hour), "type_code": "urn:m|1", "present": present}
            written(world, "sonia", "/api/v1/events/meals", about(world, **meal))
        told = plain(visit(world, "jeanne").see(AGENDA))
        for words in ("Je ne suis pas là. C'est prévu.", "de 9 h à 17 h", "Je suis là.", "12 h : je mange ici."):
            assert words in told
        assert "19 h : je ne mange pas ici." in told


@pytest.mark.parametrize("path", [LIFE, MDPH, ASSESSMENTS, AGENDA])
def test_a_screen_costs_three_statements_at_most(world: World, path: str) -> None:
    visitor = visit(world, "jeanne")
    visitor.see(path)
    with world.statements() as counted:
        visitor.see(path)
    assert len(counted) <= 3
