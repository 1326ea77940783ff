"""A resource held against a profile: what its StructureDefinition asks beyond R4, told all at once.

Each profile becomes closures once, kept with the packages it was read from. Judged: cardinality, types of a choice, fixed
and pattern values, slices (`app.fhir.profiles.slices`), required bindings whose codes we hold, invariants. What can't be
decided here is not judged: no false alarm.
Sources: https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.fhir.canonicals import CORE
from app.fhir.outcomes import Issue
from app.fhir.profiles.invariants import Codes, Test, Told, invariants, is_among
from app.fhir.profiles.slices import Mark, like, mark_of
from app.fhir.profiles.tree import Json, Node, imposed_of, profiles_of_type, tree
from app.fhir.profiles.values import NONE, At, Leads, Run, Value, nowhere, picker

Definitions = Callable[[str], Json | None]  # a StructureDefinition by its canonical
Check = Callable[[Value, At, Run], None]
Inner = Callable[[Json, At, Run], None]
Count = Callable[[int, At, Run, bool], None]
DEEP = 2  # profiles tried to tell slices, one inside the other
LONG_CHAIN = 16  # profiles built on profiles
OTHER_TYPE = "Ce profil est celui d'un autre type de ressource."


@dataclass(frozen=True, slots=True)
class Piece:
    mark: Mark | None
    count: Count | None
    check: Check | None


@dataclass(frozen=True, eq=False)
class Checker:
    codes: Codes
    definitions: Definitions
    _compiled: dict[str, Check] = field(default_factory=dict)

    def issues_of(self, resource: Json, definition: Json, where: str, leads: Leads = nowhere) -> list[Issue]:
        if resource.get("resourceType") != definition.get("type"):
            return [Issue("error", "profile.type", where, OTHER_TYPE, _name(definition))]
        run = Run(resource, leads)
        self.held(definition)(Value("", resource), At(None, where), run)
        return list(dict.fromkeys(run.found))

    def extension(self, value: Json, definition: Json, where: str, root: Json, leads: Leads) -> list[Issue]:
        """An extension held against its own definition."""
        run = Run(root, leads)
        self.held(definition)(Value("", value), At(None, where), run)
        return run.found

    def conforms(self, resource: Json, profile: str, run: Run) -> bool | None:
        """Says so by a profile it claims, or by its content when it claims none that we hold. None: can't be said."""
        definition = self.definitions(profile)
        if definition is None:
            core = _plain(profile).removeprefix(CORE)
            return resource.get("resourceType") == core if profile.startswith(CORE) else None
        if resource.get("resourceType") != definition.get("type"):
            return False
        claimed = [str(each) for each in resource.get("meta", {}).get("profile", ())]
        chains = [_plain(each) for one in claimed for each in (one, *self._bases(one))]
        if _plain(profile) in chains:
            return True
        if any(self.definitions(each) for each in claimed):
            return False
        if run.deep >= DEEP:
            return None
        inner = Run(resource, run.leads, deep=run.deep + 1)
        self.held(definition)(Value("", resource), At(None, ""), inner)
        return not any(issue.severity == "error" for issue in inner.found)

    def held(self, definition: Json) -> Check:
        """Its own rules, and those of the profiles it is built on."""
        name = f"{_name(definition)}|{definition.get('version', '')}"
        if name not in self._compiled:
            chain = [
                definition,
                *(base for each in self._bases(_name(definition), definition) if (base := self.definitions(each))),
            ]
            checks = [check for each in chain if (check := self._node(tree(each), _name(each)))]
            self._compiled[name] = _all(checks)
        return self._compiled[name]

    def _bases(self, profile: str, told: Json | None = None) -> list[str]:
        found: list[str] = []
        definition = told or self.definitions(profile)
        while definition and len(found) < LONG_CHAIN:
            base = str(definition.get("baseDefinition", ""))
            definition = self.definitions(base)
            if definition and definition.get("derivation") == "constraint":
                found.append(base)
        return found

    def _node(self, node: Node, of: str) -> Check | None:
        """None when the profile has only words for it."""
        rule = f"{of}#{node.id}"
        tests = [*_imposed(node.element), *self._bound(node.element), *invariants(node.element, self.codes)]
        typed = [self._typed(profile) for profile in profiles_of_type(node.element)]
        inside = [inner for child in node.inside.values() if (inner := self._child(child, of))]
        if not (tests or typed or inside):
            return None

        def check(value: Value, at: At, run: Run) -> None:
            if value.value is not None:
                for test in tests:
                    for severity, code, told in test(value.value, run):
                        run.found.append(Issue(severity, code, str(at), told, rule))
            for each in typed:
                each(value, at, run)
            if inside:
                whole = value.whole
                for child in inside:
                    child(whole, at, run)

        return check

    def _typed(self, profile: str) -> Check:
        def check(value: Value, at: At, run: Run) -> None:
            if definition := self.definitions(profile):
                self.held(definition)(value, at, run)

        return check

    def _child(self, node: Node, of: str) -> Inner | None:
        pick, count, check = picker(node.name), _counted(node, of), self._node(node, of)
        kinds, pieces = _kinds(node, of), self._pieces(node, of)
        if not (count or check or kinds or pieces):
            return None
        checks = [each for each in (check, kinds) if each]

        def child(holder: Json, at: At, run: Run) -> None:
            found = pick(holder) if holder else NONE
            if count:
                count(len(found), at, run, True)
            for value in found if checks else NONE:
                here = At(at, value.path)
                for each in checks:
                    each(value, here, run)
            if pieces:
                pieces(found, at, run)

        return child

    def _pieces(self, node: Node, of: str) -> Callable[[list[Value], At, Run], None] | None:
        pieces = [
            Piece(mark_of(each, node, self), _counted(each, of), self._node(each, of)) for each in node.slices.values()
        ]
        known = [piece for piece in pieces if piece.mark]
        closed = node.slicing.get("rules") == "closed" and len(known) == len(pieces)
        if not (closed or any(piece.count or piece.check for piece in known)):
            return None
        rule = f"{of}#{node.id}"

        def judged(found: list[Value], at: At, run: Run) -> None:
            marks = [[piece.mark(value, run) if piece.mark else None for piece in known] for value in found]
            for n, piece in enumerate(known):
                mine = [value for value, told in zip(found, marks, strict=True) if told[n]]
                if piece.count:
                    piece.count(len(mine), at, run, not any(told[n] is None for told in marks))
                for value in mine:
                    if piece.check:
                        piece.check(value, At(at, value.path), run)
            for value, told in zip(found, marks, strict=True) if closed else ():
                if not any(told) and None not in told:
                    run.found.append(Issue("error", "profile.closed", str(At(at, value.path)), CLOSED, rule))

        return judged

    def _bound(self, rule: Json) -> list[Test]:
        binding = rule.get("binding", {})
        known = self.codes(binding.get("valueSet", "")) if binding.get("strength") == "required" else None
        if known is None:
            return []
        plain = frozenset(code for _, code in known)

        def test(value: Any, run: Run) -> Iterator[Told]:
            if value not in plain if isinstance(value, str) else not is_among(value, known):
                yield "error", "unknown_code", "Ce code n'est pas dans la liste que ce profil impose."

        return [test]


CLOSED = "Ce profil ne permet ici que les sortes qu'il nomme ; celle-ci n'en est pas."


def _name(definition: Json) -> str:
    return str(definition.get("url", ""))


def _plain(canonical: str) -> str:
    return canonical.partition("|")[0]


def _all(checks: Sequence[Check]) -> Check:
    def check(value: Value, at: At, run: Run) -> None:
        for each in checks:
            each(value, at, run)

    return checks[0] if len(checks) == 1 else check


def _counted(node: Node, of: str) -> Count | None:
    """Told at the element; `sure` when every value of it could be counted."""
    rule, name = node.element, node.name.removesuffix("[x]")
    least, most = rule.get("min", 0), str(rule.get("max", "*"))
    top = int(most) if most.isdigit() else None
    if not least and top is None:
        return None
    piece = f" « {rule['sliceName']} »" if "sliceName" in rule else ""
    sort = f", sorte{piece}" if piece else ""
    said = f"{of}#{node.id}"
    too_few = f"Ce profil demande cet élément{piece}, {least} fois au moins."
    allowed = f"Ce profil permet cet élément {most} fois au plus{sort}."
    too_many = f"Ce profil ne permet pas cet élément{sort}." if top == 0 else allowed

    def count(many: int, at: At, run: Run, sure: bool) -> None:
        if many < least and sure:
            run.found.append(Issue("error", "required", str(At(at, name)), too_few, said))
        if top is not None and many > top:
            run.found.append(Issue("error", "profile.too_many", str(At(at, name)), too_many, said))

    return count


def _kinds(node: Node, of: str) -> Check | None:
    """The types that a profile leaves to a choice."""
    stem, rule = node.name.removesuffix("[x]"), f"{of}#{node.id}"
    if stem == node.name or not node.element.get("type"):
        return None
    codes = [str(each.get("code", "")) for each in node.element["type"]]
    keys = {f"{stem}{code[:1].upper()}{code[1:]}" for code in codes}
    told = f"Ce profil demande une valeur de type {', '.join(codes)}."

    def check(value: Value, at: At, run: Run) -> None:
        if value.key not in keys:
            run.found.append(Issue("error", "profile.type", str(at), told, rule))

    return check


def _imposed(rule: Json) -> list[Test]:
    return [_imposing(exactly, wanted) for exactly, wanted in imposed_of(rule)]


def _imposing(exactly: bool, wanted: Any) -> Test:
    told = f"Ce profil impose une autre valeur{f' : « {wanted} »' if isinstance(wanted, str) else ''}."

    def test(value: Any, run: Run) -> Iterator[Told]:
        if not (value == wanted if exactly else like(value, wanted)):
            yield "error", "profile.value", told

    return test
