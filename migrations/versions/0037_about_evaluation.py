"""Which question to the person is about an evaluation: a yes to another opens none."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sharing_consent", sa.Column("about", sa.Text(), nullable=True))
    op.execute("""UPDATE sharing_consent s SET about = 'evaluation' FROM stated_purpose p
        WHERE p.organisation_id = s.organisation_id AND p.consent_id = s.id AND s.kind = 'autre'""")
    op.create_check_constraint(
        op.f("ck_sharing_consent_about"),
        "sharing_consent",
        "about IS NULL OR (about = 'evaluation' AND kind = 'autre')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sharing_consent_about"), "sharing_consent", type_="check")
    op.drop_column("sharing_consent", "about")
