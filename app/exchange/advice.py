"""What a professional is told before a dossier leaves: what its receiver could refuse of it, and what to do.

An identity is of the category « administrative », which the person agrees to or not as they do to the others: no agreement
about the project alone gives it (docs/fhir.md). Source: CSP L1110-4 III; RNIV; TDDUI, tddui-patient (the birth order).
"""

from collections import Counter
from collections.abc import Sequence

from app.access.permissions import Kind
from app.audit.vocabulary import Ground
from app.exchange.dossier import PERSON, Piece
from app.exchange.sending_schemas import Advice, SendingIn
from app.fhir import tolerance

BIRTH_ORDER = "tddui-birth-order"
NOBODY = (
    "Cet envoi ne dit pas de qui il parle : un destinataire à qui vous n'avez jamais transmis cette personne ne pourra pas "
    "le rattacher, et le refusera. "
)
CHOOSE = "Ajoutez l'identité (usager) aux sortes choisies."
ASK = "Demandez aussi à la personne son accord pour la partie administrative : son identité en fait partie."
SEE = "Son identité reste ici : voyez pourquoi."
NO_ORDER = (
    "Il manque le rang de naissance : un destinataire qui suit les profils à la lettre (strict) refusera l'envoi. Notez-le "
    "dans l'identité (birth_order) ; il n'est plus demandé une fois l'INS qualifiée."
)
LACKING = "{} : il manque {}. Un destinataire qui suit les profils à la lettre (strict) refusera l'envoi."


def of(said: SendingIn, pieces: Sequence[Piece]) -> list[Advice]:
    told = [] if any(piece.type_name == PERSON for piece in pieces) else [Advice("no_person", _nobody(said), 1)]
    return [*told, *_strictly(pieces)] if pieces else []


def _nobody(said: SendingIn) -> str:
    if said.kinds is not None and Kind.USAGER not in said.kinds:
        return NOBODY + CHOOSE
    return NOBODY + (ASK if Ground(said.ground) is Ground.ACCORD else SEE)


def _strictly(pieces: Sequence[Piece]) -> list[Advice]:
    """By the same rules as ours under `handling=strict`: what TDDUI makes mandatory and a row of ours does not know."""
    found = Counter(
        (fault.code, piece.type_name, fault.rule.partition("#")[2] or fault.where)
        for piece in pieces
        for doubt in tolerance.doubts_of(piece.resource, piece.type_name)
        if (fault := tolerance.as_fault(doubt))
    )
    return [Advice(code, _lacking(type_name, rule), many) for (code, type_name, rule), many in sorted(found.items())]


def _lacking(type_name: str, rule: str) -> str:
    return NO_ORDER if BIRTH_ORDER in rule else LACKING.format(type_name, rule)
