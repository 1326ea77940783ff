"""Packages put in the base and taken out, by the owner: `dui fhir`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.fhir.packages.models import FhirDefinition, FhirPackage
from app.fhir.packages.reading import Package
from app.kernel.errors import Conflict, NotFound

BATCH = 200
P, D = FhirPackage, FhirDefinition


@dataclass(frozen=True, slots=True)
class Installed:
    name: str
    version: str
    title: str | None
    definitions: int
    questionnaires: int


async def install(session: AsyncSession, package: Package) -> bool:
    """False when this very package is already there. Raises Conflict when the same version says something else."""
    named = (P.name == package.name, P.version == package.version)
    before = await session.scalar(select(P.sha256).where(*named).with_for_update())
    if before == package.sha256:
        return False
    if before is not None:
        raise Conflict(
            "Cette version de ce paquet est déjà installée, avec un autre contenu. Retirez-la d'abord (dui fhir remove).",
            code="package.differs",
        )
    session.add(P(name=package.name, version=package.version, title=package.title, sha256=package.sha256))
    await session.flush()
    rows = [
        {
            "package_name": package.name,
            "package_version": package.version,
            "type_name": each.type_name,
            "id": each.id,
            "url": each.url,
            "version": each.version,
            "body": each.body.decode(),
        }
        for each in package.definitions
    ]
    for start in range(0, len(rows), BATCH):
        await session.execute(insert(D), rows[start : start + BATCH])
    return True


async def remove(session: AsyncSession, name: str, version: str) -> None:
    """Answers given stay: they hold their own words. Raises NotFound."""
    gone = await session.scalar(delete(P).where(P.name == name, P.version == version).returning(P.name))
    if gone is None:
        raise NotFound("Ce paquet n'est pas installé dans cette version (dui fhir list).")


async def listed(session: AsyncSession) -> Sequence[Installed]:
    forms = func.count(D.id).filter(D.type_name == "Questionnaire")
    query = select(P.name, P.version, P.title, func.count(D.id), forms)
    query = query.join(D, (D.package_name == P.name) & (D.package_version == P.version), isouter=True)
    rows = await session.execute(query.group_by(P.name, P.version, P.title).order_by(P.name, P.version))
    return [Installed(*row) for row in rows]
