"""The DPO looks in the trail: by person, professional, period and words; a look is a line too."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.kernel.clock import PARIS, now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.features.access_log.facts import noted, trace
from tests.world import World

TRAIL = "/api/v1/access/trail"
TODAY = today().isoformat()


@pytest.fixture(scope="module", autouse=True)
def dpo(world: World) -> None:
    world.hire("dora", Role.DPO, "ehpad")


def found(world: World, **asked: Any) -> list[dict[str, Any]]:
    answer = world.get("dora", TRAIL, params={"limit": 200, **asked})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def requests(world: World, **asked: Any) -> set[str]:
    return {line["request_id"] for line in found(world, **asked)}


@pytest.mark.parametrize(
    ("asked", "how"),
    [
        ({"action": "erase"}, {"action": "erase"}),
        ({"kind": "stay"}, {"kind": "stay"}),
        ({"ground": "vital"}, {"ground": "vital"}),
        ({"outcome": "refused"}, {"outcome": "refused"}),
        ({"door": "system"}, {"door": "system"}),
        ({"principal_kind": "partner"}, {"principal_kind": "partner"}),
    ],
    ids=lambda told: next(iter(told)),
)
def test_each_word_narrows(world: World, asked: dict[str, str], how: dict[str, str]) -> None:
    mine, other = trace(world, "karim", uuid7(), **how), trace(world, "karim", uuid7())
    told = requests(world, since=TODAY, **asked)
    assert (mine in told, other in told) == (True, False)


def test_several_words_are_one_of(world: World) -> None:
    made = [trace(world, "karim", uuid7(), kind=kind) for kind in ("need", "goal", "means")]
    told = requests(world, since=TODAY, kind=["need", "goal"])
    assert [request in told for request in made] == [True, True, False]


def test_who_acted(world: World) -> None:
    mine, other = (trace(world, "karim", principal_id=world.ids[who]) for who in ("leila", "sonia"))
    told = requests(world, since=TODAY, professional=str(world.ids["leila"]))
    assert (mine in told, other in told) == (True, False)


def test_criteria_add_up(world: World) -> None:
    both = trace(world, "ines", kind="review", action="update")
    one = trace(world, "lucas", kind="review", action="update")
    asked = {"usager": str(world.ids["ines"]), "kind": "review", "action": "update"}
    told = requests(world, **asked)
    assert (both in told, one in told) == (True, False)


def test_a_period_is_of_days_in_paris(world: World) -> None:
    day = today() - timedelta(days=40)
    midnight = datetime(day.year, day.month, day.day, tzinfo=PARIS)
    made = [trace(world, "jeanne", at=midnight + timedelta(seconds=s)) for s in (-1, 0, 86399, 86401 + 7200)]
    told = requests(world, since=day.isoformat(), until=(day + timedelta(days=1)).isoformat())
    assert [request in told for request in made] == [False, True, True, False]


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({}, "since"),
        ({"until": TODAY}, "since"),
        ({"since": TODAY, "until": TODAY}, "until"),
        ({"since": "2020-01-01"}, "since"),
        ({"since": "hier"}, "since"),
        ({"since": "0001-01-01"}, "since"),
        ({"usager": "1"}, "usager"),
        ({"since": TODAY, "outcome": "perhaps"}, "outcome"),
        ({"since": TODAY, "kind": "'; --"}, "kind"),
        ({"since": TODAY, "weather": "fine"}, "weather"),
        ({"since": TODAY, "limit": "0"}, "limit"),
    ],
)
def test_what_cannot_be_asked_is_refused_naming_it(world: World, asked: dict[str, str], where: str) -> None:
    answer = world.get("dora", TRAIL, params=asked)
    assert answer.status_code == 400, answer.text
    assert where in answer.text or where == "weather"  # an unknown name may be a value


def test_a_person_may_be_asked_over_all_time(world: World) -> None:
    old = trace(world, "lucas", at=now() - timedelta(days=900))
    assert old in requests(world, usager=str(world.ids["lucas"]))


def test_pages_follow_and_are_of_one_question(world: World) -> None:
    for _ in range(3):
        trace(world, "karim", uuid7(), kind="unit")
    asked = {"since": TODAY, "kind": "unit", "limit": 2}
    first = world.get("dora", TRAIL, params=asked).json()
    second = world.get("dora", TRAIL, params={**asked, "after": first["next"]}).json()
    assert [len(page["items"]) for page in (first, second)] == [2, 1]
    assert second["next"] is None
    other = world.get("dora", TRAIL, params={**asked, "kind": "stay", "after": first["next"]})
    assert other.status_code == 400


def test_a_look_at_many_is_a_line_for_each(world: World) -> None:
    for usager in ("karim", "lucas"):
        trace(world, usager, uuid7(), kind="expectation")
    answer = world.get("dora", TRAIL, params={"since": TODAY, "kind": "expectation"})
    lines = world.traces(request_id=answer.headers["x-request-id"])
    assert {line["usager_id"] for line in lines} == {world.ids["karim"], world.ids["lucas"]}
    assert {(line["action"], line["kind"], line["outcome"]) for line in lines} == {("read", "audit_entry", "success")}


def test_two_statements_whatever_is_asked(world: World) -> None:
    asked: dict[str, Any] = {"since": TODAY, "door": "api"}
    found(world, **asked)
    with world.statements() as sql:
        found(world, **asked)
    assert len(sql) == 2


class TestOneLine:
    def test_it_is_read_by_its_name(self, world: World) -> None:
        request = trace(world, "karim", uuid7())
        [line] = [line for line in found(world, usager=str(world.ids["karim"])) if line["request_id"] == request]
        answer = world.get("dora", f"{TRAIL}/{line['id']}")
        assert answer.json() == line

    @pytest.mark.parametrize(
        "name",
        [
            "x",
            "ffffffffffffff.01900000-0000-7000-8000-000000000001",
            "0" * 14 + ".01900000-0000-7000-8000-000000000001",
        ],
    )
    def test_no_line_is_named_so(self, world: World, name: str) -> None:
        answer = world.get("dora", f"{TRAIL}/{name}")
        assert answer.status_code == 404
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["outcome"]) == ("audit_entry", "empty")

    @pytest.mark.threat("trail-read-by-others")
    def test_nobody_else_reads_it(self, world: World) -> None:
        name = found(world, usager=str(world.ids["karim"]))[0]["id"]
        assert [world.get(who, f"{TRAIL}/{name}").status_code for who in ("marc", "helene", "jeanne")] == [
            403,
            403,
            401,
        ]


class TestRelease:
    """What is held back from the person's page until the DPO lets it be shown."""

    @pytest.fixture
    def held(self, world: World) -> tuple[str, str]:
        """A line of an alert about Inès: its name, its request."""
        request = trace(world, "ines", noted(world, "ines", category="alert"))
        [line] = [line for line in found(world, usager=str(world.ids["ines"])) if line["request_id"] == request]
        assert (line["held_back"], line["released"]) == (True, False)
        return line["id"], request

    def shown(self, world: World) -> int:
        items = world.get("ines", "/api/v1/me/access").json()["items"]
        return len(
            [visit for visit in items if visit["who"]["kind"] == "professional" and visit["what"] == ["transmission"]]
        )

    def test_a_line_released_is_shown(self, world: World, held: tuple[str, str]) -> None:
        before = self.shown(world)
        assert world.client.put(f"{TRAIL}/{held[0]}/release", headers=world.bearers["dora"]).status_code == 204
        assert self.shown(world) == before + 1
        assert world.get("dora", f"{TRAIL}/{held[0]}").json()["released"] is True

    def test_it_is_an_act_of_its_own(self, world: World, held: tuple[str, str]) -> None:
        answer = world.client.put(f"{TRAIL}/{held[0]}/release", headers=world.bearers["dora"])
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["usager_id"], line["outcome"]) == ("release_trail", world.ids["ines"], "success")

    def test_twice_is_once(self, world: World, held: tuple[str, str]) -> None:
        for _ in "ab":
            assert world.client.put(f"{TRAIL}/{held[0]}/release", headers=world.bearers["dora"]).status_code == 204
        rows = world.rows("SELECT released_by FROM trail_release WHERE line_id = $1", held[0].partition(".")[2])
        assert [row["released_by"] for row in rows] == [world.ids["dora"]]

    @pytest.mark.threat("trail-released-by-others")
    @pytest.mark.parametrize("who", ["sonia", "marc", "helene", "odile"])
    def test_nobody_else_releases(self, world: World, held: tuple[str, str], who: str) -> None:
        before = self.shown(world)
        answer = world.client.put(f"{TRAIL}/{held[0]}/release", headers=world.bearers[who])
        assert (answer.status_code, self.shown(world)) == (403, before)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("release_trail", "refused")

    @pytest.mark.threat("trail-released-by-others")
    def test_the_dpo_of_another_organisation_finds_no_line(self, world: World, held: tuple[str, str]) -> None:
        world.hire("ezra", Role.DPO, "other")
        answer = world.client.put(f"{TRAIL}/{held[0]}/release", headers=world.bearers["ezra"])
        assert answer.status_code == 404
        assert world.rows("SELECT 1 FROM trail_release WHERE line_id = $1", held[0].partition(".")[2]) == []
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("release_trail", "refused")

    @pytest.mark.parametrize("how", [{"ground": "loi"}, {"role": "evaluateur"}], ids=["judicial", "inspection"])
    def test_a_request_of_the_law_is_held_back_too(self, world: World, how: dict[str, str]) -> None:
        request = trace(world, "ines", uuid7(), **how)
        [line] = [line for line in found(world, usager=str(world.ids["ines"])) if line["request_id"] == request]
        assert line["held_back"] is True

    def test_what_was_refused_is_neither_shown_nor_held_back(self, world: World) -> None:
        request = trace(world, "ines", outcome="refused")
        [line] = [line for line in found(world, usager=str(world.ids["ines"])) if line["request_id"] == request]
        assert (line["held_back"], line["released"]) == (False, False)

    def test_a_usual_line_is_not_held_back(self, world: World) -> None:
        request = trace(world, "ines", noted(world, "ines"), noted(world, "ines", category="alert"))
        [line] = [line for line in found(world, usager=str(world.ids["ines"])) if line["request_id"] == request]
        assert line["held_back"] is False
