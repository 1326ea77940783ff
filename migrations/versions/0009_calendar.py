"""The agenda: events, their series, who takes part, what is booked. An event is when its participants say it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("event_series", "event", "event_participant", "event_attendee", "resource", "resource_booking")
NOW = sa.DateTime(timezone=True)
WALL = sa.DateTime()
# Bookings follow an event by their foreign key, and the exclusion constraint refuses a move into a room that is taken.
FOLLOW = """
    CREATE FUNCTION event_follows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO event AS e (organisation_id, id, series_id, starts, ends, zone, starts_at, ends_at)
        VALUES (NEW.organisation_id, NEW.event_id, NEW.series_id, NEW.starts, NEW.ends, NEW.zone,
                NEW.occurred_at, NEW.ends_at)
        ON CONFLICT (organisation_id, id) DO UPDATE
        SET starts = excluded.starts, ends = excluded.ends, zone = excluded.zone,
            starts_at = excluded.starts_at, ends_at = excluded.ends_at
        WHERE (e.starts, e.ends, e.zone, e.starts_at, e.ends_at)
            IS DISTINCT FROM (excluded.starts, excluded.ends, excluded.zone, excluded.starts_at, excluded.ends_at);
        RETURN NEW;
    END $$
"""
FOLLOWED = """
    CREATE TRIGGER event_follows BEFORE INSERT OR UPDATE OF starts, ends, zone, occurred_at, ends_at
    ON event_participant FOR EACH ROW EXECUTE FUNCTION event_follows()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")  # trusted: the owner of the base may
    _series_and_event()
    _participants()
    _attendees()
    _resources()
    op.execute(FOLLOW)
    op.execute(FOLLOWED)
    for table in TABLES:
        secure(op, table, "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    for table in reversed(TABLES):
        if table == "event_participant":
            op.execute("DROP TRIGGER event_follows ON event_participant")
            op.execute("DROP FUNCTION event_follows()")
        op.drop_table(table)


def _series_and_event() -> None:
    op.create_table(
        "event_series",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("starts", WALL, nullable=False),
        sa.Column("ends", WALL, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("exceptions", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_event_series")),
    )
    op.create_table(
        "event",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("starts", WALL, nullable=False),
        sa.Column("ends", WALL, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at", NOW, nullable=False),
        sa.Column("ends_at", NOW, nullable=False),
        _span(),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_event_order")),
        _link("event", "series_id", "event_series", initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_event")),
        sa.UniqueConstraint("organisation_id", "id", "starts_at", "ends_at", name="uq_event_when"),
    )
    _index("event", "series_id", where="series_id IS NOT NULL")


def _participants() -> None:
    table = "event_participant"
    op.create_table(
        table,
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("place_protected", sa.Boolean(), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("starts", WALL, nullable=False),
        sa.Column("ends", WALL, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("ends_at", NOW, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", NOW, nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("outside_service", sa.Boolean(), nullable=True),
        sa.Column("stay_id", sa.Uuid(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", NOW, nullable=True),
        sa.Column("answered_by_kind", sa.Text(), nullable=True),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", NOW, nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        *_row(),
        _link(table, "event_id", "event"),
        _link(table, "structure_id", "structure"),
        _link(table, "usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f(f"pk_{table}")),
    )
    last = (sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC"))
    op.create_index(f"ix_{table}_of_usager", table, ["organisation_id", "usager_id", *last])
    op.create_index(
        f"ix_{table}_of_partner",
        table,
        ["organisation_id", "origin_partner_id", "id"],
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "uq_event_participant_once",
        table,
        ["organisation_id", "event_id", "usager_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    _index(table, "series_id", where="series_id IS NOT NULL")
    _index(table, "occurred_at", "id")


def _attendees() -> None:
    table = "event_attendee"
    op.create_table(
        table,
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=True),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("companion", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        *(_link(table, f"{to}_id", to) for to in ("event", "usager", "professional", "contact", "partner")),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f(f"pk_{table}")),
    )
    _index(table, "event_id")
    _index(table, "professional_id", where="professional_id IS NOT NULL")


def _resources() -> None:
    op.create_table(
        "resource",
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *_row(),
        _link("resource", "structure_id", "structure"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_resource")),
    )
    _index("resource", "structure_id")
    table = "resource_booking"
    op.create_table(
        table,
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", NOW, nullable=False),
        sa.Column("ends_at", NOW, nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        _span(),
        postgresql.ExcludeConstraint(
            (sa.column("organisation_id"), "="),
            (sa.column("resource_id"), "="),
            (sa.column("span"), "&&"),
            where=sa.text("NOT cancelled"),
            using="gist",
            name="ex_resource_booking_span",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "event_id", "starts_at", "ends_at"],
            ["event.organisation_id", "event.id", "event.starts_at", "event.ends_at"],
            name="fk_resource_booking_when",
            onupdate="CASCADE",
        ),
        _link(table, "resource_id", "resource"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f(f"pk_{table}")),
    )
    _index(table, "event_id")


def _span() -> sa.Column[object]:
    return sa.Column(
        "span", postgresql.TSTZRANGE(), sa.Computed("tstzrange(starts_at, ends_at)", persisted=True), nullable=False
    )


def _row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", NOW, nullable=False),
        sa.Column("updated_at", NOW, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", NOW, nullable=True),
    )


def _link(table: str, column: str, to: str, **more: object) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_organisation_id_{column}")
    return sa.ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{to}.organisation_id", f"{to}.id"],
        name=name,
        **more,  # type: ignore[arg-type]
    )


def _index(table: str, *columns: str, where: str | None = None) -> None:
    name = op.f(f"ix_{table}_organisation_id_{'_'.join(columns)}")
    op.create_index(name, table, ["organisation_id", *columns], postgresql_where=sa.text(where) if where else None)
