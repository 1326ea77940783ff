"""By a code. Source: https://hl7.org/fhir/R4/search.html#token"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Text, any_, case, cast, column, func, literal_column, null, or_, select

from app.access.entry import word
from app.fhir.bindings import REQUIRED
from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.criteria.folding import speaks, spoken
from app.fhir.search.values import BadValue, alternatives, tokens

TEXT = "text"
TEXTS_MOST = 8  # alternatives: each makes the shape longer
HL7 = "http://hl7.org/fhir"
OWN_SYSTEMS = {  # of elements that are a code alone: the system is that of their binding
    "CarePlan.intent": f"{HL7}/request-intent",
    "CarePlan.status": f"{HL7}/request-status",
    "Consent.status": f"{HL7}/consent-state-codes",
    "DocumentReference.status": f"{HL7}/document-reference-status",
    "DocumentReferenceRelatesTo.code": f"{HL7}/document-relationship-type",
    "Encounter.status": f"{HL7}/encounter-status",
    "Goal.lifecycleStatus": f"{HL7}/goal-status",
    "Observation.status": f"{HL7}/observation-status",
    "Patient.gender": f"{HL7}/administrative-gender",
    "QuestionnaireResponse.status": f"{HL7}/questionnaire-answers-status",
    "ServiceRequest.intent": f"{HL7}/request-intent",
    "ServiceRequest.status": f"{HL7}/request-status",
    "Slot.status": f"{HL7}/slotstatus",
    "Task.intent": f"{HL7}/request-intent",  # of `unknown` alone, task-intent: told by no map
    "Task.status": f"{HL7}/task-status",
}

_CODE = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, eq=False)
class Token(Criterion):
    """A code of a closed list: `codes` says which words of ours each FHIR code stands for, `labels` how each code reads.

    `of` names the element that R4 binds to a list of its own: its other codes find nothing; any other is refused. Without it, the list is open
    in R4: a code that we never say finds nothing.
    """

    type: ClassVar = "token"
    column: Column
    codes: Mapping[str, tuple[str, ...]]
    system: str | None = None
    of: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, column: Column, told: Mapping[str, str], of: str = "", **more: Any) -> "Token":
        """`told` says the code of each word of ours."""
        codes: dict[str, tuple[str, ...]] = {}
        for one, code in told.items():
            codes[code] = (*codes.get(code, ()), str(one))
        return cls(column, codes, of=of, **more)

    @property
    def served(self) -> frozenset[str]:
        return frozenset({TEXT} if self.labels else ())

    @property
    def sorts(self) -> Column:
        """The order is that of the codes told, not of our words for them."""
        if all(words == (code,) for code, words in self.codes.items()):
            return self.column
        pairs = [(self.column == _word(word), _word(code)) for code, words in self.codes.items() for word in words]
        return case(*pairs, else_=null())

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        codes = self._labelled(text) if modifier == TEXT else self._named(text, lenient=around.lenient)
        return Asked("any", ([one for code in codes for one in self.codes.get(code, ())],))

    def _labelled(self, text: str) -> set[str]:
        """In memory: the list is ours, and short. The beginning of any of its words, accents and case apart."""
        wanted = [f" {spoken(piece)}" for piece in alternatives(text)]
        return {code for code, label in self.labels.items() if any(one in f" {spoken(label)}" for one in wanted)}

    def _named(self, text: str, *, lenient: bool) -> set[str]:
        own = {self.system, OWN_SYSTEMS.get(self.of)} - {None}
        alone = {None, ""} if self.system is None else {None}  # a code of no system is not one of a system
        codes = set[str]()
        for system, code in tokens(text):
            if system in own and not code:
                codes |= self.codes.keys()
            elif system in own or system in alone:
                codes.add(code)
        known = self.codes.keys() | REQUIRED.get(self.of, frozenset())
        closed = bool(self.of) or self.codes.keys() <= {"true", "false"}
        if closed and not lenient and not codes <= known:
            raise BadValue(f"les codes sont {', '.join(sorted(known))}")
        return codes

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.column == any_(bind(0, ARRAY(Text())))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)


def constant(
    code: str,
    system: str | None = None,
    of: str = "",
    label: str | None = None,
    *,
    knows: ColumnElement[bool] | None = None,
) -> Token:
    """The code that every row of a table has."""
    own = cast(_word(code), Text())  # a bare one orders nothing
    return Token(own, {code: (code,)}, system, of, {code: label} if label else {}, knows=knows)


def flag(truth: ColumnElement[bool], *, only: bool = False, knows: ColumnElement[bool] | None = None) -> Token:
    """`true` or `false`; `only`: what is not true is not said at all."""
    told = case((truth, word("true")), else_=None if only else word("false"))
    return Token(told, {"true": ("true",), "false": ("false",)}, knows=knows)


@dataclass(frozen=True, eq=False)
class Coded(Criterion):
    """A code kept as `system|code`, or as a code alone; in an array when a row has several. `label` is how it reads.

    `:text` is a French full text of the label (`folding.speaks`): labels are whole phrases, of lists we do not hold.
    """

    type: ClassVar = "token"
    column: Column
    label: Column | None = None

    @property
    def served(self) -> frozenset[str]:
        return frozenset() if self.label is None else frozenset({TEXT})

    @property
    def sorts(self) -> Column | None:
        """The code, without its system."""
        return None if isinstance(self.column.type, ARRAY) else _code(self.column)

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        if modifier == TEXT:
            asked = alternatives(text)
            if len(asked) > TEXTS_MOST:
                raise BadValue(f"{TEXTS_MOST} textes au plus")
            return Asked(",".join([TEXT] * len(asked)), tuple(map(spoken, asked)))
        pairs = tokens(text)
        whole = [name for system, code in pairs if system is not None and code for name in _kept(system, code)]
        codes = [code for system, code in pairs if system is None]
        return Asked("any", (whole, codes, [system for system, code in pairs if system and not code]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape.startswith(TEXT) and self.label is not None:
            return or_(*(speaks(self.label, bind(n, Text())) for n in range(shape.count(TEXT))))
        if not isinstance(self.column.type, ARRAY):
            return self._is(self.column, bind)
        each = func.unnest(self.column).table_valued(column("one", Text())).render_derived(name="each")
        return select(literal_column("1")).select_from(each).where(self._is(each.c.one, bind)).exists()

    def _is(self, own: Column, bind: Bind) -> ColumnElement[bool]:
        whole, codes, systems = (bind(n, ARRAY(Text())) for n in range(3))
        return or_(own == any_(whole), _code(own) == any_(codes), _system(own) == any_(systems))

    def told(self) -> ColumnElement[bool]:
        own = has(self.column)
        if isinstance(self.column.type, ARRAY):
            own = func.cardinality(self.column) > literal_column("0")
        return own if self.label is None else or_(own, has(self.label))


def _kept(system: str, code: str) -> Iterable[str]:
    return (f"{system}|{code}",) if system else (code, f"|{code}")


def _code(own: Column) -> ColumnElement[Any]:
    last = func.split_part(func.reverse(own), literal_column("'|'"), literal_column("1"))
    return func.reverse(last, type_=Text())


def _system(own: Column) -> ColumnElement[Any]:
    """What stands before the last bar."""
    return func.left(own, func.length(own) - func.length(_code(own)) - literal_column("1"))


def _word(text: str) -> ColumnElement[str]:
    """A code of a closed list, written in the text of the statement."""
    if not _CODE.fullmatch(text):
        raise ValueError("Only a code of ours is written in the text of a statement.")
    return literal_column(f"'{text}'", Text())
