"""Documents of a dossier, and the bytes kept for them, sealed under the person's key."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier
from migrations.tenant import secure

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None
TEXTS = (
    "description", "content_type", "language", "sha256", "sha1", "written_on", "type", "class_code", "format",
    "writer_kind", "writer_name", "authenticator_kind", "authenticator_name", "event", "facility", "practice",
    "status_author_kind",
)  # fmt: skip
IDS = ("status_author_id", "content_id", "writer_id", "authenticator_id", "encounter_id", "replaces_id")
INSTANTS = ("status_changed_at", "period_starts", "period_ends")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "content",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("organisation_id", "id", "usager_id")),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("kept_at", instant, nullable=False),
        sa.CheckConstraint("num_nonnulls(sealed, object) = 1", name=op.f("ck_content_somewhere")),
        dossier.link("content", "usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_content")),
    )
    op.create_index(op.f("ix_content_organisation_id_usager_id"), "content", ["organisation_id", "usager_id"])
    secure(op, "content", "SELECT, INSERT")
    dossier.create(
        op,
        "document",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in IDS),
        *(sa.Column(name, instant, nullable=True) for name in INSTANTS),
        sa.CheckConstraint("status IN ('current', 'superseded', 'entered_in_error')", name=op.f("ck_document_status")),
        sa.CheckConstraint("num_nonnulls(content_id, sha256, size, sha1) IN (0, 4)", name=op.f("ck_document_content")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "content_id"],
            ["content.organisation_id", "content.id"],
            name="fk_document_organisation_id_content_id",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    at = ["organisation_id", "structure_id", "occurred_at", "id"]
    op.create_index("ix_document_of_structure", "document", at)
    op.create_index(op.f("ix_document_organisation_id_content_id"), "document", ["organisation_id", "content_id"])


def downgrade() -> None:
    op.drop_table("document")
    op.drop_table("content")
