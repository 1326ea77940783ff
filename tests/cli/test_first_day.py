"""From an empty base to the first bearer, by the commands the README gives: no invented person on the way."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.features.settings.shipped import QUESTIONS
from tests.api.test_own_account import Phone
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, free_port

ROOT = Path(__file__).parents[2]
OPENING = (ROOT / "README.md").read_text().partition("## Ouvrir sa maison")[2].partition("\n## ")[0]
TYPED = re.findall(r"^dui (?:organisation|structure|account).*$", OPENING, re.MULTILINE)
COMMANDS = [shlex.split(line)[1:] for line in TYPED]


@pytest.fixture
def password() -> str:
    """That of the first account, as it was told once."""
    told = [typed(*words) for words in COMMANDS]
    assert [one.exit_code for one in told] == [0, 0, 0], [one.output for one in told]
    found = re.search(r"[Mm]ot de passe[^\n:]*: (\S+)", told[-1].output)
    assert found, told[-1].output
    return found[1]


def serving(base: TestDatabase, port: int) -> "subprocess.Popen[str]":
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DUI_DATABASE_URL": base.app_url,
        "DUI_KEY_FILE": os.environ["DUI_KEY_FILE"],
        "DUI_PUBLIC_ORIGINS": f"http://127.0.0.1:{port}",
    }
    run = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    return subprocess.Popen(run, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def client(environment: TestDatabase, password: str) -> Iterator[httpx2.Client]:
    for question in QUESTIONS:
        typed("settings", "answer", question.removeprefix("deployment."), "Fait.")
    port = free_port()
    server = serving(environment, port)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            end = time.monotonic() + 120
            while not ready(client) and server.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=40)


def ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_the_readme_gives_three_commands():
    assert [words[:2] for words in COMMANDS] == [["organisation", "add"], ["structure", "add"], ["account", "add"]]


def test_before_the_six_answers_it_does_not_start_and_says_which(environment: TestDatabase, password: str):
    server = serving(environment, free_port())
    _, said = server.communicate(timeout=120)
    assert (server.returncode == 0, "dui settings answer" in said, "héberge" in said) == (False, True, True)


def test_the_direction_inscribes_a_telephone_and_enters(password: str, client: httpx2.Client):
    form = {"username": "helene", "password": password}
    first = client.post("/oauth/token", data={"grant_type": "password", **form})
    assert first.json()["error"] == "mfa_enrolment_required"
    phone = Phone(client.post("/oauth/second-factor", data=form))
    confirmed = client.post("/oauth/second-factor/confirmation", data={**form, "otp": phone.next()})
    assert len(confirmed.json()["recovery_codes"]) == 10
    entered = client.post("/oauth/token", data={"grant_type": "password", **form, "otp": phone.next()})
    assert entered.status_code == 200, entered.text
    bearer = {"Authorization": f"Bearer {entered.json()['access_token']}"}
    houses = client.get("/api/v1/structures", headers=bearer).json()
    assert [one["model"] for one in houses["items"]] == ["ehpad"]
    opened = client.post("/api/v1/structures", headers=bearer, json={"name": "IME du Moulin", "model": "ime"})
    assert opened.status_code == 201, opened.text
