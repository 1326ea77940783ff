"""The rules of R4's resources, those that speak of people and their care. Source: https://hl7.org/fhir/R4/resourcelist.html"""

from app.fhir.rules.table import UCUM, Json, Rule, after, chosen, coded, has

TERMS = "http://terminology.hl7.org/CodeSystem"
ALLERGY, CONDITION = f"{TERMS}/allergyintolerance-verification", f"{TERMS}/condition-ver-status"
CLINICAL = f"{TERMS}/condition-clinical"
WRONG = "entered-in-error"


def _at_home(value: Json, name: str) -> bool:
    return any(each.get("use") == "home" for each in value.get(name, ()))


def _codings(concept: Json) -> list[Json]:
    return list(concept.get("coding", ()))


def _parts_of_another_code(value: Json) -> bool:
    own = _codings(value.get("code", {}))
    parts = (each for part in value.get("component", ()) for each in _codings(part.get("code", {})))
    return not (chosen(value, "value") and any(each in own for each in parts))


def _percents(value: Json) -> bool:
    probability = value.get("probabilityRange", {})
    ends = (probability[name] for name in ("low", "high") if name in probability)
    return all(each.get("code") == "%" and each.get("system") == UCUM for each in ends)


def _planned(value: Json) -> bool:
    dated = has(value, "start") and has(value, "end")
    return dated or value.get("status") in ("proposed", "cancelled", "waitlist")


def _stratifiers(value: Json) -> bool:
    """Each says itself, or its components."""
    lots = (each for one in value.get("group", ()) for each in one.get("stratifier", ()))
    return all(has(each, "code", "description", "criteria") != has(each, "component") for each in lots)


def _strata(value: Json) -> bool:
    groups = (each for one in value.get("group", ()) for each in one.get("stratifier", ()))
    return all(has(each, "value") != has(each, "component") for one in groups for each in one.get("stratum", ()))


PEOPLE = (
    Rule(
        "pat-1", "Patient.contact", "name.exists() or telecom.exists() or address.exists() or organization.exists()",
        "Un contact dit son nom (name), un moyen de le joindre (telecom), son adresse ou son organisation.",
        lambda v: has(v, "name", "telecom", "address", "organization"),
    ),
    Rule(
        "org-1", "Organization", "(identifier.count() + name.count()) > 0",
        "Une organisation a un identifiant (identifier) ou un nom (name).", lambda v: has(v, "identifier", "name"),
    ),
    Rule(
        "org-2", "Organization.address", "where(use = 'home').empty()",
        "L'adresse d'une organisation n'est pas celle d'un domicile (use home) : dites work.",
        lambda v: not _at_home(v, "address"), at="address",
    ),
    Rule(
        "org-3", "Organization.telecom", "where(use = 'home').empty()",
        "On ne joint pas une organisation à un domicile (use home) : dites work.",
        lambda v: not _at_home(v, "telecom"), at="telecom",
    ),
    Rule(
        "grp-1", "Group", "member.empty() or (actual = true)",
        "Seul un groupe réel (actual true) a des membres.", lambda v: not has(v, "member") or v.get("actual") is True,
    ),
    Rule(
        "sev-1", "AuditEvent.entity", "name.empty() or query.empty()",
        "Dites le nom (name) ou la requête (query), pas les deux.", lambda v: not (has(v, "name") and has(v, "query")),
    ),
    Rule(
        "ppc-1", "Consent", "policy.exists() or policyRule.exists()",
        "Un consentement dit la règle qu'il suit (policy ou policyRule).",
        lambda v: has(v, "policy", "policyRule"),
    ),
    Rule("lnk-1", "Linkage", "item.count()>1", "Un lien a deux éléments (item) au moins.",
         lambda v: len(v.get("item", ())) > 1, at="item"),
    Rule(
        "ipn-1", "InsurancePlan", "(identifier.count() + name.count()) > 0",
        "Une offre d'assurance a un identifiant (identifier) ou un nom (name).", lambda v: has(v, "identifier", "name"),
    ),
)  # fmt: skip

CARE = (
    Rule(
        "obs-3", "Observation.referenceRange", "low.exists() or high.exists() or text.exists()",
        "Un intervalle de référence a un bas (low), un haut (high) ou un texte.", lambda v: has(v, "low", "high", "text"),
    ),
    Rule(
        "obs-6", "Observation", "dataAbsentReason.empty() or value.empty()",
        "La raison d'une absence (dataAbsentReason) ne se dit que sans valeur : retirez l'une des deux.",
        lambda v: not (has(v, "dataAbsentReason") and chosen(v, "value")),
    ),
    Rule(
        "obs-7", "Observation", "value.empty() or component.code.where(coding.intersect(%resource.code.coding)."
        "exists()).empty()",
        "Une partie (component) porte le code de l'observation : la valeur se dit dans l'une ou dans l'autre.",
        _parts_of_another_code,
    ),
    Rule(
        "cpl-3", "CarePlan.activity", "detail.empty() or reference.empty()",
        "Une activité se dit ici (detail) ou là où elle est (reference), pas les deux.",
        lambda v: not (has(v, "detail") and has(v, "reference")),
    ),
    Rule(
        "gol-1", "Goal.target", "(detail.exists() and measure.exists()) or detail.exists().not()",
        "Une cible chiffrée (detail) dit ce qu'elle mesure (measure).",
        lambda v: not chosen(v, "detail") or has(v, "measure"),
    ),
    Rule(
        "prr-1", "ServiceRequest", "orderDetail.empty() or code.exists()",
        "Le détail d'une demande (orderDetail) demande son code (code).",
        lambda v: not has(v, "orderDetail") or has(v, "code"),
    ),
    Rule(
        "inv-1", "Task", "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn",
        "Une tâche n'est pas modifiée (lastModified) avant d'être écrite (authoredOn).",
        lambda v: not after(v.get("authoredOn"), v.get("lastModified")),
    ),
    Rule(
        "con-1", "Condition.stage", "summary.exists() or assessment.exists()",
        "Un stade dit son résumé (summary) ou ce qui l'établit (assessment).", lambda v: has(v, "summary", "assessment"),
    ),
    Rule(
        "con-2", "Condition.evidence", "code.exists() or detail.exists()",
        "Un signe dit son code (code) ou son détail (detail).", lambda v: has(v, "code", "detail"),
    ),
    Rule(
        "con-4", "Condition",
        "abatement.empty() or clinicalStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-"
        "clinical' and (code='resolved' or code='remission' or code='inactive')).exists()",
        "Ce qui a cessé (abatement) est resolved, remission ou inactive (clinicalStatus).",
        lambda v: not chosen(v, "abatement") or coded(v, "clinicalStatus", CLINICAL, "resolved", "remission", "inactive"),
    ),
    Rule(
        "con-5", "Condition",
        "verificationStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and "
        "code='entered-in-error').empty() or clinicalStatus.empty()",
        "Ce qui a été dit par erreur (entered-in-error) n'a pas d'état clinique (clinicalStatus).",
        lambda v: not (coded(v, "verificationStatus", CONDITION, WRONG) and has(v, "clinicalStatus")),
    ),
    Rule(
        "ait-1", "AllergyIntolerance",
        "verificationStatus.coding.where(system = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-"
        "verification' and code = 'entered-in-error').exists() or clinicalStatus.exists()",
        "Une allergie dit son état clinique (clinicalStatus), si elle n'a pas été dite par erreur.",
        lambda v: coded(v, "verificationStatus", ALLERGY, WRONG) or has(v, "clinicalStatus"),
    ),
    Rule(
        "ait-2", "AllergyIntolerance",
        "verificationStatus.coding.where(system = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-"
        "verification' and code = 'entered-in-error').empty() or clinicalStatus.empty()",
        "Une allergie dite par erreur (entered-in-error) n'a pas d'état clinique (clinicalStatus).",
        lambda v: not (coded(v, "verificationStatus", ALLERGY, WRONG) and has(v, "clinicalStatus")),
    ),
    Rule(
        "fhs-1", "FamilyMemberHistory", "age.empty() or born.empty()",
        "Dites l'âge (age) ou la naissance (born), pas les deux.", lambda v: not (chosen(v, "age") and chosen(v, "born")),
    ),
    Rule(
        "fhs-2", "FamilyMemberHistory", "age.exists() or estimatedAge.empty()",
        "estimatedAge ne se dit que d'un âge (age).", lambda v: chosen(v, "age") or not has(v, "estimatedAge"),
    ),
    Rule(
        "imm-1", "Immunization.education", "documentType.exists() or reference.exists()",
        "Un document remis dit sa sorte (documentType) ou où il est (reference).",
        lambda v: has(v, "documentType", "reference"),
    ),
    Rule(
        "imr-1", "ImmunizationRecommendation.recommendation", "vaccineCode.exists() or targetDisease.exists()",
        "Une recommandation dit le vaccin (vaccineCode) ou la maladie (targetDisease).",
        lambda v: has(v, "vaccineCode", "targetDisease"),
    ),
    Rule(
        "mad-1", "MedicationAdministration.dosage", "dose.exists() or rate.exists()",
        "Une prise dit sa dose (dose) ou son débit (rate).", lambda v: has(v, "dose") or chosen(v, "rate"),
    ),
    Rule(
        "mdd-1", "MedicationDispense",
        "whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared",
        "Un médicament n'est pas remis (whenHandedOver) avant d'être préparé (whenPrepared).",
        lambda v: not after(v.get("whenPrepared"), v.get("whenHandedOver")),
    ),
    Rule(
        "ras-1", "RiskAssessment.prediction",
        "(low.empty() or ((low.code = '%') and (low.system = %ucum))) and (high.empty() or ((high.code = '%') and "
        "(high.system = %ucum)))",
        "Une probabilité (probabilityRange) se dit en pour cent : code % d'UCUM.", _percents,
    ),
    Rule(
        "ras-2", "RiskAssessment.prediction", "probability is decimal implies (probability as decimal) <= 100",
        "Une probabilité ne dépasse pas 100.", lambda v: v.get("probabilityDecimal", 0) <= 100,
    ),
    Rule(
        "rqg-1", "RequestGroup.action", "resource.exists() != action.exists()",
        "Une action nomme une ressource (resource) ou d'autres actions (action) : l'une des deux.",
        lambda v: has(v, "resource") != has(v, "action"),
    ),
    Rule(
        "ces-1", "CoverageEligibilityResponse.insurance.item", "category.exists() xor productOrService.exists()",
        "Une ligne dit sa catégorie (category) ou l'acte (productOrService) : l'un des deux.",
        lambda v: has(v, "category") != has(v, "productOrService"),
    ),
    Rule(
        "mrp-1", "MeasureReport", "(type != 'data-collection') or group.exists().not()",
        "Un recueil de données (data-collection) n'a pas de groupe (group).",
        lambda v: v.get("type") != "data-collection" or not has(v, "group"),
    ),
    Rule(
        "mrp-2", "MeasureReport", "group.stratifier.stratum.all(value.exists() xor component.exists())",
        "Une strate a une valeur (value) ou des parties (component) : l'un des deux.", _strata,
    ),
    Rule(
        "mea-1", "Measure", "group.stratifier.all((code | description | criteria).exists() xor component.exists())",
        "Un découpage se dit lui-même, ou dit ses parties (component) : l'un des deux.",
        _stratifiers,
    ),
)  # fmt: skip

AGENDA = (
    Rule(
        "app-1", "Appointment.participant", "type.exists() or actor.exists()",
        "Un participant dit qui il est (actor) ou son rôle (type).", lambda v: has(v, "type", "actor"),
    ),
    Rule(
        "app-2", "Appointment", "start.exists() = end.exists()",
        "Un rendez-vous a un début et une fin (start, end), ou ni l'un ni l'autre.",
        lambda v: has(v, "start") == has(v, "end"),
    ),
    Rule(
        "app-3", "Appointment",
        "(start.exists() and end.exists()) or (status in ('proposed' | 'cancelled' | 'waitlist'))",
        "Un rendez-vous sans dates est proposed, cancelled ou waitlist (status).", _planned,
    ),
    Rule(
        "app-4", "Appointment",
        "Appointment.cancelationReason.exists() implies (Appointment.status='no-show' or Appointment.status='cancelled')",
        "La raison d'une annulation se dit d'un rendez-vous cancelled ou no-show (status).",
        lambda v: not has(v, "cancelationReason") or v.get("status") in ("no-show", "cancelled"),
    ),
    Rule(
        "apr-1", "AppointmentResponse", "participantType.exists() or actor.exists()",
        "Une réponse dit de qui elle vient (actor) ou son rôle (participantType).",
        lambda v: has(v, "participantType", "actor"),
    ),
)  # fmt: skip

DOCUMENTS = (
    Rule(
        "cmp-1", "Composition.section", "text.exists() or entry.exists() or section.exists()",
        "Une section porte un texte (text), des éléments (entry) ou d'autres sections (section).",
        lambda v: has(v, "text", "entry", "section"),
    ),
    Rule(
        "cmp-2", "Composition.section", "emptyReason.empty() or entry.empty()",
        "La raison d'un vide (emptyReason) ne se dit que sans élément (entry).",
        lambda v: not (has(v, "emptyReason") and has(v, "entry")),
    ),
    Rule(
        "lst-1", "List", "emptyReason.empty() or entry.empty()",
        "La raison d'un vide (emptyReason) ne se dit que sans élément (entry).",
        lambda v: not (has(v, "emptyReason") and has(v, "entry")),
    ),
    Rule(
        "lst-2", "List", "mode = 'changes' or entry.deleted.empty()",
        "Un élément retiré (deleted) ne se dit que d'une liste de changements (mode changes).",
        lambda v: v.get("mode") == "changes" or not any(has(each, "deleted") for each in v.get("entry", ())),
    ),
    Rule(
        "lst-3", "List", "mode = 'working' or entry.date.empty()",
        "La date d'un élément ne se dit que d'une liste tenue à jour (mode working).",
        lambda v: v.get("mode") == "working" or not any(has(each, "date") for each in v.get("entry", ())),
    ),
)  # fmt: skip
