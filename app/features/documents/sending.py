"""How a document comes by REST: as JSON with its bytes in base64, or as a form of several parts, which never meets the disk."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.features.documents.files import LARGEST
from app.features.documents.schemas import DocumentForm, DocumentIn
from app.kernel.errors import Invalid, Unreadable, UnsupportedMedia
from app.kernel.objects import Objects

FORM, JSON = "multipart/form-data", "application/json"
FIELDS, FIELD_LONGEST = 40, 16 * 1024
FILE = "file"
DESCRIBED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": DocumentIn.model_json_schema()},
            FORM: {
                "schema": {
                    **(form := DocumentForm.model_json_schema()),
                    "properties": {**form["properties"], FILE: {"type": "string", "format": "binary"}},
                    "required": [*form["required"], FILE],
                }
            },
        },
    }
}


@dataclass(frozen=True, slots=True)
class Sent:
    said: DocumentForm
    declared: str | None
    clear: bytes


async def _sent(request: Request) -> Sent:
    """Raises UnsupportedMedia, Unreadable, Invalid, RequestValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        return await _of_form(request)
    if kind != JSON:
        raise UnsupportedMedia(f"Envoyez du {JSON}, ou un formulaire {FORM}.")
    try:
        said = DocumentIn.model_validate_json(await request.body())
    except ValidationError as no:
        raise _refused(no) from None
    try:
        clear = b64decode(said.content, validate=True)
    except ValueError:
        raise Invalid("Un contenu en base64 est attendu.", where="/content", code="bad_text") from None
    return Sent(said, said.content_type, clear)


async def _of_form(request: Request) -> Sent:
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=1, max_fields=FIELDS, max_part_size=FIELD_LONGEST
    )
    parser.spool_max_size = 2 * LARGEST  # beyond it a file would be written to the disk, in clear
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise Unreadable("Ce formulaire n'est pas lisible.") from None
    try:
        parts = form.multi_items()
        files = [part for name, part in parts if name == FILE and isinstance(part, UploadFile)]
        if len(files) != 1 or len(parts) != len(dict(parts)):
            raise Invalid("Joignez un fichier, et chaque champ une fois.", where=f"/{FILE}", code="required")
        clear, declared = await files[0].read(), files[0].content_type
    finally:
        await form.close()
    fields = {name: text for name, text in parts if isinstance(text, str) and text}
    try:
        return Sent(DocumentForm.model_validate_strings(fields), declared, clear)
    except ValidationError as no:
        raise _refused(no) from None


def _refused(no: ValidationError) -> RequestValidationError:
    told = no.errors(include_url=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in told])


def _objects(request: Request) -> Objects | None:
    objects: Objects | None = request.app.state.objects
    return objects


SentDocument = Annotated[Sent, Depends(_sent)]
Kept = Annotated[Objects | None, Depends(_objects)]
