"""The rules of questionnaires and of their answers. Source: https://hl7.org/fhir/R4/questionnaire.html#constraints"""

from collections.abc import Iterator

from app.fhir.rules.table import Json, Rule, below, has

CHOSEN = ["choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity"]
MEASURED = ["boolean", "decimal", "integer", "string", "text", "url", "open-choice"]


def _items(value: Json) -> Iterator[str]:
    """The linkIds, at every level."""
    for each in value.get("item", ()):
        yield from (told for one in below(each) if isinstance(told := one.get("linkId"), str))


def _distinct(value: Json) -> bool:
    told = list(_items(value))
    return len(told) == len(set(told))


def _inside(value: Json) -> bool:
    kind = value.get("type")
    return not ((kind == "group" and not has(value, "item")) or (kind == "display" and has(value, "item")))


def _shown(value: Json, *names: str) -> bool:
    return value.get("type") != "display" or not has(value, *names)


FORMS = (
    Rule(
        "que-2", "Questionnaire", "descendants().linkId.isDistinct()",
        "Deux questions ont le même numéro (linkId) : chacune a le sien.", _distinct, at="item",
    ),
    Rule(
        "que-1", "Questionnaire.item",
        "(type='group' implies item.empty().not()) and (type.trace('type')='display' implies item.trace('item').empty())",
        "Un groupe (group) a des questions, un texte (display) n'en a pas.", _inside,
    ),
    Rule(
        "que-3", "Questionnaire.item", "type!='display' or code.empty()",
        "Un texte (display) n'a pas de code.", lambda v: _shown(v, "code"),
    ),
    Rule(
        "que-4", "Questionnaire.item", "answerOption.empty() or answerValueSet.empty()",
        "Les réponses se listent (answerOption) ou se nomment (answerValueSet), pas les deux.",
        lambda v: not (has(v, "answerOption") and has(v, "answerValueSet")),
    ),
    Rule(
        "que-5", "Questionnaire.item",
        "(type ='choice' or type = 'open-choice' or type = 'decimal' or type = 'integer' or type = 'date' or type = "
        "'dateTime' or type = 'time' or type = 'string' or type = 'quantity') or (answerValueSet.empty() and "
        "answerOption.empty())",
        "Une question de ce type n'a pas de liste de réponses (answerOption, answerValueSet).",
        lambda v: v.get("type") in CHOSEN or not has(v, "answerOption", "answerValueSet"),
    ),
    Rule(
        "que-6", "Questionnaire.item", "type!='display' or (required.empty() and repeats.empty())",
        "Un texte (display) n'est ni obligatoire (required) ni répété (repeats).",
        lambda v: _shown(v, "required", "repeats"),
    ),
    Rule(
        "que-7", "Questionnaire.item.enableWhen", "operator = 'exists' implies (answer is Boolean)",
        "La condition « exists » attend une réponse vraie ou fausse (answerBoolean).",
        lambda v: v.get("operator") != "exists" or has(v, "answerBoolean"),
    ),
    Rule(
        "que-8", "Questionnaire.item", "(type!='group' and type!='display') or initial.empty()",
        "Un groupe ou un texte (group, display) n'a pas de valeur de départ (initial).",
        lambda v: v.get("type") not in ("group", "display") or not has(v, "initial"),
    ),
    Rule(
        "que-9", "Questionnaire.item", "type!='display' or readOnly.empty()",
        "Un texte (display) ne se dit pas en lecture seule (readOnly).", lambda v: _shown(v, "readOnly"),
    ),
    Rule(
        "que-10", "Questionnaire.item",
        "(type in ('boolean' | 'decimal' | 'integer' | 'string' | 'text' | 'url' | 'open-choice')) or maxLength.empty()",
        "Une question de ce type n'a pas de longueur au plus (maxLength).",
        lambda v: v.get("type") in MEASURED or not has(v, "maxLength"),
    ),
    Rule(
        "que-11", "Questionnaire.item", "answerOption.empty() or initial.empty()",
        "D'une liste de réponses, celle de départ se dit par initialSelected, pas par initial.",
        lambda v: not (has(v, "answerOption") and has(v, "initial")),
    ),
    Rule(
        "que-12", "Questionnaire.item", "enableWhen.count() > 2 implies enableBehavior.exists()",
        "Plusieurs conditions (enableWhen) disent comment elles se joignent (enableBehavior).",
        lambda v: len(v.get("enableWhen", ())) <= 2 or has(v, "enableBehavior"),
    ),
    Rule(
        "que-13", "Questionnaire.item", "repeats=true or initial.count() <= 1",
        "Plusieurs valeurs de départ (initial) se disent d'une question répétée (repeats true).",
        lambda v: v.get("repeats") is True or len(v.get("initial", ())) <= 1,
    ),
    Rule(
        "qrs-1", "QuestionnaireResponse.item", "(answer.exists() and item.exists()).not()",
        "Un élément porte des réponses (answer) ou d'autres éléments (item) : ceux d'une réponse se disent sous elle.",
        lambda v: not (has(v, "answer") and has(v, "item")),
    ),
)  # fmt: skip
