"""A usager and its Patient: traits both ways; a sender's claims go back to it alone; the INS leaves once qualified."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.access.models import SharingConsent
from app.features.usagers.fhir import (
    ALSO,
    BIRTH_PLACE,
    GIVEN_NAMES,
    PATIENT,
    PROFILE,
    PROFILE_INS,
    RELIABILITY,
    STATUS,
)
from app.features.usagers.fhir_numbers import Number
from app.features.usagers.models import IdentityStatus
from app.fhir.keeping import leftover
from app.fhir.mapping import as_read, plain
from app.kernel.clock import today
from app.security.principal import Role
from tests.exchange.bundles import bundle, entry, identifier
from tests.exchange.test_receive import fresh, taken
from tests.features.consents.people import represent
from tests.features.maps import Bench, same_but_ours
from tests.features.usagers.people import INS_NIR, MDPH, checked, opened, whole
from tests.fhir import official
from tests.world import World

NIR = "253072A07300443"
VALI = {
    "url": RELIABILITY,
    "extension": [{"url": "identityStatus", "valueCoding": {"system": STATUS, "code": "VALI"}}],
}
HOUSE = {"url": "https://chu.test/household", "valueString": "Vit seul"}
INS = {
    "use": "official",
    "type": {"coding": [{"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]},
    "system": INS_NIR,
    "value": NIR,
}
TRAITS: dict[str, Any] = {
    "birth_family_name": "MOREAU",
    "birth_given_names": "Jeanne Marie Louise",
    "used_family_name": "PETIT",
    "used_given_name": "Jeannette",
    "birth_date": date(1944, 5, 12),
    "gender": "female",
    "birth_place_code": "63220",
    "birth_place_name": "Mazoires",
    "birth_order": 1,
    "phone": "0473000000",
    "email": "jeanne@example.org",
    "address": "12 rue des Lilas\nBâtiment B",
    "postal_code": "63000",
    "city": "Clermont-Ferrand",
    "country": "FRA",
    "address_protected": False,
    "died_on": date(2026, 11, 1),
}


def patient(**more: Any) -> dict[str, Any]:
    """As a partner sends it, sure of itself."""
    return {
        "resourceType": "Patient",
        "id": "p",
        "meta": {"profile": [PROFILE_INS]},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NIR}</div>'},
        "extension": [VALI, HOUSE],
        "identifier": [INS, *identifier("localusager", "3380000018/77")],
        "name": [{"use": "official", "family": "LEROUX", "given": ["Agathe"]}],
        "gender": "female",
        "birthDate": "1955-08-14",
        **more,
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.laid(Path(tmp_path_factory.mktemp("keys")))


class TestGoingOut:
    @pytest.mark.parametrize("status", list(IdentityStatus))
    def test_is_valid_r4(self, bench: Bench, status: str):
        checked = {"identity_document": "passeport", "identity_checked_on": date(2026, 1, 5)}
        view = bench.view(PATIENT, **TRAITS, **checked, identity_status=status, numbers=(Number(INS_NIR, None, NIR),))
        get_fhir_model_class("Patient").model_validate(plain(PATIENT.to_fhir(view)))

    @pytest.mark.parametrize(
        ("status", "profile", "code"),
        [
            ("provisoire", PROFILE, None),
            ("recuperee", PROFILE, "PROV"),
            ("validee", PROFILE, "PROV"),
            ("qualifiee", PROFILE_INS, "VALI"),
        ],
    )
    def test_the_ins_and_vali_leave_once_qualified(self, bench: Bench, status: str, profile: str, code: str | None):
        ours = (Number(INS_NIR, None, NIR), Number(MDPH, "https://x.test|PIN", "42"))
        said = plain(PATIENT.to_fhir(bench.view(PATIENT, **TRAITS, identity_status=status, numbers=ours)))
        assert said["meta"]["profile"] == [profile]
        assert (NIR in str(said)) == (status == "qualifiee")
        codes = [e["extension"][0]["valueCoding"]["code"] for e in said["extension"] if e["url"] == RELIABILITY]
        assert codes == ([code] if code else [])
        assert {
            "system": MDPH,
            "value": "42",
            "type": {"coding": [{"system": "https://x.test", "code": "PIN"}]},
        } in said["identifier"]

    @pytest.mark.parametrize(
        ("document", "mode"),
        [("carte_identite", "CN"), ("acte_naissance", "AN"), ("livret_famille", None), (None, None)],
    )
    def test_says_how_it_was_checked_when_the_word_is_sure(self, bench: Bench, document: str | None, mode: str | None):
        view = bench.view(PATIENT, **TRAITS, identity_status="validee", identity_document=document)
        [said] = [e for e in plain(PATIENT.to_fhir(view))["extension"] if e["url"] == RELIABILITY]
        modes = [e["valueCoding"]["code"] for e in said["extension"] if e["url"] == "validationMode"]
        assert modes == ([mode] if mode else [])

    def test_a_merged_dossier_names_the_one_that_stays(self, bench: Bench):
        view = bench.view(PATIENT, **TRAITS, identity_status="provisoire", merged_into_id="x")
        said = plain(PATIENT.to_fhir(view))
        assert (said["active"], said["link"]) == (False, [{"other": {"reference": "Patient/x"}, "type": "replaced-by"}])

    def test_someone_of_whom_little_is_known_says_little(self, bench: Bench):
        view = bench.view(
            PATIENT, birth_family_name="", birth_given_names="", identity_status="provisoire", address_protected=False
        )
        assert set(plain(PATIENT.to_fhir(view))) == {"resourceType", "id", "meta"}


class TestComingIn:
    def test_what_we_say_we_hear_again(self, bench: Bench):
        view = bench.view(PATIENT, **TRAITS, identity_status="validee", numbers=())
        row = bench.arrived(PATIENT, plain(PATIENT.to_fhir(view))).row
        heard = as_read(PATIENT.view, row)
        assert {n: getattr(heard, n) for n in TRAITS} == TRAITS
        assert row.name_key == "moreau jeanne marie louise"

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"birthDate": "1955"},
            {"gender": "other"},
            {"_birthDate": {"extension": [{"url": "https://x.test/seen", "valueBoolean": True}]}},
            {"name": [{"use": "official", "family": "A", "given": ["B"]}, {"use": "nickname", "text": "Bibi"}]},
            {"name": [{"use": "official", "family": "A", "given": ["B"]}, {"use": "usual", "family": "A"}]},
            {"telecom": [{"system": "phone", "value": "01", "rank": 2}, {"system": "phone", "value": "02"}]},
            {"address": [{"use": "old", "city": "Lyon"}, {"use": "home", "line": ["1 rue A", "2"], "city": "Riom"}]},
            {"deceasedDateTime": "2026-01-02T03:04:05+01:00"},
            {"deceasedBoolean": False},
            {"extension": [HOUSE, {"url": BIRTH_PLACE, "valueAddress": {"city": "Riom", "country": "FRA"}}]},
            {"photo": [{"title": "x"}], "contained": [{"resourceType": "Organization", "id": "o"}]},
        ],
    )
    def test_nothing_received_is_lost_to_its_sender(self, bench: Bench, more: dict[str, Any]):
        received = patient(**more)
        assert same_but_ours(bench.back(PATIENT, bench.arrived(PATIENT, received)), received)

    @pytest.mark.parametrize("day", ["9999-01-01", "9982-06-01", "0101-01-01"])
    def test_a_birth_of_no_life_stays_beside_and_is_warned_of(self, bench: Bench, day: str):
        inbound, received = bench.inbound(), patient(birthDate=day)
        arrived = bench.arrived(PATIENT, received, inbound)
        assert (arrived.row.birth_date, same_but_ours(bench.back(PATIENT, arrived), received)) == (None, True)
        assert [(w.code, w.expression) for w in inbound.warnings] == [("far_date", f"{inbound.where}.birthDate")]

    def test_a_death_in_the_night_is_of_the_day_in_paris(self, bench: Bench):
        received = patient(deceasedDateTime="2026-05-03T22:30:00Z")
        arrived = bench.arrived(PATIENT, received)
        assert arrived.row.died_on == date(2026, 5, 4)
        assert same_but_ours(bench.back(PATIENT, arrived), received)

    @pytest.mark.parametrize(
        "name", [{"use": "official", "family": "A", "given": ["B", "C"]}, {"text": "Agathe LEROUX"}]
    )
    def test_a_name_told_otherwise_comes_back_with_ours_around_it(self, bench: Bench, name: dict[str, Any]):
        received = patient(name=[name])
        assert leftover(received, bench.back(PATIENT, bench.arrived(PATIENT, received))) == {}

    @pytest.mark.threat("partner-claims-identity")
    def test_its_identity_is_provisional_whatever_it_claims(self, bench: Bench):
        arrived = bench.arrived(PATIENT, patient())
        assert (arrived.row.identity_status, arrived.row.origin_version) == ("provisoire", 1)

    @pytest.mark.parametrize("extensions", [[VALI, HOUSE], [VALI], [HOUSE, VALI]])
    def test_its_claims_go_to_nobody_else(self, bench: Bench, extensions: list[Any]):
        place = {"url": BIRTH_PLACE, "valueAddress": {"city": "Riom"}}
        for received in (patient(extension=extensions), patient(extension=[*extensions, place])):
            back = bench.back(PATIENT, bench.arrived(PATIENT, received), own=False)
            assert not any(word in str(back) for word in (NIR, "VALI", "3380000018", PROFILE_INS))
            assert (HOUSE in back.get("extension", [])) == (HOUSE in extensions)

    def test_its_numbers_are_rows_beside_the_same_when_sent_again(self, bench: Bench):
        inbound = bench.inbound()
        first, again = (bench.arrived(PATIENT, patient(), inbound).beside for _ in "ab")
        assert [row.system for row in first] == [INS_NIR, "https://identifiant-medicosocial-localusager.esante.gouv.fr"]
        assert [row.id for row in first] == [row.id for row in again]
        assert {(row.origin_partner_id, row.usager_id) for row in first} == {(inbound.partner_id, bench.usager)}
        assert not any(NIR.encode() in row.sealed for row in first)

    def test_a_number_without_a_system_is_no_row(self, bench: Bench):
        received = patient(identifier=[{"value": "42"}, {"system": "urn:x"}])
        arrived = bench.arrived(PATIENT, received)
        assert (arrived.beside, same_but_ours(bench.back(PATIENT, arrived), received)) == ((), True)

    def test_a_list_of_given_names_wins_over_the_first(self, bench: Bench):
        listed = [{"url": GIVEN_NAMES, "valueString": "Jean Stéphane Patrick"}]
        name = [{"use": "official", "family": "DUPONT", "given": ["Jean"], "extension": listed}]
        assert bench.arrived(PATIENT, patient(name=name)).row.birth_given_names == "Jean Stéphane Patrick"

    @pytest.mark.parametrize("name", official.BUNDLES)
    def test_the_official_person_goes_back_as_it_came(self, bench: Bench, name: str):
        [received] = [
            e["resource"] for e in official.bundle(name)["entry"] if e["resource"]["resourceType"] == "Patient"
        ]
        arrived = bench.arrived(PATIENT, received)
        assert same_but_ours(bench.back(PATIENT, arrived), received)
        assert arrived.row.birth_family_name == received["name"][0]["family"]

    @pytest.mark.parametrize("profile", [PROFILE, *ALSO])
    def test_comes_under_each_of_its_profiles(self, profile: str):
        from app.api.resources import REGISTRY

        assert REGISTRY.of_resource(patient(meta={"profile": [profile]})) is PATIENT


class TestAtTheDoor:
    def arrived(self, world: World, **more: Any) -> str:
        numbers = [INS, *identifier("localusager", f"3380000018/{fresh()}")]
        [(_, id, _)] = taken(world, bundle(entry(patient(identifier=numbers, **more))))
        return f"/fhir/Patient/{id}"

    def test_the_sender_reads_its_claims_back_and_nobody_else(self, world: World):
        place = self.arrived(world)
        mine, team = world.get("chu", place), world.get("marc", place)
        assert (mine.status_code, NIR in mine.text, "VALI" in mine.text) == (200, True, True)
        assert (team.status_code, NIR in team.text, "VALI" in team.text) == (200, False, False)
        assert world.get("mdph", place).status_code == 404

    def test_the_team_sees_the_numbers_as_a_partners_word(self, world: World):
        place = self.arrived(world).replace("/fhir/Patient", "/api/v1/usagers")
        told = world.get("odile", f"{place}/identifiers").json()["items"]
        assert {(i["declared_by_partner"], i["value"] == NIR) for i in told} == {
            (str(world.ids["chu"]), True),
            (str(world.ids["chu"]), False),
        }

    def test_what_the_team_wrote_since_stays_the_teams(self, world: World):
        place = self.arrived(world)
        ours = place.replace("/fhir/Patient", "/api/v1/usagers")
        assert world.patch("odile", ours, {"phone": "0473000001"}, 1).status_code == 200
        assert "0473000001" in world.get("marc", place).text
        back = world.get("chu", place)
        assert (back.status_code, "0473000001" in back.text, NIR in back.text) == (200, False, True)

    def test_one_of_no_life_is_sent_again_and_again(self, world: World):
        numbers = identifier("localusager", f"3380000018/{fresh()}")
        people = [patient(identifier=numbers, birthDate=day) for day in ("9999-01-01", "9999-01-02")]
        assert [taken(world, bundle(entry(one)))[0][2] for one in people] == [1, 2]

    def test_our_ins_leaves_once_qualified(self, world: World):
        place = whole(world, "Qualifie", identifiers=[{"system": INS_NIR, "value": "295109912611193"}])
        fhir = place.replace("/api/v1/usagers", "/fhir/Patient")
        assert "295109912611193" not in world.get("marc", fhir).text
        checked(world, "odile", place, status="qualifiee")
        told = world.get("marc", fhir).json()
        assert [i["value"] for i in told["identifier"]] == ["295109912611193"]

    def test_who_does_not_read_numbers_has_none(self, world: World):
        place = opened(world, birth_family_name="Classe", identifiers=[{"system": MDPH, "value": "MDPH-9"}])
        id = place.rpartition("/")[2]
        world.hire("noe", Role.ENSEIGNANT, "ehpad")
        for who in ("noe", "sonia"):
            world.accompany(who, id, "ehpad")
        told = {who: "MDPH-9" in world.get(who, f"/fhir/Patient/{id}").text for who in ("noe", "sonia")}
        assert told == {"noe": False, "sonia": True}
        found = {who: world.get(who, f"/fhir/Patient?identifier={MDPH}|MDPH-9").json()["total"] for who in told}
        assert found == {"noe": 0, "sonia": 1}

    @pytest.mark.threat("partner-learns-by-sending")
    def test_a_partner_has_no_number_of_ours_by_having_sent_the_person(self, world: World):
        place = self.arrived(world)
        number = {"system": MDPH, "value": "MDPH-10"}
        ours = place.replace("/fhir/Patient", "/api/v1/usagers")
        assert world.post("odile", f"{ours}/identifiers", number).status_code == 201
        assert "MDPH-10" in world.get("marc", place).text
        assert "MDPH-10" not in world.get("chu", place).text
        assert world.get("chu", f"/fhir/Patient?identifier={MDPH}|MDPH-10").json()["total"] == 0

    @pytest.mark.parametrize(("kinds", "told"), [(None, True), (["usager"], False)])
    def test_nor_by_a_consent_that_says_nothing_of_them(self, world: World, kinds: list[str] | None, told: bool):
        number = {"system": MDPH, "value": "MDPH-11"}
        id = opened(world, structure="ime", confirmed_new=True, identifiers=[number])[-36:]
        consent = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "kinds": kinds}
        at = {"partner_id": world.ids["chu"], "usager_id": UUID(id), "structure_id": world.ids["ime"]}
        world.add(SharingConsent(categories=["administrative"], starts=today(), **at, **consent))
        answer = world.get("chu", f"/fhir/Patient/{id}")
        assert (answer.status_code, "MDPH-11" in answer.text) == (200, told)

    @pytest.mark.threat("object-protected-place")
    def test_a_protected_address_is_told_to_the_team_and_the_person_alone(self, world: World):
        lucas = world.ids["lucas"]
        secret = {"address": "7 impasse Cachée", "phone": "0611111111", "city": "Riom", "address_protected": True}
        world.patch("odile", f"/api/v1/usagers/{lucas}", secret, 1)
        represent(world, "claire", "lucas", "autorite_parentale")
        consent = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes"}
        world.add(
            SharingConsent(
                partner_id=world.ids["chu"],
                categories=["administrative"],
                starts=today(),
                usager_id=lucas,
                structure_id=world.ids["ime"],
                **consent,
            )
        )
        told = {who: world.get(who, f"/fhir/Patient/{lucas}") for who in ("sonia", "lucas", "claire", "chu")}
        assert [answer.status_code for answer in told.values()] == [200] * 4
        shown = {who: any(w in answer.text for w in ("Cachée", "0611111111", "Riom")) for who, answer in told.items()}
        assert shown == {"sonia": True, "lucas": True, "claire": False, "chu": False}
        assert told["claire"].json()["address"] == [{"text": "lieu protégé"}]

    def test_is_one_statement(self, world: World):
        url = f"/fhir/Patient/{world.ids['jeanne']}"
        world.get("marc", url)
        with world.statements() as counted:
            world.get("marc", url)
        assert len(counted) == 1, counted.sql


class TestSearch:
    def found(self, world: World, who: str, query: str) -> list[str]:
        answer = world.get(who, f"/fhir/Patient?{query}")
        assert answer.status_code == 200, answer.text
        return [e["resource"]["id"] for e in answer.json()["entry"]] if "entry" in answer.json() else []

    def test_by_a_number_of_ours(self, world: World):
        id = opened(world, birth_family_name="Cherche", identifiers=[{"system": MDPH, "value": "S-1"}]).rpartition("/")[
            2
        ]
        assert self.found(world, "odile", f"identifier={MDPH}|S-1") == [id]
        assert self.found(world, "odile", f"identifier={MDPH}|S-2,{MDPH}|S-1") == [id]
        for other in (f"{MDPH}|S-2", "S-1", "|S-1"):
            assert self.found(world, "odile", f"identifier={other}") == []
        assert self.found(world, "yann", f"identifier={MDPH}|S-1") == []

    def test_by_an_ins_once_qualified(self, world: World):
        number = {"system": INS_NIR, "value": "253072B07300470"}
        place = whole(world, "Ins cherche", identifiers=[number])
        asked = f"identifier={INS_NIR}|253072B07300470"
        assert self.found(world, "odile", asked) == []
        checked(world, "odile", place, status="qualifiee")
        assert self.found(world, "odile", asked) == [place.rpartition("/")[2]]

    def test_by_what_a_partner_declared_for_itself_alone(self, world: World):
        nir = "172057511111147"
        numbers = [{"system": INS_NIR, "value": nir}, *identifier("localusager", f"3380000018/{fresh()}")]
        [(_, id, _)] = taken(world, bundle(entry(patient(identifier=numbers))))
        asked = f"identifier={INS_NIR}|{nir}"
        assert {who: self.found(world, who, asked) for who in ("chu", "mdph", "odile")} == {
            "chu": [str(id)],
            "mdph": [],
            "odile": [],
        }

    @pytest.mark.parametrize(
        ("said", "found"),
        [({"deceasedBoolean": True}, []), ({"deceasedDateTime": "2026-05-03"}, ["true"])],
        ids=["beside the row", "a day"],
    )
    def test_by_death_as_its_row_tells_it(self, world: World, said: dict[str, Any], found: list[str]):
        person = patient(identifier=identifier("localusager", f"3380000018/{fresh()}"), **said)
        [(_, id, _)] = taken(world, bundle(entry(person)))
        asked = {truth: f"deceased={truth}&_id={id}" for truth in ("true", "false")}
        assert [truth for truth, query in asked.items() if self.found(world, "marc", query)] == found

    def test_by_birth_date(self, world: World):
        assert str(world.ids["karim"]) in self.found(world, "sonia", "birthdate=1992-02-03")
        assert str(world.ids["karim"]) not in self.found(world, "sonia", "birthdate=ge1993")
