"""What fills the four dossiers beyond notes: those around them, projects, questions, one emergency; by the services."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from app.access.mandates import MandateKind, Scope
from app.access.models import EmergencyAccess, SharingConsent
from app.access.permissions import Category, Visibility
from app.demo.stage import Stage
from app.features.calendar import service as calendar
from app.features.calendar.schemas import Attendee, EventIn
from app.features.consents import answers
from app.features.consents import service as consents
from app.features.consents.schemas import AnswerIn, ConsentIn
from app.features.contacts import mandates
from app.features.contacts import service as contacts
from app.features.contacts.schemas import ContactIn, MandateConfirmed, MandateIn
from app.features.projects import agreeing, parts, writing
from app.features.projects import service as projects
from app.features.projects.schemas import AgreementIn, OpinionIn, PositionIn, ProjectIn
from app.features.projects.vocabulary import Answer, Feeling, GoalKind, GoalStatus, Origin, Party, Step, TaskStatus
from app.features.transmissions.schemas import TransmissionOut
from app.features.transmissions.service import OF_USAGER
from app.features.transports import service as transports
from app.features.transports.schemas import TransportIn
from app.kernel.clock import now, today
from app.kernel.fields import Body

NIGHT = timedelta(hours=12)
MOTHER = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode|MTH"
ROOMS = {room.path: room for room in writing.ROOMS}


@dataclass(frozen=True, slots=True)
class Aim:
    """One goal of a project, as the demo tells it."""

    title: str
    kind: GoalKind
    step: Step
    why: str
    action: str
    team: str


@dataclass(frozen=True, slots=True)
class Life:
    house: str
    title: str
    words: str
    aims: tuple[Aim, ...]
    position: Answer | None
    says: str | None = None


LIVES = {
    "jeanne": Life(
        "ehpad",
        "Projet de Jeanne",
        "Je veux aller au marché toute seule. Je veux revoir ma sœur.",
        (
            Aim(
                "Aller au marché",
                GoalKind.AVANCER,
                Step.MOVING,
                "Je choisis mes légumes, comme avant.",
                "Sonia marche avec Jeanne le mardi, puis la laisse faire.",
                "Jeanne traverse la place seule. Le retour la fatigue encore.",
            ),
            Aim(
                "Garder ma sœur au téléphone",
                GoalKind.GARDER,
                Step.STILL_HERE,
                "On s'appelle le dimanche.",
                "Le numéro est écrit en grand près du téléphone.",
                "Elles se parlent chaque dimanche.",
            ),
        ),
        Answer.YES,
    ),
    "karim": Life(
        "fam",
        "Projet de Karim",
        "Je veux gérer mon argent moi-même.",
        (
            Aim(
                "Faire mes courses avec ma carte",
                GoalKind.ESSAYER,
                Step.TRYING,
                "Je sais compter.",
                "Une course par semaine, avec un budget écrit.",
                "Karim compte juste. Il oublie parfois le ticket.",
            ),
        ),
        Answer.NO,
        "Le projet ne parle pas de mon studio. Je veux un studio.",
    ),
    "lucas": Life(
        "ime",
        "Projet de Lucas",
        "J'aime dessiner. Je veux lire les bulles.",
        (
            Aim(
                "Lire une page",
                GoalKind.AVANCER,
                Step.STARTING,
                "Pour lire mes bandes dessinées.",
                "Lecture guidée sur tablette, quinze minutes par jour.",
                "Lucas lit les mots courts.",
            ),
        ),
        None,
    ),
    "ines": Life(
        "mecs",
        "Projet d'Inès",
        "À 18 ans je veux mon studio et finir mon CAP.",
        (
            Aim(
                "Préparer mon studio",
                GoalKind.AVANCER,
                Step.MOVING,
                "Pour être chez moi.",
                "Visite d'un foyer de jeunes travailleurs avec Sonia.",
                "Le dossier est prêt. Il manque une attestation.",
            ),
        ),
        Answer.TALK,
    ),
}


async def tell(stage: Stage, usagers: dict[str, UUID]) -> dict[str, UUID]:
    """Those who represent them, by key of `demo.json`, once all is told."""
    for key, life in LIVES.items():
        await _project(stage, usagers[key], life)
    await _week(stage, usagers)
    around = await _around(stage, usagers)
    await _questions(stage, usagers)
    await _night(stage, usagers["ines"])
    return around


async def _project(stage: Stage, usager: UUID, life: Life) -> None:
    chief, referent = stage.places.staff["chef_de_service"], stage.places.staff["educatrice"]
    async with stage.as_staff(referent) as gate:
        said = ProjectIn(usager_id=usager, structure_id=stage.places.structures[life.house], title=life.title)
        project = await projects.prepare(gate, said)
    words = parts.ExpectationIn(origin=Origin.USAGER, words=life.words, said_on=today() - timedelta(days=60))
    await _part(stage, project.id, "expectations", words)
    for aim in life.aims:
        goal = parts.GoalIn(
            title=aim.title, kind=aim.kind, step=aim.step, description=aim.why, status=GoalStatus.ACTIVE,
            referent_id=referent.professional_id, review_on=today() + timedelta(days=30), team_view=aim.team,
        )  # fmt: skip
        goal_id = await _part(stage, project.id, "goals", goal)
        done = parts.ActionIn(title=aim.action, status=TaskStatus.IN_PROGRESS, goal_ids=[goal_id])
        await _part(stage, project.id, "actions", done)
    async with stage.as_staff(chief) as gate:
        await agreeing.record(gate, project.id, AgreementIn(party=Party.STRUCTURE, answer=Answer.YES))
    async with stage.as_staff(chief) as gate:
        await projects.validate(gate, project.id, project.version)
    await _own_voice(stage, usager, project.id, life)


async def _part(stage: Stage, project_id: UUID, room: str, said: Body) -> UUID:
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        row = await writing.add(gate, ROOMS[room], project_id, said)
    return UUID(str(row.id))


HOUSE_CAR = "la voiture de la maison"
WEEK = (  # who, house, in how many days, from, to, what, where, whether Sonia goes there too (None: she is not of it)
    ("jeanne", "ehpad", 1, time(9, 30), time(11, 0), "Atelier cuisine", "la grande cuisine", False),
    ("jeanne", "ehpad", 3, time(14, 0), time(14, 45), "Rendez-vous chez le dentiste", "12 rue des Lilas", True),
    ("jeanne", "ehpad", -2, time(15, 0), time(16, 0), "Visite de ma sœur", "ma chambre", None),
    ("karim", "fam", 1, time(10, 0), time(11, 30), "Courses avec ma carte", "la supérette", False),
    ("karim", "fam", 4, time(14, 0), time(15, 0), "Piscine", "la piscine municipale", None),
    ("lucas", "ime", 1, time(9, 0), time(12, 0), "Classe", "la salle bleue", None),
    ("lucas", "ime", 2, time(13, 30), time(14, 15), "Lecture", "la bibliothèque", False),
    ("ines", "mecs", 2, time(17, 0), time(18, 0), "Visite du foyer de jeunes travailleurs", "le foyer du centre", True),
)


async def _week(stage: Stage, usagers: dict[str, UUID]) -> None:
    """What is coming, and one thing past."""
    sonia = stage.places.staff["educatrice"]
    for who, house, days, starts, ends, title, place, goes in WEEK:
        company = [] if goes is None else [Attendee(professional_id=sonia.professional_id, companion=goes)]
        day = today() + timedelta(days=days)
        async with stage.as_staff(sonia) as gate:
            said = EventIn(
                usager_ids=[usagers[who]], structure_id=stage.places.structures[house], title=title, place=place,
                starts=datetime.combine(day, starts), ends=datetime.combine(day, ends), status="confirmed",
                attendees=company,
            )  # fmt: skip
            [row] = await calendar.plan(gate, said)
            await gate.settle()
            if goes:  # Sonia takes them there
                at = {"event_id": row.id, "usager_id": row.usager_id, "structure_id": row.structure_id}
                leaves = row.occurred_at - timedelta(minutes=20)
                ride = TransportIn(
                    **at, starts_at=leaves, ends_at=row.occurred_at, carrier_name=HOUSE_CAR, status="confirmed"
                )
                await transports.plan(gate, ride)


async def _own_voice(stage: Stage, usager: UUID, project_id: UUID, life: Life) -> None:
    """What the person answers, on what they have just read."""
    if life.position is None:
        return
    async with stage.as_person(usager) as gate:
        seen = await agreeing.my_project(gate)
        said = PositionIn(project_id=project_id, answer=life.position, seen=seen.sha256, words=life.says)
        await agreeing.take_position(gate, said)
        goal = seen.parts["goals"][0]
        feeling = Feeling.GOOD if life.position is Answer.YES else Feeling.SO_SO
        await agreeing.give_opinion(gate, OpinionIn(goal_id=UUID(goal.id), feeling=feeling))


async def _around(stage: Stage, usagers: dict[str, UUID]) -> dict[str, UUID]:
    """Claire, mother of Lucas, separated; M. Blanc, curateur of Karim."""
    secretary, chief = stage.places.staff["secretaire"], stage.places.staff["chef_de_service"]
    told = {}
    for key, who, house, family, given, relation, kind, scope in (
        ("claire", "lucas", "ime", "Martin", "Claire", MOTHER, MandateKind.AUTORITE_PARENTALE_SEPARES, Scope.BOTH),
        ("blanc", "karim", "fam", "Blanc", "Hervé", None, MandateKind.CURATELLE_RENFORCEE, Scope.BOTH),
    ):
        async with stage.as_staff(secretary) as gate:
            said = ContactIn(
                usager_id=usagers[who], structure_id=stage.places.structures[house], family_name=family,
                given_name=given, relation=relation, phone="01 99 00 00 10", call_order=1,
            )  # fmt: skip
            contact = contacts.add(gate, said)
            await gate.settle()
        async with stage.as_staff(secretary) as gate:
            since = date(today().year - 2, 1, 15)
            entered = MandateIn(kind=kind, scope=scope, starts=since, person_agreed=True, person_told=True)
            mandate = await mandates.enter(gate, contact.id, entered)
        async with stage.as_staff(chief) as gate:
            seen = MandateConfirmed(copy_seen_on=today())
            await mandates.confirm(gate, contact.id, mandate.id, mandate.version, seen)
        told[key] = contact.id
    return told


async def _questions(stage: Stage, usagers: dict[str, UUID]) -> None:
    """One running accord (Jeanne's with the CHU, for her project), one withdrawn, one that waits."""
    partner, house = stage.places.partners["chu"], stage.places.structures
    sharing = {"kind": "partage", "partner_id": partner, "categories": ["support"], "kinds": ["project"]}
    image = {"kind": "image", "question": "Est-ce qu'on peut vous prendre en photo aux fêtes ?",
             "if_yes": "Vos photos sont au mur de la maison. Pas sur Internet.", "if_no": "On enlève les photos."}  # fmt: skip
    jeanne = await _ask(
        stage, usagers["jeanne"], house["ehpad"], **sharing, question="Est-ce que le CHU peut lire votre projet ?",
        if_yes="Le CHU lit votre projet quand il vous soigne.", if_no="Le CHU ne le lit pas. Nous continuons de vous aider.",
    )  # fmt: skip
    await _answer(stage, usagers["jeanne"], jeanne, "yes")
    await _ask(stage, usagers["jeanne"], house["ehpad"], **image)
    karim = await _ask(stage, usagers["karim"], house["fam"], **image)
    await _answer(stage, usagers["karim"], karim, "yes")
    await _answer(stage, usagers["karim"], karim, "no")
    await _ask(stage, usagers["lucas"], house["ime"], **image)
    await _ask(stage, usagers["ines"], house["mecs"], **image)


async def _ask(stage: Stage, usager: UUID, structure: UUID, **said: object) -> UUID:
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        told = {"usager_id": usager, "structure_id": structure, **said}
        return consents.ask(gate, ConsentIn.model_validate(told)).id


async def _answer(stage: Stage, usager: UUID, question: UUID, answer: str) -> None:
    async with stage.as_person(usager) as gate:
        row = await gate.entry(SharingConsent, question)
        said = {"answer": answer, "wording_sha256": row.wording_sha256}
        await answers.give(gate, question, AnswerIn.model_validate(said))


async def _night(stage: Stage, usager: UUID) -> None:
    """Leïla, on duty, opened Inès's dossier one night, and read it."""
    nurse, house = stage.places.staff["infirmiere"], stage.places.structures["mecs"]
    async with stage.as_staff(nurse) as gate:
        gate.add(
            EmergencyAccess(
                usager_id=usager,
                structure_id=house,
                category=Category.ADMINISTRATIVE.value,
                visibility=Visibility.SHARED.value,
                professional_id=nurse.professional_id,
                reason="Malaise pendant la nuit, l'équipe n'était pas là.",
                starts_at=now(),
                ends_at=now() + NIGHT,
            )
        )
    async with stage.as_staff(nurse) as gate:
        await gate.list(TransmissionOut, OF_USAGER, 10, usager=usager)
