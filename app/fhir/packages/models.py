"""Installed FHIR packages and their definitions: what IGs publish, about nobody, the same for every organisation.

The owner writes, the application reads. Source: https://hl7.org/fhir/packages.html
"""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import now
from app.kernel.db import Base


class FhirPackage(Base):
    __tablename__ = "fhir_package"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    sha256: Mapped[str]  # of what was kept of it
    installed_at: Mapped[datetime] = mapped_column(default=now)


class FhirDefinition(Base):
    """`url` and `version` are its canonical's; `id` its own in its package; `body` its JSON."""

    __tablename__ = "fhir_definition"
    __table_args__ = (
        ForeignKeyConstraint(
            ["package_name", "package_version"],
            ["fhir_package.name", "fhir_package.version"],
            name="fk_fhir_definition_package",
            ondelete="CASCADE",
        ),
        Index("ix_fhir_definition_url", "type_name", "url"),
    )

    package_name: Mapped[str] = mapped_column(primary_key=True)
    package_version: Mapped[str] = mapped_column(primary_key=True)
    type_name: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    version: Mapped[str | None]
    body: Mapped[str]
