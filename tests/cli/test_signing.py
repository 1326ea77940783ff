"""What someone types to sign is asked for, and never shown."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SECRET = "n0t-to-be-shown"
ASKS = "from app.cli.signing import hidden; print(len(hidden('Mot de passe de helene')))"


def test_at_a_keyboard_it_is_asked_for_and_not_shown():
    keyboard, screen = pty.openpty()
    try:
        asked = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", ASKS],
            stdin=screen,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert asked.stderr
        prompt = b"Mot de passe de helene : "
        assert asked.stderr.read(len(prompt)) == prompt
        os.write(keyboard, f"{SECRET}\n".encode())
        told, _ = asked.communicate(timeout=60)
        os.set_blocking(keyboard, False)
        shown = b""
        with suppress(BlockingIOError):  # nothing at all was echoed
            shown = os.read(keyboard, 4096)
    finally:
        os.close(keyboard)
        os.close(screen)
    assert (told.strip(), SECRET.encode() in shown) == (str(len(SECRET)).encode(), False)
