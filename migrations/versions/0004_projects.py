"""Projects: the plan, and its parts (expectations, needs, goals, actions, services, means, reviews, agreements)."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("project", "expectation", "need", "goal", "action", "service", "means", "review", "agreement")
KEPT = ("expectation", "agreement")  # someone's words, someone's answer: the application never deletes the row
WITHOUT_DELETE = "SELECT, INSERT, UPDATE"


def upgrade() -> None:
    _dossier(
        "project",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("type_code", sa.Text(), nullable=True),
        sa.Column("communication", sa.Text(), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("project"),
        sa.UniqueConstraint("organisation_id", "id", "usager_id", name="uq_project_organisation_id_id_usager_id"),
    )
    _part(
        "expectation",
        sa.Column("adds_to_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=True),
        sa.Column("said_on", sa.Date(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("comments", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("expectation"),
        _link("expectation", "adds_to_id", "expectation"),
    )
    _part(
        "need",
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("serafin", sa.Text(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("need"),
    )
    _part(
        "goal",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("referent_id", sa.Uuid(), nullable=True),
        sa.Column("referent_kind", sa.Text(), nullable=True),
        sa.Column("referent_name", sa.Text(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("need_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("team_view", sa.Text(), nullable=True),
        sa.Column("team_view_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("team_view_by", sa.Uuid(), nullable=True),
        sa.Column("opinion_feeling", sa.Text(), nullable=True),
        sa.Column("opinion_words", sa.Text(), nullable=True),
        sa.Column("opinion_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evaluation_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("goal"),
    )
    _part(
        "action",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.Column("expected_result", sa.Text(), nullable=True),
        sa.Column("person_opinion", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner_kind", sa.Text(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("goal_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("evaluation_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("action"),
    )
    _part(
        "service",
        sa.Column("action_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("types", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.Column("evaluation_id", sa.Uuid(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("service"),
        _link("service", "action_id", "action"),
    )
    _part(
        "means",
        sa.Column("action_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("evaluation_id", sa.Uuid(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        *_former("means"),
        _link("means", "action_id", "action"),
    )
    _part(
        "review",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("perimeter", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("guests", sa.Text(), nullable=True),
        sa.Column("preparations", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("prepared_by", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("synthesis", sa.Text(), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
    )
    _part(
        "agreement",
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signer_id", sa.Uuid(), nullable=True),
        sa.Column("signer_kind", sa.Text(), nullable=True),
        sa.Column("signer_name", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("shown_version", sa.Integer(), nullable=True),
        sa.Column("shown_sha256", sa.Text(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
    )
    op.create_index(
        "ix_project_due",
        "project",
        ["organisation_id", "next_review_on", "id"],
        postgresql_where=sa.text("status IN ('active', 'on_hold')"),
    )
    for table in TABLES:
        if table in KEPT:
            secure(op, table, WITHOUT_DELETE)
        else:
            secure(op, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _dossier(table: str, *more: Any) -> None:
    """A table of the dossier: its own columns, then those of every row that belongs to a person."""
    op.create_table(
        table,
        *more,
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        _link(table, "structure_id", "structure"),
        _link(table, "usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=f"pk_{table}"),
    )
    op.create_index(
        f"ix_{table}_of_usager",
        table,
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
    )
    op.create_index(
        f"ix_{table}_of_partner",
        table,
        ["organisation_id", "origin_partner_id", "id"],
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )


def _part(table: str, *more: Any) -> None:
    """A part of a project, of the same person as the whole."""
    whole = sa.ForeignKeyConstraint(
        ["organisation_id", "project_id", "usager_id"],
        ["project.organisation_id", "project.id", "project.usager_id"],
        name=f"fk_{table}_project",
    )
    _dossier(table, sa.Column("project_id", sa.Uuid(), nullable=False), *more, whole)
    op.create_index(f"ix_{table}_of_project", table, ["organisation_id", "project_id"])


def _former(table: str) -> tuple[Any, Any]:
    return sa.Column("replaces_id", sa.Uuid(), nullable=True), _link(table, "replaces_id", table)


def _link(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{to}.organisation_id", f"{to}.id"],
        name=f"fk_{table}_organisation_id_{column}",
    )
