"""What is asked of the MDPH for a person, and what was decided."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None
DUE = sa.text("rights_end_on IS NOT NULL AND deleted_at IS NULL")


def _columns(kind: type[sa.types.TypeEngine[object]], *names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, kind(), nullable=True) for name in names]


def upgrade() -> None:
    dossier.create(
        op,
        "orientation_request",
        *_columns(sa.Date, "withheld_until", "asked_on"),
        *_columns(sa.LargeBinary, "number"),
        *_columns(sa.Text, "number_system", "subject_code", "subject_label", "requester_kind", "requester_name"),
        *_columns(sa.Text, "mdph_name", "comment", "status_author_kind"),
        *_columns(sa.Uuid, "status_author_id", "requester_id", "mdph_id", "receipt_document_id", "answer_document_id"),
        *(
            sa.Column(name, sa.ARRAY(sa.Uuid()), nullable=True)
            for name in ("request_document_ids", "more_document_ids")
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
    )
    dossier.create(
        op,
        "orientation_decision",
        *_columns(sa.Date, "withheld_until", "decided_on", "closes_on", "rights_end_on"),
        *_columns(sa.LargeBinary, "number", "revises"),
        *_columns(sa.Text, "number_system", "revises_system", "decided_by", "type_code", "type_label", "motivation"),
        *_columns(sa.Text, "motivation_label", "local_motivation", "rights"),
        *_columns(sa.Uuid, "request_id"),
    )
    for table in ("orientation_request", "orientation_decision"):
        name = op.f(f"ix_{table}_organisation_id_occurred_at_id")
        op.create_index(name, table, ["organisation_id", "occurred_at", "id"])
    due = ["organisation_id", "rights_end_on", "id"]
    op.create_index("ix_orientation_decision_due", "orientation_decision", due, postgresql_where=DUE)


def downgrade() -> None:
    op.drop_table("orientation_decision")
    op.drop_table("orientation_request")
