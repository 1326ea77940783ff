"""The screens on real rows, over HTTP: home, journal, visits. What they show, cost and keep to themselves."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.models import EmergencyAccess, Mandate
from app.features.transmissions.models import Transmission
from app.kernel.clock import now
from app.kernel.ids import uuid7
from app.portal.frame import Screen
from tests.features.contacts import people as contacts
from tests.portal.html import Node, read
from tests.portal.visitor import Visitor, visit
from tests.world import World

HOME, JOURNAL, ACCESS = Screen.HOME.path, Screen.JOURNAL.path, Screen.ACCESS.path
OPEN = [HOME, JOURNAL, ACCESS]
HOSTILE = '<script>alert(1)</script><b onmouseover="x">&amp; «  » {{ 7*7 }} \u202e é'
MOTHER = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode|MTH"


@pytest.fixture(scope="module")
def jeanne(world: World) -> Visitor:
    return visit(world, "jeanne", own_device=True)


def wrote(world: World, usager: str, text: str, who: str = "sonia", **how: Any) -> dict[str, Any]:
    place = world.ids[contacts.HOUSES[usager]]
    body = {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(place),
        "text": text,
        "visibility": "shared",
        **how,
    }
    answer = world.post(who, "/api/v1/transmissions", body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def texts(page: Node) -> list[str]:
    return [part.text for part in page.all("p") if part.has_class("lines")]


def represented(
    world: World, usager: str, told: bool = False, opens: tuple[str, ...] = ("administrative", "support")
) -> Visitor:
    path = contacts.added(world, usager, family_name="MARTIN", given_name="Claire", relation=MOTHER)
    contact = UUID(path.rpartition("/")[2])
    mandate = Mandate(
        usager_id=world.ids[usager],
        structure_id=world.ids[contacts.HOUSES[usager]],
        contact_id=contact,
        kind="autorite_parentale",
        scope="personne",
        effect="representation",
        opens=list(opens),
        starts=date(2020, 1, 1),
        confirmed_at=now(),
        person_told=told,
    )
    world.add(mandate)
    return visit(world, usager, contact)


@pytest.mark.threat("page-caching")
@pytest.mark.parametrize("path", OPEN)
def test_a_screen_may_be_kept_by_nobody(jeanne: Visitor, path: str) -> None:
    answer = jeanne.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", OPEN)
def test_looking_at_the_head_of_a_screen_asks_as_much(jeanne: Visitor, path: str) -> None:
    assert jeanne.world.client.head(path, headers={"Cookie": jeanne.cookie}).status_code == 200
    jeanne.world.client.cookies.clear()  # what the door of another visit may have left
    assert jeanne.world.client.head(path).status_code == 401


def test_the_home_greets_by_first_name_and_tells_who_one_is(jeanne: Visitor) -> None:
    page = jeanne.see(HOME)
    assert page.all("h1")[0].text == "Bonjour Jeanne"
    told = [row.text for row in page.all("dl")[0].all("dd")]
    assert told == ["Moreau", "Jeanne", "12 mai 1944", "EHPAD"]
    assert "Ces lignes sont à vérifier" in page.text


def test_the_home_links_every_screen(jeanne: Visitor) -> None:
    links = {link.attrs["href"] for link in jeanne.see(HOME).all("a")}
    assert {screen.path for screen in Screen} <= links


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_the_home_costs_three_statements_at_most(world: World, warm: bool) -> None:
    visitor = visit(world, "jeanne")
    wrote(world, "jeanne", "Une note.")
    if warm:
        visitor.see(HOME)
    with world.statements() as sql:
        visitor.see(HOME)
    assert len(sql) <= (1 if warm else 3)


@pytest.mark.parametrize("path", [JOURNAL, ACCESS])
def test_a_screen_costs_four_statements_at_most(world: World, path: str) -> None:
    visitor = visit(world, "jeanne")
    with world.statements() as sql:
        visitor.see(path)
    assert len(sql) <= 4


def test_every_opening_leaves_its_line(jeanne: Visitor, world: World) -> None:
    answer = jeanne.get(HOME)
    lines = world.traces(request_id=answer.headers["x-request-id"])
    assert {(line["principal_kind"], line["door"], line["outcome"]) for line in lines} == {
        ("usager", "page", "success")
    }
    assert "usager" in {line["kind"] for line in lines}


def test_the_home_counts_the_notes_of_the_week(world: World) -> None:
    visitor = visit(world, "ines")
    assert "Ce que l'équipe écrit" in visitor.see(HOME).text
    first = wrote(world, "ines", "Sortie.")
    wrote(world, "ines", "Suite.", thread_id=first["id"])
    wrote(world, "ines", "Gardée.", visibility="not_shared")
    assert "1 note cette semaine" in visitor.see(HOME).text


def test_the_journal_shows_what_is_shared_and_nothing_else(world: World) -> None:
    wrote(world, "karim", "Karim a compté sa monnaie.")
    wrote(world, "karim", "Note de travail.", visibility="not_shared")
    page = visit(world, "karim").see(JOURNAL)
    assert texts(page) == ["Karim a compté sa monnaie."]
    assert "L'équipe écrit aussi des notes de travail." in page.text


def test_a_journal_without_a_note_says_what_will_come(world: World) -> None:
    page = visit(world, "lucas").see(JOURNAL)
    assert "L'équipe n'a pas encore écrit ici." in page.text
    assert "L'équipe écrit aussi des notes de travail." in page.text


def test_the_author_is_told_by_role(world: World) -> None:
    wrote(world, "karim", "Un mot du chef.", who="marc")
    page = visit(world, "karim").see(JOURNAL)
    assert "Une personne responsable du service, à" in page.text
    assert "Marc" not in page.text


def test_the_parts_of_a_thread_stand_together_in_order(world: World) -> None:
    first = wrote(world, "jeanne", "Elle a faim.", kind="data", target="Le repas")
    wrote(world, "jeanne", "Autre chose.")
    wrote(world, "jeanne", "Elle a mangé.", kind="result", thread_id=first["id"])
    page = visit(world, "jeanne").see(JOURNAL)
    [card] = [card for card in page.all("article") if "Le repas" in card.text]
    assert texts(card) == ["Elle a faim.", "Elle a mangé."]


@pytest.mark.threat("input-html-in-text", "input-template-in-text")
def test_what_someone_wrote_is_text(world: World) -> None:
    wrote(world, "karim", HOSTILE)
    answer = visit(world, "karim").get(JOURNAL)
    page = read(answer.content)
    assert not page.all("script", "b")
    assert "<script>" in texts(page)[0]
    assert "{{ 7*7 }}" in texts(page)[0]


def test_the_journal_goes_back_page_after_page(world: World) -> None:
    start = now() - timedelta(days=3)
    for n in range(45):
        note = uuid7()
        place = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
        told = {"kind": "narrative", "text": f"Note {n:02}.", "author_id": world.ids["sonia"]}
        world.add(Transmission(id=note, thread_id=note, occurred_at=start + timedelta(minutes=n), **place, **told))
    visitor = visit(world, "lucas")
    page = visitor.see(JOURNAL)
    [older] = [link.attrs["href"] for link in page.all("a") if link.text == "Voir plus loin dans le passé"]
    rest = visitor.see(older)
    assert texts(page) + texts(rest) == [f"Note {n:02}." for n in reversed(range(45))]
    assert not [link for link in rest.all("a") if link.text == "Voir plus loin dans le passé"]


def test_a_page_of_the_journal_stays_light(world: World) -> None:
    for _ in range(6):
        wrote(world, "ines", "é" * 9_000)
    visitor = visit(world, "ines")
    answer = visitor.get(JOURNAL)
    assert len(answer.content) < 60_000
    assert "Voir plus loin dans le passé" in answer.text


@pytest.mark.parametrize("path", [JOURNAL, ACCESS])
def test_a_place_of_nobody_is_refused_in_words(jeanne: Visitor, path: str) -> None:
    answer = jeanne.get(f"{path}?avant=abc")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "abc" not in answer.text


def test_the_visits_of_the_team_are_told_by_role(world: World) -> None:
    world.get("leila", f"/api/v1/usagers/{world.ids['jeanne']}")
    page = visit(world, "jeanne").see(ACCESS)
    assert "Une personne de l'équipe infirmière" in page.text
    assert "votre identité" in page.text
    assert "Leïla" not in page.text


def test_ones_own_visits_are_there_too(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.see(HOME)
    page = visitor.see(ACCESS)
    [mine] = [card for card in page.all("li") if card.has_class("visit") and card.all("h3")[0].text == "Vous"]
    assert "Page ouverte" in mine.text


def test_the_visits_always_say_that_some_are_not_shown(jeanne: Visitor) -> None:
    assert "Certaines lectures ne sont pas affichées. La loi le demande." in jeanne.see(ACCESS).text


def test_visits_of_before_are_a_page_of_their_own(world: World) -> None:
    world.rows(
        """INSERT INTO audit_entry (organisation_id, at, principal_kind, principal_id, role, action, kind, usager_id,
        entry_ids, outcome, door, request_id) SELECT $1, date_trunc('day', now()) + interval '12 hours' - d * interval '1 day', 'professional', $2,
        'chef_de_service', 'read', 'stay', $3, '{}', 'success', 'api', d::text FROM generate_series(1, 200) d
        RETURNING 1""",
        world.organisation,
        world.ids["marc"],
        world.ids["ines"],
    )
    visitor = visit(world, "ines")
    path: str | None = ACCESS
    days, pages = 0, 0
    while path:
        answer = visitor.get(path)
        assert len(answer.content) < 60_000
        page = read(answer.content)
        days += len([card for card in page.all("li") if "votre séjour" in card.text])
        pages += 1
        path = next((a.attrs["href"] for a in page.all("a") if a.text == "Voir plus loin dans le passé"), None)
    assert days == 200
    assert pages >= 7


def test_a_crowded_month_is_cut_at_a_day(world: World) -> None:
    world.rows(
        """INSERT INTO audit_entry (organisation_id, at, principal_kind, principal_id, role, action, kind, usager_id,
        entry_ids, outcome, door, request_id) SELECT $1, now() - d * interval '1 day', 'professional', gen_random_uuid(),
        (ARRAY['medecin', 'infirmier', 'educateur', 'veilleur'])[r], 'read', 'stay', $2, '{}', 'success', 'api',
        d::text || '-' || r FROM generate_series(1, 25) d, generate_series(1, 4) r RETURNING 1""",
        world.organisation,
        world.ids["karim"],
    )
    visitor = visit(world, "karim")
    page = visitor.see(ACCESS)
    [older] = [link.attrs["href"] for link in page.all("a") if link.text == "Voir plus loin dans le passé"]
    stays = [len([c for c in p.all("li") if "votre séjour" in c.text]) for p in (page, visitor.see(older))]
    assert sum(stays) == 100
    assert stays[0] <= 60


def test_an_emergency_stays_on_the_home_until_the_visits_are_read(world: World) -> None:
    access = EmergencyAccess(
        usager_id=world.ids["karim"],
        structure_id=world.ids["mas_fam"],
        professional_id=world.ids["leila"],
        reason="Malaise dans la nuit",
        starts_at=now(),
        ends_at=now() + timedelta(hours=12),
    )
    world.add(access)
    visitor = visit(world, "karim")
    for _ in range(2):
        assert "Malaise dans la nuit" in visitor.see(HOME).text
    visitor.see(ACCESS)
    assert "Malaise dans la nuit" not in visitor.see(HOME).text


def test_a_representative_is_told_for_whom_and_that_it_is_noted(world: World) -> None:
    page = represented(world, "lucas").see(HOME)
    [banner] = page.all(role="region")
    assert "Vous regardez le dossier de Lucas Martin. Vous êtes sa mère." in banner.text
    assert "Vos visites sont notées." in banner.text
    assert "Lucas le sait." not in banner.text
    assert "Lucas Martin" in page.all("title")[0].text


def test_the_banner_says_that_the_person_knows_once_it_is_recorded(world: World) -> None:
    [banner] = represented(world, "lucas", told=True).see(JOURNAL).all(role="region")
    assert "Lucas le sait." in banner.text


def test_a_representative_sees_only_their_own_visits(world: World) -> None:
    world.get("marc", f"/api/v1/usagers/{world.ids['lucas']}")
    page = represented(world, "lucas").see(ACCESS)
    assert {card.all("h3")[0].text for card in page.all("li") if card.has_class("visit")} <= {"Vous"}
    assert "responsable du service" not in page.text


def test_the_person_sees_the_visits_of_who_represents_them(world: World) -> None:
    represented(world, "ines").see(JOURNAL)
    assert "Claire MARTIN, ta mère" in visit(world, "ines").see(ACCESS).text.replace("votre", "ta")


@pytest.mark.threat("object-secret-of-a-minor")
def test_what_the_child_keeps_secret_is_not_in_the_parent_s_journal(world: World) -> None:
    note = uuid7()
    told = {"kind": "narrative", "text": "Un secret.", "author_id": world.ids["leila"], "minor_secret": True}
    world.add(
        Transmission(id=note, thread_id=note, usager_id=world.ids["ines"], structure_id=world.ids["mecs"], **told)
    )
    assert "Un secret." in visit(world, "ines").see(JOURNAL).text
    assert "Un secret." not in represented(world, "ines").see(JOURNAL).text


@pytest.mark.threat("mandate-unconfirmed")
def test_a_mandate_that_opens_nothing_opens_no_page(world: World) -> None:
    answer = represented(world, "karim", opens=()).get(HOME)
    assert answer.status_code == 404
    assert "Karim" not in answer.text


@pytest.mark.parametrize("path", OPEN)
def test_a_page_is_not_a_form_to_post_to(jeanne: Visitor, path: str) -> None:
    answer = jeanne.post(path, csrf="x")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.threat("privacy-error-values")
def test_a_fault_of_ours_is_told_without_a_word_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = visit(world, "jeanne")

    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.portal.router.home", broken)
    monkeypatch.setattr(world.client._transport, "raise_server_exceptions", False)  # noqa: SLF001  as a server answers
    answer = visitor.get(HOME)
    assert answer.status_code == 500
    assert read(answer.content).all("h1")[0].text == "La page a un problème."
    assert "secret" not in answer.text
