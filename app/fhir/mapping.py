"""What a feature declares to be spoken in FHIR: one `ResourceMap` per profile, both ways.

Going out, a map is a pure function of a view, which the gate read. Coming in, it is a pure function of a resource and of
what surrounds it (`Inbound`): no map asks the database anything, so a bundle of any size costs the same statements.
What a map does not model stays beside the row (`extra`, sealed under the usager's key) and goes out again, merged.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import BindParameter, ColumnElement, true
from sqlalchemy.sql import visitors

from app.access.contents import Content
from app.access.entry import DossierEntry, DossierView, Row, View, fill, reader, spelled, word
from app.fhir import far, in_part, keeping, references
from app.fhir.identifiers import without_ins
from app.fhir.outcomes import Issue
from app.fhir.packages.held import Held
from app.fhir.search.chains import Opaque
from app.fhir.search.criteria import Criterion, When
from app.fhir.search.usual import usual
from app.fhir.types import Element, Meta, moment, said
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Fault, Invalid

Json = dict[str, Any]
NEVER_KEPT = frozenset(
    {"Bundle", "OperationOutcome", "Parameters", "CapabilityStatement"}
)  # about a message, not a person
OF_TYPE = "fhir_type"  # the parameter by which a table of many types is narrowed to one
V = TypeVar("V", bound=View)
E = TypeVar("E", bound=DossierEntry)
T = TypeVar("T")


class RecordView(DossierView, frozen=True):
    """What FHIR reads of every dossier row, before the columns of its own. A field of `COMPUTED` has a default."""

    version: int
    updated_at: datetime
    origin_partner_id: str | None
    origin_version: int | None
    held: bool
    extra: bytes | None
    wrapped_key: bytes | None


def meta(view: Any, *profiles: str) -> Meta:
    return Meta(versionId=str(view.version), lastUpdated=moment(view.updated_at), profile=profiles)


class Neighbours(dict[str, Json]):
    """The resources of one bundle, by `Type/id`, whose references were rewritten."""

    def __init__(self, resources: Mapping[str, Json] = MappingProxyType({})) -> None:
        super().__init__(resources)
        self._found: dict[Any, Any] = {}

    def told(self, of_all: Callable[[Mapping[str, Json]], T]) -> T:
        """What `of_all` finds in them, looked for once: for each resource anew, a long bundle would hold everyone."""
        if of_all not in self._found:
            self._found[of_all] = of_all(self)
        found: T = self._found[of_all]
        return found


@dataclass(frozen=True, slots=True)
class Inbound:
    """What surrounds one received resource. Its references were rewritten: `local` holds those that lead to a row,
    `around` the resources of the same bundle.

    `id` is the id the resource is given here; `where` its FHIRPath in what came in, for warnings; `known_as` how its
    references name the person, when its sender knows them by another id than ours; `strict`: taken to the letter;
    `as_told`: how the resource is given back to its sender, when that is more than what anyone else is told; `stands`:
    the row that it changes, as its sender reads it: of an update always, of what is sent again where its map `recalls`.
    """

    id: UUID
    usager_id: UUID
    structure_id: UUID
    partner_id: UUID
    key: UsagerKey
    keyring: Keyring
    where: str
    exchange_id: UUID | None = None
    held: bool = False
    known_as: UUID | None = None
    strict: bool = False
    as_told: Json | None = None
    stands: View | None = None
    local: Mapping[str, UUID] = field(default_factory=dict)
    around: Neighbours = field(default_factory=Neighbours)
    warnings: list[Issue] = field(default_factory=list)

    def target(self, reference: Any, *types: str) -> UUID | None:
        """The row that a received Reference leads to; None when it leads nowhere here, or to another type."""
        text = _text_of(reference)
        return self.local.get(text) if text.partition("/")[0] in types else None

    def warn(self, code: str, path: str, sentence: str) -> None:
        self.warnings.append(Issue("warning", code, f"{self.where}.{path}" if path else self.where, sentence))

    def stamped(self, row: E, id: UUID | None = None) -> E:
        """This new row as one that arrived from this partner; `id` when it is not the resource's own row."""
        vars(row).update(  # as `fill` does: nothing is flushed by the mapper
            id=id or self.id,
            usager_id=self.usager_id,
            structure_id=self.structure_id,
            author_id=self.partner_id,
            author_kind="partner",
            origin_partner_id=self.partner_id,
            origin_exchange_id=self.exchange_id,
            origin_version=1,
            held=self.held,
            category=row.category or row.CATEGORY.value,
        )
        return row


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a resource becomes here: its own row, rows of other tables beside it, and what its view computes of them.

    `along`: what its row holds elsewhere, with no life of its own (the bytes of a document).
    """

    row: DossierEntry
    beside: tuple[DossierEntry, ...] = ()
    told: Mapping[str, object] = field(default_factory=dict)
    along: tuple[Content, ...] = ()


@dataclass(frozen=True, eq=False)
class ResourceMap(Generic[V]):
    """One profile over one view.

    - `profile` is what goes out and comes in, `also` what comes in as well; `systems`, those of identifiers, then `codes`
      (`system|code`, what its `code` says) tell a resource without profile.
    - `by_type`: a resource of this type that nothing else tells is ours too (false when the type says too little).
    - `narrow` keeps to the rows of this map when its table holds more; it may name the parameter `fhir_type`.
    - `search` adds to the criteria that every map of its kind of row has (`app.fhir.search.usual`).
    - `opens` reads what was kept of a row of no usager, which no usager's key can seal.
    - `masked` gives the view as a reader of outside (a partner, a representative) may see it, `hides` whether they
      are told nothing of what was kept beside it, which may name a protected place. `of_team`: the fields that the person, and who represents them,
      are not told.
    - `unseals` opens what the view holds sealed.
    - `doubts` says what its profile asks beyond R4: warnings, or faults to the letter.
    - `to_others` takes out of the leftovers what only their sender may have back.
    - `always`: the elements it says, received or not: what is searched is told.
    - `signed`: the extension that says of which version it is, whose reference keeps its version whoever reads it.
    - `recalls`: what its row says already, and its profile does not ask for, may be left out of what is sent again.
    - `travels`: a dossier that goes elsewhere takes such rows with it.
    """

    profile: str
    type_name: str
    view: type[V]
    to_fhir: Callable[[V], Element | Json]
    from_fhir: Callable[[Json, Inbound], Arrived] | None = None
    also: tuple[str, ...] = ()
    systems: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    by_type: bool = True
    narrow: ColumnElement[bool] | None = None
    search: Mapping[str, Criterion] = field(default_factory=dict)
    opens: Callable[[V, Keyring], Json] | None = None
    masked: Callable[[V], V] | None = None
    hides: Callable[[V], bool] | None = None
    of_team: tuple[str, ...] = ()
    unseals: Callable[[V, Keyring], V] | None = None
    signed: str = ""
    to_others: Callable[[Json], Json] | None = None
    doubts: Callable[[Json, str, Held], Iterable[Fault]] | None = None
    always: frozenset[str] = frozenset()
    recalls: bool = False
    travels: bool = True

    @cached_property
    def criteria(self) -> Mapping[str, Criterion]:
        """What this map is searched by."""
        found = {**usual(self.view.TABLE, self.type_name, self.profile), **self.search}
        return Opaque(found) if isinstance(self.search, Opaque) else found

    @cached_property
    def mine(self) -> ColumnElement[bool]:
        """`narrow` among the rows of other types: its own type is said in it."""

        def said_here(element: Any, **_: Any) -> ColumnElement[Any] | None:
            named = isinstance(element, BindParameter) and element.key == OF_TYPE
            return word(self.type_name) if named else None

        if self.narrow is None:
            return true()
        written: ColumnElement[bool] = visitors.replacement_traverse(self.narrow, {}, said_here)
        return written

    @cached_property
    def in_part(self) -> tuple[str, ...]:
        """Where the dates stand that may be told in part."""
        whens = (each for each in self.search.values() if isinstance(each, When) and each.parts is not None)
        return tuple(path for each in whens for path in each.at)

    def out(
        self,
        view: V,
        keyring: Keyring,
        *,
        outside: bool = False,
        own: bool = False,
        of_person: bool = False,
    ) -> Element | Json:
        """The resource as it goes out, what was kept beside the row merged in.

        `own`: to who sent it; `of_person`: to the person, or who represents them.
        """
        hidden = bool(outside and self.hides and self.hides(view))
        view = self.unseals(view, keyring) if self.unseals else view
        if of_person and self.of_team:
            view = msgspec.structs.replace(view, **dict.fromkeys(self.of_team))
        modelled = self.to_fhir(self.masked(view) if outside and self.masked else view)
        kept = self.opens(view, keyring) if self.opens else _kept_beside(view, keyring)
        known_as, as_sent = kept.pop(keeping.KNOWN_AS, None), kept.pop(keeping.AS_SENT, None)
        if kept and not own:
            kept = keeping.of_whom(self.to_others(kept) if self.to_others else kept)
        kept = {} if hidden else kept
        if not (kept or known_as or (as_sent and own)):
            return modelled
        told = plain(modelled)
        if known_as:
            here, theirs = _person(view.usager_id), _person(known_as)  # type: ignore[attr-defined]
            told = keeping.merge(references.named(told, here, theirs), kept)
            told = told if own else references.named(told, theirs, here)
        else:
            told = keeping.merge(told, kept)
        if not own:
            return without_ins(told)
        return keeping.merge(told, as_sent) if as_sent else told

    def received(self, resource: Json, inbound: Inbound) -> Arrived:
        """The rows of a resource, all that the map leaves of it sealed beside the first.

        Raises Invalid when the resource says too little to be a row.
        """
        if self.from_fhir is None:
            raise Invalid("Ce profil n'est pas reçu ici.", where=inbound.where, code="unknown_profile")
        try:
            arrived = self.from_fhir(resource, inbound)
        except Invalid as no:
            raise _within(inbound.where, no) from None
        row = inbound.stamped(arrived.row)
        fill(row)
        if self.in_part:
            vars(row)["told_in_part"] = in_part.of(resource, self.in_part)
        modelled = plain(self.to_fhir(as_read(self.view, row, arrived.told)))
        if inbound.known_as:
            modelled = references.named(modelled, _person(inbound.usager_id), _person(inbound.known_as))
        if inbound.as_told and self.signed:
            resource = _with_version(resource, inbound.as_told, self.signed)
        left = keeping.leftover(resource, modelled, self.always)
        if inbound.known_as:
            left[keeping.KNOWN_AS] = str(inbound.known_as)
        if inbound.as_told:
            left[keeping.AS_SENT] = keeping.leftover(inbound.as_told, resource)
        written = orjson.dumps(left)
        for path in far.days(resource, written) if self.profile else ():
            inbound.warn("far_date", path, far.SENTENCE)
        row.extra = inbound.key.seal(written, about_extra(type(row), row.id)) if left else None
        return arrived


AnyMap = ResourceMap[Any]


def about_extra(table: type[Row], id: UUID | str) -> str:
    """What a sealed `extra` is bound to: its row, whatever the version."""
    return f"extra:{table.KIND}:{id}"


def _within(where: str, no: Invalid) -> Invalid:
    """The same faults, at their place in what came in: a map may name the element of the resource alone."""

    def there(at: str) -> str:
        return at if at.startswith(where) else f"{where}.{at}" if at else where

    faults = [Fault(there(fault.where), fault.code, fault.message) for fault in no.faults]
    return type(no)(no.message, where=there(no.where or ""), code=no.told, faults=faults)


def _with_version(resource: Json, as_told: Json, url: str) -> Json:
    """The same, but for this extension, as its sender is told it."""
    both = zip(resource.get("extension", ()), as_told.get("extension", ()), strict=True)
    return {**resource, "extension": [theirs if theirs["url"] == url else ours for ours, theirs in both]}


def plain(thing: Element | Json) -> Json:
    return said(thing) if isinstance(thing, Element) else thing


def as_read(view: type[V], row: Row, told: Mapping[str, object] = MappingProxyType({})) -> V:
    """A row in hand as its view will tell it; what the view computes comes from `told`, or keeps its default."""
    read = reader(row)
    values: dict[str, Any] = {name: spelled(read(name)) for name in _columns(view, type(row))}
    if "wrapped_key" in view.__struct_fields__:
        values["wrapped_key"] = None
    return view(**{**values, **told})


@cache
def _columns(view: type[View], table: type[Row]) -> tuple[str, ...]:
    return tuple(name for name in view.__struct_fields__ if name in table.__table__.columns)


def _person(id: UUID | str) -> str:
    return f"Patient/{id}"


def _kept_beside(view: View, keyring: Keyring) -> Json:
    sealed, wrapped = getattr(view, "extra", None), getattr(view, "wrapped_key", None)
    if sealed is None or wrapped is None or not isinstance(view, DossierView):
        return {}
    kept: Json = orjson.loads(
        keyring.usager_key(wrapped, view.usager_id).open(sealed, about_extra(view.TABLE, view.id))
    )
    return kept


def _text_of(reference: Any) -> str:
    if isinstance(reference, Mapping):
        return str(reference.get("reference") or "")
    return str(getattr(reference, "reference", None) or "")
