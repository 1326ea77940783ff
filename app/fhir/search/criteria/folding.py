"""Texts compared without accents, case, hyphens nor apostrophes, as a person is looked for by name (`usagers.names`).

In SQL for columns, in Python for what is asked: one rule, which a test compares. It takes nothing from the locale of the
database, but the case of letters that no accent tells from those of ASCII.
"""

import re
import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

from app.fhir.search.criteria.base import Column

LIGATURES = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ẞ": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l"}
MARKS = "[\u0300-\u036f]"
GAPS = "[\\x01-/:-@[-`{-\\x7f\u00a1-\u00bf\u2010-\u203a]+"  # what is neither a letter nor a digit, in what we write
_LIGATURES = str.maketrans(LIGATURES)
_MARKS, _GAPS = re.compile(MARKS), re.compile(GAPS.replace("[-`", "\\[-`"))


def spoken(text: str) -> str:
    """`BENSAÏD-Lœuf d'Arc` → `bensaid loeuf d arc`."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LIGATURES)
    return _GAPS.sub(" ", bare.replace("\0", "").lower()).strip(" ")


def folded(own: Column) -> ColumnElement[Any]:
    """The same of a column, with a space before its first word."""
    told: Any = func.regexp_replace(func.normalize(own, literal_column("NFKD")), _text(MARKS), *_every(""))
    for one, two in LIGATURES.items():
        told = func.replace(told, _text(one), _text(two))
    return _text(" ").concat(func.btrim(func.regexp_replace(func.lower(told), _text(GAPS), *_every(" "))))


def speaks(own: Column, asked: ColumnElement[Any]) -> ColumnElement[bool]:
    """Every word asked for stands in the text, in any of its French forms: « transports adaptes » finds « transport
    adapté ». Both are folded first: the stemmer alone keeps accents, which people leave out.
    """
    french: Any = literal_column("'french'::regconfig")
    return func.to_tsvector(french, folded(own)).op("@@")(func.plainto_tsquery(french, asked))


def _text(plain: str) -> ColumnElement[Any]:
    return literal_column(f"'{plain}'")


def _every(instead: str) -> tuple[ColumnElement[Any], ...]:
    return _text(instead), _text("g")
