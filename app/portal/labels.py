"""The words of every code: titles, steps, answers, kinds of rows, refusals. Plain, kind, without judgement (field.md §8)."""

from datetime import date

from app.audit.vocabulary import Deed
from app.features.copies.models import Part
from app.features.projects.vocabulary import GoalKind, Step
from app.portal.frame import Answer, Screen, Staff, ThePerson, Voice, Who
from app.portal.french import FIXED, hour, listing, of, sentence, soon
from app.portal.parts import Answered, Event, Question, QuestionKind, Ride, Visits, Wanted
from app.portal.people import who
from app.portal.views import StopKind

TITLES: dict[Screen, tuple[str, str]] = {  # mine; another's, followed by « de Lucas »
    Screen.HOME: ("Mon dossier", "Le dossier"),
    Screen.PROJECT: ("Mon projet", "Le projet"),
    Screen.LIFE: ("Mon projet de vie", "Le projet de vie"),
    Screen.AGENDA: ("Mon agenda", "L'agenda"),
    Screen.JOURNAL: ("Ce qui s'est passé", "Les nouvelles"),
    Screen.DOCUMENTS: ("Mes documents", "Les documents"),
    Screen.AGREEMENTS: ("Mes accords", "Les accords"),
    Screen.ORIENTATION: ("Mes demandes à la MDPH", "Les demandes à la MDPH"),
    Screen.ASSESSMENTS: ("Mes évaluations", "Les évaluations"),
    Screen.COPIES: ("Lire mon dossier", "La copie du dossier"),
    Screen.ACCESS: ("Qui a vu mon dossier", "Vos visites dans le dossier"),
}

GOAL_KINDS: dict[GoalKind, str] = {
    GoalKind.AVANCER: "Un but pour avancer",
    GoalKind.GARDER: "Une chose à garder",
    GoalKind.ESSAYER: "Une chose à essayer",
}

LADDER = {Step.NOT_STARTED: 0, Step.STARTING: 1, Step.MOVING: 3, Step.ALMOST: 4, Step.DONE: 5}  # bars of five

WHY: dict[str, str] = {
    "reclamation": "Pour répondre à une réclamation.",
    "evenement_grave": "Après un événement grave.",
    "validation": "Pour valider un projet.",
    "controle": "Pour un contrôle.",
    "dossier_a_communiquer": "Pour préparer la copie du dossier.",
    "evaluation": "Pour une évaluation, avec un accord.",
    "astreinte": "Pendant une astreinte.",
    "remplacant": "Pendant un remplacement.",
}

COPY_PARTS: dict[Part, str] = {
    Part.REST: "Le dossier, sans les soins",
    Part.CARE: "Les soins",
    Part.OLD_CARE: "Les soins d'il y a longtemps",
}
COPY_WANTED: dict[Wanted, str] = {
    Wanted.ALL: "Tout le dossier",
    Wanted.CARE: "Les soins",
    Wanted.REST: "Tout, sauf les soins",
}

ANSWERS: dict[Answer, str] = {Answer.YES: "Oui", Answer.NO: "Non", Answer.TALK: "Je veux en parler"}
I_SAY: dict[Answer, str] = {
    Answer.YES: "Je dis oui",
    Answer.NO: "Je dis non",
    Answer.TALK: "Je veux en parler",
}

QUESTION_KINDS: dict[QuestionKind, str] = {
    QuestionKind.SHARING: "Partager le dossier",
    QuestionKind.IMAGE: "Les photos et les vidéos",
    QuestionKind.OTHER: "Les autres questions",
}

NOTE_PARTS: dict[str, str] = {
    "data": "Ce qu'on a vu",
    "action": "Ce qu'on a fait",
    "result": "Ce que ça a donné",
    "narrative": "",
    "reply": "Une réponse",
}

WHAT: dict[str, tuple[str, str]] = {  # kind of row: article, noun
    "usager": ("l'", "identité"),
    "usager_identifier": ("l'", "identité"),
    "contact": ("les ", "contacts"),
    "mandate": ("la ", "mesure de protection"),
    "stay": ("le ", "séjour"),
    "sharing_consent": ("les ", "accords"),
    "opposition": ("les ", "accords"),
    "emergency_sheet": ("la ", "fiche d'urgence"),
    "team_member": ("l'", "équipe"),
    "transmission": ("les ", "notes"),
    "event": ("l'", "agenda"),
    "presence": ("les ", "présences"),
    "presence_schedule": ("les ", "présences"),
    "document": ("les ", "documents"),
    "meal": ("les ", "repas"),
    "transport": ("les ", "trajets"),
    "project": ("le ", "projet"),
    "expectation": ("le ", "projet"),
    "need": ("le ", "projet"),
    "goal": ("le ", "projet"),
    "action": ("le ", "projet"),
    "service": ("le ", "projet"),
    "means": ("le ", "projet"),
    "review": ("le ", "projet"),
    "agreement": ("le ", "projet"),
    "assessment": ("les ", "évaluations"),
    "school_period": ("la ", "scolarité"),
    "mobility": ("les ", "déplacements"),
    "orientation_request": ("les ", "demandes à la MDPH"),
    "orientation_decision": ("les ", "décisions de la MDPH"),
    "life_project": ("le ", "projet de vie"),
    "kept_resource": ("les ", "documents reçus"),
    "consent_answer": ("les ", "accords"),
    "copy_request": ("la ", "copie du dossier"),
    "card": ("la ", "carte d'accès"),
    "audit_entry": ("la ", "liste des visites"),
}
RECORD = ("le ", "dossier")  # true of any kind that has no word yet

DEEDS: dict[Deed, str] = {
    Deed.OPENED: "Page ouverte",
    Deed.READ: "Lu",
    Deed.WROTE: "Écrit",
    Deed.RECEIVED: "Reçu",
    Deed.SENT: "Transmis",
    Deed.ACTED: "Fait",
}

GROUNDS = {  # why it was sent (field.md §4); what the law keeps apart is shown once the DPO lets it
    "accord": ("Vous avez dit oui.", "Tu as dit oui.", "Un accord a été donné."),
    "equipe": ("Il fait partie de l'équipe de soins.",) * 3,
    "echange": ("Pour vous soigner.", "Pour te soigner.", "Pour les soins."),
    "vital": ("Il y avait un danger.",) * 3,
    "loi": ("Une loi le demande.",) * 3,
}

STOPS: dict[StopKind, tuple[str, tuple[str, ...]]] = {
    StopKind.LINK_ENDED: ("Ce lien ne marche plus.", ("Demandez une nouvelle carte à votre équipe.",)),
    StopKind.TOO_MANY: (
        "Trop d'essais.",
        ("La page se repose 15 minutes.", "Vous pourrez essayer après.", "Votre équipe peut aussi vous aider."),
    ),
    StopKind.SESSION_ENDED: (
        "Votre page s'est fermée.",
        ("C'est pour protéger votre dossier.", "Reprenez votre carte pour revenir."),
    ),
    StopKind.WRONG_ADDRESS: ("Cette adresse n'est pas la bonne.", ("Reprenez l'adresse de votre carte.",)),
    StopKind.STALE_FORM: (
        "Cette page est trop ancienne.",
        ("Rien n'a changé.", "Revenez à votre dossier.", "Puis recommencez."),
    ),
    StopKind.NOT_ALLOWED: ("Ce geste n'est pas possible ici.", ("Rien n'a changé.", "Votre équipe peut vous aider.")),
    StopKind.NOT_FOUND: ("Cette page n'existe pas.", ("L'adresse a peut-être une erreur.",)),
    StopKind.FILE_TOO_LARGE: (
        "Ce fichier est trop lourd.",
        ("Rien n'est parti.", "Il peut peser 10 Mo au plus.", "Essayez avec une photo plus petite."),
    ),
    StopKind.FILE_KIND: (
        "Ce fichier n'est pas accepté ici.",
        ("Rien n'est parti.", "Ajoutez une photo ou un PDF."),
    ),
    StopKind.FILE_MISSING: (
        "Il manque le document.",
        ("Rien n'est parti.", "Choisissez une photo ou un PDF.", "Puis recommencez."),
    ),
    StopKind.PAPER_USED: (
        "L'équipe se sert de ce document.",
        ("Il reste ici.", "Votre équipe peut vous en parler."),
    ),
    StopKind.TOO_LARGE: ("Votre texte est trop long.", ("Rien n'est parti.", "Essayez avec un texte plus court.")),
    StopKind.BUSY: ("La page est très occupée.", ("Attendez un peu.", "Puis essayez encore.")),
    StopKind.FAILURE: ("La page a un problème.", ("Ce n'est pas votre faute.", "Essayez encore dans un moment.")),
}


def title(screen: Screen, voice: Voice, person: str) -> str:
    mine, theirs = TITLES[screen]
    return f"{theirs} {of(person)}" if voice is Voice.FOR_ANOTHER else mine


def what(kind: str, voice: Voice) -> str:
    """« votre projet », « ta fiche d'urgence », « l'agenda » to a representative."""
    article, noun = WHAT.get(kind, RECORD)
    if voice is Voice.FOR_ANOTHER:
        return f"{article}{noun}"
    if article == "les ":
        return f"{'vos' if voice is Voice.VOUS else 'tes'} {noun}"
    if voice is Voice.VOUS:
        return f"votre {noun}"
    return f"{'ta' if article == 'la ' else 'ton'} {noun}"


def because(ground: str | None, voice: Voice) -> str:
    """« Pour vous soigner. »; nothing of a ground that is no word of the exchange."""
    vous, tu, theirs = GROUNDS.get(ground or "", ("", "", ""))
    return {Voice.VOUS: vous, Voice.TU: tu}.get(voice, theirs)


def whats(kinds: tuple[str, ...], voice: Voice) -> str:
    """« votre projet et vos notes », each said once."""
    return listing(list(dict.fromkeys(what(kind, voice) for kind in kinds)))


def times(visits: Visits) -> str:
    """« à 9 h 30 », or « 3 fois »"""
    return f"à{FIXED}{hour(visits.at[0])}" if len(visits.at) == 1 else f"{len(visits.at)}{FIXED}fois"


def said(by: Who, answer: Answer, voice: Voice, person: str) -> str:
    """« Vous avez dit oui », « Tu veux en parler », « Lucas a dit non »"""
    tail = {Answer.YES: "dit oui", Answer.NO: "dit non"}.get(answer)
    name = who(by, voice, person)
    if name == "vous":
        return f"Vous avez {tail}" if tail else "Vous voulez en parler"
    if isinstance(by, ThePerson) and voice is Voice.TU:
        return f"Tu as {tail}" if tail else "Tu veux en parler"
    name = f"{sentence(name)}{',' if ',' in name else ''}"
    return f"{name} a {tail}" if tail else f"{name} veut en parler"


def noted(given: Answered, staff: Staff, voice: Voice, person: str, on: str) -> str:
    """« Sonia a noté que vous avez dit oui, le 3 mars. » `on` is told: « le 3 mars »."""
    author = staff.first_name or who(staff, voice, person)
    told = said(given.by, given.answer, voice, person)
    own = told.startswith(("Vous ", "Tu "))
    return f"{sentence(author)} a noté que {told[:1].lower() + told[1:] if own else told}, {on}."


def after_no(question: Question) -> tuple[str, ...]:
    """What a « non » just changed, said exactly (field.md §4)."""
    if question.kind is not QuestionKind.SHARING or not question.partner:
        return ("C'est fait.",)
    name = sentence(question.partner)
    if not question.already_received:
        return ("C'est fait.", f"{name} ne peut pas lire.")
    first = question.partner.split(" ", 1)[0].lower()
    if first in ("le", "la"):
        they, home = ("il", "lui") if first == "le" else ("elle", "elle")
        kept = f"Ce qu'{they} a déjà reçu reste chez {home}."
    else:
        kept = "Ce qui est déjà reçu reste là-bas."
    erase = "Nous pouvons lui demander de l'effacer."
    return ("C'est fait.", f"{name} ne peut plus lire.", kept, erase)


def coming(voice: Voice, person: str) -> dict[Answer, str]:
    """« Je viens », or « Lucas vient » for who answers about another."""
    other = voice is Voice.FOR_ANOTHER
    return {
        Answer.YES: f"{person} vient" if other else "Je viens",
        Answer.NO: f"{person} ne vient pas" if other else "Je ne viens pas",
        Answer.TALK: "Je veux en parler",
    }


def next_event(event: Event | None, today: date) -> tuple[str, str]:
    """When and what: (« Demain à 9 h 30 », « Atelier cuisine, avec Sonia »); « Pas de rendez-vous… » without a when."""
    if event is None:
        return "", "Pas de rendez-vous cette semaine."
    at = f" à {hour(event.starts)}" if event.starts else ""
    company = f", avec {listing(event.with_whom)}" if event.with_whom else ""
    return f"{soon(event.day, today)}{at}", f"{event.title}{company}."


def ride(one: Ride) -> str:
    """« Départ à 14 h, avec Taxis du Centre », « Marc vient, départ à 9 h 30 », « … : annulé »"""
    leaves = f"départ à {hour(one.starts)}" if one.starts else ""
    who = f"{one.visitor} vient" if one.visitor else ""
    carrier = f"avec {one.carrier}" if one.carrier else ""
    told = ", ".join(filter(None, (who, leaves, carrier))) or "prévu"
    return sentence(f"{told} : annulé" if one.cancelled else told)


def hours(event: Event) -> str:
    """« 14 h », « De 14 h à 15 h 30 », « Toute la journée »"""
    if event.starts is None:
        return "Toute la journée"
    return f"De {hour(event.starts)} à {hour(event.ends)}" if event.ends else sentence(hour(event.starts))
