"""A page as an HTTP answer."""

from starlette.responses import Response

from app.portal import pages
from app.portal.views import View


def page(view: View, *, csrf: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`csrf`: the secret of its forms, when it has any."""
    return Response(pages.render(view, csrf=csrf), status, {**pages.headers(view), **(headers or {})})
