"""The rules that R4 itself makes errors, by the model of what they are asked of; each in a line of a table.

Left out: those of definitions (StructureDefinition, TestScript…), which no dossier holds; `ref-1`, which the references
tell (`app.fhir.tolerance`); `ctm-1`, which would need what is elsewhere. A test names each rule of R4, here or left out.
"""

from collections import defaultdict
from collections.abc import Mapping

from app.fhir.known_types import CARRIED
from app.fhir.rules.bundles import BUNDLES, CONTAINED
from app.fhir.rules.datatypes import DATATYPES
from app.fhir.rules.forms import FORMS
from app.fhir.rules.resources import AGENDA, CARE, DOCUMENTS, PEOPLE
from app.fhir.rules.table import Json, Rule

TABLE: tuple[Rule, ...] = (*DATATYPES, *CONTAINED, *BUNDLES, *PEOPLE, *CARE, *AGENDA, *DOCUMENTS, *FORMS)
NOT_DOMAIN = {"Bundle", "Binary", "Parameters"}
HELD_ABOVE = {
    "Narrative.div": "Narrative",
    "Organization.address": "Organization",
    "Organization.telecom": "Organization",
}


def model_of(path: str) -> str:
    """The model of what stands at R4's path: `Patient.contact` → `PatientContact`."""
    return HELD_ABOVE.get(path) or "".join(step[:1].upper() + step[1:] for step in path.split("."))


def _by_model() -> Mapping[str, tuple[Rule, ...]]:
    told = defaultdict[str, list[Rule]](list)
    for rule in TABLE:
        for model in CARRIED - NOT_DOMAIN if rule.on == "DomainResource" else (model_of(rule.on),):
            told[model].append(rule)
    return {model: tuple(rules) for model, rules in told.items()}


RULES = _by_model()


def broken(value: Json, rules: tuple[Rule, ...]) -> list[tuple[str, str, str]]:
    """Where below, our code, the sentence. What is not of its type is told by itself, and breaks no rule."""
    found = list[tuple[str, str, str]]()
    for rule in rules:
        if rule.needs and rule.needs not in value:
            continue
        try:
            if rule.places:
                places = tuple(rule.places(value))
            else:
                places = () if rule.holds is None or rule.holds(value) else (rule.at,)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            continue
        if places:
            found += [(place, rule.code, rule.told) for place in places]
    return found
