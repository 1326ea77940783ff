"""The home's tiles: each screen, and a few words on it."""

from app.portal.frame import Screen, Voice
from app.portal.french import count
from app.portal.views import Home


def tiles(home: Home) -> tuple[tuple[Screen, str, bool], ...]:
    """Each screen, a few words on it, and whether a question waits there."""
    voice = home.frame.voice
    other = voice is Voice.FOR_ANOTHER
    you = {Voice.VOUS: "Ce que vous avez décidé", Voice.TU: "Ce que tu as décidé"}.get(voice, "Ce qui est décidé")
    asked = (
        ("question pour toi", "questions pour toi")
        if voice is Voice.TU
        else ("question pour vous", "questions pour vous")
    )
    return (
        (
            Screen.PROJECT,
            count(
                home.project_questions, *asked, none="Ses buts. Où on en est." if other else "Mes buts. Où on en est."
            ),
            home.project_questions > 0,
        ),
        (Screen.LIFE, f"Ce que {home.frame.person.first_name} veut" if other else "Ce que je veux pour ma vie", False),
        (
            Screen.AGENDA,
            count(home.week_events, "rendez-vous cette semaine", "rendez-vous cette semaine", "Rien cette semaine"),
            False,
        ),
        (
            Screen.JOURNAL,
            count(home.new_notes, "note cette semaine", "notes cette semaine", "Ce que l'équipe écrit"),
            False,
        ),
        (Screen.DOCUMENTS, "Les lire" if other else "Les lire, en ajouter", False),
        (Screen.AGREEMENTS, count(home.questions, *asked, none=you), home.questions > 0),
        (Screen.ORIENTATION, "Les demandes, les réponses", False),
        (Screen.ASSESSMENTS, "Les besoins" if other else "Le point sur mes besoins", False),
        (Screen.COPIES, "Demander une copie" if other else "Demander à lire mon dossier", False),
        (Screen.ACCESS, "Ce que vous avez lu" if other else "Qui a lu, et quand", False),
    )
