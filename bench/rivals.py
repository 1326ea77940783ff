"""The same payload without a lock on the door: Starlette and asyncpg, no token, no policy; with the durable trace, or not.

And for what a partner sends, the same JSON checked by the models of fhir.resources, as any route that takes a `Bundle`
checks it, then one row each, in one table of no policy; or checked by our own reader, which asks the models seldom.
"""

import os
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from fhir.resources.R4B.bundle import Bundle as ByModels
from sqlalchemy import Uuid
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.resources import REGISTRY
from app.fhir.reading import read_bundle
from app.fhir.types import Bundle, BundleEntry
from app.kernel.answers import FHIR_JSON, told
from app.kernel.ids import uuid7

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

RESOURCES = "CREATE TABLE IF NOT EXISTS bench_resource (id uuid PRIMARY KEY, type text NOT NULL, body json NOT NULL)"
INSERT = "INSERT INTO bench_resource VALUES ($1, $2, $3)"


@asynccontextmanager
async def lifespan(app):
    async def keep(connection):
        pass

    app.state.pool = await asyncpg.create_pool(
        os.environ["DUI_OWNER_DATABASE_URL"], min_size=8, max_size=8, reset=keep, max_cached_statement_lifetime=0
    )
    await app.state.pool.execute(RESOURCES)
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


async def transaction(request: Request):
    body = await request.body()
    ByModels.model_validate_json(body)
    return await _inserted(request, [each["resource"] for each in orjson.loads(body)["entry"]])


async def read_by_us(request: Request):
    return await _inserted(request, [each.resource for each in read_bundle(await request.body()).entries])


async def _inserted(request: Request, resources: list[dict[str, Any]]) -> Response:
    rows = [(uuid7(), each["resourceType"], orjson.dumps(each).decode()) for each in resources]
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.executemany(INSERT, rows)
    return told({"resourceType": "Bundle", "type": "transaction-response"}, FHIR_JSON)


async def everything(request: Request):
    """The rows that `$everything` tells, as Postgres itself says them."""
    tables = request.query_params["tables"].split(",")
    each = " UNION ALL ".join(
        f"SELECT row_to_json(t) AS row FROM {table} t WHERE organisation_id = $1 AND usager_id = $2" for table in tables
    )
    query = f"SELECT json_agg(row)::text FROM ({each}) rows"
    told_ = await request.app.state.pool.fetchval(query, ORGANISATION, UUID(request.path_params["id"]))
    return Response(told_, media_type=FHIR_JSON)


ROUTES = [
    Route("/one/{id}", one),
    Route("/traced/{id}", traced),
    Route("/many/{id}", many),
    Route("/transaction", transaction, methods=["POST"]),
    Route("/read", read_by_us, methods=["POST"]),
    Route("/everything/{id}", everything),
]
app = Starlette(routes=ROUTES, lifespan=lifespan)
