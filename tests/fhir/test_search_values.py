"""What a search value covers: property tests of the parser, whatever comes."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.features.transmissions.models import Transmission
from app.fhir.search.criteria import Around, Coded, Composite, Ids, Quantity, Reference, Telecom, Token, When, Words
from app.fhir.search.criteria.folding import spoken
from app.fhir.search.criteria.quantity import PREFIXES as NUMBER_PREFIXES
from app.fhir.search.criteria.quantity import number_of
from app.fhir.search.values import PREFIXES, BadValue, alternatives, id_in, moment_of, tokens, uuid_of
from app.kernel.clock import PARIS

AROUND = Around("https://dui.example", None)  # type: ignore[arg-type]
MOMENTS = st.integers(-2_208_988_800, 250_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_our_words(text: str) -> None:
    for criterion in (
        When(Transmission.occurred_at),
        Ids(Transmission.id),
        Reference(Transmission.usager_id, "Patient"),
        Token(Transmission.kind, {"data": ("data",)}),
        Coded(Transmission.kind),
        Words((Transmission.text,)),
        Telecom(Transmission.text),
        Quantity(Transmission.version, Transmission.text, Transmission.text),
        Composite(Ids(Transmission.id), When(Transmission.occurred_at)),
    ):
        refusal = None
        try:
            criterion.read(text, AROUND)
        except BadValue as bad:
            refusal = str(bad)
        assert refusal is None or len(text) < 4 or text not in refusal


@given(MOMENTS, st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]))
def test_a_partial_date_covers_the_moments_it_names(at: datetime, spelling: str) -> None:
    local = at.astimezone(PARIS)
    found = moment_of(local.strftime(spelling.replace("%Y", f"{local.year:04}")))
    if local.fold == 0:
        assert found.low <= at < found.high


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_same_instant_in_any_zone_is_one_interval(at: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = at + timedelta(minutes=minutes)
    told = f"{local.replace(microsecond=0, tzinfo=None).isoformat()}{sign}{hours:02}:{rest:02}"
    assert moment_of(told).low == at.replace(microsecond=0)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_of_r4_is_read(prefix: str) -> None:
    assert moment_of(f"{prefix}2026").prefix == prefix


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("2026-03-29", timedelta(hours=23)),
        ("2026-10-25", timedelta(hours=25)),
        ("2024-02", timedelta(days=29)),
        ("2026-12", timedelta(days=31)),
        ("2026-05-03T10:00:00.123Z", timedelta(milliseconds=1)),
        ("2026-05-03T10:00:00.123456789Z", timedelta(microseconds=1)),
        ("2026-05-03T10:00", timedelta(minutes=1)),
    ],
)
def test_an_interval_is_as_wide_as_what_was_not_said(text: str, width: timedelta) -> None:
    found = moment_of(text)
    assert found.high - found.low == width


def test_a_comma_is_escaped_by_a_backslash() -> None:
    assert alternatives(r"a,b\,c,d\|e") == ["a", "b,c", "d|e"]


def escaped(text: str) -> str:
    return re.sub(r"([\\,$|])", r"\\\1", text)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5))
def test_what_is_escaped_is_read_as_it_was(texts: list[str]) -> None:
    assert alternatives(",".join(map(escaped, texts))) == texts


@given(st.lists(st.tuples(st.none() | st.text(max_size=8), st.text(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_a_system_and_a_code_are_told_apart_by_a_bar_that_is_not_escaped(pairs: list[tuple[str | None, str]]) -> None:
    said = (escaped(code) if system is None else f"{escaped(system)}|{escaped(code)}" for system, code in pairs)
    assert tokens(",".join(said)) == pairs


@given(st.decimals(-1000, 1000, places=3), st.sampled_from(NUMBER_PREFIXES))
def test_a_number_stands_for_what_its_last_digit_covers(number: Decimal, prefix: str) -> None:
    found = number_of(f"{prefix}{number}")
    assert (found.prefix, found.value) == (prefix, float(number))
    assert found.low < found.value < found.high
    assert prefix == "ap" or found.high - found.low == pytest.approx(0.001)


@example("Ǽ")  # a mark on a ligature
@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Z", "M"]), max_size=30))
def test_a_text_once_folded_is_folded(text: str) -> None:
    assert spoken(spoken(text)) == spoken(text)


def test_folding_keeps_letters_alone() -> None:
    assert spoken("  BENSAÏD-Lœuf d’Arc, « Zoé » ") == "bensaid loeuf d arc zoe"


def test_about_a_date_is_a_tenth_of_the_time_from_now() -> None:
    found = moment_of("ap2000-01-01")
    assert found.low < moment_of("1998").low < moment_of("2002").low < found.high
    assert moment_of("1990").low < found.low


def test_an_id_is_ours_only_as_we_write_it() -> None:
    id = "018f3c1e-0000-7000-8000-00000000abcd"
    assert str(uuid_of(id)) == id
    assert [uuid_of(text) for text in (id.upper(), f"{{{id}}}", f"urn:uuid:{id}", id.replace("-", ""), "é")] == [
        None
    ] * 5


def test_a_reference_is_ours_by_our_address_alone() -> None:
    id = "018f3c1e-0000-7000-8000-00000000abcd"
    assert str(id_in(f"https://dui.example/fhir/Patient/{id}", "Patient", AROUND.origin)) == id
    assert id_in(f"https://dui.example.org/fhir/Patient/{id}", "Patient", AROUND.origin) is None
    assert id_in(f"Group/{id}", "Patient", AROUND.origin) is None
    assert id_in(f"https://ailleurs.example/fhir/Patient/{id}/_history/2", "Patient", AROUND.origin) is None


def test_a_reference_is_looked_for_without_its_version() -> None:
    with pytest.raises(BadValue, match="sans sa version"):
        id_in("Patient/018f3c1e-0000-7000-8000-00000000abcd/_history/2", "Patient", AROUND.origin)
