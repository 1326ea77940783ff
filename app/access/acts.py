"""What is not a row of the matrix: gestures that open, close or confirm, and the roles that have them (field.md §1)."""

from enum import StrEnum

from app.access.permissions import ACCOMPANY, LEAD
from app.security.principal import Role


class Act(StrEnum):
    GIVE_PERSONAL_ACCESS = "give_personal_access"
    TAKE_BACK_ACCESS = "take_back_access"
    MANAGE_TEAM = "manage_team"
    VALIDATE_PROJECT = "validate_project"
    CONFIRM_MANDATE = "confirm_mandate"
    LIFT_RESTRICTION = "lift_restriction"
    QUALIFY_IDENTITY = "qualify_identity"
    LOOK_FOR_DOUBLE = "look_for_double"  # yes or no, over the whole organisation (field.md §2)
    CLOSE_EMERGENCY = "close_emergency"
    REVIEW_EMERGENCY = "review_emergency"
    HAND_OVER = "hand_over"  # send rows of a dossier to a partner one names (field.md §4)
    STOP_HANDOVER = "stop_handover"  # who gave it may too
    KEEP_FROM_PARENTS = "keep_from_parents"  # at the child's asking; the named référent may too (field.md §5)
    ANSWER_AS_GUARDIAN = "answer_as_guardian"  # what the ASE or the house decides for a minor (field.md §5)
    MANAGE_STRUCTURES = "manage_structures"
    MANAGE_STAFF = "manage_staff"
    MANAGE_ACCOUNTS = "manage_accounts"  # who is let in, and who is put out; never what they read
    EXPLAIN_ACCESS = "explain_access"
    EXPLAIN_SEARCH = "explain_search"  # how the base runs a search: no row, no value
    READ_JOURNAL = "read_journal"
    DECIDE_INBOUND = "decide_inbound"
    READ_TRAIL = "read_trail"
    PREPARE_COPY = "prepare_copy"  # of a dossier, for the person
    PREPARE_COPY_OF_CARE = "prepare_copy_of_care"  # its care part: another person, of a profession of health
    RELEASE_TRAIL = "release_trail"  # show the person lines that were held back from them (field.md §6)
    CHANGE_SETTINGS = "change_settings"


R = Role
ACTS: dict[Act, frozenset[Role]] = {
    Act.GIVE_PERSONAL_ACCESS: frozenset({R.EDUCATEUR, R.CHEF_DE_SERVICE, R.SECRETARIAT}),
    Act.TAKE_BACK_ACCESS: frozenset({R.EDUCATEUR, R.CHEF_DE_SERVICE, R.SECRETARIAT}),
    Act.MANAGE_TEAM: frozenset({R.CHEF_DE_SERVICE, R.COORDINATEUR}),
    Act.VALIDATE_PROJECT: frozenset({R.CHEF_DE_SERVICE}),
    Act.CONFIRM_MANDATE: frozenset({R.CHEF_DE_SERVICE}),
    Act.LIFT_RESTRICTION: frozenset({R.CHEF_DE_SERVICE, R.DIRECTION}),
    Act.QUALIFY_IDENTITY: frozenset({R.SECRETARIAT}),
    Act.LOOK_FOR_DOUBLE: frozenset({R.SECRETARIAT, R.CHEF_DE_SERVICE, R.COORDINATEUR}),  # who may open a dossier
    Act.CLOSE_EMERGENCY: frozenset({R.CHEF_DE_SERVICE, R.DIRECTION}),
    Act.REVIEW_EMERGENCY: frozenset({R.CHEF_DE_SERVICE, R.DIRECTION}),
    Act.HAND_OVER: frozenset({*ACCOMPANY, *LEAD}),
    Act.STOP_HANDOVER: frozenset({R.CHEF_DE_SERVICE}),
    Act.KEEP_FROM_PARENTS: frozenset(
        {R.AIDE_SOIGNANT, R.INFIRMIER, R.MEDECIN, R.PARAMEDICAL, R.IDEC}
    ),  # of a profession of health
    Act.ANSWER_AS_GUARDIAN: frozenset({R.CHEF_DE_SERVICE, R.ASSISTANT_SOCIAL}),
    Act.MANAGE_STRUCTURES: frozenset({R.DIRECTION, R.ADMIN}),
    Act.MANAGE_STAFF: frozenset({R.DIRECTION, R.ADMIN, R.CHEF_DE_SERVICE}),
    Act.MANAGE_ACCOUNTS: frozenset({R.DIRECTION, R.ADMIN}),
    Act.EXPLAIN_ACCESS: frozenset({R.CHEF_DE_SERVICE, R.COORDINATEUR, R.DIRECTION}),
    Act.EXPLAIN_SEARCH: frozenset({R.DIRECTION, R.ADMIN}),
    Act.READ_JOURNAL: frozenset({R.SECRETARIAT, R.CHEF_DE_SERVICE, R.DIRECTION}),
    Act.DECIDE_INBOUND: frozenset({R.SECRETARIAT, R.CHEF_DE_SERVICE}),
    Act.READ_TRAIL: frozenset({R.DPO}),
    Act.PREPARE_COPY: frozenset({R.DIRECTION}),
    Act.PREPARE_COPY_OF_CARE: frozenset({R.MEDECIN, R.INFIRMIER, R.IDEC, R.PARAMEDICAL}),
    Act.RELEASE_TRAIL: frozenset({R.DPO}),
    Act.CHANGE_SETTINGS: frozenset({R.DIRECTION, R.ADMIN}),
}
