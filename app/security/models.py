"""Who may knock: accounts, sessions and what limits guessing (global); partners and personal accesses (of one tenant).

No secret is kept as such: passwords are Argon2id hashes, tokens and proofs SHA-256, codes and addresses keyed hashes.
What must be found before the tenant is known is read through the functions of the migration, one answer at a time.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import now
from app.kernel.db import Base
from app.kernel.ids import uuid7


class Account(Base):
    """One human among the staff, whatever the number of houses they work for."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    login: Mapped[str]
    name: Mapped[str]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


Index("uq_account_login", func.lower(Account.login), unique=True)


class AccountCredential(Base):
    """What an account proves itself with. The app writes it and never lists it (`credential_of`, `factors_of`).

    Of a password and of recovery codes, a hash; of a second factor, its secret sealed and the last step used (`spent`);
    of an identity at the provider (`oidc`), a keyed hash, of one account only.
    """

    __tablename__ = "account_credential"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('password', 'oidc', 'totp', 'totp_pending') OR kind ~ '^recovery_[0-9]$'", name="kind"
        ),
        CheckConstraint("num_nonnulls(secret, sealed) = 1", name="one_secret"),
        Index("uq_account_credential_identity", "secret", unique=True, postgresql_where=text("kind = 'oidc'")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str | None]
    sealed: Mapped[bytes | None]  # under the key file, about `totp:<account>`
    spent: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(default=now)


class LiveSession(Base):
    """One opening, by whoever: every token names it, every read asks whether it still lives."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("kind IN ('staff', 'usager', 'representative', 'partner')", name="kind"),
        CheckConstraint("door IN ('api', 'me', 'page', 'fhir')", name="door"),
        Index("ix_session_subject", "organisation_id", "subject_id"),
        Index("ix_session_account", "account_id"),
        Index("ix_session_access", "access_id"),
        Index("ix_session_expires", "expires_at"),
        Index("ix_session_provider", "provider_session", postgresql_where=text("provider_session IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str]
    door: Mapped[str]
    organisation_id: Mapped[UUID]
    subject_id: Mapped[UUID]  # the professional, the usager, the contact, the partner
    usager_id: Mapped[UUID | None]  # whom a representative stands for
    account_id: Mapped[UUID | None]
    membership_id: Mapped[UUID | None]
    access_id: Mapped[UUID | None]  # the personal access that opened it
    opaque_hash: Mapped[bytes | None] = mapped_column(unique=True)
    family_id: Mapped[UUID | None]
    amr: Mapped[list[str]] = mapped_column(
        default=list, server_default=text("'{}'")
    )  # RFC 8176; oidc: a provider's word
    provider_session: Mapped[bytes | None]  # keyed: the identity provider's own, when one proved it
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshFamily(Base):
    """The refresh tokens of one session, one good at a time; an old one shown again ends them all."""

    __tablename__ = "refresh_family"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), unique=True)
    current_hash: Mapped[bytes]
    used_hashes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary()), server_default=text("'{}'"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class JtiSeen(Base):
    """A partner's proof is good once, whichever worker hears it."""

    __tablename__ = "jti_seen"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    jti_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class CodeAttempt(Base):
    """How many times one thing was tried since `window_start`; survives a restart."""

    __tablename__ = "code_attempt"
    __table_args__ = (Index("ix_code_attempt_window", "window_start"),)

    key: Mapped[bytes] = mapped_column(primary_key=True)
    window_start: Mapped[datetime]
    count: Mapped[int]


class PartnerKind(StrEnum):
    """Where the law says one apart: without the person's agreement nothing goes to the MDPH (CASF L241-10)."""

    MDPH = "mdph"
    OTHER = "other"


class PartnerClient(Base):
    """A partner system of one organisation, the keys it signs with, what it may do at most."""

    __tablename__ = "partner"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "default_structure_id"], ["structure.organisation_id", "structure.id"]
        ),
        CheckConstraint("kind IN ('mdph', 'other')", name="kind"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default=PartnerKind.OTHER.value)
    client_id: Mapped[str] = mapped_column(unique=True)
    jwks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    jwks_url: Mapped[str | None]  # where it publishes its keys; None: they were given
    jwks_read_at: Mapped[datetime | None]
    jwks_asked_at: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    default_structure_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]


class PartnerStructure(Base):
    """A structure that accepted this partner. The default one is among them.

    `accepts`: what it sends there enters the dossiers as it comes; else it waits for the secretary (field.md §3).
    """

    __tablename__ = "partner_structure"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    structure_id: Mapped[UUID] = mapped_column(primary_key=True)
    accepts: Mapped[bool] = mapped_column(server_default=text("false"))


class PersonalAccess(Base):
    """The card given to the person, or to who represents them (`contact_id`): a link, and a code on another slip."""

    __tablename__ = "personal_access"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "usager_id"], ["usager.organisation_id", "usager.id"]),
        Index("ix_personal_access_usager", "organisation_id", "usager_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    usager_id: Mapped[UUID]
    contact_id: Mapped[UUID | None]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    code_hash: Mapped[bytes]
    own_device: Mapped[bool] = mapped_column(default=False)
    given_by: Mapped[UUID | None]
    starts: Mapped[datetime] = mapped_column(default=now)
    ends: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    notice_at: Mapped[datetime | None]  # the notice d'information was read, by who opened the page with this card


class Invitation(Base):
    """A link by which someone hired opens their own account; told to who invites, never sent by us."""

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
        ),
        Index("ix_invitation_professional", "organisation_id", "professional_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    professional_id: Mapped[UUID]
    invited_by: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
