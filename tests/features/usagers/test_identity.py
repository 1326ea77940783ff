"""A document seen, an identity checked, traits then locked; numbers sealed, their key checked."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.kernel.clock import today
from tests.features.usagers.people import INS_NIR, MDPH, PATH, SEEN, checked, opened, said, whole
from tests.world import World


class TestIdentity:
    def test_is_checked_by_the_identity_referent(self, world: World):
        answer = checked(world, "odile", whole(world, "VALIDE"))
        told = answer.json()
        assert (
            answer.status_code,
            told["identity_status"],
            told["identity_document"],
            told["identity_checked_by"],
        ) == (
            200,
            "validee",
            "carte_identite",
            str(world.ids["odile"]),
        )

    @pytest.mark.parametrize("who", ["marc", "sonia", "helene", "yann"])
    def test_by_nobody_else(self, world: World, who: str):
        refused = checked(world, who, f"{PATH}/{world.ids['jeanne']}")
        assert refused.status_code == 403
        [line] = world.traces(request_id=refused.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("qualify_identity", "refused")

    def test_without_every_trait_names_those_that_miss(self, world: World):
        answer = checked(world, "odile", opened(world, birth_family_name="MANQUE"))
        assert answer.status_code == 422
        assert {e["where"] for e in answer.json()["errors"]} == {"/birth_date", "/gender", "/birth_place_code"}

    @pytest.mark.parametrize("day", [str(today() + timedelta(days=1)), "1949-01-01"])
    def test_on_an_impossible_day_is_refused(self, world: World, day: str):
        answer = checked(world, "odile", whole(world, "JOUR"), checked_on=day)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/checked_on")

    @pytest.mark.parametrize("status", ["recuperee", "provisoire"])
    def test_takes_no_other_status(self, world: World, status: str):
        assert checked(world, "odile", f"{PATH}/{world.ids['jeanne']}", status=status).status_code == 422

    def test_is_qualified_only_with_an_ins_of_ours(self, world: World):
        place = whole(world, "SANS INS")
        answer = checked(world, "odile", place, status="qualifiee")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "identity.no_ins")
        added = world.post("odile", f"{place}/identifiers", {"system": INS_NIR, "value": "295109912611193"})
        assert added.status_code == 201
        assert checked(world, "odile", place, status="qualifiee").json()["identity_status"] == "qualifiee"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("birth_family_name", "AUTRE"),
            ("birth_given_names", "Autre"),
            ("birth_date", "1950-02-04"),
            ("gender", "male"),
            ("birth_place_code", "75056"),
        ],
    )
    def test_a_trait_that_changes_puts_it_back_to_provisoire_and_says_so(self, world: World, name: str, value: str):
        place = whole(world, "RETOUR")
        checked(world, "odile", place)
        told = world.patch("odile", place, {name: value}, 2).json()
        assert (told["identity_status"], told["identity_document"], told["identity_checked_by"]) == (
            "provisoire",
            None,
            None,
        )
        assert [(n["where"], n["code"]) for n in told["notices"]] == [(f"/{name}", "identity.back_to_provisoire")]

    def test_the_same_trait_again_or_another_field_leaves_it(self, world: World):
        place = whole(world, "RESTE VALIDE")
        checked(world, "odile", place)
        told = world.patch("odile", place, {"gender": "female", "phone": "0612345678"}, 2).json()
        assert (told["identity_status"], told["notices"]) == ("validee", [])

    def test_the_same_key_twice_checks_once(self, world: World):
        place = whole(world, "CLE")
        headers = {"If-Match": 'W/"1"', "Idempotency-Key": str(uuid4())}
        answers = [world.post("odile", f"{place}/identity", SEEN, headers=headers) for _ in "ab"]
        assert [(a.status_code, a.json()["version"]) for a in answers] == [(200, 2), (200, 2)]


class TestNumbers:
    def test_are_given_back_and_never_kept_in_clear(self, world: World):
        place = opened(world, birth_family_name="NUMERO", identifiers=[{"system": MDPH, "value": "MDPH-63-000042"}])
        [told] = world.get("odile", f"{place}/identifiers").json()["items"]
        assert (told["value"], told["key_holds"], told["declared_by_partner"]) == ("MDPH-63-000042", True, None)
        [row] = world.rows("SELECT sealed FROM usager_identifier WHERE id = $1", told["id"])
        assert b"000042" not in row["sealed"]

    @pytest.mark.parametrize("value", ["147720425367411", "1 47 72 04 253 674 11", "1477204253674", "NIR"])
    def test_an_ins_with_a_wrong_key_is_refused_without_being_repeated(self, world: World, value: str):
        body = said(world, birth_family_name="CLEF", identifiers=[{"system": INS_NIR, "value": value}])
        answer = world.post("odile", PATH, body)
        assert answer.status_code == 422
        assert [(e["where"], e["code"]) for e in answer.json()["errors"]] == [
            ("/identifiers/0/value", "identifier.bad_key")
        ]
        assert value not in answer.text

    def test_an_ins_is_taken_with_its_spaces(self, world: World):
        place = opened(world, birth_family_name="ESPACES")
        body = {"system": INS_NIR, "value": "2 95 10 99 126 111 93", "confirmed_new": True}
        answer = world.post("odile", f"{place}/identifiers", body)
        assert (answer.status_code, answer.json()["value"]) == (201, "295109912611193")
        assert world.get("odile", answer.headers["location"]).json()["value"] == "295109912611193"

    def test_one_of_ours_for_each_system(self, world: World):
        place = opened(world, birth_family_name="UNSEUL", identifiers=[{"system": MDPH, "value": "1"}])
        answer = world.post("odile", f"{place}/identifiers", {"system": MDPH, "value": "2"})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict.uq_usager_identifier_ours")

    @pytest.mark.parametrize(("who", "status"), [("marc", 201), ("sonia", 403), ("helene", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        place = opened(world, birth_family_name="NUM", confirmed_new=True)
        world.accompany("sonia", place.rpartition("/")[2], "ehpad")
        assert world.post(who, f"{place}/identifiers", {"system": MDPH, "value": "1"}).status_code == status

    def test_of_someone_out_of_reach_are_not_found(self, world: World):
        place = opened(world, birth_family_name="LOIN", identifiers=[{"system": MDPH, "value": "1"}])
        [told] = world.get("odile", f"{place}/identifiers").json()["items"]
        assert world.get("yann", f"{place}/identifiers").status_code == 404
        assert world.get("yann", f"{place}/identifiers/{told['id']}").status_code == 404

    @pytest.mark.threat("object-path-confusion")
    def test_of_another_than_the_path_says_are_not_found(self, world: World):
        place = opened(world, birth_family_name="CHEMIN", identifiers=[{"system": MDPH, "value": "1"}])
        [told] = world.get("odile", f"{place}/identifiers").json()["items"]
        other = f"{PATH}/{world.ids['jeanne']}/identifiers/{told['id']}"
        assert world.get("odile", other).status_code == 404
        assert world.patch("odile", other, {"value": "2"}, 1).status_code == 404

    def test_none_is_an_empty_list(self, world: World):
        place = opened(world, birth_family_name="AUCUN")
        assert world.get("odile", f"{place}/identifiers").json() == {"items": [], "next": None}

    def test_a_qualified_ins_that_changes_puts_the_identity_back(self, world: World):
        place = whole(world, "INS CHANGE", identifiers=[{"system": INS_NIR, "value": "253072B07300470"}])
        checked(world, "odile", place, status="qualifiee")
        [number] = world.get("odile", f"{place}/identifiers").json()["items"]
        where = f"{place}/identifiers/{number['id']}"
        same = world.patch("odile", where, {"value": "253072B07300470"}, 1)
        assert (same.status_code, same.json()["notices"]) == (200, [])
        told = world.patch("odile", where, {"value": "253072A07300443"}, 2).json()
        assert (told["value"], [n["where"] for n in told["notices"]]) == ("253072A07300443", ["/value"])
        assert world.get("odile", place).json()["identity_status"] == "provisoire"

    def test_a_partners_word_is_shown_as_such_and_qualifies_nobody(self, world: World):
        place = whole(world, "PAROLE", identifiers=[{"system": INS_NIR, "value": "253072A07300443"}])
        [number] = world.get("odile", f"{place}/identifiers").json()["items"]
        declared = "UPDATE usager_identifier SET origin_partner_id = $1 WHERE id = $2"
        world.rows(declared, world.ids["chu"], number["id"])
        [told] = world.get("odile", f"{place}/identifiers").json()["items"]
        assert told["declared_by_partner"] == str(world.ids["chu"])
        assert checked(world, "odile", place, status="qualifiee").status_code == 422
        answer = world.patch("odile", f"{place}/identifiers/{number['id']}", {"value": "253072B07300470"}, 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "identifier.declared")

    def test_the_same_key_adds_one(self, world: World):
        place = opened(world, birth_family_name="CLENUM")
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (
            world.post("odile", f"{place}/identifiers", {"system": MDPH, "value": "7"}, headers=key) for _ in "ab"
        )
        assert (again.status_code, again.json()) == (201, first.json())

    @pytest.mark.threat("privacy-dump")
    def test_are_in_no_table_of_a_dump_in_clear(self, world: World):
        nir = "172057511111115"
        opened(world, birth_family_name="DUMP", identifiers=[{"system": INS_NIR, "value": _with_key(nir)}])
        for (table,) in world.rows(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        ):
            found = world.rows(f"SELECT 1 FROM {table} t WHERE t::text LIKE $1", f"%{nir[:13]}%")
            assert not found, table


def _with_key(number: str) -> str:
    return number[:13] + f"{97 - int(number[:13]) % 97:02}"
