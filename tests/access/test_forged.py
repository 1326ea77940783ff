"""Requests that no form of ours sends: fields that are not asked, another's row, texts and days that nobody types."""

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest

from app.security.principal import Role
from tests.exchange.bundles import bundle, entry, identifier, patient
from tests.exchange.sending import sent
from tests.features.calendar.test_rest import said as planning
from tests.features.projects.cast import prepared
from tests.features.stays.test_fhir import stay
from tests.features.transmissions.test_rest import PATH, said, written
from tests.fhir.sent import note as document
from tests.fhir.test_search import found
from tests.world import World

OURS = ["id", "organisation_id", "author_id", "author_kind", "version", "recorded_at", "updated_at", "deleted_at"]
OURS += ["origin_partner_id", "held", "minor_secret", "reserved_to", "meta"]
JSON = {"Content-Type": "application/json"}


def row_of(world: World, place: str) -> tuple[Any, ...]:
    [row] = world.rows("SELECT * FROM transmission WHERE id = $1", place.rpartition("/")[2])
    return tuple(row)


def count(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM transmission")[0][0])


class TestFieldsOfOurs:
    """What the server decides is no field of a body."""

    @pytest.mark.threat("object-mass-assignment-create")
    @pytest.mark.parametrize("field", OURS)
    def test_of_a_creation_are_refused(self, world: World, field: str):
        before = count(world)
        answer = world.post("sonia", PATH, said(world) | {field: str(world.ids["marc"])})
        assert (answer.status_code, [e["code"] for e in answer.json()["errors"]]) == (422, ["unknown_field"])
        assert count(world) == before

    @pytest.mark.threat(
        "object-mass-assignment-patch",
        "object-moved-to-another-person",
        "object-moved-to-another-structure",
        "object-author-forged",
    )
    @pytest.mark.parametrize("field", [*OURS, "usager_id", "structure_id", "thread_id", "category", "occurred_at"])
    def test_of_a_correction_are_refused(self, world: World, field: str):
        place = written(world)
        before = row_of(world, place)
        to = {"usager_id": "karim", "structure_id": "mas_fam", "author_id": "marc"}.get(field, "leila")
        answer = world.patch("sonia", place, {field: str(world.ids[to])}, 1)
        assert (answer.status_code, row_of(world, place)) == (422, before)

    @pytest.mark.threat("object-moved-to-another-structure")
    def test_of_a_dossier_are_refused(self, world: World):
        place = f"/api/v1/usagers/{world.ids['jeanne']}"
        for field in ("organisation_id", "usager_id", "structure_id", "merged_into_id", "name_key", "held"):
            answer = world.patch("odile", place, {field: str(world.ids["karim"])}, 1)
            assert (answer.status_code, [e["code"] for e in answer.json()["errors"]]) == (422, ["unknown_field"])


class TestOutOfReach:
    @pytest.mark.threat("object-if-match-oracle")
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_a_version_tells_nothing(self, world: World, method: str):
        place, body = written(world), {"json": {"text": "B"}} if method == "PATCH" else {}
        same = {**world.bearers["yann"], "X-Request-Id": str(uuid4())}
        answers = [
            world.client.request(method, path, headers={**same, "If-Match": f'W/"{version}"'}, **body)
            for path, version in ((place, 1), (place, 7), (f"{PATH}/{uuid4()}", 1))
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}

    @pytest.mark.threat("object-absent-other-cost")
    def test_costs_what_an_id_that_never_was_costs(self, world: World):
        costs = []
        for path in (written(world), f"{PATH}/{uuid4()}"):
            world.get("yann", path)
            with world.statements() as counted:
                assert world.get("yann", path).status_code == 404
            costs.append(counted.sql)
        assert costs[0] == costs[1]

    @pytest.mark.threat("object-care-note-counted")
    def test_a_care_note_is_not_counted_for_who_does_not_care(self, world: World):
        id = written(world, "leila", category="care").rpartition("/")[2]
        assert found(world, "leila", f"_id={id}") == [id]
        told = world.get("sonia", f"/fhir/DocumentReference?_id={id}&_count=0").json()
        assert told["total"] == 0

    @pytest.mark.threat("object-admin-reads")
    def test_who_runs_the_server_reads_no_content(self, world: World):
        world.hire("root", Role.ADMIN, "ehpad", "ime", "mas_fam", "mecs")
        place, usager = written(world), world.ids["jeanne"]
        world.accompany("root", usager, "ehpad")
        paths = (place, place.replace(PATH, "/fhir/DocumentReference"), f"/api/v1/emergency-sheets/{usager}")
        assert [world.get("root", path).status_code for path in paths] == [404] * 3
        assert world.get("root", PATH).json()["items"] == []


@pytest.mark.threat("token-role-changed")
def test_a_role_taken_away_reads_nothing_at_the_next_request(world: World):
    world.hire("vera", Role.CHEF_DE_SERVICE, "ehpad")
    place = written(world)
    assert world.get("vera", place).status_code == 200
    world.rows("UPDATE membership SET role = 'secretariat' WHERE id = $1", world.ids["vera_membership"])
    assert world.get("vera", place).status_code == 404


@pytest.mark.threat("object-method-override")
def test_a_method_said_in_a_header_is_not_heard(world: World):
    place = written(world)
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        headers = {**world.bearers["sonia"], name: "DELETE", "If-Match": '"1"'}
        assert world.client.post(place, headers=headers).status_code == 405
        assert world.client.get(f"{place}?_method=DELETE", headers=headers).status_code in (200, 400)
    assert world.get("sonia", place).json()["version"] == 1


class TestBodies:
    @pytest.mark.threat("input-nul", "input-lone-surrogate", "input-not-a-text")
    @pytest.mark.parametrize(
        "text", ['"a\\u0000b"', '"\\ud800"', '"a\\udfffb"', '"\\ud83d"', '["a"]', '{"$gt": ""}', "1e400"]
    )
    def test_what_is_no_text_is_refused(self, world: World, text: str):
        body = '{"usager_id": "%s", "structure_id": "%s", "text": %s}'
        content = body % (world.ids["jeanne"], world.ids["ehpad"], text)
        before = count(world)
        answer = world.client.post(PATH, content=content, headers={**world.bearers["sonia"], **JSON})
        assert (answer.status_code in (400, 422), count(world)) == (True, before), answer.text

    @pytest.mark.threat("input-impossible-moment")
    @pytest.mark.parametrize(
        "day",
        [
            "0000-01-01T00:00:00Z", "2026-02-30T10:00:00Z", "2026-01-01T25:00:00Z", "9999-12-31T23:59:59-23:59",
            "10000-01-01T00:00:00Z", "2026-01-01T10:00:00", "1e400", "NaN", 1e300, -1e300, "２０２６-01-01T00:00:00Z",
        ],
    )  # fmt: skip
    def test_a_moment_that_cannot_be_is_refused(self, world: World, day: object):
        before = count(world)
        answer = world.post("sonia", PATH, said(world, occurred_at=day))
        assert (answer.status_code, count(world)) == (422, before), answer.text

    @pytest.mark.threat("input-end-of-time")
    @pytest.mark.parametrize("day", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
    def test_a_moment_that_could_not_be_read_is_not_written(self, world: World, day: str):
        """Told in UTC it is before year 1, or after 9999: one such row would close the list to all its readers."""
        rule = {"professional_id": str(world.ids["leila"]), "unit_id": str(world.ids["unit_ime"]), "starts_at": day}
        asked = [
            world.post("sonia", PATH, said(world, occurred_at=day)),
            world.post("marc", "/api/v1/teams/rules", rule),
            world.post("sonia", f"{prepared(world)}/reviews", {"starts_at": day}),
        ]
        assert [(a.status_code, a.json()["errors"][0]["code"]) for a in asked] == [(422, "far_date")] * 3

    @pytest.mark.threat("input-end-of-time")
    @pytest.mark.parametrize(("day", "zone"), [("0001-01-01", "Europe/Paris"), ("9999-12-31", "Pacific/Niue")])
    def test_a_day_at_the_end_of_time_is_refused(self, world: World, day: str, zone: str):
        event = planning(world, starts=f"{day}T00:00:00", ends=f"{day}T23:00:00", zone=zone)
        stay = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ime"]), "starts": day}
        asked = [world.post("sonia", "/api/v1/events", event), world.post("odile", "/api/v1/stays", stay)]
        assert {a.status_code for a in asked} == {422}
        assert world.get("sonia", f"/api/v1/events?from={day}&until={day}").status_code == 400

    @pytest.mark.threat("input-end-of-time")
    @pytest.mark.parametrize(
        "day",
        ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59+01:00"],
    )
    def test_a_moment_at_the_end_of_time_sent_by_a_partner_closes_nothing(self, world: World, day: str):
        note = {**document(world.ids["jeanne"], date=day), "id": "d", "subject": {"reference": "Patient/p"}}
        number = identifier("sejour", f"3380000018/{uuid4().hex}")
        for resource in (note, stay(period={"start": day}, identifier=number)):
            answer = sent(world, bundle(entry(resource), entry(patient(uuid4().hex[:12]))))
            assert answer.status_code in (200, 400), answer.text
        world.rows("UPDATE transmission SET visibility = 'shared' WHERE origin_partner_id IS NOT NULL")
        for path in ("/fhir/DocumentReference?_count=200", "/fhir/Encounter?_count=200", f"{PATH}?limit=200"):
            assert world.get("marc", path).status_code == 200

    @pytest.mark.threat("input-content-type")
    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    )
    def test_under_another_name_are_not_read(self, world: World, kind: str):
        before = count(world)
        answer = world.client.post(
            PATH, content=json.dumps(said(world)), headers={**world.bearers["sonia"], "Content-Type": kind}
        )
        assert (answer.status_code in (415, 422), count(world)) == (True, before), answer.text

    @pytest.mark.threat("input-gzip-bomb")
    def test_compressed_are_not_opened(self, world: World):
        bomb = gzip.compress(b"[" * 50_000_000)
        headers = {**world.bearers["sonia"], **JSON, "Content-Encoding": "gzip"}
        assert world.client.post(PATH, content=bomb, headers=headers).status_code in (400, 415)
        sender = {**world.bearers["chu"], "Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}
        assert world.client.post("/fhir", content=bomb, headers=sender).status_code in (400, 415)


@pytest.mark.threat("search-parameter-twice")
@pytest.mark.parametrize("query", ["usager={jeanne}&usager={karim}", "limit=1&limit=200"])
def test_a_parameter_said_twice_widens_nothing(world: World, query: str):
    asked = query.format(**world.ids)
    answer = world.get("yann", f"{PATH}?{asked}")
    assert (answer.status_code, answer.json().get("items", [])) in ((200, []), (400, []))


@pytest.mark.threat("input-html-in-json")
def test_a_text_is_told_back_as_json_that_no_browser_runs(world: World):
    place = written(world, text="<script>alert(1)</script>")
    for path in (place, place.replace(PATH, "/fhir/DocumentReference"), f"{PATH}/<script>"):
        told = world.get("sonia", path).headers
        assert "json" in told["content-type"]
        assert told["x-content-type-options"] == "nosniff"


@pytest.mark.threat("trail-content")
def test_the_trail_keeps_no_word_of_what_was_written_or_asked(world: World):
    place = written(world, text="Canari-7f3a")
    world.get("sonia", f"{PATH}?usager={world.ids['jeanne']}&target=Canari-7f3a")
    world.patch("sonia", place, {"text": "Canari-7f3a encore"}, 1)
    lines = [row[0] for row in world.rows("SELECT a::text FROM audit_entry a")]
    assert lines
    assert not [line for line in lines if "Canari" in line]
