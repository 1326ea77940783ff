"""The page's style, font and drawing. Their addresses change with their bytes: a browser keeps them."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

KEPT = "public, max-age=31536000, immutable"
KEPT_A_DAY = "public, max-age=86400"


class Kept(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = KEPT if b"v=" in scope["query_string"] else KEPT_A_DAY
        return answer
