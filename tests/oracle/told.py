"""What of a row is told to who reads it: whose it is, and what a protected place hides (field.md §5; decisions.md)."""

from uuid import UUID

from tests.oracle.facts import Line
from tests.oracle.truth import Truth

OUTSIDE = ("partner", "representative")
REACHED = frozenset({
    "address", "address-city", "address-country", "address-postalcode", "email", "phone", "telecom",
})  # fmt: skip
OF_HOUSE = {
    "stay": ("class", "service-provider"),
    "event": ("service-provider",),
    "sharing_consent": ("organization",),
    "document": ("custodian",),
    "transport": ("owner",),
    "school_period": ("performer",),
}  # what leads to the house that holds the row
OF_PLACE = {
    "stay": ("class", "service-provider"),
    "event": ("practitioner",),
    "transport": ("owner",),
    "school_period": ("performer",),
}  # what leads to the place that the row tells


def whose(truth: Truth, row: Line) -> UUID:
    """The id by which they are told whose row this is. A partner is told of what it sent the id it was given, and learns
    no other: of two newcomers who are one person here, the one whom this very row named.
    """
    person: UUID = row["usager_id"]
    if row["origin_partner_id"] != truth.who.id or row["id"] == person:  # an identity is that of whom it declares
        return person
    names = truth.facts.names.get((truth.who.id, person), [])
    return next((one for one in names if (row["id"], one) in truth.facts.named), names[0] if names else person)


def hidden(truth: Truth, kind: str, row: Line, parameter: str) -> bool:
    """What this parameter reads is told to nobody of outside, but as its sender said it."""
    if truth.who.kind not in OUTSIDE or as_sent(truth, row):
        return False
    if kind in ("usager", "contact"):
        service = kind == "contact" and parameter == "name" and row["given_name"] is None
        return bool(row["address_protected"]) and (parameter in REACHED or service)
    in_house = parameter in OF_HOUSE.get(kind, ()) and (row["usager_id"], row["structure_id"]) in truth.facts.refuges
    return in_house or (parameter in OF_PLACE.get(kind, ()) and protected(truth, kind, row))


def as_sent(truth: Truth, row: Line) -> bool:
    """It stands as this caller said it, as does always who stands in a bundle."""
    said = row.get("origin_version", row["version"])
    return bool(row["origin_partner_id"] == truth.who.id and row["version"] == said)


def protected(truth: Truth, kind: str, row: Line) -> bool:
    """The place of the row itself; of a journey, that of the event it leads to."""
    if row["place_protected"] or kind != "transport":
        return bool(row["place_protected"])
    return any(e["place_protected"] for e in truth.facts.rows["event"] if e["id"] == row["event_id"])
