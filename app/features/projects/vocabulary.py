"""The closed words of a project: its states, whose wish it is, how a goal goes, who answers what."""

from enum import StrEnum


class ProjectStatus(StrEnum):
    """ENPREPARATION, ENCOURS, ENPAUSE, TERMINE."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"


class GoalStatus(StrEnum):
    """ENPREPARATION, ACTIF, TERMINE, ANNULE."""

    PLANNED = "planned"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TaskStatus(StrEnum):
    """Of an action, a service, a means, a review: ENPREPARATION, ACTIF, TERMINE, ANNULE."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Whose expectation it is."""

    USAGER = "usager"
    FAMILLE = "famille"
    PROFESSIONNEL = "professionnel"
    AUTRE = "autre"


class GoalKind(StrEnum):
    """A goal is not always to progress: keeping is one, trying is one."""

    AVANCER = "avancer"
    GARDER = "garder"
    ESSAYER = "essayer"


class Step(StrEnum):
    """Where a goal stands, in the words of its kind (`labels.STEPS`)."""

    NOT_STARTED = "not_started"
    STARTING = "starting"
    MOVING = "moving"
    ALMOST = "almost"
    DONE = "done"
    STILL_HERE = "still_here"
    HARDER = "harder"
    TALK_AGAIN = "talk_again"
    NOT_TRIED = "not_tried"
    TRYING = "trying"
    CHANGED_MIND = "changed_mind"
    PAUSED = "paused"


class Feeling(StrEnum):
    """« Pour moi, comment ça va ? »"""

    GOOD = "good"
    SO_SO = "so_so"
    BAD = "bad"
    DISAGREE = "disagree"


class Party(StrEnum):
    STRUCTURE = "structure"
    USAGER = "usager"
    REPRESENTATIVE = "representative"
    CONTACT = "contact"


class Answer(StrEnum):
    """Three answers of equal size: none blocks, none vanishes."""

    YES = "yes"
    NO = "no"
    TALK = "talk"
