"""The rules of R4's envelopes, of what is contained, and of Parameters.

Sources: https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Callable, Iterator

from app.fhir.rules.table import Json, Rule, below, chosen, has

ASKS, ANSWERS = ("batch", "transaction", "history"), ("batch-response", "transaction-response", "history")
REQUESTS = "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or %resource.type = 'history'))"
RESPONSES = (
    "entry.all(response.exists() = (%resource.type = 'batch-response' or %resource.type = 'transaction-response' or "
    "%resource.type = 'history'))"
)


def _told(name: str, kinds: tuple[str, ...], *, wanted: bool) -> Callable[[Json], Iterator[str]]:
    """The entries that lack `name` in a bundle of these kinds (`wanted`), or have it in one of another kind."""

    def places(value: Json) -> Iterator[str]:
        if (value.get("type") in kinds) is wanted:
            for at, entry in enumerate(value.get("entry", ())):
                if isinstance(entry, dict) and has(entry, name) is not wanted:
                    yield f"entry[{at}].{name}"

    return places


def _again(value: Json) -> Iterator[str]:
    seen = set()
    for at, entry in enumerate(value.get("entry", ()) if value.get("type") != "history" else ()):
        if isinstance(entry, dict) and isinstance(url := entry.get("fullUrl"), str):
            version = entry.get("resource", {}).get("meta", {}).get("versionId", "")
            if (url, version) in seen:
                yield f"entry[{at}].fullUrl"
            seen.add((url, version))


def _found(value: Json) -> Iterator[str]:
    if value.get("type") != "searchset":
        for at, entry in enumerate(value.get("entry", ())):
            if isinstance(entry, dict) and has(entry, "search"):
                yield f"entry[{at}].search"


def _begins(value: Json, kind: str, first: str) -> bool:
    if value.get("type") != kind:
        return True
    entries = value.get("entry") or [{}]
    return bool(entries[0].get("resource", {}).get("resourceType") == first)


def _named(value: Json) -> bool:
    return has(value.get("identifier", {}), "system") and has(value.get("identifier", {}), "value")


def _inside(value: Json) -> list[tuple[int, Json]]:
    return [(at, item) for at, item in enumerate(value.get("contained", ())) if isinstance(item, dict)]


def _nested(value: Json) -> Iterator[str]:
    return (f"contained[{at}]" for at, item in _inside(value) if "contained" in item)


def _versioned(value: Json) -> Iterator[str]:
    return (
        f"contained[{at}].meta" for at, item in _inside(value) if has(item.get("meta", {}), "versionId", "lastUpdated")
    )


def _secured(value: Json) -> Iterator[str]:
    return (f"contained[{at}].meta.security" for at, item in _inside(value) if has(item.get("meta", {}), "security"))


def _unled(value: Json) -> Iterator[str]:
    """What is contained and nothing leads to, nor leads to the whole (`#`)."""
    inside = _inside(value)
    if not inside:
        return
    led = {said for each in below(value) for said in _texts(each) if said.startswith("#")}
    for at, item in inside:
        if f"#{item.get('id', '')}" not in led and not any("#" in _texts(each) for each in below(item)):
            yield f"contained[{at}]"


def _texts(value: Json) -> Iterator[str]:
    for said in value.values():
        if isinstance(said, str):
            yield said
        elif isinstance(said, list):
            yield from (each for each in said if isinstance(each, str))


def _parameter(value: Json) -> bool:
    valued, resource = chosen(value, "value"), "resource" in value
    return not (valued or resource) if has(value, "part") else valued != resource


CONTAINED = (
    Rule(
        "dom-2", "DomainResource", "contained.contained.empty()",
        "Une ressource contenue n'en contient pas d'autre.", places=_nested, code="bad_value",
        needs="contained",
    ),
    Rule(
        "dom-3", "DomainResource",
        "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | "
        "%resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = "
        "'#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = "
        "'#').exists()).not()).trace('unmatched', id).empty()",
        "Rien ne mène à cette ressource contenue : nommez-la par une référence (#…), ou retirez-la.", places=_unled,
        needs="contained",
    ),
    Rule(
        "dom-4", "DomainResource", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()",
        "Une ressource contenue ne dit ni version ni date de mise à jour.", places=_versioned,
        needs="contained",
    ),
    Rule(
        "dom-5", "DomainResource", "contained.meta.security.empty()",
        "Une ressource contenue ne porte pas d'étiquette de sécurité.", places=_secured,
        needs="contained",
    ),
)  # fmt: skip

BUNDLES = (
    Rule(
        "bdl-1", "Bundle", "total.empty() or (type = 'searchset') or (type = 'history')",
        "Un total ne se dit que d'une recherche (searchset) ou d'un historique (history).",
        lambda v: not has(v, "total") or v.get("type") in ("searchset", "history"), at="total",
    ),
    Rule(
        "bdl-2", "Bundle", "entry.search.empty() or (type = 'searchset')",
        "search ne se dit que dans la réponse d'une recherche (searchset).", places=_found,
    ),
    Rule(
        "bdl-3", "Bundle", REQUESTS, "Chaque élément d'un batch, d'une transaction ou d'un historique dit sa demande (request).",
        places=_told("request", ASKS, wanted=True), code="required",
    ),
    Rule(
        "bdl-3", "Bundle", REQUESTS,
        "Une demande (request) ne se dit que d'un batch, d'une transaction ou d'un historique : changez le type du "
        "Bundle, ou retirez-la.",
        places=_told("request", ASKS, wanted=False),
    ),
    Rule(
        "bdl-4", "Bundle", RESPONSES, "Chaque élément d'une réponse ou d'un historique dit ce qu'il en fut (response).",
        places=_told("response", ANSWERS, wanted=True), code="required",
    ),
    Rule(
        "bdl-4", "Bundle", RESPONSES,
        "Ce qu'il en fut (response) ne se dit que d'une réponse ou d'un historique : retirez-le.",
        places=_told("response", ANSWERS, wanted=False),
    ),
    Rule(
        "bdl-5", "Bundle.entry", "resource.exists() or request.exists() or response.exists()",
        "Cet élément est vide : il porte une ressource, une demande ou une réponse.",
        lambda v: has(v, "resource", "request", "response"),
    ),
    Rule(
        "bdl-7", "Bundle",
        "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()",
        "Un autre élément de l'envoi porte déjà cette adresse (fullUrl).", places=_again, code="duplicate_url",
    ),
    Rule(
        "bdl-8", "Bundle.entry", "fullUrl.contains('/_history/').not()", "Cette adresse ne nomme pas de version.",
        lambda v: "/_history/" not in v.get("fullUrl", ""), at="fullUrl", code="bad_reference",
    ),
    Rule(
        "bdl-9", "Bundle", "type = 'document' implies (identifier.system.exists() and identifier.value.exists())",
        "Un document a un identifiant (identifier), avec son système.",
        lambda v: v.get("type") != "document" or _named(v), at="identifier",
    ),
    Rule(
        "bdl-10", "Bundle", "type = 'document' implies (timestamp.hasValue())",
        "Un document dit quand il a été fait (timestamp).",
        lambda v: v.get("type") != "document" or "timestamp" in v, at="timestamp",
    ),
    Rule(
        "bdl-11", "Bundle", "type = 'document' implies entry.first().resource.is(Composition)",
        "Un document commence par sa Composition.", lambda v: _begins(v, "document", "Composition"), at="entry",
    ),
    Rule(
        "bdl-12", "Bundle", "type = 'message' implies entry.first().resource.is(MessageHeader)",
        "Un message commence par son MessageHeader.", lambda v: _begins(v, "message", "MessageHeader"), at="entry",
    ),
    Rule(
        "inv-1", "Parameters.parameter",
        "(part.exists() and value.empty() and resource.empty()) or (part.empty() and (value.exists() xor "
        "resource.exists()))",
        "Un paramètre porte une valeur, une ressource ou d'autres paramètres : l'un des trois.", _parameter,
    ),
)  # fmt: skip
