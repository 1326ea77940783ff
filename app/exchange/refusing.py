"""Why a bundle is refused, told whole: once a check has refused it, what the next ones have to say of it too.

All of this is done on the way to a refusal alone. A fault is not told again by a later check at the same element.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.exchange.journal import Receiving
from app.fhir.checking import MAX_FAULTS
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue
from app.fhir.packages.held import NOTHING, held
from app.fhir.profiles import judging
from app.fhir.profiles.judging import Judge
from app.fhir.reading import Bundle, Entry, NotR4, envelope
from app.fhir.references import Links
from app.fhir.registry import Registry
from app.fhir.remains import NONE, Aside, whole
from app.fhir.tolerance import Doubts, misled, tolerated
from app.fhir.verbs import acts
from app.kernel.errors import Fault, Invalid, Unreadable

# What an entry asks is said by these together: one that is malformed, nothing is known of it.
ASKED_BY = ("", ".request", ".request.method", ".request.url", ".resource", ".resource.id", ".resource.resourceType")


@dataclass(frozen=True, slots=True)
class Taking:
    registry: Registry
    origin: str
    strict: bool


@dataclass(slots=True)
class Refusals:
    """Several of one bundle, told as the first."""

    told: list[Invalid] = field(default_factory=list)

    def add(self, no: Invalid, where: str = "Bundle") -> None:
        """`where`: what it refuses, when it does not say."""
        no.faults = no.faults or (Fault(where, no.told, no.message),)
        self.told.append(no)

    def tell(self) -> None:
        """Raises the first, with the faults of all."""
        if self.told:
            first, *others = self.told
            raise joined(first, [each.faults for each in others])


def joined(no: Invalid, checks: Iterable[Iterable[Fault]], beside: Aside = NONE) -> Invalid:
    """With what later checks say; `beside`: of what R4 blames, nothing."""
    faults = list(no.faults)
    for check in checks:
        said = {(fault.where, fault.code) for fault in faults}
        faults += [fault for fault in check if (fault.where, fault.code) not in said and beside.lets(fault)]
    no.faults = tuple(faults[:MAX_FAULTS])
    return no


def asking(judge: Judge, bundle: Bundle, links: Links) -> Doubts:
    """What the profiles of an entry ask of it, whose references lead to the others."""

    def asks(entry: Entry) -> Iterator[Fault | Issue]:
        def leads(target: str) -> Json | None:
            place = links.lead(target, entry.at)
            return None if place is None else whole(bundle.entries[place].resource)

        return judge.asks(entry.resource, f"{entry.where}.resource", judging.claimed(entry.resource), leads)

    return asks


async def of_r4(gate: Receiving, no: NotR4, taking: Taking) -> Invalid:
    """The refusal, with what is wrong of what stays once what is not R4 was set aside."""
    bundle, beside = await asyncio.to_thread(no.left)
    return no if bundle is None else await further(gate, no, bundle, taking, beside)


async def further(gate: Receiving, no: Invalid, bundle: Bundle, taking: Taking, beside: Aside = NONE) -> Invalid:
    """The refusal, with what the next checks say of this bundle; to the letter, what its profiles ask too."""
    judge = judging.judge(taking.registry, await held(gate, profiles=True) if taking.strict else NOTHING)
    checks = await asyncio.to_thread(lambda: [*_checks(bundle, judge, taking, beside)])
    return joined(no, checks, beside)


def _checks(bundle: Bundle, judge: Judge, taking: Taking, beside: Aside) -> Iterator[list[Fault]]:
    yield list(envelope(bundle))
    try:
        acts.read(bundle, taking.origin)
    except Unreadable as no:
        yield [fault for fault in no.faults if _is_known(fault, beside)]
    yield [fault for fault in misled(bundle) if _is_known(fault, beside)]
    if taking.strict:
        yield [fault for fault in _doubts(bundle, judge) if ".request." not in fault.where or _is_known(fault, beside)]


def _doubts(bundle: Bundle, judge: Judge) -> Iterable[Fault]:
    asks = asking(judge, bundle, Links(bundle.entries))
    try:
        tolerated(bundle, judge.known, judged=judge.installed, versions=judge.versions, also=asks, strict=True)
    except Invalid as no:
        return led_within(no).faults
    return ()


def led_within(no: Invalid) -> Invalid:
    """But for where references lead, when that was not found out."""
    no.faults = tuple(fault for fault in no.faults if fault.code != "unresolved")
    return no


def _is_known(fault: Fault, beside: Aside) -> bool:
    entry = fault.where[: fault.where.index("]") + 1]
    return not any(beside.gone(f"{entry}{name}") for name in ASKED_BY)
