"""Document ⇄ FHIR DocumentReference. Its bytes are told by the address of a Binary, or inline in what travels (`data`).

A DocumentReference without profile is a document: only the notes of the cahier de liaison say theirs.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-document-reference
"""

from datetime import datetime
from typing import ClassVar

import msgspec
from sqlalchemy import Text, case, func, literal_column, or_

from app.access.entry import Who, word
from app.access.permissions import Category
from app.access.protection import ANYWHERE_PROTECTED, HOUSE_HIDDEN, PROTECTED, house_hidden
from app.features.documents import arriving
from app.features.documents.models import Document, DocumentStatus
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import TYPES as TYPES_OF
from app.fhir.search.criteria import Coded, Composite, Mask, Someone, Token, When, Words
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.criteria import someone as vouched
from app.fhir.search.issued import Named
from app.fhir.tddui import OF_THE_HOUSE, at, code_of, coded, house, instant_of, known, profile, someone, to
from app.fhir.types import (
    Attachment,
    Coding,
    DocumentContent,
    DocumentContext,
    DocumentReference,
    DocumentRelation,
    Identifier,
    Period,
    Reference,
    heard,
    moment,
)
from app.kernel.clock import now

PROFILE = profile("document-reference")
TYPE, BINARY = "DocumentReference", arriving.BINARY
STATUSES = {status.value: status.value.replace("_", "-") for status in DocumentStatus}
HEARD = {code: status for status, code in STATUSES.items()}
AUTHORS = {"professional": "Practitioner", "usager": "Patient", "representative": "RelatedPerson"}
WRITERS = (*OF_THE_HOUSE, "Patient", "RelatedPerson")
UNTITLED = "Document reçu"
_NONE = literal_column("NULL", Text())


class DocumentFhir(RecordView, frozen=True):
    """`data`: the bytes in base64, when they travel with it; `url`: where its sender said they are."""

    TABLE: ClassVar = Document
    COMPUTED: ClassVar = {
        "data": _NONE,
        "url": _NONE,
        "protected": ANYWHERE_PROTECTED,
        "house_hidden": HOUSE_HIDDEN,
    }

    structure_id: str
    author_id: str | None
    author_kind: str
    title: str
    description: str | None
    status: str
    content_id: str | None
    content_type: str | None
    language: str | None
    size: int | None
    sha1: str | None
    sha256: str | None
    written_on: str | None
    type: str | None
    class_code: str | None
    format: str | None
    writer_id: str | None
    writer_kind: str | None
    writer_name: str | None
    authenticator_id: str | None
    authenticator_kind: str | None
    authenticator_name: str | None
    event: str | None
    period_starts: datetime | None
    period_ends: datetime | None
    facility: str | None
    practice: str | None
    encounter_id: str | None
    replaces_id: str | None
    occurred_at: datetime
    data: str | None = None
    url: str | None = None
    protected: bool = True  # where nobody could tell
    house_hidden: bool = True


def to_fhir(d: DocumentFhir) -> DocumentReference:
    """A sender's own identifiers, custodian and further authors stand beside the row it sent."""
    ours = d.origin_partner_id is None
    own = Identifier(system="urn:ietf:rfc:3986", value=f"urn:uuid:{d.id}") if ours else None
    authenticator = someone(d.authenticator_id, d.authenticator_kind, d.authenticator_name)
    classed = coded(d.class_code)
    return DocumentReference(
        id=d.id,
        meta=meta(d, PROFILE),
        masterIdentifier=own,
        identifier=(own,) if own else (),
        status=STATUSES[d.status],
        type=coded(d.type),
        category=(classed,) if classed else (),
        subject=to("Patient", d.usager_id),
        date=moment(d.occurred_at),
        author=_authors(d),
        authenticator=authenticator,
        custodian=house(d.structure_id) if ours else None,
        relatesTo=(DocumentRelation(code="replaces", target=to(TYPE, d.replaces_id)),) if d.replaces_id else (),
        description=d.description,
        content=(DocumentContent(attachment=_attachment(d), format=_coding(d.format)),),
        context=_context(d),
    )


def _authors(d: DocumentFhir) -> tuple[Reference, ...]:
    writer = someone(d.writer_id, d.writer_kind, d.writer_name)
    if writer:
        return (writer,)
    author = AUTHORS.get(d.author_kind)
    return (to(author, d.author_id),) if author and d.author_id else ()


def _attachment(d: DocumentFhir) -> Attachment:
    here = d.content_id is not None and d.data is None and d.url is None
    return Attachment(
        contentType=d.content_type,
        language=d.language,
        data=d.data,
        url=f"{BINARY}/{d.id}" if here else d.url,
        size=d.size if here else None,
        hash=d.sha1 if here else None,
        title=d.title,
        creation=d.written_on,
    )


def _context(d: DocumentFhir) -> DocumentContext | None:
    event = coded(d.event)
    told = DocumentContext(
        encounter=(to("Encounter", d.encounter_id),) if d.encounter_id else (),
        event=(event,) if event else (),
        period=Period(start=at(d.period_starts), end=at(d.period_ends)) if d.period_starts or d.period_ends else None,
        facilityType=coded(d.facility),
        practiceSetting=coded(d.practice),
    )
    return told if told != DocumentContext() else None


def _coding(code: str | None) -> Coding | None:
    told = coded(code)
    return told.coding[0] if told else None


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when its bytes are not what they say: the whole is then kept as it came; TooLarge beyond the cap."""
    d = heard(DocumentReference, resource)
    content = next((c for c in d.content if c.attachment), DocumentContent())
    told = content.attachment or Attachment()
    about = d.context or DocumentContext()
    writers = [known(inbound, reference, *WRITERS) for reference in d.author]
    writer = next((who for who in writers if who[0]), (None, None, None))
    voucher = known(inbound, d.authenticator, *OF_THE_HOUSE)
    replaced = [inbound.target(r.target, TYPE) for r in d.relatesTo if r.code == "replaces"]
    encounters = [inbound.target(reference, "Encounter") for reference in about.encounter]
    row = Document(
        category=Category.CARE.value,
        title=told.title or d.description or UNTITLED,
        description=d.description,
        status=HEARD.get(d.status or "", DocumentStatus.CURRENT.value),
        content_type=told.contentType,
        language=told.language,
        written_on=told.creation,
        type=code_of(d.type),
        class_code=next((code_of(c) for c in d.category), None),
        format=f"{content.format.system}|{content.format.code}" if content.format and content.format.system else None,
        **dict(zip(("writer_id", "writer_kind", "writer_name"), writer, strict=True)),
        **dict(zip(("authenticator_id", "authenticator_kind", "authenticator_name"), voucher, strict=True)),
        event=next((code_of(c) for c in about.event), None),
        period_starts=instant_of(about.period.start) if about.period else None,
        period_ends=instant_of(about.period.end) if about.period else None,
        facility=code_of(about.facilityType),
        practice=code_of(about.practiceSetting),
        encounter_id=next((id for id in encounters if id), None),
        replaces_id=next((id for id in replaced if id), None),
        occurred_at=instant_of(d.date) or now(),
    )
    place = next((n for n, c in enumerate(d.content) if c.attachment), 0)
    new = arriving.with_file(row, told, f"content[{place}].attachment", inbound)
    as_sent: Json = {"data": told.data, "url": told.url}
    if told.contentType is None:
        as_sent["content_type"] = None  # the row says one all the same: bytes say their type
    return Arrived(row, told=as_sent if row.content_id else {}, along=new)


_OURS = Document.origin_partner_id.is_(None)
_REPLACED = Leads(Document.replaces_id, TYPE)
_RELATION = Token(
    case((Document.replaces_id.is_not(None), word("replaces"))),
    {"replaces": ("replaces",)},
    of="DocumentReferenceRelatesTo.code",
)
_WRITTEN = or_(Document.writer_id.is_not(None), Document.writer_name.is_not(None))
_FILED = {kind: TYPES_OF[name] for kind, name in AUTHORS.items()}
_AUTHOR = Someone(
    case((_WRITTEN, Document.writer_id), (Document.author_kind.in_(map(word, AUTHORS)), Document.author_id)),
    case(
        (_WRITTEN, func.coalesce(Document.writer_kind, word(Who.PROFESSIONAL))),
        *((Document.author_kind == word(kind), word(who)) for kind, who in _FILED.items()),
    ),
    TYPES_OF,
    Document.writer_name,
    told_by=lambda d: d.writer_id if d.writer_id or d.writer_name else d.author_id,
)


def masked(d: DocumentFhir) -> DocumentFhir:
    return msgspec.structs.replace(d, structure_id=PROTECTED) if d.house_hidden else d


DOCUMENT = ResourceMap(
    profile=PROFILE,
    type_name=TYPE,
    view=DocumentFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    always=frozenset({"date"}),  # when the reference was made: here, when its sender does not say
    search={
        "authenticator": vouched(
            Document.authenticator_id, Document.authenticator_kind, Document.authenticator_name, *OF_THE_HOUSE
        ),
        "author": _AUTHOR,
        "category": Coded(Document.class_code),
        "contenttype": Coded(Document.content_type),
        "custodian": Leads(
            Document.structure_id, "Organization", knows=_OURS, mask=Mask(Document, house_hidden(Document))
        ),
        "date": When(Document.occurred_at),
        "description": Words((Document.description,)),
        "encounter": Leads(Document.encounter_id, "Encounter"),
        "event": Coded(Document.event),
        "facility": Coded(Document.facility),
        "format": Coded(Document.format),
        "identifier": Named(Document),
        "language": Coded(Document.language),
        "period": When(Document.period_starts, Document.period_ends),
        "relatesto": _REPLACED,
        "relation": _RELATION,
        "relationship": Composite(_REPLACED, _RELATION),
        "setting": Coded(Document.practice),
        "status": Token.by(Document.status, STATUSES, of="DocumentReference.status"),
        "type": Coded(Document.type),
    },
    masked=masked,
    hides=lambda d: d.protected,
)
