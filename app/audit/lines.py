"""What a line of the trail says, as bytes any tool can rebuild: in SQL to seal, in Python to verify.

Each column in this order, written `octets:text` (absent: `-`); instants in UTC to the microsecond; ids joined by commas.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

COLUMNS = (
    "epoch",
    "xid",
    "id",
    "at",
    "organisation_id",
    "principal_kind",
    "principal_id",
    "role",
    "on_behalf_of",
    "action",
    "kind",
    "usager_id",
    "entry_ids",
    "ground",
    "outcome",
    "door",
    "address",
    "request_id",
)
GENESIS = bytes(32)
INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"


def _as_text(column: str) -> str:
    match column:
        case "at":
            return "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        case "entry_ids":
            return "array_to_string(entry_ids, ',')"
        case _:
            return f"{column}::text"


def _line_of(column: str) -> str:
    text = _as_text(column)
    return f"coalesce(octet_length({text}) || ':' || {text}, '-')"


LINE_SQL = (
    f"concat({', '.join(map(_line_of, COLUMNS))})"  # one string written, where a chain of || copies at each column
)
LINE_HASH_SQL = f"sha256(convert_to({LINE_SQL}, 'UTF8'))"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(?P<at>[0-9a-f]{14})\.(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def name_of(at: datetime, id: UUID | str) -> str:
    """A line as it is asked for: its moment in µs, sixteen by sixteen, then its id; both make its key."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1):014x}.{id}"


def named(name: str) -> tuple[datetime, UUID] | None:
    """None: no line of ours is named so."""
    found = _NAME.fullmatch(name)  # so many digits stop before the year 4254
    return (_EPOCH + timedelta(microseconds=int(found["at"], 16)), UUID(found["id"])) if found else None


def line_hash(row: Mapping[str, object]) -> bytes:
    return hashlib.sha256("".join(_told(row[c]) for c in COLUMNS).encode()).digest()


def _told(value: object) -> str:
    match value:
        case None:
            return "-"
        case datetime():
            text = value.astimezone(UTC).strftime(INSTANT)
        case list():
            text = ",".join(str(UUID(str(v))) for v in value)
        case _:
            text = str(value)
    return f"{len(text.encode())}:{text}"


def link_hash(before: bytes, header: str, line_hashes: bytes) -> bytes:
    """`header` names the link: number, cluster, epoch, span. `line_hashes` are joined in the order (xid, id)."""
    return hashlib.sha256(before + header.encode() + line_hashes).digest()


def header(number: int, cluster: str, epoch: int, from_xid: int, to_xid: int) -> str:
    return f"{number} {cluster} {epoch} {from_xid} {to_xid}\n"
