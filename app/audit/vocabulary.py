"""The closed words of the trail."""

from enum import StrEnum


class Outcome(StrEnum):
    SUCCESS = "success"
    REFUSED = "refused"
    EMPTY = "empty"


class Ground(StrEnum):
    """Under what a row leaves the team that wrote it (CSP L1110-4, L1110-12)."""

    ACCORD = "accord"
    EQUIPE = "equipe"
    ECHANGE = "echange"
    LOI = "loi"
    VITAL = "vital"
    URGENCE = "urgence"


class Door(StrEnum):
    """By which door the caller came."""

    API = "api"
    ME = "me"
    FHIR = "fhir"
    PAGE = "page"
    SYSTEM = "system"
