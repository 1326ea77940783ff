"""The FHIR routes as the OpenAPI document tells them: they stand outside of what the framework describes by itself."""

from typing import Any

FHIR = "application/fhir+json"
RESOURCE = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
WORDS = {
    "201": "Créé",
    "204": "Supprimé",
    "304": "La version que vous avez déjà",
    "400": "Un paramètre est à corriger",
    "401": "Jeton absent, terminé, ou d'une autre porte",
    "403": "Les droits de ce jeton (scope) n'ouvrent pas ce geste",
    "404": "N'existe pas, ou pas à votre portée",
    "405": "Ce geste n'existe pas sur ce type : voyez /fhir/metadata",
    "406": "Réponses en JSON seulement",
    "409": "L'état du dossier ne le permet pas",
    "410": "Supprimé",
    "412": "Ce n'est plus cette version, ou plusieurs répondent à la condition",
    "413": "Trop grand",
    "415": "Ce format n'est pas lu ici",
    "422": "Lisible, mais à corriger",
    "429": "Trop de demandes à la fois : voyez Retry-After",
    "503": "Le service est très demandé : voyez Retry-After",
}
TYPE = {"name": "type_name", "in": "path", "required": True, "schema": {"type": "string"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}
NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
PATCH = "application/json-patch+json"
WRITES = ("403", "404", "405")
IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
NONE_EXIST = {"name": "If-None-Exist", "in": "header", "schema": {"type": "string"}}
MODIFIED_SINCE = {"name": "If-Modified-Since", "in": "header", "schema": {"type": "string"}}
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
    _asked("_sort", "Jusqu'à trois clés, séparées par une virgule ; - devant celle qui descend : -date,status."),
    _asked("_total", "Le total, compté jusqu'à 10 000.", enum=["none", "estimate", "accurate"]),
)
OF_ALL = (
    *(one for one in SEARCHED if one["name"] in ("_id", "_lastUpdated", "_count", "_sort", "_total")),
    _asked("_type", "Les types cherchés, huit au plus, séparés par une virgule : Task,Goal."),
)
FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}


HISTORY = (
    _asked("_since", "Depuis cet instant : 2026-11-21T14:00:00+01:00."),
    _asked("_at", "Les versions qui étaient celles du jour, ou de l'instant, dit."),
    {"name": "_count", "in": "query", "description": "Par page.", "schema": {"type": "integer"}},
)
SHOWN = (
    _asked("_elements", "Ces éléments seuls, et ceux que FHIR rend obligatoires."),
    _asked("_summary", "Un résumé.", enum=["true", "text", "data", "count", "false"]),
    _asked("_pretty", "true : mis en page.", enum=["true", "false"]),
)


OPEN = "fhirMetadata"


def _route(name: str, summary: str, statuses: tuple[str, ...], *parameters: dict[str, Any], body: Any = None) -> Any:
    content = {FHIR: {"schema": RESOURCE}}
    told = {"400", "406", *statuses} | ({"413", "415"} if body else set())
    told |= set() if name == OPEN else {"401", "429", "503"}
    answers = {s: {"description": WORDS[s], **({} if s == "304" else {"content": content})} for s in told}
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
    "/fhir/metadata": {"get": _route(OPEN, "Ce que ce serveur parle (CapabilityStatement)", ())},
    "/fhir": {
        "post": _route(
            "fhirTransaction",
            "Envoyer un bundle : transaction, tout ou rien ; batch, chacun pour soi",
            ("403", "404", "405", "409", "412", "422"),
            _asked("dry-run", "true : tout est vérifié, rien n'est écrit.", enum=["true", "false"]),
            PREFER,
            IDEMPOTENCY,
            body={FHIR: {"schema": RESOURCE}, "application/fhir+xml": {"schema": {"type": "string"}}},
        )
    },
    "/fhir/{type_name}/_search": {
        "post": _route(
            "fhirSearchByForm",
            "La même recherche, les critères dans le corps",
            ("403", "404", "405"),
            TYPE,
            PREFER,
            body=FORM,
        )
    },
    "/fhir/{type_name}": {
        "get": _route(
            "fhirSearch",
            "Chercher dans un type, le plus récent d'abord",
            ("403", "404", "405"),
            TYPE,
            *SEARCHED,
            *SHOWN,
            PREFER,
        )
    },
    "/fhir/{type_name}/{id}": {
        "get": _route(
            "fhirRead",
            "Lire une ressource",
            ("304", "403", "404", "410"),
            TYPE,
            ID,
            NONE_MATCH,
            MODIFIED_SINCE,
            *SHOWN,
        )
    },
    "/fhir/{type_name}/{id}/_history/{version}": {
        "get": _route(
            "fhirVread",
            "Lire une version d'une ressource",
            ("304", "403", "404", "405", "410"),
            TYPE,
            ID,
            {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}},
            NONE_MATCH,
            MODIFIED_SINCE,
        )
    },
    "/fhir/{type_name}/{id}/_history": {
        "get": _route(
            "fhirHistory",
            "Les versions d'une ressource, la plus récente d'abord",
            ("403", "404", "405"),
            TYPE,
            ID,
            *HISTORY,
        )
    },
    "/fhir/{type_name}/_history": {
        "get": _route(
            "fhirTypeHistory",
            "Ce qui a changé dans un type",
            ("403", "404", "405"),
            TYPE,
            *HISTORY,
        )
    },
    "/fhir/_history": {"get": _route("fhirSystemHistory", "Ce qui a changé, tous types ensemble", ("403",), *HISTORY)},
    "/fhir/Patient/{id}/$everything": {
        "get": _route(
            "fhirEverything",
            "Tout ce que vous avez le droit de lire d'une personne",
            ("403", "404"),
            ID,
            _asked("_since", "Changé depuis cet instant."),
            _asked("_type", "Ces types seuls, séparés par une virgule."),
            {"name": "_count", "in": "query", "description": "Par page.", "schema": {"type": "integer"}},
        )
    },
    "/fhir/Patient/{id}/$tddui-export": {
        "get": _route(
            "fhirExport",
            "Le dossier d'une personne, en un bundle TDDUI (la personne, ses représentants, un partenaire qu'elle autorise)",
            ("403", "404", "413"),
            ID,
            _asked("_type", "Seulement ces types, séparés par une virgule ; la personne y est toujours."),
            _asked("start", "De ce qui s'est passé un jour : à partir de cette date."),
            _asked("end", "De ce qui s'est passé un jour : jusqu'à cette date comprise."),
            _asked("manifest", "true : les comptes et l'empreinte SHA-256 seulement.", enum=["true", "false"]),
        )
    },
}

PATHS["/fhir"]["get"] = _route(
    "fhirSystemSearch",
    "Chercher dans plusieurs types à la fois (_type), par les paramètres qu'ils ont tous",
    ("403",),
    *OF_ALL,
    *SHOWN,
    PREFER,
)
PATHS["/fhir/_search"] = {
    "post": _route(
        "fhirSystemSearchByForm",
        "La même recherche, les critères dans le corps",
        ("403",),
        PREFER,
        body=FORM,
    )
}
PATHS["/fhir/Patient/{id}/*"] = {
    "get": _route(
        "fhirCompartment",
        "Tout ce qui concerne une personne et que vous avez le droit de lire",
        ("403",),
        ID,
        *OF_ALL,
        *SHOWN,
        PREFER,
    )
}
PATHS["/fhir/Patient/{id}/_search"] = {
    "post": _route(
        "fhirCompartmentByForm",
        "La même recherche, les critères dans le corps",
        ("403",),
        ID,
        PREFER,
        body=FORM,
    )
}
PATHS["/fhir/Patient/{id}/{type_name}"] = {
    "get": _route(
        "fhirCompartmentOfType",
        "Ce qui concerne une personne, d'un type",
        ("403", "404"),
        ID,
        TYPE,
        *SEARCHED,
        *SHOWN,
        PREFER,
    )
}
PATHS["/fhir/Patient/{id}/{type_name}/_search"] = {
    "post": _route(
        "fhirCompartmentOfTypeByForm",
        "La même recherche, les critères dans le corps",
        ("403", "404"),
        ID,
        TYPE,
        PREFER,
        body=FORM,
    )
}


def _writing(name: str, summary: str, statuses: tuple[str, ...], *parameters: Any, media: str | None = FHIR) -> Any:
    body = {media: {"schema": RESOURCE if media == FHIR else {"type": "array"}}} if media else None
    refused = (*WRITES, *(("409", "422") if media else ()))  # what is deleted breaks no rule
    told = _route(name, summary, (*refused, *statuses), TYPE, *parameters, PREFER, body=body)
    for status in ("200", *(s for s in statuses if s in ("201", "204"))):
        told["responses"][status] = {"description": WORDS.get(status, "La ressource"), **_content(status)}
    return told


def _content(status: str) -> dict[str, Any]:
    return {} if status == "204" else {"content": {FHIR: {"schema": RESOURCE}}}


PATHS["/fhir/{type_name}"] |= {
    "post": _writing("fhirCreate", "Créer (partenaires)", ("201", "412"), NONE_EXIST, IDEMPOTENCY),
    "put": _writing("fhirConditionalUpdate", "Changer ce qui répond à une condition", ("201", "412"), IF_MATCH),
    "patch": _writing(
        "fhirConditionalPatch", "Changer en partie ce qui répond à une condition", ("412",), IF_MATCH, media=PATCH
    ),
    "delete": _writing(
        "fhirConditionalDelete", "Supprimer ce qui répond à une condition", ("204", "412"), IF_MATCH, media=None
    ),
}
PATHS["/fhir/{type_name}/{id}"] |= {
    "put": _writing("fhirUpdate", "Changer ce que l'on a envoyé (partenaires)", ("201", "412"), ID, IF_MATCH),
    "patch": _writing("fhirPatch", "Le changer en partie : JSON Patch", ("410", "412"), ID, IF_MATCH, media=PATCH),
    "delete": _writing("fhirDelete", "Le supprimer", ("204", "412"), ID, IF_MATCH, media=None),
}

VALIDATED: tuple[str, ...] = ()
JUDGED = (
    _asked("profile", "Le profil à suivre ; sinon, ceux que la ressource nomme."),
    _asked("mode", "Le geste auquel on pense.", enum=["create", "update", "delete", "profile"]),
)
SENT = {FHIR: {"schema": RESOURCE}, "application/fhir+xml": {"schema": {"type": "string"}}}
VALIDATE = "Vérifier une ressource"
PATHS |= {
    "/fhir/$validate": {
        "post": _route(
            "fhirValidate", f"{VALIDATE} : toutes les fautes, rien n'est écrit", VALIDATED, *JUDGED, body=SENT
        )
    },
    "/fhir/{type_name}/$validate": {
        "post": _route("fhirValidateOfType", f"{VALIDATE} de ce type", (*VALIDATED, "404"), TYPE, *JUDGED, body=SENT)
    },
    "/fhir/{type_name}/{id}/$validate": {
        "get": _route(
            "fhirValidateStanding",
            f"{VALIDATE} qui est ici, telle que vous la lisez",
            ("403", "404", "410"),
            TYPE,
            ID,
            *JUDGED,
        ),
        "post": _route(
            "fhirValidateChange",
            f"{VALIDATE} par laquelle on la changerait",
            (*VALIDATED, "403", "404", "410"),
            TYPE,
            ID,
            *JUDGED,
            body=SENT,
        ),
    },
}
for _path, _verbs in PATHS.items():
    for _verb in _verbs.values() if _path == "/fhir" or _path.endswith("$validate") else ():
        for _told in _verb["responses"].values():  # in what it was sent in, or asked for
            _told["content"]["application/fhir+xml"] = {"schema": {"type": "string"}}
