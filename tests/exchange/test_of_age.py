"""A birth date put right by a partner: someone of age already is so for their parents too, from that very transaction."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.mandates import majority
from app.access.models import Mandate, SharingConsent
from app.kernel.clock import now, today
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, sent, taken, written_by_the_team
from tests.exchange.test_sas import decide, waiting
from tests.portal.visitor import Visitor, visit
from tests.world import World

CHILD, OF_AGE = (today() - timedelta(days=round(years * 365.25)) for years in (10, 19))
HOME = "/mon-dossier"


@pytest.fixture(scope="module", autouse=True)
def _what_the_mdph_sends_waits(world: World) -> None:
    world.rows("UPDATE partner_structure SET accepts = false WHERE partner_id = $1", world.ids["mdph"])


def born(local: str, day: date) -> Any:
    return bundle(entry({**patient(local), "birthDate": str(day)}))


def followed(world: World, id: UUID) -> Visitor:
    """Until the day their child is of age: the mother at the page, and the yes that she gave."""
    at = {"usager_id": id, "structure_id": world.ids["ime"]}
    mother, until, since = uuid4(), majority(CHILD), date(2024, 1, 1)
    yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "categories": ["care"]}
    over = {"kind": "autorite_parentale", "scope": "person", "effect": "representation", "opens": ["administrative"]}
    world.add(
        SharingConsent(partner_id=world.ids["chu"], starts=since, lapses_on=until, **yes, **at),
        Mandate(contact_id=mother, starts=since, ends=until, confirmed_at=now(), **over, **at),
    )
    world.ids["agathe"] = id
    return visit(world, "agathe", mother)


def ends(world: World, id: UUID) -> list[date]:
    asked = "SELECT ends AS day FROM mandate WHERE usager_id = $1 UNION ALL SELECT lapses_on FROM sharing_consent WHERE usager_id = $1"
    return [row["day"] for row in world.rows(asked, id)]


@pytest.mark.threat("of-age-told-by-a-partner")
def test_taken_as_it_comes_it_closes_at_once(world: World) -> None:
    local = fresh()
    [(_, id, _)] = taken(world, born(local, CHILD))
    mother = followed(world, id)
    assert mother.get(HOME).status_code == 200
    answer = sent(world, born(local, OF_AGE))
    assert answer.status_code == 200, answer.text
    assert ends(world, id) == [majority(OF_AGE)] * 2
    assert mother.get(HOME).status_code != 200
    lines = world.traces(request_id=answer.headers["x-request-id"], usager_id=id)
    assert {"mandate", "sharing_consent"} <= {line["kind"] for line in lines}


@pytest.mark.threat("of-age-told-by-a-partner")
@pytest.mark.parametrize("beside", [False, True], ids=["again", "after_the_team_wrote"])
def test_what_waits_closes_once_it_is_accepted_and_not_before(world: World, beside: bool) -> None:
    local = fresh()
    first, [(_, id, _)] = waiting(world, born(local, CHILD))
    assert decide(world, "accept", first).status_code == 200
    mother = followed(world, id)
    if beside:
        written_by_the_team(world, id)
    exchange, _ = waiting(world, born(local, OF_AGE))
    assert (mother.get(HOME).status_code, ends(world, id)) == (200, [majority(CHILD)] * 2)
    answer = decide(world, "accept", exchange)
    assert answer.status_code == 200, answer.text
    assert ends(world, id) == [majority(OF_AGE)] * 2
    assert mother.get(HOME).status_code != 200


def test_a_trial_closes_nothing(world: World) -> None:
    local = fresh()
    [(_, id, _)] = taken(world, born(local, CHILD))
    mother = followed(world, id)
    sent(world, born(local, OF_AGE), path="/fhir?dry-run=true")
    assert (mother.get(HOME).status_code, ends(world, id)) == (200, [majority(CHILD)] * 2)


def test_two_at_once_each_on_their_own_day(world: World) -> None:
    locals_, births = (fresh(), fresh()), (OF_AGE, CHILD - timedelta(days=30))
    who = [("p", "LEROUX"), ("q", "PETIT")]

    def both(*days: date) -> Any:
        told = zip(locals_, who, days, strict=True)
        return bundle(*(entry({**patient(local, *named), "birthDate": str(day)}) for local, named, day in told))

    ids = [id for _, id, _ in taken(world, both(CHILD, CHILD))]
    for id in ids:
        followed(world, id)
    taken(world, both(*births))
    assert [ends(world, id) for id in ids] == [[majority(day)] * 2 for day in births]
