"""Who may put whom in a team, and what it opens at once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.kernel.clock import now, today
from tests.features.transmissions.test_rest import written
from tests.portal.visitor import visit
from tests.world import World

MEMBERS, RULES = "/api/v1/teams/members", "/api/v1/teams/rules"


def member(world: World, who: str = "leila", usager: str = "ines", structure: str = "mecs", **more: object):
    ids = world.ids
    return {
        "usager_id": str(ids[usager]),
        "structure_id": str(ids[structure]),
        "professional_id": str(ids[who]),
        **more,
    }


class TestByName:
    def test_added_by_the_chief_opens_at_the_next_read_and_ended_closes(self, world: World):
        note = written(world, "marc", usager="ines", structure="mecs")
        assert world.get("leila", note).status_code == 404
        added = world.post("marc", MEMBERS, member(world))
        assert (added.status_code, added.json()["starts"]) == (201, today().isoformat())
        assert world.get("leila", note).status_code == 200
        ended = world.patch("marc", added.headers["location"], {"ends": today().isoformat()}, 1)
        assert ended.status_code == 200
        assert world.get("leila", note).status_code == 404

    def test_removed_closes_too(self, world: World):
        note = written(world, "marc", usager="lucas", structure="ime")
        added = world.post("marc", MEMBERS, member(world, usager="lucas", structure="ime"))
        assert world.get("leila", note).status_code == 200
        assert world.delete("marc", added.headers["location"], 1).status_code == 204
        assert world.get("leila", note).status_code == 404

    @pytest.mark.threat("object-team-added-by-others")
    @pytest.mark.parametrize("who", ["sonia", "leila", "odile", "helene", "yann"])
    def test_is_nobody_elses_act(self, world: World, who: str):
        assert world.post(who, MEMBERS, member(world)).status_code == 403

    @pytest.mark.threat("object-team-self-added")
    def test_never_oneself(self, world: World):
        assert world.post("marc", MEMBERS, member(world, "marc")).status_code == 403

    def test_someone_of_another_organisation_is_refused(self, world: World):
        answer = world.post("marc", MEMBERS, member(world, "yann"))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/professional_id")

    @pytest.mark.parametrize(
        ("change", "where"),
        [
            ({"ends": "2020-01-01"}, "/ends"),
            ({"referent": "x"}, "/referent"),
            ({"professional_id": "x"}, "/professional_id"),
        ],
    )
    def test_what_is_wrong_is_named(self, world: World, change: dict[str, object], where: str):
        answer = world.post("marc", MEMBERS, member(world, **change))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)

    def test_a_change_that_ends_before_the_start_or_empties_is_refused(self, world: World):
        place = world.post("marc", MEMBERS, member(world, usager="karim", structure="mas_fam")).headers["location"]
        assert world.patch("marc", place, {"ends": "2000-01-01"}, 1).status_code == 422
        assert world.patch("marc", place, {"referent": None}, 1).status_code == 422
        assert world.patch("marc", place, {"referent": True}, 1).json()["referent"] is True

    def test_the_team_of_a_usager_is_listed_and_read(self, world: World):
        team = world.get("sonia", f"{MEMBERS}?usager={world.ids['jeanne']}").json()["items"]
        assert {m["professional_id"] for m in team} == {str(world.ids["sonia"]), str(world.ids["leila"])}
        assert world.get("sonia", f"{MEMBERS}/{team[0]['id']}").json() == team[0]
        assert world.get("yann", f"{MEMBERS}/{team[0]['id']}").status_code == 404


class TestByRule:
    def test_of_a_unit_opens_its_open_stays_until_it_ends(self, world: World):
        note = written(world, "marc", usager="lucas", structure="ime")
        rule = {"professional_id": str(world.ids["leila"]), "unit_id": str(world.ids["unit_ime"])}
        added = world.post("marc", RULES, rule)
        assert added.status_code == 201, added.text
        assert world.get("leila", note).status_code == 200
        assert world.get("marc", f"{RULES}?unit={world.ids['unit_ime']}").json()["items"][0]["kind"] == "rule"
        place = added.headers["location"]
        assert world.get("marc", place).status_code == 200
        assert world.patch("marc", place, {"ends_at": now().isoformat()}, 1).status_code == 200
        assert world.get("leila", note).status_code == 404

    @pytest.mark.threat("object-team-self-added")
    def test_never_oneself_nor_backwards(self, world: World):
        unit = str(world.ids["unit_ime"])
        assert (
            world.post("marc", RULES, {"professional_id": str(world.ids["marc"]), "unit_id": unit}).status_code == 403
        )
        back = {"professional_id": str(world.ids["leila"]), "unit_id": unit, "ends_at": "2020-01-01T00:00:00Z"}
        assert world.post("marc", RULES, back).status_code == 422

    def test_of_a_unit_that_is_not_here_is_refused(self, world: World):
        rule = {"professional_id": str(world.ids["leila"]), "unit_id": str(uuid4())}
        assert world.post("marc", RULES, rule).status_code == 422


class TestOnDuty:
    def duty(self, world: World, who: str, hours: float, unit: str = "unit_mecs"):
        until = (now() + timedelta(hours=hours)).isoformat()
        return world.post(who, "/api/v1/teams/on-duty", {"unit_id": str(world.ids[unit]), "until": until})

    def test_opens_a_unit_in_one_gesture(self, world: World):
        note = written(world, "marc", usager="ines", structure="mecs")
        assert self.duty(world, "leila", 8).status_code == 201
        assert world.get("leila", note).status_code == 200
        world.rows("DELETE FROM unit_team")

    def why(self, world: World) -> list[tuple[str, str | None]]:
        """Of Inès's log: who read, and why."""
        told = world.get("ines", "/api/v1/me/access").json()["items"]
        return [(visit["who"]["role"], visit.get("why")) for visit in told if visit["who"]["kind"] == "professional"]

    @pytest.mark.threat("log-replacing-untold")
    def test_the_log_says_who_was_replacing_then_and_goes_on_saying_it(self, world: World):
        note = written(world, "marc", usager="ines", structure="mecs")
        world.rows("DELETE FROM audit_entry")
        for who in ("leila", "sonia"):  # Sonia accompanies her by name
            assert self.duty(world, who, 8).status_code == 201
            assert world.get(who, note).status_code == 200
        assert self.why(world) == [("educateur", None), ("infirmier", "remplacant")]
        assert "Pendant un remplacement." in visit(world, "ines").see("/mon-dossier/acces").text
        world.rows("UPDATE unit_team SET ends_at = now() WHERE kind = 'on_duty'")
        assert self.why(world)[1] == ("infirmier", "remplacant")
        world.rows("DELETE FROM unit_team")

    def test_who_works_in_the_unit_does_not_replace_there(self, world: World):
        note = written(world, "marc", usager="ines", structure="mecs")
        world.rows("DELETE FROM audit_entry")
        rule = {"professional_id": str(world.ids["leila"]), "unit_id": str(world.ids["unit_mecs"])}
        assert world.post("marc", "/api/v1/teams/rules", rule).status_code == 201
        self.duty(world, "leila", 8)
        world.get("leila", note)
        assert self.why(world) == [("infirmier", None)]
        world.rows("DELETE FROM unit_team")

    def test_the_chief_is_told_who_replaces_and_until_when(self, world: World):
        made = self.duty(world, "leila", 8).json()
        over = self.duty(world, "sonia", 2).json()["id"]
        world.rows("UPDATE unit_team SET ends_at = now() WHERE id = $1", UUID(over))
        told = world.get("marc", "/api/v1/teams/on-duty").json()["items"]
        assert [(one["id"], one["professional_id"]) for one in told] == [(made["id"], str(world.ids["leila"]))]
        assert world.get("yann", "/api/v1/teams/on-duty").json()["items"] == []
        world.rows("DELETE FROM unit_team")

    @pytest.mark.threat("object-on-duty-endless")
    @pytest.mark.parametrize("hours", [-1, 25])
    def test_for_a_day_at_most(self, world: World, hours: float):
        assert self.duty(world, "leila", hours).status_code == 422

    @pytest.mark.threat("object-on-duty-endless")
    @pytest.mark.parametrize(("who", "status"), [("odile", 403), ("helene", 403), ("yann", 422)])
    def test_only_by_who_accompanies_here(self, world: World, who: str, status: int):
        assert self.duty(world, who, 8).status_code == status
