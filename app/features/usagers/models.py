"""The usager: the person supported. Traits by the RNIV; four identity statuses, of which FHIR carries only three."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind


class IdentityStatus(StrEnum):
    PROVISOIRE = "provisoire"
    RECUPEREE = "recuperee"  # from INSi, to which this server has no access: never set here
    VALIDEE = "validee"
    QUALIFIEE = "qualifiee"


class IdentityDocument(StrEnum):
    """What a professional saw (RNIV); a birth certificate and a family book are for minors and the first days of a stay."""

    CARTE_IDENTITE = "carte_identite"
    PASSEPORT = "passeport"
    TITRE_SEJOUR = "titre_sejour"
    ACTE_NAISSANCE = "acte_naissance"
    LIVRET_FAMILLE = "livret_famille"


UNCHECKED: dict[str, Any] = {  # an identity no document stands behind
    "identity_status": IdentityStatus.PROVISOIRE.value,
    "identity_document": None,
    "identity_checked_on": None,
    "identity_checked_by": None,
}


class Usager(DossierEntry, ToldInPart):
    """The dossier's own row: `usager_id` equals `id`, so the policy treats it like any other."""

    __tablename__ = "usager"
    KIND: ClassVar = Kind.USAGER
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    birth_family_name: Mapped[str]
    birth_given_names: Mapped[str]  # the whole list, as on the birth certificate
    used_family_name: Mapped[str | None]
    used_given_name: Mapped[str | None]
    birth_date: Mapped[date | None]
    gender: Mapped[str | None]  # male · female · unknown
    birth_place_code: Mapped[str | None]  # INSEE
    birth_place_name: Mapped[str | None]
    birth_order: Mapped[int | None]
    identity_status: Mapped[str] = mapped_column(default=IdentityStatus.PROVISOIRE.value)
    identity_checked_on: Mapped[date | None]
    identity_checked_by: Mapped[UUID | None]  # who saw the document; no copy is kept
    identity_document: Mapped[str | None]
    name_key: Mapped[str] = mapped_column(Text(collation="C"))  # birth names, normalised: see `names`
    used_name_key: Mapped[str | None] = mapped_column(Text(collation="C"))
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]  # its lines
    postal_code: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    address_protected: Mapped[bool] = mapped_column(default=False)
    says_tu: Mapped[bool] = mapped_column(default=False)
    died_on: Mapped[date | None]
    merged_into_id: Mapped[UUID | None]
    told_at: Mapped[datetime | None]  # told that their dossier is kept here

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "merged_into_id"], ["usager.organisation_id", "usager.id"]),
            Index(None, "organisation_id", "name_key", "id"),
            Index(None, "organisation_id", "used_name_key", "id", postgresql_where=text("used_name_key IS NOT NULL")),
            Index(None, "organisation_id", "birth_date"),
        )


class UsagerIdentifier(DossierEntry):
    """A number by which someone knows the person. What came with a bundle is its sender's word (`origin_partner_id`)."""

    __tablename__ = "usager_identifier"
    KIND: ClassVar = Kind.USAGER_IDENTIFIER
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    system: Mapped[str]
    type_code: Mapped[str | None]  # kept as `system|code`
    sealed: Mapped[bytes]
    blind: Mapped[bytes]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        ours = text("origin_partner_id IS NULL AND deleted_at IS NULL")
        return entry_args(
            cls,
            Index(
                "uq_usager_identifier_ours",
                "organisation_id",
                "usager_id",
                "system",
                unique=True,
                postgresql_where=ours,
            ),
            Index(None, "organisation_id", "blind"),
        )
