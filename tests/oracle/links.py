"""What links two rows, by the columns that hold it, said here again: the oracle owes nothing to what the product declares.

`tests/access/test_oracle_links.py` holds these against the registered maps: a new reference without a path here fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from tests.oracle.facts import Line
from tests.oracle.paths import FHIR, NOT_SEARCHED, Ids, both, has, rows_of
from tests.oracle.told import hidden, whose
from tests.oracle.truth import Truth

DIRECTORY = {
    "Organization": ("structure", "outside_party"),
    "Practitioner": ("professional", "outside_party"),
    "PractitionerRole": ("membership", "outside_party"),
}
KINDS_OF = {**FHIR, **DIRECTORY}
NO_SUBJECT = frozenset({"RelatedPerson", "Consent", *NOT_SEARCHED})  # R4 searches these by `patient` alone


def of_type(type_name: str, *where: Callable[[Line], bool], of: UUID | None = None) -> Callable[[Truth], Ids]:
    """The rows of this type that they read, of those a path is about; `of` whom, by the id they are told."""
    return both(*(rows_of(kind, *where, *_of_party(kind, type_name), of=of) for kind in KINDS_OF[type_name]))


def _of_party(kind: str, type_name: str) -> tuple[Callable[[Line], bool], ...]:
    return (has(type_name=type_name),) if kind == "outside_party" else ()


@dataclass(frozen=True)
class Link:
    """A parameter of a type, by the column that holds it in each kind; and the type it leads to. `ours`: the kinds of
    which what others received tells its own beside the row, where nothing finds it; `named`: by which column a kind tells
    a name alone, which leads nowhere.
    """

    type_name: str
    parameter: str
    target: str
    columns: dict[str, str] = field(hash=False)
    ours: frozenset[str] = frozenset()
    named: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.type_name}:{self.parameter}"

    def leads(self, truth: Truth, kind: str, row: Line) -> UUID | None:
        """Where a row that they read says to them that it leads, within reach or not."""
        if kind not in self.columns or (kind in self.ours and row["origin_partner_id"] is not None):
            return None
        if hidden(truth, kind, row, self.parameter):
            return None
        found: UUID | None = row[self.columns[kind]]
        return whose(truth, row) if self.columns[kind] == "usager_id" else found

    def sources(self, truth: Truth) -> Iterator[tuple[Line, UUID]]:
        """Each row that they read, of those that lead somewhere."""
        for kind in self.columns:
            for row in truth.open(kind):
                if to := self.leads(truth, kind, row):
                    yield row, to

    def telling(self, truth: Truth) -> Ids:
        """The rows that they read and that tell this of themselves."""
        names = {
            row["id"]
            for kind, column in self.named.items()
            for row in truth.open(kind)
            if row[column] is not None and not hidden(truth, kind, row, self.parameter)
        }
        return names | {row["id"] for row, _ in self.sources(truth)}

    def pairs(self, truth: Truth) -> Iterator[tuple[Line, UUID]]:
        """Each row with the one it leads to, when both may be read."""
        there = of_type(self.target)(truth)
        return ((row, to) for row, to in self.sources(truth) if to in there)


OURS = frozenset({"stay", "event", "document"})
PROJECT = {kind: "project_id" for kind in ("action", "service", "means", "review")}
TO_ANOTHER = (
    Link("Task", "based-on", "CarePlan", PROJECT),
    Link("Task", "part-of", "Task", {"service": "action_id", "means": "action_id"}),
    Link("Task", "encounter", "Encounter", {"transport": "event_id"}),
    Link("ServiceRequest", "based-on", "CarePlan", {"need": "project_id"}),
    Link("CarePlan", "replaces", "CarePlan", {"project": "replaces_id"}),
    Link("DocumentReference", "relatesto", "DocumentReference", {"document": "replaces_id"}),
    Link("DocumentReference", "encounter", "Encounter", {"document": "encounter_id"}),
    Link("Encounter", "part-of", "Encounter", {"event": "stay_id"}),
    Link("QuestionnaireResponse", "encounter", "Encounter", {"assessment": "event_id"}),
    Link("Slot", "schedule", "Schedule", {"presence": "schedule_id"}),
    Link("Patient", "link", "Patient", {"usager": "merged_into_id"}),
)
TO_DIRECTORY = (
    Link("Encounter", "service-provider", "Organization", {"stay": "structure_id", "event": "structure_id"}, OURS),
    Link("DocumentReference", "custodian", "Organization", {"document": "structure_id"}, OURS),
    Link("Consent", "organization", "Organization", {"sharing_consent": "structure_id"}),
    Link("ServiceRequest", "performer", "Organization", {"orientation_request": "mdph_id"}),
    Link("Task", "owner", "Organization", {"transport": "carrier_id"}),
    Link(
        "PractitionerRole",
        "practitioner",
        "Practitioner",
        {"membership": "professional_id", "outside_party": "practitioner_id"},
    ),
    # A partner is no row of the directory, and who certified a death is told by their name alone.
    Link("Consent", "actor", "Organization", {"sharing_consent": "partner_id"}),
    Link("Observation", "performer", "Practitioner", {}, named={"school_period": "school_name"}),
)
TO_PERSON = (
    Link("Schedule", "actor", "Patient", {"presence_schedule": "usager_id"}),
    *(
        Link(name, parameter, "Patient", dict.fromkeys(kinds, "usager_id"))
        for name, kinds in FHIR.items()
        for parameter in ("patient", "subject")
        if name not in (NO_SUBJECT if parameter == "subject" else NOT_SEARCHED)
    ),
)
LINKS = (*TO_ANOTHER, *TO_DIRECTORY, *TO_PERSON)
