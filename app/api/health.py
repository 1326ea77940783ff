"""Alive, ready: what a supervisor asks. No data, no secret."""

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from app.kernel.answers import told

router = APIRouter(tags=["exploitation"])


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Response:
    """The process answers."""
    return told({"status": "ok"})


@router.get("/readyz", operation_id="readyz")
async def readyz(request: Request) -> Response:
    """Postgres answers and holds the schema this version expects."""
    state = request.app.state
    try:
        async with state.database.session(None) as session:
            found = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except (OSError, SQLAlchemyError):
        return told({"status": "database"}, status=503)
    ready = found == state.schema_head
    return told({"status": "ok" if ready else "migrations"}, status=200 if ready else 503)
