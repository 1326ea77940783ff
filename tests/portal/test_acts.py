"""What is answered on the page, over HTTP: project, agenda, agreements. Each act behind its secret, and its effect."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.models import Mandate
from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.portal.frame import Screen
from tests.features.contacts import people as contacts
from tests.features.projects.cast import act, part, prepared, signed
from tests.portal.html import Node, read
from tests.portal.test_inside import HOSTILE, MOTHER
from tests.portal.visitor import Visitor, visit
from tests.world import World

HOME, PROJECT, AGENDA, AGREEMENTS = Screen.HOME.path, Screen.PROJECT.path, Screen.AGENDA.path, Screen.AGREEMENTS.path
POSITION = f"{PROJECT}/position"
DAY = today() + timedelta(days=3)


def represented(world: World, usager: str, effect: str = "representation", kind: str = "autorite_parentale") -> Visitor:
    path = contacts.added(world, usager, family_name="MARTIN", given_name="Claire", relation=MOTHER)
    contact = UUID(path.rpartition("/")[2])
    mandate = Mandate(
        usager_id=world.ids[usager],
        structure_id=world.ids[contacts.HOUSES[usager]],
        contact_id=contact,
        kind=kind,
        scope="both",
        effect=effect,
        opens=["administrative", "support"],
        starts=date(2020, 1, 1),
        confirmed_at=now(),
    )
    world.add(mandate)
    visitor = visit(world, usager, contact)
    return visitor


def running(world: World, usager: str = "jeanne", structure: str = "ehpad", **goal: Any) -> tuple[str, str]:
    """A project under way and its goal, as their addresses."""
    world.rows("UPDATE project SET status = 'completed' WHERE usager_id = $1 RETURNING 1", world.ids[usager])
    project = prepared(world, usager=usager, structure=structure)
    said = {"title": "Aller au marché", "status": "active", "team_view": "Elle traverse seule.", **goal}
    row = part(world, project, "goals", **said)
    signed(world, project)
    assert act(world, project, "validate").status_code == 200
    return project, f"{project}/goals/{row['id']}"


def id_of(address: str) -> str:
    return address.rpartition("/")[2]


def forms_to(page: Node, action: str) -> list[Node]:
    return page.all("form", action=action)


def pills(node: Node) -> list[str]:
    return [span.text for span in node.all("span") if span.has_class("pill")]


def planned(world: World, usager: str, **changes: Any) -> str:
    body = {
        "usager_ids": [str(world.ids[usager])],
        "structure_id": str(world.ids[contacts.HOUSES[usager]]),
        "title": "Atelier jardin",
        "starts": f"{DAY}T14:00:00",
        "ends": f"{DAY}T15:30:00",
        **changes,
    }
    answer = world.post("sonia", "/api/v1/events", body)
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["location"])


def asked(world: World, usager: str = "jeanne", who: str = "sonia", **changes: Any) -> str:
    body = {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[contacts.HOUSES[usager]]),
        "kind": "image",
        "question": "Est-ce qu'on peut vous prendre en photo ?",
        "if_yes": "Vos photos sont au mur.",
        "if_no": "On enlève les photos.",
        **changes,
    }
    answer = world.post(who, "/api/v1/consents", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def sharing(world: World, usager: str = "jeanne") -> str:
    return asked(
        world,
        usager,
        kind="partage",
        question="Est-ce que le CHU peut lire votre projet ?",
        partner_id=str(world.ids["chu"]),
        categories=["support"],
        kinds=["project", "transmission"],
    )


def card(page: Node, question: str) -> Node:
    (found,) = page.all("article", id=f"q-{question}")
    return found


class TestProject:
    def test_without_one_the_page_says_whom_to_tell(self, world: World) -> None:
        assert "Ton projet n'est pas encore écrit." in visit(world, "lucas").see(PROJECT).text.replace("Votre", "Ton")

    def test_shows_goal_step_and_both_views(self, world: World) -> None:
        running(world, step="moving", kind="avancer", review_on="2027-01-08")
        page = visit(world, "jeanne").see(PROJECT)
        (goal,) = [one for one in page.all("article") if one.has_class("goal")]
        assert "Un but pour avancer" in goal.text
        assert "Ça avance" in goal.text
        assert "Elle traverse seule." in goal.text
        assert "Une personne de l'équipe éducative" in goal.text
        assert "On en reparle vendredi 8 janvier." in goal.text

    def test_what_is_hard_and_what_is_done_stand_with_their_goal(self, world: World) -> None:
        project, goal = running(world)
        part(world, project, "actions", title="Sortir le mardi", goal_ids=[id_of(goal)])
        part(world, project, "actions", title="Autre chose")
        page = visit(world, "jeanne").see(PROJECT)
        (card,) = [one for one in page.all("article") if one.has_class("goal")]
        assert "Sortir le mardi" in card.text
        assert "Autre chose" not in card.text

    def test_words_are_verbatim_with_who_wrote_them_down(self, world: World) -> None:
        project, _ = running(world)
        part(world, project, "expectations", origin="usager", words=HOSTILE)
        part(world, project, "expectations", origin="famille", said_by="sa sœur", words="Elle aime sortir.")
        page = visit(world, "jeanne").see(PROJECT)
        assert not page.all("script", "b")
        quotes = [figure.text for figure in page.all("figure")]
        assert "<script>alert(1)</script>" in quotes[0]
        assert "Une personne de l'équipe éducative a écrit ces mots." in quotes[0]
        assert "Sa sœur" in quotes[1]

    @pytest.mark.parametrize(("answer", "told"), [("yes", "Oui"), ("no", "Non"), ("talk", "Je veux en parler")])
    def test_an_answer_is_kept_and_shown(self, world: World, answer: str, told: str) -> None:
        project, _ = running(world)
        visitor = visit(world, "jeanne")
        page = visitor.see(PROJECT)
        (form,) = forms_to(page, POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        posted = visitor.post(POSITION, **hidden, answer=answer)
        assert (posted.status_code, posted.headers["location"]) == (303, f"{PROJECT}?note=1")
        after = visitor.see(posted.headers["location"])
        assert after.all(role="status")[0].text == "C'est noté."
        (section,) = [one for one in after.all("section") if one.has_class("position")]
        assert pills(section) == [told]
        position = world.get("sonia", project).json()["positions"][-1]
        assert (position["party"], position["answer"]) == ("usager", answer)

    def test_a_no_is_told_to_the_team_and_blocks_nothing(self, world: World) -> None:
        project, _ = running(world)
        visitor = visit(world, "jeanne")
        (form,) = forms_to(visitor.see(PROJECT), POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        visitor.post(POSITION, **hidden, answer="no")
        assert "Vous n'êtes pas d'accord." in visitor.see(PROJECT).text
        assert world.get("sonia", project).json()["disagreement"] is True

    @pytest.mark.threat("project-answer-on-another-version")
    def test_an_answer_is_on_what_was_shown(self, world: World) -> None:
        project, goal = running(world)
        visitor = visit(world, "jeanne")
        (form,) = forms_to(visitor.see(PROJECT), POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        assert world.patch("sonia", goal, {"title": "Aller au cinéma"}, 1).status_code == 200
        posted = visitor.post(POSITION, **hidden, answer="yes")
        assert posted.status_code == 409
        assert read(posted.content).all("h1")[0].text == "Cette page est trop ancienne."
        assert all(p["party"] != "usager" for p in world.get("sonia", project).json()["positions"])

    @pytest.mark.threat("page-form-of-ones-own")
    @pytest.mark.parametrize("broken", [{"seen": "x"}, {"project": "x"}, {"answer": "peut-être"}, {"answer": ""}])
    def test_a_form_of_someone_s_own_making_is_refused(self, world: World, broken: dict[str, str]) -> None:
        running(world)
        visitor = visit(world, "jeanne")
        (form,) = forms_to(visitor.see(PROJECT), POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        posted = visitor.post(POSITION, **{**hidden, "answer": "yes", **broken})
        assert posted.status_code == 400
        assert "peut-être" not in posted.text

    def test_how_it_goes_is_said_in_one_touch(self, world: World) -> None:
        _, goal = running(world)
        visitor = visit(world, "jeanne")
        action = f"{PROJECT}/buts/{id_of(goal)}"
        assert visitor.answer(PROJECT, action, feeling="disagree").status_code == 303
        page = visitor.see(PROJECT)
        assert "Les deux avis sont différents. Les deux sont gardés." in page.text
        assert world.get("sonia", goal).json()["opinion_feeling"] == "disagree"

    def test_a_feeling_that_is_none_is_refused(self, world: World) -> None:
        _, goal = running(world)
        visitor = visit(world, "jeanne")
        assert visitor.answer(PROJECT, f"{PROJECT}/buts/{id_of(goal)}", feeling="bof").status_code == 400

    def test_the_one_in_preparation_is_one_touch_away(self, world: World) -> None:
        project, _ = running(world, "karim", "mas_fam")
        assert act(world, project, "amend").status_code == 201
        visitor = visit(world, "karim")
        (link,) = [a for a in visitor.see(PROJECT).all("a") if "nouveau projet" in a.text]
        draft = visitor.see(link.attrs["href"])
        assert "On le prépare avec vous." in draft.text
        assert forms_to(draft, POSITION)
        (back,) = [a for a in draft.all("a") if "projet d'aujourd'hui" in a.text]
        assert back.attrs["href"] == PROJECT

    def test_a_parent_answers_beside_never_in_place_of_the_child(self, world: World) -> None:
        _, goal = running(world, "lucas", "ime")
        parent = represented(world, "lucas")
        page = parent.see(PROJECT)
        assert not [form for form in page.all("form") if "/buts/" in form.attrs.get("action", "")]
        (form,) = forms_to(page, POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        assert parent.post(POSITION, **hidden, answer="yes").status_code == 303
        assert "Vous avez dit oui" in parent.see(PROJECT).text
        child = visit(world, "lucas").see(PROJECT)
        (section,) = [one for one in child.all("section") if one.has_class("position")]
        assert pills(section) == []
        assert parent.post(f"{PROJECT}/buts/{id_of(goal)}", csrf=hidden["csrf"], feeling="good").status_code == 403

    def test_who_only_assists_gives_no_answer(self, world: World) -> None:
        project, _ = running(world, "karim", "mas_fam")
        curateur = represented(world, "karim", "assistance", "curatelle_renforcee")
        page = curateur.see(PROJECT)
        assert not forms_to(page, POSITION)
        (form,) = forms_to(visit(world, "karim").see(PROJECT), POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        (leave,) = page.all("form", action="/mon-dossier/quitter")
        (own,) = [field.attrs["value"] for field in leave.all("input")]
        answer = curateur.post(POSITION, **{**hidden, "csrf": own}, answer="yes")
        assert answer.status_code == 403
        assert world.traces(kind="agreement", outcome="refused", principal_kind="representative")
        assert "representative" not in {one["party"] for one in world.get("marc", project).json()["positions"]}

    def test_one_touch_leaves_the_words_given_before(self, world: World) -> None:
        _, goal = running(world)
        world.rows("UPDATE goal SET opinion_words = 'Je préfère le matin.' WHERE id = $1", UUID(id_of(goal)))
        visitor = visit(world, "jeanne")
        assert visitor.answer(PROJECT, f"{PROJECT}/buts/{id_of(goal)}", feeling="bad").status_code == 303
        assert "Je préfère le matin." in visitor.see(PROJECT).text

    def test_the_home_asks_until_it_is_answered(self, world: World) -> None:
        running(world, "ines", "mecs")
        visitor = visit(world, "ines")
        tile = next(a for a in visitor.see(HOME).all("a") if a.attrs["href"] == PROJECT)
        assert "1 question" in tile.text
        (form,) = forms_to(visitor.see(PROJECT), POSITION)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        visitor.post(POSITION, **hidden, answer="talk")
        tile = next(a for a in visitor.see(HOME).all("a") if a.attrs["href"] == PROJECT)
        assert "question" not in tile.text


class TestAgenda:
    def test_shows_the_day_the_hour_the_place_and_who(self, world: World) -> None:
        company = [
            {"professional_id": str(world.ids["leila"])},
            {"professional_id": str(world.ids["sonia"]), "companion": True},
        ]
        planned(world, "jeanne", place="le jardin", attendees=company)
        page = visit(world, "jeanne").see(AGENDA)
        (event,) = [one for one in page.all("li") if one.has_class("event")]
        told = event.text.replace("\u00a0", " ")
        assert "De 14 h à 15 h 30" in told
        assert [row.text for row in event.all("dd")] == ["Le jardin", "Leïla Haddad", "Sonia Benali"]

    @pytest.mark.parametrize(
        ("answer", "told"), [("yes", "Je viens"), ("no", "Je ne viens pas"), ("talk", "Je veux en parler")]
    )
    def test_an_answer_is_kept_and_nothing_is_cancelled(self, world: World, answer: str, told: str) -> None:
        event = planned(world, "karim", title=f"Sortie {answer}")
        visitor = visit(world, "karim")
        posted = visitor.answer(AGENDA, f"{AGENDA}/{event}", answer=answer)
        assert (posted.status_code, posted.headers["location"]) == (303, f"{AGENDA}?note=1")
        (one,) = [li for li in visitor.see(AGENDA).all("li") if li.has_class("event") and f"Sortie {answer}" in li.text]
        assert pills(one) == [told]
        row = world.get("sonia", f"/api/v1/events/{event}").json()
        assert (row["answer"], row["status"]) == (answer, "planned")

    def test_what_is_past_is_folded_and_asks_nothing(self, world: World) -> None:
        before = today() - timedelta(days=2)
        planned(world, "ines", title="Marché", starts=f"{before}T10:00:00", ends=f"{before}T11:00:00")
        page = visit(world, "ines").see(AGENDA)
        (fold,) = page.all("details")
        assert "Marché" in fold.text
        assert not [form for form in page.all("form") if form.attrs.get("action", "").startswith(AGENDA)]

    def test_what_began_before_today_and_lasts_is_told_today(self, world: World) -> None:
        first, last = today() - timedelta(days=1), today() + timedelta(days=2)
        planned(
            world, "ines", title="Séjour à la mer", all_day=True, starts=f"{first}T00:00:00", ends=f"{last}T00:00:00"
        )
        page = visit(world, "ines").see(AGENDA)
        (one,) = [li for li in page.all("li") if li.has_class("event") and "Séjour à la mer" in li.text]
        assert "Toute la journée" in one.text
        assert page.all("h2")[0].text.startswith("Aujourd'hui")

    def test_a_cancelled_event_says_so(self, world: World) -> None:
        event = planned(world, "ines", title="Cinéma")
        answer = world.patch(
            "sonia", f"/api/v1/events/{event}", {"status": "cancelled", "cancel_reason": "Salle fermée"}, 1
        )
        assert answer.status_code == 200, answer.text
        (one,) = [li for li in visit(world, "ines").see(AGENDA).all("li") if "Cinéma" in li.text]
        assert pills(one) == ["Annulé"]
        assert not one.all("form")

    def test_a_protected_place_is_hidden_from_who_represents(self, world: World) -> None:
        planned(world, "lucas", title="Chez papa", place="3 rue du Secret", place_protected=True)
        answer = represented(world, "lucas").get(AGENDA)
        assert "rue du Secret" not in answer.text
        assert "Lieu protégé" in answer.text
        assert "3 rue du Secret" in visit(world, "lucas").get(AGENDA).text

    def test_the_home_says_what_comes_next(self, world: World) -> None:
        tomorrow = today() + timedelta(days=1)
        planned(world, "lucas", title="Piscine", starts=f"{tomorrow}T09:30:00", ends=f"{tomorrow}T10:00:00")
        page = visit(world, "lucas").see(HOME)
        (line,) = [p for p in page.all("p") if p.has_class("next")]
        assert line.text.replace("\u00a0", " ").replace("\u202f", " ") == "Demain à 9 h 30 : Piscine."
        assert "rendez-vous cette semaine" in page.text

    @pytest.mark.threat("page-form-of-ones-own")
    def test_an_event_of_another_person_is_out_of_reach(self, world: World) -> None:
        event = planned(world, "karim")
        planned(world, "jeanne")
        visitor = visit(world, "jeanne")
        posted = visitor.post(f"{AGENDA}/{event}", csrf=visitor.secret(AGENDA), answer="no")
        never = visitor.post(f"{AGENDA}/{uuid7()}", csrf=visitor.secret(AGENDA), answer="no")
        assert (posted.status_code, posted.content) == (404, never.content)
        lines = world.traces(request_id=posted.headers["x-request-id"])
        assert {(line["outcome"], line["door"]) for line in lines} == {("refused", "page")}


class TestAgreements:
    def test_each_question_says_both_consequences_and_who_asked(self, world: World) -> None:
        question = asked(world)
        told = card(visit(world, "jeanne").see(AGREEMENTS), question)
        assert "Vos photos sont au mur." in told.text
        assert "On enlève les photos." in told.text
        assert "Vous n'avez pas encore répondu." in told.text
        assert "posée par une personne de l'équipe éducative" in told.text

    def test_kinds_are_never_mixed(self, world: World) -> None:
        asked(world, "karim")
        sharing(world, "karim")
        asked(world, "karim", kind="autre", question="Garder la clé ?")
        sections = visit(world, "karim").see(AGREEMENTS).all("section")
        assert [(section.all("h2")[0].text, len(section.all("article"))) for section in sections] == [
            ("Partager le dossier", 1),
            ("Les photos et les vidéos", 1),
            ("Les autres questions", 1),
        ]

    def test_taking_back_costs_as_many_touches_as_giving(self, world: World) -> None:
        """RGPD art. 7(3): one, from the same page, with buttons of the same form."""
        question, visitor = asked(world), visit(world, "jeanne")
        action = f"{AGREEMENTS}/{question}"
        for answer, told in (("yes", "Oui"), ("no", "Non"), ("yes", "Oui")):
            (form,) = forms_to(visitor.see(AGREEMENTS), action)
            values = [button.attrs["value"] for button in form.all("button")]
            assert values == ["yes", "no", "talk"]
            assert not form.all("details")
            hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
            assert visitor.post(action, **hidden, answer=answer).status_code == 303
            assert pills(card(visitor.see(AGREEMENTS), question)) == [told]

    @pytest.mark.threat("search-consent-withdrawn")
    def test_a_no_closes_the_partner_s_reading_at_once(self, world: World) -> None:
        body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "Bonjour."}
        note = world.post("sonia", "/api/v1/transmissions", {**body, "visibility": "shared"}).json()["id"]
        question, visitor = sharing(world), visit(world, "jeanne")
        action, path = f"{AGREEMENTS}/{question}", f"/fhir/DocumentReference/{note}"

        def say(answer: str) -> None:
            (form,) = forms_to(visitor.see(AGREEMENTS), action)
            hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
            assert visitor.post(action, **hidden, answer=answer).status_code == 303

        assert world.get("chu", path).status_code == 404
        say("yes")
        assert world.get("chu", path).status_code == 200
        say("no")
        assert world.get("chu", path).status_code == 404
        told = card(visitor.see(AGREEMENTS), question).text
        assert "Le CHU ne peut plus lire. Ce qu'il a déjà reçu reste chez lui." in told

    @pytest.mark.threat("consent-wording-swapped")
    def test_a_yes_is_on_the_words_that_were_shown(self, world: World) -> None:
        question, visitor = asked(world), visit(world, "jeanne")
        action = f"{AGREEMENTS}/{question}"
        (form,) = forms_to(visitor.see(AGREEMENTS), action)
        hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
        world.patch("sonia", f"/api/v1/consents/{question}", {"if_yes": "Vos photos sont sur Internet."}, 1)
        assert visitor.post(action, **hidden, answer="yes").status_code == 412
        assert visitor.post(action, **{**hidden, "wording": "x"}, answer="yes").status_code == 400
        assert pills(card(visitor.see(AGREEMENTS), question)) == ["Vous n'avez pas encore répondu."]

    @pytest.mark.parametrize(("said", "told"), [("right", "Oui"), ("wrong", "Vous n'avez pas encore répondu.")])
    def test_what_staff_noted_is_asked_again(self, world: World, said: str, told: str) -> None:
        question = asked(world)
        noted = world.post("sonia", f"/api/v1/consents/{question}/answer", {"answer": "yes"})
        assert noted.status_code == 201, noted.text
        visitor = visit(world, "jeanne")
        before = card(visitor.see(AGREEMENTS), question)
        assert "a noté que vous avez dit oui" in before.text
        assert "C'est bien ça" in before.text
        assert visitor.answer(AGREEMENTS, f"{AGREEMENTS}/{question}", noted=said).status_code == 303
        after = card(visitor.see(AGREEMENTS), question)
        assert pills(after) == [told]
        assert "C'est bien ça" not in after.text

    def test_an_answer_that_is_none_is_refused_and_nothing_changes(self, world: World) -> None:
        question, visitor = asked(world), visit(world, "jeanne")
        answer = visitor.answer(AGREEMENTS, f"{AGREEMENTS}/{question}", answer="oui")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert pills(card(visitor.see(AGREEMENTS), question)) == ["Vous n'avez pas encore répondu."]

    @pytest.mark.threat("mandate-other-parent")
    def test_neither_parent_hears_the_other(self, world: World) -> None:
        question = asked(world, "lucas")
        action = f"{AGREEMENTS}/{question}"
        one, other = represented(world, "lucas"), represented(world, "lucas")
        for parent, answer in ((one, "yes"), (other, "no")):
            (form,) = forms_to(parent.see(AGREEMENTS), action)
            hidden = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
            assert parent.post(action, **hidden, answer=answer).status_code == 303
        for parent, told in ((one, "Oui"), (other, "Non")):
            shown = card(parent.see(AGREEMENTS), question)
            assert pills(shown) == [told]
            assert "Il faut la réponse des deux parents." in shown.text
            assert "Désaccord" not in shown.text
        assert world.get("marc", f"/api/v1/consents/{question}").json()["answer"] == "disagreement"

    @pytest.mark.threat("mandate-answers-too-much")
    def test_a_curateur_reads_the_question_and_answers_nothing(self, world: World) -> None:
        question = asked(world, "karim")
        helper = represented(world, "karim", "assistance", "curatelle_renforcee")
        shown = card(helper.see(AGREEMENTS), question)
        assert "C'est Karim qui répond." in shown.text
        assert not shown.all("form")
        posted = helper.post(f"{AGREEMENTS}/{question}", csrf=helper.secret(AGREEMENTS), answer="no")
        assert posted.status_code == 403

    def test_the_home_counts_the_questions_that_wait(self, world: World) -> None:
        question, visitor = asked(world, "ines"), visit(world, "ines")
        tile = next(a for a in visitor.see(HOME).all("a") if a.attrs["href"] == AGREEMENTS)
        assert "1 question" in tile.text
        visitor.answer(AGREEMENTS, f"{AGREEMENTS}/{question}", answer="no")
        tile = next(a for a in visitor.see(HOME).all("a") if a.attrs["href"] == AGREEMENTS)
        assert "question" not in tile.text

    def test_the_page_of_the_visits_tells_that_one_answered(self, world: World) -> None:
        question, visitor = asked(world), visit(world, "jeanne")
        visitor.answer(AGREEMENTS, f"{AGREEMENTS}/{question}", answer="no")
        page = visitor.see(Screen.ACCESS.path)
        mine = [li.text for li in page.all("li") if li.has_class("visit") and li.all("h3")[0].text == "Vous"]
        assert [text for text in mine if "Écrit" in text and "vos accords" in text]


@pytest.fixture(scope="module")
def acts(world: World) -> list[tuple[str, str, dict[str, str]]]:
    """Each form of the page: its screen, its address, what it posts."""
    project, goal = running(world)
    shown = world.get("jeanne", "/api/v1/me/project").json()["seen"]
    position = {"answer": "yes", "seen": shown, "project": id_of(project)}
    return [
        (PROJECT, POSITION, position),
        (PROJECT, f"{PROJECT}/buts/{id_of(goal)}", {"feeling": "good"}),
        (AGENDA, f"{AGENDA}/{planned(world, 'jeanne')}", {"answer": "yes"}),
        (AGREEMENTS, f"{AGREEMENTS}/{asked(world)}", {"answer": "no"}),
    ]


class TestSecret:
    @pytest.mark.threat("page-csrf")
    @pytest.mark.parametrize("number", range(4))
    @pytest.mark.parametrize("secret", ["", "0" * 64, "screen", "session"])
    def test_no_act_without_the_secret_of_its_own_page(
        self, world: World, acts: list[tuple[str, str, dict[str, str]]], number: int, secret: str
    ) -> None:
        screen, action, said = acts[number]
        visitor, other = visit(world, "jeanne"), visit(world, "jeanne")
        another = PROJECT if screen == AGENDA else AGENDA  # the home asks some of these questions too
        wrong = {"screen": visitor.secret(another), "session": other.secret(screen)}.get(secret, secret)
        posted = visitor.post(action, csrf=wrong, **said)
        assert (posted.status_code, read(posted.content).all("h1")[0].text) == (403, "Cette page est trop ancienne.")

    @pytest.mark.threat("page-cross-site")
    @pytest.mark.parametrize("number", range(4))
    @pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
    def test_no_act_is_led_by_another_site(
        self, world: World, acts: list[tuple[str, str, dict[str, str]]], number: int, headers: dict[str, str]
    ) -> None:
        screen, action, said = acts[number]
        visitor = visit(world, "jeanne")
        form = {"csrf": visitor.secret(screen), **said}
        posted = world.client.post(action, data=form, headers={"Cookie": visitor.cookie, **headers})
        assert posted.status_code == 403

    @pytest.mark.threat("page-no-session")
    @pytest.mark.parametrize("number", range(4))
    def test_no_act_without_a_session(
        self, world: World, acts: list[tuple[str, str, dict[str, str]]], number: int
    ) -> None:
        screen, action, said = acts[number]
        secret = visit(world, "jeanne").secret(screen)
        posted = Visitor(world).post(action, csrf=secret, **said)
        assert (posted.status_code, read(posted.content).all("h1")[0].text) == (401, "Votre page s'est fermée.")

    @pytest.mark.parametrize("number", range(4))
    def test_the_act_itself_is_done_with_it(
        self, world: World, acts: list[tuple[str, str, dict[str, str]]], number: int
    ) -> None:
        screen, action, said = acts[number]
        visitor = visit(world, "jeanne")
        assert visitor.post(action, csrf=visitor.secret(screen), **said).status_code == 303


@pytest.mark.parametrize("path", [PROJECT, AGENDA, AGREEMENTS])
def test_a_screen_costs_five_statements_at_most(world: World, path: str) -> None:
    running(world)
    planned(world, "jeanne")
    asked(world)
    visitor = visit(world, "jeanne")
    with world.statements() as sql:
        visitor.see(path)
    assert len(sql) <= 5


def test_a_full_home_costs_three_statements_at_most(world: World) -> None:
    running(world)
    planned(world, "jeanne")
    asked(world)
    visitor = visit(world, "jeanne")
    with world.statements() as sql:
        page = visitor.see(HOME)
    assert len(sql) <= 3
    assert "question" in page.text


@pytest.mark.parametrize("path", [HOME, PROJECT, AGENDA, AGREEMENTS])
def test_a_screen_weighs_less_than_60_kb(world: World, path: str) -> None:
    for n in range(12):
        planned(world, "karim", title=f"Atelier {n}")
    assert len(visit(world, "karim").get(path).content) < 60_000


class TestElsewhere:
    CLOSE = f"{Screen.ACCESS.path}/fermer"

    def test_one_button_closes_the_page_everywhere_but_here(self, world: World):
        lost, here = visit(world, "ines"), visit(world, "ines")
        answer = here.answer(Screen.ACCESS.path, self.CLOSE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{Screen.ACCESS.path}?note=1")
        assert lost.get(HOME).status_code == 401
        assert "C'est noté" in here.see(answer.headers["location"]).text

    def test_who_represents_the_person_keeps_their_own(self, world: World):
        mother, child = represented(world, "lucas"), visit(world, "lucas")
        child.answer(Screen.ACCESS.path, self.CLOSE)
        assert mother.get(HOME).status_code == 200

    def test_it_leaves_a_line_about_the_person(self, world: World):
        visit(world, "ines")
        answer = visit(world, "ines").answer(Screen.ACCESS.path, self.CLOSE)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["usager_id"], len(line["entry_ids"]) >= 1) == (
            "end_session",
            world.ids["ines"],
            True,
        )

    @pytest.mark.threat("page-csrf")
    @pytest.mark.parametrize("how", ["no secret", "another screen's", "another site"])
    def test_only_by_the_form_of_this_screen(self, world: World, how: str):
        other, here = visit(world, "ines"), visit(world, "ines")
        form = {"csrf": here.secret(HOME) if how == "another screen's" else ""}
        headers = {"sec-fetch-site": "cross-site"} if how == "another site" else {}
        if how == "another site":
            form = {"csrf": here.secret(Screen.ACCESS.path)}
        answer = here.ask("POST", self.CLOSE, data=form, headers=headers)
        assert answer.status_code == 403
        assert other.get(HOME).status_code == 200
