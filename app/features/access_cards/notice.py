"""What is told to the person of their data, in plain words (RGPD art. 13): on the page, and printed with the card.

The same as docs/rgpd/notice.md, to the letter. A sentence may hold the two durations of the page.
"""

from dataclasses import dataclass

from app.features.access_cards.lasting import OWN, SHARED
from app.features.settings.shipped import SHIPPED

TITLE = "Vos données"
FIRST = ("Une équipe vous accompagne.", "Elle écrit dans un dossier à votre nom.")
CNIL = "01 53 73 22 22"


@dataclass(frozen=True, slots=True)
class Told:
    """A part of the notice: what is listed, then what is said."""

    title: str
    before: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    phone: str | None = None


NOTICE = (
    Told(
        "Ce que nous gardons",
        items=(
            "Qui vous êtes, et qui est autour de vous.",
            "Vos séjours, votre projet, votre agenda.",
            "Ce que l'équipe note chaque jour.",
            "Vos soins, si une équipe de soins vous suit.",
        ),
    ),
    Told("Pourquoi", ("Pour bien vous accompagner.", "La loi demande d'avoir ce dossier.")),
    Told(
        "Qui peut lire",
        (
            "Les personnes de l'équipe qui vous accompagnent.",
            "Chacune lit seulement ce qu'elle doit savoir.",
            "Chaque lecture est notée.",
            "Pour les autres, il faut votre accord.",
            "Sauf si la loi le demande, ou si vous êtes en danger.",
        ),
    ),
    Told(
        "Combien de temps",
        (
            "Votre maison dit combien de temps elle garde le dossier.",
            "Rien n'est effacé avant.",
            "Avant d'effacer, elle vous propose une copie.",
        ),
    ),
    Told(
        "Vos droits",
        items=(
            "Lire votre dossier.",
            "En demander une copie.",
            "Faire corriger une erreur.",
            "Dire non à un partage. Reprendre un oui.",
            "Savoir qui a lu.",
        ),
        after=("Si vous dites non, nous continuons de vous aider.",),
    ),
    Told(
        "À qui demander",
        (
            "À votre équipe.",
            "Au délégué à la protection des données de votre maison.",
            "Vous pouvez aussi vous plaindre à la CNIL.",
        ),
        phone=CNIL,
    ),
    Told(
        "Cette page",
        (
            "Un petit fichier garde la page ouverte.",
            f"Il reste {SHIPPED[SHARED].value} minutes sur un appareil partagé, {SHIPPED[OWN].value} jours sur le vôtre.",
            "Votre maison peut choisir une autre durée.",
            "Il ne sert à rien d'autre.",
        ),
    ),
)
