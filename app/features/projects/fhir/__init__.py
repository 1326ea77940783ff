"""A personalised project in FHIR: one map per TDDUI profile."""

from app.features.projects.fhir.agreements import ACCORD
from app.features.projects.fhir.goals import EXPECTATION, OBJECTIVE
from app.features.projects.fhir.needs import NEED
from app.features.projects.fhir.plan import PLAN
from app.features.projects.fhir.reviews import REVIEW
from app.features.projects.fhir.tasks import ACTIONS, MEANS, SERVICES

__all__ = ["ACCORD", "ACTIONS", "EXPECTATION", "MEANS", "NEED", "OBJECTIVE", "PLAN", "REVIEW", "SERVICES"]
