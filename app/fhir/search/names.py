"""What is told of a parameter that is not served: never its name, which may hold a NIR, unless R4 has it too."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self

from app.fhir.known_parameters import R4_PARAMETERS
from app.kernel.errors import Fault

CLOSE = 0.7  # as difflib counts: `patiant` is close to `patient`, `banana` to nothing
ALL = "parameter"  # where all of them are, as FHIRPath says those of a Parameters
METADATA = "ceux qu'il prend sont dans /fhir/metadata"


class Left(tuple[tuple[str, str], ...]):
    """Pairs of which some were taken out before: `ranks` are theirs among all that were sent, from 0."""

    ranks: Sequence[int]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], ranks: Sequence[int]) -> Self:
        found = cls(pairs)
        found.ranks = ranks
        return found


def ranks_of(said: Sequence[tuple[str, str]]) -> Sequence[int]:
    return said.ranks if isinstance(said, Left) else range(len(said))


def spot(rank: int) -> str:
    """As an `expression` tells a parameter whose name can't be: counted from 0, as FHIRPath counts."""
    return f"{ALL}[{rank}]"


def ordinal(rank: int) -> str:
    return "1er" if rank == 0 else f"{rank + 1}e"


def near(name: str, known: Iterable[str]) -> str:
    """The one that was meant, when one is close indeed."""
    return next(iter(get_close_matches(name[:64], sorted(known), 1, CLOSE)), "")


def instead(name: str, known: Iterable[str]) -> str:
    """What to say in its place: a clause."""
    close = near(name, known)
    nearest = f"le plus proche : {close}" if close else ""
    if name in R4_PARAMETERS:
        return " ; ".join(filter(None, [f"R4 connaît {name}, ce serveur ne le sert pas ici", nearest]))
    return nearest or METADATA


def not_taken(name: str, rank: int, takes: str) -> Fault:
    """Of a verb whose parameters are few: `takes` says them, in a clause."""
    if name in R4_PARAMETERS:
        return Fault(name, "unknown_parameter", f"{name} n'est pas pris ici : {takes}.")
    return Fault(spot(rank), "unknown_parameter", f"Le {ordinal(rank)} paramètre n'existe pas ici : {takes}.")


def ranked(pairs: Sequence[tuple[str, str]], *but: str) -> list[tuple[int, str, str]]:
    """Each with its rank among all that were sent, without those of these names."""
    return [(rank, name, text) for rank, (name, text) in zip(ranks_of(pairs), pairs, strict=True) if name not in but]


def unknown(name: str, rank: int, known: Iterable[str]) -> tuple[str, str]:
    """Where it stands, and the sentence."""
    if name in R4_PARAMETERS:
        return name, f"{instead(name, known)}."
    return spot(rank), f"Le {ordinal(rank)} paramètre n'existe pas ici ; {instead(name, known)}."
