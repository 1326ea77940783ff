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


class Deed(StrEnum):
    """What an act of the trail comes to, for the person whose dossier it is."""

    OPENED = "opened"  # came in, looked where they are, left
    READ = "read"
    WROTE = "wrote"
    RECEIVED = "received"  # a partner read it
    SENT = "sent"  # a professional sent it to a partner
    ACTED = "acted"  # a word that this version does not know: told as it is, an act


DEEDS: dict[str, Deed] = {
    **dict.fromkeys(
        ("login", "renew_session", "end_session", "logout", "introspect", "read_notice", "begin_second_factor",
         "confirm_second_factor", "change_password", "accept_invitation", "link_identity", "unlink_identity",
         "reset_password", "reset_second_factor", "enable", "disable", "rotate", "invite", "take_back_invitation"),
        Deed.OPENED,
    ),
    **dict.fromkeys(
        ("read", "explain", "explain_access", "explain_search", "look_for_double", "read_journal", "read_trail",
         "release_trail", "export"),
        Deed.READ,
    ),
    **dict.fromkeys(("hand_over", "send"), Deed.SENT),
    **dict.fromkeys(
        ("create", "update", "delete", "receive", "repeat", "accept", "refuse", "attach", "decide_inbound", "move",
         "erase", "erasure_notice", "erasure_stopped", "give_personal_access", "take_back_access", "manage_team",
         "validate_project", "confirm_mandate", "lift_restriction", "qualify_identity", "close_emergency",
         "review_emergency", "stop_handover", "keep_from_parents", "answer_as_guardian", "manage_structures",
         "manage_staff", "manage_accounts", "prepare_copy", "prepare_copy_of_care", "change_settings"),
        Deed.WROTE,
    ),
}  # fmt: skip


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
