"""Long lists by an index: what grows each day by structure, persons and stays in the orders in which they are listed."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
INDEXES = {
    "ix_transmission_of_structure": ("transmission", ["organisation_id", "structure_id", "occurred_at", "id"]),
    "ix_event_participant_of_structure": (
        "event_participant",
        ["organisation_id", "structure_id", "occurred_at", "id"],
    ),
    "ix_stay_organisation_id_starts_id": ("stay", ["organisation_id", "starts", "id"]),
    "ix_stay_organisation_id_occurred_at_id": ("stay", ["organisation_id", "occurred_at", "id"]),
    "ix_usager_organisation_id_occurred_at_id": ("usager", ["organisation_id", "occurred_at", "id"]),
}


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        op.drop_index(op.f(name), table_name=table)
