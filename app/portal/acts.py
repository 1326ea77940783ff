"""What the person does on their page: a form, its secret, the same rule as everywhere, then back to the screen."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from app.access.gate import Gate
from app.access.http import open_as, principal_at
from app.access.signed_in import Ending
from app.audit.vocabulary import Door
from app.features.calendar import service as calendar
from app.features.consents import answers as consents
from app.features.consents.schemas import AnswerIn
from app.features.projects import agreeing
from app.features.projects.schemas import OpinionIn, PositionIn
from app.features.projects.vocabulary import Feeling
from app.kernel import forms
from app.kernel.errors import Unreadable
from app.kernel.forms import File, Form
from app.portal import csrf
from app.portal.door import cookie_of
from app.portal.frame import Answer, Screen

RIGHT, WRONG = "right", "wrong"
SAVED = "note"  # of the address gone back to
FILE, PROSE = "file", ("words",)  # the fields that hold a file, or several lines
CHECKED = "true"  # the value of a box
E = TypeVar("E", bound=StrEnum)
G = TypeVar("G", bound=Gate)


@dataclass(frozen=True, slots=True)
class Acting:
    gate: Gate
    form: Form
    file: File | None = None

    def checked(self, *screens: Screen) -> Gate:
        """The gate, for a form of one of these screens. Raises StaleForm."""
        csrf.check(self.gate.keyring, self.gate.principal.session_id, self.form, *screens)
        return self.gate

    def ticked(self, name: str) -> bool:
        return self.form.get(name) == CHECKED

    def word(self, name: str, of: type[E]) -> E:
        try:
            return of(self.form.get(name, ""))
        except ValueError:
            raise Unreadable("Cette réponse n'est pas dans la liste.", where=name) from None


async def _acts(request: Request, cookie: Annotated[str, Depends(cookie_of)]) -> AsyncIterator[Acting]:
    csrf.check_site(request)
    form = await forms.read(request, prose=PROSE)
    async with open_as(Gate, request, Door.PAGE) as gate:
        yield Acting(gate, form)


async def _sends(request: Request, cookie: Annotated[str, Depends(cookie_of)]) -> AsyncIterator[Acting]:
    """The same, with a file: read once it is known who sends it."""
    csrf.check_site(request)
    await principal_at(request, Door.PAGE)
    form, file = await forms.read_parts(request, FILE)
    async with open_as(Gate, request, Door.PAGE) as gate:
        yield Acting(gate, form, file)


PageActing = Annotated[Acting, Depends(_acts, scope="function")]
PageSending = Annotated[Acting, Depends(_sends, scope="function")]


def posted(kind: type[G], screen: Screen) -> Callable[..., AsyncIterator[G]]:
    """A gate of this kind, opened by the one form of this screen that says nothing but yes."""

    async def opened(request: Request, cookie: Annotated[str, Depends(cookie_of)]) -> AsyncIterator[G]:
        csrf.check_site(request)
        form = await forms.read(request)
        async with open_as(kind, request, Door.PAGE) as gate:
            csrf.check(gate.keyring, gate.principal.session_id, form, screen)
            yield gate

    return opened


PageEnding = Annotated[Ending, Depends(posted(Ending, Screen.ACCESS), scope="function")]


async def close_elsewhere(gate: Ending) -> Response:
    await gate.end_others()
    return gone_back(Screen.ACCESS)


async def take_position(acting: Acting) -> Response:
    gate = acting.checked(Screen.PROJECT)
    try:
        said = PositionIn.model_validate(
            {name: acting.form.get(name) for name in ("answer", "seen")} | {"project_id": acting.form.get("project")}
        )
    except ValidationError:
        raise Unreadable("Cette réponse n'est pas lisible.") from None
    await agreeing.take_position(gate, said)
    return gone_back(Screen.PROJECT)


async def give_opinion(acting: Acting, goal_id: UUID) -> Response:
    gate = acting.checked(Screen.PROJECT)
    feeling = acting.word("feeling", Feeling)
    await agreeing.give_opinion(gate, OpinionIn.model_validate({"goal_id": goal_id, "feeling": feeling.value}))
    return gone_back(Screen.PROJECT)


async def come(acting: Acting, event_id: UUID) -> Response:
    gate = acting.checked(Screen.AGENDA)
    await calendar.come(gate, event_id, acting.word("answer", Answer).value)
    return gone_back(Screen.AGENDA)


async def answer(acting: Acting, question_id: UUID) -> Response:
    """An answer, or what was noted confirmed."""
    gate = acting.checked(Screen.AGREEMENTS, Screen.HOME)
    noted = acting.form.get("noted")
    if noted in (RIGHT, WRONG):
        await consents.confirm(gate, question_id, noted == RIGHT)
    else:
        said = acting.word("answer", Answer).value
        shown = acting.form.get("wording")
        try:
            answered = AnswerIn.model_validate({"answer": said, "wording_sha256": shown})
        except ValidationError:
            raise Unreadable("Cette page n'est pas celle de cette question.", where="wording") from None
        await consents.give(gate, question_id, answered)
    return gone_back(Screen.AGREEMENTS)


def gone_back(screen: Screen) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(f"{screen.path}?{SAVED}=1", 303, headers)
