"""What conditions lead to: those of an act (`Type?…`), and those of references. A search like another, one row or none.

Source: https://hl7.org/fhir/R4/http.html#trules
"""

from uuid import UUID

from app.access.arrivals import Arrivals
from app.exchange import identity
from app.fhir.registry import Registry
from app.fhir.shapes import spoken
from app.fhir.verbs import acts
from app.fhir.verbs.asking import asking
from app.fhir.verbs.search_type import matching
from app.fhir.verbs.transaction import Asked
from app.kernel.errors import Fault, Invalid, Stale, Unreadable

SOUGHT_MOST = 20  # distinct conditional references of one request, each a search
SEVERAL = "Plusieurs ressources répondent à cette condition : précisez-la."


async def sought(gate: Arrivals, told: Asked, registry: Registry, origin: str) -> dict[str, UUID]:
    """The rows that conditional references lead to, by reference; `Type?identifier=` is a name, resolved with the others.

    Raises Stale (412) when several answer, Invalid beyond `SOUGHT_MOST`. Source: https://hl7.org/fhir/R4/http.html#trules
    """
    asked: dict[str, str] = {}
    for entry in told.arriving:
        for one, _ in told.leads(entry.at):
            if "?" in one.target and identity.of_search(gate.keyring, one.target) is None:
                asked.setdefault(
                    one.target, spoken(entry.resource, one.path).replace(entry.kind, f"{entry.where}.resource", 1)
                )
    if len(asked) > SOUGHT_MOST:
        message = f"Un envoi porte {SOUGHT_MOST} références conditionnelles au plus, hors identifiants."
        raise Invalid(message, where="Bundle", code="too_many")
    found = {}
    for target, where in asked.items():
        if condition := acts.condition_in(target):
            kind, query = condition
            if row := await match(gate, registry, origin, kind, query, where):
                found[target] = row
    return found


async def match(
    gate: Arrivals, registry: Registry, origin: str, kind: str, query: acts.Query, where: str
) -> UUID | None:
    """The one row within reach that meets a condition, before anything is written: a trial, a refusal, tells who was
    found as much. Raises Stale (412) when there are several.
    """
    asked = await asking(gate.outside(), registry, origin, kind, "s")
    try:
        found = await matching(asked, query, 2)
    except Unreadable as no:
        faults = [Fault(where, fault.code, fault.message) for fault in no.faults]
        raise Unreadable(no.message, faults=faults or [Fault(where, no.told, no.message)]) from None
    if len(found) > 1:
        raise Stale(SEVERAL, where=where, code="several")
    return UUID(str(found[0][1].view.id)) if found else None
