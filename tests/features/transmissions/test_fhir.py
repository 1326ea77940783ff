"""A transmission and its DocumentReference say the same, both ways, and what only the sender knew comes back."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.documents.fhir import DOCUMENT
from app.features.transmissions.fhir import IS_EMERGENCY, KIND, NOTE, PROFILE, TransmissionFhir
from app.features.transmissions.models import EntryKind, Transmission
from app.fhir.mapping import Inbound, as_read, plain
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Invalid

USAGER, STRUCTURE, PARTNER, ID = uuid4(), uuid4(), uuid4(), uuid4()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keyring, UsagerKey, bytes]:
    keyring = Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json", demo=True)
    key, wrapped = keyring.new_usager_key(str(USAGER))
    return keyring, key, wrapped


def view(**changes: object) -> TransmissionFhir:
    values: dict[str, Any] = {
        "id": str(ID),
        "usager_id": str(USAGER),
        "version": 3,
        "updated_at": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "origin_partner_id": None,
        "origin_version": None,
        "held": False,
        "extra": None,
        "wrapped_key": None,
        "author_id": str(uuid4()),
        "author_kind": "professional",
        "thread_id": str(ID),
        "target": None,
        "kind": "narrative",
        "text": "A bien dormi.",
        "important": False,
        "occurred_at": datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    }
    return TransmissionFhir(**{**values, **changes})


def note(**changes: object) -> dict[str, Any]:
    """As a cahier de liaison sends it."""
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [PROFILE]},
        "status": "current",
        "type": {"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.305", "code": "OBS"}]},
        "subject": {"reference": f"Patient/{USAGER}"},
        "date": "2026-11-21T09:00:00+01:00",
        "author": [{"reference": f"PractitionerRole/{uuid4()}"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": b64encode(b"Belle nuit.").decode()}}],
    } | changes


def inbound(key: UsagerKey, keyring: Keyring, **local: UUID) -> Inbound:
    known = {f"Patient/{USAGER}": USAGER} | {f"DocumentReference/{id}": id for id in local.values()}
    return Inbound(ID, USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle.entry[0].resource", local=known)


@pytest.mark.parametrize("kind", list(EntryKind))
def test_what_leaves_is_valid_r4(kind: EntryKind) -> None:
    said = plain(NOTE.to_fhir(view(kind=kind.value, important=True, target="sommeil", thread_id=str(uuid4()))))
    get_fhir_model_class("DocumentReference").model_validate(said)


@pytest.mark.parametrize(
    ("kind", "important", "target"), [("data", True, "sommeil"), ("reply", False, None), ("narrative", False, "nuit")]
)
def test_what_we_say_we_hear_again(keys: Any, kind: str, important: bool, target: str | None) -> None:
    keyring, key, _ = keys
    told = view(kind=kind, important=important, target=target, text="Été, <b>&", thread_id=str(uuid4()))
    around = inbound(key, keyring, thread=UUID(told.thread_id))
    arrived = NOTE.from_fhir(plain(NOTE.to_fhir(told)), around)  # type: ignore[misc]
    heard = as_read(TransmissionFhir, around.stamped(arrived.row))
    names = ("usager_id", "kind", "important", "target", "text", "thread_id", "occurred_at")
    assert [getattr(heard, n) for n in names] == [getattr(told, n) for n in names]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"description": "Relève du matin", "masterIdentifier": {"system": "urn:x", "value": "1"}},
        {"extension": [{"url": IS_EMERGENCY, "valueBoolean": False}]},
        {"extension": [{"url": IS_EMERGENCY, "valueBoolean": True}]},
        {"securityLabel": [{"coding": [{"code": "INVISIBLE_PATIENT"}]}]},
        {"type": {"coding": [{"system": KIND, "code": "data"}], "text": "Donnée"}},
        {"content": [{"attachment": {"contentType": "text/plain", "data": "QmVsbGUg\r\nbnVpdC4="}}]},
        {"date": "9999-12-31"},
    ],
)
def test_nothing_received_is_lost(keys: Any, more: dict[str, Any]) -> None:
    keyring, key, wrapped = keys
    received = note(**more)
    row = NOTE.received(received, inbound(key, keyring)).row
    back = plain(NOTE.out(as_read(TransmissionFhir, row, {"wrapped_key": wrapped}), keyring))
    assert {k: v for k, v in back.items() if k not in ("id", "meta")} == {
        k: v for k, v in received.items() if k != "meta"
    }


def test_what_is_kept_beside_the_row_is_sealed_and_bound_to_it(keys: Any) -> None:
    keyring, key, wrapped = keys
    row = NOTE.received(note(description="Relève du matin"), inbound(key, keyring)).row
    assert b"matin" not in (row.extra or b"")
    moved = msgspec.structs.replace(as_read(TransmissionFhir, row, {"wrapped_key": wrapped}), id=str(uuid4()))
    with pytest.raises(Exception, match="altérée ou déplacée"):
        NOTE.out(moved, keyring)


def test_an_arrived_row_is_stamped_by_its_sender(keys: Any) -> None:
    keyring, key, _ = keys
    row = NOTE.received(note(), inbound(key, keyring)).row
    told = (row.id, row.usager_id, row.structure_id, row.origin_partner_id, row.origin_version, row.category)
    assert told == (ID, USAGER, STRUCTURE, PARTNER, 1, "support")
    assert (row.author_kind, row.author_id, row.visibility) == ("partner", PARTNER, "not_shared")


@pytest.mark.parametrize(
    "content",
    [
        [{"attachment": {"contentType": "image/jpeg", "data": "AAAA"}}],
        [{"attachment": {"contentType": "text/plain", "data": "AAAA"}}] * 2,
        [{"attachment": {"contentType": "text/plain", "data": "é"}}],
        [{"attachment": {"contentType": "text/plain", "data": b64encode(b"\xff").decode()}}],
        [{"attachment": {"contentType": "text/plain", "data": b64encode(b"\0").decode()}}],
    ],
)
def test_what_is_not_one_text_is_no_entry_of_ours(keys: Any, content: list[Any]) -> None:
    keyring, key, _ = keys
    with pytest.raises(Invalid):
        NOTE.received(note(content=content), inbound(key, keyring))


def test_the_text_may_come_with_a_photo(keys: Any) -> None:
    keyring, key, wrapped = keys
    photo = {"attachment": {"contentType": "image/jpeg", "data": "AAAA"}}
    received = note(content=[*note()["content"], photo])
    row = NOTE.received(received, inbound(key, keyring)).row
    assert isinstance(row, Transmission)
    back = plain(NOTE.out(as_read(TransmissionFhir, row, {"wrapped_key": wrapped}), keyring))
    assert (row.text, back["content"]) == ("Belle nuit.", received["content"])


def test_is_known_by_its_profile_alone() -> None:
    assert REGISTRY.of_resource(note()) is NOTE
    assert REGISTRY.of_resource(note(meta={})) is DOCUMENT
