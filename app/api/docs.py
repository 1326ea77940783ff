"""`/`: the three doors. `/docs`: the API told from its own OpenAPI document, with nothing fetched from elsewhere."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from app.api.openapi_shared import resolved
from app.kernel import errors

router = APIRouter(include_in_schema=False)
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
VERBS = ("get", "post", "put", "patch", "delete")


@router.get("/")
async def doors(request: Request) -> Response:
    """What this server is, and by which door to come in."""
    return page("doors.html", demo=request.app.state.settings.demo)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every route, by rubric: what it is for, what it takes, what it may answer."""
    return page("docs.html", rubrics=_rubrics(request.app.openapi()))


@router.get("/docs/erreurs")
async def faults() -> Response:
    """What each kind of refusal means, and how to mend it."""
    return page("errors.html", kinds=_kinds())


@router.get("/docs/docs.css")
async def style() -> Response:
    return Response((Path(__file__).parent / "pages" / "docs.css").read_bytes(), media_type="text/css")


def page(name: str, **values: Any) -> Response:
    return Response(PAGES.get_template(name).render(**values), media_type="text/html", headers=HEADERS)


def _rubrics(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Routes by tag, in the document's order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, verbs in document["paths"].items():
        for verb, route in verbs.items():
            if verb in VERBS:
                told = {"verb": verb.upper(), "path": path, **_told(route, document)}
                found.setdefault((route.get("tags") or ["autres"])[0], []).append(told)
    return found


def _told(route: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    body = route.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next((media.get("schema", {}) for media in body.values()), {})
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    fields = document.get("components", {}).get("schemas", {}).get(name, schema)
    required = set(fields.get("required", ()))
    return {
        "id": route.get("operationId", ""),
        "about": route.get("description") or route.get("summary", ""),
        "parameters": [resolved(document, p)["name"] for p in route.get("parameters", ())],
        "fields": [(n, n in required) for n in fields.get("properties", {})],
        "statuses": sorted(route.get("responses", {})),
    }


@lru_cache(maxsize=1)
def _kinds() -> list[type[errors.DuiError]]:
    """Our kinds of error, by status."""
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.DuiError)]
    return sorted((k for k in kinds if hasattr(k, "status")), key=lambda k: (k.status, k.code))
