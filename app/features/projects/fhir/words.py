"""What the maps of a project share: its addresses, the states of its tasks, titles, the project a part is of.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui (2.4.0)
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.features.projects.vocabulary import TaskStatus
from app.fhir.canonicals import extension
from app.fhir.mapping import Inbound
from app.fhir.registry import profiles_of
from app.fhir.tddui import TDDUI, led_to
from app.fhir.types import Reference
from app.kernel.errors import Invalid

EVALUATION = f"{TDDUI}/StructureDefinition/tddui-evaluation-reference"
CAREPLAN = f"{TDDUI}/StructureDefinition/tddui-careplan-reference"
REPLACES = extension("replaces")  # the same part in the project that an amendment replaced: TDDUI has no word for it
TASK_STATUSES = {
    TaskStatus.DRAFT.value: "draft",
    TaskStatus.IN_PROGRESS.value: "in-progress",
    TaskStatus.COMPLETED.value: "completed",
    TaskStatus.CANCELLED.value: "cancelled",
}
TASK_STATUSES_HEARD = {code: status for status, code in TASK_STATUSES.items()} | {
    "requested": TaskStatus.DRAFT.value,
    "received": TaskStatus.DRAFT.value,
    "accepted": TaskStatus.DRAFT.value,
    "ready": TaskStatus.DRAFT.value,
    "on-hold": TaskStatus.IN_PROGRESS.value,
    "rejected": TaskStatus.CANCELLED.value,
    "failed": TaskStatus.CANCELLED.value,
    "entered-in-error": TaskStatus.CANCELLED.value,
}
UNTITLED = "Sans titre"


def project_of(inbound: Inbound, references: Iterable[Reference | None]) -> UUID:
    """Raises Invalid when none of them leads to a project here."""
    found = led_to(inbound, references, "CarePlan")
    if not found:
        raise Invalid("On ne sait pas de quel projet c'est.", where=inbound.where, code="project.none")
    return found[0]


def same_bundle(inbound: Inbound, reference: Reference | None, its_profile: str) -> UUID | None:
    """The row referred to when the bundle holds it and it is of this profile: a type alone says too little."""
    resource = inbound.around.get((reference.reference if reference else None) or "")
    return inbound.target(reference, "Task") if resource and its_profile in profiles_of(resource) else None


def title_of(*found: str | None) -> str:
    """The first of these that says something."""
    return next((text for text in found if text and text.strip()), UNTITLED)


def title_said(view: Any, title: str, instead: str | None = None) -> str | None:
    """The title, unless it arrived without one and `instead` was taken for it: what was not sent is not sent back."""
    return None if view.origin_partner_id is not None and title in (instead, UNTITLED) else title
