"""JSON or XML at the door of bundles: what one was sent in, and what its answer is told in. Elsewhere, JSON only.

Source: https://hl7.org/fhir/R4/http.html#mime-type
"""

from functools import lru_cache

from starlette.requests import Request

from app.api.fhir import JSON_ASKED, R4
from app.kernel.errors import NotAcceptable, UnsupportedMedia

JSON_SENT = frozenset({"application/fhir+json", "application/json"})
XML_SENT = frozenset({"application/fhir+xml", "application/xml", "text/xml"})
XML_ASKED = XML_SENT | {"xml"}
EITHER = frozenset({"*/*", "application/*"})


def sent_xml(request: Request) -> bool:
    """Raises UnsupportedMedia."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in JSON_SENT | XML_SENT:
        raise UnsupportedMedia(
            "Envoyez du JSON (Content-Type: application/fhir+json) ou du XML (application/fhir+xml).",
            where="Content-Type",
        )
    return kind in XML_SENT


def negotiate(request: Request) -> None:
    """What is asked, else what was sent, is what refusals too are told in. Raises NotAcceptable."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower() in XML_SENT
    named = request.query_params.get("_format")
    asked = asks_xml(named or request.headers.get("accept", ""), sent)
    if asked is None:
        where = "_format" if named else "Accept"
        raise NotAcceptable("Ce serveur répond ici en application/fhir+json ou application/fhir+xml.", where=where)
    request.state.xml = asked


@lru_cache(maxsize=500)
def asks_xml(accept: str, sent: bool) -> bool | None:
    """The best weighed of what is listed, the first of equals; None when we speak none of it."""
    best, answer = 0.0, None
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        kind, *parameters = (piece.strip().lower() for piece in part.replace(" xml", "+xml").split(";"))
        told = dict(p.partition("=")[::2] for p in parameters)
        weight = _weight(told.get("q", "1"))
        spoken = kind in XML_ASKED or kind in JSON_ASKED
        if spoken and weight > best and told.get("fhirversion", "").strip('"') in R4:
            best, answer = weight, sent if kind in EITHER else kind in XML_ASKED
    return answer


def _weight(said: str) -> float:
    try:
        return float(said)
    except ValueError:
        return 0.0
