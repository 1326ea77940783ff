"""Emergency sheet → FHIR DocumentReference: a text to be read at once, one line a field. It goes out only.

No profile of TDDUI carries it; a hospital that models none of our fields reads its text all the same.
Source: https://hl7.org/fhir/R4/documentreference.html
"""

from base64 import b64encode
from datetime import date
from typing import Any, cast

import msgspec
from sqlalchemy import Text, literal_column

from app.access.protection import ANYWHERE_PROTECTED
from app.features.emergency.models import FIELDS, EmergencySheet
from app.fhir.canonicals import OURS
from app.fhir.mapping import RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, When, constant
from app.fhir.types import (
    Attachment,
    CodeableConcept,
    DocumentContent,
    DocumentReference,
    Reference,
    moment,
)

PROFILE = f"{OURS}/StructureDefinition/emergency-sheet"
TEXT = "text/plain; charset=utf-8"
TITLE, QUOTE = "Fiche d'urgence", "'"
WORDS = {
    "allergies": "Allergies",
    "conditions": "À savoir",
    "treatment": "Traitement en cours",
    "treatment_signatory": "Signé par",
    "texture": "Texture des repas",
    "risks": "Risques",
    "soothes": "Ce qui calme",
    "communication": "Pour se parler",
    "mobility": "Se déplacer",
    "equipment": "Appareils",
    "advance_directives": "Directives anticipées",
    "trusted_person": "Personne de confiance",
    "call_in_order": "Qui appeler, dans l'ordre",
    "measure": "Mesure de protection",
    "physician": "Médecin traitant",
}
AROUND = ("trusted_person", "call_in_order", "measure", "physician")  # each may lead to someone

_told: list[Any] = [(name, str | None) for name in FIELDS]
_told += [(f"{name}_on", date | None) for name in FIELDS] + [("protected", bool, True)]  # true where nobody could tell
SheetFhir = cast(
    type[RecordView],
    msgspec.defstruct(
        "SheetFhir",
        _told,
        bases=(RecordView,),
        frozen=True,
        namespace={"TABLE": EmergencySheet, "COMPUTED": {"protected": ANYWHERE_PROTECTED}},
    ),
)


def to_fhir(sheet: Any) -> DocumentReference:
    text = Attachment(contentType=TEXT, data=b64encode(_text(sheet).encode()).decode() or None, title=TITLE)
    return DocumentReference(
        id=sheet.id,
        meta=meta(sheet, PROFILE),
        status="current",
        type=CodeableConcept(text=TITLE),
        subject=Reference(f"Patient/{sheet.usager_id}"),
        date=moment(sheet.updated_at),
        content=(DocumentContent(attachment=text),),
    )


def _text(sheet: Any) -> str:
    """Each field with the day it was said: it may be old."""
    said = ((WORDS[name], getattr(sheet, name), getattr(sheet, f"{name}_on")) for name in FIELDS)
    return "\n".join(f"{words} : {value} ({day:%d/%m/%Y})" for words, value, day in said if value)


def masked(sheet: Any) -> Any:
    return msgspec.structs.replace(sheet, **dict.fromkeys(AROUND)) if sheet.protected else sheet


SHEET = ResourceMap(
    profile=PROFILE,
    type_name="DocumentReference",
    view=SheetFhir,
    to_fhir=to_fhir,
    by_type=False,
    search={
        "date": When(EmergencySheet.updated_at),
        "status": constant("current", of="DocumentReference.status"),
        "type": Coded(literal_column("NULL", Text()), literal_column(f"'{TITLE.replace(QUOTE, QUOTE * 2)}'", Text())),
    },
    masked=masked,
    hides=lambda sheet: sheet.protected,  # type: ignore[attr-defined]
    travels=False,  # said by hand, to whom needs it tonight
)
