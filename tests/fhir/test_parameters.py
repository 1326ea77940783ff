"""What each type of parameter finds, by its values, its prefixes and its modifiers; and what it never finds for whom."""

from typing import Any, get_type_hints

import pytest
from sqlalchemy.sql import visitors

from app.api.resources import REGISTRY
from app.fhir.mapping import AnyMap
from app.fhir.search.criteria import Criterion, Someone
from app.kernel.clock import today
from tests.exchange.bundles import bundle, entry, identifier, patient
from tests.exchange.sending import fresh, sent, taken
from tests.features.consents.people import represent
from tests.features.contacts.test_rest import added
from tests.features.mobility.test_fhir import moves
from tests.features.schooling.test_fhir import SCHOOL, TEACHER, period
from tests.features.usagers.people import opened
from tests.fhir.test_read import outcome
from tests.world import ORIGIN, World

GENDERS = "http://hl7.org/fhir/administrative-gender"


def found(world: World, who: str, path: str) -> set[str]:
    answer = world.get(who, f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", ())}


@pytest.fixture(scope="module")
def noemie(world: World) -> str:
    names = {"birth_family_name": "LŒUF-BENSAÏD", "birth_given_names": "Noémie Zoé", "used_family_name": "D'Arc"}
    reached = {"phone": "06 12.34", "email": "Noemie@Exemple.fr", "address": "7 rue de l'Été", "city": "Saint-Étienne"}
    return opened(world, gender="female", birth_date="1950-02-03", **names, **reached).rpartition("/")[2]


class TestString:
    @pytest.mark.parametrize(
        ("query", "finds"),
        [
            ("family=loeuf", True), ("family=LŒUF", True), ("family=bensaid", False), ("family=d arc", True),
            ("family:contains=bensaïd", True), ("family:exact=LŒUF-BENSAÏD", True), ("family:exact=loeuf-bensaid", False),
            ("given=noemie", True), ("given=zoe", True), ("given=oe", False), ("given:contains=mie", True),
            ("name=arc", True), ("name=x,zoé", True), ("address=ete", True), ("address-city=saint etienne", True),
            ("address-city=etienne", False), ("address:missing=false", True), ("address-country:missing=true", True),
        ],
    )  # fmt: skip
    def test_accents_and_case_apart_from_the_beginning(self, world: World, noemie: str, query: str, finds: bool):
        assert (noemie in found(world, "odile", f"Patient?{query}")) is finds

    def test_a_comma_may_stand_in_a_value(self, world: World, noemie: str):
        assert noemie in found(world, "odile", "Patient?given=x\\,y,noe")
        assert noemie not in found(world, "odile", "Patient?given=x\\,noe")


class TestToken:
    @pytest.mark.parametrize(
        ("query", "finds"),
        [
            ("gender=female", True), (f"gender={GENDERS}|female", True), ("gender=|female", True),
            ("gender=urn:x|female", False), (f"gender={GENDERS}|", True), ("gender=other", False),
            ("gender:not=male", True), ("gender:not=female,male", False), ("gender:missing=true", False),
            ("phone=0612%2034", True), ("telecom=0612.34", True), ("email=noemie@exemple.FR", True), ("email=x", False),
            ("deceased=false", True), ("deceased=true", False), ("death-date:missing=true", True),
            ("birthdate=ap1950-02-03", True), ("birthdate=1950", True), ("birthdate=ne1950-02-03", False),
        ],
    )  # fmt: skip
    def test_a_code_its_system_and_what_is_not(self, world: World, noemie: str, query: str, finds: bool):
        assert (noemie in found(world, "odile", f"Patient?{query}")) is finds

    @pytest.mark.parametrize(
        ("query", "where"),
        [("gender=banana", "gender"), ("birthdate=2024-02-31", "birthdate"), ("deceased=yes", "deceased"),
         ("gender:missing=maybe", "gender"), ("_count=abc", "_count"), ("_count=-1", "_count"), ("gender=|", "gender")],
    )  # fmt: skip
    def test_a_bad_value_is_refused_by_name(self, world: World, query: str, where: str):
        issue = outcome(world.get("odile", f"/fhir/Patient?{query}"))
        assert (issue["severity"], issue["expression"]) == ("error", [where])

    def test_an_unknown_code_is_answered_by_the_codes(self, world: World, noemie: str):
        told = outcome(world.get("odile", "/fhir/Patient?gender=banana"))["diagnostics"]
        assert ("female, male, other, unknown" in told, "banana" in told) == (True, False)
        lenient = world.get("odile", "/fhir/Patient?gender=banana", headers={"Prefer": "handling=lenient"})
        assert (lenient.status_code, lenient.json()["total"]) == (200, 0)

    def test_a_kept_code_is_found_by_its_parts_and_by_its_words(self, world: World):
        person = patient(fresh())
        mode = {"coding": [{"system": "urn:x", "code": "FR", "display": "Fauteuil roulant électrique"}]}
        observed = bundle(entry(person), entry({**moves(), "valueCodeableConcept": mode}))
        id = str(next(id for kind, id, _ in taken(world, observed) if kind == "Observation"))
        for said in ("FR", "urn:x|FR", "urn:x|", "Y,FR"):
            assert id in found(world, "chu", f"Observation?value-concept={said}"), said
        for said in ("|FR", "urn:y|FR", "fr", "urn|"):
            assert id not in found(world, "chu", f"Observation?value-concept={said}"), said
        for said in ("fauteuils", "roulants electriques", "canne,fauteuil"):
            assert id in found(world, "chu", f"Observation?value-concept:text={said}"), said
        assert id not in found(world, "chu", "Observation?value-concept:text=canne")
        assert id in found(world, "chu", "Observation?code-value-concept=LP73551-1$FR")
        assert id not in found(world, "chu", "Observation?code-value-concept=LP73551-1$Y,79378-6$FR")

    def test_the_label_of_a_closed_list_is_read_by_its_words(self, world: World):
        assert world.get("sonia", "/fhir/DocumentReference?type:text=donnee").status_code == 200


class TestReference:
    def test_a_type_an_address_and_the_name_that_a_sender_gave(self, world: World):
        number = f"3380000018/{fresh()}"
        person = {**patient(fresh()), "identifier": identifier("localusager", number)}
        told = {kind: str(id) for kind, id, _ in taken(world, bundle(entry(person), entry(moves())))}
        mine, whole = told["Observation"], f"{ORIGIN}/fhir/Patient/{told['Patient']}"
        system = person["identifier"][0]["system"]
        for said in (
            f"={told['Patient']}",
            f":Patient={told['Patient']}",
            f"={whole}",
            f":identifier={system}|{number}",
        ):
            assert found(world, "chu", f"Observation?subject{said}") == {mine}, said
        assert found(world, "chu", f"Observation?subject:identifier={system}|{fresh()}") == set()
        assert found(world, "mdph", f"Observation?subject:identifier={system}|{number}") == set()

    def test_a_type_it_never_leads_to_is_refused(self, world: World):
        assert world.get("chu", "/fhir/Observation?subject:Group=x").status_code == 400


class TestQuantity:
    def test_a_number_its_precision_and_its_unit(self, world: World):
        hours = {"value": 12, "unit": "heures", "system": "http://unitsofmeasure.org", "code": "h"}
        school = period()
        for part in school["component"]:
            if "valueQuantity" in part:
                part["valueQuantity"] = hours
        told = taken(world, bundle(entry(patient(fresh())), entry(TEACHER), entry(SCHOOL), entry(school)))
        id = str(next(id for kind, id, _ in told if kind == "Observation"))
        unit = "http://unitsofmeasure.org|h"
        for said in (
            "12",
            "12.4",
            "ge12",
            "le12",
            "gt11.9",
            "lt13",
            "ap13",
            f"12|{unit}",
            "12||h",
            "12||heures",
            "1.2e1",
            "ne13",
        ):
            finds = said != "12.4"
            assert (id in found(world, "chu", f"Observation?component-value-quantity={said}")) is finds, said
        for said in ("12||min", "12||heure", "13||heures", f"13|{unit}", "ne12", "gt12", "eb12"):
            assert id not in found(world, "chu", f"Observation?component-value-quantity={said}"), said
        for said in ("12|h", "twelve", "12|", "0x12", "ge"):
            assert world.get("chu", f"/fhir/Observation?component-value-quantity={said}").status_code == 400, said


def test_a_profile_says_which_maps_answer(world: World, noemie: str):
    tddui = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
    assert noemie in found(world, "odile", f"Patient?_profile={tddui}/tddui-patient")
    assert noemie not in found(world, "odile", f"Patient?_profile={tddui}/tddui-patient-ins")
    assert found(world, "odile", f"Patient?_profile={tddui}/tddui-patient-ins|2.4.0,urn:x") == set()


@pytest.fixture(scope="module")
def protected(world: World) -> dict[str, str]:
    """Lucas, a contact of his and a stay of his, all in places that his mother is not told."""
    lucas = world.ids["lucas"]
    secret = {"address": "7 impasse Cachée", "phone": "0611111111", "city": "Riom", "address_protected": True}
    assert world.patch("odile", f"/api/v1/usagers/{lucas}", secret, 1).status_code == 200
    contact = added(world, "lucas", "odile", **{**secret, "family_name": "REFUGE", "given_name": None})
    body = {"usager_id": str(lucas), "structure_id": str(world.ids["mecs"]), "starts": str(today())}
    stay = world.post("odile", "/api/v1/stays", {**body, "place_protected": True}).headers["location"]
    represent(world, "claire", "lucas", "autorite_parentale")
    places = {"Patient": str(lucas), "RelatedPerson": contact, "Encounter": stay}
    return {kind: place.rpartition("/")[2] for kind, place in places.items()}


class TestMasks:
    @pytest.mark.threat("search-modifiers")
    @pytest.mark.parametrize(
        ("kind", "query"),
        [
            ("Patient", "address=7"), ("Patient", "address:contains=cach"), ("Patient", "address-city=riom"),
            ("Patient", "phone=0611111111"), ("Patient", "telecom=0611111111"), ("Patient", "address-city:exact=Riom"),
            ("RelatedPerson", "name=refuge"), ("RelatedPerson", "phone=0611111111"), ("RelatedPerson", "address=7"),
            ("Encounter", "service-provider={mecs}"),
        ],
    )  # fmt: skip
    def test_a_masked_value_finds_nothing_and_is_as_if_absent(
        self, world: World, protected: dict[str, str], kind: str, query: str
    ):
        id, asked = protected[kind], query.format(mecs=world.ids["mecs"])
        name = query.partition("=")[0].partition(":")[0]
        assert [id in found(world, who, f"{kind}?{asked}") for who in ("odile", "lucas", "claire")] == [
            True,
            True,
            False,
        ]
        for said, told in (("missing=false", [True, True, False]), ("missing=true", [False, False, True])):
            ways = [id in found(world, who, f"{kind}?{name}:{said}") for who in ("odile", "lucas", "claire")]
            assert ways == told, said

    @pytest.mark.threat("search-modifiers")
    def test_what_is_not_a_masked_value_is_found(self, world: World, protected: dict[str, str]):
        """`:not` tells no more: whatever the number, a masked one is none."""
        for number in ("0611111111", "0622222222"):
            assert protected["Patient"] in found(world, "claire", f"Patient?phone:not={number}")

    @pytest.mark.threat("search-modifiers")
    @pytest.mark.parametrize(
        "of",
        [each for each in REGISTRY.maps if each.masked or each.of_team],
        ids=[
            each.view.__name__ + each.profile.rpartition("/")[2]
            for each in REGISTRY.maps
            if each.masked or each.of_team
        ],
    )
    def test_no_criterion_reads_what_a_mask_takes_away(self, of: AnyMap):
        for name, criterion in of.criteria.items():
            read = {getattr(part, "key", None) for part in visitors.iterate(criterion.told())}
            assert not read & set(of.of_team), name
            assert criterion.mask or not (read & _emptied(of)) - _said_still(of, criterion), name


def _masked(of: AnyMap, **but: object) -> tuple[dict[str, Any], Any]:
    """A row when all that may hide something hides, and what the mask leaves of it."""
    hints = get_type_hints(of.view)
    told: dict[str, Any] = {name: True if hints.get(name) is bool else "[]" for name in of.view.__struct_fields__}
    view = of.view(**{**told, **but})
    return told, of.masked(view) if of.masked else view


def _emptied(of: AnyMap) -> set[str]:
    """The fields that the mask changes."""
    told, masked = _masked(of)
    return {name for name in told if getattr(masked, name) != told[name]}


def _said_still(of: AnyMap, criterion: Criterion) -> set[str]:
    """The words of someone who is found by their id: that there is someone is told with the mask as without."""
    id, words = (str(getattr(getattr(criterion, part, None), "key", None)) for part in ("id", "shown"))
    if not isinstance(criterion, Someone) or not {id, words} <= {*of.view.__struct_fields__}:
        return set()
    there, alone = _masked(of)[1], _masked(of, **{id: None})[1]
    return {words} if getattr(there, id) == "[]" and getattr(alone, words) else set()


def test_a_sender_finds_what_it_sent_as_it_stood(world: World):
    """Nothing is masked for who sent it, as long as it stands as it was sent."""
    number = "0699887766"
    person = {**patient(fresh()), "telecom": [{"system": "phone", "value": number}]}
    answer = sent(world, bundle(entry(person)))
    id = answer.json()["entry"][0]["response"]["location"].split("/")[1]
    world.rows("UPDATE usager SET address_protected = true WHERE id = $1", id)
    assert found(world, "chu", f"Patient?phone={number}") == {id}
    world.rows("UPDATE usager SET version = 2 WHERE id = $1", id)
    assert id not in found(world, "chu", f"Patient?phone={number}")
