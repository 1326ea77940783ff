"""The card: a link and a code, that open together or not at all."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, literal, select, text

from app.access import entering
from app.audit.vocabulary import Call, Door
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError, TooMany, Unauthenticated
from app.security import access_cards, sessions, throttle
from app.security.models import PersonalAccess
from app.security.principal import Representative
from app.security.sessions import Opened
from tests.security.conftest import House

Card = tuple[str, str]
ME, PAGE = Call(Door.ME, "test"), Call(Door.PAGE, "test")
LASTING = select(literal(timedelta(minutes=20)), literal(timedelta(days=3)))  # what a house could say


async def given(db: Database, keyring: Keyring, house: House, contact: UUID | None = None, **how: object) -> Card:
    async with db.session(house.id) as session:
        card = await access_cards.give(session, keyring, house.id, house.jeanne, contact, **how)  # type: ignore[arg-type]
        await session.commit()
    return card


async def tried(db: Database, keyring: Keyring, link: str, code: str) -> object:
    try:
        return await entering.by_card(db, keyring, PAGE, link, code, LASTING)
    except DuiError as error:
        return type(error), error.message


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def card_of(owner: Database, house: House) -> PersonalAccess:
    async with owner.session(house.id) as session:
        card = await session.scalar(select(PersonalAccess).where(PersonalAccess.organisation_id == house.id))
    assert card
    return card


WRONG = (Unauthenticated, access_cards.WRONG)


async def test_link_and_code_open_the_page(db: Database, keyring: Keyring, house: House) -> None:
    opened = await tried(db, keyring, *await given(db, keyring, house))
    assert isinstance(opened, Opened)
    found = await sessions.find(db, opened.token)
    assert (found.door, found.principal.id) == (Door.PAGE, house.jeanne)


async def test_the_card_serves_again(db: Database, keyring: Keyring, house: House) -> None:
    card = await given(db, keyring, house)
    first, second = await tried(db, keyring, *card), await tried(db, keyring, *card)
    assert isinstance(first, Opened)
    assert isinstance(second, Opened)
    assert first.token != second.token


async def test_a_representative_s_card_opens_as_them(db: Database, keyring: Keyring, house: House) -> None:
    contact = uuid4()
    opened = await tried(db, keyring, *await given(db, keyring, house, contact))
    assert isinstance(opened, Opened)
    assert isinstance(opened.principal, Representative)
    assert (opened.principal.id, opened.principal.usager_id) == (contact, house.jeanne)


async def test_a_link_has_22_characters_and_a_code_six_digits(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    assert access_cards.LINK.fullmatch(link)
    assert len(code) == 6
    assert code.isdigit()


async def test_spaces_around_the_code_do_not_matter(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    assert isinstance(await tried(db, keyring, link, f" {code} "), Opened)


@pytest.mark.threat("card-enumeration")
async def test_wrong_code_and_unknown_link_hear_the_same(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    assert await tried(db, keyring, link, another(code)) == WRONG
    assert await tried(db, keyring, "A" * 22, code) == WRONG


@pytest.mark.threat("card-code-guessed")
@pytest.mark.parametrize("link", ["known", "unknown"])
async def test_both_are_closed_after_five_tries(db: Database, keyring: Keyring, house: House, link: str) -> None:
    card, code = await given(db, keyring, house)
    asked = card if link == "known" else uuid4().hex[:22]
    for _ in range(5):
        assert await tried(db, keyring, asked, another(code)) == WRONG
    assert await tried(db, keyring, asked, code) == (TooMany, throttle.TOO_MANY)


@pytest.mark.threat("card-code-guessed-parallel")
async def test_twenty_codes_at_once_get_five_tries(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    answers = await asyncio.gather(*(tried(db, keyring, link, another(code)) for _ in range(20)))
    assert answers.count(WRONG) == 5


async def test_the_right_code_gives_the_tries_back(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    for _ in range(2):
        for _ in range(4):
            assert await tried(db, keyring, link, another(code)) == WRONG
        assert isinstance(await tried(db, keyring, link, code), Opened)


@pytest.mark.threat("card-code-of-another")
async def test_the_code_of_one_card_does_not_open_another(db: Database, keyring: Keyring, house: House) -> None:
    (_, code), (other, own) = await given(db, keyring, house), await given(db, keyring, house)
    while code == own:  # one time in a million
        other, own = await given(db, keyring, house)
    assert await tried(db, keyring, other, code) == WRONG


@pytest.mark.threat("card-taken-back")
async def test_a_card_taken_back_opens_nothing_and_ends_what_it_opened(
    db: Database, owner: Database, keyring: Keyring, house: House
) -> None:
    card = await given(db, keyring, house)
    opened = await tried(db, keyring, *card)
    assert isinstance(opened, Opened)
    async with db.session(house.id) as session:
        await access_cards.take_back(session, (await card_of(owner, house)).id)
        await session.commit()
    assert await tried(db, keyring, *card) == WRONG
    with pytest.raises(Unauthenticated):
        await sessions.find(db, opened.token)


@pytest.mark.threat("card-outside-its-dates")
@pytest.mark.parametrize("when", ["ends = now()", "starts = now() + interval '1 hour'"])
async def test_a_card_opens_between_its_dates(
    db: Database, owner: Database, keyring: Keyring, house: House, when: str
) -> None:
    card = await given(db, keyring, house)
    async with owner.session(house.id) as session:
        await session.execute(text(f"UPDATE personal_access SET {when}"))
        await session.commit()
    assert await tried(db, keyring, *card) == WRONG


@pytest.mark.parametrize("said", [None, True, False])
@pytest.mark.parametrize("own_device", [True, False])
async def test_a_session_lasts_as_the_house_says_for_this_device(
    db: Database, keyring: Keyring, house: House, own_device: bool, said: bool | None
) -> None:
    card = await given(db, keyring, house, own_device=own_device)
    opened = await entering.by_card(db, keyring, ME, *card, LASTING, own_device=said)
    lasts = 3 * 86400 if (own_device if said is None else said) else 20 * 60
    assert opened.principal.expires == pytest.approx(now().timestamp() + lasts, abs=5)


async def test_a_session_ends_with_the_card(db: Database, keyring: Keyring, house: House) -> None:
    ends = now() + timedelta(minutes=2)
    opened = await entering.by_card(db, keyring, ME, *await given(db, keyring, house, ends=ends), LASTING)
    assert opened.principal.expires == ends.timestamp()


@pytest.mark.threat("card-table-stolen")
async def test_neither_link_nor_code_is_in_the_table(
    db: Database, owner: Database, keyring: Keyring, house: House
) -> None:
    link, code = await given(db, keyring, house)
    async with owner.session(house.id) as session:
        asked = select(func.row_to_json(text("a.*"))).select_from(text("personal_access a"))
        row = str(await session.scalar(asked.where(text("organisation_id = :house").bindparams(house=house.id))))
    assert str(house.jeanne) in row
    assert link not in row
    assert f'"{code}"' not in row


@pytest.mark.threat("card-link-as-bearer")
async def test_the_link_itself_is_a_bearer_nowhere(db: Database, keyring: Keyring, house: House) -> None:
    link, code = await given(db, keyring, house)
    for token in (link, code, link + code):
        with pytest.raises(Unauthenticated):
            await sessions.find(db, token)


async def test_another_organisation_sees_no_card(db: Database, keyring: Keyring, house: House) -> None:
    await given(db, keyring, house)
    async with db.session(uuid4()) as session:
        assert list(await session.scalars(select(PersonalAccess.id))) == []


@pytest.mark.threat("card-table-stolen")
async def test_a_dump_without_the_key_file_does_not_tell_the_code(
    db: Database, owner: Database, keyring: Keyring, other_keyring: Keyring, house: House
) -> None:
    _, code = await given(db, keyring, house)
    card = await card_of(owner, house)
    assert card.code_hash == keyring.blind(f"{card.id}:{code}", "code")
    assert card.code_hash != other_keyring.blind(f"{card.id}:{code}", "code")
