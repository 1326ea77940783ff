"""Four persons, four stories: told through the services, as their team would, so that versions and traces are real."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.access.models import TeamMember
from app.access.permissions import Category, Visibility
from app.demo.stage import Stage
from app.features.stays.models import Stay
from app.features.transmissions import service as transmissions
from app.features.transmissions.schemas import TransmissionIn
from app.features.usagers import names
from app.features.usagers.models import IdentityStatus, Usager
from app.kernel.clock import PARIS, now, today
from app.kernel.ids import uuid7

MORNING, EVENING = 8, 18  # hours of the day
PEOPLE = {
    "jeanne": ("MOREAU", "Jeanne Marie", "Jeanne", date(1944, 5, 12), "female", "ehpad"),
    "karim": ("BENSAÏD", "Karim", "Karim", date(1992, 2, 3), "male", "fam"),
    "lucas": ("MARTIN", "Lucas Paul", "Lucas", date(2017, 3, 9), "male", "ime"),
    "ines": ("DIALLO", "Inès", "Inès", date(2009, 1, 20), "female", "mecs"),
}
NOTES: dict[str, list[tuple[str, int, str, str, bool]]] = {
    "jeanne": [
        ("educatrice", 30, "narrative", "Jeanne a préparé la soupe avec deux voisines. « Comme à la maison. »", True),
        ("infirmiere", 20, "data", "Dit avoir mal à la hanche au lever. Marche avec son déambulateur.", False),
        ("educatrice", 4, "narrative", "Jeanne a choisi le tissu des rideaux de sa chambre.", True),
    ],
    "karim": [
        ("educatrice", 50, "narrative", "Karim est allé à la piscine. Il veut y retourner le jeudi.", True),
        ("educatrice", 8, "data", "Karim a compté sa monnaie seul à la boulangerie.", True),
    ],
    "lucas": [
        ("educatrice", 26, "action", "Lucas a lu une page avec la tablette, quinze minutes.", True),
        ("educatrice", 3, "narrative", "Lucas a montré son dessin à toute la classe.", True),
    ],
    "ines": [
        ("educatrice", 40, "narrative", "Inès a visité le lycée. Elle a posé trois questions sur l'internat.", True),
        ("chef_de_service", 6, "narrative", "Inès prépare ses 18 ans : elle veut garder son studio.", True),
    ],
}


async def tell(stage: Stage) -> dict[str, UUID]:
    """The four stories; the usagers' ids by first name."""
    usagers = {}
    for key in PEOPLE:
        usagers[key] = await _arrive(stage, key)
    for key, notes in NOTES.items():
        for who, hours, kind, text, shared in notes:
            await _note(stage, usagers[key], PEOPLE[key][5], who, hours, kind, text, shared)
    return usagers


async def _arrive(stage: Stage, key: str) -> UUID:
    family, given, used, born, gender, house = PEOPLE[key]
    chief, referent = stage.places.staff["chef_de_service"], stage.places.staff["educatrice"]
    id = uuid7()
    common = {"usager_id": id, "structure_id": stage.places.structures[house], "visibility": Visibility.SHARED.value}
    async with stage.as_staff(chief) as gate:
        gate.open_dossier(id)
        gate.add(
            Usager(
                id=id,
                birth_family_name=family,
                birth_given_names=given,
                used_given_name=used,
                birth_date=born,
                birth_order=1,
                gender=gender,
                identity_status=IdentityStatus.PROVISOIRE.value,
                name_key=names.key(family, given),
                used_name_key=names.key(family, used),
                category=Category.ADMINISTRATIVE.value,
                **common,
            )
        )
        await gate.settle()
        since = today() - timedelta(days=400)
        gate.add(
            Stay(
                unit_id=stage.places.units[house],
                status="in_progress",
                starts=since,
                category=Category.ADMINISTRATIVE.value,
                **common,
            )
        )
        gate.add(
            TeamMember(
                professional_id=referent.professional_id,
                referent=True,
                starts=since,
                category=Category.ADMINISTRATIVE.value,
                **common,
            )
        )
    return id


def _by_day(at: datetime) -> datetime:
    """Nobody chooses curtains at three in the morning: what would fall at night is told of the evening before."""
    here = at.astimezone(PARIS)
    if here.hour >= MORNING:
        return at
    return (here - timedelta(days=1)).replace(hour=EVENING, minute=30).astimezone(UTC)


async def _note(
    stage: Stage, usager_id: UUID, house: str, who: str, hours: int, kind: str, text: str, shared: bool
) -> None:
    async with stage.as_staff(stage.places.staff[who]) as gate:
        said = TransmissionIn(
            usager_id=usager_id,
            structure_id=stage.places.structures[house],
            text=text,
            kind=kind,
            occurred_at=_by_day(now() - timedelta(hours=hours)),
            visibility="shared" if shared else "not_shared",
        )
        await transmissions.write(gate, said)
