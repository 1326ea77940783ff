"""The cast of the demo on the page: Jeanne 82, Karim 34, Lucas 9 read by his mother Claire, Inès 17."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

from app.features.access_cards.notice import NOTICE
from app.features.assessments.models import AssessmentStatus
from app.features.copies.models import CopyAnswer, Part
from app.features.orientation.models import RequestStatus
from app.features.projects.vocabulary import Feeling, GoalKind, Step
from app.portal.frame import (
    Answer,
    Behalf,
    Frame,
    Gender,
    Human,
    Partner,
    Person,
    Relative,
    Staff,
    ThePerson,
)
from app.portal.notice import VIEW
from app.portal.parts import (
    Answered,
    CopyAsked,
    Deed,
    Event,
    Goal,
    Identity,
    MyView,
    Note,
    NotePart,
    Position,
    Question,
    QuestionKind,
    StaffView,
    Visit,
    Wanted,
    Words,
)
from app.portal.pieces import (
    Assessed,
    Attendance,
    Decision,
    LifeWords,
    Meal,
    Paper,
    PaperKind,
    Request,
    Right,
)
from app.portal.views import (
    AccessLog,
    Agreements,
    Assessments,
    Bye,
    Copies,
    Documents,
    Door,
    Home,
    Journal,
    MyAgenda,
    MyLife,
    MyProject,
    Orientation,
    Stop,
    StopKind,
    View,
)
from app.security.principal import Role

TODAY = date(2026, 11, 21)  # a Saturday

SONIA = Staff(role=Role.EDUCATEUR, gender=Gender.FEMININE, first_name="Sonia")
EDUCATRICE = Staff(role=Role.EDUCATEUR, gender=Gender.FEMININE)
NURSE = Staff(role=Role.INFIRMIER, gender=Gender.FEMININE)
DOCTOR = Staff(role=Role.MEDECIN)
NIGHT = Staff(role=Role.VEILLEUR)
CHU = Partner(name="le CHU")
CLAIRE = Relative(relation="mother", name="Claire Martin")
ANNE = Relative(relation="sister", name="Anne Dubois")
CALLED = Human(
    name="Sonia", phone="04 00 00 00 00", house="Foyer Les Tilleuls", role=Role.EDUCATEUR, gender=Gender.FEMININE
)

JEANNE = Frame(person=Person(first_name="Jeanne", full_name="Jeanne Dubois"), human=CALLED, today=TODAY)
KARIM = Frame(person=Person(first_name="Karim", full_name="Karim Benali"), human=CALLED, today=TODAY)
LUCAS = Frame(
    person=Person(first_name="Lucas", full_name="Lucas Martin"),
    human=CALLED,
    today=TODAY,
    behalf=Behalf(relation="mother", told=True),
)
INES = Frame(person=Person(first_name="Inès", full_name="Inès Bouaziz"), human=CALLED, today=TODAY, tu=True)
FRAMES = {"jeanne": JEANNE, "karim": KARIM, "lucas": LUCAS, "ines": INES}

BORN = {
    "Jeanne": date(1944, 3, 1),
    "Karim": date(1992, 5, 14),
    "Lucas": date(2017, 9, 2),
    "Inès": date(2009, 1, 30),
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026, told in UTC; Paris is one hour ahead."""
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def identity(frame: Frame) -> Identity:
    return Identity(
        birth_name=frame.person.full_name.split()[-1],
        first_names=frame.person.first_name,
        birth_date=BORN[frame.person.first_name],
        house="Foyer Les Tilleuls",
        verified=frame is not KARIM,
    )


def home(frame: Frame = JEANNE) -> Home:
    return Home(
        frame=frame,
        identity=identity(frame),
        next_event=EVENTS[0],
        week_events=3,
        questions=1,
        project_questions=0 if frame is JEANNE else 2,
        new_notes=2,
        emergencies=(URGENT,) if frame is KARIM else (),
    )


def project(frame: Frame = JEANNE) -> MyProject:
    return MyProject(
        frame=frame,
        number=3,
        id="p3",
        seen="5ee2",
        since=date(2026, 10, 12),
        review_on=date(2027, 1, 8),
        words=(
            Words(
                text="Je veux aller au marché toute seule. Je veux revoir ma sœur.",
                said_by=ThePerson(),
                on=date(2026, 10, 2),
                written_by=SONIA,
            ),
            Words(text="Elle aime sortir le matin.", said_by=CLAIRE if frame is LUCAS else ANNE, on=date(2026, 10, 2)),
        ),
        goals=tuple(replace(goal, may_say=goal.may_say and frame is not LUCAS) for goal in GOALS),
        position=Position(answer=Answer.NO, on=date(2026, 10, 12), words="Je voulais aussi un chat."),
        others=(Position(answer=Answer.YES, on=date(2026, 10, 12), by=SONIA),),
        may_answer=frame is not LUCAS,
    )


def agenda(frame: Frame = JEANNE) -> MyAgenda:
    return MyAgenda(frame=frame, upcoming=EVENTS, past=PAST, attendance=ATTENDANCE, meals=MEALS)


def journal(frame: Frame = JEANNE) -> Journal:
    return Journal(frame=frame, notes=NOTES, older="/mon-dossier/journal?avant=abc")


def agreements(frame: Frame = JEANNE) -> Agreements:
    if frame.behalf is None:
        return Agreements(frame=frame, questions=QUESTIONS)
    mother = Relative(relation="mother", name="Claire Martin", reading_now=True)
    asked = replace(QUESTIONS[0], given=None, both_parents=True)
    apart = replace(
        QUESTIONS[2],
        given=Answered(answer=Answer.YES, on=date(2026, 11, 3), by=mother),
        person_says=Answered(answer=Answer.YES, on=date(2026, 11, 2)),
        parents_disagree=True,
        both_parents=True,
    )
    return Agreements(frame=frame, questions=(asked, apart, replace(QUESTIONS[3], may_answer=False)))


def copies(frame: Frame = JEANNE) -> Copies:
    day = date(2026, 11, 3)
    asked = (
        CopyAsked(part=Part.CARE, on=date(2026, 11, 20), due_on=date(2026, 11, 28)),
        CopyAsked(
            part=Part.REST,
            on=day,
            due_on=date(2026, 12, 3),
            answer=CopyAnswer.READY,
            answered_on=day,
            path="/mon-dossier/copie/c1",
        ),
        CopyAsked(part=Part.REST, on=day, due_on=date(2026, 12, 3), answer=CopyAnswer.BY_HAND, answered_on=day),
        CopyAsked(
            part=Part.OLD_CARE,
            on=day,
            due_on=date(2027, 1, 3),
            answer=CopyAnswer.REFUSED,
            answered_on=day,
            words="Pas ici.",
        ),
    )
    return Copies(frame=frame, asked=asked, offered=(Wanted.REST,) if frame is INES else tuple(Wanted))


def documents(frame: Frame = JEANNE) -> Documents:
    own = frame.behalf is None
    mine = replace(PAPERS[2], mine=own, only_team=own, may_take_back=own)
    used = replace(PAPERS[3], mine=own)
    return Documents(
        frame=frame, papers=(*PAPERS[:2], mine, used), older="/mon-dossier/documents?avant=abc", may_add=own
    )


def life(frame: Frame = JEANNE) -> MyLife:
    own = frame.behalf is None
    return MyLife(
        frame=frame,
        now=replace(LIFE[0], only_team=own),
        before=(LIFE[1], replace(LIFE[1], over=True)),
        others=(replace(LIFE[0], text="Elle aime la mer.", said_by=CLAIRE if not own else ANNE, aim=None),),
        may_write=own,
    )


def orientation(frame: Frame = JEANNE) -> Orientation:
    return Orientation(
        frame=frame,
        requests=tuple(Request(what="une place en foyer", status=status, on=TODAY) for status in RequestStatus),
        decisions=DECISIONS,
    )


def assessments(frame: Frame = JEANNE) -> Assessments:
    return Assessments(
        frame=frame,
        made=(
            Assessed(
                on=date(2026, 11, 2),
                by=SONIA,
                status=AssessmentStatus.VALIDATED,
                of_needs=True,
                comment="Fait avec Jeanne, à sa table.",
                answers=(("Besoins pour la mobilité", "2"), ("Besoins en matière de douleur", "1")),
                numbers=True,
            ),
            Assessed(on=date(2026, 10, 2), by=ThePerson(), status=AssessmentStatus.DONE),
        ),
    )


def access_log(frame: Frame = JEANNE) -> AccessLog:
    if frame.behalf:
        mother = Relative(relation="mother", reading_now=True)
        return AccessLog(frame=frame, visits=(Visit(at=at(20, 18), who=mother, deed=Deed.READ, what=("project",)),))
    return AccessLog(frame=frame, visits=VISITS)


PAPERS = (
    Paper(id="d1", title="Photo de la fête", on=date(2026, 11, 20), by=SONIA, kind=PaperKind.IMAGE, size=3_400_000),
    Paper(
        id="d2",
        title="Lettre de la mairie",
        on=date(2026, 11, 3),
        by=CHU,
        kind=PaperKind.PDF,
        about="Pour la carte de transport.",
        replaced=True,
    ),
    Paper(id="d3", title="Ma carte Vitale", on=date(2026, 11, 2), by=ThePerson(), kind=PaperKind.IMAGE, size=80_000),
    Paper(id="d4", title="Mon bail", on=date(2025, 3, 2), by=ThePerson(), kind=PaperKind.PDF, size=14_000_000),
)
LIFE = (
    LifeWords(
        text="Je veux vivre près de ma sœur.\nJe veux un jardin.",
        said_by=ThePerson(),
        on=date(2026, 11, 2),
        aim="Je verrai ma sœur tous les jours.",
        aim_on=date(2027, 6, 1),
    ),
    LifeWords(text="Je veux rester ici.", said_by=ThePerson(), on=date(2025, 3, 2), written_by=SONIA),
)
DECISIONS = (
    Decision(
        what="orientation",
        on=date(2026, 9, 1),
        rights=(
            Right(what="foyer de vie", opens_on=date(2026, 9, 1), ends_on=date(2029, 8, 31)),
            Right(what=None),
        ),
        why="Après la visite.",
        closes_on=date(2029, 8, 31),
    ),
    Decision(what=None),
)
ATTENDANCE = (
    Attendance(starts=at(24, 9), ends=at(24, 17), absent=False),
    Attendance(starts=at(26, 9), ends=at(28, 17), absent=True, planned=True),
    Attendance(starts=at(29, 9), ends=at(29, 17, 30), absent=True),
)
MEALS = (Meal(at=at(22, 12), present=True), Meal(at=at(22, 19), present=False), Meal(at=at(23, 12), present=True))
EVENTS = (
    Event(
        id="e1",
        day=date(2026, 11, 22),
        starts=time(9, 30),
        title="Atelier cuisine",
        place="la grande cuisine",
        with_whom=("Sonia",),
        may_answer=True,
    ),
    Event(
        id="e2",
        day=date(2026, 11, 22),
        starts=time(15),
        ends=time(16, 30),
        title="Visite de ma sœur",
        place="ma chambre",
        with_whom=("Anne",),
        answer=Answer.YES,
        may_answer=True,
    ),
    Event(
        id="e3",
        day=date(2026, 11, 24),
        starts=time(14),
        title="Rendez-vous chez le dentiste",
        place="lieu protégé",
        with_whom=("Paul", "Leïla"),
        companion="Paul",
        answer=Answer.NO,
        may_answer=True,
    ),
    Event(id="e4", day=date(2026, 12, 1), title="Sortie au musée", cancelled=True, may_answer=True),
)
PAST = (Event(id="e0", day=date(2026, 11, 18), starts=time(10), title="Marché", answer=Answer.TALK),)

GOALS = (
    Goal(
        id="g1",
        title="Aller au marché toute seule",
        kind=GoalKind.AVANCER,
        step=Step.MOVING,
        why="Je choisis mes pommes moi-même.",
        actions=("Sonia vient avec moi le mardi.", "En décembre, j'essaie sans elle."),
        with_whom=("Sonia", "Paul"),
        hard="Porter le sac au retour.",
        talk_again=date(2026, 12, 15),
        staff_view=StaffView(
            text="Elle traverse seule. Elle demande de l'aide pour la monnaie.", by=EDUCATRICE, on=date(2026, 11, 19)
        ),
        my_view=MyView(
            feeling=Feeling.DISAGREE, on=date(2026, 11, 20), words="Je sais compter. Il y a trop de bruit, c'est tout."
        ),
        may_say=True,
    ),
    Goal(
        id="g2",
        title="Revoir ma sœur",
        kind=GoalKind.GARDER,
        step=Step.STILL_HERE,
        with_whom=("Sonia",),
        talk_again=date(2027, 1, 8),
        staff_view=StaffView(text="Un appel chaque mardi.", by=SONIA, on=date(2026, 11, 10)),
        may_say=True,
    ),
    Goal(
        id="g3",
        title="La chorale",
        kind=GoalKind.ESSAYER,
        step=Step.TRYING,
        my_view=MyView(feeling=Feeling.GOOD, on=date(2026, 11, 2)),
    ),
)

NOTES = (
    Note(
        target="Le marché",
        goal="Aller au marché toute seule",
        parts=(
            NotePart(
                kind="data",
                text="Nous sommes allées au marché ce matin.\nJeanne a choisi les pommes.",
                by=SONIA,
                at=at(21, 11, 30),
            ),
            NotePart(
                kind="action", text="Elle a payé. Elle m'a demandé de compter avec elle.", by=SONIA, at=at(21, 11, 30)
            ),
            NotePart(kind="result", text="Le ticket est dans son sac.", by=NURSE, at=at(21, 14)),
        ),
    ),
    Note(
        parts=(
            NotePart(
                kind="narrative",
                text="Mal à la tête l'après-midi. Jeanne dit que le soir, ça allait.",
                by=NURSE,
                at=at(19, 20, 5),
            ),
        )
    ),
)

QUESTIONS = (
    Question(
        id="q1",
        kind=QuestionKind.SHARING,
        text="Est-ce que le CHU peut lire mon projet ?",
        if_yes="Le CHU lit mon projet avant de me recevoir.",
        if_no="Le CHU ne lit pas mon projet. Je peux en parler moi-même.",
        given=Answered(answer=Answer.YES, on=date(2026, 3, 3), noted_by=SONIA),
        asked_by=SONIA,
        asked_on=date(2026, 3, 1),
        ends_on=date(2027, 3, 3),
        partner="le CHU",
        already_received=True,
    ),
    Question(
        id="q2",
        kind=QuestionKind.SHARING,
        text="Est-ce que la MDPH peut lire mon bilan ?",
        if_yes="La MDPH reçoit mon bilan.",
        if_no="Je peux l'envoyer moi-même.",
        given=Answered(answer=Answer.NO, on=date(2026, 11, 3)),
        asked_by=EDUCATRICE,
        asked_on=date(2026, 11, 2),
        partner="la MDPH",
        already_received=True,
    ),
    Question(
        id="q3",
        kind=QuestionKind.IMAGE,
        text="Est-ce qu'on peut me prendre en photo aux fêtes ?",
        if_yes="Mes photos sont au mur du foyer. Pas sur Internet.",
        if_no="On enlève mes photos.",
        asked_on=date(2026, 11, 18),
    ),
    Question(
        id="q4",
        kind=QuestionKind.OTHER,
        text="Est-ce que je garde la clé de ma chambre ?",
        if_yes="J'ai ma clé. L'équipe garde un double.",
        if_no="L'équipe garde la clé.",
        given=Answered(answer=Answer.TALK, on=date(2026, 11, 5), assisted_by="M. Blanc"),
    ),
)

URGENT = Visit(
    at=at(18, 2, 10), who=DOCTOR, deed=Deed.READ, what=("emergency_sheet",), emergency="Malaise dans la nuit"
)
VISITS = (
    Visit(at=at(20, 9, 5), who=NURSE, deed=Deed.READ, what=("transmission",)),
    Visit(at=at(20, 9, 6), who=NURSE, deed=Deed.READ, what=("project",)),
    Visit(at=at(20, 17), who=NURSE, deed=Deed.READ, what=("goal",)),
    Visit(at=at(20, 8), who=SONIA, deed=Deed.WROTE, what=("transmission",)),
    Visit(at=at(20, 19, 40), who=ThePerson(), deed=Deed.OPENED),
    URGENT,
    Visit(
        at=at(18, 15),
        who=SONIA,
        deed=Deed.SENT,
        what=("project", "transmission"),
        to="CHU de la Plaine",
        ground="echange",
    ),
    Visit(at=at(18, 10), who=CHU, deed=Deed.RECEIVED, what=("project",)),
    Visit(at=at(17, 10), who=ANNE, deed=Deed.READ, what=("event",)),
    Visit(at=at(17, 22), who=NIGHT, deed=Deed.READ, what=("usager",)),
)

SCREENS = {
    "home": home,
    "project": project,
    "life": life,
    "agenda": agenda,
    "documents": documents,
    "orientation": orientation,
    "assessments": assessments,
    "journal": journal,
    "agreements": agreements,
    "copies": copies,
    "access": access_log,
}


def empty(frame: Frame = JEANNE) -> dict[str, View]:
    """Each screen the first day, when nobody wrote anything."""
    return {
        "home": Home(frame=frame, identity=identity(frame)),
        "project": MyProject(frame=frame),
        "life": MyLife(frame=frame, may_write=frame.behalf is None),
        "documents": Documents(frame=frame, may_add=frame.behalf is None),
        "orientation": Orientation(frame=frame),
        "assessments": Assessments(frame=frame),
        "agenda": MyAgenda(frame=frame),
        "journal": Journal(frame=frame),
        "agreements": Agreements(frame=frame),
        "copies": Copies(frame=frame, offered=() if frame.behalf else tuple(Wanted)),
        "access": AccessLog(frame=frame),
    }


def everything() -> dict[str, View]:
    """Every page a reader of the cast may meet, by name."""
    pages: dict[str, View] = {
        f"{screen}-{name}": make(frame) for name, frame in FRAMES.items() for screen, make in SCREENS.items()
    }
    pages |= {f"empty-{screen}-{name}": view for name, frame in FRAMES.items() for screen, view in empty(frame).items()}
    pages |= {"door": Door(), "door-wrong": Door(wrong=True, phone="04 00 00 00 00"), "bye": Bye(), "notice": VIEW}
    pages |= {f"stop-{kind.value}": Stop(kind=kind) for kind in StopKind}
    pages |= {
        "home-first": replace(home(), notice=NOTICE),
        "stop-inside": Stop(kind=StopKind.NOT_FOUND, frame=JEANNE),
        "saved": replace(agreements(), frame=replace(JEANNE, saved=True)),
    }
    return pages
