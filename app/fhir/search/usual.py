"""What every type is searched by: its own id, when it last changed, whom it is about, how a partner
named it, of what profile it is."""

from app.access.entry import DossierEntry, Row
from app.fhir.search.criteria import Criterion, Identifier, Ids, Profile, Reference, When

# R4 gives these a parameter `patient` and no `subject`. Source: https://hl7.org/fhir/R4/searchparameter-registry.html
PATIENT_ONLY = frozenset({"RelatedPerson", "Consent", "Appointment"})
NOBODY = frozenset({"Patient", "Schedule", "Slot", "Organization", "Practitioner", "PractitionerRole", "Location"})


def usual(table: type[Row], type_name: str, profile: str) -> dict[str, Criterion]:
    found: dict[str, Criterion] = {"_id": Ids(table.id), "_lastUpdated": When(table.updated_at)}
    if profile:
        found["_profile"] = Profile({profile: None})
    if issubclass(table, DossierEntry) and type_name not in NOBODY:
        found["patient"] = Reference(table.usager_id, "Patient")
        if type_name not in PATIENT_ONLY:
            found["subject"] = found["patient"]
    if issubclass(table, DossierEntry):
        found["identifier"] = Identifier(named=table.id)
    return found
