"""Any dossier table in the order of what happened, or of what last changed; the versions of a kind by when they were written."""

from collections.abc import Iterator

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None
HAD = (  # their order of what happened
    "assessment",
    "death",
    "event_participant",
    "life_project",
    "meal",
    "mobility",
    "orientation_decision",
    "orientation_request",
    "presence",
    "school_period",
    "stay",
    "transport",
    "usager",
)
MORE = (
    "action", "agreement", "alert", "consent_answer", "consigne", "contact", "copy_request", "document",
    "emergency_access", "emergency_sheet", "expectation", "goal", "handover", "judicial_decision",
    "kept_resource", "mandate", "means", "need", "opposition", "presence_schedule", "project", "review",
    "service", "shared_team", "sharing_consent", "stated_purpose", "team_member", "transmission",
    "usager_identifier",
)  # fmt: skip
VERSIONS = ("ix_entry_version_organisation_id_kind_at_entry_id_version", "entry_version")


def indexes() -> Iterator[tuple[str, str, list[str]]]:
    for table in MORE:
        yield f"ix_{table}_organisation_id_occurred_at_id", table, ["organisation_id", "occurred_at", "id"]
    for table in (*HAD, *MORE):
        yield f"ix_{table}_organisation_id_updated_at_id", table, ["organisation_id", "updated_at", "id"]
    yield *VERSIONS, ["organisation_id", "kind", "at", "entry_id", "version"]


def upgrade() -> None:
    for name, table, columns in indexes():
        op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    for name, table, _ in indexes():
        op.drop_index(op.f(name), table_name=table)
