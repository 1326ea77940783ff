"""The trail's key begins with the moment: new lines go to its right edge, and a list by time reads the key.

An id is random; keyed by it, each line dirtied a page of its own in a large base.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _key("organisation_id, at, id")


def downgrade() -> None:
    _key("organisation_id, id, at")


def _key(columns: str) -> None:
    op.execute("ALTER TABLE audit_entry DROP CONSTRAINT pk_audit_entry")
    op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT pk_audit_entry PRIMARY KEY ({columns})")
