"""What every verb that reads needs to know of a request: who looks, through which maps, from which address."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from app.access.entry import Row
from app.access.gate import Reading
from app.access.permissions import Action
from app.access.several import Found, refuse
from app.fhir import references
from app.fhir.canonicals import code_system
from app.fhir.mapping import AnyMap, Json, plain
from app.fhir.registry import Registry
from app.fhir.search.criteria import Around
from app.fhir.showing import SUBSETTED
from app.fhir.types import Coding, Element, Meta, said
from app.kernel.errors import Forbidden, Invalid
from app.security import scopes
from app.security.principal import Partner, Professional, Representative, UsagerSelf

ONLY_A_PART = "Cette ressource a été lue en partie (SUBSETTED) : relisez-la entière avant de la renvoyer."
STATE = code_system("exchange-state")
STATES = {
    "received": "Reçu",
    "to_attach": "À rattacher",
    "accepted": "Accepté",
    "refused": "Refusé",
}


@dataclass(frozen=True, slots=True)
class Asking:
    reading: Reading
    registry: Registry
    origin: str
    type_name: str
    maps: tuple[AnyMap, ...]
    of_person: bool  # the person looks, or who represents them
    outside: bool  # a protected place is told to the team and to the person, to nobody else
    partner: str | None  # what this one sent is told to it as it sent it
    path: str = ""  # what is searched, below `/fhir`
    person: UUID | None = None  # whose compartment it is
    common: frozenset[str] | None = None  # the parameters of a search of several types

    @property
    def around(self) -> Around:
        """What a search's values are read with."""
        return Around(self.origin, self.reading.keyring, self.type_name, self.outside, partner=self.partner is not None)


def out_of_scope(type_name: str, letter: str) -> Forbidden:
    """At the type that this token does not open so; empty: any."""
    needed = f"system/{type_name or '*'}.{letter}"
    told = f"Les droits de ce jeton (scope) n'ouvrent pas ce geste : il y faut {needed}, à demander à /oauth/token."
    return Forbidden(told, where=type_name or None, code="scope")


async def asking(reading: Reading, registry: Registry, origin: str, type_name: str, letter: str) -> Asking:
    """Raises NotFound for a type unknown here; Forbidden, traced, when the partner's scopes hold no such letter."""
    maps = registry.of_type(type_name)
    who = reading.principal
    if isinstance(who, Partner) and not scopes.cover(who.scopes, type_name, letter):
        await refuse(reading, Action.READ, maps[0].view.TABLE.KIND)
        raise out_of_scope(type_name, letter)
    return replace(_asking(reading, registry, origin, type_name, maps), path=type_name)


async def asking_everywhere(
    reading: Reading, registry: Registry, origin: str, letter: str, *, about: type[Row] = Row, type_name: str = ""
) -> Asking:
    """Every place of such rows whose type the partner's scopes hold with this letter; `type_name` names what is asked.

    Raises Forbidden, traced, when they hold none.
    """
    who, maps = reading.principal, tuple(each for each in registry.everywhere if issubclass(each.view.TABLE, about))
    if isinstance(who, Partner):
        maps = tuple(each for each in maps if scopes.cover(who.scopes, each.type_name or "*", letter))
        if not maps or (type_name and not scopes.cover(who.scopes, type_name, letter)):
            await refuse(reading, Action.READ, registry.maps[0].view.TABLE.KIND)
            raise out_of_scope(type_name, letter)
    return _asking(reading, registry, origin, type_name, maps)


async def asking_types(
    reading: Reading, registry: Registry, origin: str, types: Collection[str], letter: str
) -> Asking:
    """Several types at once. Raises Forbidden, traced, unless the partner's scopes cover each."""
    maps = tuple(each for name in types for each in registry.apart(name))
    shared = [frozenset().union(*(each.criteria for each in registry.own(name))) for name in types]
    found = replace(_asking(reading, registry, origin, "", maps), common=frozenset.intersection(*shared))
    await covered(found, types)
    return found


async def covered(asking: Asking, types: Iterable[str], letter: str = "s") -> None:
    """A chain, or a dossier whole, asks other types, as a search of each would. Raises Forbidden, traced, beyond the
    partner's scopes.
    """
    who = asking.reading.principal
    if isinstance(who, Partner):
        beyond = next((each for each in sorted(types) if not scopes.cover(who.scopes, each, letter)), None)
        if beyond:
            await refuse(asking.reading, Action.READ, asking.registry.of_type(beyond)[0].view.TABLE.KIND)
            raise out_of_scope(beyond, letter)


def asking_of(reading: Reading, registry: Registry, origin: str, kinds: Collection[str]) -> Asking:
    """Where rows of these types stand, whatever the scopes: to tell a caller's own request what it is about."""
    maps = tuple(each for each in registry.everywhere if not each.type_name or each.type_name in kinds)
    return _asking(reading, registry, origin, "", maps)


def as_asked(resource: Json, where: str) -> Json:
    """What a caller sends back of what it read: without what we say of a version. Raises Invalid when it was cut."""
    about = resource.get("meta")
    if not isinstance(about, dict):
        return resource
    tags = about.get("tag", [])
    if SUBSETTED in tags:
        raise Invalid(ONLY_A_PART, where=f"{where}.meta.tag", code="subsetted")
    told = {name: value for name, value in about.items() if name not in ("versionId", "lastUpdated", "tag")}
    if kept := [tag for tag in tags if tag.get("system") != STATE]:
        told["tag"] = kept
    whole = {name: value for name, value in resource.items() if name != "meta"}
    return {**whole, "meta": told} if told else whole


def _asking(reading: Reading, registry: Registry, origin: str, type_name: str, maps: tuple[AnyMap, ...]) -> Asking:
    who = reading.principal
    of_person = isinstance(who, UsagerSelf | Representative)
    outside = not isinstance(who, Professional | UsagerSelf)
    partner = str(who.id) if isinstance(who, Partner) else None
    return Asking(reading, registry, origin, type_name, maps, of_person, outside, partner)


def told(asking: Asking, its_map: AnyMap, found: Found) -> Element | Json:
    """One resource as this caller may see it; what a partner sent comes back with where it stands here."""
    view = found.view
    own = asking.partner is not None and getattr(view, "origin_partner_id", None) == asking.partner
    as_sent = own and view.version == view.origin_version  # what the team wrote since is ours to protect
    resource = its_map.out(
        view,
        asking.reading.keyring,
        outside=asking.outside and not as_sent,
        own=own,
        of_person=asking.of_person,
    )
    if found.known_as:
        resource = _as_named(resource, view.usager_id, found.known_as)
    return _tagged(resource, found.state or state_of(view)) if own or found.state else resource


def _as_named(resource: Element | Json, usager_id: str, known_as: str) -> Json:
    """Whose it is, by the id its sender was given."""
    person, name = f"Patient/{usager_id}", f"Patient/{known_as}"
    return references.named(plain(resource), person, name)


def state_of(view: Any) -> str:
    """Of a row that no bundle of the journal brought."""
    return "to_attach" if getattr(view, "held", False) else "accepted"


@cache
def _tag(state: str) -> tuple[Coding, Json]:
    tag = Coding(STATE, state, STATES[state])
    return tag, said(tag)


def _tagged(resource: Element | Json, state: str) -> Element | Json:
    tag, plain_tag = _tag(state)
    if isinstance(resource, dict):
        about = dict(resource.get("meta") or {})
        about["tag"] = [*about.get("tag", ()), plain_tag]
        return {**resource, "meta": about}
    about_it: Meta = resource.meta or Meta()  # type: ignore[attr-defined]
    tagged = msgspec.structs.replace(about_it, tag=(*about_it.tag, tag))
    return msgspec.structs.replace(resource, meta=tagged)
