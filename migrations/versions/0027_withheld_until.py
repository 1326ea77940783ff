"""Until when a row is kept from the person; and the text of a note as they read it, a sentence about someone else masked."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
TABLES = (
    "action", "agreement", "alert", "consent_answer", "consigne", "contact", "emergency_access", "emergency_sheet",
    "event_participant", "expectation", "goal", "handover", "judicial_decision", "kept_resource", "mandate", "means",
    "need", "opposition", "project", "review", "service", "shared_team", "sharing_consent", "stated_purpose", "stay",
    "team_member", "transmission", "usager", "usager_identifier",
)  # fmt: skip


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("withheld_until", sa.Date(), nullable=True))
    op.add_column("entry_version", sa.Column("withheld_reason", sa.Text(), nullable=True))
    op.add_column("entry_version", sa.Column("withheld_until", sa.Date(), nullable=True))
    op.add_column("transmission", sa.Column("masked", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("transmission", sa.Column("shown_text", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("transmission", "shown_text")
    op.drop_column("transmission", "masked")
    for column in ("withheld_until", "withheld_reason"):
        op.drop_column("entry_version", column)
    for table in TABLES:
        op.drop_column(table, "withheld_until")
