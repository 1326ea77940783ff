"""What is installed can be read: no element of another shape waits for the first request that meets it."""

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.api.resources import REGISTRY
from app.fhir.canonicals import CORE
from app.fhir.packages import reading
from app.fhir.packages.held import held_at
from app.fhir.packages.shapes import STEPS_MOST, first_wrong
from app.fhir.profiles import judging
from app.kernel.errors import Invalid
from tests.fhir.packages.tgz import CODES, CODES_URL, LEVELS, LEVELS_URL, tgz

Json = dict[str, Any]
Place = tuple[str | int, ...]
SD = "https://exemple.test/StructureDefinition/"
NAMED: Json = {
    "resourceType": "ValueSet",
    "id": "choisis",
    "url": "https://exemple.test/ValueSet/choisis",
    "compose": {
        "include": [
            {"system": CODES_URL, "concept": [{"code": "A"}, {"code": "B"}]},
            {"valueSet": [LEVELS_URL]},
            {"system": CODES_URL, "filter": [{"property": "p", "op": "=", "value": "v"}]},
        ]
    },
}
SAID: Json = {
    "resourceType": "StructureDefinition",
    "id": "dit",
    "url": f"{SD}dit",
    "type": "Extension",
    "derivation": "constraint",
    "baseDefinition": f"{CORE}Extension",
    "differential": {"element": [{"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1}]},
}


def element(id: str, **said: Any) -> Json:
    return {"id": id, "path": ".".join(step.partition(":")[0] for step in id.split(".")), **said}


def sliced(kind: str, path: str, rules: str = "open") -> Json:
    return {"discriminator": [{"type": kind, "path": path}], "rules": rules}


RULE = {"key": "x-1", "severity": "error", "human": "Un nom.", "expression": "name.exists()"}
DOCTOR = [{"code": "Reference", "targetProfile": [f"{CORE}Practitioner"]}]
WHOLE: Json = {
    "resourceType": "StructureDefinition",
    "id": "personne",
    "url": f"{SD}personne",
    "version": "1",
    "type": "Patient",
    "derivation": "constraint",
    "baseDefinition": f"{CORE}Patient",
    "differential": {
        "element": [
            element("Patient", constraint=[RULE]),
            element("Patient.name", slicing=sliced("value", "use"), min=1, max="2"),
            element("Patient.name:o", sliceName="o", min=1, max="1"),
            element("Patient.name:o.use", fixedCode="official"),
            element("Patient.name:o.family", min=1),
            element("Patient.extension", slicing=sliced("value", "url", "closed")),
            element("Patient.extension:dit", sliceName="dit", type=[{"code": "Extension", "profile": [f"{SD}dit"]}]),
            element("Patient.deceased[x]", slicing=sliced("type", "$this"), type=[{"code": "boolean"}]),
            element("Patient.deceased[x]:d", sliceName="deceasedDateTime", type=[{"code": "dateTime"}], max="0"),
            element("Patient.identifier", slicing=sliced("pattern", "type")),
            element("Patient.identifier:k", sliceName="k", min=1),
            element("Patient.identifier:k.type", patternCodeableConcept={"coding": [{"code": "K"}]}),
            element("Patient.maritalStatus", binding={"strength": "required", "valueSet": LEVELS_URL}),
            element("Patient.language", binding={"strength": "required", "valueSet": NAMED["url"]}),
            element("Patient.generalPractitioner", slicing=sliced("type", "resolve()")),
            element("Patient.generalPractitioner:d", sliceName="d", min=1, type=DOCTOR),
            element("Patient.link", slicing=sliced("exists", "type")),
            element("Patient.link:l", sliceName="l"),
            element("Patient.link:l.type", min=1),
        ]
    },
    "snapshot": {"element": [element("Patient"), element("Patient.name", slicing=sliced("value", "use"), max="*")]},
}
GOOD = (CODES, LEVELS, NAMED, SAID, WHOLE)
SOMEONE: Json = {
    "resourceType": "Patient",
    "id": "p",
    "meta": {"profile": [f"{SD}personne", f"{SD}personne|1"]},
    "name": [{"use": "official", "family": "A"}, {"use": "usual"}],
    "extension": [{"url": f"{SD}dit", "valueCode": "a"}],
    "deceasedBoolean": False,
    "identifier": [{"type": {"coding": [{"code": "K"}]}, "value": "1"}],
    "maritalStatus": {"coding": [{"system": CODES_URL, "code": "A"}]},
    "language": "A",
    "generalPractitioner": [{"reference": "#d"}],
    "contained": [{"resourceType": "Practitioner", "id": "d"}],
    "link": [{"type": "seealso", "other": {"display": "x"}}],
}
OTHERS = [None, 5, -1, 0.5, True, "", "autre", [], ["autre"], [None], [5], {}, {"a": 1}, [{}]]


def used(place: Path) -> list[tuple[str, str]]:
    """Everything that reads what is installed of a package; what it finds wrong of someone."""
    package = reading.read(place)

    async def rows(_: Any) -> list[tuple[str, bytes]]:
        return [(each.type_name, each.body) for each in package.definitions]

    have = asyncio.run(held_at(package.sha256, rows))
    for each in have.bodies.get("ValueSet", ()):
        have.codes(each["url"])
    judge = judging.Judge(REGISTRY, have)
    issues = list(judge.asks(SOMEONE, "Patient", judging.claimed(SOMEONE)))
    return [(getattr(each, "expression", ""), each.code) for each in issues]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield (*at, step)
        yield from places(each, (*at, step))


def broken(definition: Json, place: Place) -> Iterator[Json]:
    """The same with another value at this place, each in turn; then without it."""
    for other in (*OTHERS, ...):
        copied = copy.deepcopy(definition)
        holder: Any = copied
        for step in place[:-1]:
            holder = holder[step]
        if other is ...:
            del holder[place[-1]]
        else:
            holder[place[-1]] = other
        yield copied


def test_the_good_one_is_read_whole(tmp_path: Path):
    assert used(tgz(tmp_path / "p.tgz", *GOOD)) == []


@pytest.mark.once
@pytest.mark.threat("package-shapes")
@pytest.mark.parametrize("which", range(len(GOOD)), ids=[each["id"] + each["resourceType"] for each in GOOD])
def test_whatever_is_broken_is_refused_or_stops_nobody(which: int, tmp_path: Path):
    others = [each for each in GOOD if each is not GOOD[which]]
    taken, refused = 0, list[str]()
    for place in places(GOOD[which]):
        for wrong in broken(GOOD[which], place):
            try:
                used(tgz(tmp_path / "p.tgz", *others, more={"package/wrong.json": orjson.dumps(wrong)}))
                taken += 1
            except Invalid as no:
                refused.append(no.message)
    assert len(refused) > taken > 0
    assert all(told.startswith("wrong.json : ") for told in refused)


@pytest.mark.threat("package-shapes")
@pytest.mark.parametrize(
    ("definition", "place", "value", "told"),
    [
        (NAMED, ("compose", "include", 0, "concept", 1), {"display": "x"}, "compose.include[0].concept[1].code : il manque"),
        (NAMED, ("compose",), None, "compose : mettez un objet"),
        (NAMED, ("compose", "include", 1, "valueSet"), LEVELS_URL, "compose.include[1].valueSet : mettez une liste"),
        (LEVELS, ("compose", "exclude", 0, "system"), 3, "compose.exclude[0].system : mettez un texte"),
        (CODES, ("concept", 0, "concept", 0), {}, "concept[0].concept[0].code : il manque"),
        (WHOLE, ("differential", "element", 3), "x", "differential.element[3] : mettez un objet"),
        (WHOLE, ("snapshot",), None, "snapshot : mettez un objet"),
        (WHOLE, ("differential", "element", 0, "path"), None, "differential.element[0].path : mettez un texte"),
        (WHOLE, ("differential", "element", 1, "min"), "1", "differential.element[1].min : mettez un nombre"),
        (WHOLE, ("differential", "element", 1, "max"), "²", "differential.element[1].max : mettez « * »"),
        (WHOLE, ("differential", "element", 1, "max"), "9" * 5_000, "differential.element[1].max : mettez « * »"),
        (WHOLE, ("differential", "element", 3, "fixedCode"), None, "differential.element[3].fixed[x] : mettez la valeur"),
        (WHOLE, ("differential", "element", 3, "id"), f"Patient{'.a' * 5_000}", f"ce chemin compte {STEPS_MOST} étapes"),
        (WHOLE, ("differential", "element", 0, "type"), [{"code": "Patient", "profile": [f"{SD}personne"]}], "baseDefinition"),
    ],
)  # fmt: skip
def test_the_file_the_element_and_the_way_are_told(
    definition: Json, place: Place, value: Any, told: str, tmp_path: Path
):
    wrong = copy.deepcopy(definition)
    holder: Any = wrong
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    with pytest.raises(Invalid) as no:
        reading.read(tgz(tmp_path / "p.tgz", more={"package/wrong.json": orjson.dumps(wrong)}))
    assert no.value.told == "package.bad_file"
    assert no.value.message.startswith("wrong.json : ")
    assert told in no.value.message


def test_what_is_not_read_may_be_anything():
    assert first_wrong({**WHOLE, "status": 5, "text": [], "mapping": None}) is None
