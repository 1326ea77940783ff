"""What came in and went out, and what of it has no table of its own: the journal, the ids of others, kept resources.

Every identifier received is a keyed fingerprint here, never a value: the official examples' hold a NIR.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DirectoryEntry, DossierEntry, Row, entry_args, leading
from app.access.permissions import Category, Kind
from app.kernel.db import Base


class Direction(StrEnum):
    RECEIVED = "received"
    SENT = "sent"


class State(StrEnum):
    """field.md §3: « reçu → à rattacher → accepté / refusé »."""

    RECEIVED = "received"
    TO_ATTACH = "to_attach"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SENT = "sent"  # what left


class Exchange(Row):
    """One bundle and what became of it. `outcome`: success, or the code of the refusal (then there is no body).

    `body` is the bundle as it came, compressed and sealed under a key of its own (`body_key`, wrapped); both go when
    the first usager it names is erased (a trigger of the database: whoever erases).
    """

    __tablename__ = "exchange"
    KIND: ClassVar = Kind.EXCHANGE
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
        Index(None, "organisation_id", "structure_id", "id"),
        Index(None, "organisation_id", "partner_id", "sha256"),
    )

    partner_id: Mapped[UUID]
    structure_id: Mapped[UUID]
    direction: Mapped[str]
    state: Mapped[str]
    ground: Mapped[str | None]  # of what was sent: app.audit.vocabulary.Ground
    outcome: Mapped[str]
    sha256: Mapped[bytes | None]  # None: refused before it was read whole
    entries: Mapped[int]
    warnings: Mapped[int]
    body: Mapped[bytes | None]
    body_key: Mapped[bytes | None]
    request_id: Mapped[str]
    decided_by: Mapped[UUID | None]


class ExchangeRow(Base):
    """One entry of a bundle: the row it became and its version, enough to give the first answer again.

    `part`: a row that came with an entry's own, after them all. `beside`: the team had written since; the version is
    kept beside the row, and waits. `usager_id` follows the person to whom the secretary attached who arrived.
    """

    __tablename__ = "exchange_row"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "exchange_id"], ["exchange.organisation_id", "exchange.id"]),
        Index(None, "organisation_id", "usager_id", postgresql_where=text("usager_id IS NOT NULL")),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    exchange_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    type_name: Mapped[str]
    kind: Mapped[str]
    row_id: Mapped[UUID]
    usager_id: Mapped[UUID | None]
    version: Mapped[int]
    beside: Mapped[bool]
    part: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    answered: Mapped[int | None]  # the status its sender was told; null of what we sent
    stood_at: Mapped[datetime | None]  # when the row was written, if not with the bundle
    warnings: Mapped[str | None]  # issues of ours as JSON: words and paths, never a value


class ExternalId(Base):
    """How a partner names a row: `fingerprint` is the HMAC of type, system and value, or of an absolute address."""

    __tablename__ = "external_id"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
        Index(None, "organisation_id", "row_id"),
        Index(None, "organisation_id", "fingerprint"),
        Index(None, "organisation_id", "usager_id", postgresql_where=text("usager_id IS NOT NULL")),
        Index("ix_external_id_of_usagers", "organisation_id", "usager_id", postgresql_where=text("kind = 'usager'")),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    row_id: Mapped[UUID]
    usager_id: Mapped[UUID | None]


class KeptResource(DossierEntry):
    """A resource for which no map is registered yet: a map that models nothing, so all of it is in `extra`."""

    __tablename__ = "kept_resource"
    KIND: ClassVar = Kind.KEPT_RESOURCE
    CATEGORY: ClassVar = Category.CARE

    type_name: Mapped[str]
    profile: Mapped[str | None]
    business_id: Mapped[bytes | None]  # keyed fingerprint

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls, Index(None, "organisation_id", "type_name", "id"))


class OutsideParty(DirectoryEntry):
    """An Organization, Practitioner, PractitionerRole or Location as a partner tells it: no usager, no right.

    Even with an RPPS we know, it is nobody of ours. Read by its sender, and by whoever may read a row that names it.
    """

    __tablename__ = "outside_party"
    KIND: ClassVar = Kind.OUTSIDE_PARTY
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "origin_partner_id"], ["partner.organisation_id", "partner.id"]),
        Index(None, "organisation_id", "origin_partner_id", "id"),
        leading("ix_outside_party_organization", "organization_id"),
        leading("ix_outside_party_practitioner", "practitioner_id"),
    )

    origin_partner_id: Mapped[UUID]
    origin_exchange_id: Mapped[UUID | None]
    type_name: Mapped[str]
    profile: Mapped[str | None]
    body: Mapped[bytes]  # sealed under the key file: it is about no usager
    # what it is searched by: `exchange.parties_told`
    name: Mapped[str | None]
    family: Mapped[str | None]
    given: Mapped[str | None]
    active: Mapped[bool | None]
    codes: Mapped[list[str] | None] = mapped_column(ARRAY(Text()))
    labels: Mapped[str | None]
    starts: Mapped[datetime | None]
    ends: Mapped[datetime | None]
    organization_id: Mapped[UUID | None]
    organization_said: Mapped[bool | None]
    practitioner_id: Mapped[UUID | None]
    practitioner_said: Mapped[bool | None]


class OutsidePartyMention(Base):
    """A row of a dossier that names an outside party: who may read the one may read the other."""

    __tablename__ = "outside_party_mention"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "party_id"], ["outside_party.organisation_id", "outside_party.id"]),
        Index(None, "organisation_id", "entry_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
