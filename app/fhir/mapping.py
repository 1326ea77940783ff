"""What a feature declares to be spoken in FHIR: one `ResourceMap` per profile, both ways, and the registry that finds it.

Going out, a map is a pure function of a view, which the gate read. Coming in, it is a pure function of a resource and of
what surrounds it (`Inbound`): no map asks the database anything, so a bundle of any size costs the same statements.
What a map does not model stays beside the row (`extra`, sealed under the usager's key) and goes out again, merged.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import ARRAY, BindParameter, ColumnElement, Uuid, and_, any_, bindparam, false, true
from sqlalchemy.sql import visitors

from app.access.contents import Content
from app.access.entry import DossierEntry, DossierView, Readable, Row, View, fill, word
from app.access.gate import Listing
from app.access.several import Question
from app.access.versions import EntryVersion
from app.audit.vocabulary import Outcome
from app.fhir import keeping
from app.fhir.identifiers import normal
from app.fhir.known_types import CARRIED, R4_TYPES
from app.fhir.outcomes import Issue
from app.fhir.packages.held import Held
from app.fhir.search.chains import Opaque, Searched
from app.fhir.search.criteria import Criterion
from app.fhir.search.query import Shape, condition, condition_then
from app.fhir.search.usual import usual
from app.fhir.types import Coding, Element, Meta, moment, said
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Fault, Invalid, NotFound

Json = dict[str, Any]
NEVER_KEPT = frozenset(
    {"Bundle", "OperationOutcome", "Parameters", "CapabilityStatement"}
)  # about a message, not a person
OF_TYPE = "fhir_type"  # the parameter by which a table of many types is narrowed to one
V = TypeVar("V", bound=View)
E = TypeVar("E", bound=DossierEntry)


class RecordView(DossierView, frozen=True):
    """What FHIR reads of every dossier row, before the columns of its own. A field of `COMPUTED` has a default."""

    version: int
    updated_at: datetime
    origin_partner_id: str | None
    origin_version: int | None
    held: bool
    extra: bytes | None
    wrapped_key: bytes | None


def meta(view: Any, *profiles: str, tags: Iterable[Coding] = ()) -> Meta:
    return Meta(
        versionId=str(view.version), lastUpdated=moment(view.updated_at), profile=tuple(profiles), tag=tuple(tags)
    )


@dataclass(frozen=True, slots=True)
class Inbound:
    """What surrounds one received resource. Its references were rewritten: `local` holds those that lead to a row,
    `around` the resources of the same bundle, by `Type/id`, whose references were rewritten too.

    `id` is the id the resource is given here; `where` its FHIRPath in what came in, for warnings.
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
    local: Mapping[str, UUID] = field(default_factory=dict)
    around: Mapping[str, Json] = field(default_factory=dict)
    warnings: list[Issue] = field(default_factory=list)

    def target(self, reference: Any, *types: str) -> UUID | None:
        """The row that a received Reference leads to; None when it leads nowhere here, or to another type."""
        text = _text_of(reference)
        return self.local.get(text) if text.partition("/")[0] in types else None

    def warn(self, code: str, path: str, sentence: str) -> None:
        self.warnings.append(Issue("warning", code, f"{self.where}.{path}" if path else self.where, sentence))

    def stamped(self, row: E, id: UUID | None = None) -> E:
        """This row as one that arrived from this partner; `id` when it is not the resource's own row."""
        row.id = id or self.id
        row.usager_id, row.structure_id = self.usager_id, self.structure_id
        row.author_id, row.author_kind = self.partner_id, "partner"
        row.origin_partner_id, row.origin_exchange_id, row.origin_version = self.partner_id, self.exchange_id, 1
        row.held = self.held
        row.category = row.category or row.CATEGORY.value
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
    to_others: Callable[[Json], Json] | None = None
    doubts: Callable[[Json, str, Held], Iterable[Fault]] | None = None
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
        if kept and not own:
            kept = keeping.of_whom(self.to_others(kept) if self.to_others else kept)
        return keeping.merge(plain(modelled), kept) if kept and not hidden else modelled

    def received(self, resource: Json, inbound: Inbound) -> Arrived:
        """The rows of a resource, all that the map leaves of it sealed beside the first.

        Raises Invalid when the resource says too little to be a row.
        """
        if self.from_fhir is None:
            raise Invalid("Ce profil n'est pas reçu ici.", where=inbound.where, code="unknown_profile")
        arrived = self.from_fhir(resource, inbound)
        row = inbound.stamped(arrived.row)
        fill(row)
        left = keeping.leftover(resource, plain(self.to_fhir(as_read(self.view, row, arrived.told))))
        row.extra = inbound.key.seal(orjson.dumps(left), about_extra(type(row), row.id)) if left else None
        return arrived


AnyMap = ResourceMap[Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """A type whose resources are no rows of the record: read and searched by a room of its own."""

    type_name: str
    profile: str
    criteria: Mapping[str, Criterion]
    about: str


@lru_cache(maxsize=1_000)
def by_id(asked: AnyMap, *, as_it_stands: bool = False) -> Question:
    """The row of one id among those of this map; `as_it_stands`: never an older version of it."""
    row = asked.view.TABLE
    this = _narrowed(asked, row.id == bindparam("id", type_=Uuid()))
    now = Listing(this, when_none=Outcome.REFUSED, deleted_too=True, few=True)
    return Question(asked.view, now, None if as_it_stands else this)


@lru_cache(maxsize=1_000)
def by_ids(asked: AnyMap) -> Question:
    """The rows of some ids (`targets`) among those of this map, deleted or not."""
    these = _narrowed(asked, asked.view.TABLE.id == any_(bindparam("targets", type_=ARRAY(Uuid()))))
    return Question(asked.view, Listing(these, deleted_too=True, few=True), these)


@lru_cache(maxsize=1_000)
def by_shape(asked: AnyMap, place: int, shape: Shape, criteria: Searched) -> Question:
    """The rows of this map that a search of this shape wants; `place` is that of the map among those asked."""
    then = condition_then(
        criteria, shape, place, {"occurred_at": EntryVersion.occurred_at, "updated_at": EntryVersion.at}
    )
    where = condition(criteria, shape, place)
    return Question(
        asked.view,
        Listing(_narrowed(asked, where)),
        None if then is None else _narrowed(asked, then),
        tables=1 + sum(isinstance(part, Readable) for part in visitors.iterate(where)),
    )


@lru_cache(maxsize=1_000)
def none_of(asked: AnyMap) -> Question:
    """Of a search that no map can answer."""
    return Question(asked.view, Listing(false()))


def _narrowed(asked: AnyMap, where: ColumnElement[bool]) -> ColumnElement[bool]:
    return where if asked.narrow is None else and_(where, asked.narrow)


def about_extra(table: type[Row], id: UUID | str) -> str:
    """What a sealed `extra` is bound to: its row, whatever the version."""
    return f"extra:{table.KIND}:{id}"


def plain(thing: Element | Json) -> Json:
    return said(thing) if isinstance(thing, Element) else thing


def as_read(view: type[V], row: Row, told: Mapping[str, object] = MappingProxyType({})) -> V:
    """A row in hand as its view will tell it; what the view computes comes from `told`, or keeps its default."""
    columns = {c.key for c in row.__table__.columns}
    values: dict[str, Any] = {n: _as_read(getattr(row, n)) for n in view.__struct_fields__ if n in columns}
    if "wrapped_key" in view.__struct_fields__:
        values["wrapped_key"] = None
    return view(**{**values, **told})


def _as_read(value: object) -> object:
    if isinstance(value, list):
        return [_as_read(item) for item in value]
    return str(value) if isinstance(value, UUID) else value


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


class Registry:
    """The maps this server speaks. `kept` is the generic one, of every R4 type, looked up last.

    `definitions`: the StructureDefinitions of our own, by canonical.
    """

    def __init__(
        self,
        maps: Iterable[AnyMap],
        kept: AnyMap | None = None,
        beside: Iterable[Beside] = (),
        definitions: Mapping[str, Json] = MappingProxyType({}),
    ) -> None:
        self.maps, self.kept, self.beside = tuple(maps), kept, tuple(beside)
        self.definitions = definitions
        self._of_type: dict[str, tuple[AnyMap, ...]] = {}
        self._apart: dict[str, tuple[AnyMap, ...]] = {}
        self._searched: dict[int, Searched] = {}
        for each in self.maps:
            self._of_type[each.type_name] = (*self._of_type.get(each.type_name, ()), each)
        self._of_profile = {profile: each for each in self.maps for profile in (each.profile, *each.also)}
        self.profiles = frozenset({*self._of_profile, *definitions})

    @property
    def types(self) -> tuple[str, ...]:
        """The types that have a map of their own, by name."""
        return tuple(sorted(self._of_type))

    @property
    def kept_types(self) -> tuple[str, ...]:
        """The types that the generic map alone holds."""
        others = {*self._of_type, *(each.type_name for each in self.beside)}
        return tuple(sorted(CARRIED - NEVER_KEPT - others)) if self.kept else ()

    @cached_property
    def everywhere(self) -> tuple[AnyMap, ...]:
        """A map for each place where rows stand, whatever their type: of a table told apart by its type alone, one."""
        by_type, others = dict[type[View], AnyMap](), list[AnyMap]()
        for each in (*self.maps, *((self.kept,) if self.kept else ())):
            if each.narrow is not None and _names_type(each.narrow):
                by_type.setdefault(each.view, replace(each, type_name="", narrow=None))
            else:
                others.append(each)
        return (*others, *by_type.values())

    def apart(self, type_name: str) -> tuple[AnyMap, ...]:
        """Where rows of this type are, among those of other types in one statement."""
        if type_name not in self._apart:
            self._apart[type_name] = tuple(_said_in(each, type_name) for each in self.of_type(type_name))
        return self._apart[type_name]

    def own(self, type_name: str) -> tuple[AnyMap, ...]:
        return self._of_type.get(type_name, ())

    def searched(self, asked: AnyMap) -> Searched:
        """What this map is searched by, chains too."""
        return self._searched.setdefault(id(asked), Searched(self, asked))

    def of_type(self, type_name: str) -> tuple[AnyMap, ...]:
        """Where rows of this type are, the generic map last. Raises NotFound for a type that R4 does not know."""
        own = self._of_type.get(type_name, ())
        if not own and type_name not in R4_TYPES:
            raise NotFound("Ce type de ressource n'existe pas en FHIR R4.", code="unknown_type")
        if not own and not self._keeps(type_name):
            raise NotFound("Ce type de ressource n'est pas servi ici.", code="unknown_type")
        return (*own, self.kept) if self.kept else own

    def _keeps(self, type_name: str) -> bool:
        return self.kept is not None and type_name in CARRIED - NEVER_KEPT

    def of_resource(self, resource: Mapping[str, Any], where: str = "") -> AnyMap:
        """The map of a received resource: by profile, by the system of its identifier, by its code, by its type alone.

        Raises Invalid for a type that R4 does not know, or when no map takes it.
        """
        type_name = str(resource.get("resourceType") or "")
        if type_name not in R4_TYPES:
            raise Invalid("Ce type de ressource n'existe pas en FHIR R4.", where=where, code="unknown_type")
        own = [each for each in self._of_type.get(type_name, ()) if each.from_fhir]
        for profile in profiles_of(resource):
            if (named := self._of_profile.get(profile)) in own and named is not None:
                return named
        systems, codes = identifier_systems(resource), codes_of(resource)
        told = [each for each in own if each.systems & systems] or [each for each in own if each.codes & codes]
        told = told or [each for each in own if each.by_type]
        if len(told) == 1:
            return told[0]
        if self.kept is None or not self._keeps(type_name):
            raise Invalid("Aucun profil de ce serveur ne reçoit cette ressource.", where=where, code="not_carried")
        return self.kept

    def doubts(self, resource: Json, where: str, held: Held) -> Iterable[Fault]:
        """What the profile of a received resource asks, that R4 does not."""
        try:
            chosen = self.of_resource(resource, where)
        except Invalid:
            return ()
        return chosen.doubts(resource, where, held) if chosen.doubts else ()

    def received(self, resource: Json, inbound: Inbound, *, lenient: bool = True) -> tuple[AnyMap, Arrived]:
        """The rows of a received resource, and the map that made them.

        A map that cannot hold it says so (Invalid); leniently, that is a warning and the generic map keeps it whole.
        """
        chosen = self.of_resource(resource, inbound.where)
        try:
            return chosen, chosen.received(resource, inbound)
        except Invalid as no:
            if not lenient or self.kept is None or chosen is self.kept:
                raise
            inbound.warn(no.told, "", no.message)
            return self.kept, self.kept.received(resource, inbound)


def _said_in(each: AnyMap, type_name: str) -> AnyMap:
    if each.narrow is None or not _names_type(each.narrow):
        return each
    named = replace(each, type_name=type_name)
    return replace(named, narrow=named.mine)


def _names_type(narrow: ColumnElement[bool]) -> bool:
    return any(getattr(part, "key", None) == OF_TYPE for part in visitors.iterate(narrow))


def profiles_of(resource: Mapping[str, Any]) -> list[str]:
    """The canonicals of `meta.profile`, without their version."""
    about = resource.get("meta")
    named = about.get("profile") if isinstance(about, Mapping) else None
    return [p.partition("|")[0] for p in named if isinstance(p, str)] if isinstance(named, list | tuple) else []


def identifier_systems(resource: Mapping[str, Any]) -> frozenset[str]:
    held = resource.get("identifier")
    items = held if isinstance(held, list | tuple) else [held]
    return frozenset(normal(i["system"]) for i in items if isinstance(i, Mapping) and isinstance(i.get("system"), str))


def codes_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """What `code` says, as `system|code`."""
    concept = resource.get("code")
    held = concept.get("coding") if isinstance(concept, Mapping) else None
    items = held if isinstance(held, list | tuple) else []
    return frozenset(
        f"{c['system']}|{c['code']}" for c in items if isinstance(c, Mapping) and {"system", "code"} <= c.keys()
    )
