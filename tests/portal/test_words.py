"""The sentences of the page: short, plain, without judgement (portal.md §3.3, field.md §8).

Read twice: in the templates and labels as they are written, and in the pages as they are read.
What a person or the team wrote (`data-verbatim`) is theirs and is not measured.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.access.openings import Purpose
from app.audit.vocabulary import Deed
from app.features.assessments.models import AssessmentStatus
from app.features.copies.models import Part
from app.features.orientation.models import RequestStatus
from app.features.projects import labels as project_labels
from app.features.projects.vocabulary import Feeling, GoalKind, Step
from app.portal import labels, people, tiles, wording
from app.portal.frame import Screen, Voice
from app.portal.pages import HERE, render
from app.portal.parts import QuestionKind, Wanted
from app.portal.pieces import PaperKind
from app.portal.views import StopKind
from tests.portal.cast import everything
from tests.portal.html import BLOCKS, Node, read

HARD_LIMIT = 15
TARGET = 12
LONG_SHARE = 0.02  # sentences over the target, among all
FORBIDDEN = re.compile(
    r"\b(?:ESSMS|DUI|PP|RGPD|FHIR|bravo|sages?|gentil(?:le)?s?|capricieu\w*|refus de soins?"
    r"|comportements? inadaptés?|réussi\w*|usagers?|patients?)\b|%",
    re.IGNORECASE,
)
PAGES = {name: read(render(view, csrf="0")) for name, view in everything().items()}


def sentences(text: str) -> list[str]:
    """Cut at . ! ? … and at the end of a block; « 9 h 30 » holds no full stop."""
    return [part.strip() for part in re.split(r"(?<=[.!?…])\s+|\n", text) if part.strip()]


def length(sentence: str) -> int:
    return len([word for word in re.split(r"[\s\u202f\u00a0]+", sentence) if re.search(r"\w", word)])


def templates() -> Iterator[tuple[Path, str]]:
    for path in sorted((HERE / "templates").glob("*.html")):
        yield path, path.read_text()


def written() -> Iterator[str]:
    """Every run of our own words: template text, template strings, strings of labels and people, steps, feelings."""
    for _, source in templates():
        for expression in re.findall(r"\{[{%](.*?)[%}]\}", source, re.DOTALL):
            yield from re.findall(r'"([^"]*[^\W\d_] [^"]*)"', expression)
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}", "\n", source, flags=re.DOTALL)
        bare = re.sub(r"\{\{.*?\}\}", "X", bare, flags=re.DOTALL)
        yield from (piece.strip() for piece in re.split(r"<[^>]*>|\n", bare) if piece.strip())
    yield from (*project_labels.STEPS.values(), *project_labels.FEELINGS.values())
    for module in (labels, people, tiles, wording):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield node.value


def told(node: Node) -> str:
    """The words that are ours, a new line around each block."""
    if "data-verbatim" in node.attrs or node.has_class("unseen"):
        return " "
    words = "".join(child.replace("\n", " ") if isinstance(child, str) else told(child) for child in node.children)
    return f"\n{words}\n" if node.tag in BLOCKS else words


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_is_over_fifteen_words(name: str) -> None:
    assert not [line for line in sentences(told(PAGES[name])) if length(line) > HARD_LIMIT]


def test_no_sentence_is_written_over_fifteen_words() -> None:
    assert not [line for text in written() for line in sentences(text) if length(line) > HARD_LIMIT]


def test_nearly_every_sentence_keeps_to_twelve_words() -> None:
    lines = {line for text in written() for line in sentences(text)}
    assert len(lines) > 100
    assert len([line for line in lines if length(line) > TARGET]) <= LONG_SHARE * len(lines)


def test_no_forbidden_word_is_written() -> None:
    words = [text for text in written() if text not in labels.WHAT and text not in people.NEUTRAL_RELATIONS]
    assert not [text for text in words if FORBIDDEN.search(text)]


@pytest.mark.parametrize("name", PAGES)
def test_no_forbidden_word_is_read(name: str) -> None:
    assert not FORBIDDEN.search(told(PAGES[name]))


@pytest.mark.parametrize(
    "line",
    [
        "Votre DUI est prêt.",
        "80 % des buts",
        "Bravo Jeanne",
        "Elle est gentille.",
        "Un refus de soin",
        "une personne capricieuse",
    ],
)
def test_the_linter_sees_a_forbidden_word(line: str) -> None:
    assert FORBIDDEN.search(line)


@pytest.mark.parametrize("line", ["Le passage est libre.", "un message", "L'équipe appuie sur le bouton."])
def test_the_linter_lets_plain_words_pass(line: str) -> None:
    assert not FORBIDDEN.search(line)


def test_the_linter_measures_a_long_sentence() -> None:
    assert length(" ".join(["mot"] * 16) + " ?") == 16
    assert sentences("Oui. Ça va ? Non !") == ["Oui.", "Ça va ?", "Non !"]


@pytest.mark.parametrize("name", PAGES)
def test_a_double_sign_never_stands_after_a_plain_space(name: str) -> None:
    assert not re.search(r"[ \u00a0][?!:;»]|«[ \u00a0]", told(PAGES[name]))


def test_the_page_says_tu_only_to_who_chose_it() -> None:
    vous = re.compile(r"(?<!rendez-)\b(?:vous|votre|vos|(?!chez|assez|rendez)\w+ez|dites)\b", re.IGNORECASE)
    tu = re.compile(r"\b(?:tu|toi|ton|ta|tes)\b", re.IGNORECASE)
    for name, page in PAGES.items():
        if name.endswith("-ines"):
            assert not vous.findall(told(page)), name
        else:
            assert not tu.findall(told(page)), name


# --- Every code has its word ---


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (Screen, labels.TITLES),
        (GoalKind, labels.GOAL_KINDS),
        (Step, project_labels.STEPS),
        (Feeling, project_labels.FEELINGS),
        (QuestionKind, labels.QUESTION_KINDS),
        (Deed, labels.DEEDS),
        (Part, labels.COPY_PARTS),
        (Wanted, labels.COPY_WANTED),
        (StopKind, labels.STOPS),
        (PaperKind, wording.PAPER_KINDS),
        (RequestStatus, wording.REQUESTS),
        (AssessmentStatus, wording.ASSESSMENTS),
        ({*Purpose, "astreinte", "remplacant"} - {Purpose.INSPECTION}, labels.WHY),
    ],
)
def test_every_code_has_its_word(codes: type, words: dict[object, object]) -> None:
    assert set(codes) == set(words)


def test_a_kind_of_row_without_a_word_is_the_record() -> None:
    assert labels.what("something_new", Voice.VOUS) == "votre dossier"


@pytest.mark.parametrize(
    ("kind", "vous", "tu", "other"),
    [
        ("project", "votre projet", "ton projet", "le projet"),
        ("emergency_sheet", "votre fiche d'urgence", "ta fiche d'urgence", "la fiche d'urgence"),
        ("transmission", "vos notes", "tes notes", "les notes"),
        ("event", "votre agenda", "ton agenda", "l'agenda"),
    ],
)
def test_what_was_read_is_said_in_the_voice_of_the_page(kind: str, vous: str, tu: str, other: str) -> None:
    assert [labels.what(kind, voice) for voice in Voice] == [vous, tu, other]


# --- Sentences that law or field.md give word for word ---


def words_of(name: str) -> str:
    """With plain spaces, as the rule writes them."""
    return PAGES[name].text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("name", ["journal-jeanne", "empty-journal-jeanne", "journal-karim"])
def test_the_journal_always_says_that_other_notes_exist(name: str) -> None:
    assert "L'équipe écrit aussi des notes de travail. Vous pouvez demander à lire votre dossier." in words_of(name)


@pytest.mark.parametrize("name", [name for name in PAGES if "access-" in name])
def test_the_log_always_says_that_some_readings_are_not_shown(name: str) -> None:
    assert "Certaines lectures ne sont pas affichées. La loi le demande." in words_of(name)


def test_nobody_read_is_said_in_words() -> None:
    assert "Personne n'a lu votre dossier depuis 30 jours." in words_of("empty-access-jeanne")


def test_after_a_no_the_page_says_what_stays() -> None:
    told = (
        "C'est fait. La MDPH ne peut plus lire. Ce qu'elle a déjà reçu reste chez elle. "
        "Nous pouvons lui demander de l'effacer."
    )
    assert told in words_of("agreements-jeanne")


def test_an_answer_noted_by_staff_is_asked_again() -> None:
    assert "Sonia a noté que vous avez dit oui, le 3 mars. C'est bien ça ?" in words_of("agreements-jeanne")
    assert "Sonia a noté que tu as dit oui, le 3 mars. C'est bien ça ?" in words_of("agreements-ines")


def test_saying_no_never_stops_the_help() -> None:
    assert "Si vous dites non, nous continuons de vous aider." in words_of("agreements-jeanne")


def test_the_home_speaks_in_counts_of_words() -> None:
    assert "1 question pour vous" in words_of("home-jeanne")
    assert "2 notes cette semaine" in words_of("home-jeanne")
    assert "Demain à 9 h 30 : Atelier cuisine, avec Sonia." in words_of("home-jeanne")
    assert "Pas de rendez-vous cette semaine." in words_of("empty-home-jeanne")
