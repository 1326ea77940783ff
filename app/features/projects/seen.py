"""A project whole: read in one statement with its parts, and the fingerprint of what an answer is given on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.access.gate import Listing, Reading
from app.access.questions import Part
from app.access.reading import Whole
from app.features.projects.parts import (
    ActionOut,
    AgreementOut,
    ExpectationOut,
    GoalOut,
    MeansOut,
    NeedOut,
    PartOut,
    ReviewOut,
    ServiceOut,
)
from app.features.projects.schemas import MyProjectWhole, ProjectWhole
from app.features.projects.vocabulary import Answer, Party

NAMES = ("expectations", "needs", "goals", "actions", "services", "means", "reviews", "agreements")
VIEWS = (ExpectationOut, NeedOut, GoalOut, ActionOut, ServiceOut, MeansOut, ReviewOut, AgreementOut)
PARTS = tuple(
    Part(view, "project_id", ("signed_at", "id") if view is AgreementOut else ("occurred_at", "id")) for view in VIEWS
)
# What one agrees to: what is wanted, decided and done; neither how far it went, nor what was said of it since.
AGREED: dict[type[Any], tuple[str, ...]] = {
    ExpectationOut: ("origin", "said_by", "words", "comments"),
    NeedOut: ("text", "serafin"),
    GoalOut: ("title", "description", "kind", "strategy", "review_on"),
    ActionOut: ("title", "description", "expected_result", "owner_name", "starts", "ends"),
    ServiceOut: ("title", "description", "types"),
    MeansOut: ("title", "description"),
}
OF_PROJECT = ("number", "title", "description", "communication", "starts", "ends")
OF_THE_PERSON = (Party.USAGER.value, Party.REPRESENTATIVE.value)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Seen:
    """A project as one reader reads it. `sha256` changes when what they are asked to agree to changes."""

    project: ProjectWhole | MyProjectWhole
    parts: dict[str, Sequence[PartOut]]
    sha256: str

    @property
    def agreements(self) -> Sequence[AgreementOut]:
        return [part for part in self.parts["agreements"] if isinstance(part, AgreementOut)]

    @property
    def positions(self) -> list[AgreementOut]:
        """The last answer of each signer; the former ones stay in `agreements`."""
        return list({(a.party, a.signer_id, a.signer_name): a for a in self.agreements}.values())

    @property
    def disagreement(self) -> bool:
        """The person, or who represents them, last said no."""
        return any(a.answer == Answer.NO and a.party in OF_THE_PERSON for a in self.positions)

    @property
    def may_answer(self) -> bool:
        """The person, or who represents them, reads it."""
        return isinstance(self.project, MyProjectWhole) and self.project.may_answer

    def told(self) -> dict[str, Any]:
        """The project, its parts beside it, as REST says it."""
        hidden = ("minor", "disagreement")
        own = {name: getattr(self.project, name) for name in self.project.__struct_fields__ if name not in hidden}
        answers = {"positions": self.positions, "disagreement": self.disagreement, "seen": self.sha256}
        return {**own, **answers, **self.parts}


async def whole(gate: Reading, id: UUID) -> Seen:
    """As the team reads it. Raises OutOfReach, Gone."""
    return _seen(await gate.whole(ProjectWhole, id, PARTS))


async def mine(gate: Reading, id: UUID) -> Seen:
    """As the person, or who represents them, reads it. Raises OutOfReach, Gone."""
    return _seen(await gate.whole(MyProjectWhole, id, PARTS))


async def first_mine(gate: Reading, listing: Listing, **values: object) -> Seen | None:
    found = await gate.first_whole(MyProjectWhole, listing, PARTS, **values)
    return _seen(found) if found else None


def _seen(found: Whole[Any]) -> Seen:
    project, parts = found
    return Seen(project, dict(zip(NAMES, parts, strict=True)), fingerprint(project, parts))


def fingerprint(project: Any, parts: Sequence[Sequence[Any]]) -> str:
    """SHA-256 of the words one is asked to agree to, as JSON, in the order they are shown."""
    said = [[getattr(project, name) for name in OF_PROJECT]]
    said += [
        [part.id, *(getattr(part, name) for name in AGREED[type(part)])]
        for rows in parts
        for part in rows
        if type(part) in AGREED
    ]
    return hashlib.sha256(_encode(said)).hexdigest()
