"""The grids this server holds, and what it says of answers to them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from app.access.permissions import Category
from app.access.reading import Reading
from app.features.assessments import serafin
from app.fhir.packages.held import Held, held
from app.fhir.questionnaires import Codes, Question, asked, canonical, fhir_faults
from app.fhir.tddui import profile
from app.kernel.errors import Fault

Json = dict[str, Any]
OF_SUPPORT = frozenset({serafin.URL})  # what one needs to live; the others measure dependence, or care
PARTICIPANT = profile("qr-participant")
ANSWERED = profile("questionnaire-response")
RULES = {
    f"{ANSWERED}#extension:tddui-qr-participant": "assessment.no_holder",
    f"{ANSWERED}#source": "assessment.nobody",
}
NO_HOLDER = "Une auto-évaluation dit à qui elle est remise : ajoutez le porteur (TDDUIHolder)."
NOBODY = "Une évaluation dit qui l'a faite : un évaluateur, un responsable ou un auteur."


@dataclass(frozen=True, eq=False)
class Grid:
    """A questionnaire, and the codes of the value sets it draws on."""

    resource: Json
    codes: Codes = lambda _: None
    shipped: bool = True

    @property
    def url(self) -> str:
        return str(self.resource["url"])

    @property
    def version(self) -> str:
        return str(self.resource.get("version", ""))

    @property
    def named(self) -> str:
        return f"{self.url}|{self.version}" if self.version else self.url

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        return asked(self.resource.get("item", ()))


SHIPPED: Sequence[Grid] = (Grid(serafin.questionnaire()),)


def category_of(questionnaire: str) -> Category:
    """Of answers whose author does not say: what no one chose to open is care."""
    return Category.SUPPORT if canonical(questionnaire)[0] in OF_SUPPORT else Category.CARE


@lru_cache(maxsize=8)
def of(held: Held) -> Sequence[Grid]:
    """Ours, then those of the installed packages."""
    return (*SHIPPED, *(Grid(each, held.codes, shipped=False) for each in held.bodies.get("Questionnaire", ())))


async def find(reading: Reading, questionnaire: str) -> Grid | None:
    """The grid of this canonical, among those held now."""
    return named(questionnaire, SHIPPED) or named(questionnaire, of(await held(reading)))


def named(questionnaire: str, grids: Sequence[Grid]) -> Grid | None:
    """By `url|version`, or by `url` alone: then the last."""
    url, version = canonical(questionnaire)
    found = [grid for grid in grids if grid.url == url and version in ("", grid.version)]
    return max(found, key=lambda grid: [int(n) for n in re.findall(r"\d+", grid.version)], default=None)


def doubts(response: Json, where: str, held: Held) -> Iterator[Fault]:
    """What TDDUI asks of who answers, and the grid of the answers, of a QuestionnaireResponse that R4 allows."""
    source = str(response.get("source", {}).get("reference", ""))
    participants = [e for e in response.get("extension", ()) if e.get("url") == PARTICIPANT]
    holders = [
        e for p in participants for e in p.get("extension", ()) if e.get("url") in ("TDDUIHolder", "TDDUIPorteur")
    ]
    of_holder, of_source = RULES
    if "Patient/" in source and not holders:
        yield Fault(f"{where}.extension", RULES[of_holder], NO_HOLDER, of_holder)
    if not (source or "author" in response or participants):
        yield Fault(f"{where}.source", RULES[of_source], NOBODY, of_source)
    if grid := named(str(response.get("questionnaire", "")), of(held)):
        yield from fhir_faults(response, grid.questions, grid.codes, where)
