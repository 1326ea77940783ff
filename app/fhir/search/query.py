"""A query string, read against the criteria of a type: what is asked, in what shape, with which values.

An unknown parameter is refused, naming one that is near, and the one received only if R4 has it (`names`); under
`Prefer: handling=lenient` it is left out, and absent from `self`. Source: https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sqlalchemy import ColumnElement, and_, bindparam, true

from app.fhir.search.chains import HAS, Unknown, is_beyond, is_opaque, likeliest, parted, types_of
from app.fhir.search.control import NOTHING_SAID, Control, Shaping
from app.fhir.search.criteria import MISSING, NOT, Around, Column, Criterion, Reference
from app.fhir.search.criteria.base import Asked
from app.fhir.search.criteria.reference import AS_TOLD
from app.fhir.search.includes import NAMES, Link
from app.fhir.search.names import ordinal, ranks_of, spot, unknown
from app.fhir.search.values import BadValue
from app.kernel.errors import Fault, Unreadable

PAGE = 50
PAGE_MOST = 200
CLAUSES_MOST = 20
PAIRS_MOST = CLAUSES_MOST + 10  # with the parameters that shape the answer; more are not even read
FEWER = "faites-en plusieurs, ou séparez d'une virgule les valeurs d'un même paramètre"
Criteria = Mapping[str, Criterion]  # by the name of the parameter
Shape = tuple[tuple[str, str], ...]  # (parameter, comparator) of each clause, sorted
Links = Callable[[str, str, str], list[Link]]  # what a parameter makes come along; raises BadValue


@dataclass(frozen=True, slots=True)
class Query:
    """`shapes` is what each table is asked, None where it can't answer; `said` repeats what was understood, for `self`;
    `ignored` says which parameters were left out, and what is near; `usager` names the value that is the one usager asked for,
    `persons` those that are ids of whom rows are about.
    """

    shapes: tuple[Shape | None, ...]
    values: dict[str, object]
    said: tuple[tuple[str, str], ...]
    control: Control = NOTHING_SAID
    usager: str | None = None
    persons: frozenset[str] = frozenset()
    links: tuple[Link, ...] = ()
    reached: frozenset[str] = frozenset()  # the types that its chains ask
    ignored: tuple[Fault, ...] = ()

    @property
    def asked_count(self) -> int | None:
        return self.control.count

    @property
    def count(self) -> int:
        return PAGE if self.asked_count is None else min(self.asked_count, PAGE_MOST)


@dataclass(frozen=True, slots=True)
class Said:
    """One parameter as it was said: `birthdate:missing=true`."""

    name: str
    modifier: str
    text: str
    by: tuple[Asked | None, ...]  # how each table reads it; None: it does not know it, or it is good for another

    @property
    def absent(self) -> bool:
        """Met by whoever has no such element."""
        return self.modifier == NOT or (self.modifier == MISSING and self.text == "true")


def read(
    said: Sequence[tuple[str, str]],
    tables: Sequence[Criteria],
    around: Around,
    *,
    lenient: bool = False,
    links: Links | None = None,
    shaping: Shaping | None = None,
) -> Query:
    """Raises Unreadable naming each parameter at fault; of too many, none is looked at."""
    if len(said) > PAIRS_MOST:
        told = f"Une recherche tient en {PAIRS_MOST} paramètres, dont {CLAUSES_MOST} critères : {FEWER}."
        raise Unreadable(told, where=spot(PAIRS_MOST), code="too_many")
    arounds = [_around(around, criteria, lenient=lenient) for criteria in tables]
    shaping = shaping or Shaping()
    kept, asked, followed = list[tuple[str, str]](), list[Said](), list[list[Link]]()
    ignored, faults = list[Fault](), list[Fault]()
    for rank, (name, text) in zip(ranks_of(said), said, strict=True):
        base, modifier = parted(name)
        try:
            if links and base in NAMES:
                followed.append(links(base, modifier, text))
            elif not shaping.takes(name, text):
                if no := _not_known(base, modifier, rank, tables, shaping):
                    (ignored if lenient else faults).append(no)
                    continue
                asked.append(Said(base, modifier, text, _read_by(tables, arounds, base, modifier, text)))
            kept.append((name, text))
        except BadValue as bad:
            left_out = ignored if lenient and base in NAMES else faults
            left_out.append(Fault(base, "bad_parameter", f"{base} : {bad}."))
    control, more = shaping.read()
    faults += more
    if len(asked) + len(followed) > CLAUSES_MOST:
        faults.append(
            Fault(spot(CLAUSES_MOST), "too_many", f"Une recherche tient en {CLAUSES_MOST} critères : {FEWER}.")
        )
    if faults:
        raise Unreadable("Cette recherche est à corriger.", faults=faults)
    shapes, values = list[Shape | None](), dict[str, object]()
    for place, criteria in enumerate(tables):
        shape, found = _of_table(place, criteria, asked)
        shapes.append(shape)
        values |= found
    beyond = [one.name for one in asked if is_beyond(one.name)]
    reached = frozenset[str]().union(*(types_of(criteria, name) for criteria in tables for name in beyond))
    along = tuple(chain(*followed))
    whom = _whom(tables, shapes)
    return Query(tuple(shapes), values, tuple(kept), control, *whom, along, reached, tuple(ignored))


def _not_known(name: str, modifier: str, rank: int, tables: Sequence[Criteria], shaping: Shaping) -> Fault | None:
    """Neither the name received nor its value is repeated: either may hold a NIR."""
    those = [criteria[name] for criteria in tables if name in criteria]
    if not those and is_beyond(name):
        return _no_chain(name, rank, tables)
    if not those:
        known = {*shaping.names, *(one for criteria in tables for one in criteria)}
        where, sentence = unknown(name, rank, known)
        return Fault(where, "unknown_parameter", sentence)
    served = sorted({one for criterion in those for one in criterion.modifiers})
    if modifier and modifier not in served:
        these = ", ".join(f":{one}" for one in served)
        return Fault(name, "unknown_parameter", f"Ce modificateur n'est pas servi ici. {name} prend : {these}.")
    return None


def _no_chain(name: str, rank: int, tables: Sequence[Criteria]) -> Fault:
    """Told at what the chain begins with, when that is ours."""
    noes = []
    for criteria in tables:
        try:
            criteria[name]
        except Unknown as no:
            noes.append(no)
        except KeyError:
            continue
    told, head = likeliest(noes), name.partition(".")[0].partition(":")[0]
    ours = head == HAS or any(head in criteria for criteria in tables)
    sentence = f"{told if ours else f'Le {ordinal(rank)} paramètre est une chaîne : {told}'}."
    return Fault(
        told.where or (head if ours else spot(rank)), "unknown_parameter", f"{sentence[0].upper()}{sentence[1:]}"
    )


def _around(around: Around, criteria: Criteria, *, lenient: bool) -> Around:
    """What this table reads its values with: of several types, each has its own."""
    kind = around.type_name or getattr(criteria, "type_name", "")
    alike = (kind, lenient) == (around.type_name, around.lenient)
    return around if alike else replace(around, type_name=kind, lenient=lenient)


def _read_by(
    tables: Sequence[Criteria], arounds: Sequence[Around], name: str, modifier: str, text: str
) -> tuple[Asked | None, ...]:
    """Raises BadValue when it is good for no table."""
    if "\0" in text:
        raise BadValue("un caractère nul n'est pas permis")
    found, bad = list[Asked | None](), None
    for criteria, around in zip(tables, arounds, strict=True):
        try:
            known = name in criteria and modifier in {"", *criteria[name].modifiers}
            found.append(criteria[name].read(text, around, modifier) if known else None)
        except BadValue as no:  # good for another table: `system|` where a column holds that system
            bad = bad or no
            found.append(None)
    if not any(found):
        raise bad or BadValue("cette valeur ne se lit pas")
    return tuple(found)


def _of_table(place: int, criteria: Criteria, asked: Sequence[Said]) -> tuple[Shape | None, dict[str, object]]:
    """None when this table can't answer: a row that lacks an element is found by what says so, and by nothing else."""
    opaque = is_opaque(criteria)
    clauses = []
    for one in asked:
        told = one.by[place]
        if told is not None:
            clauses.append((one.name, told))
        elif opaque or not one.absent or one.name in criteria:
            return None, {}
    clauses.sort(key=lambda clause: (clause[0], clause[1].shape))
    values = {_bind(place, n, at): v for n, (_, one) in enumerate(clauses) for at, v in enumerate(one.values)}
    return tuple((name, one.shape) for name, one in clauses), values


def _whom(tables: Sequence[Criteria], shapes: Sequence[Shape | None]) -> tuple[str | None, frozenset[str]]:
    """`usager` and `persons` of a Query."""
    clauses = [
        (place, n, criteria[name], comparator)
        for place, (criteria, shape) in enumerate(zip(tables, shapes, strict=True))
        for n, (name, comparator) in enumerate(shape or ())
    ]
    usager = next((_bind(place, n, 0) for place, n, criterion, c in clauses if _is_usager(criterion, c)), None)
    return usager, frozenset(_bind(place, n, at) for place, n, by, c in clauses for at in by.persons(c))


def condition(criteria: Criteria, shape: Shape, place: int) -> ColumnElement[bool]:
    """The shape as a condition of named binds, without a value; `place` is that of the table among those asked."""
    return and_(true(), *(_clause(criteria[name], place, n, comparator) for n, (name, comparator) in enumerate(shape)))


def condition_then(
    criteria: Criteria, shape: Shape, place: int, at: Mapping[str, Column]
) -> ColumnElement[bool] | None:
    """The same, asked of a former version of the row; None when that version can't tell."""
    then = {name: criteria[name].then(at) for name, _ in shape}
    told = {name: criterion for name, criterion in then.items() if criterion is not None}
    return condition(told, shape, place) if len(told) == len(then) else None


def _clause(criterion: Criterion, place: int, n: int, comparator: str) -> ColumnElement[bool]:
    return criterion.where(comparator, lambda at, kind: bindparam(_bind(place, n, at), type_=kind))


def _bind(place: int, clause: int, at: int) -> str:
    return f"q{place}_{clause}_{at}"


def _is_usager(criterion: Criterion, shape: str) -> bool:
    return isinstance(criterion, Reference) and criterion.whose and shape.removesuffix(AS_TOLD) == "one"
