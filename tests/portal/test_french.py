"""French as it is read."""

from datetime import UTC, date, datetime, time

import pytest

from app.portal import french

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ça va ?", "Ça va\u202f?"),
        ("Oui ! Non ; peut-être : « oui »", "Oui\u202f! Non\u202f; peut-être\u202f: «\u202foui\u202f»"),
        ("Ça va\u00a0?", "Ça va\u202f?"),
        ("Vraiment ?!", "Vraiment\u202f?!"),
        ("à 14:30", "à 14:30"),
        ("http://exemple.fr/?a=1;b=2", "http://exemple.fr/?a=1;b=2"),
        ("Sans signe double.", "Sans signe double."),
    ],
)
def test_a_double_sign_never_falls_alone_on_a_line(written: str, read: str) -> None:
    assert french.spaced(written) == read


def test_only_spaces_change_in_what_a_person_wrote() -> None:
    written = "Je veux : un chat ! « Minou » ; pourquoi pas ?"
    assert "".join(french.spaced(written).split()) == "".join(written.split())


def test_a_day_is_told_in_words() -> None:
    assert french.day(date(2026, 11, 24)) == "mardi 24 novembre"
    assert french.day_month(date(2026, 12, 1)) == "1er décembre"


@pytest.mark.parametrize(("when", "told"), [(date(2026, 3, 3), "le 3 mars"), (date(2025, 8, 1), "le 1er août 2025")])
def test_a_date_says_its_year_when_it_is_not_this_one(when: date, told: str) -> None:
    assert french.on_day(when, TODAY) == told


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (TODAY, "Aujourd'hui, samedi 21 novembre"),
        (date(2026, 11, 22), "Demain, dimanche 22 novembre"),
        (date(2026, 11, 20), "Hier, vendredi 20 novembre"),
        (date(2026, 11, 24), "Mardi 24 novembre"),
        (date(2027, 1, 4), "Lundi 4 janvier 2027"),
    ],
)
def test_a_near_day_has_its_everyday_name(when: date, told: str) -> None:
    assert french.near_day(when, TODAY) == told


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (TODAY, "Aujourd'hui"),
        (date(2026, 11, 22), "Demain"),
        (date(2026, 11, 26), "Jeudi"),
        (date(2026, 11, 28), "Samedi 28 novembre"),
    ],
)
def test_what_comes_soon_has_a_short_name(when: date, told: str) -> None:
    assert french.soon(when, TODAY) == told


def test_an_hour_is_told_in_paris_time() -> None:
    assert french.hour(datetime(2026, 7, 1, 12, 0, tzinfo=UTC)) == "14\u00a0h"
    assert french.hour(time(9, 30)) == "9\u00a0h\u00a030"
    assert french.hour(time(9, 5)) == "9\u00a0h\u00a005"


def test_a_number_comes_with_its_words() -> None:
    asked = ("question pour vous", "questions pour vous")
    assert french.count(1, *asked) == "1 question pour vous"
    assert french.count(3, *asked) == "3 questions pour vous"
    assert french.count(0, *asked, none="Rien") == "Rien"


def test_a_list_ends_with_and() -> None:
    assert french.listing([]) == ""
    assert french.listing(["Sonia"]) == "Sonia"
    assert french.listing(["Sonia", "Paul", "Leïla"]) == "Sonia, Paul et Leïla"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Lucas", "de Lucas"),
        ("Inès", "d'Inès"),
        ("Élodie", "d'Élodie"),
        ("Hélène", "d'Hélène"),
        ("Yann", "de Yann"),
        ("Yves", "d'Yves"),
        ("", "de "),
    ],
)
def test_de_is_cut_before_a_vowel(name: str, told: str) -> None:
    assert french.of(name) == told
