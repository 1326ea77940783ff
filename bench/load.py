"""A bounded load from this process: keep-alive connections that ask a list of paths in turn."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = 1e6 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    requests: int
    seconds: float
    app_us: float  # CPU of the server's process per request

    @property
    def rps(self) -> float:
        return self.requests / self.seconds


def cpu(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def family_cpu(pid: int) -> int:
    """Of a process, of its children, and of those that ended: all of Postgres, by its first process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ended = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[13:15]))
    return cpu(pid) + ended + sum(map(_cpu_if_there, map(int, children)))


def _cpu_if_there(pid: int) -> int:
    """A worker of Postgres may end between two looks."""
    try:
        return cpu(pid)
    except FileNotFoundError:
        return 0


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def drive(
    port: int, pid: int, paths: Sequence[str], token: str, *, seconds: float, connections: int = 16
) -> Figure:
    """Ask for `seconds`. Raises RuntimeError on the first answer that is not 200: a figure of errors is no figure."""
    asks = _requests(port, paths, token)
    end, before, began = time.perf_counter() + seconds, cpu(pid), time.perf_counter()
    counts = await asyncio.gather(*(_one(port, asks, n, end) for n in range(connections)))
    took = time.perf_counter() - began
    total = sum(counts)
    return Figure(total, took, (cpu(pid) - before) * TICK / max(total, 1))


async def sent(port: int, path: str, token: str, bodies: Sequence[bytes], *, connections: int = 4) -> float:
    """Each body once, each connection its share in turn; the seconds it took. Raises RuntimeError as `drive`."""
    head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/fhir+json\r\n"
    asks = [f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(b)}\r\n\r\n".encode() + b for b in bodies]
    began = time.perf_counter()
    await asyncio.gather(*(_in_turn(port, asks[n::connections]) for n in range(connections)))
    return time.perf_counter() - began


async def asked(port: int, path: str, token: str, stop: asyncio.Event) -> list[tuple[float, int]]:
    """The same question again and again: when each was sent, and the status of its answer."""
    [ask] = _requests(port, [path], token)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told: list[tuple[float, int]] = []
    try:
        while not stop.is_set():
            sent = time.perf_counter()
            writer.write(ask)
            told.append((sent, int((await _answer(reader)).split(b" ", 2)[1])))
    finally:
        writer.close()
    return told


def _requests(port: int, paths: Sequence[str], token: str) -> list[bytes]:
    head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nAccept: application/fhir+json\r\n\r\n"
    return [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths]


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Its head; its body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
    return head


async def _one(port: int, asks: Sequence[bytes], first: int, end: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done, n = 0, first
    try:
        while time.perf_counter() < end:
            await _taken(reader, writer, asks[n % len(asks)])
            n += 7
            done += 1
    finally:
        writer.close()
    return done


async def _in_turn(port: int, asks: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for ask in asks:
            await _taken(reader, writer, ask)
    finally:
        writer.close()


async def _taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: bytes) -> None:
    writer.write(ask)
    head = await _answer(reader)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.split(b"\r\n", 1)[0].decode())
