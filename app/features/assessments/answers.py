"""The answers of an assessment, as its row holds them: questions by their linkId, of any depth.

`[{"link_id", "text", "comment", "answers": [{"type", "value", "items"}], "items"}]`, what is empty left out. One shape for
REST, for the base and for comparing two assessments; `to_fhir` and `from_fhir` say the same in FHIR's words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from app.fhir.mapping import Inbound
from app.fhir.tddui import profile
from app.fhir.types import Attachment, Coding, Element, Extension, Quantity, Reference, said
from app.fhir.types.forms import ResponseAnswer, ResponseItem

Item = dict[str, Any]
COMMENT = profile("comment")
VALUES = {
    "boolean": "valueBoolean",
    "decimal": "valueDecimal",
    "integer": "valueInteger",
    "date": "valueDate",
    "datetime": "valueDateTime",
    "time": "valueTime",
    "text": "valueString",
    "url": "valueUri",
    "attachment": "valueAttachment",
    "choice": "valueCoding",
    "quantity": "valueQuantity",
    "reference": "valueReference",
}
PARTS: dict[str, tuple[type[Element], Mapping[str, str]]] = {  # our word: FHIR's, of what is made of parts
    "choice": (Coding, {name: name for name in ("system", "version", "code", "display")}),
    "quantity": (Quantity, {name: name for name in ("value", "comparator", "unit", "system", "code")}),
    "reference": (Reference, {name: name for name in ("reference", "display")}),
    "attachment": (
        Attachment,
        {
            "content_type": "contentType",
            **{name: name for name in ("language", "data", "url", "size", "hash", "title", "creation")},
        },
    ),
}
COUNTED = frozenset({"boolean", "decimal", "integer", "date", "datetime", "time", "quantity"})
CODED = ("system", "version", "code")  # of a choice: its display is written by who chose
HERE = (
    "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Encounter", "DocumentReference",
    "QuestionnaireResponse",
)  # fmt: skip


def read(items: str) -> list[Item]:
    found: list[Item] = orjson.loads(items)
    return found


def written(items: Sequence[Item]) -> str:
    return orjson.dumps(items).decode()


def to_fhir(items: Iterable[Item]) -> tuple[ResponseItem, ...]:
    return tuple(
        ResponseItem(
            extension=(Extension(url=COMMENT, valueString=item["comment"]),) if "comment" in item else (),
            linkId=item["link_id"],
            text=item.get("text"),
            answer=tuple(map(_answer, item.get("answers", ()))),
            item=to_fhir(item.get("items", ())),
        )
        for item in items
    )


def _answer(answer: Item) -> ResponseAnswer:
    value = answer["value"]
    if answer["type"] in PARTS:
        kind, names = PARTS[answer["type"]]
        value = kind(**{names[name]: part for name, part in value.items()})
    return ResponseAnswer(**{VALUES[answer["type"]]: value}, item=to_fhir(answer.get("items", ())))


def from_fhir(items: Iterable[ResponseItem], inbound: Inbound) -> list[Item]:
    """What has no linkId, and a reference that leads nowhere here, stay beside the row."""
    return [_item(item, inbound) for item in items if item.linkId]


def _item(item: ResponseItem, inbound: Inbound) -> Item:
    comment = next((e.valueString for e in item.extension if e.url == COMMENT and e.valueString), None)
    told = {
        "link_id": item.linkId,
        "text": item.text,
        "comment": comment,
        "answers": [found for answer in item.answer if (found := _heard(answer, inbound))],
        "items": from_fhir(item.item, inbound),
    }
    return {name: value for name, value in told.items() if value not in (None, [])}


def _heard(answer: ResponseAnswer, inbound: Inbound) -> Item | None:
    kind = next((kind for kind, name in VALUES.items() if getattr(answer, name) is not None), None)
    if kind is None:
        return None
    value: Any = getattr(answer, VALUES[kind])
    if kind == "reference" and value.reference and inbound.target(value, *HERE) is None:
        return None
    if kind in PARTS:
        received = said(value)
        value = {our: received[its] for our, its in PARTS[kind][1].items() if its in received}
    below = from_fhir(answer.item, inbound)
    return {"type": kind, "value": value, **({"items": below} if below else {})}


def without_words(items: Iterable[Item]) -> list[Item]:
    """The questions, and of their answers what is ticked, counted or dated: what is written freely may name a place."""
    kept = []
    for item in items:
        told = {
            "answers": [said for answer in item.get("answers", ()) if (said := _wordless(answer))],
            "items": without_words(item.get("items", ())),
        }
        as_asked = {name: item[name] for name in ("link_id", "text") if name in item}
        kept.append(as_asked | {name: found for name, found in told.items() if found})
    return kept


def _wordless(answer: Item) -> Item | None:
    value: Any = answer["value"] if answer["type"] in COUNTED else None
    if answer["type"] == "choice":
        value = {name: answer["value"][name] for name in CODED if name in answer["value"]} or None
    below = without_words(answer.get("items", ()))
    return None if value is None else {"type": answer["type"], "value": value, **({"items": below} if below else {})}


def lines(items: Iterable[Item], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Item]]:
    """Each answered question, by the path of its linkIds: what makes two assessments comparable."""
    for item in items:
        at = (*path, item["link_id"])
        if item.get("answers"):
            yield at, item
        for answer in item.get("answers", ()):
            yield from lines(answer.get("items", ()), at)
        yield from lines(item.get("items", ()), at)


def in_fhir(items: Iterable[Item]) -> list[Item]:
    """The same as plain FHIR JSON, for what checks it."""
    return [msgspec.to_builtins(item) for item in to_fhir(items)]
