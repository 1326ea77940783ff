"""Row-level security, said once: what each role may see and do in a table.

`current_setting` is '' after a `SET LOCAL` and NULL before any: both give no tenant, hence no row. Every statement of
ours names its tenant too, so Postgres compares the two once a scan; a sub-select here would cost a plan of its own per
table (docs/adr/0008).
"""

from alembic.operations import Operations

APP, SEALER = "dui_app", "dui_sealer"
TENANT = "nullif(current_setting('dui.organisation', true), '')::uuid"
ALL = "SELECT, INSERT, UPDATE, DELETE"


def secure(op: Operations, table: str, grants: str = ALL, *, sealer: str = "") -> None:
    """A tenant table: the application sees one organisation's rows, the owner all, the sealer (if `sealer`) all.

    `grants` and `sealer` are lists of privileges as GRANT takes them, columns included. Security is forced, so an
    owner without BYPASSRLS (a house's server) needs its policy. Call it on each partition too, with `grants=""`:
    a partition named directly is then closed.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    if grants:
        op.execute(f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {TENANT})")
        op.execute(f"GRANT {grants} ON {table} TO {APP}")
    if sealer:
        op.execute(f"CREATE POLICY sealer ON {table} TO {SEALER} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT {sealer} ON {table} TO {SEALER}")


def share(op: Operations, table: str, grants: str = ALL) -> None:
    """A global table (accounts, sessions, concepts): no tenant, what the application may do is all it is given."""
    op.execute(f"GRANT {grants} ON {table} TO {APP}")
