"""Under what a row may leave for a partner one names, and why another stays here (field.md §4).

Source: CSP L1110-4 (II: exchange, III: sharing by consent), L1110-12, CASF L241-10.
"""

from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Text, and_, bindparam, case, false, func, not_, null

from app.access.agreed import with_partner
from app.access.entry import word
from app.access.permissions import Category
from app.access.withholding import kept
from app.audit.vocabulary import Ground
from app.exchange.handover_schemas import TO, Recipient
from app.kernel.errors import Conflict, Invalid
from app.security.models import PartnerKind

MAY_OPPOSE = (Ground.ACCORD, Ground.EQUIPE, Ground.ECHANGE)  # never the law, nor a life in danger
AGREED = (Ground.ACCORD, Ground.LOI)  # all that a MDPH may be sent under, CASF L241-10
LEAVES = (Category.ADMINISTRATIVE, Category.SUPPORT, Category.CARE)
GROUND: ColumnElement[Any] = bindparam("ground", type_=Text())


class Stays(StrEnum):
    """Why a row that one reads does not leave."""

    APART = "apart"  # judicial, or an alert
    RESERVED = "reserved"  # for some of the team
    WITHHELD = "withheld"  # it may name a third person
    WAITING = "waiting"  # in the sas
    THEIRS = "theirs"  # this partner sent it, and has it
    NOT_AGREED = "not_agreed"  # the person's agreement does not cover it
    OUT_OF_SCOPE = "out_of_scope"  # the partner was given no right on such resources


class Said(Protocol):
    """What a professional says when something leaves."""

    @property
    def ground(self) -> str: ...
    @property
    def article(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def person_informed(self) -> bool: ...


def stays(row: Any) -> ColumnElement[Any]:
    """Why a row of this table does not leave for the partner `TO` under `GROUND`; null when it may."""
    return case(
        (not_(row.category.in_([word(each) for each in LEAVES])), word(Stays.APART)),
        (row.reserved_to.is_not(None), word(Stays.RESERVED)),
        (kept(row), word(Stays.WITHHELD)),
        (row.held, word(Stays.WAITING)),
        (row.origin_partner_id.is_not_distinct_from(TO), word(Stays.THEIRS)),
        (
            and_(GROUND == word(Ground.ACCORD), not_(func.coalesce(with_partner(row, TO), false()))),
            word(Stays.NOT_AGREED),
        ),
        else_=null(),
    )


def check_said(said: Said) -> None:
    """What each ground needs to be one. Raises Invalid."""
    ground = Ground(said.ground)
    if ground is Ground.LOI and said.article is None:
        raise Invalid("Dites quel article de loi le demande.", where="/article", code="handover.no_article")
    if ground is not Ground.LOI and said.article is not None:
        raise Invalid("Un article va avec le fondement « loi ».", where="/article", code="handover.no_law")
    if ground is Ground.VITAL and said.reason is None:
        raise Invalid("Dites en quoi la vie est en danger.", where="/reason", code="handover.no_reason")
    if ground is Ground.ECHANGE and not said.person_informed:
        raise Invalid(
            "Prévenez la personne, puis notez-le. Si elle ne peut pas l'entendre et court un danger, choisissez « vital ».",
            where="/person_informed",
            code="handover.not_informed",
        )


def check_recipient(said: Said, person: Recipient) -> str:
    """The partner's name. Raises Invalid, or Conflict when the person opposes."""
    if person.partner is None or not person.accepted:
        raise Invalid(
            "Votre structure n'échange pas avec ce partenaire.", where="/partner_id", code="handover.not_accepted"
        )
    if person.kind == PartnerKind.MDPH and said.ground not in AGREED:
        raise Invalid(
            "Rien ne part à la MDPH sans l'accord de la personne, sauf si une loi le demande (CASF L241-10).",
            where="/ground",
            code="handover.mdph",
        )
    if person.opposed and said.ground in MAY_OPPOSE:
        raise Conflict(
            "Cette personne, ou qui décide pour elle, ne veut pas que ce partenaire lise son dossier. Rien n'est parti.",
            where="/partner_id",
            code="handover.opposed",
        )
    if Ground(said.ground) is Ground.ACCORD and not person.agreed:
        raise Invalid(
            "Aucun accord de cette personne n'est noté pour ce partenaire.", where="/ground", code="handover.no_accord"
        )
    return person.partner
