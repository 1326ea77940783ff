"""An exported trail says what the base says; what was done to the file itself shows."""

import gzip
import json
from pathlib import Path

import pytest

from app.audit import export, heads
from app.audit.chain import Head
from app.audit.verify import verify
from app.kernel.crypto import Keyring
from app.kernel.db import NIL
from tests.audit.conftest import HERE, LINE, Connect
from tests.postgres import TestDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def exported(chained: TestDatabase, connect: Connect, tmp_path: Path) -> Path:
    path = tmp_path / "trail.jsonl"
    app, owner = await connect(chained.app_url), await connect(chained.owner_url)
    await app.execute(LINE, HERE, 2)
    assert await export.write(owner, path) == 1507
    return path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


async def test_a_line_not_sealed_yet_goes_too(exported: Path):
    [verdict] = [v for v in export.verify(exported) if v.organisation_id == HERE]
    assert (verdict.broken, verdict.links, verdict.lines, verdict.unsealed) == (None, 3, 1504, 2)


async def test_the_file_is_its_owner_s_alone_and_never_written_over(
    exported: Path, chained: TestDatabase, connect: Connect
):
    assert exported.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        await export.write(await connect(chained.owner_url), exported)


@pytest.mark.threat("trail-export-untraced")
async def test_the_export_is_a_line_of_the_trail(exported: Path, chained: TestDatabase, connect: Connect):
    owner = await connect(chained.owner_url)
    rows = await owner.fetch("SELECT kind, door FROM audit_entry WHERE action = 'export' AND organisation_id = $1", NIL)
    assert [tuple(row) for row in rows] == [("audit_entry", "system")]


@pytest.mark.threat("trail-export-changed")
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"é"', '"e"', "modifié"),
        ('"api"', '"page"', "modifié"),
        ('"entries":1500', '"entries":1499', "retirées"),
        ('"number":2', '"number":4', "manque"),
    ],
)
async def test_a_word_changed_in_the_file_is_found(exported: Path, old: str, new: str, why: str):
    text = exported.read_text()
    assert old in text
    exported.write_text(text.replace(old, new, 1))
    [verdict] = [v for v in export.verify(exported) if v.organisation_id == HERE]
    assert (verdict.broken is not None, why in str(verdict.why)) == (True, True)


@pytest.mark.threat("trail-export-changed")
@pytest.mark.parametrize("drop", [20, 1400])
async def test_a_line_taken_out_of_the_file_is_found(exported: Path, drop: int):
    told = lines(exported)
    assert '"line"' in told[drop]
    exported.write_text("".join([*told[:drop], *told[drop + 1 :]]))
    assert [v.broken for v in export.verify(exported) if v.organisation_id == HERE] == [1]


@pytest.mark.threat("trail-export-changed")
async def test_lines_in_another_order_are_found(exported: Path):
    told = lines(exported)
    told[30], told[31] = told[31], told[30]
    exported.write_text("".join(told))
    assert [v.broken for v in export.verify(exported) if v.organisation_id == HERE] == [1]


@pytest.mark.threat("trail-tail-cut")
async def test_an_organisation_left_out_is_found_by_its_head(exported: Path):
    told = [text for text in lines(exported) if str(HERE) not in text and '"link"' not in text and '"é"' not in text]
    exported.write_text("".join(told))
    verdicts = {v.organisation_id: v for v in export.verify(exported, {HERE: {3: Head(1, 3, b"x")}})}
    assert (verdicts[HERE].broken, "manque" in str(verdicts[HERE].why)) == (1, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: [],
        lambda told: told[1:],
        lambda told: [told[0], told[2]],
        lambda told: [*told, "{}\n"],
        lambda told: [*told, "[]\n"],
        lambda told: [*told, '{"line": [1]}\n'],
        lambda told: [*told, '{"link": {}}\n'],
        lambda told: [*told, told[3][:40]],
        lambda told: ['{"format": "another"}\n'],
    ],
)
async def test_another_file_is_refused_in_words(exported: Path, change: object):
    exported.write_text("".join(change(lines(exported))))  # type: ignore[operator]
    with pytest.raises(export.ExportFault):
        export.verify(exported)


@pytest.mark.parametrize("name", ["trail.jsonl", "trail.jsonl.gz"])
async def test_packed_or_not_it_reads_the_same(chained: TestDatabase, connect: Connect, tmp_path: Path, name: str):
    owner = await connect(chained.owner_url)
    await export.write(owner, tmp_path / name)
    there = await verify(owner, HERE)
    assert [v for v in export.verify(tmp_path / name) if v.organisation_id == HERE] == [there]
    first = (tmp_path / name).read_bytes()
    assert (
        json.loads((gzip.decompress(first) if name.endswith("gz") else first).splitlines()[0])["format"]
        == export.FORMAT
    )


async def test_a_packed_file_cut_short_is_refused_in_words(chained: TestDatabase, connect: Connect, tmp_path: Path):
    path = tmp_path / "trail.jsonl.gz"
    await export.write(await connect(chained.owner_url), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(export.ExportFault):
        export.verify(path)


async def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path):
    with pytest.raises(export.ExportFault):
        export.verify(tmp_path / "none.jsonl")


async def test_heads_are_met_far_from_the_server(chained: TestDatabase, connect: Connect, tmp_path: Path):
    keyring = Keyring.create(tmp_path / "keys.json")
    await heads.put(await connect(chained.sealer_url), keyring, tmp_path / "head.json")
    await export.write(await connect(chained.owner_url), tmp_path / "trail.jsonl")
    known = heads.read([tmp_path / "head.json"], heads.own_keys(keyring))
    assert [v.heads for v in export.verify(tmp_path / "trail.jsonl", known) if v.organisation_id == HERE] == [1]
