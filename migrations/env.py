"""Alembic's entry: always on a connection given by `app.kernel.migrations`, each migration in its own transaction."""

from alembic import context
from sqlalchemy.schema import SchemaItem

from app.schema import metadata


def ours(item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None) -> bool:
    """Partitions exist in the database only: they are made by months, not by models."""
    return not (kind == "table" and reflected and compare_to is None and (name or "").rpartition("_")[0] in partitioned)


partitioned = {t.name for t in metadata.tables.values() if t.dialect_kwargs.get("postgresql_partition_by")}

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
