"""FHIR $validate: all that is wrong with a resource, told at once; nothing is written.

It is held against R4, then against the profiles asked for, else against those it claims; a bundle, with each of its
entries. Source: https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.fhir.canonicals import CORE
from app.fhir.checking import PROFILES_MOST, UNKNOWN_TYPE, faults_of, remains, root_of
from app.fhir.known_types import R4_TYPES
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue, Severity, outcome
from app.fhir.packages.held import Held
from app.fhir.profiles.judging import Judge, claimed, judge
from app.fhir.profiles.values import Leads, nowhere
from app.fhir.reading import Entry, entries_of
from app.fhir.references import Links
from app.fhir.registry import Registry
from app.fhir.remains import NONE, whole
from app.fhir.tolerance import lacking, numbers_of, other_version, warning
from app.kernel.errors import Fault, NotFound, Unreadable

CREATE, UPDATE, DELETE, PROFILE = MODES = ("create", "update", "delete", "profile")
ONLY_READ = "Ce type ne s'écrit pas : il se lit."
NO_FAULT = Issue("information", "informational", "", "Aucune faute n'a été trouvée.")
NOT_HELD = "Ce profil n'est pas installé sur ce serveur (dui fhir install) : il n'a pas été vérifié."
UNCHECKED = ("unknown_profile", "unknown_version", "partly_checked")
NOT_ALL = Issue(
    "information",
    "informational",
    "",
    "Aucune faute n'a été trouvée dans ce qui a été vérifié ; mais tout ne l'a pas été, comme il est dit ci-dessus.",
)
PARTLY = (
    "De ce profil, seuls les éléments obligatoires que ce serveur connaît ont été vérifiés. Pour le vérifier en entier, "
    "son paquet s'installe (dui fhir install)."
)
OTHER_TYPE = "Cette ressource n'est pas du type de l'adresse."
OTHER_ID = "L'identifiant de la ressource n'est pas celui de l'adresse."
NO_ID = "Une ressource à changer dit son identifiant (id), celui de l'adresse."
NO_MODE = f"mode attend {', '.join(MODES)}."
AT_ITS_ADDRESS = "mode=update et mode=delete se demandent à l'adresse de la ressource : /fhir/Type/id/$validate."
NO_PROFILE = "mode=profile demande un profil (profile)."
TOO_MANY = f"Une vérification se demande contre {PROFILES_MOST} profils au plus."
NOTHING_SENT = "Rien n'est à vérifier : envoyez une ressource."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked at an address: its type and id (empty at the root), the profiles, and which act is thought of."""

    type_name: str = ""
    id: str = ""
    profiles: tuple[str, ...] = ()
    mode: str = ""


def wanted(type_name: str, id: str, said: Sequence[tuple[str, str]]) -> Wanted:
    """Raises Unreadable; NotFound for a type that R4 does not know."""
    if type_name and type_name not in R4_TYPES:
        code, sentence = UNKNOWN_TYPE
        raise NotFound(sentence, code=code)
    profiles = tuple(dict.fromkeys(text for name, text in said if name == "profile"))
    modes = [text for name, text in said if name == "mode"] or [""]
    mode = modes[0]
    if len(modes) > 1 or mode not in ("", *MODES):
        raise Unreadable(NO_MODE, where="mode", code="bad_parameter")
    if mode in (UPDATE, DELETE) and not id:
        raise Unreadable(AT_ITS_ADDRESS, where="mode", code="bad_parameter")
    if mode == PROFILE and not profiles:
        raise Unreadable(NO_PROFILE, where="profile", code="required")
    if len(profiles) > PROFILES_MOST:
        raise Unreadable(TOO_MANY, where="profile", code="too_many")
    return Wanted(type_name, id, profiles, mode)


def asked(read: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The resource to judge, and what a Parameters that holds it says beside (None: it holds none)."""
    if not isinstance(read, dict) or read.get("resourceType") != "Parameters":
        return read, []
    listed = read.get("parameter")
    parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    resources = [part.get("resource") for part in parts if part.get("name") == "resource"]
    said = [
        (part["name"], str(part[name]))
        for part in parts
        if part.get("name") in ("profile", "mode")
        for name in part
        if name.startswith("value")
    ]
    return (resources[0] if resources else None), said


def verdict(resource: Any, how: Wanted, registry: Registry, held: Held) -> Json:
    """An OperationOutcome: one issue a fault, or one that says there is none."""
    where, faults = root_of(resource), faults_of(resource)
    left, beside = remains(resource, faults, where) if faults else (resource, NONE)
    found: list[Fault | Issue] = [*faults]
    if left:
        found += filter(beside.lets, _misplaced(left, where, how, registry))
        found += filter(beside.lets, dict.fromkeys(_beyond(left, where, how, registry, held)))
    return outcome([*found, *_closing(found)])


def _closing(found: Sequence[Fault | Issue]) -> list[Issue]:
    """The last line of a verdict that blames nothing: it says no more than was looked at."""
    if not found:
        return [NO_FAULT]
    unchecked = all(isinstance(one, Issue) and one.severity == "warning" and one.code in UNCHECKED for one in found)
    return [NOT_ALL] if unchecked else []


def _misplaced(resource: Json, where: str, how: Wanted, registry: Registry) -> Iterator[Issue]:
    if how.type_name and how.type_name != where:
        yield Issue("error", "profile.type", where, OTHER_TYPE)
    if how.mode == UPDATE and resource.get("id") != how.id:
        yield Issue("error", "wrong_url", f"{where}.id", OTHER_ID if "id" in resource else NO_ID)
    if how.mode in (CREATE, UPDATE) and any(where == each.type_name for each in registry.beside):
        yield Issue("error", "not_carried", where, ONLY_READ)


def _beyond(resource: Json, where: str, how: Wanted, registry: Registry, held: Held) -> Iterator[Fault | Issue]:
    judged = judge(registry, held)
    for each, place, leads in _resources(resource, where):
        whole = each is resource and bool(how.profiles)
        profiles = how.profiles if whole else claimed(each)
        for profile in profiles:
            yield from _known_of(each, place, profile, judged, asked=whole)
        for doubt in judged.asks(each, place, profiles, leads):
            yield doubt if isinstance(doubt, Issue) else warning(doubt)
        yield from map(warning, numbers_of(each, place))


def _known_of(resource: Json, where: str, profile: str, judged: Judge, *, asked: bool) -> Iterator[Fault | Issue]:
    """What this server can't say of a profile, and what it knows to be mandatory there without holding its definition.

    The profile is R4's own type: it was held against it already.
    """
    url, _, version = profile.partition("|")
    severity: Severity = "error" if asked else "warning"
    held, versions = judged.definition(profile) is not None, judged.versions(url)
    at = f"{where}.meta.profile{_place(resource, profile)}"
    if url not in judged.known and url != f"{CORE}{resource['resourceType']}":
        yield Issue(severity, "unknown_profile", at, NOT_HELD)
    elif version and version not in versions:
        yield Issue(severity, "unknown_version", at, other_version(versions))
    elif not held and not url.startswith(CORE):
        lacks = lacking(resource, where, profile)
        yield from lacks if asked else map(warning, lacks)
        yield Issue("warning", "partly_checked", at, PARTLY)


def _place(resource: Json, profile: str) -> str:
    """Where the resource claims this profile; nowhere when it is asked for and not claimed."""
    told = resource.get("meta", {}).get("profile", [])
    return f"[{told.index(profile)}]" if profile in told else ""


def _resources(resource: Json, where: str) -> Iterator[tuple[Json, str, Leads]]:
    """It, and what its entries hold, whose references lead to one another."""
    if resource["resourceType"] != "Bundle":
        yield resource, where, nowhere
        return
    entries = entries_of(resource)
    links = Links(entries)
    yield resource, where, partial(_led, links, entries, -1)
    for entry in entries:
        if entry.resource:
            yield entry.resource, f"{entry.where}.resource", partial(_led, links, entries, entry.at)


def _led(links: Links, entries: Sequence[Entry], at: int, target: str) -> Json | None:
    place = links.lead(target, at)
    return None if place is None else whole(entries[place].resource)
