"""Search parameters, one room by type of R4."""

from app.fhir.search.criteria.base import MISSING, NOT, Around, Asked, Bind, Column, Criterion, Mask, has
from app.fhir.search.criteria.identifier import ANY_SENDER, Identifier
from app.fhir.search.criteria.reference import Ids, Reference
from app.fhir.search.criteria.token import Coded, Token
from app.fhir.search.criteria.when import INSTANT, When, midnight

__all__ = [
    "ANY_SENDER",
    "INSTANT",
    "MISSING",
    "NOT",
    "Around",
    "Asked",
    "Bind",
    "Coded",
    "Column",
    "Criterion",
    "Identifier",
    "Ids",
    "Mask",
    "Reference",
    "Token",
    "When",
    "has",
    "midnight",
]
