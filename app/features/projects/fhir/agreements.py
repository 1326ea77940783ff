"""Agreement ⇄ Consent: the signature of a project, never a consent to share.

The project and the party are told by the CarePlan that cites the Consent (`supportingInfo`, by its discriminator).
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-consent-accord
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from app.access.entry import Who
from app.features.projects.models import Agreement
from app.features.projects.vocabulary import Answer, Party
from app.fhir.canonicals import code_system, extension
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.registry import profiles_of
from app.fhir.search.criteria import Token, When, constant
from app.fhir.search.criteria import someone as who
from app.fhir.tddui import OF_THE_HOUSE, WHO, at, day, day_of, instant_of, known, profile, someone, to, told_apart
from app.fhir.types import CarePlan, CodeableConcept, Coding, Consent, Extension, Period, Reference, heard
from app.kernel.errors import Invalid

PROFILE = profile("consent-accord")
PERIOD = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.period"
PARTY, PARTIES = extension("agreement-party"), code_system("agreement-party")
COMMENT, SHOWN = extension("agreement-comment"), extension("agreement-shown")
PRIVACY = CodeableConcept((Coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),))
CONSENT_DOCUMENT = CodeableConcept((Coding("http://loinc.org", "59284-0"),))
RULE = CodeableConcept(text="Accord sur le projet personnalisé (CASF, art. L311-3 et L311-4)")
STATUSES = {Answer.YES.value: "active", Answer.NO.value: "rejected", Answer.TALK.value: "proposed"}
HEARD = {code: answer for answer, code in STATUSES.items()}
CITED = {"accordStructure": Party.STRUCTURE, "accordUsager": Party.USAGER}
SIGNERS = (*OF_THE_HOUSE, "RelatedPerson", "Patient")


class AgreementFhir(RecordView, frozen=True):
    TABLE: ClassVar = Agreement

    project_id: str
    party: str
    answer: str
    signed_at: datetime
    signer_id: str | None
    signer_kind: str | None
    signer_name: str | None
    comment: str | None
    shown_version: int | None
    shown_sha256: str | None
    starts: date | None
    ends: date | None


def to_fhir(a: AgreementFhir) -> Consent:
    """The rule and the patient are ours to say of our own only: R4 asks for the one, TDDUI for neither."""
    ours = a.origin_partner_id is None
    signer = someone(a.signer_id, a.signer_kind, a.signer_name)
    return Consent(
        id=a.id,
        meta=meta(a, PROFILE),
        extension=(
            *((Extension(url=PERIOD, valuePeriod=Period(day(a.starts), day(a.ends))),) if a.starts or a.ends else ()),
            *((Extension(url=PARTY, valueCode=a.party),) if ours else ()),
            *((Extension(url=COMMENT, valueString=a.comment),) if a.comment else ()),
            *_shown(a),
        ),
        status=STATUSES[a.answer],
        scope=PRIVACY,
        category=(CONSENT_DOCUMENT,),
        patient=to("Patient", a.usager_id) if ours else None,
        dateTime=at(a.signed_at),
        performer=(signer,) if signer else (),
        policyRule=RULE if ours else None,
    )


def _shown(a: AgreementFhir) -> tuple[Extension, ...]:
    """On which version of the project, and the fingerprint of what was shown."""
    if a.shown_sha256 is None:
        return ()
    project = Reference(f"CarePlan/{a.project_id}/_history/{a.shown_version}")
    told = (Extension(url="project", valueReference=project), Extension(url="sha256", valueString=a.shown_sha256))
    return (Extension(url=SHOWN, extension=told),)


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when no project of the same bundle cites it, or when it has no date: then nothing was signed."""
    consent = heard(Consent, resource)
    signed_at = instant_of(consent.dateTime)
    cited = inbound.around.told(_citing).get(f"Consent/{inbound.id}")
    if cited is None or signed_at is None:
        raise Invalid("On ne sait pas quel projet est signé, ou quand.", where=inbound.where, code="agreement.none")
    project_id, party = cited
    performer = consent.performer[0] if consent.performer else None
    signer_id, signer_kind, signer_name = known(inbound, performer, *SIGNERS)
    told = {e.url: e for e in consent.extension}
    period = told[PERIOD].valuePeriod if PERIOD in told else None
    row = Agreement(
        project_id=project_id,
        party=_party(party, told.get(PARTY), performer).value,
        answer=HEARD.get(consent.status or "", Answer.TALK.value),
        signed_at=signed_at,
        signer_id=signer_id,
        signer_kind=signer_kind,
        signer_name=signer_name,
        comment=told[COMMENT].valueString if COMMENT in told else None,
        starts=day_of(period.start) if period else None,
        ends=day_of(period.end) if period else None,
        occurred_at=signed_at,
    )
    return Arrived(row)


def _citing(around: Mapping[str, Json]) -> dict[str, tuple[UUID, Party]]:
    """By the Consent it cites, the first project of the bundle that does, and as whose answer."""
    found: dict[str, tuple[UUID, Party]] = {}
    for name, other in around.items():
        if other.get("resourceType") == "CarePlan":
            for reference in heard(CarePlan, other).supportingInfo:
                if reference.reference and (party := CITED.get(told_apart(reference) or "")):
                    found.setdefault(reference.reference, (UUID(name.partition("/")[2]), party))
    return found


def _party(cited: Party, said: Extension | None, performer: Reference | None) -> Party:
    """`accordUsager` is the person's answer, or that of someone around them: the performer's type tells."""
    if cited is Party.STRUCTURE:
        return cited
    if said and said.valueCode in set(Party):
        return Party(said.valueCode)
    kind = WHO.get((performer.reference or "").partition("/")[0]) if performer else None
    return Party.CONTACT if kind is Who.CONTACT else cited


def is_agreement(inbound: Inbound, reference: Reference) -> bool:
    """Whether the Consent a project cites becomes an agreement here: what came in an earlier bundle did."""
    consent: Mapping[str, Any] | None = inbound.around.get(reference.reference or "")
    return consent is None or (PROFILE in profiles_of(consent) and instant_of(consent.get("dateTime")) is not None)


ACCORD = ResourceMap(
    profile=PROFILE,
    type_name="Consent",
    view=AgreementFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    by_type=False,  # a consent to share is a Consent too
    signed=SHOWN,
    search={
        "category": constant("59284-0", "http://loinc.org"),
        "consentor": who(Agreement.signer_id, Agreement.signer_kind, Agreement.signer_name),
        "scope": constant("patient-privacy", PRIVACY.coding[0].system),
        "status": Token.by(Agreement.answer, STATUSES, of="Consent.status"),
        "date": When(Agreement.signed_at),
    },
)
