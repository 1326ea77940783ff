"""Few questions about many rows, for what is the same whatever the kind: the first to ask of a whole policy."""

from collections.abc import Iterator

from tests.oracle.answers import entries
from tests.oracle.paths import FHIR, STAFF_LISTS, Path, both, has, listed, rows_of, searched
from tests.oracle.truth import Who
from tests.oracle.worlds import Drawn


def broad(world: Drawn, who: Who) -> Iterator[Path]:
    if who.staff:
        for kind in ("transmission", "contact"):
            yield Path(f"GET {STAFF_LISTS[kind]}", listed(f"/api/v1/{STAFF_LISTS[kind]}", page=200), rows_of(kind))
        for person in world.persons:
            mine = rows_of("transmission", has(usager_id=person.id))
            yield Path("GET transmissions?usager", listed(f"/api/v1/transmissions?usager={person.id}", page=200), mine)
    elif who.usager:
        yield Path("GET me/transmissions", listed("/api/v1/me/transmissions", page=200), rows_of("transmission"))
    else:
        for name in ("DocumentReference", "RelatedPerson"):
            right = both(*(rows_of(kind) for kind in FHIR[name]))
            yield Path(f"GET {name}", searched(f"/fhir/{name}", page=200, counted=False), right)
        kinds = (*FHIR["DocumentReference"], *FHIR["RelatedPerson"])
        for person in world.persons:
            place = f"/fhir/Patient/{person.id}/$everything?_type=DocumentReference,RelatedPerson"
            mine = both(*(rows_of(kind, has(usager_id=person.id)) for kind in kinds))
            yield Path("everything of types", entries(place), mine)
