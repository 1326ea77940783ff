"""The servers that a bench asks: one uvicorn worker each, on a port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time

ORIGIN = "http://127.0.0.1:8000"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Served:
    """One uvicorn worker on a port of this machine, ended by its own id."""

    def __init__(self, target: str, env: dict[str, str], *more: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "uvicorn", target, "--port", str(self.port), "--no-access-log"]
        self.process = subprocess.Popen(
            [*command, "--log-level", "warning", "--loop", "uvloop", "--http", "httptools", *more],
            env=os.environ | env | {"DUI_PUBLIC_ORIGINS": f"{ORIGIN},http://127.0.0.1:{self.port}"},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(900):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{target} did not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
