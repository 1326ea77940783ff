"""Every refusal, by door: problem+json (RFC 9457) for REST, OperationOutcome under /fhir, a page for the person.

Never a received value.
"""

from collections.abc import Iterable
from typing import Any

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.fhir import xml
from app.fhir.outcomes import outcome
from app.kernel.answers import FHIR_JSON, FHIR_XML, PROBLEM, told
from app.kernel.db import PASSING
from app.kernel.errors import (
    Bug,
    Busy,
    DuiError,
    Fault,
    Invalid,
    MethodNotAllowed,
    NotFound,
    NotSupported,
    TooLarge,
    Unauthenticated,
    Unreadable,
    UnsupportedMedia,
)
from app.portal import refusals

NOT_LISTED = "Cette valeur n'est pas dans la liste permise"
LIST_SAID = 400  # characters; a longer list is read at /docs
# pydantic's error types → a stable code and a sentence that says how to mend it.
SENTENCES = {
    "missing": ("required", "Ce champ est obligatoire."),
    "extra_forbidden": ("unknown_field", "Ce champ n'existe pas. Vérifiez son nom."),
    "json_invalid": ("unreadable", "Le corps n'est pas du JSON lisible."),
    "uuid_parsing": ("bad_id", "Un identifiant (UUID) est attendu."),
    "uuid_type": ("bad_id", "Un identifiant (UUID) est attendu."),
    "enum": ("unknown_code", NOT_LISTED),
    "literal_error": ("unknown_code", NOT_LISTED),
    "string_too_short": ("too_short", "Ce texte est trop court."),
    "string_too_long": ("too_long", "Ce texte est trop long."),
    "string_type": ("bad_type", "Un texte est attendu."),
    "string_pattern_mismatch": ("bad_text", "Ce texte contient un caractère ou une forme non permis."),
    "timezone_aware": ("no_offset", "Dites le décalage horaire, comme 2026-11-21T14:00:00+01:00."),
    "timezone_naive": ("no_offset", "Dites le décalage horaire, comme 2026-11-21T14:00:00+01:00."),
    "bool_type": ("bad_type", "Vrai ou faux (true, false) est attendu."),
    "bool_parsing": ("bad_type", "Vrai ou faux (true, false) est attendu."),
    "int_parsing": ("bad_type", "Un nombre entier est attendu."),
    "int_type": ("bad_type", "Un nombre entier est attendu."),
    "less_than_equal": ("too_large_number", "Ce nombre est trop grand."),
    "greater_than_equal": ("too_small_number", "Ce nombre est trop petit."),
    "list_type": ("bad_type", "Une liste est attendue."),
    "dict_type": ("bad_type", "Un objet JSON est attendu."),
    "model_attributes_type": ("bad_type", "Un objet JSON est attendu."),
}
VALUE = {
    "finess": "Un numéro FINESS a neuf chiffres, le dernier étant sa clé.",
    "far_date": "Une date entre 1850 et 2200 est attendue.",
    "no_system": "Un code dit son système (system), comme http://unitsofmeasure.org pour une unité.",
    "no_type": "Un contenu (data) dit son format (content_type), comme application/pdf.",
    "nothing": "Cette réponse ne dit rien : donnez une valeur, ou retirez la réponse.",
    "rpps": "Un numéro RPPS a onze chiffres, le dernier étant sa clé.",
}
GET_ONE = "Présentez un jeton valable pour cette porte : demandez-en un, ou un autre, à /oauth/token."
DATES = ("date", "datetime", "time")


def render(request: Request, error: DuiError) -> Response:
    """A refusal of ours."""
    if refusals.is_page(request.url.path):
        return refusals.told(error, request.url.path)
    if request.url.path.startswith("/fhir"):
        error = at_fhir(error)
        return in_its_format(request, outcome(error), error.status, dict(error.headers))
    return told(problem(error, request), PROBLEM, error.status, dict(error.headers))


def at_fhir(error: DuiError) -> DuiError:
    """Nobody signs in at this door: who is unknown there presents another token."""
    return Unauthenticated(GET_ONE, where="Authorization") if isinstance(error, Unauthenticated) else error


def in_its_format(
    request: Request, answer: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """FHIR as this caller reads it: JSON, unless the door settled on XML (`formats.negotiate`)."""
    if getattr(request.state, "xml", False):
        return Response(xml.write(answer), status, headers, FHIR_XML)
    return told(answer, FHIR_JSON, status, headers)


def problem(error: DuiError, request: Request) -> dict[str, Any]:
    return {
        "type": f"/docs/erreurs#{error.told}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.told,
        "request_id": request.state.request_id,
        "errors": [{"where": f.where, "code": f.code, "message": f.message} for f in error.faults],
    }


def render_validation(request: Request, error: RequestValidationError) -> Response:
    """The framework's own refusal, in our words: 400 for what cannot be read or a bad parameter, 422 for the body."""
    found = error.errors()
    faults = [fault(e) for e in found]
    if any(tuple(e["loc"]) == ("body",) and e["type"] != "missing" for e in found) and not _is_json(request):
        return render(request, UnsupportedMedia("Envoyez du JSON : Content-Type: application/json."))
    if any(e["type"] == "json_invalid" for e in found):
        return render(request, Unreadable("Le corps n'est pas du JSON lisible.", faults=faults))
    if any(e["loc"] and e["loc"][0] == "path" for e in found):
        return render(request, NotFound("Cet élément n'existe pas, ou n'est pas à votre portée."))
    if any(e["loc"] and e["loc"][0] in ("query", "header", "cookie") for e in found):
        return render(request, Unreadable("Un paramètre est à corriger.", faults=faults))
    return render(request, Invalid("Certains champs sont à corriger.", faults=faults))


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def fault(e: dict[str, Any]) -> Fault:
    """What pydantic found, in our words."""
    code, sentence = SENTENCES.get(e["type"], ("invalid", "Cette valeur n'est pas permise ici."))
    if e["type"].startswith(DATES) and e["type"] not in SENTENCES:
        code, sentence = "bad_date", "Une date réelle est attendue, comme 2026-11-21 ou 2026-11-21T14:00:00+01:00."
    if sentence == NOT_LISTED:
        listed = (
            str(e.get("ctx", {}).get("expected", "")).replace("' or '", "', '").replace("'", "")
        )  # ours, not theirs
        sentence += f" : {listed}." if 0 < len(listed) <= LIST_SAID else ". Voyez /docs."
    if e["type"] == "value_error":  # a check of ours says its own name, never the value
        name = str(e.get("ctx", {}).get("error", ""))
        code, sentence = (name, VALUE[name]) if name in VALUE else (code, sentence)
    return Fault(_where(e["loc"], e["type"]), code, sentence)


def _where(loc: Iterable[Any], kind: str) -> str:
    place, *path = [*loc] or ["body"]
    if kind in ("json_invalid", "extra_forbidden"):
        path = path[:-1] if kind == "extra_forbidden" else []  # an unknown key is itself a received value
    if place == "body":
        return "/" + "/".join(str(p) for p in path)
    return str(path[0]) if path else str(place)


def render_http(request: Request, error: HTTPException) -> Response:
    """What the router itself refuses: no such route, no such method, body unread."""
    cut = hasattr(error.__cause__, "cap")  # the framework was reading when the body passed its cap (app.api.middleware)
    match 413 if cut else error.status_code:
        case 404:
            own: DuiError = NotFound("Cette adresse n'existe pas.")
        case 405:
            own = MethodNotAllowed("Ce geste n'existe pas à cette adresse.")
        case 413:
            own = TooLarge("Le corps envoyé est trop grand.")
        case 415:
            own = UnsupportedMedia("Ce format n'est pas lu ici.")
        case 400:
            own = Unreadable("La demande n'est pas lisible.")
        case _:
            own = NotSupported("Cette demande n'est pas prise en charge.")
    answer = render(request, own)
    if error.headers and "allow" in {k.lower() for k in error.headers}:
        answer.headers["Allow"] = next(v for k, v in error.headers.items() if k.lower() == "allow")
    return answer


def render_database(request: Request, error: Exception) -> Response:
    """No connection is free, the disk is full, Postgres is away: say so, and when to come back. Another fault is ours."""
    if isinstance(refusal := refusal_of(error), Bug):
        raise error
    return render(request, refusal)


def refusal_of(error: Exception) -> DuiError:
    """What an error is told as, whose ever it is."""
    if isinstance(error, DuiError):
        return error
    if isinstance(error, PASSING) and not (isinstance(error, DBAPIError) and not _passing(error)):
        return Busy("Le service est très demandé. Réessayez dans quelques secondes.")
    return Bug("Une erreur de notre fait. Donnez le numéro de la demande (request_id) à qui vous aide.")


def _passing(error: DBAPIError) -> bool:
    """No disk, memory or connection left (53), told to stop or not up yet (57P), cut (08).

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state.startswith(("53", "57P", "08"))


def render_bug(request: Request, error: Exception) -> Response:
    """A fault of ours: neutral words, and its number to find it in the log."""
    return render(request, refusal_of(error))
