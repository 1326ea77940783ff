"""What a partner sent it reads back as it said it; nobody else learns that it exists; the base shows no identifier."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.fhir.mapping import Json
from tests.exchange.bundles import NIR, bundle, entry, goal, patient, project, resource
from tests.exchange.sending import fresh, read_back, said, sent, taken
from tests.fhir import official
from tests.world import World


def sources() -> list[Any]:
    return [pytest.param(name, id=name.rpartition("/")[2]) for name in (*official.BUNDLES, "ours")]


def body_of(name: str) -> Json:
    return project(fresh(), goals=3) if name == "ours" else official.bundle(name)


@pytest.mark.parametrize("name", sources())
class TestReadBack:
    def test_every_entry_is_created_and_reads_as_it_was_said(self, world: World, name: str):
        body = body_of(name)
        for each, (kind, id, _) in zip(body["entry"], taken(world, body), strict=True):
            assert said(read_back(world, kind, id)) == said(each["resource"]), kind

    def test_each_reference_of_the_bundle_leads_to_its_row(self, world: World, name: str):
        rows = {f"{kind}/{id}" for kind, id, _ in taken(world, body_of(name))}
        led = {
            text
            for kind, id in (row.split("/") for row in rows)
            for text in references(read_back(world, kind, id))  # type: ignore[arg-type]
        }
        assert led & rows

    @pytest.mark.threat("partner-reads-another-s")
    def test_another_partner_hears_what_it_would_of_an_id_that_never_was(self, world: World, name: str):
        same = {"X-Request-Id": str(uuid4())}
        for kind, id, _ in taken(world, body_of(name)):
            there = world.get("mdph", f"/fhir/{kind}/{id}", headers=same)
            never = world.get("mdph", f"/fhir/{kind}/{uuid4()}", headers=same)
            assert (there.status_code, there.content) == (404, never.content), kind
            assert there.headers.items() == never.headers.items()


def references(thing: Any) -> set[str]:
    if isinstance(thing, list):
        return {text for each in thing for text in references(each)}
    if isinstance(thing, dict):
        mine = {thing["reference"]} if isinstance(thing.get("reference"), str) else set()
        return mine.union(*(references(value) for value in thing.values()))
    return set()


def dump(world: World) -> bytes:
    """Every column of every table, as text."""
    tables = world.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    rows = [row[0] for table in tables for row in world.rows(f'SELECT t::text FROM "{table[0]}" t')]
    raw = [bytes(row["v"]) for row in world.rows("SELECT snapshot AS v FROM entry_version")]
    return "\n".join(rows).encode() + b"".join(raw)


def numbers(thing: Any) -> set[str]:
    """The values of all identifiers that hold more than a few digits."""
    if isinstance(thing, list):
        return {text for each in thing for text in numbers(each)}
    if isinstance(thing, dict):
        mine = {str(i["value"]) for i in _listed(thing.get("identifier")) if len(str(i.get("value", ""))) > 6}
        return mine.union(*(numbers(value) for value in thing.values()))
    return set()


def _listed(held: Any) -> list[Json]:
    return [i for i in (held if isinstance(held, list) else [held]) if isinstance(i, dict)]


@pytest.mark.threat("privacy-dump")
@pytest.mark.parametrize("name", sources())
def test_a_dump_holds_no_identifier_received(world: World, name: str):
    ins = {"use": "official", "system": "urn:oid:1.2.250.1.213.1.4.8", "value": NIR}
    body = body_of(name)
    if name == "ours":
        [person] = [each["resource"] for each in body["entry"] if each["resource"]["resourceType"] == "Patient"]
        person["identifier"] = [*person["identifier"], ins]
    taken(world, body)
    held = dump(world)
    found = [value for value in numbers(body) if value.encode() in held or value.encode().hex().encode() in held]
    assert not found, len(found)


@pytest.mark.threat("privacy-ins-in-passing")
def test_an_ins_told_in_passing_goes_back_to_its_sender_only(world: World):
    """In a reference, in a contained resource, of someone beside the person: we qualified none of them."""
    ins = {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": NIR}
    subject = {"reference": "Patient/p", "identifier": ins, "display": "Elle"}
    mother = resource("RelatedPerson", "m", patient=subject, identifier=[ins], name=[{"family": "Née"}])
    inside = {"resourceType": "Patient", "id": "in", "identifier": [{"system": "https://x.test", "value": "1"}, ins]}
    flag = resource("Flag", "f", status="active", code={"text": "x"}, subject=subject, author={"reference": "#in"})
    those = [goal(1), mother, {**flag, "contained": [inside]}]
    those[0] = {**those[0], "subject": subject}
    told = taken(world, bundle(entry(patient(fresh())), *(entry(each) for each in those)))
    world.accompany("leila", told[0][1], "ime")
    for kind, id, _ in told[1:]:
        assert NIR in world.get("chu", f"/fhir/{kind}/{id}").text, kind
        seen = world.get("leila", f"/fhir/{kind}/{id}")
        assert (seen.status_code, NIR in seen.text) == (200, False), kind
        assert kind != "Flag" or seen.json()["contained"][0]["identifier"] == inside["identifier"][:1]


def test_the_sender_is_told_where_its_bundle_stands(world: World):
    kind, id, _ = taken(world, project(fresh()))[0]
    [tag] = read_back(world, kind, id)["meta"]["tag"]
    assert tag["code"] == "accepted"


def test_an_outside_party_is_read_by_whoever_may_read_a_row_that_names_it(world: World):
    told = taken(world, project(fresh()))
    person, party = (next(id for kind, id, _ in told if kind == wanted) for wanted in ("Patient", "Practitioner"))
    place = f"/fhir/Practitioner/{party}"
    assert [world.get(who, place).status_code for who in ("leila", "sonia", "odile", "mdph")] == [404] * 4
    world.rows(
        """INSERT INTO team_member SELECT (m).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object(
            'id', gen_random_uuid(), 'usager_id', $1::uuid, 'structure_id', $2::uuid)) m
            FROM team_member t WHERE professional_id = $3 LIMIT 1) x""",
        person,
        world.ids["ime"],
        world.ids["leila"],
    )
    assert [world.get(who, place).status_code for who in ("leila", "sonia", "odile", "mdph")] == [200, 404, 404, 404]


@pytest.mark.threat("input-sql-in-text")
def test_text_is_text_whatever_it_looks_like(world: World):
    nasty = "'; DROP TABLE usager; --<script>alert(1)</script>"
    told = taken(world, bundle(entry(patient(fresh(), family=nasty))))
    assert read_back(world, *told[0][:2])["name"][0]["family"] == nasty


@pytest.mark.threat("privacy-canary-fhir")
def test_no_received_value_is_told_by_a_refusal(world: World, capfd: pytest.CaptureFixture[str]):
    wrong = bundle(entry({**patient(fresh()), NIR: NIR, "birthDate": NIR, "gender": NIR}))
    answer = sent(world, wrong)
    out, err = capfd.readouterr()
    assert answer.status_code == 400
    assert NIR not in answer.text + out + err + orjson.dumps([dict(answer.headers)]).decode()


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("Patient", "_id={Patient}"), ("Goal", "patient={Patient}"), ("Practitioner", "_id={Practitioner}")],
)
def test_the_sender_finds_what_it_sent(world: World, kind: str, asked: str):
    told = taken(world, project(fresh(), goals=2))
    place = f"/fhir/{kind}?" + asked.format(**{sort: id for sort, id, _ in told})
    found = {UUID(each["resource"]["id"]) for each in world.get("chu", place).json()["entry"]}
    assert found == {id for sort, id, _ in told if sort == kind}
