"""How a document comes by REST: as JSON with its bytes in base64, or as a form of several parts, which never meets the disk."""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request

from app.access.http import principal_at
from app.audit.vocabulary import Door
from app.features.documents.schemas import DocumentForm, DocumentIn, MyDocumentForm, MyDocumentIn
from app.kernel import forms
from app.kernel.errors import Invalid, UnsupportedMedia
from app.kernel.fields import Body
from app.kernel.objects import Objects

JSON = "application/json"
FIELDS = 40
FILE = "file"
F = TypeVar("F", bound=Body)


class Whole(Protocol):
    """A body that holds its bytes."""

    @property
    def content(self) -> str: ...
    @property
    def content_type(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Sent(Generic[F]):
    said: F
    declared: str | None
    clear: bytes


def described(form: type[Body], whole: type[Body]) -> dict[str, Any]:
    """The body of a route that hears both."""
    fields = form.model_json_schema()
    file = {FILE: {"type": "string", "format": "binary"}}
    parts = {**fields, "properties": {**fields["properties"], **file}, "required": [*fields.get("required", ()), FILE]}
    kinds = {JSON: {"schema": whole.model_json_schema()}, forms.PARTS: {"schema": parts}}
    return {"requestBody": {"required": True, "content": kinds}}


def sent(form: type[F], whole: Any, door: Door) -> Callable[[Request], Awaitable[Sent[F]]]:
    """What a route depends on. Who sends is known before anything is read.

    It raises Unauthenticated, UnsupportedMedia, Unreadable, Invalid, RequestValidationError.
    """

    async def read(request: Request) -> Sent[F]:
        await principal_at(request, door)
        kind = forms.kind_of(request)
        if kind == forms.PARTS:
            return await of_parts(request, form)
        if kind != JSON:
            raise UnsupportedMedia(f"Envoyez du {JSON}, ou un formulaire {forms.PARTS}.")
        try:
            said = whole.model_validate_json(await request.body())
        except ValidationError as no:
            raise _refused(no) from None
        return Sent(said, said.content_type, _bytes(said))

    return read


async def of_parts(request: Request, form: type[F]) -> Sent[F]:
    fields, file = await forms.read_parts(request, FILE, FIELDS)
    if file is None:
        raise Invalid("Joignez un fichier, et chaque champ une fois.", where=f"/{FILE}", code="required")
    try:
        said = form.model_validate_strings({name: text for name, text in fields.items() if text})
    except ValidationError as no:
        raise _refused(no) from None
    return Sent(said, file.declared, file.clear)


def _bytes(said: Whole) -> bytes:
    try:
        return b64decode(said.content, validate=True)
    except ValueError:
        raise Invalid("Un contenu en base64 est attendu.", where="/content", code="bad_text") from None


def _refused(no: ValidationError) -> RequestValidationError:
    told = no.errors(include_url=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in told])


def objects_of(request: Request) -> Objects | None:
    objects: Objects | None = request.app.state.objects
    return objects


DESCRIBED = described(DocumentForm, DocumentIn)
MINE_DESCRIBED = described(MyDocumentForm, MyDocumentIn)
SentDocument = Annotated[Sent[DocumentForm], Depends(sent(DocumentForm, DocumentIn, Door.API))]
SentMyDocument = Annotated[Sent[MyDocumentForm], Depends(sent(MyDocumentForm, MyDocumentIn, Door.ME))]
Kept = Annotated[Objects | None, Depends(objects_of)]
