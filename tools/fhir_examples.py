"""Write fhir_profiles/examples/: by profile, an example that passes; by rule, one that breaks it and nothing else.

`python -m tools.fhir_examples`. The rules are those of the code: our own definitions, what TDDUI makes mandatory, the forms and keys
of identifiers, who answers an assessment. What R4 itself asks is no rule of a profile. The persons never were.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.api.own_profiles import definitions
from app.features.assessments.grids import RULES as OF_ASSESSMENTS
from app.fhir.identifiers import TAGS
from app.fhir.shapes import shape
from app.fhir.tddui import profile as tddui
from app.fhir.tolerance import MANDATORY
from tools.fhir_example_fits import FITTED, OF_EXTENSIONS, OTHERS
from tools.fhir_example_parts import ADDED, BASES, ELSEWHERE, FULL, KEYED, NUMBERS, SOMEONE, TYPES, VALUES
from tools.fhir_profiles import PLACE

Json = dict[str, Any]
EXAMPLES = PLACE / "examples"


@dataclass(frozen=True, slots=True)
class Broken:
    """An example that breaks one rule: `rule` as an outcome names it (`details.text`), `code` its code."""

    rule: str
    code: str
    resource: Json

    @property
    def name(self) -> str:
        of, _, element = self.rule.partition("#")
        said = re.sub(r"[^A-Za-z0-9]+", "-", f"{re.split('[/:]', of)[-1]}-{element}".replace("gouv.fr", "")).strip("-")
        return f"{said}--{self.code.replace('.', '-')}"


def passing() -> dict[str, Json]:
    """By name."""
    told = {name: _tddui(name) for name in MANDATORY}
    told |= {name: resource(kind, profile, **more) for name, (kind, profile, more) in OTHERS.items()}
    told |= {each["id"]: _own(each) for each in definitions().values()}
    told |= {f"identifier-{n}": _numbered(system, right) for n, (system, right, *_) in enumerate(_systems(), 1)}
    return told


def failing() -> list[Broken]:
    found = list(_mandatory())
    for definition in definitions().values():
        found += _of_extension(definition) if definition["type"] == "Extension" else _of_profile(definition)
    for system, _, form, key in _systems():
        for code, value in (("bad_identifier", form), ("wrong_key", key)):
            if value:
                found.append(Broken(f"{system}#value", code, _numbered(system, value)))
    for rule, code in OF_ASSESSMENTS.items():
        wrong = _tddui("tddui-questionnaire-response")
        del wrong["author"]
        found.append(Broken(rule, code, wrong | ({"source": SOMEONE} if code == "assessment.no_holder" else {})))
    return found


def unfit() -> dict[str, tuple[Json, str]]:
    """By name, what breaks one rule of a value or of a slice that only TDDUI's own package states, and the element at fault."""
    found = {}
    for name, fitted in FITTED.items():
        for element in fitted:
            wrong = {**passing()[name]}
            before = _unfitted(name) if name in MANDATORY else {"identifier": NUMBERS, "code": {"text": "Autre chose"}}
            wrong.pop(element)
            wrong |= {element: before[element]} if element in before else {}
            found[f"{name}-{element}--package"] = wrong, f"{wrong['resourceType']}.{element.removesuffix('DateTime')}"
    return found


def resource(kind: str, profile: str = "", **more: Any) -> Json:
    about = {"meta": {"profile": [profile]}} if profile else {}
    return copy.deepcopy({"resourceType": kind, **about, **BASES[kind], **more})


def _systems() -> Iterator[tuple[str, str, str, str]]:
    for system, tag in TAGS.items():
        yield system, "3380000018/12" + (f"-{tag}-1" if tag else ""), "12", ""
    for system, (right, form, key) in KEYED.items():
        yield system, right, form, key


def _numbered(system: str, value: str) -> Json:
    return resource("Organization", identifier=[{"system": system, "value": value}])


def _tddui(name: str) -> Json:
    """As its own package wants it too."""
    return _unfitted(name) | copy.deepcopy(FITTED.get(name, {}))


def _unfitted(name: str) -> Json:
    short = name.removeprefix("tddui-")
    kind = next((TYPES[each] for each in TYPES if short.startswith(each)), short.partition("-")[0].capitalize())
    told = resource(kind, tddui(short))
    for rule in MANDATORY[name].split():
        _fill(told, rule.split("."))
    if kind == "QuestionnaireResponse":
        told["identifier"] = copy.deepcopy(NUMBERS[0])
        told["author"] = {"display": "Rose Duval"}
    return told


def _fill(at: Json, steps: list[str]) -> None:
    name, _, sort = steps[0].replace("=", ":").partition(":")
    if name == "extension":
        told = {"url": _url(sort), **copy.deepcopy(OF_EXTENSIONS.get(sort, {"valueString": "Oui"}))}
        at.setdefault("extension", []).append(told)
    elif name == "input":
        at.setdefault("input", []).append({"type": {"coding": [{"code": sort}]}, "valueString": "Un titre"})
    elif name == "name":
        at["name"] = [{"use": sort, "family": "Leroux", "given": ["Agathe"]}]
    elif len(steps) == 1:
        at[name] = copy.deepcopy(FULL.get(name, "2026-11-20" if name in ("start", "end") else "Un mot"))
    elif steps[1].startswith("extension"):
        _fill(at.setdefault(f"_{name}", {}), steps[1:])
    else:
        inner = at.setdefault(name, {})
        _fill(inner[0] if isinstance(inner, list) else inner, steps[1:])


def _url(name: str) -> str:
    if name == "patient-birthPlace":
        return f"http://hl7.org/fhir/StructureDefinition/{name}"
    return f"https://hl7.fr/ig/fhir/core/StructureDefinition/{name}" if name.startswith("fr-") else tddui(name[6:])


def _mandatory() -> Iterator[Broken]:
    for name, rules in MANDATORY.items():
        for rule in rules.split():
            wrong = _tddui(name)
            _cut(wrong, rule.split("."))
            yield Broken(f"{tddui(name.removeprefix('tddui-'))}#{rule}", "required", wrong)


def _cut(at: Json, steps: list[str]) -> None:
    """Without the element of a rule; what would be left empty holds something else."""
    name, _, sort = steps[0].replace("=", ":").partition(":")
    if len(steps) == 1 and sort:
        at[name] = [each for each in at[name] if not _is(each, sort)]
        if not at[name]:
            del at[name]
    elif len(steps) == 1:
        del at[name]
    elif steps[1].startswith("extension"):
        del at[f"_{name}"]
    else:
        for inner in at[name] if isinstance(at[name], list) else [at[name]]:
            _cut(inner, steps[1:])
            inner.update({} if inner else {"extension": [ELSEWHERE]})


def _is(each: Json, sort: str) -> bool:
    codes = [coding.get("code") for coding in each.get("type", {}).get("coding", ())]
    return sort in (each.get("use"), each.get("url", "").rpartition("/")[2], *codes)


def _own(definition: Json) -> Json:
    """A resource that follows a definition of ours; that of an extension, where it stands."""
    if definition["type"] == "Extension":
        return _holding(definition, _extension(definition))
    elements = definition["differential"]["element"]
    told = resource(definition["type"], definition["url"])
    if definition["type"] == "Consent":
        told |= {"patient": SOMEONE, "organization": [{"display": "Les Tilleuls"}], "provision": {"type": "permit"}}
    wanted = [_definition(each["type"][0]["profile"][0]) for each in elements if ".extension:" in each["id"]]
    return told | ({"extension": [_extension(each) for each in wanted]} if wanted else {})


def _definition(url: str) -> Json:
    return definitions()[url]


def _extension(definition: Json) -> Json:
    parts = [each for each in definition["differential"]["element"] if "sliceName" in each]
    if parts:
        inner = [_part(definition, each["sliceName"]) for each in parts]
        return {"url": definition["url"], "extension": inner}
    return {"url": definition["url"], **_valued(_kind(definition, "Extension.value[x]"))}


def _part(definition: Json, name: str) -> Json:
    return {"url": name, **_valued(_kind(definition, f"Extension.extension:{name}.value[x]"))}


def _kind(definition: Json, id: str) -> str:
    [element] = [each for each in definition["differential"]["element"] if each["id"] == id]
    return str(element["type"][0]["code"])


def _valued(kind: str) -> Json:
    return {f"value{kind[:1].upper()}{kind[1:]}": VALUES[kind]}


def _holding(definition: Json, extension: Json) -> Json:
    kind = definition["context"][0]["expression"]
    if kind == "Annotation":
        return resource("Goal", note=[{"text": "Le regard de l'équipe", "extension": [extension]}])
    return resource(kind, extension=[extension])


def _of_extension(definition: Json) -> Iterator[Broken]:
    """What `url` is fixed to tells an extension, or its parts, apart: no value of it can be wrong."""
    url, right = definition["url"], _extension(definition)
    for element in definition["differential"]["element"]:
        id = element["id"]
        if "sliceName" in element and element.get("max") == "1":
            twice = {**right, "extension": [*right["extension"], _part(definition, element["sliceName"])]}
            yield Broken(f"{url}#{id}", "profile.too_many", _holding(definition, twice))
        if element.get("max") == "0":
            valued = {"url": url, "valueInteger": 1}
            yield Broken(f"{url}#{id}", "profile.too_many", _holding(definition, valued))
        if element.get("min"):
            empty = {"url": url, "extension": [{"url": "autre", "valueInteger": 1}]}
            yield Broken(f"{url}#{id}", "required", _holding(definition, empty))
        if id.endswith("value[x]") and "type" in element:
            yield Broken(f"{url}#{id}", "profile.type", _holding(definition, _mistyped(right, id)))


def _mistyped(right: Json, id: str) -> Json:
    name = id.partition(":")[2].partition(".")[0]
    if not name:
        return {"url": right["url"], "valueInteger": 1}
    parts = [{"url": name, "valueInteger": 1} if each["url"] == name else each for each in right["extension"]]
    return {**right, "extension": parts}


def _of_profile(definition: Json) -> Iterator[Broken]:
    url = definition["url"]
    for element in definition["differential"]["element"]:
        rule = f"{url}#{element['id']}"
        steps = element["id"].split(".")[1:]
        for _ in element.get("constraint", ()):
            wrong = _own(definition)
            wrong["content"] = wrong["content"] * 2
            yield Broken(rule, "profile.invariant", wrong)
        if element.get("min") and not _of_r4(definition["type"], steps, element["min"]):
            yield Broken(rule, "required", _changed(_own(definition), steps, element["min"] - 1, element))
        if "max" in element:
            many = int(element["max"]) + 1
            yield Broken(rule, "profile.too_many", _changed(_own(definition), steps, many, element))


def _of_r4(kind: str, steps: list[str], least: int) -> bool:
    """Does R4 itself ask for it?"""
    for step in steps[:-1]:
        kind = shape(kind).parts[step].inner
    return least == 1 and any(lot == steps[-1] for lot, _ in shape(kind).required)


def _changed(told: Json, steps: list[str], many: int, element: Json) -> Json:
    """With as many of an element as said."""
    at: Any = told
    for step in steps[:-1]:
        at = at[step][0] if isinstance(at[step], list) else at[step]
    name, _, piece = steps[-1].partition(":")
    if piece:
        url = element["type"][0]["profile"][0]
        mine = _extension(_definition(url))
        at[name] = [each for each in at[name] if each["url"] != url] + [mine] * many
    elif element["id"] in ADDED:
        at[name] = ADDED[element["id"]]
    elif many == 0:
        del at[name]
        at |= {} if at else {"extension": [ELSEWHERE]}
    else:
        at[name] = (at[name] * 2)[:many]
    return told


def files() -> dict[str, str]:
    """The text of each file, by its place."""
    told = {f"pass/{name}.json": each for name, each in passing().items()}
    told |= {f"fail/{each.name}.json": each.resource for each in failing()}
    told |= {f"fail/{name}.json": each for name, (each, _) in unfit().items()}
    return {place: json.dumps(each, ensure_ascii=False, indent=1) + "\n" for place, each in told.items()}


if __name__ == "__main__":
    for place, text in files().items():
        (EXAMPLES / place).parent.mkdir(parents=True, exist_ok=True)
        (EXAMPLES / place).write_text(text)
