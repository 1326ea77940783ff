"""Answers held against the questionnaire they answer: questions, types, options, what is required.

Skipping (`enableWhen`) is the form's business: a question that may be skipped is never missing here.
Source: https://hl7.org/fhir/R4/questionnaireresponse.html#notes
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.kernel.errors import Fault

Json = dict[str, Any]
Step = str | int
Found = tuple[tuple[Step, ...], str, str]  # where, our code, the sentence
Codes = Callable[[str], Collection[tuple[str, str]] | None]  # the codes of a value set; None: we do not hold it
TYPES = {  # https://hl7.org/fhir/R4/valueset-item-type.html
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    "open-choice": ("valueCoding", "valueString"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}
ASKED = {
    "boolean": "oui ou non", "decimal": "un nombre", "integer": "un nombre entier", "date": "une date",
    "dateTime": "une date et une heure", "time": "une heure", "string": "un texte", "text": "un texte", "url": "une adresse",
    "choice": "un code", "open-choice": "un code ou un texte", "attachment": "un document", "reference": "une référence",
    "quantity": "une quantité",
}  # fmt: skip
NO_ANSWER = ("group", "display")
UNANSWERED = frozenset({"stopped", "entered-in-error"})  # nothing is missing of what was given up

UNKNOWN = "Cette question n'est pas dans la grille, ou pas à cette place."
TWICE = "Cette question figure deux fois ici : mettez ses réponses ensemble."


def canonical(url: str) -> tuple[str, str]:
    """`url|version` → both; the version may be empty."""
    named, _, version = url.partition("|")
    return named, version.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Question:
    """`path`: the linkIds that lead to it, which the questionnaire says: they may be told."""

    path: str
    item: Json
    inside: Mapping[str, "Question"]


def asked(items: Sequence[Json], above: str = "") -> dict[str, Question]:
    """The questions of a questionnaire, by linkId, level by level."""
    found = {}
    for item in items:
        path = f"{above} > {item['linkId']}" if above else str(item["linkId"])
        found[item["linkId"]] = Question(path, item, asked(item.get("item", ()), path))
    return found


def faults_of(
    items: Sequence[Json], questions: Mapping[str, Question], codes: Codes, *, complete: bool = True
) -> Iterator[Found]:
    """What does not answer the questionnaire, in FHIR's own steps; `complete`: what is required is there."""
    yield from _level(items, questions, codes, (), complete)


def _level(
    items: Sequence[Json], questions: Mapping[str, Question], codes: Codes, at: tuple[Step, ...], complete: bool
) -> Iterator[Found]:
    seen: set[str] = set()
    for place, item in enumerate(items):
        here = (*at, "item", place)
        question = questions.get(item.get("linkId", ""))
        if question is None:
            yield (*here, "linkId"), "questionnaire.unknown_question", UNKNOWN
            continue
        repeats = question.item["type"] == "group" and question.item.get("repeats")
        if question.path in seen and not repeats:
            yield (*here, "linkId"), "questionnaire.twice", TWICE
        seen.add(question.path)
        yield from _item(item, question, codes, here, complete)
    for question in questions.values() if complete else ():
        if question.path not in seen and _required(question):
            yield at, "questionnaire.required", f"Une réponse est attendue à « {question.path} »."


def _required(question: Question) -> bool:
    it = question.item
    return bool(it.get("required")) and it["type"] != "display" and not it.get("enableWhen")


def _item(item: Json, question: Question, codes: Codes, at: tuple[Step, ...], complete: bool) -> Iterator[Found]:
    answers, it = item.get("answer", ()), question.item
    if it["type"] in NO_ANSWER:
        if answers:
            yield (
                (*at, "answer"),
                "questionnaire.no_answer",
                f"« {question.path} » est un titre : il n'a pas de réponse.",
            )
    elif not answers and complete and _required(question):
        yield at, "questionnaire.required", f"Une réponse est attendue à « {question.path} »."
    if len(answers) > 1 and not it.get("repeats"):
        yield (*at, "answer"), "questionnaire.one_answer", f"« {question.path} » attend une seule réponse."
    for place, answer in enumerate(answers if it["type"] not in NO_ANSWER else ()):
        here = (*at, "answer", place)
        yield from _answer(answer, question, codes, here)
        yield from _level(answer.get("item", ()), question.inside, codes, here, complete)
    yield from _level(item.get("item", ()), question.inside, codes, at, complete and it["type"] == "group")


def _answer(answer: Json, question: Question, codes: Codes, at: tuple[Step, ...]) -> Iterator[Found]:
    it = question.item
    name = next((name for name in answer if name.startswith("value")), None)
    if name is None:
        return  # an extension says why there is none
    if name not in TYPES.get(it["type"], (name,)):
        told = f"« {question.path} » attend {ASKED[it['type']]}."
        yield (*at, "value"), "questionnaire.wrong_type", told
    elif not _offered(answer[name], name, it, codes):
        yield (*at, "value"), "questionnaire.unknown_option", f"« {question.path} » attend l'un des choix de la grille."
    elif isinstance(answer[name], str) and len(answer[name]) > it.get("maxLength", len(answer[name])):
        told = f"« {question.path} » attend {it['maxLength']} caractères au plus."
        yield (*at, "value"), "questionnaire.too_long", told


def _offered(value: Any, name: str, item: Json, codes: Codes) -> bool:
    """Among its options, or in its value set when we hold it; free words are an open choice's."""
    if item["type"] == "open-choice" and name == "valueString":
        return True
    offered = [option[name] for option in item.get("answerOption", ()) if name in option]
    if name != "valueCoding":
        return not offered or value in offered
    known: Collection[tuple[str, str]] | None = [(each.get("system", ""), each.get("code", "")) for each in offered]
    if not known and "answerValueSet" in item:
        known = codes(item["answerValueSet"])
    return not known or (value.get("system", ""), value.get("code", "")) in known


def in_fhir(where: str, steps: Sequence[Step]) -> str:
    """`QuestionnaireResponse`, `item 0 answer 1` → `QuestionnaireResponse.item[0].answer[1]`."""
    return where + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def in_rest(steps: Sequence[Step]) -> str:
    """The same in the words of REST: `/items/0/answers/1`."""
    ours = {"item": "items", "answer": "answers", "linkId": "link_id"}
    return "".join(f"/{ours.get(str(step), step)}" for step in steps) or "/items"


def fhir_faults(response: Json, questions: Mapping[str, Question], codes: Codes, where: str) -> Iterator[Fault]:
    complete = response.get("status") not in UNANSWERED
    for steps, code, sentence in faults_of(response.get("item", ()), questions, codes, complete=complete):
        yield Fault(in_fhir(where, steps), code, sentence)
