"""The demo's organisation: four houses, their people, two partners. Facts written by the owner, before any act."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Membership, MembershipStructure, Professional, UnitTeam
from app.features.settings.models import Setting
from app.features.structures import founding
from app.features.structures.models import Unit
from app.features.structures.schemas import Model, StructureIn
from app.kernel.clock import now
from app.kernel.ids import uuid7
from app.kernel.roles import write_secret
from app.security import accounts, jose, partners
from app.security.models import PartnerKind
from app.security.principal import Role

SCOPE = "system/*.crus"


@dataclass(frozen=True, slots=True)
class House:
    name: str
    model: Model
    finess: str
    unit: str


# FINESS numbers of no house: department 99.
HOUSES = {
    "ehpad": House("EHPAD Les Tilleuls", "ehpad", "990000010", "Le jardin"),
    "fam": House("Foyer d'accueil médicalisé La Source", "mas_fam", "990000028", "Les hirondelles"),
    "ime": House("IME du Moulin", "ime", "990000036", "Les petits"),
    "mecs": House("Maison d'enfants Le Phare", "mecs", "990000044", "Les grandes"),
}
STAFF = {
    "educatrice": ("sonia", "Sonia", "Benali", Role.EDUCATEUR),
    "chef_de_service": ("marc", "Marc", "Petit", Role.CHEF_DE_SERVICE),
    "infirmiere": ("leila", "Leïla", "Haddad", Role.INFIRMIER),
    "secretaire": ("odile", "Odile", "Roux", Role.SECRETARIAT),
    "directrice": ("helene", "Hélène", "Garnier", Role.DIRECTION),
    "exterieur": ("yann", "Yann", "Le Goff", Role.EDUCATEUR),
}
PARTNERS = {"chu": ("CHU de la Plaine", "chu-demo"), "mdph": ("MDPH du département", "mdph-demo")}


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the staff, and where they stand."""

    key: str
    organisation_id: UUID
    account_id: UUID
    professional_id: UUID
    membership_id: UUID
    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    organisation_id: UUID
    structures: dict[str, UUID]
    units: dict[str, UUID]
    staff: dict[str, Worker]
    partners: dict[str, UUID]


async def build(session: AsyncSession, passwords: dict[str, str], keys: Path) -> Places:
    """In one session of the owner. `passwords` by key of STAFF; the partners' private keys are written in `keys`."""
    here = await founding.organisation(session, "Association Les Tilleuls", "990000002")
    elsewhere = await founding.organisation(session, "Association du Large", "990000101")
    structures = {key: await _house(session, here, house) for key, house in HOUSES.items()}
    units = {key: await _unit(session, here, id, HOUSES[key].unit) for key, id in structures.items()}
    other = await _house(session, elsewhere, House("SAVS du Large", "savs", "990000119", "Suivi"))
    staff = {}
    for key, (login, given, family, role) in STAFF.items():
        organisation, places = (elsewhere, [other]) if key == "exterieur" else (here, list(structures.values()))
        account = await accounts.create(session, login, f"{given} {family}", passwords[key])
        staff[key] = await _worker(session, key, organisation, account, (given, family, role), places)
    session.add(
        UnitTeam(
            organisation_id=here,
            professional_id=staff["infirmiere"].professional_id,
            unit_id=units["ehpad"],
            kind="rule",
            starts_at=now(),
        )
    )
    # Whoever tries the demo has no telephone to inscribe; elsewhere this role needs one.
    session.add(Setting(organisation_id=here, scope="organisation", key="second_factor.direction", value="false"))
    given_to = {}
    for key, (name, client_id) in PARTNERS.items():
        jwks = jose.public_keys(_new_key(keys / f"{key}.pem", key))
        given_to[key] = await partners.register(
            session,
            here,
            name,
            client_id,
            jwks,
            SCOPE,
            structures["ime"],
            list(structures.values()),
            accepts=True,
            kind=PartnerKind.MDPH if key == "mdph" else PartnerKind.OTHER,
        )
    return Places(here, structures, units, staff, given_to)


async def _house(session: AsyncSession, organisation_id: UUID, house: House) -> UUID:
    contact = {"phone": "01 99 00 00 00", "human": "Marc Petit, chef de service"}
    said = StructureIn(name=house.name, model=house.model, finess=house.finess, **contact)
    return await founding.structure(session, organisation_id, said)


async def _unit(session: AsyncSession, organisation_id: UUID, structure_id: UUID, name: str) -> UUID:
    row = Unit(organisation_id=organisation_id, id=uuid7(), structure_id=structure_id, name=name, kind="unit")
    session.add(row)
    await session.flush()
    return row.id


async def _worker(
    session: AsyncSession,
    key: str,
    organisation_id: UUID,
    account_id: UUID,
    told: tuple[str, str, Role],
    places: list[UUID],
) -> Worker:
    given, family, role = told
    professional = Professional(
        organisation_id=organisation_id, id=uuid7(), account_id=account_id, family_name=family, given_name=given
    )
    session.add(professional)
    await session.flush()
    membership = Membership(
        organisation_id=organisation_id,
        id=uuid7(),
        professional_id=professional.id,
        role=role.value,
        starts=date(2024, 1, 1),
    )
    session.add(membership)
    await session.flush()
    for structure_id in places:
        session.add(
            MembershipStructure(organisation_id=organisation_id, membership_id=membership.id, structure_id=structure_id)
        )
    await session.flush()
    return Worker(key, organisation_id, account_id, professional.id, membership.id, role, f"{given} {family}")


def _new_key(path: Path, kid: str) -> dict[str, object]:
    """A partner's key pair: the private half for whoever tries the demo, the public half for the server (JWKS)."""
    key = ec.generate_private_key(ec.SECP384R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(path, private.decode())
    point = key.public_key().public_numbers()
    x, y = (_base64url(n.to_bytes(48, "big")) for n in (point.x, point.y))
    return {"keys": [{"kty": "EC", "crv": "P-384", "kid": kid, "alg": "ES384", "x": x, "y": y}]}


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
