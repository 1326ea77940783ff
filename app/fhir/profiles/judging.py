"""What is asked of a resource beyond R4: by the profiles it claims or is held against, by its extensions, by its map.

Ours, and those of the installed packages. A judge is kept with the closures that its profiles became.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from app.fhir.canonicals import spoken_in
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue
from app.fhir.packages.held import Held
from app.fhir.profiles.checker import Checker
from app.fhir.profiles.values import Leads, nowhere
from app.fhir.registry import Registry
from app.fhir.shapes import spoken
from app.kernel.errors import Fault

Path = tuple[str | int, ...]
EXTENSIONS = ("extension", "modifierExtension")


@dataclass(frozen=True, eq=False)
class Judge:
    """`held`: the packages installed now."""

    registry: Registry
    held: Held

    @cached_property
    def checker(self) -> Checker:
        return Checker(self.held.codes, self.definition)

    @cached_property
    def installed(self) -> frozenset[str]:
        """The profiles of which we hold the definition."""
        found = {each["url"] for each in self.held.bodies.get("StructureDefinition", ())}
        return frozenset(found | set(self.registry.definitions))

    @cached_property
    def known(self) -> frozenset[str]:
        return self.installed | self.registry.profiles

    def definition(self, profile: str) -> Json | None:
        """Installed, else of our own; in the version that is said, when one is."""
        if found := self.held.named("StructureDefinition", profile):
            return found
        url, _, version = profile.partition("|")
        own = self.registry.definitions.get(url)
        return own if own and version in ("", own.get("version")) else None

    def versions(self, url: str) -> tuple[str, ...]:
        """Those in which a profile is held, else those that its map speaks."""
        own = self.registry.definitions.get(url, {}).get("version")
        held = (*self.held.versions("StructureDefinition", url), *([own] if own else ()))
        return held or spoken_in(url)

    def asks(
        self, resource: Json, where: str, profiles: Iterable[str], leads: Leads = nowhere
    ) -> Iterator[Fault | Issue]:
        """What these profiles ask, among those whose definition is held; what its extensions do, and its map."""
        found: list[Issue] = []
        definitions = [definition for profile in profiles if (definition := self.definition(profile))]
        for definition in {id(each): each for each in definitions}.values():  # one may be claimed by several versions
            found += self.checker.issues_of(resource, definition, where, leads)
        for path, extension in extensions_of(resource):
            if definition := self.definition(extension["url"]):
                place = spoken(resource, path).removeprefix(resource["resourceType"])
                found += self.checker.extension(extension, definition, where + place, resource, leads)
        yield from dict.fromkeys(found)
        yield from self.registry.doubts(resource, where, self.held)


@lru_cache(maxsize=8)
def judge(registry: Registry, held: Held) -> Judge:
    return Judge(registry, held)


def claimed(resource: Json) -> list[str]:
    """The profiles that a checked resource says it follows, each once, with their version when it says one."""
    told = resource.get("meta", {}).get("profile", ())
    return list(dict.fromkeys(each for each in told if isinstance(each, str)))


def extensions_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every extension below whose URL is a canonical, and where it is. Another resource inside is its own."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from () if "resourceType" in inner else extensions_of(inner, (*path, name))
        elif isinstance(inner, list):
            for at, item in enumerate(inner):
                if isinstance(item, dict) and "resourceType" not in item:
                    if name in EXTENSIONS and ":" in item.get("url", ""):
                        yield (*path, name, at), item
                    yield from extensions_of(item, (*path, name, at))
