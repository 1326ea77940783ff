"""The rules of R4's datatypes. Source: https://hl7.org/fhir/R4/datatypes.html"""

from typing import Any

from app.fhir.rules import narrative
from app.fhir.rules.table import UCUM, Json, Rule, after, chosen, has

QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")
MEALS = frozenset({"C", "CM", "CD", "CV"})


def _in_ucum(value: Json) -> bool:
    return bool(value.get("system", UCUM) == UCUM)


def _coded(value: Json) -> bool:
    return has(value, "code") or not has(value, "value")


def _number(value: Any) -> float | None:
    return value if type(value) in (int, float) else None


def _positive(value: Json) -> bool:
    number = _number(value.get("value"))
    return number is None or number > 0


def _not_below_zero(value: Json, name: str) -> bool:
    number = _number(value.get(name))
    return number is None or number >= 0


def _ordered(value: Json) -> bool:
    """Quantities of two units are not compared."""
    low, high = value.get("low", {}), value.get("high", {})
    numbers = _number(low.get("value")), _number(high.get("value"))
    if numbers[0] is None or numbers[1] is None or any(low.get(n) != high.get(n) for n in ("system", "code", "unit")):
        return True
    return numbers[0] <= numbers[1]


def _ratio(value: Json) -> bool:
    return has(value, "numerator") == has(value, "denominator") and has(value, "numerator", "extension")


DATATYPES = (
    Rule(
        "ext-1", "Extension", "extension.exists() != value.exists()",
        "Une extension porte une valeur, ou d'autres extensions : l'une des deux.",
        lambda v: chosen(v, "value") != ("extension" in v), code="bad_value",
    ),
    Rule(
        "txt-1", "Narrative.div", "htmlChecks()",
        "Ce texte (div) ne porte que de la mise en forme : retirez-en scripts, formulaires, cadres, attributs d'événement "
        "(onclick…), liens qui agissent (javascript:…), et fermez chaque balise.",
        lambda v: narrative.read(v.get("div"))[0], at="div",
    ),
    Rule(
        "txt-2", "Narrative.div", "htmlChecks()", "Ce texte (div) est vide : écrivez-y quelque chose, ou retirez text.",
        lambda v: narrative.read(v.get("div"))[1], at="div",
    ),
    Rule(
        "per-1", "Period", "start.hasValue().not() or end.hasValue().not() or (start <= end)",
        "Le début (start) de cette période est après sa fin (end).",
        lambda v: not after(v.get("start"), v.get("end")),
    ),
    Rule(
        "att-1", "Attachment", "data.empty() or contentType.exists()",
        "Un contenu (data) dit son format (contentType), comme text/plain.",
        lambda v: not has(v, "data") or has(v, "contentType"),
    ),
    Rule(
        "cpt-2", "ContactPoint", "value.empty() or system.exists()",
        "Un moyen de joindre dit son système (system) : phone, email, fax…",
        lambda v: not has(v, "value") or has(v, "system"),
    ),
    Rule(
        "exp-1", "Expression", "expression.exists() or reference.exists()",
        "Une expression se dit (expression), ou dit où elle est (reference).", lambda v: has(v, "expression", "reference"),
    ),
    Rule(
        "rng-2", "Range", "low.empty() or high.empty() or (low <= high)",
        "Le bas (low) de cet intervalle est au-dessus de son haut (high).", _ordered,
    ),
    Rule(
        "rat-1", "Ratio",
        "(numerator.empty() xor denominator.exists()) and (numerator.exists() or extension.exists())",
        "Un rapport a un numérateur et un dénominateur (numerator, denominator), ou une extension à leur place.", _ratio,
    ),
    *(
        Rule(
            "qty-3", kind, "code.empty() or system.exists()",
            "Le code d'une unité dit son système (system), comme http://unitsofmeasure.org.",
            lambda v: not has(v, "code") or has(v, "system"),
        )
        for kind in QUANTITIES
    ),
    Rule(
        "age-1", "Age",
        "(code.exists() or value.empty()) and (system.empty() or system = %ucum) and (value.empty() or "
        "value.hasValue().not() or value > 0)",
        "Un âge est plus grand que zéro, et son unité est un code UCUM (a, mo, wk, d).",
        lambda v: _coded(v) and _in_ucum(v) and _positive(v),
    ),
    Rule(
        "cnt-3", "Count",
        "(code.exists() or value.empty()) and (system.empty() or system = %ucum) and (code.empty() or code = '1') and "
        "(value.empty() or value.hasValue().not() or value.toString().contains('.').not())",
        "Un compte est un nombre entier, de code UCUM « 1 ».",
        lambda v: (
            _coded(v) and _in_ucum(v) and v.get("code", "1") == "1" and "." not in str(v.get("value", ""))
        ),
    ),
    Rule(
        "dis-1", "Distance", "(code.exists() or value.empty()) and (system.empty() or system = %ucum)",
        "L'unité d'une distance est un code UCUM, comme m ou km.", lambda v: _coded(v) and _in_ucum(v),
    ),
    Rule(
        "drt-1", "Duration", "code.exists() implies ((system = %ucum) and value.exists())",
        "L'unité d'une durée est un code UCUM (s, min, h, d, wk, mo, a), à côté d'une valeur.",
        lambda v: not has(v, "code") or (v.get("system") == UCUM and has(v, "value")),
    ),
    Rule(
        "tim-1", "Timing.repeat", "duration.empty() or durationUnit.exists()",
        "Une durée (duration) dit son unité (durationUnit).",
        lambda v: not has(v, "duration") or has(v, "durationUnit"),
    ),
    Rule(
        "tim-2", "Timing.repeat", "period.empty() or periodUnit.exists()",
        "Une période (period) dit son unité (periodUnit).", lambda v: not has(v, "period") or has(v, "periodUnit"),
    ),
    Rule(
        "tim-4", "Timing.repeat", "duration.exists() implies duration >= 0",
        "Une durée (duration) n'est pas négative.", lambda v: _not_below_zero(v, "duration"),
    ),
    Rule(
        "tim-5", "Timing.repeat", "period.exists() implies period >= 0",
        "Une période (period) n'est pas négative.", lambda v: _not_below_zero(v, "period"),
    ),
    Rule(
        "tim-6", "Timing.repeat", "periodMax.empty() or period.exists()",
        "Une période au plus (periodMax) demande une période (period).",
        lambda v: not has(v, "periodMax") or has(v, "period"),
    ),
    Rule(
        "tim-7", "Timing.repeat", "durationMax.empty() or duration.exists()",
        "Une durée au plus (durationMax) demande une durée (duration).",
        lambda v: not has(v, "durationMax") or has(v, "duration"),
    ),
    Rule(
        "tim-8", "Timing.repeat", "countMax.empty() or count.exists()",
        "Un nombre au plus (countMax) demande un nombre (count).", lambda v: not has(v, "countMax") or has(v, "count"),
    ),
    Rule(
        "tim-9", "Timing.repeat", "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
        "Un décalage (offset) se compte d'un moment (when) qui n'est pas le repas même (C, CM, CD, CV).",
        lambda v: not has(v, "offset") or (has(v, "when") and MEALS.isdisjoint(v.get("when", ()))),
    ),
    Rule(
        "tim-10", "Timing.repeat", "timeOfDay.empty() or when.empty()",
        "Dites l'heure (timeOfDay) ou le moment (when), pas les deux.",
        lambda v: not (has(v, "timeOfDay") and has(v, "when")),
    ),
)  # fmt: skip
