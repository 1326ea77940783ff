"""Who is who on the page, to whom it speaks, and what frames every screen of an open record."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.security.principal import Role


class Screen(StrEnum):
    """The last part of the address: `/mon-dossier/projet`; the home is `/mon-dossier` itself."""

    HOME = "accueil"
    PROJECT = "projet"
    LIFE = "projet-de-vie"
    AGENDA = "agenda"
    JOURNAL = "journal"
    DOCUMENTS = "documents"
    AGREEMENTS = "accords"
    ORIENTATION = "mdph"
    ASSESSMENTS = "evaluations"
    ACCESS = "acces"
    COPIES = "copie"

    @property
    def path(self) -> str:
        return "/mon-dossier" if self is Screen.HOME else f"/mon-dossier/{self.value}"


class Voice(StrEnum):
    """To whom the page speaks."""

    VOUS = "vous"
    TU = "tu"  # only when the person chose it
    FOR_ANOTHER = "for_another"  # to a representative, about the person


class Gender(StrEnum):
    FEMININE = "f"
    MASCULINE = "m"


class Answer(StrEnum):
    """Also the posted value of the field `answer`."""

    YES = "yes"
    NO = "no"
    TALK = "talk"


@dataclass(frozen=True, slots=True)
class ThePerson:
    """The person whose record this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    relation: str  # a key of labels.RELATIONS
    name: str | None = None
    reading_now: bool = False  # the one who looks at this page


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Shown by role; `first_name` only where the structure chose it and told its staff (CJUE C-579/21)."""

    role: Role
    gender: Gender | None = None  # unknown: a neutral form
    first_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    name: str  # with its article when it has one: « le CHU », « la MDPH »


Who = ThePerson | Relative | Staff | Partner
THE_PERSON = ThePerson()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    first_name: str
    full_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """Whom to call: one person, with a name and a number."""

    name: str
    phone: str | None = None
    house: str | None = None  # a setting: the page may hide it
    role: Role | None = None
    gender: Gender | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Behalf:
    """A representative is looking."""

    relation: str  # a key of labels.RELATIONS
    told: bool = False  # it is recorded that the person was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    person: Person
    human: Human
    today: date
    tu: bool = False
    behalf: Behalf | None = None
    saved: bool = False  # the answer just posted is kept

    @property
    def voice(self) -> Voice:
        if self.behalf:
            return Voice.FOR_ANOTHER
        return Voice.TU if self.tu else Voice.VOUS
