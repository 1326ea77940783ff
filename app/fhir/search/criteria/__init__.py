"""Search parameters, one room by type of R4."""

from app.fhir.search.criteria.base import MISSING, NOT, Around, Asked, Bind, Column, Criterion, Mask, has
from app.fhir.search.criteria.composite import Composite, Either
from app.fhir.search.criteria.identifier import ANY_SENDER, Identifier
from app.fhir.search.criteria.quantity import Quantity
from app.fhir.search.criteria.reference import TYPES, Ids, Reference, References, Someone, someone
from app.fhir.search.criteria.telecom import Telecom
from app.fhir.search.criteria.token import Coded, Token, constant, flag
from app.fhir.search.criteria.uri import Canonical, Profile
from app.fhir.search.criteria.when import INSTANT, When, midnight
from app.fhir.search.criteria.words import Words

__all__ = [
    "ANY_SENDER",
    "INSTANT",
    "MISSING",
    "NOT",
    "TYPES",
    "Around",
    "Asked",
    "Bind",
    "Canonical",
    "Coded",
    "Column",
    "Composite",
    "Criterion",
    "Either",
    "Identifier",
    "Ids",
    "Mask",
    "Profile",
    "Quantity",
    "Reference",
    "References",
    "Someone",
    "Telecom",
    "Token",
    "When",
    "Words",
    "constant",
    "flag",
    "has",
    "midnight",
    "someone",
]
