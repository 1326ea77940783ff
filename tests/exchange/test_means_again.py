"""A means says nothing of its project, as its profile allows: however it comes again, it stays where it is."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.fhir.mapping import Json
from tests.exchange.bundles import bundle, entry, patient, plan, project, resource
from tests.exchange.sending import fresh, row_of, sent, taken, written_by_the_team
from tests.exchange.test_receive import tables
from tests.fhir.test_refusals import told
from tests.fhir.test_writing import asked
from tests.world import World

SYSTEM = "https://ailleurs.example/moyens"
Again = Callable[[World, UUID, Json], Any]


def means(local: str, title: str = "Un déambulateur", **more: Any) -> Json:
    titled = {"type": {"coding": [{"system": TITLE, "code": "titre"}]}, "valueString": title}
    named = [{"system": SYSTEM, "value": f"{local}-MORE-1"}]
    return resource(
        "Task", "m", "tddui-task-moyen-ressource", identifier=named, status="ready", intent="plan", input=[titled], **more
    )  # fmt: skip


TITLE = "https://interop.esante.gouv.fr/ig/fhir/tddui/CodeSystem/tddui-task-input-moyen-ressource"


def of_a_project(world: World, local: str) -> tuple[UUID, UUID]:
    """The ids of a means and of the project it came with."""
    whole = project(local)
    rows = taken(world, bundle(*whole["entry"], entry(means(local, basedOn=[{"reference": "CarePlan/pp"}]))))
    return rows[-1][1], next(id for kind, id, _ in rows if kind == "CarePlan")


def bare(one: Json) -> Json:
    """As its sender keeps it: by no id of ours."""
    return {name: value for name, value in one.items() if name != "id"}


def condition(one: Json) -> str:
    return f"identifier={SYSTEM}|{one['identifier'][0]['value']}"


def alone(world: World, id: UUID, one: Json) -> Any:
    return sent(world, bundle(entry(one)))


def beside_its_person(world: World, id: UUID, one: Json) -> Any:
    local = one["identifier"][0]["value"].partition("-")[0]
    return sent(world, bundle(entry(patient(local)), entry(one)))


def beside_another_project(world: World, id: UUID, one: Json) -> Any:
    """The only one of the bundle is not its own: it has one already."""
    local = one["identifier"][0]["value"].partition("-")[0]
    other = {**plan(local, title="Un autre"), "identifier": plan(f"{local}-2")["identifier"]}
    other.pop("supportingInfo")
    return sent(world, bundle(entry(patient(local)), entry(other), entry(one)))


def in_a_batch(world: World, id: UUID, one: Json) -> Any:
    return sent(world, {**bundle(entry(one)), "type": "batch"})


def under_a_condition(world: World, id: UUID, one: Json) -> Any:
    change = {"method": "PUT", "url": f"Task?{condition(one)}"}
    return sent(world, bundle({"resource": bare(one), "request": change}))


def created_once(world: World, id: UUID, one: Json) -> Any:
    """Nothing meets the condition: it is written, under the identifier that it has already."""
    return sent(world, bundle(entry(one, ifNoneExist=f"{condition(one)}&status=completed")))


def posted(world: World, id: UUID, one: Json) -> Any:
    return asked(world, "POST", "Task", bare(one))


def put(world: World, id: UUID, one: Json) -> Any:
    return asked(world, "PUT", f"Task/{id}", {**one, "id": str(id)})


def put_under_a_condition(world: World, id: UUID, one: Json) -> Any:
    return asked(world, "PUT", f"Task?{condition(one)}", bare(one))


def patched(world: World, id: UUID, one: Json) -> Any:
    operation = {"op": "replace", "path": "/input/0/valueString", "value": one["input"][0]["valueString"]}
    return asked(world, "PATCH", f"Task/{id}", [operation])


WAYS = [
    alone, beside_its_person, beside_another_project, in_a_batch, under_a_condition, created_once, posted, put,
    put_under_a_condition, patched,
]  # fmt: skip


@pytest.mark.parametrize("again", WAYS, ids=[each.__name__ for each in WAYS])
def test_it_keeps_its_project(world: World, again: Again):
    local = fresh()
    id, plan_id = of_a_project(world, local)
    answer = again(world, id, means(local, "Un autre titre"))
    assert answer.status_code in (200, 201), answer.text
    row = row_of(world, id)
    assert (row["project_id"], row["title"], row["version"]) == (plan_id, "Un autre titre", 2), answer.text


@pytest.mark.parametrize("again", [alone, under_a_condition, posted, put], ids=lambda each: each.__name__)
def test_after_the_team_wrote_too(world: World, again: Again):
    local = fresh()
    id, plan_id = of_a_project(world, local)
    written_by_the_team(world, id)
    answer = again(world, id, means(local, "Un autre titre"))
    assert answer.status_code in (200, 201), answer.text
    row = row_of(world, id)
    assert (row["project_id"], row["title"]) == (plan_id, "Un déambulateur")
    assert world.get("chu", f"/fhir/Task/{id}").json()["input"][0]["valueString"] == "Un autre titre"


def test_deleted_it_comes_back_to_its_project(world: World):
    local = fresh()
    id, plan_id = of_a_project(world, local)
    assert asked(world, "DELETE", f"Task/{id}").status_code == 204
    assert alone(world, id, means(local)).status_code == 200
    assert row_of(world, id)["project_id"] == plan_id
    assert world.get("chu", f"/fhir/Task/{id}").status_code == 200


def test_to_the_letter_too(world: World):
    local = fresh()
    id, plan_id = of_a_project(world, local)
    answer = sent(world, bundle(entry(means(local, "Autrement"))), Prefer="handling=strict")
    assert answer.status_code == 200, answer.text
    assert row_of(world, id)["project_id"] == plan_id


def test_it_passes_to_the_project_it_names(world: World):
    local = fresh()
    id, _ = of_a_project(world, local)
    other = {**plan(local, title="Un autre"), "identifier": plan(f"{local}-2")["identifier"]}
    other.pop("supportingInfo")
    named = means(local, basedOn=[{"reference": "CarePlan/pp"}])
    rows = taken(world, bundle(entry(patient(local)), entry(other), entry(named)))
    assert row_of(world, id)["project_id"] == rows[1][1]


def test_created_once_and_found_it_is_left_as_it_stands(world: World):
    local = fresh()
    id, plan_id = of_a_project(world, local)
    one = means(local, "Autrement")
    answer = asked(world, "POST", "Task", bare(one), If_None_Exist=condition(one))
    row = row_of(world, id)
    assert (answer.status_code, row["project_id"], row["title"]) == (200, plan_id, "Un déambulateur")


def test_it_is_whose_it_was_and_nobody_else_s(world: World):
    """Sent among others of another person, its own decides nothing for them, nor they for it."""
    local = fresh()
    of_a_project(world, local)
    answer = sent(world, bundle(entry(patient(fresh())), entry(means(local))))
    assert (answer.status_code, told(answer)[0][0]) == (409, "Bundle.entry[1].resource.identifier")


@pytest.mark.threat("partner-identifier-stolen")
def test_of_another_partner_it_is_nobody_s(world: World):
    """The name is its sender's own: sent by another, it leads nowhere here, as a name nobody used."""
    local = fresh()
    of_a_project(world, local)
    answers = [sent(world, bundle(entry(means(name))), who="mdph") for name in (local, fresh())]
    assert [(each.status_code, told(each)) for each in answers] == [(answers[0].status_code, told(answers[0]))] * 2
    assert answers[0].status_code == 422


def test_its_project_is_asked_once_for_all(world: World):
    local = fresh()
    of_a_project(world, local)
    taken(world, bundle(entry(patient(local)), entry(means(local, "Compilé"))))
    with world.statements() as counted:
        rows = taken(world, bundle(entry(patient(local)), entry(means(local, "Autrement"))))
    assert len(counted) <= 6 + tables(world, rows), counted.sql
