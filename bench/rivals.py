"""The same payload without a lock on the door: Starlette and asyncpg, no token, no policy; with the durable trace, or not."""

import os
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from sqlalchemy import Uuid
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from app.api.resources import REGISTRY
from app.fhir.types import Bundle, BundleEntry
from app.kernel.answers import FHIR_JSON, told

ORGANISATION = UUID(os.environ["BENCH_ORGANISATION"])
NOTE = REGISTRY.of_type("DocumentReference")[0]
VIEW = NOTE.view


def _columns() -> str:
    columns = VIEW.TABLE.__table__.columns
    names = []
    for name in VIEW.__struct_fields__:
        if name not in columns:
            names.append("NULL")
        elif isinstance(columns[name].type, Uuid):
            names.append(f"{name}::text")
        else:
            names.append(name)
    return ", ".join(names)


ONE = f"SELECT {_columns()} FROM transmission WHERE organisation_id = $1 AND id = $2"
LINE = """organisation_id, principal_kind, principal_id, role, action, kind, usager_id, entry_ids, outcome, door, request_id"""
SAID = """$1, 'professional', $2, 'educateur', 'read', 'transmission', usager_id::uuid, ARRAY[id::uuid], 'success', 'fhir', 'bench'"""
TRACED = f"""WITH found AS MATERIALIZED ({ONE}),
    traced AS (INSERT INTO audit_entry ({LINE}) SELECT {SAID} FROM found) SELECT * FROM found"""
LAST = "ORDER BY occurred_at DESC, id DESC LIMIT 50"
MANY = f"SELECT {_columns()} FROM transmission WHERE organisation_id = $1 AND usager_id = $2 {LAST}"


@asynccontextmanager
async def lifespan(app):
    async def keep(connection):
        pass

    app.state.pool = await asyncpg.create_pool(
        os.environ["DUI_OWNER_DATABASE_URL"], min_size=8, max_size=8, reset=keep, max_cached_statement_lifetime=0
    )
    yield
    await app.state.pool.close()


async def one(request: Request):
    row = await request.app.state.pool.fetchrow(ONE, ORGANISATION, UUID(request.path_params["id"]))
    return told(NOTE.to_fhir(VIEW(*row)), FHIR_JSON)


async def traced(request: Request):
    row = await request.app.state.pool.fetchrow(TRACED, ORGANISATION, UUID(request.path_params["id"]))
    return told(NOTE.to_fhir(VIEW(*row)), FHIR_JSON)


async def many(request: Request):
    rows = await request.app.state.pool.fetch(MANY, ORGANISATION, UUID(request.path_params["id"]))
    entries = [BundleEntry(resource=NOTE.to_fhir(VIEW(*row))) for row in rows]
    return told(Bundle(type="searchset", entry=entries), FHIR_JSON)


ROUTES = [Route("/one/{id}", one), Route("/traced/{id}", traced), Route("/many/{id}", many)]
app = Starlette(routes=ROUTES, lifespan=lifespan)
