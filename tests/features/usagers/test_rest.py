"""What each caller may do with usagers, through the staff's door."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.usagers.people import PATH, opened, said
from tests.world import World


class TestOpenADossier:
    def test_by_the_secretary_who_reads_it_back(self, world: World):
        read = world.get("odile", opened(world, birth_family_name="ROUSSEL", says_tu=True))
        assert (read.status_code, read.headers["etag"]) == (200, 'W/"1"')
        told = read.json()
        assert (told["birth_family_name"], told["says_tu"], told["identity_status"]) == ("ROUSSEL", True, "provisoire")

    def test_is_the_row_of_its_own_dossier(self, world: World):
        id = opened(world, birth_family_name="OWN").rpartition("/")[2]
        [row] = world.rows("SELECT usager_id, category, visibility FROM usager WHERE id = $1", id)
        assert (str(row["usager_id"]), row["category"], row["visibility"]) == (id, "administrative", "shared")
        assert world.rows("SELECT 1 FROM usager_key WHERE usager_id = $1", id)

    @pytest.mark.parametrize(
        ("who", "status"),
        [("odile", 201), ("marc", 201), ("sonia", 403), ("leila", 403), ("helene", 403), ("yann", 403)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        answer = world.post(who, PATH, said(world, birth_family_name=f"ROLE {who}", confirmed_new=True))
        assert answer.status_code == status

    def test_a_dossier_that_was_withdrawn_is_gone(self, world: World):
        place = opened(world, birth_family_name="RETIRE")
        world.rows("UPDATE usager SET deleted_at = now() WHERE id = $1", place.rpartition("/")[2])
        assert [world.get("odile", f"{place}{more}").status_code for more in ("", "/identifiers")] == [410, 410]

    def test_needs_a_token_of_this_door(self, world: World):
        assert [world.post(who, PATH, said(world)).status_code for who in ("jeanne", "chu")] == [401, 401]

    def test_in_a_structure_where_i_am_not_is_refused(self, world: World):
        world.hire("nora", Role.SECRETARIAT, "ehpad")
        refused = world.post("nora", PATH, said(world, birth_family_name="AILLEURS", structure="ime"))
        assert refused.status_code == 403
        [line] = world.traces(request_id=refused.headers["x-request-id"], outcome="refused")
        assert (line["action"], line["kind"]) == ("create", "usager")

    def test_leaves_a_line_of_trail_naming_them(self, world: World):
        answer = world.post("odile", PATH, said(world, birth_family_name="TRACE"))
        [line] = world.traces(request_id=answer.headers["x-request-id"], action="create")
        assert str(line["usager_id"]) == answer.json()["id"]

    def test_recuperee_cannot_be_said(self, world: World):
        body = said(world, birth_family_name="INSI") | {"identity_status": "recuperee"}
        assert world.post("odile", PATH, body).status_code == 422

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("birth_family_name", ""),
            ("birth_family_name", None),
            ("birth_date", "2026-02-30"),
            ("birth_place_code", "Paris"),
            ("gender", "autre"),
            ("phone", "appelez-moi"),
            ("email", "nobody"),
            ("birth_order", 0),
        ],
    )
    def test_a_bad_field_is_named(self, world: World, field: str, value: object):
        answer = world.post("odile", PATH, said(world) | {field: value})
        assert answer.status_code == 422
        assert [e["where"] for e in answer.json()["errors"]] == [f"/{field}"]

    def test_born_tomorrow_is_refused(self, world: World):
        answer = world.post("odile", PATH, said(world, birth_date=str(today() + timedelta(days=1))))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/birth_date")

    def test_the_same_key_opens_one(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        body = said(world, birth_family_name="UNEFOIS")
        first, again = (world.post("odile", PATH, body, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


class TestWithAStay:
    def test_the_first_stay_comes_with_them(self, world: World):
        stay = {"starts": str(today()), "unit_id": str(world.ids["unit_ehpad"])}
        id = opened(world, birth_family_name="SEJOUR", stay=stay).rpartition("/")[2]
        [row] = world.get("odile", f"/api/v1/stays?usager={id}").json()["items"]
        assert (row["status"], row["structure_id"]) == ("in_progress", str(world.ids["ehpad"]))

    @pytest.mark.parametrize(
        ("stay", "where"),
        [
            ({"starts": "2026-01-02", "unit_id": str(uuid4())}, "/stay/unit_id"),
            ({"starts": "2026-01-02", "ends": "2026-01-01"}, "/stay/ends"),
        ],
    )
    def test_a_wrong_stay_opens_nothing(self, world: World, stay: dict[str, str], where: str):
        before = world.rows("SELECT count(*) FROM usager")[0][0]
        answer = world.post("odile", PATH, said(world, birth_family_name="RIEN", stay=stay))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
        assert world.rows("SELECT count(*) FROM usager")[0][0] == before

    def test_a_unit_of_another_structure_is_refused(self, world: World):
        stay = {"starts": str(today()), "unit_id": str(world.ids["unit_ime"])}
        answer = world.post("odile", PATH, said(world, birth_family_name="UNITE", stay=stay))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/stay/unit_id")


class TestRead:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("leila", 200), ("odile", 200), ("helene", 200), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.get(who, f"{PATH}/{world.ids['jeanne']}").status_code == status

    @pytest.mark.threat("object-colleague-outside-the-team")
    def test_outside_the_team_is_not_found(self, world: World):
        assert world.get("leila", f"{PATH}/{world.ids['karim']}").status_code == 404

    @pytest.mark.threat("object-absent-told-apart")
    def test_absent_and_out_of_reach_are_alike_to_the_byte(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        there = world.get("yann", f"{PATH}/{world.ids['jeanne']}", headers=same)
        never = world.get("yann", f"{PATH}/{uuid4()}", headers=same)
        assert (there.status_code, there.content) == (404, never.content)

    def test_needs_a_token_of_this_door(self, world: World):
        place = f"{PATH}/{world.ids['jeanne']}"
        assert [world.get(who, place).status_code for who in ("jeanne", "chu")] == [401, 401]


class TestMerged:
    @pytest.mark.threat("object-merged")
    def test_leads_to_the_dossier_that_stays(self, world: World):
        one, other = opened(world, birth_family_name="RESTE"), opened(world, birth_family_name="PART")
        kept = one.rpartition("/")[2]
        world.rows("UPDATE usager SET merged_into_id = $1 WHERE id = $2", kept, other.rpartition("/")[2])
        answer = world.get("odile", other, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"], answer.content) == (308, one, b"")
        assert world.get("odile", other).json()["id"] == kept
        assert world.get("yann", other, follow_redirects=False).status_code == 404
        assert world.patch("odile", other, {"says_tu": True}, 1).status_code == 409
        assert [i["id"] for i in world.get("odile", f"{PATH}?name=part").json()["items"]] == []

    @pytest.mark.threat("object-merged")
    def test_is_found_by_the_one_that_stays(self, world: World):
        kept, merged = (opened(world, birth_family_name=name).rpartition("/")[2] for name in ("DEMEURE", "DOUBLE"))
        world.rows("UPDATE usager SET merged_into_id = $1 WHERE id = $2", kept, merged)
        for query in ("link={0}", "link={0},{0}", "link=Patient/{0}&_total=accurate", "link._id={0}"):
            found = {who: world.get(who, f"/fhir/Patient?{query.format(kept)}").json() for who in ("odile", "yann")}
            assert [entry["resource"]["id"] for entry in found["odile"].get("entry", ())] == [merged], query
            assert "entry" not in found["yann"]


class TestList:
    def test_by_the_beginning_of_the_name_without_accents(self, world: World):
        opened(world, birth_family_name="BÉRANGER-Dùpré", birth_given_names="Zoé")
        for asked in ("beranger", "BÉRANGER du", "Béranger-Dupré zo"):
            found = world.get("odile", PATH, params={"name": asked}).json()["items"]
            assert [i["birth_family_name"] for i in found] == ["BÉRANGER-Dùpré"]

    def test_by_the_name_they_use(self, world: World):
        opened(world, birth_family_name="NAISSANCE", used_family_name="Épousée")
        found = world.get("odile", PATH, params={"name": "epous"}).json()["items"]
        assert [i["birth_family_name"] for i in found] == ["NAISSANCE"]

    def test_is_in_the_order_of_names_page_after_page(self, world: World):
        for name in ("Tri B", "TRI À", "tri c"):
            opened(world, birth_family_name=name, confirmed_new=True)
        url = f"{PATH}?name=tri&limit=2"
        first = world.get("odile", url).json()
        last = world.get("odile", f"{url}&after={first['next']}").json()
        told = [i["birth_family_name"] for i in first["items"] + last["items"]]
        assert (told, len(first["items"]), last["next"]) == (["TRI À", "Tri B", "tri c"], 2, None)

    @pytest.mark.threat("object-other-tenant")
    def test_holds_only_whom_i_may_read(self, world: World):
        told = {i["id"] for i in world.get("leila", f"{PATH}?limit=200").json()["items"]}
        assert told == {str(world.ids["jeanne"])}
        assert world.get("yann", f"{PATH}?name=moreau").json()["items"] == []

    def test_of_a_name_uses_its_index(self, world: World):
        asked = """EXPLAIN SELECT id FROM usager WHERE organisation_id = $1 AND merged_into_id IS NULL AND (
            (name_key >= 'tri' AND name_key < 'trj') OR (used_name_key >= 'tri' AND used_name_key < 'trj'))"""
        world.rows(
            "INSERT INTO usager SELECT (json_populate_record(u, json_build_object('id', gen_random_uuid(),"
            " 'name_key', 'z' || n))).* FROM (SELECT u FROM usager u LIMIT 1) u, generate_series(1, 2000) n"
        )
        world.rows("ANALYZE usager")
        plan = "\n".join(row[0] for row in world.rows(asked, world.organisation))
        world.rows("DELETE FROM usager WHERE name_key LIKE 'z%' AND usager_id <> id")
        assert {"ix_usager_organisation_id_name_key_id", "ix_usager_organisation_id_used_name_key_id"} <= {
            word for word in plan.split() if word.startswith("ix_")
        }, plan


class TestCorrect:
    def test_makes_a_version(self, world: World):
        place = opened(world, birth_family_name="VERSION")
        fixed = world.patch("marc", place, {"phone": "06 12 34 56 78", "address_protected": True}, 1)
        assert (fixed.status_code, fixed.json()["version"], fixed.json()["notices"]) == (200, 2, [])
        assert world.get("odile", place).json()["phone"] == "06 12 34 56 78"

    def test_of_a_name_is_found_by_it(self, world: World):
        place = opened(world, birth_family_name="AVANT")
        world.patch("odile", place, {"birth_family_name": "Apres"}, 1)
        found = world.get("odile", f"{PATH}?name=apres").json()["items"]
        assert [i["id"] for i in found] == [place.rpartition("/")[2]]
        assert world.get("odile", f"{PATH}?name=avant").json()["items"] == []

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("leila", 403), ("helene", 403), ("yann", 404)])
    def test_by_role_is_refused(self, world: World, who: str, status: int):
        assert world.patch(who, f"{PATH}/{world.ids['jeanne']}", {"phone": "0612345678"}, 1).status_code == status

    def test_from_a_stale_version_is_refused(self, world: World):
        place = opened(world, birth_family_name="STALE")
        world.patch("odile", place, {"says_tu": True}, 1)
        assert world.patch("odile", place, {"says_tu": False}, 1).status_code == 412

    def test_without_if_match_is_refused(self, world: World):
        place = opened(world, birth_family_name="NOMATCH")
        assert world.client.patch(place, json={"says_tu": True}, headers=world.bearers["odile"]).status_code == 428

    @pytest.mark.threat("object-mass-assignment-patch")
    @pytest.mark.parametrize("body", [{"birth_family_name": None}, {"identity_status": "qualifiee"}, {"id": "x"}])
    def test_what_cannot_change_is_refused(self, world: World, body: dict[str, object]):
        assert world.patch("odile", f"{PATH}/{world.ids['jeanne']}", body, 1).status_code == 422


class TestCost:
    def test_read_is_one(self, world: World):
        url = f"{PATH}/{world.ids['jeanne']}"
        world.get("odile", url)
        with world.statements() as counted:
            world.get("odile", url)
        assert len(counted) == 1, counted.sql

    @pytest.mark.parametrize("url", [f"{PATH}?name=mor", PATH])
    def test_list_is_one(self, world: World, url: str):
        world.get("odile", url)
        with world.statements() as counted:
            world.get("odile", url)
        assert len(counted) == 1, counted.sql

    def test_a_post_is_four_and_one_for_a_stay(self, world: World):
        opened(world, birth_family_name="CHAUFFE")
        with world.statements() as counted:
            opened(world, birth_family_name="QUATRE")
        assert len(counted) == 4, counted.sql
        with world.statements() as counted:
            opened(world, birth_family_name="CINQ", stay={"starts": "2026-01-01"})
        assert len(counted) == 5, counted.sql
