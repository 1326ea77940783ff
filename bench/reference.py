"""The honest conventional server: FastAPI dependencies, python-jose, SQLAlchemy's ORM, set_config, a trace, fhir.resources.

One select, one validate, one dump per request. What a careful team writes first, to compare with.
"""

import os
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.documentreference import DocumentReference
from jose import JWTError, jwt
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.responses import Response

import app.schema
from app.access.models import Membership, MembershipStructure, TeamMember
from app.audit.models import AuditEntry
from app.features.transmissions.models import Transmission

SECRET = os.environ["BENCH_SECRET"]
engine = create_async_engine(
    os.environ["DUI_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=8, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


def claims(authorization: Annotated[str, Header()]) -> dict[str, Any]:
    try:
        return jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], audience="bench")
    except JWTError as exc:
        raise HTTPException(401) from exc


Who = Annotated[dict[str, Any], Depends(claims)]


async def opened(who: Who) -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        await session.execute(text("SELECT set_config('dui.organisation', :o, true)"), {"o": who["org"]})
        yield session
        await session.commit()


Session = Annotated[AsyncSession, Depends(opened)]


def within(who: dict[str, Any]) -> Any:
    team = select(TeamMember.usager_id).where(TeamMember.professional_id == UUID(who["sub"]))
    here = select(MembershipStructure.structure_id).join(Membership, Membership.id == MembershipStructure.membership_id)
    here = here.where(Membership.professional_id == UUID(who["sub"]))
    return Transmission.usager_id.in_(team) & Transmission.structure_id.in_(here)


def trace(session: AsyncSession, who: dict[str, Any], rows: list[Transmission]) -> None:
    session.add(
        AuditEntry(
            organisation_id=UUID(who["org"]), principal_kind="professional", principal_id=UUID(who["sub"]), action="read",
            kind="transmission", usager_id=rows[0].usager_id, entry_ids=[r.id for r in rows], outcome="success",
            door="fhir", request_id="bench",
        )
    )  # fmt: skip


def resource(row: Transmission) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": str(row.id),
        "meta": {"versionId": str(row.version), "lastUpdated": row.updated_at.isoformat()},
        "status": "current",
        "subject": {"reference": f"Patient/{row.usager_id}"},
        "author": [{"reference": f"Practitioner/{row.author_id}"}],
        "date": row.occurred_at.isoformat(),
        "content": [{"attachment": {"contentType": "text/plain", "data": b64encode(row.text.encode()).decode()}}],
    }


@app.get("/one/{id}")
async def one(id: UUID, who: Who, session: Session) -> Response:
    row = await session.scalar(select(Transmission).where(Transmission.id == id, within(who)))
    if row is None:
        raise HTTPException(404)
    trace(session, who, [row])
    told = DocumentReference.model_validate(resource(row)).model_dump_json()
    return Response(told, media_type="application/fhir+json")


@app.get("/many/{id}")
async def many(id: UUID, who: Who, session: Session) -> Response:
    query = select(Transmission).where(Transmission.usager_id == id, within(who))
    rows = list(await session.scalars(query.order_by(Transmission.occurred_at.desc()).limit(50)))
    trace(session, who, rows)
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource(row)} for row in rows]}
    return Response(Bundle.model_validate(bundle).model_dump_json(), media_type="application/fhir+json")
