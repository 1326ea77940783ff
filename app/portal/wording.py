"""The words of documents, of presences and meals, of the MDPH and of assessments."""

from app.features.assessments.models import AssessmentStatus
from app.features.orientation.models import RequestStatus
from app.portal.frame import Voice
from app.portal.french import day, hour, sentence
from app.portal.pieces import Attendance, Meal, Paper, PaperKind, Right

KO, MO = 1024, 1024 * 1024
PAPER_KINDS: dict[PaperKind, str] = {
    PaperKind.PDF: "PDF",
    PaperKind.IMAGE: "Image",
    PaperKind.SOUND: "Son",
    PaperKind.TEXT: "Texte",
    PaperKind.OTHER: "Fichier",
}
REQUESTS: dict[RequestStatus, str] = {
    RequestStatus.DRAFT: "On la prépare",
    RequestStatus.SENT: "Envoyée",
    RequestStatus.ANSWERED: "La réponse est là",
    RequestStatus.WITHDRAWN: "Arrêtée",
}
ASSESSMENTS: dict[AssessmentStatus, str] = {
    AssessmentStatus.DONE: "À relire par l'équipe",
    AssessmentStatus.APPROVED: "Relue par l'équipe",
    AssessmentStatus.VALIDATED: "Terminée",
    AssessmentStatus.CANCELLED: "Annulée",
}


def paper(one: Paper) -> str:
    """« PDF, petit fichier », « Image, 3 Mo »"""
    if one.size is None:
        return f"{PAPER_KINDS[one.kind]}. Le fichier n'est pas ici."
    return f"{PAPER_KINDS[one.kind]}, {weight(one.size)}"


def weight(size: int) -> str:
    if size < MO:
        return "petit fichier"
    return f"{round(size / MO)} Mo" if size < 10 * MO else f"gros fichier, {round(size / MO)} Mo"


def stays(one: Attendance, voice: Voice, person: str) -> str:
    """« Je suis là », « Lucas n'est pas là. C'est prévu. »"""
    other = voice is Voice.FOR_ANOTHER
    if not one.absent:
        return f"{person} est là." if other else "Je suis là."
    away = f"{person} n'est pas là." if other else "Je ne suis pas là."
    return f"{away} C'est prévu." if one.planned else away


def span(one: Attendance) -> str:
    """« Mardi 24 novembre, de 9 h à 17 h », « Du mardi 24 novembre au jeudi 26 novembre »"""
    first, last = one.days
    if first == last:
        return f"{sentence(day(first))}, de {hour(one.starts)} à {hour(one.ends)}"
    return f"Du {day(first)} au {day(last)}"


def eats(one: Meal, voice: Voice, person: str) -> str:
    """« 12 h : je mange ici »"""
    who = person if voice is Voice.FOR_ANOTHER else "je"
    return f"{hour(one.at)} : {who} {'mange ici' if one.present else 'ne mange pas ici'}"


def right(one: Right) -> str:
    return sentence(one.what or "un droit")
