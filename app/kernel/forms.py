"""A form as browsers and OAuth send it: UTF-8, each name once, no control character. Read strictly, before anything is believed."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.kernel.errors import Unreadable, UnsupportedMedia

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
FIELDS = 20
LONGEST = 16 * 1024  # of one field of a form of several parts
NEW_LINES = {ord("\n"), ord("\t")}
TWICE = "Un paramètre est donné deux fois."
NO_FORM = "Ce formulaire n'est pas lisible."
Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of a part, and the type its sender says they are of."""

    declared: str | None
    clear: bytes


async def read(request: Request, prose: Collection[str] = ()) -> Form:
    """`prose`: the fields of several lines. Raises UnsupportedMedia, Unreadable."""
    if kind_of(request) != FORM:
        raise UnsupportedMedia(f"Un formulaire est attendu ici : {FORM}.")
    try:
        body = (await request.body()).decode("ascii")
        pairs = parse_qsl(
            body, keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise Unreadable(NO_FORM) from None
    form = {name: value.replace("\r\n", "\n") if name in prose else value for name, value in pairs}
    if len(form) < len(pairs):
        raise Unreadable(TWICE)
    if any(_controls(value, NEW_LINES if name in prose else set()) for name, value in form.items()):
        raise Unreadable("Un paramètre contient un caractère de contrôle.")
    return form


async def read_parts(request: Request, file: str, fields: int = FIELDS) -> tuple[Form, File | None]:
    """A form of several parts, with its one file under this name; it never meets the disk. Raises Unreadable."""
    if kind_of(request) != PARTS:
        raise UnsupportedMedia(f"Un formulaire est attendu ici : {PARTS}.")
    body = await request.body()  # kept: an `Idempotency-Key` reads it again
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=fields, max_part_size=LONGEST)
    parser.spool_max_size = len(body) + 1  # beyond it a file would be written to the disk, in clear
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise Unreadable(NO_FORM) from None
    try:
        parts = form.multi_items()
        if len(parts) != len(dict(parts)):
            raise Unreadable(TWICE)
        sent = form.get(file)
        given = File(sent.content_type, await sent.read()) if isinstance(sent, UploadFile) else None
    finally:
        await form.close()
    return {name: text for name, text in parts if isinstance(text, str)}, given


def kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _controls(value: str, but: Collection[int]) -> bool:
    return any(ord(c) < ord(" ") and ord(c) not in but for c in value)
