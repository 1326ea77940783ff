"""What the REST API says of who reads a row, and why."""

import msgspec


class Reader(msgspec.Struct, frozen=True):
    """`kind`: professional, usager, representative, partner. `why`: sentences, the one that decides first."""

    kind: str
    id: str
    role: str | None
    name: str | None
    reads: bool
    why: list[str]


class Explained(msgspec.Struct, frozen=True, omit_defaults=True):
    """`readers`: whoever reads the row today, or the one asked about. `after`: the same, had the question this answer."""

    kind: str
    id: str
    category: str
    readers: list[Reader]
    after: list[Reader] | None = None
