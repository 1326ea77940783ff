"""What an earlier version kept whole of presences, meals and transports moves into their tables, and goes back as it came."""

import pytest

from app.api import fhir_sent
from app.api.resources import REGISTRY
from app.features.meals.fhir import MEAL
from app.features.presences.fhir import PRESENCE, PRESENCE_SCHEDULE
from app.features.transports.fhir import TRANSPORTS
from app.features.transports.models import Traveller
from app.fhir.registry import Registry
from tests.exchange.bundles import bundle, entry, patient, practitioner
from tests.exchange.sending import fresh, read_back, said, taken
from tests.exchange.test_remap import moved
from tests.features.meals.test_fhir import observed
from tests.features.presences.test_fhir import schedule, slot
from tests.features.transports.test_fhir import event, trip
from tests.world import World

SINCE = (PRESENCE, PRESENCE_SCHEDULE, MEAL, *TRANSPORTS)
EARLIER = Registry([each for each in REGISTRY.maps if each not in SINCE], kept=REGISTRY.kept)


def test_they_move_with_what_they_refer_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    local = fresh()
    sent = [slot(local), schedule(), observed(local), trip(Traveller.PROFESSIONAL, local)]
    others = [event(local=local), practitioner(local), patient(local)]
    with monkeypatch.context() as earlier:
        earlier.setattr(fhir_sent, "REGISTRY", EARLIER)
        told = taken(world, bundle(*map(entry, sent + others)))
    ids = [id for _, id, _ in told]
    assert len(world.rows("SELECT * FROM kept_resource WHERE id = ANY($1)", ids)) == 4
    moved(world, REGISTRY)
    assert world.rows("SELECT * FROM kept_resource WHERE id = ANY($1)", ids) == []
    [presence] = world.rows("SELECT schedule_id, version FROM presence WHERE id = $1", ids[0])
    [transport] = world.rows("SELECT event_id, traveller FROM transport WHERE id = $1", ids[3])
    assert (presence["schedule_id"], transport["event_id"]) == (ids[1], ids[4])
    assert (presence["version"], transport["traveller"]) == (1, "professional")
    assert [said(read_back(world, kind, id)) for kind, id, _ in told[:4]] == [said(one) for one in sent]
