"""What a partner asks, and what it gets of it."""

import pytest

from app.security import scopes


@pytest.mark.parametrize(
    ("word", "atoms"),
    [
        ("system/CarePlan.rs", {"CarePlan.r", "CarePlan.s"}),
        ("system/*.cruds", {"*.c", "*.r", "*.u", "*.d", "*.s"}),
        ("system/Goal.d", {"Goal.d"}),
        ("system/Goal.read", {"Goal.r", "Goal.s"}),
        ("system/Goal.write", {"Goal.c", "Goal.u", "Goal.d"}),
        ("system/*.*", {"*.c", "*.r", "*.u", "*.d", "*.s"}),
    ],
)
def test_both_versions_of_the_words_are_read(word: str, atoms: set[str]) -> None:
    assert scopes.read(word) == atoms


@pytest.mark.threat("partner-scope-unreadable")
@pytest.mark.parametrize(
    "word",
    [
        "system/CarePlan.",
        "system/CarePlan.sr",
        "system/CarePlan.rr",
        "system/CarePlan.x",
        "system/careplan.r",
        "system/CarePlan.rs?category=x",
        "user/CarePlan.rs",
        "patient/*.rs",
        "system/Care*.r",
        "openid",
        "system/CarePlan.READ",
        "system/Goal.r system/.r",
    ],
)
def test_one_unreadable_word_refuses_the_whole(word: str) -> None:
    with pytest.raises(scopes.Unreadable):
        scopes.read(word)


@pytest.mark.threat("partner-scope-unreadable")
def test_two_hundred_words_are_enough() -> None:
    with pytest.raises(scopes.Unreadable):
        scopes.read(" ".join(["system/Goal.r"] * 201))


@pytest.mark.threat("partner-scope-escalation")
@pytest.mark.parametrize(
    ("asked", "registered", "granted"),
    [
        ("system/Goal.cruds", "system/Goal.r", "system/Goal.r"),
        ("system/*.r", "system/Goal.rs system/Task.c", "system/Goal.r"),
        ("system/Goal.rs", "system/*.r", "system/Goal.r"),
        ("system/*.rs", "system/*.cruds", "system/*.rs"),
        ("system/Goal.c", "system/Task.c system/*.r", ""),
        ("system/Goal.r", "", ""),
    ],
)
def test_never_more_than_registered_nor_than_asked(asked: str, registered: str, granted: str) -> None:
    assert scopes.said(scopes.granted(scopes.read(asked), scopes.read(registered))) == granted


def test_a_star_covers_each_type() -> None:
    assert scopes.cover(frozenset({"*.r"}), "Goal", "r")


@pytest.mark.threat("partner-read-scope-writes")
def test_a_read_scope_covers_no_writing() -> None:
    assert not scopes.cover(scopes.read("system/*.read system/Task.c"), "Goal", "c")


def test_what_is_said_is_read_back() -> None:
    words = "system/*.r system/CarePlan.cruds system/Task.us"
    assert scopes.said(scopes.read(words)) == words
