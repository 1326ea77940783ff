"""The closed words of the trail."""

from dataclasses import dataclass
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
    MOTIF = "motif"  # the direction, for a purpose it stated
    ASTREINTE = "astreinte"


class Door(StrEnum):
    """By which door the caller came."""

    API = "api"
    ME = "me"
    FHIR = "fhir"
    PAGE = "page"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Call:
    """The request around an act: where it came in, from which address, under which number."""

    door: Door
    request_id: str
    address: str | None = None
