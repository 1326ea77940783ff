"""What each screen shows, and to whom."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.audit.vocabulary import Deed
from app.portal import labels
from app.portal.frame import Answer, Behalf, Relative, ThePerson, Voice
from app.portal.pages import render
from app.portal.parts import Answered, Position, Question, QuestionKind, Ride, Visit
from app.portal.views import AccessLog, Agreements, Door, Inside, MyProject, View
from tests.portal.cast import (
    CLAIRE,
    EDUCATRICE,
    GOALS,
    INES,
    JEANNE,
    KARIM,
    LUCAS,
    QUESTIONS,
    SCREENS,
    SONIA,
    access_log,
    agenda,
    agreements,
    at,
    everything,
    home,
    journal,
    project,
)
from tests.portal.html import Node, read

NINE = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)  # in Paris, 9 h 30


def page(view: View) -> Node:
    return read(render(view, csrf="0"))


def said(view: View) -> str:
    return page(view).text.replace("\u202f", " ").replace("\u00a0", " ")


def cards(view: View) -> list[Node]:
    return [node for node in page(view).all("article") if node.has_class("card")]


# --- The banner ---


@pytest.mark.parametrize("make", SCREENS.values(), ids=SCREENS)
def test_a_representative_always_knows_whose_record_it_is(make: type) -> None:
    (banner,) = page(make(LUCAS)).all("div", role="region")
    assert banner.text.replace("\u202f", " ") == (
        "Vous regardez le dossier de Lucas Martin. Vous êtes sa mère. Vos visites sont notées. Lucas le sait."
    )
    assert page(make(LUCAS)).all("title")[0].text.endswith("dossier de Lucas Martin")


def test_the_person_is_said_to_know_only_when_it_is_recorded() -> None:
    untold = replace(LUCAS, behalf=Behalf(relation="mother"))
    assert "le sait" not in said(home(untold))
    assert "Vos visites sont notées." in said(home(untold))


@pytest.mark.parametrize("name", [name for name, view in everything().items() if isinstance(view, Inside)])
def test_the_person_sees_no_banner(name: str) -> None:
    view = everything()[name]
    assert view.frame is not None
    assert bool(page(view).all("div", role="region")) is (view.frame.behalf is not None)


def test_titles_name_the_person_to_a_representative_only() -> None:
    assert page(project(LUCAS)).all("h1")[0].text == "Le projet de Lucas"
    assert page(project(JEANNE)).all("h1")[0].text == "Mon projet"
    assert page(agenda(replace(LUCAS, person=INES.person))).all("h1")[0].text == "L'agenda d'Inès"


# --- The home ---


def test_an_emergency_access_is_told_at_the_next_visit() -> None:
    assert "a ouvert votre dossier le 18 novembre." in said(home(KARIM))
    assert "Malaise dans la nuit" in said(home(KARIM))
    assert "Accès en urgence" not in said(home(JEANNE))


def test_an_identity_not_qualified_is_said_to_be_checked() -> None:
    assert "à vérifier" in said(home(KARIM))
    assert "à vérifier" not in said(home(JEANNE))


def test_the_name_in_use_stands_beside_the_name_of_birth() -> None:
    view = home()
    assert "Nom utilisé Morel" in said(replace(view, identity=replace(view.identity, used_name="Morel")))


# --- The project ---


def test_their_words_stand_first_and_whole() -> None:
    quotes = page(project()).all("blockquote")
    assert quotes[0].text == "«\u202fJe veux aller au marché toute seule. Je veux revoir ma sœur.\u202f»"
    assert "Jeanne, le 2 octobre. Sonia, éducatrice, a écrit ces mots." in said(project())


def test_words_of_others_are_never_shown_as_mine() -> None:
    headings = [node.text for node in page(project()).all("h2")]
    assert headings.index("Ce que je veux, avec mes mots") < headings.index("Ce que d'autres disent")
    assert "Ce que d'autres disent" not in said(replace(project(), words=project().words[:1]))


def test_the_team_s_view_and_mine_stand_side_by_side() -> None:
    for goal in (node for node in cards(project()) if node.has_class("goal")):
        (views,) = [node for node in goal.all("div") if node.has_class("views")]
        assert [node.text for node in views.all("h4")] == ["Ce que dit l'équipe", "Ce que je dis"]


def test_two_views_that_differ_are_both_kept() -> None:
    (views,) = [node for node in cards(project())[0].all("div") if node.has_class("views")]
    assert "Elle demande de l'aide pour la monnaie." in views.text
    assert "Je sais compter." in views.text
    assert "Les deux avis sont différents. Les deux sont gardés." in cards(project())[0].text
    assert "Les deux avis" not in cards(project())[2].text


def test_a_step_is_told_in_words_and_only_a_goal_to_advance_has_bars() -> None:
    advance, keep, attempt = cards(project())
    assert "Ça avance" in advance.text
    assert len([bar for bar in advance.all("li") if bar.has_class("full")]) == 3
    assert "C'est toujours là" in keep.text
    assert "On essaie" in attempt.text
    assert not [node for card in (keep, attempt) for node in card.all("ol")]


def test_no_answer_yet_is_said() -> None:
    assert "Vous n'avez pas encore répondu." in cards(project())[1].text
    assert "L'équipe n'a pas encore écrit ici." in cards(project())[2].text


def test_three_positions_are_offered_whatever_was_answered() -> None:
    for answer in (None, *Answer):
        position = Position(answer=answer, on=date(2026, 10, 12)) if answer else None
        (form,) = page(replace(project(), position=position)).all("form", action="/mon-dossier/projet/position")
        assert [button.attrs["value"] for button in form.all("button")] == ["yes", "no", "talk"]
        assert [button.attrs["name"] for button in form.all("button")] == ["answer"] * 3


def test_a_disagreement_is_told_truthfully() -> None:
    told = said(project())
    assert "Vous n'êtes pas d'accord. C'est écrit dans le projet. L'équipe le voit." in told
    assert "Je voulais aussi un chat." in told
    assert "Lucas n'est pas d'accord." in said(project(LUCAS))


def test_who_does_not_answer_has_no_button() -> None:
    closed = replace(project(), may_answer=False, goals=tuple(replace(goal, may_say=False) for goal in GOALS))
    assert [form.attrs["action"] for form in page(closed).all("form")] == ["/mon-dossier/quitter"]


def test_nobody_says_how_it_goes_in_the_person_s_place() -> None:
    open_goals = replace(project(LUCAS), goals=tuple(replace(goal, may_say=True) for goal in GOALS))
    assert not [form for form in page(open_goals).all("form") if "/buts/" in form.attrs["action"]]


def test_a_representative_finds_back_their_own_answer() -> None:
    mother = Relative(relation="mother", reading_now=True)
    view = replace(project(LUCAS), others=(Position(answer=Answer.YES, on=date(2026, 10, 14), by=mother),))
    assert view.reader_answer is Answer.YES
    assert "Vous avez dit oui, le 14 octobre." in said(view)
    assert project(LUCAS).reader_answer is None
    assert replace(project(), position=None).reader_answer is None


def test_a_project_not_written_asks_what_the_person_wants() -> None:
    told = said(MyProject(frame=JEANNE))
    assert "Votre projet n'est pas encore écrit. Que voulez-vous ? Dites-le à Sonia." in told
    assert "Qu'est-ce que tu veux ?" in said(MyProject(frame=INES))
    assert "Que veut Lucas ?" in said(MyProject(frame=LUCAS))


# --- The agenda ---


def test_events_stand_under_their_day() -> None:
    days = [node.text for node in page(agenda()).all("h2")]
    assert days[:3] == ["Demain, dimanche 22 novembre", "Mardi 24 novembre", "Mardi 1er décembre"]


def test_hours_are_told_in_words() -> None:
    told = [node.text.replace("\u00a0", " ") for node in page(agenda()).all("span") if node.has_class("hour")]
    assert told[:4] == ["9 h 30", "De 15 h à 16 h 30", "14 h", "Toute la journée"]


def test_three_answers_are_offered_and_no_reason_is_asked() -> None:
    (form,) = page(agenda()).all("form", action="/mon-dossier/agenda/e1")
    assert [child for button in form.all("button") for child in button.children if isinstance(child, str)] == [
        "Je viens",
        "Je ne viens pas",
        "Je veux en parler",
    ]
    assert {field.attrs["name"] for field in form.all("input", "textarea")} == {"csrf"}


def test_a_representative_answers_about_the_person() -> None:
    (form,) = page(agenda(LUCAS)).all("form", action="/mon-dossier/agenda/e1")
    assert [button.attrs["value"] for button in form.all("button")] == ["yes", "no", "talk"]
    assert "Lucas ne vient pas" in form.text


def test_a_no_cancels_nothing_by_itself() -> None:
    assert "Rien n'est annulé. L'équipe vous en parle." in said(agenda())


@pytest.mark.parametrize(
    ("ride", "told"),
    [
        (Ride(starts=NINE, carrier="Taxis du Centre"), "Départ à 9 h 30, avec Taxis du Centre"),
        (Ride(visitor="Marc", starts=NINE), "Marc vient, départ à 9 h 30"),
        (Ride(visitor="Marc", cancelled=True), "Marc vient : annulé"),
        (Ride(), "Prévu"),
    ],
)
def test_who_comes_to_fetch_me_and_when_stands_with_the_event(ride: Ride, told: str) -> None:
    view = replace(agenda(), upcoming=(replace(agenda().upcoming[0], rides=(ride,)),))
    assert f"Trajet {told}" in said(view).replace("\u00a0", " ").replace("\u202f", " ")


def test_a_cancelled_event_asks_nothing() -> None:
    assert "Annulé" in said(agenda())
    assert not page(agenda()).all("form", action="/mon-dossier/agenda/e4")


def test_the_past_is_folded() -> None:
    (past,) = [node for node in page(agenda()).all("details") if node.has_class("past")]
    assert "open" not in past.attrs
    assert "Marché" in past.text


# --- The journal ---


def test_a_note_tells_its_parts_and_who_wrote_each() -> None:
    first = cards(journal())[0]
    assert [node.text for node in first.all("h3")] == ["Ce qu'on a vu", "Ce qu'on a fait", "Ce que ça a donné"]
    signed = [node.text.replace("\u00a0", " ") for node in first.all("p") if node.has_class("small")]
    assert signed == [
        "Sonia, éducatrice, à 11 h 30",
        "Une infirmière, à 14 h",
        "Pour mon but\u202f: Aller au marché toute seule",
    ]


def test_a_free_note_has_no_heading_of_its_own() -> None:
    assert not cards(journal())[1].all("h3")


# --- The agreements ---


def test_each_question_has_its_own_card() -> None:
    assert [card.all("h3")[0].text for card in cards(agreements())] == [
        question.text.replace(" ?", "\u202f?") for question in QUESTIONS
    ]


def test_kinds_are_never_mixed_in_one_list() -> None:
    mixed = (QUESTIONS[2], QUESTIONS[0], QUESTIONS[3], QUESTIONS[1])
    view = replace(agreements(), questions=mixed)
    told = [[card.attrs["id"] for card in part.all("article")] for part in page(view).all("section")]
    assert told == [["q-q1", "q-q2"], ["q-q3"], ["q-q4"]]


def test_a_kind_without_a_question_has_no_heading() -> None:
    view = replace(agreements(), questions=(QUESTIONS[2],))
    assert [node.text for node in page(view).all("h2")] == ["Les photos et les vidéos"]


@pytest.mark.parametrize("answer", [None, *Answer])
def test_withdrawing_takes_as_many_touches_as_giving(answer: Answer | None) -> None:
    """RGPD 7(3): the same three buttons, in the open, one touch each, whatever was answered before."""
    given = Answered(answer=answer, on=date(2026, 3, 3)) if answer else None
    view = replace(agreements(), questions=(replace(QUESTIONS[0], given=given),))
    assert not page(view).all("details")
    (form,) = page(view).all("form", action="/mon-dossier/accords/q1")
    assert [button.attrs["value"] for button in form.all("button")] == ["yes", "no", "talk"]


def test_both_consequences_are_told_before_the_buttons() -> None:
    for card in cards(agreements()):
        assert [node.text for node in card.all("dt")] == ["Si je dis oui", "Si je dis non"]


def test_an_answer_noted_by_staff_waits_for_the_person_s_word() -> None:
    first = cards(agreements())[0]
    confirm = next(form for form in first.all("form") if form.has_class("confirm"))
    assert [(b.attrs["name"], b.attrs["value"]) for b in confirm.all("button")] == [
        ("noted", "right"),
        ("noted", "wrong"),
    ]
    told = replace(QUESTIONS[0], given=replace(QUESTIONS[0].given, confirmed=True))  # type: ignore[type-var]
    assert not told.to_confirm
    assert not [
        form for form in page(replace(agreements(), questions=(told,))).all("form") if form.has_class("confirm")
    ]


def test_an_accord_says_when_it_ends() -> None:
    assert "Cet accord s'arrête le 3 mars 2027." in said(agreements())


def test_parents_who_differ_are_told_that_nothing_leaves() -> None:
    told = said(agreements(LUCAS))
    assert "Il faut la réponse des deux parents." in told
    assert "Désaccord entre parents. Rien ne part." in told
    assert "Lucas a dit oui, le 2 novembre." in told


def test_a_child_who_does_not_decide_alone_is_not_told_that_they_do() -> None:
    both = replace(QUESTIONS[0], both_parents=True)
    for frame in (INES, JEANNE):
        told = said(Agreements(frame=frame, questions=(both,)))
        assert "décide" not in told
        assert "donne" in told
        assert "deux parents." in told
    assert "tes deux parents" in said(Agreements(frame=INES, questions=(both,)))
    assert "Vous décidez." in said(Agreements(frame=JEANNE, questions=(QUESTIONS[0],)))


def test_who_may_not_answer_is_told_who_does() -> None:
    closed = replace(QUESTIONS[0], may_answer=False)
    assert "C'est Lucas qui répond." in said(agreements(LUCAS))
    assert "Une autre personne répond à cette question." in said(Agreements(frame=JEANNE, questions=(closed,)))
    assert len(page(Agreements(frame=JEANNE, questions=(closed,))).all("form")) == 1


@pytest.mark.parametrize(
    ("partner", "received", "told"),
    [
        ("le CHU", True, "Ce qu'il a déjà reçu reste chez lui."),
        ("la MDPH", True, "Ce qu'elle a déjà reçu reste chez elle."),
        ("l'hôpital", True, "Ce qui est déjà reçu reste là-bas."),
        ("le CHU", False, "Le CHU ne peut pas lire."),
    ],
)
def test_a_no_says_exactly_what_it_changes(partner: str, received: bool, told: str) -> None:
    question = replace(QUESTIONS[1], partner=partner, already_received=received)
    assert told in labels.after_no(question)
    assert received is ("Nous pouvons lui demander de l'effacer." in labels.after_no(question))


def test_a_no_on_a_photo_names_no_partner() -> None:
    question = Question(id="q", kind=QuestionKind.IMAGE, text="?", if_yes="", if_no="", partner="le CHU")
    assert labels.after_no(question) == ("C'est fait.",)


@pytest.mark.parametrize(
    ("answer", "voice", "told"),
    [
        (Answer.YES, Voice.VOUS, "Vous avez dit oui"),
        (Answer.TALK, Voice.VOUS, "Vous voulez en parler"),
        (Answer.NO, Voice.TU, "Tu as dit non"),
        (Answer.TALK, Voice.TU, "Tu veux en parler"),
        (Answer.NO, Voice.FOR_ANOTHER, "Lucas a dit non"),
        (Answer.TALK, Voice.FOR_ANOTHER, "Lucas veut en parler"),
    ],
)
def test_an_answer_is_told_in_the_voice_of_the_page(answer: Answer, voice: Voice, told: str) -> None:
    assert labels.said(ThePerson(), answer, voice, "Lucas") == told


def test_an_answer_of_another_names_who_gave_it() -> None:
    assert labels.said(CLAIRE, Answer.YES, Voice.VOUS, "Lucas") == "Claire Martin, votre mère, a dit oui"
    given = Answered(answer=Answer.YES, on=date(2026, 3, 3), by=CLAIRE, noted_by=EDUCATRICE)
    told = labels.noted(given, EDUCATRICE, Voice.VOUS, "Lucas", "le 3 mars")
    assert told == "Une éducatrice a noté que Claire Martin, votre mère, a dit oui, le 3 mars."
    view = replace(agreements(), questions=(replace(QUESTIONS[0], given=given),))
    assert "Réponse de : Claire Martin, votre mère" in said(view)


# --- Who saw my record ---


def test_visits_are_grouped_by_day_and_told_once() -> None:
    days = access_log().days
    assert [day.day for day in days] == [date(2026, 11, 20), date(2026, 11, 18), date(2026, 11, 17)]
    assert "Une infirmière Lu : votre projet et vos notes, 3 fois." in said(access_log())


def test_a_visit_after_midnight_in_paris_is_of_that_day() -> None:
    late = Visit(at=at(20, 1).replace(day=19, hour=23, minute=30), who=SONIA, deed=Deed.READ, what=("project",))
    assert AccessLog(frame=JEANNE, visits=(late,)).days[0].day == date(2026, 11, 20)


def test_an_emergency_access_is_told_with_its_reason() -> None:
    (urgent,) = [node for node in page(access_log()).all("li") if node.has_class("urgent")]
    assert "Accès en urgence" in urgent.text
    assert "Malaise dans la nuit" in urgent.text
    assert "Une personne de l'équipe médicale" in urgent.text


def test_an_emergency_access_is_never_melted_into_another_visit() -> None:
    plain = Visit(at=at(18, 9), who=access_log().visits[5].who, deed=Deed.READ, what=("project",))
    (day,) = AccessLog(frame=JEANNE, visits=(access_log().visits[5], plain)).days
    assert [visits.emergency for visits in day.visits] == [None, "Malaise dans la nuit"]


def test_a_partner_is_told_by_its_name_and_my_own_visits_as_mine() -> None:
    told = said(access_log())
    assert "Le CHU Reçu : votre projet, à 10 h." in told
    assert "Vous Page ouverte, à 19 h 40." in told


def test_a_long_list_goes_on_elsewhere() -> None:
    view = replace(access_log(), older="/mon-dossier/acces?avant=abc")
    assert [link for link in page(view).all("a") if link.attrs["href"] == "/mon-dossier/acces?avant=abc"]


def test_the_door_shows_a_number_only_where_it_is_a_setting() -> None:
    assert "Le numéro est sur votre carte." in said(Door())
    assert page(Door(phone="04 00")).all("a", href="tel:0400")
