"""The usager: the person supported. Traits by the RNIV; four identity statuses, of which FHIR carries only three."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class IdentityStatus(StrEnum):
    PROVISOIRE = "provisoire"
    RECUPEREE = "recuperee"  # from INSi, to which this server has no access: never set here
    VALIDEE = "validee"
    QUALIFIEE = "qualifiee"


class Usager(DossierEntry):
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
    identity_document: Mapped[str | None]
    name_key: Mapped[str]  # normalised, for search and doubles
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]
    address_protected: Mapped[bool] = mapped_column(default=False)
    says_tu: Mapped[bool] = mapped_column(default=False)
    died_on: Mapped[date | None]
    merged_into_id: Mapped[UUID | None]
    told_at: Mapped[datetime | None]  # told that their dossier is kept here

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls, Index(None, "organisation_id", "name_key", "id"))
