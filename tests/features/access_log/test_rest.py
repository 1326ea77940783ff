"""Who read a dossier: what the person is told of it, what the DPO reads, and what neither learns."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.models import EmergencyAccess
from app.features.settings.models import Setting
from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.features.access_log.facts import noted, trace
from tests.features.consents.people import represent
from tests.features.contacts import people as contacts
from tests.world import World

MINE, TRAIL = "/api/v1/me/access", "/api/v1/access/trail"
NOTICE = "Certaines lectures ne sont pas affichées. La loi le demande."


@pytest.fixture(scope="module", autouse=True)
def dpo(world: World) -> None:
    world.hire("dora", Role.DPO, "ehpad")


def reads(world: World, who: str, usager: str) -> Any:
    return world.get(who, f"/api/v1/usagers/{world.ids[usager]}")


def visits(world: World, who: str = "jeanne", **query: str) -> list[dict[str, Any]]:
    answer = world.get(who, MINE, params=query)
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["items"]
    return told


def of(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [visit for visit in told if visit["who"]["kind"] == kind]


def test_a_reading_by_the_team_is_told_by_role(world: World) -> None:
    assert reads(world, "marc", "jeanne").status_code == 200
    visit = of(visits(world), "professional")[0]
    assert visit["who"] == {"kind": "professional", "role": "chef_de_service"}
    assert (visit["deed"], visit["what"]) == ("read", ["usager"])


def test_what_was_written_is_told_as_written(world: World) -> None:
    body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "Bonjour."}
    assert world.post("sonia", "/api/v1/transmissions", body).status_code == 201
    visit = of(visits(world), "professional")[0]
    assert (visit["who"]["role"], visit["deed"], visit["what"]) == ("educateur", "wrote", ["transmission"])


def test_ones_own_reading_is_an_opening(world: World) -> None:
    visits(world)
    visit = of(visits(world), "usager")[0]
    assert (visit["who"]["me"], visit["deed"]) == (True, "opened")


def test_several_kinds_read_at_once_are_one_visit(world: World) -> None:
    request = str(uuid7())
    for kind in ("goal", "project"):
        trace(world, "karim", uuid7(), kind=kind, request_id=request)
    [visit] = of(visits(world, "karim"), "professional")
    assert visit["what"] == ["goal", "project"]


def test_a_partner_is_told_by_name(world: World) -> None:
    how = {"principal_kind": "partner", "principal_id": world.ids["chu"], "role": None, "ground": "accord"}
    trace(world, "ines", uuid7(), **how, kind="project")
    [visit] = of(visits(world, "ines"), "partner")
    assert visit["who"] == {"kind": "partner", "name": "CHU"}
    assert visit["deed"] == "received"


def test_a_first_name_is_told_where_the_structure_chose_it(world: World) -> None:
    reads(world, "marc", "lucas")
    assert "first_name" not in of(visits(world, "lucas"), "professional")[0]["who"]
    world.add(Setting(scope=f"structure:{world.ids['ime']}", key="page.staff_first_names", value="true"))
    assert of(visits(world, "lucas"), "professional")[0]["who"]["first_name"] == "Marc"
    reads(world, "marc", "karim")
    assert "first_name" not in of(visits(world, "karim"), "professional")[0]["who"]


def test_the_nearest_layer_of_a_setting_wins(world: World) -> None:
    reads(world, "marc", "ines")
    world.add(Setting(scope="model:mecs", key="page.staff_first_names", value="true"))
    assert of(visits(world, "ines"), "professional")[0]["who"]["first_name"] == "Marc"
    world.add(Setting(scope=f"structure:{world.ids['mecs']}", key="page.staff_first_names", value="false"))
    assert "first_name" not in of(visits(world, "ines"), "professional")[0]["who"]


def test_an_emergency_is_told_with_its_reason(world: World) -> None:
    opened = now() - timedelta(hours=1)
    access = EmergencyAccess(
        usager_id=world.ids["karim"],
        structure_id=world.ids["mas_fam"],
        professional_id=world.ids["leila"],
        reason="Malaise dans la nuit",
        starts_at=opened,
        recorded_at=opened,
        ends_at=now() + timedelta(hours=11),
    )
    world.add(access)
    nurse = {"principal_id": world.ids["leila"], "role": "infirmier"}
    trace(world, "karim", uuid7(), **nurse, ground="urgence")
    trace(world, "karim", uuid7(), **nurse, kind="emergency_access", action="create")
    trace(world, "karim", uuid7(), **nurse)
    told = [v for v in of(visits(world, "karim"), "professional") if v["who"]["role"] == "infirmier"]
    assert [visit.get("emergency") for visit in told] == [None, "Malaise dans la nuit", "Malaise dans la nuit"]


def test_who_found_nothing_has_seen_nothing(world: World) -> None:
    before = len(of(visits(world), "professional"))
    assert reads(world, "yann", "jeanne").status_code == 404
    trace(world, "jeanne", uuid7(), outcome="refused")
    trace(world, "jeanne", outcome="empty")
    assert len(of(visits(world), "professional")) == before


@pytest.mark.threat("trail-alert-betrayed")
@pytest.mark.parametrize(
    "hidden",
    [{"category": "alert"}, {"visibility": "withheld"}, {"category": "judicial", "visibility": "not_shared"}],
    ids=["alert", "withheld", "judicial"],
)
def test_nothing_tells_of_what_is_kept_from_the_person(world: World, hidden: dict[str, str]) -> None:
    note = noted(world, "jeanne", **hidden)
    trace(world, "jeanne", noted(world, "jeanne"))  # a look that finds something is told too
    before = visits(world)
    trace(world, "jeanne", note)
    trace(world, "jeanne", note, action="create")
    assert len(visits(world)) == len(before) + 1  # only this very look


@pytest.mark.threat("trail-alert-betrayed")
def test_a_reading_of_other_rows_too_is_told_as_without_the_hidden_one(world: World) -> None:
    hidden, usual = noted(world, "jeanne", category="alert"), noted(world, "jeanne")
    before = len(of(visits(world), "professional"))
    trace(world, "jeanne", hidden, usual)
    assert len(of(visits(world), "professional")) == before + 1


def test_a_note_no_longer_withheld_is_told(world: World) -> None:
    note = noted(world, "jeanne", visibility="withheld")
    trace(world, "jeanne", note)
    before = len(of(visits(world), "professional"))
    world.rows(
        """INSERT INTO entry_version (organisation_id, entry_id, version, kind, usager_id, structure_id, category,
        visibility, author_kind, occurred_at, held, consigne, minor_secret, snapshot)
        SELECT organisation_id, entry_id, 2, kind, usager_id, structure_id, category, 'shared', author_kind,
        occurred_at, held, consigne, minor_secret, '' FROM entry_version WHERE entry_id = $1 RETURNING 1""",
        note,
    )
    assert len(of(visits(world), "professional")) == before + 1


@pytest.mark.threat("trail-alert-betrayed")
@pytest.mark.parametrize("how", [{"ground": "loi"}, {"role": "evaluateur"}], ids=["judicial", "inspection"])
def test_a_request_of_the_law_is_held_back(world: World, how: dict[str, str]) -> None:
    before = len(of(visits(world), "professional"))
    trace(world, "jeanne", uuid7(), **how)
    assert len(of(visits(world), "professional")) == before


def test_the_page_always_says_that_some_are_not_shown(world: World) -> None:
    assert world.get("karim", MINE).json()["notice"] == NOTICE


@pytest.mark.threat("trail-read-of-another")
def test_nobody_sees_the_visits_of_another(world: World) -> None:
    trace(world, "lucas", uuid7(), kind="goal")
    seen = {who: any("goal" in visit["what"] for visit in visits(world, who)) for who in ("lucas", "ines")}
    assert seen == {"lucas": True, "ines": False}


@pytest.mark.threat("trail-read-of-another")
def test_a_representative_sees_their_own_visits_only(world: World) -> None:
    code = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode|MTH"
    path = contacts.added(world, "lucas", family_name="MARTIN", given_name="Claire", relation=code)
    claire = represent(world, "claire", "lucas", "autorite_parentale", contact=UUID(path.rpartition("/")[2]))
    trace(world, "lucas", uuid7())
    assert visits(world, "claire") == []
    standing = {"principal_kind": "representative", "role": None, "on_behalf_of": world.ids["lucas"]}
    trace(world, "lucas", uuid7(), **standing, principal_id=claire, kind="project")
    trace(world, "lucas", uuid7(), **standing, principal_id=uuid7(), kind="project")
    [seen] = visits(world, "claire")
    assert seen["who"] == {"kind": "representative", "me": True, "name": "Claire MARTIN", "relation": code}
    assert seen["deed"] == "read"
    names = [visit["who"].get("name") for visit in of(visits(world, "lucas"), "representative")]
    assert names == ["Claire MARTIN", None, "Claire MARTIN"]  # her own look at her visits is one


def test_thirty_days_are_told_then_the_days_before(world: World) -> None:
    days = {"ines": [2, 29, 31, 75]}
    for ago in days["ines"]:
        trace(world, "ines", uuid7(), at=now() - timedelta(days=ago), kind="stay")
    first = world.get("ines", MINE).json()
    assert len([v for v in first["items"] if v["what"] == ["stay"]]) == 2
    assert first["before"] == (today() - timedelta(days=29)).isoformat()
    second = world.get("ines", MINE, params={"before": first["before"]}).json()
    assert len(second["items"]) == 1
    third = world.get("ines", MINE, params={"before": second["before"]}).json()
    assert (len(third["items"]), third["before"]) == (1, None)


def test_a_crowded_window_stops_at_a_whole_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.access_log.service.MOST", 3)
    for ago in (3, 3, 4, 4):
        trace(world, "karim", uuid7(), at=now() - timedelta(days=ago), kind="stay")
    day = today() - timedelta(days=2)
    answer = world.get("karim", MINE, params={"before": day.isoformat()}).json()
    assert [visit["what"] for visit in answer["items"]] == [["stay"]] * 2
    assert answer["before"] == (today() - timedelta(days=3)).isoformat()
    more = world.get("karim", MINE, params={"before": answer["before"]}).json()
    assert len(more["items"]) == 2


def test_a_day_fuller_than_a_page_is_told_by_its_latest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.access_log.service.MOST", 2)
    for _ in range(3):
        trace(world, "karim", uuid7(), at=now() - timedelta(days=12), kind="stay")
    day = today() - timedelta(days=11)
    answer = world.get("karim", MINE, params={"before": day.isoformat()}).json()
    assert len(answer["items"]) == 2
    assert answer["before"] == (today() - timedelta(days=12)).isoformat()


@pytest.mark.parametrize("before", ["demain", "2999-01-01"])
def test_a_day_that_cannot_be_is_refused(world: World, before: str) -> None:
    assert world.get("jeanne", MINE, params={"before": before}).status_code == 400


def test_the_reading_of_ones_visits_is_itself_a_line(world: World) -> None:
    reads(world, "sonia", "jeanne")
    answer = world.get("jeanne", MINE)
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert (line["action"], line["kind"], line["usager_id"]) == ("read", "audit_entry", world.ids["jeanne"])
    assert line["outcome"] == "success"


def test_the_visits_are_read_in_one_statement(world: World) -> None:
    visits(world)
    with world.statements() as sql:
        visits(world)
    assert len(sql) == 1


def test_the_dpo_reads_every_line_and_no_note(world: World) -> None:
    note = noted(world, "jeanne", category="alert")
    request = trace(world, "jeanne", note)
    items = world.get("dora", TRAIL, params={"usager": str(world.ids["jeanne"])}).json()["items"]
    [line] = [line for line in items if line["request_id"] == request]
    assert (line["entry_ids"], line["principal_id"]) == ([str(note)], str(world.ids["marc"]))
    assert not {"text", "reason"} & set(line)


def test_the_trail_is_read_page_after_page(world: World) -> None:
    who, query = "dora", {"usager": str(world.ids["lucas"]), "limit": "2"}
    for _ in range(4):
        trace(world, "lucas", noted(world, "lucas"))
    whole = world.get(who, TRAIL, params={"usager": query["usager"], "limit": "200"}).json()["items"]
    assert len(whole) > 3
    first = world.get(who, TRAIL, params=query).json()
    second = world.get(who, TRAIL, params={**query, "after": first["next"]}).json()
    ids = [line["id"] for line in first["items"] + second["items"]]
    told = [line["id"] for line in whole]
    start = told.index(ids[2])  # the readings just made are lines too
    assert ids[2:] == told[start : start + 2]
    assert len(set(ids)) == 4


@pytest.mark.threat("search-next-link-borrowed")
def test_a_page_of_the_trail_is_lent_to_nobody(world: World) -> None:
    for _ in "ab":
        trace(world, "lucas", noted(world, "lucas"))
    after = world.get("dora", TRAIL, params={"usager": str(world.ids["lucas"]), "limit": "1"}).json()["next"]
    other = world.get("dora", TRAIL, params={"usager": str(world.ids["jeanne"]), "after": after})
    assert other.status_code == 400


def test_reading_the_trail_is_a_line_of_it(world: World) -> None:
    answer = world.get("dora", TRAIL, params={"usager": str(world.ids["jeanne"])})
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert (line["action"], line["kind"], line["role"]) == ("read", "audit_entry", "dpo")
    assert line["usager_id"] == world.ids["jeanne"]


def test_asking_for_someone_unknown_gives_nothing_and_is_traced(world: World) -> None:
    answer = world.get("dora", TRAIL, params={"usager": str(uuid7())})
    assert answer.json() == {"items": [], "next": None}
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert line["outcome"] == "empty"


@pytest.mark.threat("trail-read-by-others")
@pytest.mark.parametrize("who", ["sonia", "marc", "leila", "odile", "helene", "yann"])
def test_only_the_dpo_reads_the_trail(world: World, who: str) -> None:
    answer = world.get(who, TRAIL, params={"usager": str(world.ids["jeanne"])})
    assert answer.status_code == 403
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert (line["action"], line["outcome"]) == ("read_trail", "refused")


@pytest.mark.threat("trail-read-by-others")
@pytest.mark.parametrize("who", ["jeanne", "chu"])
def test_another_door_does_not_open_the_trail(world: World, who: str) -> None:
    assert world.get(who, TRAIL, params={"usager": str(world.ids["jeanne"])}).status_code == 401
    assert world.get("marc", MINE).status_code == 401


@pytest.mark.threat("trail-other-tenant")
def test_the_trail_of_another_organisation_is_out_of_reach(world: World) -> None:
    world.hire("ezra", Role.DPO, "other")
    trace(world, "jeanne", uuid7())
    read = {who: world.get(who, TRAIL, params={"usager": str(world.ids["jeanne"])}) for who in ("dora", "ezra")}
    assert {who: bool(answer.json()["items"]) for who, answer in read.items()} == {"dora": True, "ezra": False}


@pytest.mark.threat("trail-dpo-left")
def test_a_dpo_no_longer_in_office_reads_nothing(world: World) -> None:
    world.hire("dani", Role.DPO, "ehpad")
    world.rows("UPDATE membership SET ends = starts WHERE id = $1 RETURNING 1", world.ids["dani_membership"])
    answer = world.get("dani", TRAIL, params={"usager": str(world.ids["jeanne"])})
    assert answer.status_code == 403


@pytest.mark.threat("token-revoked-replayed")
@pytest.mark.parametrize("path", [MINE, "/api/v1/me/transmissions"])
def test_a_session_that_ended_reads_no_visit(world: World, path: str) -> None:
    visits(world, "ines")
    [row] = world.rows(
        "UPDATE session SET revoked_at = now() WHERE door = 'me' AND subject_id = $1 RETURNING id", world.ids["ines"]
    )
    try:
        assert world.get("ines", path).status_code == 401
    finally:
        world.rows("UPDATE session SET revoked_at = NULL WHERE id = $1 RETURNING 1", row["id"])
