"""Contact: someone around the person, whom to call and in what order; their mandates are facts of `app.access.models`.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-related-person-contact
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind

LAST = 99  # not in the order of calls


class Trusted(StrEnum):
    """Personne de confiance (CSP L1111-6): two signatures designate. It opens no access by itself."""

    PROPOSED = "proposed"
    DESIGNATED = "designated"
    REVOKED = "revoked"


class Contact(DossierEntry):
    __tablename__ = "contact"
    KIND: ClassVar = Kind.CONTACT
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    family_name: Mapped[str]  # or the name of a service
    given_name: Mapped[str | None]
    role: Mapped[str | None]  # JDV_J384, kept as `system|code`
    relation: Mapped[str | None]  # TRE_R216, kept as `system|code`
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]  # its lines
    postal_code: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    address_protected: Mapped[bool] = mapped_column(default=False)  # phone, e-mail, notes too: « lieu protégé »
    call_order: Mapped[int] = mapped_column(default=LAST)
    trusted_person: Mapped[str | None]
    trusted_on: Mapped[date | None]  # since when it stands so
    trusted_signed_on: Mapped[date | None]  # by the person
    trusted_accepted_on: Mapped[date | None]  # by who is designated
    trusted_document: Mapped[str | None]  # where the signed paper is kept
    notes: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        one = text("trusted_person = 'designated' AND deleted_at IS NULL")
        return entry_args(
            cls,
            Index(None, "organisation_id", "usager_id", "call_order", "id"),
            Index("uq_contact_trusted_person", "organisation_id", "usager_id", unique=True, postgresql_where=one),
        )
