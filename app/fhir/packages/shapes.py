"""The shape of what this server reads of a definition: an element of another would stop every request that meets it.

What is read by `app.fhir.packages.held` and `app.fhir.profiles` only: published packages say the rest as they like.
Sources: https://hl7.org/fhir/R4/elementdefinition.html, https://hl7.org/fhir/R4/valueset.html
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

Wrong = tuple[str, str]  # the element, and what to put there
Check = Callable[[Any, str], Iterator[Wrong]]
MOST = 2**31 - 1
STEPS_MOST = 64  # of a path: one level of the resource each
_MAX = re.compile(r"[0-9]{1,9}|\*").fullmatch

NOT_TEXT = "mettez un texte, entre guillemets"
NOT_LIST = "mettez une liste, entre crochets"
NOT_OBJECT = "mettez un objet JSON, dont chaque clé ne figure qu'une fois"
MISSING = "il manque : ajoutez-le"
NO_VALUE = "mettez la valeur imposée, ou retirez l'élément"
NOT_MIN = f"mettez un nombre entier de 0 à {MOST}, sans guillemets"
NOT_MAX = "mettez « * » ou un nombre entier, entre guillemets"
TOO_DEEP = f"ce chemin compte {STEPS_MOST} étapes au plus"
OF_ITSELF = "la racine d'un profil n'a pas elle-même de profil : dites-le par baseDefinition"


def first_wrong(definition: dict[str, Any]) -> Wrong | None:
    """The first element of another shape than the one read here, and how to mend it."""
    shape = SHAPES.get(definition["resourceType"])
    return next(shape(definition, ""), None) if shape else None


def _text(value: Any, where: str) -> Iterator[Wrong]:
    if not isinstance(value, str):
        yield where, NOT_TEXT


def _least(value: Any, where: str) -> Iterator[Wrong]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST or value % 1:
        yield where, NOT_MIN


def _most(value: Any, where: str) -> Iterator[Wrong]:
    if not (isinstance(value, str) and _MAX(value)):
        yield where, NOT_MAX


def _many(of: Check) -> Check:
    def check(value: Any, where: str) -> Iterator[Wrong]:
        if not isinstance(value, list):
            yield where, NOT_LIST
            return
        for at, each in enumerate(value):
            yield from of(each, f"{where}[{at}]")

    return check


def _object(needed: Collection[str] = (), **parts: Check) -> Check:
    def check(value: Any, where: str) -> Iterator[Wrong]:
        if type(value) is not dict:
            yield where, NOT_OBJECT
            return
        start = f"{where}." if where else ""
        for name, part in parts.items():
            if name in value:
                yield from part(value[name], f"{start}{name}")
            elif name in needed:
                yield f"{start}{name}", MISSING

    return check


def _element(value: Any, where: str) -> Iterator[Wrong]:
    if wrong := [*_PLAIN_ELEMENT(value, where)]:
        yield from wrong
        return
    for name in value:
        if name.startswith(("fixed", "pattern")) and value[name] is None:
            yield f"{where}.{'fixed' if name[0] == 'f' else 'pattern'}[x]", NO_VALUE
    steps = (value.get("id") or value["path"]).count(".")
    if steps > STEPS_MOST:
        yield f"{where}.{'id' if value.get('id') else 'path'}", TOO_DEEP
    if not steps and any(each.get("profile") for each in value.get("type", ())):
        yield f"{where}.type", OF_ITSELF


def _concept(value: Any, where: str) -> Iterator[Wrong]:
    yield from _CONCEPT(value, where)


_TEXTS = _many(_text)
_CONCEPT = _object(("code",), code=_text, concept=_many(_concept))
_PLAIN_ELEMENT = _object(
    ("path",),
    id=_text,
    path=_text,
    sliceName=_text,
    slicing=_object(discriminator=_many(_object(type=_text, path=_text)), rules=_text),
    min=_least,
    max=_most,
    type=_many(_object(code=_text, profile=_TEXTS, targetProfile=_TEXTS)),
    binding=_object(strength=_text, valueSet=_text),
    constraint=_many(_object(expression=_text, key=_text, human=_text, severity=_text)),
)
_ELEMENTS = _object(element=_many(_element))
_PART = _object(valueSet=_TEXTS, system=_text, filter=_many(_object()), concept=_many(_object(("code",), code=_text)))
SHAPES: dict[str, Check] = {
    "CodeSystem": _object(content=_text, concept=_many(_concept)),
    "StructureDefinition": _object(
        type=_text, baseDefinition=_text, derivation=_text, differential=_ELEMENTS, snapshot=_ELEMENTS
    ),
    "ValueSet": _object(compose=_object(include=_many(_PART), exclude=_many(_PART))),
}
