"""A form as browsers and OAuth send it: UTF-8, each name once, no control character. Read strictly, before anything is believed."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from app.kernel.errors import Unreadable, UnsupportedMedia

FORM = "application/x-www-form-urlencoded"
FIELDS = 20
Form = dict[str, str]


async def read(request: Request) -> Form:
    """Raises UnsupportedMedia, Unreadable."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMedia(f"Un formulaire est attendu ici : {FORM}.")
    try:
        body = (await request.body()).decode("ascii")
        pairs = parse_qsl(
            body, keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise Unreadable("Ce formulaire n'est pas lisible.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Unreadable("Un paramètre est donné deux fois.")
    if any(ord(c) < ord(" ") for value in form.values() for c in value):
        raise Unreadable("Un paramètre contient un caractère de contrôle.")
    return form
