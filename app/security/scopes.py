"""What a partner may do, type by type: `system/CarePlan.rs` is held as `CarePlan.r` and `CarePlan.s`.

Source: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html (v2 `cruds`; v1 `read`, `write`, `*` mapped)
"""

import re

LETTERS = "cruds"
V1 = {"read": "rs", "write": "cud", "*": "cruds"}
SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(\*|read|write|c?r?u?d?s?)", re.ASCII)
MOST = 200  # scopes of one request


class Unreadable(ValueError):
    """Not a scope that a partner can be given here."""


def read(said: str) -> frozenset[str]:
    """Raises Unreadable on a scope that is not `system/…`, whole."""
    words = said.split()
    if len(words) > MOST:
        raise Unreadable
    return frozenset(atom for word in words for atom in _atoms(word))


def granted(asked: frozenset[str], registered: frozenset[str]) -> frozenset[str]:
    """What was asked and is registered; `*` on either side takes the other's types."""
    return frozenset(
        atom
        for wide, narrow in ((asked, registered), (registered, asked))
        for atom in narrow
        if cover(wide, atom[:-2], atom[-1])
    )


def cover(scopes: frozenset[str], type_name: str, letter: str) -> bool:
    """Do these scopes hold this letter (one of `cruds`) for this FHIR type?"""
    return f"{type_name}.{letter}" in scopes or f"*.{letter}" in scopes


def types(scopes: frozenset[str]) -> frozenset[str]:
    """The FHIR types they name."""
    return frozenset(atom[:-2] for atom in scopes) - {"*"}


def said(scopes: frozenset[str]) -> str:
    """As SMART writes them, in a stable order."""
    types = sorted({atom[:-2] for atom in scopes})
    return " ".join(f"system/{t}.{''.join(x for x in LETTERS if f'{t}.{x}' in scopes)}" for t in types)


def _atoms(word: str) -> list[str]:
    match = SCOPE.fullmatch(word)
    if match is None or not match[2]:
        raise Unreadable
    return [f"{match[1]}.{letter}" for letter in V1.get(match[2], match[2])]
