"""Transmission ⇄ FHIR DocumentReference, profile "cahier de liaison": one resource per entry, joined to its thread's first.

Source: https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition-cdl-document-reference.html
"""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import ClassVar

from sqlalchemy import case, or_

from app.access.entry import word
from app.features.transmissions import masking
from app.features.transmissions.models import EntryKind, Transmission
from app.fhir.canonicals import code_system, extension
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Composite, Someone, Token, When, constant
from app.fhir.tddui import instant_of
from app.fhir.types import (
    Attachment,
    CodeableConcept,
    Coding,
    DocumentContent,
    DocumentReference,
    DocumentRelation,
    Extension,
    Reference,
    heard,
    moment,
)
from app.kernel.clock import now
from app.kernel.errors import Invalid

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"
IS_EMERGENCY = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency"
OWN_PROFILE = extension("transmission")
TARGET = extension("transmission-target")
KIND = code_system("transmission-kind")  # JDV_J23, the binding of `type`, has no word for the parts of a DAR entry
TEXT = "text/plain; charset=utf-8"
WORDS: dict[str, str] = {
    EntryKind.DATA: "Donnée",
    EntryKind.ACTION: "Action",
    EntryKind.RESULT: "Résultat",
    EntryKind.NARRATIVE: "Transmission",
    EntryKind.REPLY: "Réponse",
}
TYPES = {kind: CodeableConcept((Coding(KIND, kind),), told) for kind, told in WORDS.items()}
TYPE = "DocumentReference"
AUTHORS = {"professional": "Practitioner", "usager": "Patient", "representative": "RelatedPerson"}


class TransmissionFhir(RecordView, frozen=True):
    TABLE: ClassVar = Transmission
    COMPUTED: ClassVar = {"text": masking.TEXT, "extra": masking.EXTRA}

    author_id: str | None
    author_kind: str
    thread_id: str
    target: str | None
    kind: str
    text: str
    important: bool
    occurred_at: datetime


def to_fhir(t: TransmissionFhir) -> DocumentReference:
    """What a partner wrote keeps its own author and type of note, which stand beside the row, and how it said its format."""
    arrived = t.origin_partner_id is not None
    author = AUTHORS.get(t.author_kind)
    text = Attachment(contentType=TEXT, data=b64encode(t.text.encode()).decode() or None)
    return DocumentReference(
        id=t.id,
        meta=meta(t, *((PROFILE,) if arrived else (PROFILE, OWN_PROFILE))),
        status="current",
        type=None if arrived and t.kind == EntryKind.NARRATIVE else TYPES[t.kind],
        subject=Reference(f"Patient/{t.usager_id}"),
        date=moment(t.occurred_at),
        author=(Reference(f"{author}/{t.author_id}"),) if author else (),
        relatesTo=()
        if t.thread_id == t.id
        else (DocumentRelation(code="appends", target=Reference(f"DocumentReference/{t.thread_id}")),),
        content=(DocumentContent(attachment=text),),
        extension=(
            *((Extension(url=IS_EMERGENCY, valueBoolean=True),) if t.important else ()),
            *((Extension(url=TARGET, valueString=t.target),) if t.target else ()),
        ),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid unless there is exactly one text: a photo alone, or two texts, are no entry of ours."""
    d = heard(DocumentReference, resource)
    threads = [inbound.target(r.target, "DocumentReference") for r in d.relatesTo if r.code == "appends"]
    said = {e.url: e for e in d.extension}
    row = Transmission(
        thread_id=next((t for t in threads if t), inbound.id),
        target=said[TARGET].valueString if TARGET in said else None,
        kind=_kind(d),
        text=_text(d),
        important=bool(IS_EMERGENCY in said and said[IS_EMERGENCY].valueBoolean),
        occurred_at=instant_of(d.date) or now(),
    )
    return Arrived(row)


def _kind(d: DocumentReference) -> str:
    codes = {c.code for c in (d.type.coding if d.type else ()) if c.system == KIND}
    return next((k.value for k in EntryKind if k.value in codes), EntryKind.NARRATIVE.value)


def _text(d: DocumentReference) -> str:
    held = [c.attachment for c in d.content if c.attachment]
    texts = [a.data for a in held if a.data and (a.contentType or "").partition(";")[0].strip() == "text/plain"]
    if len(texts) != 1:
        raise Invalid("Une transmission tient en un texte.", where="content", code="not_carried")
    try:
        told = b64decode("".join(texts[0].split()), validate=True).decode().replace("\x00", "")
    except ValueError as exc:  # base64, ASCII, UTF-8: all of its kind
        raise Invalid("Le texte n'est pas de l'UTF-8 en base64.", where="content", code="bad_text") from exc
    if not told:
        raise Invalid("Une transmission dit quelque chose.", where="content", code="not_carried")
    return told


_FOLLOWS = Transmission.thread_id != Transmission.id
_FIRST = Someone(case((_FOLLOWS, Transmission.thread_id)), word(TYPE), {TYPE: TYPE}, told_by=lambda t: t.thread_id)
_RELATION = Token(case((_FOLLOWS, word("appends"))), {"appends": ("appends",)}, of="DocumentReferenceRelatesTo.code")
_NOT_A_NOTE = Transmission.kind != word(EntryKind.NARRATIVE)
NOTE = ResourceMap(
    profile=PROFILE,
    type_name="DocumentReference",
    view=TransmissionFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    also=(OWN_PROFILE,),
    by_type=False,  # a scanned letter is a DocumentReference too
    always=frozenset({"date"}),  # when the reference was made: here, when its sender does not say
    search={
        "author": Someone(
            Transmission.author_id, Transmission.author_kind, {kind: name for name, kind in AUTHORS.items()}
        ),
        "date": When(Transmission.occurred_at),
        "relatesto": _FIRST,
        "relation": _RELATION,
        "relationship": Composite(_FIRST, _RELATION),
        "status": constant("current", of="DocumentReference.status"),
        "type": Token(
            Transmission.kind,
            {k.value: (k.value,) for k in EntryKind},
            KIND,
            labels=WORDS,
            knows=or_(Transmission.origin_partner_id.is_(None), _NOT_A_NOTE),
        ),
    },
)
