"""The StructureDefinitions of our own: our profiles and our extensions, checked here and written to fhir_profiles/."""

from typing import Any

from app.api.own_words import EXTENSIONS, ExtensionWord
from app.features.access_log.fhir import ACT, GROUND
from app.features.access_log.fhir import PROFILE as TRAIL
from app.features.consents.fhir import CATEGORY, IF_NO, IF_YES, QUESTION, SHOWN
from app.features.consents.fhir import PROFILE as SHARING
from app.features.emergency.fhir import PROFILE as SHEET
from app.features.transmissions.fhir import KIND, OWN_PROFILE, PROFILE, TARGET
from app.fhir import capability
from app.fhir.canonicals import CORE, extension

Json = dict[str, Any]
ONE_TEXT = "content.where(attachment.contentType.startsWith('text/plain') and attachment.data.exists()).count() = 1"


def definitions() -> dict[str, Json]:
    """By canonical."""
    profiles = [_transmission(), _sharing_consent(), _emergency_sheet(), _trail_event()]
    told = [*profiles, *(_extension(name, word) for name, word in EXTENSIONS.items())]
    return {each["url"]: each for each in told}


def operations() -> list[Json]:
    """The operations of our own, as OperationDefinitions."""
    words = (
        "Le dossier d'une personne en un bundle transaction TDDUI 2.4.0 : ce que la personne, qui la représente, ou un "
        "partenaire qu'elle autorise a le droit d'en prendre. Ce qu'un partenaire prend est noté, et dit à la personne."
    )
    takes = [
        _parameter("_type", "string", "Seulement ces types, séparés par une virgule ; la personne y est toujours."),
        _parameter("start", "date", "De ce qui s'est passé un jour : à partir de cette date."),
        _parameter("end", "date", "De ce qui s'est passé un jour : jusqu'à cette date comprise."),
        _parameter(
            "manifest", "boolean", "true : un Parameters des comptes et de l'empreinte SHA-256 du bundle seulement."
        ),
    ]
    gives = {"name": "return", "use": "out", "min": 1, "max": "1", "type": "Resource"}
    answer = {**gives, "documentation": "Le Bundle ; ou le Parameters du manifeste."}
    export = head(
        "OperationDefinition", capability.EXPORT.definition, "tddui-export", "Prendre un dossier en TDDUI", words
    )
    about = {"kind": "operation", "affectsState": True, "code": "tddui-export", "resource": ["Patient"]}
    return [export | about | {"system": False, "type": False, "instance": True, "parameter": [*takes, answer]}]


def _parameter(name: str, kind: str, words: str) -> Json:
    return {"name": name, "use": "in", "min": 0, "max": "1", "documentation": words, "type": kind}


def head(kind: str, url: str, name: str, title: str, description: str) -> Json:
    return {
        "resourceType": kind,
        "id": name,
        "url": url,
        "version": capability.VERSION,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "title": title,
        "status": "active",
        "date": capability.SINCE,
        "description": description,
    }


def _extension(name: str, word: ExtensionWord) -> Json:
    elements: list[Json] = [
        {"id": "Extension", "path": "Extension", "short": word.title, "definition": word.description}
    ]
    for part, kind in word.parts:
        inside = f"Extension.extension:{part}"
        elements += [
            {"id": inside, "path": "Extension.extension", "sliceName": part, "min": 0, "max": "1"},
            {"id": f"{inside}.url", "path": "Extension.extension.url", "fixedUri": part},
            {"id": f"{inside}.value[x]", "path": "Extension.extension.value[x]", "type": [{"code": kind}]},
        ]
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": extension(name)})
    value: Json = {"id": "Extension.value[x]", "path": "Extension.value[x]"}
    elements.append(value | ({"max": "0"} if word.parts else {"min": 1, "type": [{"code": word.type}]}))
    base = f"{CORE}Extension"
    return (
        head("StructureDefinition", extension(name), name, word.title, word.description)
        | _derived("complex-type", "Extension", base)
        | {"context": [{"type": "element", "expression": at} for at in word.context]}
        | {"differential": {"element": elements}}
    )


def _derived(kind: str, of: str, base: str) -> Json:
    return {
        "fhirVersion": capability.FHIR_VERSION,
        "kind": kind,
        "abstract": False,
        "type": of,
        "baseDefinition": base,
        "derivation": "constraint",
    }


def _transmission() -> Json:
    """What of the cahier de liaison is an entry of ours: exactly one text, about one person."""
    at = "DocumentReference"
    elements: list[Json] = [
        {
            "id": at,
            "path": at,
            "constraint": [_rule("dui-one-text", "Une transmission tient en exactement un texte.", ONE_TEXT)],
        },
        {
            "id": f"{at}.extension:target",
            "path": f"{at}.extension",
            "sliceName": "target",
            "min": 0,
            "max": "1",
            "type": [{"code": "Extension", "profile": [TARGET]}],
        },
        {"id": f"{at}.type", "path": f"{at}.type", "short": f"Une nature de {KIND}, ou un texte seul"},
        {"id": f"{at}.relatesTo", "path": f"{at}.relatesTo", "short": "appends : la première entrée du fil"},
    ]
    title, words = "Transmission", "Une entrée datée d'un auteur, pour ceux qui viennent ensuite : exactement un texte."
    return (
        head("StructureDefinition", OWN_PROFILE, "transmission", title, words)
        | _derived("resource", at, PROFILE)
        | {"differential": {"element": elements}}
    )


def _sharing_consent() -> Json:
    """A question of sharing and where its answer stands, as it goes out."""
    at = "Consent"
    told = {"question": QUESTION, "ifYes": IF_YES, "ifNo": IF_NO, "shown": SHOWN}
    elements: list[Json] = [
        {"id": at, "path": at},
        *(
            {
                "id": f"{at}.extension:{name}",
                "path": f"{at}.extension",
                "sliceName": name,
                "min": 0 if name == "shown" else 1,
                "max": "1",
                "type": [{"code": "Extension", "profile": [url]}],
            }
            for name, url in told.items()
        ),
        {"id": f"{at}.patient", "path": f"{at}.patient", "min": 1},
        {"id": f"{at}.dateTime", "path": f"{at}.dateTime", "short": "Quand la personne a répondu ; absent avant"},
        {"id": f"{at}.organization", "path": f"{at}.organization", "min": 1},
        {"id": f"{at}.provision", "path": f"{at}.provision", "min": 1},
        {"id": f"{at}.provision.type", "path": f"{at}.provision.type", "min": 1, "short": "permit : un oui qui vaut"},
        {"id": f"{at}.provision.class", "path": f"{at}.provision.class", "short": f"De {CATEGORY}"},
    ]
    title, words = "Accord de partage", "Une question posée à la personne, ce qu'un oui ouvre, et où en est sa réponse."
    return (
        head("StructureDefinition", SHARING, "sharing-consent", title, words)
        | _derived("resource", at, f"{CORE}{at}")
        | {"differential": {"element": elements}}
    )


def _emergency_sheet() -> Json:
    """The emergency sheet as it goes out: one text, to be read at once."""
    at = "DocumentReference"
    elements: list[Json] = [
        {"id": at, "path": at},
        {
            "id": f"{at}.content",
            "path": f"{at}.content",
            "min": 1,
            "max": "1",
            "short": "Un texte, une ligne par champ",
        },
        {"id": f"{at}.content.attachment.data", "path": f"{at}.content.attachment.data", "min": 1},
    ]
    words = "Ce que doit savoir qui est de garde : allergies, traitement, risques, qui appeler ; chaque ligne datée."
    return (
        head("StructureDefinition", SHEET, "emergency-sheet", "Fiche d'urgence", words)
        | _derived("resource", at, f"{CORE}{at}")
        | {"differential": {"element": elements}}
    )


def _trail_event() -> Json:
    """One line of the trail as the DPO reads it, in the shape of IHE's Basic Audit Log Patterns."""
    at = "AuditEvent"
    elements: list[Json] = [
        {"id": at, "path": at},
        {"id": f"{at}.type", "path": f"{at}.type", "short": f"rest, 110114, 110106, ou {ACT}"},
        {"id": f"{at}.subtype", "path": f"{at}.subtype", "min": 1, "max": "1"},
        {"id": f"{at}.action", "path": f"{at}.action", "min": 1},
        {"id": f"{at}.outcome", "path": f"{at}.outcome", "min": 1, "short": "0 : fait ; 4 : refusé"},
        {"id": f"{at}.outcomeDesc", "path": f"{at}.outcomeDesc", "min": 1, "short": "success, empty, refused"},
        {"id": f"{at}.purposeOfEvent", "path": f"{at}.purposeOfEvent", "max": "1", "short": f"De {GROUND}"},
        {"id": f"{at}.agent", "path": f"{at}.agent", "max": "1"},
        {"id": f"{at}.agent.who", "path": f"{at}.agent.who", "min": 1},
        {"id": f"{at}.source.site", "path": f"{at}.source.site", "min": 1, "short": "La porte : api, me, fhir, page"},
        {"id": f"{at}.entity", "path": f"{at}.entity", "min": 2, "short": "La personne, les lignes lues, la demande"},
        {"id": f"{at}.entity.query", "path": f"{at}.entity.query", "max": "0"},
        {"id": f"{at}.entity.detail", "path": f"{at}.entity.detail", "max": "0"},
    ]
    title, words = (
        "Une ligne de la trace",
        "Qui a lu, écrit ou demandé quoi, de qui, quand, par quelle porte. Jamais un contenu.",
    )
    return (
        head("StructureDefinition", TRAIL, "trail-event", title, words)
        | _derived("resource", at, f"{CORE}{at}")
        | {"differential": {"element": elements}}
    )


def _rule(key: str, human: str, expression: str) -> Json:
    return {"key": key, "severity": "error", "human": human, "expression": expression}
