"""Why someone reads or does not, in plain words: said from the facts of the policy, in the order in which they decide."""

from app.access.explaining import Row, Someone
from app.access.permissions import Reach
from app.security.principal import Caller

NEVER = "Son rôle ne lit jamais cela."
REACHES: dict[Reach, str] = {
    Reach.STRUCTURE: "Son rôle lit cela de toutes les personnes de la structure.",
    Reach.TEAM: "Son rôle lit cela des personnes qu'il accompagne.",
    Reach.REFERENT: "Son rôle lit cela des personnes dont il est le référent nommé.",
    Reach.TEAM_CONSIGNE: "Son rôle n'en lit que les consignes, des personnes qu'il accompagne.",
    Reach.PURPOSE: "Son rôle lit cela après avoir choisi un motif.",
}
STOPS: dict[str, str] = {
    "held": "L'élément attend dans le sas.",
    "opposed": "La personne s'oppose à cette lecture.",
    "reserved": "L'élément est réservé à d'autres.",
    "narrowed": "La structure ne l'ouvre pas à ce rôle.",
}
OPENS: dict[str, str] = {
    "accompanies": "Accompagne la personne.",
    "emergency": "A ouvert un accès en urgence, qui court encore.",
    "purpose": "A choisi un motif, qui court encore.",
    "on_call": "Est d'astreinte pour cette structure.",
    "together": "Une équipe commune réunit sa structure et celle-ci.",
    "sent": "L'a envoyé.",
    "granted": "La personne a dit oui à ce partage.",
}
LACKS: dict[str, str] = {
    "here": "Ne travaille pas dans cette structure.",
    "accompanies": "N'accompagne pas la personne.",
    "granted": "Aucun accord en cours ne couvre cet élément.",
    "mandated": "Aucun mandat en cours n'ouvre cela.",
    "shown": "L'élément n'est pas partagé sur la page de la personne.",
}
SECRET = "La personne, mineure, a demandé le secret."  # noqa: S105  a sentence
HERS = "C'est son dossier, et l'élément est partagé avec elle."
HOLDS = "Son mandat ouvre cela."
TEAM_ONLY = "La structure ne l'ouvre à ce rôle que pour les personnes qu'il accompagne."


def why(one: Someone, row: Row) -> list[str]:
    """Sentences, the one that decides first."""
    if one.kind is Caller.PROFESSIONAL and one.role is not None:
        return _why_staff(one, row, row.reach(one.role))
    if one.kind is Caller.PARTNER:
        return _of(one, ("sent", "granted")) if one.reads else _stopped(one) or [LACKS["granted"]]
    if one.reads:
        return [HERS if one.kind is Caller.USAGER else HOLDS]
    secret = [SECRET] if one.kind is Caller.REPRESENTATIVE and "secret" in one.facts else []
    return [*_stopped(one), *secret, *_lacking(one, ("mandated", "shown"))]


def _why_staff(one: Someone, row: Row, reach: Reach | None) -> list[str]:
    opened = _of(one, ("accompanies", "emergency", "purpose", "on_call", "together"))
    usual = [REACHES[reach]] if reach in REACHES else []
    if one.reads:
        return [*usual, *opened]
    if reach is None:
        return [NEVER]
    stopped = _stopped(one)
    if "narrowed_to_team" in one.facts and "accompanies" not in one.facts:
        stopped.append(TEAM_ONLY)
    lacks = ["here"] if reach is Reach.STRUCTURE else ["accompanies", "here"]
    return [*stopped, *usual, *_lacking(one, lacks)]


def _stopped(one: Someone) -> list[str]:
    return [words for name, words in STOPS.items() if name in one.facts]


def _of(one: Someone, names: tuple[str, ...]) -> list[str]:
    return [OPENS[name] for name in names if name in one.facts]


def _lacking(one: Someone, names: list[str] | tuple[str, ...]) -> list[str]:
    return [LACKS[name] for name in names if name not in one.facts]
