"""`make scan`: bandit and our own semgrep rules over app/; prints what no line of tools/scan.toml explains.

Both programs live in a venv of their own (requirements-scan.lock): semgrep brings sixty packages, some of them servers.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(os.environ.get("DUI_SCAN", ROOT / ".venv-scan" / "bin"))
RULES = ROOT / "tests" / "semgrep" / "rules.yml"
EXPLAINED = ROOT / "tools" / "scan.toml"
QUIET = ("--metrics=off", "--disable-version-check", "--no-git-ignore", "--quiet", "--json")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    path: str
    line: int
    rule: str


def semgrep(where: Path, root: Path = ROOT) -> Iterator[Found]:
    """What our rules find under `where`. Raises RuntimeError when a file could not be read whole."""
    told = _json([BIN / "semgrep", "scan", *QUIET, "--config", RULES, where.relative_to(root)], root)
    if told["errors"]:
        raise RuntimeError(f"semgrep: {told['errors'][0].get('message')}")
    for each in told["results"]:
        yield Found(each["path"], each["start"]["line"], each["check_id"].rpartition(".")[2])


def bandit(where: Path) -> Iterator[Found]:
    for each in _json([BIN / "bandit", "-r", where.relative_to(ROOT), "-q", "-f", "json"], ROOT)["results"]:
        yield Found(each["filename"], each["line_number"], each["test_id"])


def _json(command: list[object], root: Path) -> dict[str, list[dict[str, Any]]]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, env=environment, cwd=root)  # noqa: S603
    if not done.stdout.strip():
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    told: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return told


def unexplained(found: list[Found]) -> tuple[list[Found], list[str]]:
    """What no line explains; and the lines that explain nothing any more."""
    lines = tomllib.loads(EXPLAINED.read_text())["explained"]
    met = {n: [f for f in found if f.rule == e["rule"] and fnmatch(f.path, e["path"])] for n, e in enumerate(lines)}
    told = {f for each in met.values() for f in each}
    idle = [f"{lines[n]['rule']} {lines[n]['path']}" for n, each in met.items() if not each]
    return sorted(f for f in found if f not in told), idle


def main() -> int:
    new, idle = unexplained([*bandit(ROOT / "app"), *semgrep(ROOT / "app")])
    for each in new:
        print(f"{each.path}:{each.line}: {each.rule}")  # noqa: T201
    for line in idle:
        print(f"tools/scan.toml explains nothing any more: {line}")  # noqa: T201
    return int(bool(new or idle))


if __name__ == "__main__":
    sys.exit(main())
