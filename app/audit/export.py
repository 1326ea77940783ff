"""The trail and its chain as a file that is checked far from the server: `dui audit export`, `dui audit verify --export`.

One JSON value a line: first what the file is; then, for each organisation, its id, and each link followed by its lines,
their columns in the order of `lines.COLUMNS`. Ids and acts, never a content; ids and addresses are personal data all the same.
"""

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import asyncpg

from app.audit.chain import Chain, Verdict
from app.audit.lines import COLUMNS, INSTANT
from app.audit.verify import CHAINS, EPOCH, NONE, Heads, told
from app.kernel.clock import now
from app.kernel.db import NIL

FORMAT = "dui-trail/1"
TRACED = """INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id)
    VALUES ($1, 'unknown', 'export', 'audit_entry', '{}', 'success', 'system', gen_random_uuid()::text)"""


class ExportFault(ValueError):
    """Not a trail as we export it: said in words."""


async def write(owner: asyncpg.Connection, path: Path) -> int:
    """The whole trail, as of now, in a new file only its owner reads; how many lines. The export is a line of it.

    Raises FileExistsError.
    """
    await owner.execute(TRACED, NIL)
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    count = 0
    with file, _packed(file, path) as out:
        async with owner.transaction(isolation="repeatable_read", readonly=True):
            _put(out, {"format": FORMAT, "made": now().strftime(INSTANT), "epoch": await owner.fetchval(EPOCH)})
            for [organisation] in await owner.fetch(CHAINS, NIL, []):
                _put(out, {"organisation": str(organisation)})
                async for link, line in told(owner, organisation):
                    if link is not None:
                        _put(out, {"link": {**link, "hash": link["hash"].hex()}})
                    if line is not None:
                        _put(out, {"line": [_plain(line[column]) for column in COLUMNS]})
                        count += 1
    return count


def verify(path: Path, heads: Heads = NONE) -> list[Verdict]:
    """The same verdicts as the base gives, with neither server nor base. Raises ExportFault."""
    verdicts: list[Verdict] = []
    chain: Chain | None = None
    try:
        said = _read(path)
        first = next(said)
        if first.get("format") != FORMAT:
            raise ExportFault("Ce fichier n'est pas une trace exportée par « dui audit export ».")
        seen = set[UUID]()
        for each in said:
            [(name, value)] = each.items()
            if name == "organisation":
                verdicts += [chain.verdict()] if chain else []
                chain = Chain(UUID(value), int(first["epoch"]), heads.get(UUID(value), {}))
                seen.add(chain.organisation_id)
            elif name == "link" and chain:
                chain.link({**value, "hash": bytes.fromhex(value["hash"])})
            elif name == "line" and chain:
                chain.line(dict(zip(COLUMNS, value, strict=True)))
            else:
                raise ExportFault("Ce fichier contient une ligne d'une autre forme.")
        verdicts += [chain.verdict()] if chain else []
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as exc:
        raise exc if isinstance(exc, ExportFault) else ExportFault("Ce fichier est illisible, ou coupé.") from exc
    missing = [
        Chain(organisation, int(first["epoch"]), heads[organisation]).verdict()
        for organisation in heads
        if organisation not in seen
    ]
    return sorted([*verdicts, *missing], key=lambda verdict: verdict.organisation_id)


def _packed(file: IO[bytes], path: Path) -> Any:
    return gzip.GzipFile(fileobj=file, mode="wb") if path.suffix == ".gz" else file


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for text in file:
            yield json.loads(text)


def _put(out: IO[bytes], said: Mapping[str, Any]) -> None:
    out.write(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(INSTANT)
    if isinstance(value, list):
        return [str(each) for each in value]
    return str(value) if isinstance(value, UUID) else value
