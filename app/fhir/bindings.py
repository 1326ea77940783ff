"""The codes that R4 requires, which the R4B models do not check. Source: https://hl7.org/fhir/R4/terminologies-valuesets.html

A name is that of the model (`AppointmentParticipant.status`). Types outside this table fall back on the lists of the
models where those are whole. Two required lists are open in fact, MIME types and currencies: they are not checked.
"""

from collections.abc import Iterable

from app.fhir.known_types import R4_TYPES

_GENDER = "male female other unknown"
_REQUEST_STATUS = "draft active on-hold revoked completed entered-in-error unknown"
_REQUEST_INTENT = "proposal plan directive order original-order reflex-order filler-order instance-order option"
_EVENT_STATUS = "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
_PRIORITY = "routine urgent asap stat"
_ENCOUNTER = "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
_EPISODE = "planned waitlist active onhold finished cancelled entered-in-error"
_OBSERVATION = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_ACTIVITY = "not-started scheduled in-progress on-hold completed cancelled stopped unknown entered-in-error"
_DOCUMENT = "preliminary final amended entered-in-error"
_RELATION = "replaces transforms signs appends"
_DAYS = "mon tue wed thu fri sat sun"
_ANSWER = "accepted declined tentative needs-action"
_LIST_MODE = "working snapshot changes"
_COMPARATOR = "< <= >= >"
_UNITS_OF_TIME = "s min h d wk mo a"
_TASK_INTENT = "unknown proposal plan order original-order reflex-order filler-order instance-order option"

_CODES = {
    # datatypes
    "Address.type": "postal physical both",
    "Address.use": "home work temp old billing",
    "Age.comparator": _COMPARATOR,
    "ContactPoint.system": "phone fax email pager url sms other",
    "ContactPoint.use": "home work temp old mobile",
    "Count.comparator": _COMPARATOR,
    "Distance.comparator": _COMPARATOR,
    "Duration.comparator": _COMPARATOR,
    "HumanName.use": "usual official temp nickname anonymous old maiden",
    "Identifier.use": "usual official temp secondary old",
    "Narrative.status": "generated extensions additional empty",
    "Quantity.comparator": _COMPARATOR,
    "TimingRepeat.dayOfWeek": _DAYS,
    "TimingRepeat.durationUnit": _UNITS_OF_TIME,
    "TimingRepeat.periodUnit": _UNITS_OF_TIME,
    "TimingRepeat.when": "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS"
    " HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV",
    # envelopes and answers
    "AuditEvent.action": "C R U D E",
    "AuditEvent.outcome": "0 4 8 12",
    "AuditEventAgentNetwork.type": "1 2 3 4 5",
    "Bundle.type": "document message transaction transaction-response batch batch-response history searchset collection",
    "BundleEntryRequest.method": "GET HEAD POST PUT DELETE PATCH",
    "BundleEntrySearch.mode": "match include outcome",
    "OperationOutcomeIssue.code": "invalid structure required value invariant security login unknown expired forbidden"
    " suppressed processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension"
    " too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled"
    " informational",
    "OperationOutcomeIssue.severity": "fatal error warning information",
    "ProvenanceEntity.role": "derivation revision quotation source removal",
    "Subscription.status": "requested active error off",
    "SubscriptionChannel.type": "rest-hook websocket email sms message",
    # persons, houses, teams
    "CareTeam.status": "proposed active suspended inactive entered-in-error",
    "Device.status": "active inactive entered-in-error unknown",
    "DeviceDeviceName.type": "udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other",
    "DeviceUdiCarrier.entryType": "barcode rfid manual card self-reported unknown",
    "Endpoint.status": "active suspended error off entered-in-error test",
    "Group.type": "person animal practitioner device medication substance",
    "HealthcareServiceAvailableTime.daysOfWeek": _DAYS,
    "Location.mode": "instance kind",
    "Location.status": "active suspended inactive",
    "LocationHoursOfOperation.daysOfWeek": _DAYS,
    "Patient.gender": _GENDER,
    "PatientContact.gender": _GENDER,
    "PatientLink.type": "replaced-by replaces refer seealso",
    "Person.gender": _GENDER,
    "PersonLink.assurance": "level1 level2 level3 level4",
    "Practitioner.gender": _GENDER,
    "PractitionerRoleAvailableTime.daysOfWeek": _DAYS,
    "RelatedPerson.gender": _GENDER,
    # what is written in a dossier
    "Appointment.status": "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist",
    "AppointmentParticipant.required": "required optional information-only",
    "AppointmentParticipant.status": _ANSWER,
    "AppointmentResponse.participantStatus": _ANSWER,
    "CarePlan.intent": "proposal plan order option",
    "CarePlan.status": _REQUEST_STATUS,
    "CarePlanActivityDetail.kind": "Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder Task"
    " ServiceRequest VisionPrescription",
    "CarePlanActivityDetail.status": _ACTIVITY,
    "Communication.priority": _PRIORITY,
    "Communication.status": _EVENT_STATUS,
    "CommunicationRequest.priority": _PRIORITY,
    "CommunicationRequest.status": _REQUEST_STATUS,
    "Composition.confidentiality": "U L M N R V",
    "Composition.status": _DOCUMENT,
    "CompositionAttester.mode": "personal professional legal official",
    "CompositionRelatesTo.code": _RELATION,
    "CompositionSection.mode": _LIST_MODE,
    "Consent.status": "draft proposed active rejected inactive entered-in-error",
    "ConsentProvision.type": "deny permit",
    "ConsentProvisionData.meaning": "instance related dependents authoredby",
    "DetectedIssue.severity": "high moderate low",
    "DetectedIssue.status": _OBSERVATION,
    "DeviceUseStatement.status": "active completed entered-in-error intended stopped on-hold",
    "DiagnosticReport.status": "registered partial preliminary final amended corrected appended cancelled"
    " entered-in-error unknown",
    "DocumentReference.docStatus": _DOCUMENT,
    "DocumentReference.status": "current superseded entered-in-error",
    "DocumentReferenceRelatesTo.code": _RELATION,
    "Encounter.status": _ENCOUNTER,
    "EncounterLocation.status": "planned active reserved completed",
    "EncounterStatusHistory.status": _ENCOUNTER,
    "EpisodeOfCare.status": _EPISODE,
    "EpisodeOfCareStatusHistory.status": _EPISODE,
    "Flag.status": "active inactive entered-in-error",
    "Goal.lifecycleStatus": "proposed planned accepted active on-hold completed cancelled entered-in-error rejected",
    "List.mode": _LIST_MODE,
    "List.status": "current retired entered-in-error",
    "Observation.status": _OBSERVATION,
    "Questionnaire.status": "draft active retired unknown",
    "Questionnaire.subjectType": " ".join(sorted(R4_TYPES | {"Resource", "DomainResource"})),
    "QuestionnaireItem.enableBehavior": "all any",
    "QuestionnaireItem.type": "group display question boolean decimal integer date dateTime time string text url choice"
    " open-choice attachment reference quantity",
    "QuestionnaireItemEnableWhen.operator": "exists = != > < >= <=",
    "QuestionnaireResponse.status": "in-progress completed amended entered-in-error stopped",
    "RiskAssessment.status": _OBSERVATION,
    "ServiceRequest.intent": _REQUEST_INTENT,
    "ServiceRequest.priority": _PRIORITY,
    "ServiceRequest.status": _REQUEST_STATUS,
    "Slot.status": "busy free busy-unavailable busy-tentative entered-in-error",
    "SupplyRequest.status": "draft active suspended cancelled completed entered-in-error unknown",
    "Task.intent": _TASK_INTENT,
    "Task.priority": _PRIORITY,
    "Task.status": "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
    " entered-in-error",
}
REQUIRED = {name: frozenset(codes.split()) for name, codes in _CODES.items()}
_OPEN = {"CapabilityStatement.format"}  # a MIME type, whatever its short list says
_CUT_SHORT = {"+", "etc."}  # how a model's list says that it is not whole


def codes_of(name: str, listed: Iterable[str] | None) -> frozenset[str] | None:
    """The codes allowed at `name`; `listed` is what the model says of it. None when any code will do."""
    if name in REQUIRED:
        return REQUIRED[name]
    codes = frozenset(listed or ())
    return codes if codes and not codes & _CUT_SHORT and name not in _OPEN else None
