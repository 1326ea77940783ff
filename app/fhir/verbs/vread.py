"""FHIR vread: one version of a resource, by its id and its number.

Source: https://hl7.org/fhir/R4/http.html#vread
"""

from starlette.responses import Response

from app.access.past import Span, versions
from app.access.permissions import Action
from app.access.refusal import OutOfReach, refused
from app.access.several import refuse
from app.audit.vocabulary import Outcome
from app.fhir.questions import by_id
from app.fhir.search.values import uuid_of
from app.fhir.verbs.asking import Asking, told
from app.fhir.verbs.conditions import Conditions, answered
from app.kernel.errors import Gone

NUMBER_LONGEST = 9


async def vread(asking: Asking, id: str, number: str, conditions: Conditions) -> Response:
    """Raises OutOfReach, alike for a version that may not be read, that never was, or of nothing; Gone for a deletion."""
    key, kind = uuid_of(id), asking.maps[0].view.TABLE.KIND
    if key is None or not (number.isascii() and number.isdigit() and len(number) <= NUMBER_LONGEST):
        await refuse(asking.reading, Action.READ, kind)
        raise refused(OutOfReach, Action.READ, kind)
    found = await versions(
        asking.reading,
        tuple(by_id(each) for each in asking.maps),
        Span(one=True),
        1,
        ids=[key],
        when_none=Outcome.REFUSED,
        id=key,
        version=int(number),
        fhir_type=asking.type_name,
    )
    if not found:
        raise refused(OutOfReach, Action.READ, kind, [key])
    [one] = found
    if one.gone:
        raise Gone("Cet élément a été supprimé.")
    return answered(told(asking, asking.maps[one.place], one), one.view, conditions)
