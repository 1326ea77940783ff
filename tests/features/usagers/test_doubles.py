"""« Personne de ce nom. » or « Une personne semblable existe déjà. »: over the whole organisation, and nothing more."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.usagers import names
from app.security.principal import Role
from tests.features.usagers.people import INS_NIR, PATH, opened, said
from tests.world import World

NOBODY = "Personne de ce nom."
ALIKE = "Une personne semblable existe déjà. Demandez le rattachement."
JEANNE = {"birth_family_name": "MOREAU", "birth_given_names": "Jeanne", "birth_date": "1944-05-12"}


@pytest.fixture(scope="module", autouse=True)
def _of_another_house(world: World) -> None:
    """Nora knows the IME only: Jeanne, at the EHPAD, is out of her reach."""
    world.hire("nora", Role.SECRETARIAT, "ime")


class TestOnEntry:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"birth_family_name": "Moréau", "birth_given_names": "JEANNE"},
            {"birth_family_name": "MORREAU"},
            {"birth_given_names": "Marie-Jeanne"},
            {"birth_family_name": "DUPUIS", "used_family_name": "Moreau"},
            {"birth_date": "1944-12-05"},
            {"birth_date": "1945-05-12"},
            {"birth_date": None},
        ],
    )
    def test_someone_like_them_is_a_conflict(self, world: World, changes: dict[str, str]):
        answer = world.post("odile", PATH, said(world, **JEANNE | changes))
        assert (answer.status_code, answer.json()["detail"], answer.json()["errors"]) == (409, ALIKE, [])

    @pytest.mark.parametrize(
        "changes",
        [
            {"birth_given_names": "Pierre"},
            {"birth_family_name": "DURAND"},
            {"birth_date": "1971-11-30"},
            {"birth_family_name": "MOREL", "birth_date": "1944-05-13"},
        ],
    )
    def test_someone_else_is_not(self, world: World, changes: dict[str, str]):
        assert world.post("odile", PATH, said(world, **JEANNE | changes)).status_code == 201

    @pytest.mark.threat("object-double-oracle")
    def test_out_of_reach_the_answer_is_the_same_to_the_byte(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        mine = world.post("odile", PATH, said(world, "ime", **JEANNE), headers=same)
        hers = world.post("nora", PATH, said(world, "ime", **JEANNE), headers=same)
        assert (hers.status_code, hers.content) == (409, mine.content)
        assert str(world.ids["jeanne"]) not in hers.text

    def test_of_another_organisation_nobody_is_alike(self, world: World):
        world.hire("zita", Role.SECRETARIAT, "other")
        assert world.post("zita", PATH, said(world, "other", **JEANNE)).status_code == 201

    def test_confirmed_as_someone_else_opens(self, world: World):
        twin = JEANNE | {"birth_given_names": "Jeannette", "confirmed_new": True}
        assert world.post("odile", PATH, said(world, **twin)).status_code == 201

    def test_the_same_ins_is_the_same_person(self, world: World):
        number = {"system": INS_NIR, "value": "253072B07300470"}
        place = opened(world, birth_family_name="PREMIER", identifiers=[number])
        body = said(world, birth_family_name="SECOND", birth_given_names="Autre", identifiers=[number])
        assert world.post("odile", PATH, body).status_code == 409
        other = opened(world, birth_family_name="TROISIEME", birth_given_names="Encore")
        assert world.post("odile", f"{other}/identifiers", number).status_code == 409
        assert world.post("odile", f"{other}/identifiers", number | {"confirmed_new": True}).status_code == 201
        assert place != other

    @pytest.mark.parametrize("column", ["held = true", "deleted_at = now()"])
    def test_who_is_held_or_deleted_does_not_count(self, world: World, column: str):
        name = "Cache" + column[:4]
        id = opened(world, birth_family_name=name).rpartition("/")[2]
        world.rows(f"UPDATE usager SET {column} WHERE id = $1", id)
        assert world.post("odile", PATH, said(world, birth_family_name=name)).status_code == 201


class TestCheck:
    URL = f"{PATH}/check?birth_family_name=moreau&birth_given_names=Jeanne&birth_date=1944-05-12"

    @pytest.mark.threat("object-double-oracle")
    def test_answers_one_of_two_sentences_and_nothing_else(self, world: World):
        assert world.get("nora", self.URL).json() == {"message": ALIKE}
        assert world.get("nora", self.URL.replace("moreau", "nobody")).json() == {"message": NOBODY}

    def test_leaves_its_line(self, world: World):
        answer = world.get("nora", self.URL)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["usager_id"], line["entry_ids"]) == ("look_for_double", None, [])

    @pytest.mark.parametrize(
        ("who", "status"),
        [("odile", 200), ("marc", 200), ("sonia", 403), ("leila", 403), ("helene", 403), ("yann", 403)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        answer = world.get(who, self.URL)
        assert answer.status_code == status
        if status == 403:
            [line] = world.traces(request_id=answer.headers["x-request-id"])
            assert (line["action"], line["outcome"]) == ("look_for_double", "refused")

    def test_once_a_membership_ended_says_nothing(self, world: World):
        world.hire("ancienne", Role.SECRETARIAT, "ime")
        world.rows("UPDATE membership SET ends = '2025-01-01' WHERE id = $1", world.ids["ancienne_membership"])
        assert world.get("ancienne", self.URL).status_code == 403
        assert world.post("ancienne", PATH, said(world, "ime", **JEANNE)).status_code == 403

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "?birth_family_name=%20&birth_given_names=a",
            "?birth_family_name=a%00",
            "?birth_family_name=a&birth_given_names=a&birth_date=1688-01-09",
        ],
    )
    def test_a_bad_parameter_is_400(self, world: World, query: str):
        assert world.get("odile", f"{PATH}/check{query}").status_code == 400


class TestNames:
    @pytest.mark.parametrize(
        ("text", "told"),
        [("BENSAÏD", "bensaid"), ("Lœuf-d'Arc", "loeuf d arc"), ("  Élise   Æ ", "elise ae"), ("Straße", "strasse")],
    )
    def test_are_folded(self, text: str, told: str):
        assert names.folded(text) == told

    @given(st.text(max_size=30), st.text(max_size=30))
    def test_begin_as_they_are_searched(self, one: str, more: str):
        first, last = names.prefix(one)
        key = names.folded(one) + names.folded(more)
        assert first.encode() <= key.encode() < last.encode()

    def test_nothing_is_like_nothing(self):
        assert not names.alike("", "")
