"""The access matrix, as data. Read it with a jurist; change it in a commit of its own.

A cell says how far a role reaches for one action on one kind of row of one category. No cell: refused.
It is the widest the law allows (design: field.md §1); a structure may narrow it, never widen it.
"""

from collections.abc import Iterable
from enum import StrEnum

from app.security.principal import Caller, Role


class Action(StrEnum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Category(StrEnum):
    ADMINISTRATIVE = "administrative"
    SUPPORT = "support"
    CARE = "care"
    JUDICIAL = "judicial"
    ALERT = "alert"


class Visibility(StrEnum):
    """Does the person see it on their page?"""

    NOT_SHARED = "not_shared"
    SHARED = "shared"
    WITHHELD = "withheld"


class Kind(StrEnum):
    USAGER = "usager"
    USAGER_IDENTIFIER = "usager_identifier"
    CONTACT = "contact"
    MANDATE = "mandate"
    STAY = "stay"
    SHARING_CONSENT = "sharing_consent"
    CONSENT_ANSWER = "consent_answer"
    OPPOSITION = "opposition"
    EMERGENCY_SHEET = "emergency_sheet"
    EMERGENCY_ACCESS = "emergency_access"
    TEAM_MEMBER = "team_member"
    TRANSMISSION = "transmission"
    EVENT = "event"
    PRESENCE = "presence"
    PRESENCE_SCHEDULE = "presence_schedule"
    DOCUMENT = "document"
    MEAL = "meal"
    TRANSPORT = "transport"
    PROJECT = "project"
    EXPECTATION = "expectation"
    NEED = "need"
    GOAL = "goal"
    ACTION = "action"
    SERVICE = "service"
    MEANS = "means"
    REVIEW = "review"
    AGREEMENT = "agreement"
    ASSESSMENT = "assessment"
    LIFE_PROJECT = "life_project"
    SCHOOL_PERIOD = "school_period"
    MOBILITY = "mobility"
    DEATH = "death"
    ORIENTATION_REQUEST = "orientation_request"
    ORIENTATION_DECISION = "orientation_decision"
    KEPT_RESOURCE = "kept_resource"
    JUDICIAL_DECISION = "judicial_decision"
    CONSIGNE = "consigne"
    STATED_PURPOSE = "stated_purpose"
    SHARED_TEAM = "shared_team"
    HANDOVER = "handover"
    COPY_REQUEST = "copy_request"
    ALERT = "alert"
    # The organisation's directory: about no usager.
    STRUCTURE = "structure"
    SETTING = "setting"
    UNIT = "unit"
    PROFESSIONAL = "professional"
    MEMBERSHIP = "membership"
    UNIT_TEAM = "unit_team"
    ON_CALL = "on_call"
    NARROWING = "narrowing"
    PARTNER = "partner"
    RESOURCE = "resource"
    # What is exchanged: bundles, and who stands in them without being of the house.
    EXCHANGE = "exchange"
    OUTSIDE_PARTY = "outside_party"


class Reach(StrEnum):
    STRUCTURE = "structure"  # everyone in the structures of my membership
    TEAM = "team"  # the usagers I accompany today, there
    REFERENT = "referent"  # of these, those whose named référent I am
    TEAM_CONSIGNE = "team_consigne"  # of these, only rows flagged as a consigne
    OWN = "own"  # what I wrote there
    ALERTED = "alerted"  # alerts: those I wrote, those that name me, wherever they stand
    MYSELF = "myself"  # my own dossier: what is shared with me, or that I wrote
    MINE = "mine"  # of my own dossier, what I wrote
    MANDATE = "mandate"  # the person I represent: what my mandate opens
    SENT = "sent"  # what this partner sent, as it sent it
    SENT_OR_GRANTED = "sent_or_granted"  # that, and what a running consent of the person covers
    PURPOSE = "purpose"  # whom a stated purpose opens to me, for some hours
    ORGANISATION = "organisation"  # the directory, for whoever works there or exchanges with it
    ON_DUTY = "on_duty"  # myself in a unit, for a day at most
    RECEIVING = "receiving"  # rows this partner sends to the structure its token names
    NAMED = "named"  # an outside party: who may read a row that names it; and its sender


Cell = tuple[Kind, Category, Action]
Row = dict[Cell, Reach]

K, C, A = Kind, Category, Action

# Common to every structure where the person has an open stay; the rest belongs to its structure (field.md §2).
COMMON = frozenset(
    {
        K.USAGER,
        K.USAGER_IDENTIFIER,
        K.CONTACT,
        K.MANDATE,
        K.STAY,
        K.SHARING_CONSENT,
        K.CONSENT_ANSWER,
        K.OPPOSITION,
        K.EMERGENCY_SHEET,
        K.TEAM_MEMBER,
        K.CONSIGNE,
        K.SHARED_TEAM,
    }
)
IDENTITY = (K.USAGER, K.USAGER_IDENTIFIER, K.CONTACT, K.MANDATE, K.STAY)
SHARING = (K.SHARING_CONSENT, K.CONSENT_ANSWER, K.OPPOSITION)
PROJECT = (
    K.PROJECT, K.EXPECTATION, K.NEED, K.GOAL, K.ACTION, K.SERVICE, K.MEANS, K.REVIEW, K.AGREEMENT,
)  # fmt: skip
PLANNED = (K.NEED, K.GOAL, K.ACTION, K.SERVICE, K.MEANS, K.REVIEW)  # not someone's words, nor someone's answer
AMENDED = tuple(kind for kind in PROJECT if kind is not K.AGREEMENT)  # another answer is another row
AROUND = (K.MEAL, K.TRANSPORT)  # of the day, always support
ATTENDANCE = (K.PRESENCE, K.PRESENCE_SCHEDULE)  # the second comes with the first of a person in a house
DAILY = (K.TRANSMISSION, K.EVENT, K.DOCUMENT)
ORIENTATION = (K.ORIENTATION_REQUEST, K.ORIENTATION_DECISION)  # what the MDPH is asked, and decides
LIFE = (K.LIFE_PROJECT, K.SCHOOL_PERIOD, K.MOBILITY)  # how the person lives, and wants to
DIRECTORY = (
    K.STRUCTURE,
    K.SETTING,
    K.UNIT,
    K.PROFESSIONAL,
    K.MEMBERSHIP,
    K.UNIT_TEAM,
    K.ON_CALL,
    K.NARROWING,
    K.PARTNER,
    K.RESOURCE,
)
EXCHANGED = (K.EXCHANGE, K.OUTSIDE_PARTY)
EVERY = tuple(kind for kind in Kind if kind not in (*DIRECTORY, *EXCHANGED, K.ALERT, K.COPY_REQUEST))


def cells(
    reach: Reach, kinds: Iterable[Kind], categories: Iterable[Category], actions: Iterable[Action] = (A.READ,)
) -> Row:
    return {(kind, category, action): reach for kind in kinds for category in categories for action in actions}


WRITE = (A.CREATE, A.UPDATE)
MAKE = (A.CREATE,)
MEND = (A.UPDATE, A.DELETE)
CORRECT = (*WRITE, A.DELETE)
ADMINISTRATIVE, SUPPORT, CARE, JUDICIAL = (C.ADMINISTRATIVE,), (C.SUPPORT,), (C.CARE,), (C.JUDICIAL,)
ALERT = (C.ALERT,)


def _accompanies(*, care: bool) -> Row:
    """Who accompanies persons day by day: reads and writes the support of their own usagers."""
    row = cells(Reach.TEAM, EVERY, (C.ADMINISTRATIVE, C.SUPPORT))
    row |= cells(Reach.TEAM, (K.EMERGENCY_SHEET,), CARE)
    row |= cells(Reach.TEAM, DAILY, SUPPORT, MAKE) | cells(Reach.OWN, DAILY, SUPPORT, MEND)
    row |= cells(Reach.TEAM, (K.DOCUMENT,), ADMINISTRATIVE, MAKE) | cells(
        Reach.OWN, (K.DOCUMENT,), ADMINISTRATIVE, MEND
    )
    row |= cells(Reach.TEAM, (K.EVENT,), SUPPORT, (A.UPDATE,))  # who is there notes who came, whoever planned it
    row |= cells(Reach.TEAM, AROUND, SUPPORT, WRITE) | cells(Reach.OWN, AROUND, SUPPORT, (A.DELETE,))
    row |= cells(Reach.TEAM, ATTENDANCE, ADMINISTRATIVE, MAKE)
    row |= cells(Reach.TEAM, (K.PRESENCE,), ADMINISTRATIVE, (A.UPDATE,))  # who is there says who is there
    row |= cells(Reach.OWN, (K.PRESENCE,), ADMINISTRATIVE, (A.DELETE,))
    row |= cells(Reach.TEAM, PROJECT, SUPPORT, MAKE) | cells(Reach.TEAM, AMENDED, SUPPORT, (A.UPDATE,))
    row |= cells(Reach.TEAM, PLANNED, SUPPORT, (A.DELETE,))
    row |= cells(Reach.OWN, (K.EXPECTATION,), SUPPORT, (A.DELETE,))
    row |= cells(Reach.TEAM, LIFE, SUPPORT, CORRECT)
    row |= cells(Reach.TEAM, (K.EMERGENCY_SHEET,), (C.SUPPORT, C.ADMINISTRATIVE), WRITE)
    row |= cells(Reach.TEAM, (K.ASSESSMENT,), SUPPORT, WRITE)  # one answers, another approves
    row |= cells(Reach.OWN, (K.ASSESSMENT,), SUPPORT, (A.DELETE,))
    row |= cells(Reach.STRUCTURE, (K.EMERGENCY_ACCESS, K.HANDOVER), ADMINISTRATIVE, MAKE)
    if care:
        row |= cells(Reach.TEAM, EVERY, CARE)
        row |= cells(Reach.TEAM, (*DAILY, K.EMERGENCY_SHEET, K.ASSESSMENT), CARE, MAKE)
        row |= cells(Reach.OWN, DAILY, CARE, MEND) | cells(Reach.TEAM, (K.EVENT,), CARE, (A.UPDATE,))
        row |= cells(Reach.TEAM, (K.EMERGENCY_SHEET, K.ASSESSMENT), CARE, (A.UPDATE,))
        row |= cells(Reach.OWN, (K.ASSESSMENT,), CARE, (A.DELETE,))
    else:
        row |= cells(Reach.TEAM_CONSIGNE, DAILY, CARE)
    return row


def _leads() -> Row:
    row = cells(Reach.STRUCTURE, EVERY, (C.ADMINISTRATIVE, C.SUPPORT, C.JUDICIAL))
    row |= cells(Reach.STRUCTURE, IDENTITY, ADMINISTRATIVE, WRITE)
    row |= _attendance() | cells(Reach.STRUCTURE, AROUND, SUPPORT, (*WRITE, A.DELETE))
    row |= cells(Reach.STRUCTURE, (*DAILY, *PROJECT, K.EMERGENCY_SHEET), SUPPORT, MAKE)
    row |= cells(Reach.STRUCTURE, (*DAILY, *AMENDED, K.EMERGENCY_SHEET), SUPPORT, (A.UPDATE,))
    row |= cells(Reach.STRUCTURE, (K.ASSESSMENT,), SUPPORT, WRITE)
    row |= cells(Reach.STRUCTURE, (K.EMERGENCY_SHEET,), ADMINISTRATIVE, WRITE)
    row |= cells(Reach.STRUCTURE, LIFE, SUPPORT, CORRECT)
    row |= cells(Reach.STRUCTURE, ORIENTATION, ADMINISTRATIVE, CORRECT)
    row |= cells(Reach.STRUCTURE, (K.PROJECT, *PLANNED), SUPPORT, (A.DELETE,))
    row |= cells(Reach.OWN, (*DAILY, K.EXPECTATION, K.ASSESSMENT), SUPPORT, (A.DELETE,))
    row |= cells(Reach.STRUCTURE, (K.STAY, K.CONTACT, K.TEAM_MEMBER), ADMINISTRATIVE, (A.DELETE,))
    row |= cells(Reach.STRUCTURE, (K.DOCUMENT,), ADMINISTRATIVE, (*WRITE, A.DELETE))
    row |= cells(Reach.STRUCTURE, (K.TEAM_MEMBER, K.SHARED_TEAM), ADMINISTRATIVE, WRITE)
    row |= cells(Reach.STRUCTURE, (K.HANDOVER,), ADMINISTRATIVE, MAKE)
    row |= cells(Reach.STRUCTURE, (K.EMERGENCY_ACCESS,), ADMINISTRATIVE, (A.UPDATE,))  # to close it
    row |= cells(Reach.TEAM, EVERY, CARE)  # care only as a member of the care team
    return row


def _attendance() -> Row:
    """Who counts and bills the presences of a house."""
    row = cells(Reach.STRUCTURE, ATTENDANCE, ADMINISTRATIVE, MAKE)
    return row | cells(Reach.STRUCTURE, (K.PRESENCE,), ADMINISTRATIVE, MEND)


def _records(reach: Reach) -> Row:
    """Puts a question to the person and notes their answer or opposition: référent, chef, IDE, ASS (field.md §1)."""
    row = cells(reach, (K.SHARING_CONSENT, K.OPPOSITION), ADMINISTRATIVE, WRITE)
    row |= cells(reach, (K.SHARING_CONSENT,), ADMINISTRATIVE, (A.DELETE,))  # a question that nobody answered
    return row | cells(reach, (K.CONSENT_ANSWER,), ADMINISTRATIVE, MAKE)


def _alerts(reads: Reach, mends: Reach) -> Row:
    row = cells(Reach.STRUCTURE, (K.ALERT,), ALERT, MAKE) | cells(reads, (K.ALERT,), ALERT)
    return row | cells(mends, (K.ALERT,), ALERT, (A.UPDATE,))


ACCOMPANY = (
    Role.EDUCATEUR, Role.ACCOMPAGNANT, Role.VEILLEUR, Role.AIDE_SOIGNANT, Role.INFIRMIER, Role.MEDECIN,
    Role.PSYCHOLOGUE, Role.PARAMEDICAL, Role.IDEC, Role.ASSISTANT_SOCIAL,
)  # fmt: skip
PASSING = (Role.ENSEIGNANT, Role.BENEVOLE)  # the agenda and the consignes of the day
LEAD = (Role.CHEF_DE_SERVICE, Role.COORDINATEUR)
STAFF: dict[Role, Row] = {
    Role.EDUCATEUR: _accompanies(care=False) | cells(Reach.REFERENT, EVERY, JUDICIAL) | _records(Reach.TEAM),
    Role.ACCOMPAGNANT: _accompanies(care=False),
    Role.VEILLEUR: _accompanies(care=False),
    Role.AIDE_SOIGNANT: _accompanies(care=True),
    Role.INFIRMIER: _accompanies(care=True) | _records(Reach.TEAM) | cells(Reach.TEAM, (K.DEATH,), CARE, CORRECT),
    Role.MEDECIN: _accompanies(care=True) | cells(Reach.TEAM, (K.DEATH,), CARE, CORRECT),
    Role.PSYCHOLOGUE: _accompanies(care=True),
    Role.PARAMEDICAL: _accompanies(care=True),
    Role.IDEC: _accompanies(care=True)
    | cells(Reach.STRUCTURE, EVERY, CARE)
    | cells(Reach.STRUCTURE, (K.DEATH,), CARE, CORRECT),
    Role.ASSISTANT_SOCIAL: _accompanies(care=False)
    | cells(Reach.TEAM, EVERY, JUDICIAL)
    | cells(Reach.TEAM, ORIENTATION, ADMINISTRATIVE, CORRECT)
    | _records(Reach.TEAM),
    Role.ENSEIGNANT: cells(Reach.TEAM, (K.USAGER, K.EVENT, K.CONSIGNE), (C.ADMINISTRATIVE, C.SUPPORT))
    | cells(Reach.TEAM_CONSIGNE, (K.TRANSMISSION,), (C.SUPPORT, C.CARE)),
    Role.BENEVOLE: cells(Reach.TEAM, (K.USAGER, K.EVENT, K.CONSIGNE), (C.ADMINISTRATIVE, C.SUPPORT))
    | cells(Reach.TEAM_CONSIGNE, (K.TRANSMISSION,), (C.SUPPORT, C.CARE)),
    Role.CHEF_DE_SERVICE: _leads()
    | _records(Reach.STRUCTURE)
    | cells(Reach.STRUCTURE, (K.JUDICIAL_DECISION,), JUDICIAL, WRITE)
    | cells(Reach.STRUCTURE, (K.CONSIGNE,), SUPPORT, WRITE),
    Role.COORDINATEUR: _leads(),
    Role.SECRETARIAT: cells(Reach.STRUCTURE, EVERY, ADMINISTRATIVE)
    | cells(Reach.STRUCTURE, (*IDENTITY, K.DOCUMENT), ADMINISTRATIVE, WRITE)
    | _attendance()
    | cells(Reach.OWN, (K.DOCUMENT,), ADMINISTRATIVE, (A.DELETE,))
    | cells(Reach.STRUCTURE, ORIENTATION, ADMINISTRATIVE, CORRECT)
    | cells(Reach.STRUCTURE, EVERY, JUDICIAL, MAKE)  # files judicial papers without reading them back
    | cells(Reach.STRUCTURE, (K.CONSIGNE,), SUPPORT, (A.READ, A.CREATE)),  # but says what they ask of the house
    Role.DIRECTION: cells(Reach.STRUCTURE, EVERY, ADMINISTRATIVE)
    | cells(Reach.PURPOSE, EVERY, SUPPORT)  # after choosing a purpose, shown in the log
    | cells(Reach.STRUCTURE, (K.STATED_PURPOSE,), ADMINISTRATIVE, WRITE)
    | cells(Reach.STRUCTURE, (K.EMERGENCY_ACCESS,), ADMINISTRATIVE, (A.UPDATE,))  # to close it
    | cells(Reach.STRUCTURE, (K.CONSIGNE,), SUPPORT, (A.READ, A.UPDATE)),  # to lift it
    Role.EVALUATEUR: cells(Reach.PURPOSE, EVERY, (C.ADMINISTRATIVE, C.SUPPORT, C.CARE)),
    Role.DPO: cells(Reach.STRUCTURE, (K.EMERGENCY_ACCESS,), ADMINISTRATIVE),  # the digest of the day
    Role.ADMIN: {},
}

for _role, _more in (
    *((role, cells(Reach.ORGANISATION, DIRECTORY, ADMINISTRATIVE)) for role in Role),
    *((role, cells(Reach.NAMED, (K.OUTSIDE_PARTY,), ADMINISTRATIVE)) for role in Role),
    *(
        (role, cells(Reach.STRUCTURE, (K.EXCHANGE,), ADMINISTRATIVE))
        for role in (Role.SECRETARIAT, Role.CHEF_DE_SERVICE, Role.DIRECTION)
    ),
    *(
        (role, cells(Reach.STRUCTURE, (K.EXCHANGE,), ADMINISTRATIVE, (A.UPDATE,)))
        for role in (Role.SECRETARIAT, Role.CHEF_DE_SERVICE)
    ),
    *(
        (
            role,
            cells(
                Reach.ORGANISATION, (K.STRUCTURE, K.UNIT, K.SETTING, K.NARROWING), ADMINISTRATIVE, (*WRITE, A.DELETE)
            ),
        )
        for role in (Role.DIRECTION, Role.ADMIN)
    ),
    *(
        (role, cells(Reach.ORGANISATION, (K.PROFESSIONAL, K.MEMBERSHIP), ADMINISTRATIVE, (*WRITE, A.DELETE)))
        for role in (Role.DIRECTION, Role.ADMIN, Role.CHEF_DE_SERVICE)
    ),
    *(
        (role, cells(Reach.ORGANISATION, (K.RESOURCE,), ADMINISTRATIVE, (*WRITE, A.DELETE)))
        for role in (Role.DIRECTION, Role.ADMIN, Role.CHEF_DE_SERVICE, Role.COORDINATEUR, Role.SECRETARIAT)
    ),
    # Whoever meets the person may give the alert; only those it names, its author and the direction read it (field.md §1).
    *((role, _alerts(Reach.ALERTED, Reach.OWN)) for role in (*ACCOMPANY, *PASSING, *LEAD, Role.SECRETARIAT)),
    (Role.DIRECTION, _alerts(Reach.STRUCTURE, Reach.STRUCTURE)),
    # The copy of a dossier: the direction prepares it, a health professional signs its care part (field.md §1, §6). Each
    # of those who see what is due writes down what was asked of them aloud.
    *(
        (role, cells(Reach.STRUCTURE, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, A.CREATE)))
        for role in (Role.SECRETARIAT, Role.CHEF_DE_SERVICE)
    ),
    (Role.DIRECTION, cells(Reach.STRUCTURE, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, *WRITE))),
    *(
        (role, cells(Reach.TEAM, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, *WRITE)))
        for role in (Role.MEDECIN, Role.INFIRMIER, Role.PARAMEDICAL)
    ),
    (Role.IDEC, cells(Reach.STRUCTURE, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, *WRITE))),
    *((role, cells(Reach.ON_DUTY, (K.UNIT_TEAM,), ADMINISTRATIVE, MAKE)) for role in ACCOMPANY),
    # Where they lead: a rule or an astreinte elsewhere would open what is not theirs to open.
    *((role, cells(Reach.STRUCTURE, (K.UNIT_TEAM, K.ON_CALL), ADMINISTRATIVE, (*WRITE, A.DELETE))) for role in LEAD),
    (Role.DIRECTION, cells(Reach.ORGANISATION, (K.ON_CALL,), ADMINISTRATIVE, (*WRITE, A.DELETE))),
):
    STAFF[_role] = STAFF[_role] | _more

# What the person said of sharing, who accompanies them, who came by emergency, what a judge decided: a partner neither writes nor reads it.
OURS_ALONE = frozenset(
    {
        *SHARING,
        K.TEAM_MEMBER,
        K.EMERGENCY_ACCESS,
        K.JUDICIAL_DECISION,
        K.CONSIGNE,
        K.STATED_PURPOSE,
        K.SHARED_TEAM,
        K.HANDOVER,
    }
)
EXCHANGEABLE = tuple(kind for kind in EVERY if kind not in OURS_ALONE)
READABLE = (C.ADMINISTRATIVE, C.SUPPORT, C.CARE, C.JUDICIAL)
WITHOUT_ROLE: dict[Caller, Row] = {
    Caller.USAGER: cells(Reach.MYSELF, EVERY, READABLE)
    | cells(Reach.MYSELF, (K.SHARING_CONSENT, K.OPPOSITION), ADMINISTRATIVE, WRITE)
    | cells(Reach.MYSELF, (K.CONSENT_ANSWER,), ADMINISTRATIVE, MAKE)
    | cells(Reach.MYSELF, (K.GOAL,), SUPPORT, (A.UPDATE,))  # their opinion only
    | cells(Reach.MYSELF, (K.SHARED_TEAM,), ADMINISTRATIVE, (A.UPDATE,))  # to oppose it
    | cells(Reach.MYSELF, (K.EVENT,), (C.ADMINISTRATIVE, C.SUPPORT, C.CARE), (A.UPDATE,))  # whether they come
    | cells(Reach.MYSELF, (K.ASSESSMENT,), (C.SUPPORT, C.CARE), MAKE)  # of themselves, by themselves
    | cells(Reach.MYSELF, (K.AGREEMENT, K.EXPECTATION, K.LIFE_PROJECT), SUPPORT, MAKE)
    | cells(Reach.MYSELF, (K.DOCUMENT,), (C.SUPPORT, C.CARE), MAKE)  # a paper of theirs
    | cells(Reach.MINE, (K.DOCUMENT,), (C.SUPPORT, C.CARE), (A.DELETE,))  # until the team uses it: features.documents
    | cells(Reach.MYSELF, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, A.CREATE))
    | cells(Reach.MYSELF, (K.EXCHANGE,), ADMINISTRATIVE)  # who sent what about them, to whom
    | cells(Reach.NAMED, (K.OUTSIDE_PARTY,), ADMINISTRATIVE),
    Caller.REPRESENTATIVE: cells(Reach.MANDATE, EVERY, READABLE)
    | cells(Reach.MANDATE, (K.AGREEMENT, K.EXPECTATION), SUPPORT, MAKE)
    | cells(Reach.MANDATE, (K.COPY_REQUEST,), ADMINISTRATIVE, (A.READ, A.CREATE))
    | cells(
        Reach.MANDATE, (K.SHARING_CONSENT,), ADMINISTRATIVE, (A.UPDATE,)
    )  # an answer that counts: features.consents
    | cells(
        Reach.MANDATE, (K.EVENT,), (C.ADMINISTRATIVE, C.SUPPORT, C.CARE), (A.UPDATE,)
    )  # of their child: features.calendar
    | cells(Reach.MANDATE, (K.CONSENT_ANSWER,), ADMINISTRATIVE, MAKE)
    | cells(Reach.NAMED, (K.OUTSIDE_PARTY,), ADMINISTRATIVE),
    Caller.PARTNER: cells(Reach.ORGANISATION, (K.STRUCTURE,), ADMINISTRATIVE)
    | cells(Reach.SENT_OR_GRANTED, EXCHANGEABLE, (C.ADMINISTRATIVE, C.SUPPORT, C.CARE))
    | cells(Reach.RECEIVING, EXCHANGEABLE, (C.ADMINISTRATIVE, C.SUPPORT, C.CARE), WRITE)
    | cells(Reach.NAMED, (K.OUTSIDE_PARTY,), ADMINISTRATIVE)
    | cells(Reach.SENT, (K.OUTSIDE_PARTY,), ADMINISTRATIVE, WRITE),
}


# Emergency access opens persons, not categories: the role's own reading, for one usager, a few hours.
EMERGENCY_ROLES = frozenset(ACCOMPANY)


# On call: these kinds whole, the important transmissions, and every consigne; of what the role reads (field.md §1).
ON_CALL_ROLES = frozenset({*ACCOMPANY, *LEAD})
ON_CALL_READS = frozenset({K.USAGER, K.CONTACT, K.EMERGENCY_SHEET, K.CONSIGNE})
