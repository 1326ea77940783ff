"""What official bundles get wrong and we take all the same: a warning each, an error each under `handling=strict`.

The faults: `request.url` naming a profile, references that lead nowhere, a missing birth date or gender and the other
elements TDDUI makes mandatory, identifiers without their form or key, profiles nobody here knows.
Sources: measured on the official examples of TDDUI 2.2.0 to 2.4.0; https://interop.esante.gouv.fr/ig/fhir/tddui
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from app.fhir.canonicals import spoken_in
from app.fhir.checking import MAX_FAULTS
from app.fhir.identifiers import doubt, identifiers, normal
from app.fhir.known_types import R4_TYPES
from app.fhir.outcomes import Issue
from app.fhir.reading import Bundle, Entry, refused
from app.fhir.references import Links, where
from app.kernel.errors import Fault, Invalid

Json = dict[str, Any]
Doubts = Callable[[Entry], Iterable[Fault | Issue]]
Versions = Callable[[str], Collection[str]]  # of a profile, by its canonical, those that the server holds

# By profile, what TDDUI makes mandatory beyond R4: `a.b` goes down, `extension:x` is the extension whose URL ends with
# /x, `input:x` the input of that code, `name=x` the name of that use. Slices told by a discriminator are left out.
MANDATORY = {
    "tddui-patient": "name=official gender birthDate birthDate.extension:tddui-birth-order",
    "tddui-patient-ins": "extension:fr-core-identity-reliability extension:patient-birthPlace name=official gender birthDate",
    "tddui-organization": "identifier",
    "tddui-practitioner": "identifier",
    "tddui-encounter-sejour": "identifier subject serviceProvider",
    "tddui-encounter-evenement": "identifier subject period.start period.end",
    "tddui-careplan-projet-personnalise": "identifier title supportingInfo",
    "tddui-consent-accord": "dateTime performer",
    "tddui-goal-attente": "identifier extension:tddui-careplan-reference note",
    "tddui-goal-objectif": "identifier extension:tddui-careplan-reference note",
    "tddui-goal-projet-vie": "identifier description.text",
    "tddui-service-request-besoin": "identifier code.text basedOn",
    "tddui-service-request-demande-orientation": "identifier",
    "tddui-task-action": "identifier basedOn input:titre",
    "tddui-task-prestation": "identifier basedOn input:titre",
    "tddui-task-moyen-ressource": "identifier input:titre",
    "tddui-task-bilan": "identifier basedOn executionPeriod.start",
    "tddui-task-transport": "identifier",
    "tddui-task-transport-professionnel": "identifier for",
    "tddui-task-transport-usager": "identifier",
    "tddui-questionnaire-response": "identifier questionnaire subject item",
    "tddui-document-reference": "author content.attachment.title",
    "tddui-observation-cause-mortalite": "subject component",
    "tddui-observation-mobilite-usager": "subject",
    "tddui-observation-periode-scolaire": "identifier subject performer",
    "tddui-observation-repas": "identifier category subject extension:tddui-participant-present",
    "tddui-slot-presence-absence": "identifier serviceType",
}
ABSENT = "extension:data-absent-reason"
_PROFILE = re.compile(
    r"https://interop\.esante\.gouv\.fr/ig/fhir/tddui/StructureDefinition/([a-z-]+)(?:\|.*)?"
).fullmatch
_SERVER = re.compile(r"https?://\S+/")
_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*").fullmatch
_QUALIFIER = re.compile(r"[:=][^.]+")

NO_LEAD = "Cette référence ne mène à aucune ressource de l'envoi, ni à aucune que vous ayez envoyée ici."
NO_INSIDE = "Cette référence ne mène à aucune ressource contenue."
NO_SEARCH = "Cette recherche ne désigne aucune ressource que vous ayez envoyée ici."
BY_PROFILE = "L'adresse de la demande nomme un profil : le type de la ressource est pris à sa place."
NO_CREATION = "L'adresse d'une création est le type de la ressource envoyée."
TO_THE_LETTER = "Cet envoi s'écarte des profils, et vous demandez qu'ils soient suivis à la lettre."
OLD_SYSTEM = (
    "Ce système d'identifiants est celui des premières versions de TDDUI (cnsa.fr) : il est lu comme celui d'aujourd'hui "
    "(esante.gouv.fr). Dites ce dernier."
)
UNKNOWN_PROFILE = (
    "Ce profil n'est pas connu de ce serveur : retirez-le de meta.profile, ou demandez que son paquet soit installé."
)
OTHER_VERSION = "Ce serveur connaît ce profil, mais pas dans cette version : il n'a pas été vérifié."
KEPT_ALL_THE_SAME = {
    UNKNOWN_PROFILE: " La ressource est gardée telle quelle.",
    NO_SEARCH: " Elle est gardée telle quelle.",
}


def tolerated(
    bundle: Bundle,
    profiles: Collection[str] | None = None,
    known: Collection[tuple[int, str]] = (),
    *,
    judged: Collection[str] = (),
    versions: Versions = spoken_in,
    also: Doubts | None = None,
    strict: bool = False,
) -> dict[int, tuple[Issue, ...]]:
    """The warnings of each entry, by its place; an entry without any is not in it.

    `profiles` are those the server knows (None: not looked at), `judged` those whose definition it holds, `versions`
    says which of each, `known` the references, by place, that lead to something outside the bundle; `also` says what
    profiles ask more. Raises Unreadable when an address asks for something else than what is sent, and Invalid with
    every doubt as a fault when `strict`.
    """
    wrong = list(misled(bundle))
    if wrong and not strict:
        raise refused(wrong)
    links = Links(bundle.entries)
    told = {
        entry.at: list(
            islice(chain(_of_entry(entry, links, profiles, known, judged, versions), _also(entry, also)), MAX_FAULTS)
        )
        for entry in bundle.entries
    }
    faults = [fault for of_entry in told.values() for one in of_entry if (fault := as_fault(one))]
    if wrong:
        raise refused([*wrong, *(fault for fault in faults if fault.where not in {one.where for one in wrong})])
    if strict and faults:
        raise Invalid(TO_THE_LETTER, faults=faults[:MAX_FAULTS])
    return {at: tuple(map(warning, of_entry)) for at, of_entry in told.items() if of_entry}


def _also(entry: Entry, also: Doubts | None) -> Iterable[Fault | Issue]:
    return also(entry) if also and entry.resource else ()


def doubts_of(
    resource: Json,
    where: str,
    profiles: Collection[str] | None = None,
    judged: Collection[str] = (),
    versions: Versions = spoken_in,
) -> Iterator[Fault | Issue]:
    """What a resource lacks of its profiles, and the identifiers that are not what they say, or say it as TDDUI first did.

    Of a profile whose definition is held (`judged`), that definition says more.
    """
    for at, profile in enumerate(resource.get("meta", {}).get("profile", ())):
        if not isinstance(profile, str):  # null beside an extension that says why
            continue
        canonical, _, version = profile.partition("|")
        unknown = profiles is not None and canonical not in profiles
        if unknown:
            yield Fault(f"{where}.meta.profile[{at}]", "unknown_profile", UNKNOWN_PROFILE)
        elif version and version not in versions(canonical):
            yield Fault(f"{where}.meta.profile[{at}]", "unknown_version", other_version(versions(canonical)))
            continue
        if canonical not in judged:
            yield from lacking(resource, where, profile)
    yield from numbers_of(resource, where)


def other_version(held: Collection[str]) -> str:
    told = (
        f" Il le tient en {', '.join(filter(None, held))} : dites-la, ou ne dites pas de version." if any(held) else ""
    )
    return f"{OTHER_VERSION}{told}"


def numbers_of(resource: Json, where: str) -> Iterator[Fault | Issue]:
    """The identifiers that are not what they say, or say it as TDDUI first did."""
    single = isinstance(resource.get("identifier"), dict)
    for at, identifier in enumerate(identifiers(resource)):
        place = f"{where}.identifier{'' if single else f'[{at}]'}"
        if bad := doubt(identifier):
            yield Fault(f"{place}.value", *bad, f"{normal(identifier['system'])}#value")
        if ".cnsa.fr" in (system := identifier.get("system", "")) and normal(system) != system:
            yield Issue("warning", "old_system", f"{place}.system", OLD_SYSTEM)


def lacking(resource: Json, where: str, profile: str) -> Iterator[Fault]:
    """What it lacks of what this profile makes mandatory, of those of TDDUI."""
    if named := _PROFILE(profile):
        yield from _missing(resource, where, profile.partition("|")[0], MANDATORY.get(named[1], ""))


def warning(doubt: Fault | Issue) -> Issue:
    if isinstance(doubt, Issue):
        return replace(doubt, severity="warning") if doubt.severity == "error" else doubt
    told = f"{doubt.message}{KEPT_ALL_THE_SAME.get(doubt.message, '')}"
    return Issue("warning", doubt.code, doubt.where, told, doubt.rule)


def as_fault(doubt: Fault | Issue) -> Fault | None:
    """None for what its profile itself calls a warning."""
    if isinstance(doubt, Fault):
        return doubt
    found = Fault(doubt.expression, doubt.code, doubt.diagnostics, doubt.rule)
    return found if doubt.severity == "error" else None


def _of_entry(
    entry: Entry,
    links: Links,
    profiles: Collection[str] | None,
    known: Collection[tuple[int, str]],
    judged: Collection[str],
    versions: Versions,
) -> Iterator[Fault | Issue]:
    if entry.method == "POST" and _address(entry) != entry.kind:
        yield Fault(f"{entry.where}.request.url", "wrong_url", BY_PROFILE)
    if not entry.resource:
        return
    place = f"{entry.where}.resource"
    yield from doubts_of(entry.resource, place, profiles, judged, versions)
    for reference in links.unresolved(entry):
        if (entry.at, reference.target) in known:
            continue
        code, sentence = _dangling(reference.target)
        yield Fault(place + where(entry.resource, reference).removeprefix(entry.kind), code, sentence)


def _dangling(target: str) -> tuple[str, str]:
    if target.partition("?")[0] in R4_TYPES:
        return "unresolved", NO_SEARCH
    return "unresolved", NO_INSIDE if target.startswith("#") else NO_LEAD


def misled(bundle: Bundle) -> Iterator[Fault]:
    """A creation at the address of another type, of one resource, of a search: nobody can say what was meant."""
    for entry in bundle.entries:
        asked = _address(entry)
        if entry.method == "POST" and asked != entry.kind and (asked in R4_TYPES or not _A_NAME(asked)):
            yield Fault(f"{entry.where}.request.url", "wrong_url", NO_CREATION)


def _address(entry: Entry) -> str:
    """Where a creation is asked for, without the server's own address that some put before it."""
    return _SERVER.sub("", entry.url.strip("/"))


def _missing(resource: Json, where: str, profile: str, mandatory: str) -> Iterator[Fault]:
    for rule in mandatory.split():
        if not _there(resource, rule.split(".")):
            sort = "".join(_QUALIFIER.findall(rule)).lstrip(":=")
            told = f"Le profil TDDUI rend cet élément obligatoire{f' ({sort})' if sort else ''}."
            yield Fault(f"{where}.{_QUALIFIER.sub('', rule)}", "required", told, f"{profile}#{rule}")


def _there(holder: Json, steps: list[str]) -> bool:
    """Whether a checked resource holds what a rule of MANDATORY asks; a reason for its absence may stand for a value."""
    name, _, sort = steps[0].replace("=", ":").partition(":")
    rest, beside = steps[1:], holder.get(f"_{name}", {})
    if rest and rest[0].startswith("extension:"):
        return _there(beside, rest)
    held = holder.get(name)
    if held is None:
        return bool(beside) and _there(beside, [ABSENT])
    items = held if isinstance(held, list) else [held]
    return any((not sort or _is_of_sort(item, sort)) and (not rest or _there(item, rest)) for item in items)


def _is_of_sort(item: Json, sort: str) -> bool:
    codes = [coding.get("code") for coding in item.get("type", {}).get("coding", ())]
    return sort in (item.get("use"), item.get("url", "").rpartition("/")[2], *codes)
