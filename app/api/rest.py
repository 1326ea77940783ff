"""The REST API, one line a room."""

from fastapi import APIRouter

from app.api.me_session import router as me_session
from app.features.transmissions.router import router as transmissions

PREFIX = "/api/v1"


def rest() -> APIRouter:
    router = APIRouter(prefix=PREFIX)
    router.include_router(me_session)
    router.include_router(transmissions)
    return router
