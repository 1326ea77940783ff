"""Three layers merged at read: the country's as shipped, the organisation's and its model's, the structure's."""

import re
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import true

from app.access.gate import Gate, Listing, Reading
from app.access.permissions import Action
from app.features.settings.models import Setting
from app.features.settings.schemas import SettingIn, SettingOut, SettingPatch
from app.features.settings.shipped import MODELS, QUESTIONS, SHIPPED
from app.features.settings.tuned import THIS
from app.features.structures.schemas import StructureOut
from app.kernel.clock import now
from app.kernel.errors import Invalid

ALL = Listing(true(), ("key", "scope", "id"), newest_first=False)
MOST = 1_000
SCOPE = re.compile(
    r"organisation|model:(?P<model>[a-z_]+)|structure:(?P<structure>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


async def merged(gate: Reading, structure_id: UUID) -> dict[str, dict[str, Any]]:
    """Each key's value for one structure, and the layer it comes from. Raises OutOfReach."""
    structure = await gate.get(StructureOut, structure_id)
    told = {
        key: {"value": s.value, "from": "national", "about": s.about, "source": s.source, "among": s.among}
        for key, s in SHIPPED.items()
    }
    for key, value in MODELS[structure.model].items():
        told[key] |= {"value": value, "from": f"model:{structure.model}"}
    rows = {(row.scope, row.key): row.value for row in await gate.list(SettingOut, ALL, MOST)}
    for scope in ("organisation", f"model:{structure.model}", f"structure:{structure.id}"):
        for key in SHIPPED:
            if (scope, key) in rows:
                told[key] |= {"value": orjson.loads(rows[scope, key]), "from": scope}
    return told


async def put(gate: Gate, said: SettingIn) -> Setting:
    """Raises Invalid naming what is wrong: the scope, a key we do not ship, a value of another type or out of bounds."""
    value = _checked(said.key, said.value)
    match = SCOPE.fullmatch(said.scope)
    if match is None or (match["model"] and match["model"] not in MODELS):
        raise Invalid("Portée : organisation, model:<modèle> ou structure:<id>.", where="/scope", code="setting.scope")
    if SHIPPED[said.key].whole and said.scope != "organisation":
        raise Invalid(
            "Ce réglage vaut pour toute l'organisation : portée organisation.", where="/scope", code="setting.whole"
        )
    if match["structure"] and not await gate.list(StructureOut, THIS, 1, structure=UUID(match["structure"])):
        raise Invalid("Cette structure n'existe pas ici.", where="/scope", code="setting.scope")
    return gate.add(Setting(scope=said.scope, key=said.key, value=value, by=gate.principal.id))


async def change(gate: Gate, id: UUID, version: int, said: SettingPatch) -> Setting:
    row = await gate.entry(Setting, id, Action.UPDATE, version)
    return await gate.change(row, value=_checked(row.key, said.value), since=now(), by=gate.principal.id)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Setting, id, Action.DELETE, version))


def _checked(key: str, value: Any) -> str:
    shipped = SHIPPED.get(key)
    if shipped is None:
        raise Invalid(
            "Ce réglage n'existe pas. La liste est dans les réglages d'une structure.", where="/key", code="setting.key"
        )
    right = type(value) is shipped.kind
    if right and shipped.least is not None and shipped.most is not None:
        right = shipped.least <= value <= shipped.most
    if shipped.among and right and value not in shipped.among:
        words = " · ".join(f"{word} ({said})" for word, said in shipped.among.items())
        raise Invalid(f"L'un de : {words}.", where="/value", code="setting.value")
    if not right:
        bounds = f" entre {shipped.least} et {shipped.most}" if shipped.least is not None else ""
        kinds = {int: "Un nombre entier", bool: "Vrai ou faux", str: "Un texte"}
        raise Invalid(f"{kinds[shipped.kind]}{bounds} est attendu.", where="/value", code="setting.value")
    return orjson.dumps(value).decode()


def unanswered(answers: dict[str, str]) -> list[str]:
    """Of the six questions before a real person, those without an answer."""
    return [question for key, question in QUESTIONS.items() if not answers.get(key, "").strip()]
