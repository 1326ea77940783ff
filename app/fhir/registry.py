"""The maps this server speaks, found by type, by profile, or by what a resource says of itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.sql import visitors

from app.access.entry import View
from app.fhir.identifiers import normal
from app.fhir.known_types import CARRIED, R4_TYPES
from app.fhir.mapping import NEVER_KEPT, OF_TYPE, AnyMap, Arrived, Inbound, Json
from app.fhir.packages.held import Held
from app.fhir.search.chains import Searched
from app.fhir.search.criteria import Criterion
from app.kernel.errors import Fault, Invalid, NotFound

KEPT_WHOLE = (
    "Cette ressource ne dit pas de profil (meta.profile) et est gardée telle quelle : elle se lit par son id, et se cherche par "
    "_id, _lastUpdated, sa personne et son identifiant seuls. Dites l'un des profils de /fhir/metadata."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A type whose resources are no rows of the record: read and searched by a room of its own."""

    type_name: str
    profile: str
    criteria: Mapping[str, Criterion]
    about: str


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
        if chosen is self.kept and self._of_type.get(resource["resourceType"]) and not profiles_of(resource):
            inbound.warn("kept_whole", "", KEPT_WHOLE)
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
