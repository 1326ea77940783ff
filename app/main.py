"""The composition root: the only module that knows every part."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

import app.schema  # noqa: F401  every table is known
from app import start
from app.api import (
    docs,
    errors,
    fhir,
    fhir_operations,
    fhir_past,
    fhir_searching,
    fhir_writing,
    health,
    invitation,
    metrics,
    transaction,
)
from app.api import openapi as described
from app.api.middleware import Around, BodyTooLarge, log_to_stdout, too_large
from app.api.oauth.openid import router as openid
from app.api.oauth.own import router as own_account
from app.api.oauth.routes import router as oauth
from app.api.rest import rest
from app.audit import heads, sealer
from app.audit.watch import Watch
from app.config import VERSION, Settings, settings
from app.kernel import objects, revisions
from app.kernel.db import PASSING, Database
from app.kernel.errors import DuiError, TooLarge
from app.kernel.hot import HotLane
from app.portal import router as portal
from app.portal.pages import STATIC_DIR, STATIC_URL
from app.portal.static_files import Kept
from app.security.oidc import OpenId
from app.security.outbound import Outbound
from app.security.rates import Rates
from app.security.tokens import TokenCache


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    config: Settings = app.state.settings
    with start.telling():
        app.state.keyring = await start.check(config)
        app.state.schema_head = revisions.head()
        app.state.lane = HotLane(config.database_url, config.pool_size)
        app.state.database = Database(config.database_url, config.pool_size)
        app.state.tokens = TokenCache()
        app.state.rates = Rates(config.requests_per_second)
        app.state.outbound = Outbound()
        app.state.openid = OpenId.configured(config)
        app.state.objects = objects.opened(config.documents)
        await app.state.lane.open()
        start.metrics(config.metrics_port)
    stop = asyncio.Event()
    watch = app.state.watch = Watch(config.seal_late, here=bool(config.sealer_database_url))
    sealing = None
    if watch.here:
        metrics.SEAL_LAG.set_function(watch.lag)
        each_hour = heads.hourly(config.data / heads.FOLDER, app.state.keyring, watch)
        sealing = asyncio.create_task(sealer.run(config.sealer_database_url, stop, watch, each_hour))
    try:
        yield
    finally:
        stop.set()
        if sealing:
            await sealing
        await app.state.lane.close()
        await app.state.database.close()


async def _too_large(request: Request, error: Exception) -> Response:
    return errors.render(request, TooLarge(too_large(error.cap if isinstance(error, BodyTooLarge) else 0)))


YOUNG = 20_000  # objects made before the collector looks for cycles: a large bundle makes tens of thousands
REFUSALS: dict[Any, Any] = {
    DuiError: errors.render,
    RequestValidationError: errors.render_validation,
    HTTPException: errors.render_http,
    BodyTooLarge: _too_large,
    **dict.fromkeys(PASSING, errors.render_database),
    Exception: errors.render_bug,
}


class Server(FastAPI):
    """What surrounds every request, and the hottest reads, stand outside the framework's own layers."""

    def build_middleware_stack(self) -> ASGIApp:
        hot = fhir.HotFirst(super().build_middleware_stack(), REFUSALS)
        return Around(hot, frozenset(self.state.settings.hosts))


def create_app(config: Settings | None = None) -> FastAPI:
    log_to_stdout()
    api = Server(
        title="dui-serveur",
        version=VERSION,
        lifespan=lifespan,
        description="Le dossier usager informatisé : API des applications d'équipe, et de la personne.",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # they tell addresses
    )
    api.state.settings = config or settings()
    for kind, handler in REFUSALS.items():
        api.add_exception_handler(kind, handler)
    api.router.routes[:0] = [
        *fhir_past.routes(),
        *fhir_searching.routes(),
        *fhir_operations.routes(),
        *fhir.routes(),
    ]  # first: the framework walks its routes one by one
    api.router.routes.extend([*transaction.routes(), *fhir_writing.routes()])
    api.include_router(oauth)
    api.include_router(own_account)
    api.include_router(openid)
    api.include_router(rest())
    api.include_router(health.router)
    api.include_router(docs.router)
    api.include_router(invitation.router)
    api.include_router(portal.router)
    api.mount(STATIC_URL, Kept(directory=STATIC_DIR))
    api.openapi = lambda: described.document(api)  # type: ignore[method-assign]
    return api


def served() -> FastAPI:
    """The only application of its process: what is loaded with it stays, and the collector need not walk it again."""
    api = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
    return api
