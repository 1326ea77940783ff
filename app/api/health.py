"""Alive, ready, and the public keys: what a supervisor or a verifier asks. No data, no secret."""

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from app.audit import heads
from app.kernel.answers import told

router = APIRouter(tags=["exploitation"])


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Response:
    """The process answers."""
    return told({"status": "ok"})


@router.get(
    "/readyz", operation_id="readyz", responses={503: {"description": "Postgres est arrêté, ou n'a pas ce schéma"}}
)
async def readyz(request: Request) -> Response:
    """Postgres answers and holds the schema this version expects. `degraded` names what is amiss meanwhile."""
    state = request.app.state
    try:
        async with state.database.session(None) as session:
            found = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except (OSError, SQLAlchemyError):
        return told({"status": "database"}, status=503)
    if found != state.schema_head:
        return told({"status": "migrations"}, status=503)
    amiss = state.watch.words()  # served all the same
    return told({"status": "ok", "degraded": amiss} if amiss else {"status": "ok"})


@router.get(
    "/.well-known/jwks.json",
    operation_id="readPublicKeys",
    responses={400: {"description": "Un nom d'hôte qui n'est pas d'ici"}},
)
async def public_keys(request: Request) -> Response:
    """The public half of the keys that sign here: access tokens, heads of the trail (RFC 7517)."""
    return told(heads.published(request.app.state.keyring))
