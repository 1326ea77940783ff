"""What is observed of a person's life (school, how they move about, their death): it stands, or was entered in error."""

from enum import StrEnum


class Observed(StrEnum):
    FINAL = "final"
    IN_ERROR = "in_error"  # told as such to whoever received it; a row removed is told to nobody
