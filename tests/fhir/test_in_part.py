"""A date told in part is an interval: found by all that it covers, never by `:missing`, sorted by its first day."""

from collections.abc import Callable
from typing import Any

import pytest

from app.fhir import in_part
from app.fhir.keeping import leftover
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, taken
from tests.features.deaths.test_fhir import died
from tests.features.life_projects.test_fhir import MOTHER, PRACTITIONER, life
from tests.features.mobility.test_fhir import moves
from tests.features.schooling.test_fhir import SCHOOL, TEACHER, period
from tests.fhir.test_parameters import found
from tests.world import World

Json = dict[str, Any]
Told = Callable[[str], list[Json]]
CASES: dict[str, tuple[str, str, Told]] = {
    "mobility": ("Observation", "date", lambda said: [moves(effectiveDateTime=said)]),
    "death": ("Observation", "date", lambda said: [died(effectiveDateTime=said)]),
    "life project": ("Goal", "start-date", lambda said: [MOTHER, PRACTITIONER, life(startDate=said)]),
    "birth": ("Patient", "birthdate", lambda said: []),
    "end of life": ("Patient", "death-date", lambda said: []),
}
ASKED = [  # of "2026-05", of "2026": R4's table of prefixes
    ("2026", True, True), ("2026-05", True, False), ("2026-05-03", False, False), ("2025", False, False),
    ("ne2026", False, False), ("ne2026-05", False, True), ("ge2026-05-20", True, True), ("gt2026-05-20", True, True),
    ("gt2026", False, False), ("lt2026-05-20", True, True), ("le2026-04", False, True), ("lt2026", False, False),
    ("sa2026-04", True, False), ("sa2025", True, True), ("eb2026-06", True, False), ("eb2027", True, True),
    ("ap2026-05-20", True, True),
]  # fmt: skip


def sent(world: World, case: str, said: str) -> str:
    kind, _, others = CASES[case]
    whose = {"birth": {"birthDate": said}, "end of life": {"deceasedDateTime": said}}.get(case, {})
    told = taken(world, bundle(entry({**patient(fresh()), **whose}), *map(entry, others(said))))
    return str(next(id for one, id, _ in told if one == kind))


@pytest.mark.parametrize("case", CASES)
def test_a_date_in_part_is_found_by_what_it_covers(world: World, case: str):
    month, year = sent(world, case, "2026-05"), sent(world, case, "2026")
    kind, name, _ = CASES[case]
    for said, of_month, of_year in ASKED:
        ids = found(world, "chu", f"{kind}?{name}={said}")
        assert (month in ids, year in ids) == (of_month, of_year), said
    assert {month, year} <= found(world, "chu", f"{kind}?{name}:missing=false&_count=200")
    assert not {month, year} & found(world, "chu", f"{kind}?{name}:missing=true&_count=200")


def test_a_period_is_told_in_part_at_either_end(world: World):
    told = bundle(
        *map(entry, (patient(fresh()), TEACHER, SCHOOL, period(effectivePeriod={"start": "2024", "end": "2025-06"})))
    )
    id = str(next(id for kind, id, _ in taken(world, told) if kind == "Observation"))
    for said, finds in (
        ("2024", False),
        ("ge2024-03", True),
        ("lt2024-03", True),
        ("sa2025-06", False),
        ("eb2025-07", True),
        ("sa2023", True),
        ("eb2025-06", False),
    ):
        assert (id in found(world, "chu", f"Observation?date={said}&_count=200")) is finds, said


def test_it_is_sorted_by_its_first_day(world: World):
    who, ids = patient(fresh()), []
    told = [
        moves(id=f"o{n}", effectiveDateTime=said)
        for n, said in enumerate(("2026", "2025-12-31", "2026-01-02", "2026-03"))
    ]
    ids = [str(id) for kind, id, _ in taken(world, bundle(entry(who), *map(entry, told))) if kind == "Observation"]
    answer = world.get("chu", f"/fhir/Observation?_id={','.join(ids)}&_sort=date").json()
    assert [each["resource"]["id"] for each in answer["entry"]] == [ids[1], ids[0], ids[2], ids[3]]


def test_what_the_team_said_since_is_what_is_searched(world: World):
    id = sent(world, "mobility", "2026")
    world.rows("UPDATE mobility SET noted_on = '2026-05-03' WHERE id = $1", id)
    assert id in found(world, "chu", f"Observation?_id={id}&date=2026-05-03")
    assert id not in found(world, "chu", f"Observation?_id={id}&date=ge2026-06")


def test_a_death_told_by_its_year_is_one(world: World):
    id = sent(world, "end of life", "2026")
    assert id in found(world, "chu", f"Patient?_id={id}&deceased=true")


@pytest.mark.parametrize(
    ("received", "modelled", "path", "span"),
    [
        ({"birthDate": "1980-03"}, {}, "birthDate", ["1980-03-01", "1980-04-01"]),
        ({"period": {"start": "2024", "end": "2024-05-01"}}, {"period": {"end": "2024-05-01"}}, "period.start", ["2024-01-01", "2025-01-01"]),
        ({"target": [{"dueDate": "2030"}]}, {}, "target.dueDate", ["2030-01-01", "2031-01-01"]),
        ({"birthDate": "1980-03-02"}, {"birthDate": "1980-03-02"}, "birthDate", None),
        ({"birthDate": "1700-03-02"}, {}, "birthDate", ["1700-03-02", "1700-03-03"]),
    ],
    ids=["month", "start", "target", "whole", "far"],
)  # fmt: skip
def test_it_is_read_from_what_came_and_from_what_was_kept(
    received: Json, modelled: Json, path: str, span: list[str] | None
):
    wanted = {path: span} if span else None
    assert in_part.of(received, [path]) == in_part.kept(leftover(received, modelled), [path]) == wanted
