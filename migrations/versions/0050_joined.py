"""What other rows lead to, found by an index: what is part of an action, what replaces a project, what an event brought."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None
INDEXES = {
    "ix_service_of_action": ("service", "action_id"),
    "ix_means_of_action": ("means", "action_id"),
    "ix_project_replacing": ("project", "replaces_id"),
    "ix_assessment_of_event": ("assessment", "event_id"),
    "ix_assessment_of_recorder": ("assessment", "recorder_id"),
    "ix_assessment_of_assessor": ("assessment", "assessor_id"),
}


def upgrade() -> None:
    for name, (table, column) in INDEXES.items():
        told = sa.text(f"{column} IS NOT NULL")
        op.create_index(op.f(name), table, ["organisation_id", column], postgresql_where=told)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        op.drop_index(op.f(name), table_name=table)
