"""Writing what one wants of one's life: the form of « Mon projet de vie ». What was said before stays."""

from pydantic import ValidationError
from starlette.responses import Response

from app.access.http import whom
from app.features.life_projects import service
from app.features.life_projects.schemas import MyLifeProjectIn, MyLifeProjectOut
from app.kernel.errors import Unreadable
from app.portal.acts import Acting, gone_back
from app.portal.frame import Screen


async def write(acting: Acting) -> Response:
    """Twice is once. Raises Unreadable, MayNot for who represents them."""
    gate = acting.checked(Screen.LIFE)
    try:
        said = MyLifeProjectIn.model_validate(
            {"words": acting.form.get("words"), "only_team": acting.ticked("only_team")}
        )
    except ValidationError:
        raise Unreadable("Ces mots ne sont pas lisibles.", where="words") from None
    latest = await gate.list(MyLifeProjectOut, service.OF_USAGER, 1, usager=whom(gate))
    shown = "not_shared" if said.only_team else "shared"
    if not any(row.mine and (row.words, row.visibility) == (said.words, shown) for row in latest):
        await service.write_mine(gate, said)
    return gone_back(Screen.LIFE)
