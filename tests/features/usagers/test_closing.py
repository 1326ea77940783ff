"""A death closes mandates and cards in the transaction that says it."""

import asyncio
from typing import Any

import pytest

from app.access import entering
from app.audit.vocabulary import Call, Door
from app.features.access_cards.lasting import LASTING
from app.kernel.clock import today
from app.kernel.db import Database
from app.security import access_cards
from tests.features.contacts.people import TUTELLE, added, confirmed, entered
from tests.world import World


def card(world: World, usager: str) -> None:
    """A card given to this person, and a session it opened."""

    async def give() -> None:
        base = Database(world.database.owner_url, 1)
        async with base.session(world.organisation) as session:
            link, code = await access_cards.give(session, world.keyring, world.organisation, world.ids[usager])
            await session.commit()
        await entering.by_card(base, world.keyring, Call(Door.ME, "test"), link, code, LASTING)
        await base.close()

    asyncio.run(give())


def died(world: World, usager: str, version: int = 1) -> Any:
    return world.patch("odile", f"/api/v1/usagers/{world.ids[usager]}", {"died_on": str(today())}, version)


def live(world: World, usager: str) -> tuple[int, int]:
    """Cards and sessions of this person that still open something."""
    asked = """SELECT (SELECT count(*) FROM personal_access WHERE revoked_at IS NULL AND usager_id = $1),
        (SELECT count(*) FROM session WHERE revoked_at IS NULL AND subject_id = $1)"""
    [told] = world.rows(asked, world.ids[usager])
    return tuple(told)


def test_mandates_end_the_day_of_the_death(world: World):
    mandate = entered(world, added(world, "ines"), **TUTELLE)
    confirmed(world, mandate)
    later = entered(world, added(world, "ines"), **TUTELLE | {"starts": "2030-01-01"})
    over = entered(world, added(world, "ines"), **TUTELLE | {"starts": "2020-01-01", "ends": "2021-01-01"})
    answer = died(world, "ines")
    assert (answer.status_code, answer.json()["died_on"]) == (200, str(today()))
    ends = [world.get("odile", place).json()["ends"] for place in (mandate, later, over)]
    assert ends == [str(today()), "2030-01-01", "2021-01-01"]  # one that had not begun is empty: it opens nothing


@pytest.mark.threat("object-after-death")
def test_their_cards_open_nothing_more(world: World):
    card(world, "jeanne")
    assert live(world, "jeanne") > (0, 0)
    died(world, "jeanne")
    assert live(world, "jeanne") == (0, 0)


def test_another_persons_cards_stay_open(world: World):
    card(world, "lucas")
    before = live(world, "lucas")
    assert died(world, "karim").status_code == 200
    assert live(world, "lucas") == before


def test_a_death_to_come_or_before_birth_is_refused(world: World):
    for day in ("2999-01-01", "1900-01-01"):
        answer = world.patch("odile", f"/api/v1/usagers/{world.ids['lucas']}", {"died_on": day}, 1)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/died_on")


@pytest.mark.threat("object-opened-after-death")
def test_nothing_new_opens_after_it(world: World):
    """An answer noted afterwards, a measure confirmed, a card: nobody decides for who died."""
    karim = {"usager_id": str(world.ids["karim"]), "structure_id": str(world.ids["mas_fam"])}
    words = {"question": "Le CHU peut-il lire ?", "if_yes": "Il lit.", "if_no": "Il demande.", "kind": "partage"}
    asked = {**karim, **words, "partner_id": str(world.ids["chu"]), "categories": ["administrative"]}
    question = world.post("sonia", "/api/v1/consents", asked).json()["id"]
    mandate = entered(world, added(world, "karim"), **TUTELLE)
    world.rows("UPDATE usager SET died_on = current_date WHERE id = $1", world.ids["karim"])
    answers = [
        world.post("sonia", f"/api/v1/consents/{question}/answer", {"answer": "yes"}),
        confirmed(world, mandate),
        world.post("odile", "/api/v1/access/cards", {"usager_id": karim["usager_id"]}),
    ]
    assert [(answer.status_code, "décédée" in answer.text) for answer in answers] == [(409, True)] * 3
    assert world.get("chu", f"/fhir/Patient/{world.ids['karim']}").status_code == 404
