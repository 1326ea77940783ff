"""Personne de confiance: proposed, designated by two signatures, revoked; never a login."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.kernel.clock import today
from tests.features.contacts.people import PATH, added, said
from tests.world import World

YESTERDAY = str(today() - timedelta(days=1))
SIGNED = {
    "trusted_person": "designated",
    "trusted_signed_on": "2026-01-02",
    "trusted_accepted_on": "2026-01-09",
    "trusted_document": "classeur A, pièce 4",
}


@pytest.fixture(autouse=True)
def none_left(world: World) -> None:
    world.rows("DELETE FROM contact")


def mended(world: World, place: str, version: int, **values: object) -> Any:
    return world.patch("odile", place, values, version)


def test_two_signatures_and_a_paper_designate(world: World) -> None:
    place = added(world)
    assert mended(world, place, 1, trusted_person="proposed").json()["trusted_on"] == str(today())
    told = mended(world, place, 2, **SIGNED).json()
    assert (told["trusted_person"], told["trusted_on"]) == ("designated", "2026-01-09")
    assert world.get("odile", place).json()["trusted_document"] == "classeur A, pièce 4"


@pytest.mark.threat("trusted-person-unsigned")
@pytest.mark.parametrize("missing", ["trusted_signed_on", "trusted_accepted_on", "trusted_document"])
def test_one_missing_designates_nobody(world: World, missing: str) -> None:
    told = {name: value for name, value in SIGNED.items() if name != missing}
    for answer in (world.post("odile", PATH, said(world, **told)), mended(world, added(world), 1, **told)):
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, f"/{missing}")


@pytest.mark.threat("trusted-person-unsigned")
@pytest.mark.parametrize("day", ["trusted_signed_on", "trusted_accepted_on"])
def test_a_signature_to_come_is_none(world: World, day: str) -> None:
    answer = world.post("odile", PATH, said(world, **SIGNED | {day: str(today() + timedelta(days=1))}))
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, f"/{day}")


def test_a_signature_taken_out_undoes_it(world: World) -> None:
    place = added(world, **SIGNED)
    assert mended(world, place, 1, trusted_accepted_on=None).status_code == 422


def test_one_at_a_time_another_once_revoked(world: World) -> None:
    first, second = added(world, **SIGNED), added(world)
    assert mended(world, second, 1, **SIGNED).status_code == 409
    revoked = mended(world, first, 1, trusted_person="revoked", trusted_on=YESTERDAY).json()
    assert (revoked["trusted_person"], revoked["trusted_on"]) == ("revoked", YESTERDAY)
    assert revoked["trusted_signed_on"] == "2026-01-02"  # that they had signed stays told
    assert mended(world, second, 1, **SIGNED).status_code == 200


def test_revoked_the_day_it_is_said(world: World) -> None:
    place = added(world, trusted_person="proposed", trusted_on=YESTERDAY)
    assert mended(world, place, 1, phone="06 11 22 33 44").json()["trusted_on"] == YESTERDAY
    assert mended(world, place, 2, trusted_person="revoked").json()["trusted_on"] == str(today())


def test_who_was_never_chosen_is_not_revoked(world: World) -> None:
    answer = mended(world, added(world), 1, trusted_person="revoked")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/trusted_person")


@pytest.mark.threat("trusted-person-reads")
def test_it_opens_nothing(world: World) -> None:
    contact = UUID(added(world, **SIGNED).rpartition("/")[2])
    world.enter("trusted", world.ids["jeanne"], contact)
    assert world.get("trusted", "/api/v1/me/transmissions").json()["items"] == []
    assert world.get("trusted", f"/fhir/Patient/{world.ids['jeanne']}").status_code == 404
    assert world.rows("SELECT 1 FROM mandate WHERE contact_id = $1", contact) == []
    card = world.post(
        "odile", "/api/v1/access/cards", {"usager_id": str(world.ids["jeanne"]), "contact_id": str(contact)}
    )
    assert card.status_code >= 400, card.text
