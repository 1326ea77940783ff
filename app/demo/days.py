"""What else the four dossiers hold: papers, what each wants of their life, presences, meals, one assessment each, the MDPH."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from app.demo import drawn
from app.demo.stage import Stage
from app.demo.stories import PEOPLE
from app.features.assessments import serafin
from app.features.assessments import service as assessments
from app.features.assessments.schemas import AssessmentIn
from app.features.documents import service as documents
from app.features.documents.schemas import DocumentForm, MyDocumentForm
from app.features.life_projects import service as lives
from app.features.life_projects.schemas import LifeProjectIn, MyLifeProjectIn
from app.features.meals import service as meals
from app.features.meals.schemas import MealIn
from app.features.mobility.schemas import MobilityIn
from app.features.mobility.service import ROOM as MOBILITY
from app.features.orientation.schemas import DecisionIn, RequestIn
from app.features.orientation.service import DECISIONS, REQUESTS
from app.features.presences import service as presences
from app.features.presences.schemas import PresenceIn
from app.features.schooling.schemas import SchoolPeriodIn
from app.features.schooling.service import ROOM as SCHOOLING
from app.kernel.clock import PARIS, today

PRESENCE = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r423-type-presence-absence"
REASON = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r424-motif-absence"
MEAL = "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r425-type-repas"
ORIENTATION = "urn:dui:demo:orientation"
MDPH = "MDPH du département"

PAPERS = {  # what the team gave, as lines of a page; no line: a picture
    "jeanne": ("Menu de la semaine", ["Menu de la semaine", "Lundi : soupe de légumes, poulet rôti, compote"]),
    "karim": ("Mon contrat de séjour", ["Contrat de séjour", "Ce qui est convenu entre Karim et la maison."]),
    "lucas": ("Le dessin de Lucas", []),
    "ines": ("Convention de stage", ["Convention de stage", "Du lundi au vendredi, de 9 h à 16 h."]),
}
OWN_PAPERS = {
    "jeanne": ("Photo de mon jardin", []),
    "karim": ("Ma carte de bus", []),
    "ines": ("Mon bulletin", ["Bulletin du premier trimestre", "Bon travail. Continuez."]),
}
OWN_WORDS = {
    "jeanne": ("Je veux un jardin.", "Je veux rester près de mon jardin. Je veux voir ma sœur chaque semaine."),
    "karim": ("Je veux partir.", "Je veux un studio à moi, et un travail dehors."),
    "ines": ("Je veux mon studio.", "Je veux mon studio, mon CAP, et un chat."),
}
HEARD = {"lucas": "Je veux dessiner des bandes dessinées quand je serai grand."}
NEEDS = {
    "jeanne": (("besoin-mobilite", 2), ("besoin-douleur", 1), ("besoin-vie-sociale", 2)),
    "karim": (("besoin-economie", 2), ("besoin-vivre-logement", 3), ("besoin-activite-dom", 1)),
    "lucas": (("besoin-apprentissage", 3), ("besoin-relations", 1)),
    "ines": (("besoin-vie-scolaire", 1), ("besoin-vivre-logement", 2)),
}
ASKED = {  # what is asked of the MDPH, where it stands, what was decided and for how many years
    "karim": ("un service d'aide pour vivre en studio", "sent", "foyer de vie", 3),
    "lucas": ("une aide humaine à l'école", "answered", "institut médico-éducatif", 4),
    "ines": ("une aide pour passer mon CAP", "draft", None, 0),
}


async def tell(stage: Stage, usagers: dict[str, UUID]) -> None:
    for key, usager in usagers.items():
        house = stage.places.structures[PEOPLE[key][5]]
        await _papers(stage, key, usager, house)
        await _life(stage, key, usager, house)
        await _days(stage, usager, house)
        await _needs(stage, key, usager, house)
        if key in ASKED:
            await _orientation(stage, key, usager, house)
    await _school(stage, usagers["lucas"], stage.places.structures["ime"])
    await _moves(stage, usagers["jeanne"], stage.places.structures["ehpad"])


async def _papers(stage: Stage, key: str, usager: UUID, house: UUID) -> None:
    title, lines = PAPERS[key]
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        form = DocumentForm(usager_id=usager, structure_id=house, title=title)
        await documents.file(gate, form, None, drawn.page(lines) if lines else drawn.picture(), None)
    if key in OWN_PAPERS:
        title, lines = OWN_PAPERS[key]
        async with stage.as_person(usager) as gate:
            clear = drawn.page(lines) if lines else drawn.picture()
            await documents.add_mine(gate, MyDocumentForm(title=title), None, clear, None)


async def _life(stage: Stage, key: str, usager: UUID, house: UUID) -> None:
    """In their own words, changed once; of who does not write yet, as their référente heard them."""
    for words in OWN_WORDS.get(key, ()):
        async with stage.as_person(usager) as gate:
            await lives.write_mine(gate, MyLifeProjectIn(words=words))
    if key in HEARD:
        async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
            await lives.write(gate, LifeProjectIn(usager_id=usager, structure_id=house, words=HEARD[key]))


async def _days(stage: Stage, usager: UUID, house: UUID) -> None:
    """There today, away for two days next week; what they eat here tomorrow."""
    at = {"usager_id": usager, "structure_id": house}
    away = {"type_code": f"{PRESENCE}|2", "reason_code": f"{REASON}|1", "planned": True}
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        here = {"occurred_at": _moment(0, time(8)), "ends_at": _moment(0, time(18)), "type_code": f"{PRESENCE}|1"}
        await presences.note(gate, PresenceIn.model_validate({**at, **here, "status": "confirmed"}))
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        gone = {"occurred_at": _moment(6, time(10)), "ends_at": _moment(8, time(17))}
        await presences.note(gate, PresenceIn.model_validate({**at, **gone, **away}))
        for hour, code, present in ((time(12), "2", True), (time(19), "4", False)):
            meal = {"occurred_at": _moment(1, hour), "type_code": f"{MEAL}|{code}", "present": present}
            meals.note(gate, MealIn.model_validate({**at, **meal}))


async def _needs(stage: Stage, key: str, usager: UUID, house: UUID) -> None:
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        said = {
            "usager_id": usager,
            "structure_id": house,
            "questionnaire": f"{serafin.URL}|{serafin.VERSION}",
            "comment": "Rempli ensemble, à la table de la cuisine.",
            "items": [{"link_id": need, "answers": [{"type": "integer", "value": n}]} for need, n in NEEDS[key]],
        }
        await assessments.write(gate, AssessmentIn.model_validate(said))


async def _orientation(stage: Stage, key: str, usager: UUID, house: UUID) -> None:
    asked, status, decided, years = ASKED[key]
    async with stage.as_staff(stage.places.staff["chef_de_service"]) as gate:
        sent = None if status == "draft" else _day(-40)
        said = {"subject_label": asked, "status": status, "asked_on": sent, "mdph_name": MDPH}
        await REQUESTS.write(gate, usager, RequestIn.model_validate({"structure_id": house, **said}))
    if decided is None:
        return
    async with stage.as_staff(stage.places.staff["chef_de_service"]) as gate:
        right = {
            "nature": {"code": f"{ORIENTATION}|1", "label": decided},
            "opens_on": _day(-300),
            "ends_on": _day(-300 + 365 * years),
        }
        decision = {"type_label": "orientation", "decided_on": _day(-310), "decided_by": "CDAPH", "rights": [right]}
        await DECISIONS.write(gate, usager, DecisionIn.model_validate({"structure_id": house, **decision}))


async def _school(stage: Stage, usager: UUID, house: UUID) -> None:
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        said = {
            "structure_id": house,
            "starts": _day(-80),
            "school_name": "École des Tilleuls",
            "volume": {"value": 6, "unit": "heures par semaine"},
        }
        await SCHOOLING.write(gate, usager, SchoolPeriodIn.model_validate(said))


async def _moves(stage: Stage, usager: UUID, house: UUID) -> None:
    async with stage.as_staff(stage.places.staff["educatrice"]) as gate:
        said = {
            "structure_id": house,
            "mode_label": "À pied, avec un déambulateur",
            "noted_on": _day(-10),
            "details": [{"label": "Dehors", "text": "Au bras de quelqu'un pour traverser."}],
        }
        await MOBILITY.write(gate, usager, MobilityIn.model_validate(said))


def _day(days: int) -> date:
    return today() + timedelta(days=days)


def _moment(days: int, hour: time) -> datetime:
    return datetime.combine(_day(days), hour, PARIS).astimezone(UTC)
