"""A consent to share → Consent (R4): who may read what, of which period, and what the person answered.

Told to the team, to the person and to who stands for them; never to a partner. It goes out only: nobody gives, from
elsewhere, a consent that would open this dossier; one that arrives is kept whole, and opens nothing.
Source: https://hl7.org/fhir/R4/consent.html
"""

from datetime import date, datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import ColumnElement, Date, case, func, literal_column, null
from sqlalchemy.dialects.postgresql import array

from app.access.entry import word
from app.access.models import SharingConsent
from app.access.protection import HOUSE_HIDDEN, PROTECTED, house_hidden
from app.features.consents.models import Answer, QuestionKind
from app.features.consents.schemas import to_me
from app.features.consents.standing import MY_ANSWER, MY_ANSWER_AT, MY_CHANGE, MY_VERSION, STANDS
from app.fhir.canonicals import OURS, code_system, extension
from app.fhir.mapping import RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Mask, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.tddui import house
from app.fhir.types import (
    CodeableConcept,
    Coding,
    Consent,
    ConsentActor,
    ConsentProvision,
    Extension,
    Period,
    Reference,
    moment,
)

PROFILE = f"{OURS}/StructureDefinition/sharing-consent"
QUESTION, IF_YES, IF_NO = extension("consent-question"), extension("consent-if-yes"), extension("consent-if-no")
SHOWN = extension("consent-shown")  # SHA-256 of the three sentences, one a line
KIND, CATEGORY = code_system("consent-kind"), code_system("category")
PRIVACY = CodeableConcept((Coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),))
DISCLOSURE = CodeableConcept((Coding("http://loinc.org", "59284-0"),))
RECIPIENT = CodeableConcept((Coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),))
RULE = CodeableConcept(text="Partage hors de l'équipe (CSP, art. L1110-4, III)")
STATUSES = {
    Answer.ASKED.value: "proposed",
    Answer.TALK.value: "proposed",
    Answer.YES.value: "active",
    Answer.NO.value: "rejected",
    Answer.DISAGREEMENT.value: "rejected",
}


# What the reader may know of the answers: also in a search, which would tell them otherwise by what it finds.
SEEN: ColumnElement[Any] = to_me(func.coalesce(MY_ANSWER, word("asked")), STANDS)
ANSWERED: ColumnElement[Any] = to_me(MY_ANSWER_AT, SharingConsent.answered_at)
LAPSES: ColumnElement[Any] = to_me(null(), SharingConsent.lapses_on)  # it is set once both have said yes
CHANGED: ColumnElement[Any] = to_me(MY_CHANGE, SharingConsent.updated_at)


class SharingFhir(RecordView, frozen=True):
    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar = {
        "answer": SEEN,
        "answered_at": ANSWERED,
        "version": to_me(MY_VERSION, SharingConsent.version),
        "updated_at": CHANGED,
        "lapses_on": LAPSES,
        "house_hidden": HOUSE_HIDDEN,
    }

    structure_id: str
    kind: str
    question: str
    if_yes: str
    if_no: str
    wording_sha256: str | None
    partner_id: str | None
    categories: list[str]
    kinds: list[str] | None
    data_from: date | None
    data_until: date | None
    starts: date
    ends: date | None
    lapses_on: date | None
    occurred_at: datetime
    answer: str = "asked"  # as the reader may see it: a parent their own
    answered_at: datetime | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(c: SharingFhir) -> Consent:
    told = ((QUESTION, c.question), (IF_YES, c.if_yes), (IF_NO, c.if_no), (SHOWN, c.wording_sha256))
    answered = c.answer != Answer.ASKED and c.answered_at is not None
    return Consent(
        id=c.id,
        meta=meta(c, PROFILE),
        extension=tuple(Extension(url=url, valueString=text) for url, text in told if text),
        status=STATUSES[c.answer],
        scope=PRIVACY,
        category=(DISCLOSURE, CodeableConcept((Coding(KIND, c.kind),))),
        patient=Reference(f"Patient/{c.usager_id}"),
        dateTime=moment(c.answered_at) if answered and c.answered_at else None,
        organization=(house(c.structure_id),),
        policyRule=RULE,
        provision=_provision(c),
    )


def masked(c: SharingFhir) -> SharingFhir:
    return msgspec.structs.replace(c, structure_id=PROTECTED) if c.house_hidden else c


def _provision(c: SharingFhir) -> ConsentProvision:
    """Nothing is open but what a « oui » opens, to this recipient."""
    period = _days(c.data_from, c.data_until)
    return ConsentProvision(
        type="permit" if c.answer == Answer.YES and c.kind == QuestionKind.SHARING else "deny",
        period=_days(c.starts, min((day for day in (c.ends, c.lapses_on) if day), default=None)),
        actor=(ConsentActor(role=RECIPIENT, reference=Reference(f"Organization/{c.partner_id}")),)
        if c.partner_id
        else (),
        class_=tuple(Coding(CATEGORY, category) for category in c.categories),
        code=tuple(CodeableConcept((Coding(code_system("kind"), kind),)) for kind in c.kinds or ()),
        dataPeriod=period,
    )


def _days(first: date | None, end: date | None) -> Period | None:
    """A FHIR period holds its last day, ours stops before it."""
    last = date.fromordinal(end.toordinal() - 1) if end else None
    return Period(first.isoformat() if first else None, last.isoformat() if last else None) if first or last else None


_KIND = literal_column(f"'{KIND}|'").concat(SharingConsent.kind)
SHARING = ResourceMap(
    profile=PROFILE,
    type_name="Consent",
    view=SharingFhir,
    to_fhir=to_fhir,
    by_type=False,
    masked=masked,
    search={
        "_lastUpdated": When(CHANGED),
        "actor": Leads(SharingConsent.partner_id, "Organization"),
        "category": Coded(array([literal_column("'http://loinc.org|59284-0'"), _KIND])),
        "date": When(case((SEEN != word("asked"), ANSWERED))),
        "organization": Leads(
            SharingConsent.structure_id, "Organization", mask=Mask(SharingConsent, house_hidden(SharingConsent))
        ),
        "period": When(SharingConsent.starts, func.least(SharingConsent.ends, LAPSES, type_=Date())),
        "scope": constant("patient-privacy", PRIVACY.coding[0].system),
        "status": Token.by(SEEN, STATUSES, of="Consent.status"),
    },
    travels=False,  # another house asks its own questions
)
