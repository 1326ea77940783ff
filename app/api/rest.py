"""The REST API, one line a room."""

from fastapi import APIRouter

from app.features.transmissions.router import router as transmissions

PREFIX = "/api/v1"


def rest() -> APIRouter:
    router = APIRouter(prefix=PREFIX)
    router.include_router(transmissions)
    return router
