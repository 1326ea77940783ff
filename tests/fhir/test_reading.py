"""Bytes become a resource or a bundle, or a refusal of ours that names the element; caps hold before anything is built."""

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.checking import Twice
from app.fhir.reading import Bundle, read_bundle, read_json, read_resource
from app.kernel.errors import DuiError, TooLarge, Unreadable
from tests.fhir import official

CANARY = "147720425367411"
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Moreau"}]}


def bundle(*entries: Any, kind: str = "transaction") -> bytes:
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries})


def entry(resource: Any = None, url: str = "urn:uuid:1", **more: Any) -> dict[str, Any]:
    return {"fullUrl": url, "resource": resource or PATIENT, "request": {"method": "POST", "url": "Patient"}} | more


def told(refused: pytest.ExceptionInfo[DuiError]) -> list[tuple[str, str]]:
    return [(fault.where, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"NaN",
        b'{"a": 1e999}',
        b"\xff\xfe",
        b'{"a": "\xff"}',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"a\x00"',
        b"\xef\xbb\xbf{}",
        b'{"a": "b',
        b"}{",
        b'"' + b'\\"' * 1000,
    ],
)
def test_what_is_not_json_in_utf8_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        read_resource(body)
    assert refused.value.told == "unreadable"


@pytest.mark.threat("input-nul")
def test_a_nul_is_refused_at_its_element() -> None:
    with pytest.raises(Unreadable) as refused:
        read_resource(b'{"resourceType": "Patient", "name": [{"family": "a\\u0000"}]}')
    assert told(refused) == [("Patient.name[0].family", "bad_text")]


@pytest.mark.threat("input-duplicate-key")
def test_a_key_that_comes_twice_is_refused_at_its_object() -> None:
    with pytest.raises(Unreadable) as refused:
        read_resource(b'{"resourceType": "Patient", "name": [{"family": "a"}, {"family": "b", "\\u0066amily": "c"}]}')
    assert told(refused) == [("Patient.name[1].family", "duplicate_key")]


def test_colons_and_quotes_in_texts_are_no_keys() -> None:
    said = {"resourceType": "Patient", "name": [{"family": 'a":"b', "text": 'c\\":', "given": ['"', "\\", ":{[,"]}]}
    assert read_resource(orjson.dumps(said)) == said


ANY_JSON = st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.text(), ANY_JSON, ANY_JSON)
def test_a_key_that_comes_twice_is_seen_whatever_stands_around(key: str, one: Any, other: Any) -> None:
    said = b",".join(orjson.dumps(key) + b" : " + orjson.dumps(value) for value in (one, other))
    assert type(read_json(b"{" + said + b"}")) is Twice


@given(st.dictionaries(st.text(), ANY_JSON))
def test_no_key_is_taken_for_double(thing: Any) -> None:
    assert type(read_json(orjson.dumps(thing))) is dict


@given(st.integers(0, 30))
def test_depth_is_counted_exactly(depth: int) -> None:
    body = b'[{"a":' * depth + b"1" + b"}]" * depth
    read_json(body, 2 * depth)
    if depth:
        with pytest.raises(Unreadable) as refused:
            read_json(body, 2 * depth - 1)
        assert refused.value.told == "too_deep"


@pytest.mark.threat("input-deep-json")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 20_000 + b"]" * 20_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 1_000_000,
        b"]" * 1_000_000,
        b'"' * 3 + b'\\"' * 1_000_000,
        b"[[],{}]" * 300_000,
        b"[" + b'"",' * 900_000 + b'""]',
    ],
)
def test_a_hostile_body_is_refused_at_once(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(DuiError):
        read_resource(body)
    assert time.process_time() - began < 2  # a hundred times what it takes alone


@pytest.mark.threat("input-value-bomb")
@pytest.mark.parametrize("body", [b"[" + b"1," * 2_000_001 + b"1]", b"[" + b'"",' * 2_000_001 + b'""]'])
def test_too_many_values_are_too_large(body: bytes) -> None:
    with pytest.raises(TooLarge):
        read_json(body)


def test_a_bundle_says_its_entries_in_order() -> None:
    read = read_bundle(bundle(entry(), entry(url="urn:uuid:2")))
    assert [(e.at, e.where, e.full_url, e.method, e.url, e.kind, e.resource) for e in read.entries] == [
        (0, "Bundle.entry[0]", "urn:uuid:1", "POST", "Patient", "Patient", PATIENT),
        (1, "Bundle.entry[1]", "urn:uuid:2", "POST", "Patient", "Patient", PATIENT),
    ]


def test_a_bundle_without_entry_is_a_bundle() -> None:
    assert read_bundle(b'{"resourceType": "Bundle", "type": "transaction"}').entries == ()


def test_an_entry_may_have_no_resource() -> None:
    read = read_bundle(bundle({"request": {"method": "GET", "url": "Patient/1"}}))
    assert [(e.full_url, e.kind, e.resource, e.method) for e in read.entries] == [("", "", {}, "GET")]


@pytest.mark.parametrize("body", [b"[]", b"1", b'{"resourceType": "Patient"}'])
def test_only_a_bundle_is_a_bundle(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        read_bundle(body)
    assert told(refused) == [("Bundle", "not_a_bundle")]


@pytest.mark.threat("search-bundle-full-url")
@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry({"resourceType": "Pacient"})], ("Bundle.entry[0].resource.resourceType", "unknown_type")),
        (
            [entry(), entry(PATIENT | {"gender": "f"}, "urn:uuid:2")],
            ("Bundle.entry[1].resource.gender", "unknown_code"),
        ),
        ([{"resource": PATIENT}], ("Bundle.entry[0].request", "required")),
        ([{"request": {"method": "POST", "url": "Patient"}}], ("Bundle.entry[0].resource", "required")),
        ([entry(), entry(url="URN:UUID:1")], ("Bundle.entry[1].fullUrl", "duplicate_url")),
        ([entry(url="https://a/Patient/1/_history/2")], ("Bundle.entry[0].fullUrl", "bad_reference")),
        ([entry(request={"method": "CRÉER", "url": "Patient"})], ("Bundle.entry[0].request.method", "unknown_code")),
        ([3], ("Bundle.entry[0]", "bad_type")),
        (3, ("Bundle.entry", "bad_type")),
    ],
)
def test_a_wrong_entry_is_refused_at_its_place(entries: Any, expected: tuple[str, str]) -> None:
    body = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    with pytest.raises(Unreadable) as refused:
        read_bundle(body)
    assert told(refused) == [expected]


def test_what_only_a_transaction_must_say_is_not_asked_of_a_collection() -> None:
    assert len(read_bundle(bundle({"resource": PATIENT}, kind="collection")).entries) == 1


def test_entries_beyond_the_cap_are_too_large() -> None:
    with pytest.raises(TooLarge):
        read_bundle(bundle(entry(), entry(url="urn:uuid:2")), max_entries=1)


def test_what_is_left_unsaid_is_said_to_be() -> None:
    with pytest.raises(Unreadable, match="ne sont pas dites"):
        read_resource(orjson.dumps({"resourceType": "Patient", "name": [{}] * 200}))


@pytest.mark.parametrize("name", official.BUNDLES)
def test_the_official_bundles_are_read_as_published(name: str) -> None:
    text = official.text(name)
    read: Bundle = read_bundle(text)
    assert (read.kind, read.whole, len(read.entries)) == (
        "transaction",
        orjson.loads(text),
        read.whole["entry"].__len__(),
    )


parts = st.sampled_from(
    [
        '{"resourceType": "Patient", ',
        '"name": [{"family": "',
        CANARY,
        '"}]',
        "}",
        "[",
        "]",
        '"',
        "\\u0000",
        "\\ud800",
        ":",
        ",",
    ]
)


@pytest.mark.threat("input-random-bytes")
@given(st.binary() | st.lists(parts).map("".join).map(str.encode))
def test_whatever_bytes_come_the_refusal_is_ours_and_repeats_nothing(body: bytes) -> None:
    for read in (read_resource, read_bundle):
        try:
            read(body)
        except DuiError as refused:
            told = [refused.message, *(f"{f.where} {f.code} {f.message}" for f in refused.faults)]
            assert CANARY not in " ".join(told)
