"""Where a person goes to school, how they move about, what they died of."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=True)


def day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=True)


def _table(name: str, *more: sa.Column[object] | sa.Constraint) -> None:
    status = sa.Column("status", sa.Text(), nullable=False)
    dossier.create(op, name, day("withheld_until"), status, *more)
    op.create_index(op.f(f"ix_{name}_organisation_id_occurred_at_id"), name, ["organisation_id", "occurred_at", "id"])


def upgrade() -> None:
    _table(
        "school_period",
        *map(day, ("starts", "ends")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("referent_id", "school_id")),
        *map(text, ("referent_name", "school_name", "teachings", "diplomas", "volume", "comment")),
        sa.Column("place_protected", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends > starts", name=op.f("ck_school_period_period")),
    )
    _table("mobility", *map(text, ("mode", "mode_label", "details", "comment")), day("noted_on"))
    _table("death", *map(text, ("causes", "said_by", "comment")), day("noted_on"))
    op.create_index(
        "uq_death_one",
        "death",
        ["organisation_id", "usager_id"],
        unique=True,
        postgresql_where=sa.text("origin_partner_id IS NULL AND deleted_at IS NULL AND status = 'final'"),
    )


def downgrade() -> None:
    for table in ("death", "mobility", "school_period"):
        op.drop_table(table)
