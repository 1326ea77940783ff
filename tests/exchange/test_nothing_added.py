"""What a sender did not say does not come back: neither to them, nor in what travels on."""

from typing import Any
from uuid import uuid4

import pytest

from app.fhir.canonicals import extension
from app.security.principal import Role
from tests.exchange.bundles import (
    BASE,
    FINESS,
    NIR,
    TDDUI,
    bundle,
    consent,
    entry,
    goal,
    identifier,
    patient,
    plan,
    practitioner,
    resource,
)
from tests.exchange.sending import fresh, read_back, row_of, said, taken
from tests.exchange.test_round_trip import pushed
from tests.exchange.test_round_trip import taken as moved
from tests.features.assessments.exchanged import answered
from tests.features.both_ways import numbered
from tests.features.meals.test_rest import noted
from tests.world import World

Json = dict[str, Any]
UNKNOWN = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
SYSTEMS = TDDUI.replace("StructureDefinition", "CodeSystem")
ORDER = f"{TDDUI}/tddui-birth-order"
NAMED = {"family": "SEREL", "given": ["Odette"]}
PATIENTS: dict[str, Json] = {
    "a name of no use": {"name": [NAMED]},
    "several names of no use": {"name": [NAMED, {"family": "MARAN"}]},
    "a name in one text": {"name": [{"text": "Odette SEREL"}]},
    "a name with two first names": {"name": [{"family": "SEREL", "given": ["Odette", "Rose"]}]},
    "phones of no use": {"telecom": [{"system": "phone", "value": f"040000000{n}"} for n in range(2)]},
    "an address in one text": {"address": [{"text": "3 rue du Four"}]},
    "an unknown birth order": {"_birthDate": {"extension": [{"url": ORDER, **UNKNOWN}]}},
    "no birth order": {"_birthDate": None},
    "a twin": {"multipleBirthInteger": 2},
    "a twin of unknown order": {"multipleBirthBoolean": True},
    "no birth date": {"birthDate": None, "_birthDate": UNKNOWN},
}


@pytest.fixture(scope="module", autouse=True)
def nurse(world: World) -> None:
    world.hire("idec", Role.IDEC, "ime")


def without_none(thing: Json) -> Json:
    return {name: value for name, value in thing.items() if value is not None}


@pytest.mark.parametrize("name", PATIENTS)
def test_a_person_comes_back_as_they_came(world: World, name: str) -> None:
    sent = without_none({**patient(fresh()), **PATIENTS[name]})
    [(_, id, _)] = taken(world, bundle(entry(sent)))
    assert said(read_back(world, "Patient", id)) == said(sent)
    [left] = [e["resource"] for e in pushed(world, str(id), "mdph")["entry"]]
    assert {**said(left), "identifier": sent["identifier"]} == said(sent)


def signed(version: str) -> Json:
    """A consent that says which version of the project it is about."""
    shown = [
        {"url": "project", "valueReference": {"reference": version}},
        {"url": "sha256", "valueString": "0" * 64},
    ]
    return {**consent(), "extension": [{"url": extension("agreement-shown"), "extension": shown}]}


def shown_of(resource: Json) -> str:
    told: str = resource["extension"][0]["extension"][0]["valueReference"]["reference"]
    return told


@pytest.mark.threat("partner-claims-identity")
def test_the_numbers_of_a_person_come_back_to_their_sender_alone(world: World) -> None:
    """The local number of TDDUI is made of the number of the house that gives it: it may be a NIR."""
    sent = patient(NIR)
    [(_, id, _)] = taken(world, bundle(entry(sent)))
    assert read_back(world, "Patient", id)["identifier"] == sent["identifier"]
    [left] = pushed(world, str(id), "mdph")["entry"]
    assert "identifier" not in left["resource"]
    assert NIR not in str(left)


class TestVersions:
    """A signature is of a version; its number is that of the server where it was signed."""

    @pytest.mark.parametrize("version", ["CarePlan/pp/_history/3", f"{BASE}/CarePlan/pp/_history/3"])
    def test_the_version_signed_stays_that_of_its_server_from_house_to_house(self, world: World, version: str) -> None:
        there = f"{BASE}/CarePlan/pp/_history/3"
        local = fresh()
        rows = [
            entry(goal(local=local)),
            entry(plan(local)),
            entry(signed(version)),
            entry(practitioner()),
            entry(patient(fresh())),
        ]
        told = taken(world, bundle(*rows))
        assert shown_of(read_back(world, "Consent", told[2][1])) == there
        assert row_of(world, told[2][1])["project_id"] == told[1][1]
        once = pushed(world, str(told[-1][1]), "mdph")
        twice = pushed(world, moved(world, once, "mdph"), "chu")
        for each in (once, twice):
            [consented] = [e["resource"] for e in each["entry"] if e["resource"]["resourceType"] == "Consent"]
            assert shown_of(consented) == there

    def test_what_a_row_refers_to_is_a_row_whatever_its_version(self, world: World) -> None:
        local = fresh()
        one = entry(goal(local=local, plan="CarePlan/pp/_history/2"))
        told = taken(
            world, bundle(one, entry(plan(local)), entry(consent()), entry(practitioner()), entry(patient(local)))
        )
        assert row_of(world, told[0][1])["project_id"] == told[1][1]
        assert f"{BASE}/CarePlan/pp/_history/2" in str(read_back(world, "Goal", told[0][1]))

    @pytest.mark.threat("exchange-version-address")
    def test_nobody_but_its_sender_is_told_where_a_version_is(self, world: World) -> None:
        """Its address names a row that this reader may not know, by a number that may be a NIR."""
        local = fresh()
        flag = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"}}
        flag |= {
            "subject": {"reference": "Patient/p/_history/2"},
            "author": {"reference": "Practitioner/pro/_history/1"},
        }
        team = {
            "resourceType": "Organization",
            "id": "o",
            "name": "x",
            "partOf": {"reference": "Organization/o/_history/4"},
        }
        rows = [
            goal(local=local, plan="CarePlan/pp/_history/2"),
            plan(local),
            consent(),
            practitioner(),
            patient(local),
        ]
        told = taken(world, bundle(*(entry(each) for each in [*rows, flag, team])))
        (aim, flagged, person), own = (str(told[at][1]) for at in (0, 5, 4)), f"{BASE}/CarePlan/pp/_history/2"
        assert own in str(read_back(world, "Goal", told[0][1]))
        assert read_back(world, "Flag", told[5][1])["author"] == {"reference": f"{BASE}/Practitioner/pro/_history/1"}
        assert read_back(world, "Flag", told[5][1])["subject"] == {"reference": f"Patient/{person}"}
        world.rows("UPDATE goal SET visibility = 'shared' WHERE id = $1", told[0][1])
        world.rows("UPDATE kept_resource SET visibility = 'shared' WHERE id = $1", told[5][1])
        world.rows("UPDATE project SET visibility = 'not_shared' WHERE id = $1", told[1][1])
        world.enter("they", told[4][1])
        answers = [
            world.get("they", f"/fhir/Patient/{person}/$tddui-export").json(),
            world.get("they", f"/fhir/Patient/{person}/$everything").json(),
            pushed(world, person, "mdph"),
        ]
        for answer in answers:
            assert "_history" not in str([e["resource"] for e in answer["entry"]])
        by_name = {e["fullUrl"].rpartition("/")[2]: e["resource"] for e in answers[0]["entry"]}
        assert by_name[flagged]["subject"] == {"reference": f"Patient/{person}"}
        assert "non transmis" in str(by_name[aim])

    def test_of_an_entry_without_an_address_the_row_alone_is_known(self, world: World) -> None:
        rows = [entry(each, f"urn:uuid:{uuid4()}") for each in (plan(fresh()), signed("CarePlan/pp/_history/3"))]
        told = taken(world, bundle(*rows, entry(practitioner()), entry(patient(fresh()))))
        assert shown_of(read_back(world, "Consent", told[1][1])) == f"CarePlan/{told[0][1]}"


def told_of_codes(displayed: bool) -> tuple[Json, Json]:
    """A stay and a meal, whose codes are told with their words or without."""

    def coded(system: str, code: str, display: str) -> Json:
        return {
            "coding": [{"system": f"{SYSTEMS}/{system}", "code": code, **({"display": display} if displayed else {})}]
        }

    local, about = fresh(), {"subject": {"reference": "Patient/p"}}
    number = identifier("sejour", f"{FINESS}/{local}-SEJOUR-1")[0]
    stay = resource("Encounter", "e", "tddui-encounter-sejour", status="finished", **about)
    stay["class"] = {"code": "IMP"}
    stay["identifier"] = [{**number, "type": coded("tddui-encounter-identifier", "SEJ", "Identifiant du séjour")}]
    stay["period"] = {"start": "2026-01-05", "end": "2026-02-05"}
    meal = resource("Observation", "m", "tddui-observation-repas", status="final", **about)
    meal["code"] = coded("tddui-observation-type", "REPAS", "Repas")
    meal["category"] = [{"coding": [{"system": "urn:repas", "code": "1"}]}]
    meal["effectiveDateTime"] = "2026-04-17T12:00:00+02:00"
    return stay, meal


class TestWords:
    @pytest.mark.parametrize("displayed", [True, False])
    def test_codes_come_back_with_the_words_they_came_with(self, world: World, displayed: bool) -> None:
        stay, meal = told_of_codes(displayed)
        told = taken(world, bundle(entry(patient(fresh())), entry(stay), entry(meal)))
        left = {e["resource"]["resourceType"]: e["resource"] for e in pushed(world, str(told[0][1]), "mdph")["entry"]}
        for (kind, id, _), sent in zip(told[1:], (stay, meal), strict=True):
            assert said(read_back(world, kind, id)) == said(left[kind]) == said(sent)

    def test_ours_are_told_with_their_words(self, world: World) -> None:
        numbered(world)
        noted(world)
        told = world.get("jeanne", f"/fhir/Patient/{world.ids['jeanne']}/$tddui-export").text
        assert '"Identifiant du séjour"' in told
        assert '"Repas"' in told


SOURCES: dict[str, Json] = {
    "the person": {"reference": "Patient/p"},
    "the person and a word": {"reference": "Patient/p", "display": "Agathe"},
    "a professional": {"reference": "Practitioner/pro"},
    "a professional and a name": {"reference": "Practitioner/pro", "display": "Rose Duval", "type": "Practitioner"},
    "a name alone": {"display": "Rose Duval"},
    "who stays elsewhere": {"reference": "https://ailleurs.example/fhir/Practitioner/1", "display": "Anne"},
}


@pytest.mark.parametrize("name", SOURCES)
def test_who_assessed_is_told_to_the_person_as_it_came(world: World, name: str) -> None:
    """In their own export, by that of the house, and to their sender."""
    sent = {**answered("p"), "id": "q", "source": SOURCES[name], "author": SOURCES[name]}
    for gone in ("encounter", "extension", "_status"):
        del sent[gone]
    sent["item"] = sent["item"][:1]
    sent["identifier"] = {**sent["identifier"], "value": f"{FINESS}/{fresh()}-EVAL-1"}
    local = fresh()
    (_, whose, _), _, (_, id, _) = taken(world, bundle(entry(patient(local)), entry(practitioner(local)), entry(sent)))
    world.rows("UPDATE assessment SET visibility = 'shared' WHERE id = $1", id)
    world.enter("they", whose)
    own = world.get("they", f"/fhir/Patient/{whose}/$tddui-export").json()
    for told in (own, pushed(world, str(whose), "mdph")):
        [back] = [e["resource"] for e in told["entry"] if e["resource"]["resourceType"] == "QuestionnaireResponse"]
        assert said(back) == said(sent)
    assert said(read_back(world, "QuestionnaireResponse", id)) == said(sent)


@pytest.mark.parametrize("name", PATIENTS)
def test_a_person_takes_their_own_identity_as_it_came(world: World, name: str) -> None:
    sent = without_none({**patient(fresh()), **PATIENTS[name]})
    [(_, id, _)] = taken(world, bundle(entry(sent)))
    world.enter("they", id)
    [told] = world.get("they", f"/fhir/Patient/{id}/$tddui-export").json()["entry"]
    assert said({**told["resource"], "identifier": sent["identifier"]}) == said(sent)
