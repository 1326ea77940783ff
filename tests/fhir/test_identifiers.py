"""Identifiers are known by their system, and doubted when their form or key is wrong; a doubt never repeats the value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from app.fhir import identifiers
from app.fhir.identifiers import (
    FINESS,
    INS_NIA,
    INS_NIR,
    PROFESSIONAL,
    RPPS,
    SIRENE,
    STRUCTURE,
    TAGS,
    USAGER,
    BusinessId,
    Key,
    business_id,
    doubt,
    finess_is_right,
    ins_is_right,
    keys_of,
    normal,
    rpps_is_right,
)

PROJECT = "https://identifiant-medicosocial-projetpersonnalise.esante.gouv.fr"
STAY = "https://identifiant-medicosocial-sejour.esante.gouv.fr"


def code(system: str, value: Any, **more: Any) -> str | None:
    told = doubt({"system": system, "value": value} | more)
    return told and told[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (PROJECT, PROJECT),
        ("https://identifiant-medicosocial-projetpersonnalise.cnsa.fr", PROJECT),
        ("http://identifiant-medicosocial-sejour.cnsa.fr/", STAY),
        (
            "https://identifiant-medicosocial-sejour.cnsa.fr.example.org",
            "https://identifiant-medicosocial-sejour.cnsa.fr.example.org",
        ),
        (INS_NIR, INS_NIR),
    ],
)
def test_older_hosts_are_the_same_system(written: str, expected: str) -> None:
    assert normal(written) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3480787529/123456-PPER-12", BusinessId("480787529", "123456", "PPER", "12")),
        ("3480787529/123456", BusinessId("480787529", "123456")),
        ("32A0000014/ab1-PA-x1", BusinessId("2A0000014", "ab1", "PA", "x1")),
        ("480787529/123456", None),
        ("3480787529/123456-PPER", None),
        ("3480787529/", None),
        ("3480787529/é", None),
        ("3480787529/1\n", None),
    ],
)
def test_a_business_identifier_is_taken_apart(value: str, expected: BusinessId | None) -> None:
    assert business_id(value) == expected


@given(
    st.builds(
        BusinessId,
        st.from_regex(r"[0-9]{9}", fullmatch=True),
        st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True),
        st.sampled_from(sorted(filter(None, TAGS.values()))),
        st.from_regex(r"[A-Za-z0-9]{1,9}", fullmatch=True),
    )
)
def test_a_business_identifier_reads_back(written: BusinessId) -> None:
    assert business_id(str(written)) == written


@given(st.text())
def test_any_text_may_be_asked_for_a_business_identifier(value: str) -> None:
    taken = business_id(value)
    assert taken is None or str(taken) == value


@pytest.mark.parametrize("number", ["1770420253674", "253072A073004", "253072B073004", "8990520253674"])
def test_an_ins_with_its_key_is_right_and_with_another_is_not(number: str) -> None:
    key = nir.calc_check_digits(number)
    other = f"{int(key) % 97 + 1:02}"
    assert (ins_is_right(number + key), ins_is_right(number + other)) == (True, False)


def test_the_official_example_has_a_wrong_key() -> None:
    assert (code(INS_NIR, "147720425367411"), code(INS_NIR, "147720425367430")) == ("wrong_key", None)


@pytest.mark.parametrize(
    ("system", "value", "expected"),
    [
        (INS_NIR, "1477204253674", "bad_identifier"),
        (INS_NIR, "1 47 72 04 253 674 30", "bad_identifier"),
        (INS_NIA, "147720425367430", None),
        (FINESS, "750712184", None),
        (FINESS, "750712185", "wrong_key"),
        (FINESS, "2A0000014", None),
        (FINESS, "75071218", "wrong_key"),
        (STRUCTURE, "1750712184", None),
        (STRUCTURE, "1750712185", "wrong_key"),
        (STRUCTURE, "373282932000074", None),
        (STRUCTURE, "373282932000079", "wrong_key"),
        (STRUCTURE, "9750712184", "bad_identifier"),
        (STRUCTURE, "", "bad_identifier"),
        (PROFESSIONAL, "810003456786", None),
        (PROFESSIONAL, "810003456787", "wrong_key"),
        (PROFESSIONAL, "0123456789", None),
        (PROFESSIONAL, "3750712184/12", None),
        (PROFESSIONAL, "10103441234", "bad_identifier"),
        (PROFESSIONAL, "0", "bad_identifier"),
        (RPPS, "10003456786", None),
        (RPPS, "1000345678", "wrong_key"),
        (SIRENE, "732829320", None),
        (SIRENE, "73282932000074", None),
        (SIRENE, "732829321", "wrong_key"),
        (USAGER, "3480787529/123456", None),
        (USAGER, "123456", "bad_identifier"),
        (USAGER, "3480787529/123456-PPER-12", "bad_identifier"),
        (PROJECT, "3480787529/123456-PPER-12", None),
        (PROJECT, "3480787529/123456-OBJE-12", "bad_identifier"),
        (PROJECT.replace("esante.gouv", "cnsa"), "12", "bad_identifier"),
        ("https://example.org/ours", "anything", None),
        ("", "anything", None),
        (RPPS, None, None),
    ],
)
def test_an_identifier_is_doubted_by_its_system(system: str, value: Any, expected: str | None) -> None:
    assert code(system, value) == expected


def test_an_administrative_file_number_is_written_as_the_house_likes() -> None:
    kinds = {"coding": [{"system": "https://example.org", "code": "NUMDOSS"}]}
    assert (code(STAY, "1012", type=kinds), code(STAY, "1012", type={"coding": [{}]})) == (None, "bad_identifier")


@given(st.sampled_from([*TAGS, *identifiers.INS, STRUCTURE, PROFESSIONAL, RPPS, FINESS, SIRENE]), st.text(max_size=20))
def test_no_value_breaks_a_doubt(system: str, value: str) -> None:
    doubt({"system": system, "value": value})


@given(st.text())
def test_only_digits_with_a_key_are_right(value: str) -> None:
    for is_right in (ins_is_right, finess_is_right, rpps_is_right):
        assert not is_right(value) or value.isascii()


def test_the_surest_identifier_of_a_sender_comes_first() -> None:
    resource = {
        "resourceType": "Patient",
        "identifier": [
            {"system": "https://ants.gouv.fr/", "value": "822"},
            {"system": INS_NIR, "value": "147720425367430"},
            {"system": INS_NIR, "value": "147720425367411", "use": "old"},
            {"system": "https://identifiant-medicosocial-localusager.cnsa.fr", "value": " 3480787529/12 "},
            {"system": STAY, "value": "1012"},
            {"value": "7"},
            {"system": "https://example.org"},
        ],
    }
    assert keys_of(resource) == [
        Key(USAGER, "3480787529/12"),
        Key(INS_NIR, "147720425367430"),
        Key("https://ants.gouv.fr/", "822"),
        Key(STAY, "1012"),
    ]


def test_one_identifier_alone_is_a_list_of_one() -> None:
    response = {"resourceType": "QuestionnaireResponse", "identifier": {"system": "https://example.org", "value": "1"}}
    assert keys_of(response) == [Key("https://example.org", "1")]


def test_a_resource_without_identifier_has_none() -> None:
    assert keys_of({"resourceType": "Consent"}) == []
