"""For applications of the person: the card's link and code against a token of `/api/v1/me`, and giving it back.

The link's own token opens no door by itself: it is only ever half of a key.
"""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.access import entering
from app.access.http import call_of
from app.audit.vocabulary import Door
from app.features.access_cards.lasting import LASTING
from app.kernel.clock import now
from app.kernel.fields import Body
from app.security import dependencies, sessions
from app.security.principal import Representative

router = APIRouter(prefix="/me/session", tags=["connexion"])


class Card(Body):
    """The link as it is printed, or only its last part; the code of the other slip."""

    link: Annotated[str, Field(min_length=1, max_length=300, examples=["https://dui.example/p/…"])]
    code: Annotated[str, Field(min_length=1, max_length=20, examples=["123456"])]


class PersonToken(BaseModel):
    access_token: str
    token_type: str
    expires_in: int
    kind: Annotated[str, Field(description="usager, ou representative : qui représente la personne")]
    usager_id: str


@router.post(
    "",
    status_code=201,
    operation_id="openMySession",
    response_model=PersonToken,
    responses={401: {"description": "Ce code ne marche pas"}, 429: {"description": "Trop d'essais"}},
)
async def enter(said: Card, request: Request) -> Response:
    """Le lien et le code de la carte, contre un jeton de `/api/v1/me`."""
    state, call = request.app.state, call_of(request, Door.ME)
    link = said.link.strip().rpartition("/")[2]
    opened = await entering.by_card(state.database, state.keyring, call, link, said.code, LASTING)
    who = opened.principal
    usager = who.usager_id if isinstance(who, Representative) else who.id
    told = PersonToken(
        access_token=opened.token,
        token_type="Bearer",  # noqa: S106
        expires_in=int(who.expires - now().timestamp()),
        kind=who.shape.kind.value,
        usager_id=str(usager),
    )
    return JSONResponse(told.model_dump(), 201, {"Cache-Control": "no-store"})


@router.delete("", status_code=204, operation_id="closeMySession", responses={401: {"description": "Qui êtes-vous ?"}})
async def leave(request: Request) -> Response:
    """Quitter : le jeton ne sert plus, tout de suite."""
    state = request.app.state
    who = await dependencies.caller(request, dependencies.Door.ME)
    async with state.database.session(None) as session:
        await sessions.end(session, who)
        await entering.trace(session, call_of(request, Door.ME), entering.END, who)
        await session.commit()
    return Response(status_code=204)
