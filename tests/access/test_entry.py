"""What every dossier table has from its first line. The fixture `world`: the application is whole, all are known."""

import pytest
from sqlalchemy import Table

from app.access.entry import DossierEntry
from app.kernel.db import Base
from tests.world import World


def dossier_tables() -> list[Table]:
    return [m.class_.__table__ for m in Base.registry.mappers if issubclass(m.class_, DossierEntry)]


def pointed_at(table: Table) -> set[tuple[str, ...]]:
    return {(*f.column_keys, f.referred_table.name) for f in table.foreign_key_constraints}


def test_every_row_is_of_someone_of_the_same_organisation(world: World):
    to = ("organisation_id", "usager_id", "usager")
    assert {t.name for t in dossier_tables() if to not in pointed_at(t)} == {"usager"}  # its id is theirs


def test_every_row_is_in_a_structure_of_the_same_organisation(world: World):
    to = ("organisation_id", "structure_id", "structure")
    assert {t.name for t in dossier_tables() if to not in pointed_at(t)} == set()


@pytest.mark.parametrize("question", ["of_usager", "of_partner"])
def test_every_table_answers_by_an_index(world: World, question: str):
    assert [t.name for t in dossier_tables() if f"ix_{t.name}_{question}" not in {i.name for i in t.indexes}] == []
