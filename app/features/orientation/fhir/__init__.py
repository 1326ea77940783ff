"""Orientation in FHIR: what is asked, what is decided."""

from app.features.orientation.fhir.decision import DECISION
from app.features.orientation.fhir.request import REQUEST

__all__ = ["DECISION", "REQUEST"]
