"""`GET /fhir/Patient/{id}/$tddui-export`: one dossier as the transaction bundle by which TDDUI hands it to another DUI.

A partner is given what the person's agreement lets it read, within its scopes; the person, all that is shared with them.
A professional sends instead (`/api/v1/exchanges/sent`): they choose to whom, and under which ground.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui (flux 1.1)
"""

from base64 import b64encode
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access import several
from app.access.gate import Gate
from app.access.http import call_of, principal_at
from app.access.opening import opened
from app.access.permissions import Action, Kind
from app.access.refusal import MayNot, OutOfReach, refused
from app.api import formats
from app.api.errors import in_its_format
from app.api.fhir import FhirRoute, origin_of, said_by
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door, Ground
from app.exchange import dossier, sent
from app.exchange.dossier import Asked, Piece, Reader, Way
from app.exchange.sent import Manifest
from app.fhir.known_types import R4_TYPES
from app.fhir.search.names import not_taken
from app.fhir.search.values import BadValue, moment_of, uuid_of
from app.fhir.verbs.asking import out_of_scope
from app.kernel.answers import FHIR_JSON, FHIR_XML
from app.kernel.errors import Fault, Unreadable
from app.kernel.objects import Objects
from app.security import scopes
from app.security.principal import Partner, Principal, Professional, Representative

PATH = "/fhir/Patient/{id}/$tddui-export"
TAKEN = ("_type", "start", "end", "manifest", "_format")
TO_SEND = "Un professionnel transmet par /api/v1/exchanges/sent : il y choisit à qui, et sur quel fondement."


def routes() -> list[BaseRoute]:
    return [FhirRoute(path, _export, methods=["GET"], alone=True) for path in (PATH, f"{PATH}/")]


async def _export(request: Request) -> Response:
    formats.negotiate(request)
    state, who = request.app.state, await principal_at(request, Door.FHIR)
    said = _said(request)
    async with opened(who, call_of(request, Door.FHIR), state.keyring, state.lane, state.database) as gate:
        if isinstance(who, Professional):
            raise refused(MayNot, sent.SEND, Kind.EXCHANGE, why=TO_SEND)
        usager_id, found = await _found(gate, request.path_params["id"], said, state.objects)
        pieces = await dossier.with_named(gate, REGISTRY, found, partial(_reads, who))
        in_xml = bool(request.state.xml)
        body = sent.written(dossier.bundle(origin_of(request), usager_id, pieces), in_xml=in_xml)
        manifest = sent.manifest(pieces, body)
        if "manifest" in said:
            return in_its_format(request, _parameters(manifest))
        if isinstance(who, Partner) and request.method != "HEAD":  # of which nothing leaves
            sent.keep(gate, pieces, body, to=who.id, structure_id=who.structure_id, ground=Ground.ACCORD, by=None)
    digest = f"sha-256=:{b64encode(manifest.sha256).decode()}:"  # RFC 9530
    return Response(body, media_type=FHIR_XML if in_xml else FHIR_JSON, headers={"Repr-Digest": digest})


async def _found(gate: Gate, id: str, said: dict[str, Any], objects: Objects | None) -> tuple[UUID, list[Piece]]:
    """Raises OutOfReach, alike for a person who never was."""
    who, usager_id = gate.principal, uuid_of(id)
    types = said.get("_type", frozenset())
    if isinstance(who, Partner):
        types = await _within(gate, who, types)
    if usager_id:
        way = Way.PULL if isinstance(who, Partner) else Way.OWN
        outside = isinstance(who, Partner | Representative)
        reader = Reader(outside, of_person=not isinstance(who, Partner), objects=objects)
        asked = Asked(usager_id, types, start=said.get("start"), end=said.get("end"))
        if found := await dossier.gather(gate, REGISTRY, way, asked, reader):
            return usager_id, found
    raise refused(OutOfReach, Action.READ, Kind.USAGER)


def _reads(who: Principal, type_name: str) -> bool:
    return not isinstance(who, Partner) or scopes.cover(who.scopes, type_name, "r")


async def _within(gate: Gate, who: Partner, types: frozenset[str]) -> frozenset[str]:
    """The types asked for that this token reads. Raises Forbidden, traced, when none is left, or not the person, with whom
    a dossier begins.
    """
    if scopes.cover(who.scopes, "*", "r"):
        return types
    mine = frozenset(t for t in scopes.types(who.scopes) if scopes.cover(who.scopes, t, "r"))
    left = mine & types if types else mine
    if not left or dossier.PERSON not in mine:
        await several.refuse(gate, Action.READ, Kind.USAGER)
        raise out_of_scope(dossier.PERSON if dossier.PERSON not in mine else min(types), "r")
    return left


def _said(request: Request) -> dict[str, Any]:
    """Raises Unreadable naming each parameter at fault."""
    found: dict[str, Any] = {}
    faults = []
    for rank, (name, text) in enumerate(said_by(request)):
        if name not in TAKEN:
            faults.append(not_taken(name, rank, f"cette opération ne prend que {', '.join(TAKEN)}"))
        elif name in found:
            faults.append(Fault(name, "bad_parameter", f"{name} ne se dit qu'une fois."))
        elif name != "_format":
            try:
                found[name] = READ[name](text)
            except BadValue as bad:
                faults.append(Fault(name, "bad_parameter", f"{name} : {bad}."))
    if faults:
        raise Unreadable("Cette demande est à corriger.", faults=faults)
    return {name: value for name, value in found.items() if value is not False}


def _types(text: str) -> frozenset[str]:
    types = frozenset(text.split(","))
    if not types <= R4_TYPES:
        raise BadValue("des types de FHIR R4 sont attendus, séparés par des virgules")
    return types


def _from(text: str) -> datetime:
    return moment_of(text).low


def _until(text: str) -> datetime:
    return moment_of(text).high


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadValue("true ou false")
    return text == "true"


READ = {"_type": _types, "start": _from, "end": _until, "manifest": _yes}


def _parameters(manifest: Manifest) -> dict[str, Any]:
    """The manifest alone: what the bundle would hold, and its SHA-256."""
    profiles = [
        {
            "name": "profile",
            "part": [{"name": "canonical", "valueUri": profile}, {"name": "count", "valueInteger": many}],
        }
        for profile, many in manifest.profiles.items()
    ]
    counted = [
        {"name": "entries", "valueInteger": manifest.entries},
        {"name": "size", "valueInteger": manifest.size},
        {"name": "sha256", "valueString": manifest.sha256.hex()},
    ]
    return {"resourceType": "Parameters", "parameter": [*counted, *profiles]}
