"""Alembic's entry: always on a connection given by `app.kernel.migrations`, each migration in its own transaction."""

import re

from alembic import context
from sqlalchemy.schema import SchemaItem

from app.schema import metadata


def ours(item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None) -> bool:
    """Partitions exist in the database only: they are made by months, not by models."""
    return not (kind == "table" and reflected and compare_to is None and PARTITION.fullmatch(name or ""))


PARTITIONED = [t.name for t in metadata.tables.values() if t.dialect_kwargs.get("postgresql_partition_by")]
PARTITION = re.compile(rf"({'|'.join(PARTITIONED)})_(default|\d{{4}}_\d{{2}})")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
