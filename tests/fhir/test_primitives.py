"""Each primitive is read as R4 says it in JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.primitives import CHECKS, MAX_TEXT

GOOD: dict[str, list[Any]] = {
    "base64Binary": ["QQ==", "QUJD\r\nREVG"],
    "boolean": [True, False],
    "canonical": ["https://a/b|1.0", "#q"],
    "code": ["a", "a b"],
    "date": ["2026", "2026-11", "2024-02-29"],
    "dateTime": [
        "2026",
        "2026-11",
        "2026-11-21",
        "2026-11-21T14:00:00Z",
        "2026-11-21T14:00:00.123456789+14:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
    ],
    "decimal": [1, 1.5, -3, 1e30, 2**64 - 1],
    "id": ["a", "A-1.b" + "x" * 59],
    "instant": ["2026-11-21T14:00:00+01:00"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["**a**"],
    "oid": ["urn:oid:1.2.250.1.213.1.4.8"],
    "positiveInt": [1],
    "string": ["a", " é\n", "<script>", "x" * MAX_TEXT],
    "time": ["14:00:00", "23:59:59.5"],
    "unsignedInt": [0],
    "uri": ["urn:a", "https://a/é"],
    "url": ["mailto:a@b", "Binary/1"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "xhtml": ["<div>a</div>", "x" * (MAX_TEXT + 1)],
}
BAD: dict[str, list[tuple[Any, str]]] = {
    "base64Binary": [("A", "bad_text"), ("é===", "bad_text"), ("", "empty"), (1, "bad_type")],
    "boolean": [("true", "bad_type"), (1, "bad_type"), (None, "bad_type")],
    "canonical": [("a b", "bad_text")],
    "code": [(" a", "bad_text"), ("a  b", "bad_text"), ("a\n", "bad_text"), ("", "empty")],
    "date": [
        ("2026-02-31", "bad_date"),
        ("2025-02-29", "bad_date"),
        ("2026-13", "bad_date"),
        ("0000", "bad_date"),
        ("26", "bad_date"),
        ("2026-11-21T14:00:00Z", "bad_date"),
        ("2026-11-21\n", "bad_date"),
        ("٢٠٢٦", "bad_date"),
        (2026, "bad_type"),
    ],
    "dateTime": [
        ("2026-02-31T14:00:00Z", "bad_date"),
        ("2026-11-21T14:00:00", "bad_date"),
        ("2026-11-21T14:00Z", "bad_date"),
        ("2026-11-21T24:00:00Z", "bad_date"),
        ("2026-12-31T23:59:60Z", "bad_date"),
    ],
    "decimal": [("1", "bad_type"), (True, "bad_type"), (2**64, "bad_value"), (float("inf"), "bad_value")],
    "id": [("x" * 65, "bad_text"), ("é", "bad_text"), ("a/b", "bad_text")],
    "instant": [("2026-11-21", "bad_date")],
    "integer": [(1.0, "bad_type"), (2**31, "bad_value"), (True, "bad_type"), ("1", "bad_type")],
    "markdown": [("x" * (MAX_TEXT + 1), "too_long")],
    "oid": [("1.2.250", "bad_text")],
    "positiveInt": [(0, "bad_value")],
    "string": [("", "empty"), ("a\0b", "bad_text"), (3, "bad_type"), ("x" * (MAX_TEXT + 1), "too_long")],
    "time": [("14:00", "bad_date"), ("14:00:60", "bad_date")],
    "unsignedInt": [(-1, "bad_value")],
    "uri": [("a b", "bad_text"), ("", "empty")],
    "url": [("a\tb", "bad_text")],
    "uuid": [("c757873d", "bad_text")],
    "xhtml": [("", "empty"), (1, "bad_type"), ("<div>\0</div>", "bad_text")],
}


def test_every_primitive_is_tried_both_ways() -> None:
    assert GOOD.keys() == BAD.keys() == CHECKS.keys()


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_what_r4_allows_is_taken(kind: str) -> None:
    assert [CHECKS[kind](value) for value in GOOD[kind]] == [None] * len(GOOD[kind])


@pytest.mark.parametrize("kind", sorted(BAD))
def test_what_r4_does_not_allow_is_refused(kind: str) -> None:
    told = [CHECKS[kind](value) for value, _ in BAD[kind]]
    assert [bad and bad[0] for bad in told] == [code for _, code in BAD[kind]]


@given(
    st.sampled_from(sorted(CHECKS)), st.text() | st.binary() | st.integers() | st.floats() | st.none() | st.datetimes()
)
def test_no_value_breaks_a_check(kind: str, value: Any) -> None:
    CHECKS[kind](value)


@given(st.datetimes(timezones=st.timezones()))
def test_every_moment_of_ours_is_an_instant(moment: Any) -> None:
    written = moment.isoformat()
    offset = moment.utcoffset().total_seconds()  # of the sun, before there were zones: to the second, and further away
    if moment.year not in (1, 9999) and offset % 60 == 0 and abs(offset) <= 14 * 3600:
        assert CHECKS["instant"](written) is None
