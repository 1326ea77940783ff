"""What is said too often is refused before it is read, or looked at once: nobody else waits for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.api.resources import REGISTRY
from app.fhir.checking import MAX_FAULTS, PROFILES_MOST
from app.fhir.packages.held import Held
from app.fhir.profiles.checker import Checker
from app.fhir.profiles.judging import Judge, claimed
from app.fhir.search.criteria import Around, Criterion
from app.fhir.search.query import CLAUSES_MOST, PAIRS_MOST, Criteria, read
from app.fhir.verbs.validate import wanted
from app.kernel.errors import Unreadable
from tests.fhir.test_read import outcome
from tests.world import World

AROUND = Around("https://dui.example", None)  # type: ignore[arg-type]
KINDS = ["Task", "Task/_history", "_history", "AuditEvent"]


class Watched(dict[str, Criterion]):
    """Criteria that count how often they are looked at."""

    looks = 0

    def __contains__(self, name: object) -> bool:
        self.looks += 1
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self.looks += 1
        return super().__iter__()


@pytest.mark.threat("search-parameter-flood")
@pytest.mark.parametrize("name", ["a", "ab.c", "_has:Task:patient:status", "_include", "_id"])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_flood_of_parameters_is_refused_unread(name: str, lenient: bool) -> None:
    criteria = Watched()
    with pytest.raises(Unreadable) as no:
        read([(name, "1")] * 8000, [criteria], AROUND, lenient=lenient)
    assert (no.value.told, criteria.looks) == ("too_many", 0)
    assert len(no.value.faults) <= 1


@pytest.mark.parametrize("lenient", [False, True])
def test_as_many_as_are_read_are_told_one_by_one(lenient: bool) -> None:
    criteria: Criteria = REGISTRY.own("Task")[0].criteria
    said = [("banana", "1")] * PAIRS_MOST
    if lenient:
        assert len(read(said, [criteria], AROUND, lenient=True).ignored) == PAIRS_MOST
        return
    with pytest.raises(Unreadable) as no:
        read(said, [criteria], AROUND)
    assert len(no.value.faults) == PAIRS_MOST <= MAX_FAULTS


@pytest.mark.threat("search-parameter-flood")
@pytest.mark.parametrize("lenient", ["", "handling=lenient"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_verb_refuses_a_flood_in_a_word(world: World, kind: str, lenient: str) -> None:
    query = "&".join(["ab.c=1"] * (PAIRS_MOST + 1))
    answer = world.get("karim", f"/fhir/{kind}?{query}", headers={"Prefer": lenient} if lenient else {})
    assert answer.status_code == 400
    assert str(PAIRS_MOST) in outcome(answer)["diagnostics"]
    assert len(answer.json()["issue"]) == 1


@pytest.mark.threat("search-parameter-flood")
def test_a_form_and_its_address_count_together(world: World) -> None:
    half = "&".join(["_id=x"] * (PAIRS_MOST // 2 + 1))
    headers = {**world.bearers["sonia"], "Content-Type": "application/x-www-form-urlencoded"}
    answer = world.client.post(f"/fhir/Task/_search?{half}", content=half, headers=headers)
    assert answer.status_code == 400
    assert str(PAIRS_MOST) in outcome(answer)["diagnostics"]


def test_the_criteria_still_count(world: World) -> None:
    answer = world.get("sonia", "/fhir/Task?_count=1&" + "&".join(["_id=x"] * (CLAUSES_MOST + 1)))
    assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (400, "too_many")
    assert world.get("sonia", "/fhir/Task?_count=1&" + "&".join(["_id=x"] * CLAUSES_MOST)).status_code == 200


@pytest.mark.threat("input-profile-flood")
def test_a_profile_claimed_again_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = next(url for url, each in sorted(REGISTRY.definitions.items()) if each["type"] == "DocumentReference")
    told: dict[str, Any] = {"resourceType": "DocumentReference", "status": "current", "content": [{}]}
    again = [profile, *[f"{profile}|{version}" for version in range(50)], *[profile] * 49]
    assert claimed({**told, "meta": {"profile": again}}) == again[:51]
    asked: list[str] = []
    monkeypatch.setattr(
        Checker, "issues_of", lambda _, resource, definition, *__: asked.append(definition["url"]) or []
    )
    judge = Judge(REGISTRY, Held({}))
    list(judge.asks({**told, "meta": {"profile": again}}, "DocumentReference", claimed({"meta": {"profile": again}})))
    assert asked == [profile]


@pytest.mark.threat("input-profile-flood")
def test_a_check_is_asked_against_a_few_profiles() -> None:
    few = [("profile", f"https://example.org/{at}") for at in range(PROFILES_MOST)]
    assert len(wanted("", "", few * 2).profiles) == PROFILES_MOST
    with pytest.raises(Unreadable) as no:
        wanted("", "", [*few, ("profile", "https://example.org/more")])
    assert no.value.told == "too_many"
