"""The FHIR routes as the OpenAPI document tells them: they stand outside of what the framework describes by itself."""

from typing import Any

FHIR = "application/fhir+json"
RESOURCE = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
WORDS = {
    "304": "La version que vous avez déjà",
    "400": "Un paramètre est à corriger",
    "401": "Jeton absent, terminé, ou d'une autre porte",
    "403": "Les droits de ce jeton (scope) n'ouvrent pas ce geste",
    "404": "N'existe pas, ou pas à votre portée",
    "405": "Ce geste n'existe pas sur ce type : voyez /fhir/metadata",
    "406": "Réponses en JSON seulement",
    "409": "L'état du dossier ne le permet pas",
    "410": "Supprimé",
    "413": "Trop grand",
    "415": "Ce format n'est pas lu ici",
    "422": "Lisible, mais à corriger",
    "429": "Trop de demandes à la fois : voyez Retry-After",
}
TYPE = {"name": "type_name", "in": "path", "required": True, "schema": {"type": "string"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}
NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
IDEMPOTENCY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}}
PREFER = {"name": "Prefer", "in": "header", "schema": {"type": "string", "examples": ["handling=lenient"]}}


def _asked(name: str, words: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words, "schema": {"type": "string", **schema}}


SEARCHED = (
    _asked("_id", "Identifiants, séparés par une virgule."),
    _asked("_lastUpdated", "Date de dernière écriture : ge2026-05, lt2026-06-01."),
    _asked("patient", "La personne : Patient/ suivi de son identifiant."),
    _asked("date", "Quand cela s'est passé, sur les types qui le disent."),
    _asked("identifier", "système|valeur, sur les types qui en ont."),
    _asked("status", "Un ou plusieurs codes, sur les types qui en ont."),
    {"name": "_count", "in": "query", "description": "Par page ; 0 : le total seul.", "schema": {"type": "integer"}},
)


def _route(name: str, summary: str, statuses: tuple[str, ...], *parameters: dict[str, Any], body: Any = None) -> Any:
    content = {FHIR: {"schema": RESOURCE}}
    answers = {s: {"description": WORDS[s], **({} if s == "304" else {"content": content})} for s in statuses}
    answers["200"] = {"description": "La ressource", "content": content}
    return {
        "tags": ["fhir"],
        "summary": summary,
        "operationId": name,
        "parameters": [*parameters],
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": dict(sorted(answers.items())),
    }


PATHS: dict[str, Any] = {
    "/fhir/metadata": {"get": _route("fhirMetadata", "Ce que ce serveur parle (CapabilityStatement)", ("406",))},
    "/fhir": {
        "post": _route(
            "fhirTransaction",
            "Envoyer un bundle : tout ou rien (partenaires)",
            ("400", "401", "403", "406", "409", "413", "415", "422", "429"),
            _asked("dry-run", "true : tout est vérifié, rien n'est écrit.", enum=["true", "false"]),
            PREFER,
            IDEMPOTENCY,
            body={FHIR: {"schema": RESOURCE}},
        )
    },
    "/fhir/{type_name}/_search": {
        "post": _route(
            "fhirSearchByForm",
            "La même recherche, les critères dans le corps",
            ("400", "401", "403", "404", "405", "406", "415", "429"),
            TYPE,
            PREFER,
            body={"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
        )
    },
    "/fhir/{type_name}": {
        "get": _route(
            "fhirSearch",
            "Chercher dans un type, le plus récent d'abord",
            ("400", "401", "403", "404", "405", "406", "429"),
            TYPE,
            *SEARCHED,
            PREFER,
        )
    },
    "/fhir/{type_name}/{id}": {
        "get": _route(
            "fhirRead",
            "Lire une ressource",
            ("304", "400", "401", "403", "404", "406", "410", "429"),
            TYPE,
            ID,
            NONE_MATCH,
        )
    },
}
