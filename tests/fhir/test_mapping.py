"""Which map takes a resource: its profile, then the system of its identifier, its code, its type alone, then the generic
one.
"""

from typing import Any, ClassVar
from uuid import uuid4

import pytest

from app.features.stays.models import Stay
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap
from app.fhir.registry import Registry
from app.fhir.types import Encounter, Goal
from app.kernel.crypto import UsagerKey
from app.kernel.errors import Invalid, NotFound


class StayFhir(RecordView, frozen=True):
    TABLE: ClassVar = Stay


def refuse(resource: Json, inbound: Inbound) -> Arrived:
    raise Invalid("Rien à en faire.", where="", code="not_carried")


def take(resource: Json, inbound: Inbound) -> Arrived:
    return Arrived(Stay())


def a_map(profile: str, type_name: str = "Goal", **more: Any) -> ResourceMap[Any]:
    make = {"Goal": Goal, "Encounter": Encounter}.get(type_name, Goal)
    return ResourceMap(
        profile=profile,
        type_name=type_name,
        view=StayFhir,
        to_fhir=lambda v: make(id=v.id),
        **{"from_fhir": take} | more,
    )


HOPE = a_map("urn:hope", also=("urn:hope-2",), systems=frozenset({"urn:ids:hope"}))
AIM = a_map("urn:aim", systems=frozenset({"urn:ids:aim"}))
VISIT = a_map("urn:visit", "Encounter")
SHOWN = a_map("urn:shown", "Encounter", from_fhir=None)
SEEN = a_map("urn:seen", "Observation", codes=frozenset({"urn:codes|seen"}), by_type=False)
HEARD = a_map("urn:heard", "Observation", codes=frozenset({"urn:codes|heard"}), by_type=False)
KEPT = a_map("urn:kept", "")
REGISTRY = Registry([HOPE, AIM, VISIT, SHOWN, SEEN, HEARD], KEPT)


def goal(*profiles: str, system: str | None = None) -> dict[str, Any]:
    identifier = {"identifier": [{"system": system, "value": "1"}]} if system else {}
    return {"resourceType": "Goal", "meta": {"profile": list(profiles)}, **identifier}


def observed(*codes: object, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "code": {"coding": list(codes)}, **more}


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (goal("urn:aim"), AIM),
        (goal("urn:aim|2.4.0"), AIM),
        (goal("urn:hope-2"), HOPE),
        (goal("urn:other", "urn:hope"), HOPE),
        (goal("urn:aim", system="urn:ids:hope"), AIM),
        (goal(system="urn:ids:hope"), HOPE),
        (goal("urn:other", system="urn:ids:aim"), AIM),
        (goal(), KEPT),
        (goal("urn:visit"), KEPT),
        ({"resourceType": "Encounter"}, VISIT),
        ({"resourceType": "Encounter", "meta": {"profile": ["urn:shown"]}}, VISIT),
        ({"resourceType": "Encounter", "meta": "x", "identifier": "y"}, VISIT),
        ({"resourceType": "Observation"}, KEPT),
        (observed({"system": "urn:codes", "code": "heard"}), HEARD),
        (observed({"system": "urn:x", "code": "x"}, {"system": "urn:codes", "code": "seen"}), SEEN),
        (observed({"system": "urn:codes", "code": "seen"}, meta={"profile": ["urn:heard"]}), HEARD),
        (observed({"system": "urn:codes", "code": "other"}), KEPT),
        (observed({"code": "seen"}, "seen"), KEPT),
        ({"resourceType": "Observation", "code": {"coding": "seen"}}, KEPT),
        ({"resourceType": "Observation", "code": "seen"}, KEPT),
    ],
)
def test_a_resource_finds_its_map(resource: dict[str, Any], found: ResourceMap[Any]) -> None:
    assert REGISTRY.of_resource(resource) is found


@pytest.mark.parametrize("name", ["Patiente", "", "patient", None])
def test_a_type_r4_does_not_know_is_refused_without_being_repeated(name: object) -> None:
    with pytest.raises(Invalid) as no:
        REGISTRY.of_resource({"resourceType": name}, "Bundle.entry[2].resource")
    assert (no.value.told, no.value.where) == ("unknown_type", "Bundle.entry[2].resource")
    with pytest.raises(NotFound):
        REGISTRY.of_type(str(name))


def test_a_type_is_looked_up_in_all_its_maps_the_generic_one_last() -> None:
    assert REGISTRY.of_type("Goal") == (HOPE, AIM, KEPT)
    assert REGISTRY.of_type("Basic") == (KEPT,)
    assert Registry([AIM]).of_type("Goal") == (AIM,)
    with pytest.raises(NotFound):
        Registry([AIM]).of_type("Basic")


def test_without_a_generic_map_nothing_is_kept_in_silence() -> None:
    with pytest.raises(Invalid):
        Registry([HOPE, AIM]).of_resource(goal())


def around(tmp: Any = None) -> Inbound:
    return Inbound(uuid4(), uuid4(), uuid4(), uuid4(), UsagerKey(bytes(range(32))), tmp, "Bundle.entry[0].resource")


def test_what_a_map_cannot_hold_is_kept_whole_with_a_warning() -> None:
    inbound = around()
    chosen, arrived = Registry([a_map("urn:no", from_fhir=refuse)], KEPT).received(goal("urn:no"), inbound)
    assert chosen is KEPT
    assert arrived.row.extra is not None
    assert [(w.severity, w.code, w.expression) for w in inbound.warnings] == [
        ("warning", "not_carried", "Bundle.entry[0].resource")
    ]


@pytest.mark.parametrize("more", [{"lenient": False}, {}])
def test_strictly_or_without_a_generic_map_it_is_refused(more: dict[str, bool]) -> None:
    kept = KEPT if more else None
    with pytest.raises(Invalid):
        Registry([a_map("urn:no", from_fhir=refuse)], kept).received(goal("urn:no"), around(), **more)


def test_a_map_that_only_shows_receives_nothing() -> None:
    with pytest.raises(Invalid):
        SHOWN.received({"resourceType": "Encounter"}, around())


def test_a_reference_leads_only_where_the_bundle_may_go() -> None:
    here = uuid4()
    inbound = Inbound(
        uuid4(),
        uuid4(),
        uuid4(),
        uuid4(),
        UsagerKey(bytes(32)),
        None,
        "",
        local={f"Goal/{here}": here},  # type: ignore[arg-type]
    )
    assert inbound.target({"reference": f"Goal/{here}"}, "Goal", "Task") == here
    assert inbound.target({"reference": f"Goal/{here}"}, "Task") is None
    assert inbound.target({"reference": f"Goal/{uuid4()}"}, "Goal") is None
    assert inbound.target(None, "Goal") is None
