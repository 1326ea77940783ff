"""What leaves for those who run the server: log lines and counts, never a received value."""

import io
import json
import logging
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from app.api import metrics, middleware
from app.api.middleware import JsonFormatter, log_to_stdout

NIR = "147720425367430"


def record(logger: str, words: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(logger, logging.WARNING, "x.py", 1, words, args, told)


def broken() -> ValueError:
    try:
        int("12 rue " + NIR)
    except ValueError as exc:
        return exc
    raise AssertionError


class TestLines:
    def test_of_a_request_that_nobody_reads_any_more_are_dropped(self, monkeypatch: pytest.MonkeyPatch):
        gone = io.StringIO()
        gone.close()
        monkeypatch.setattr("sys.stdout", gone)
        middleware.line(route="/x")

    def test_of_ours_name_the_event(self):
        line = json.loads(JsonFormatter().format(record("dui.sealer", "sealer_interrupted")))
        assert line == {"level": "WARNING", "logger": "dui.sealer", "event": "sealer_interrupted"}

    @pytest.mark.threat("privacy-log-values")
    def test_of_a_library_keep_no_argument(self):
        line = JsonFormatter().format(record("asyncpg", "value %s refused", NIR))
        assert json.loads(line) == {"level": "WARNING", "logger": "asyncpg"}

    @pytest.mark.threat("privacy-log-values")
    def test_of_an_error_say_its_type_and_where_never_its_words(self):
        line = JsonFormatter().format(record("uvicorn.error", f"Failed {NIR}", error=broken()))
        told = json.loads(line)
        assert (told["error"], [at.partition(":")[0] for at in told["at"]]) == ("ValueError", ["test_told_outside.py"])
        assert NIR not in line


class TestStdout:
    @pytest.fixture(autouse=True)
    def as_before(self) -> Iterator[None]:
        root = logging.getLogger()
        handlers, level = [*root.handlers], root.level
        yield
        root.handlers[:] = handlers
        root.setLevel(level)

    def test_holds_our_lines_and_warnings_of_others(self, capsys: pytest.CaptureFixture[str]):
        log_to_stdout()
        logging.getLogger("dui.sealer").info("sealed")
        logging.getLogger("asyncpg").info("chatter")
        logging.getLogger("asyncpg").warning("trouble")
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["logger"] for line in said] == ["dui.sealer", "asyncpg"]


class TestCounts:
    def test_are_read_on_a_port_of_their_own(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        metrics.serve(port)
        metrics.observe("GET", "/a/{template}", 200, 0.01)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert 'route="/a/{template}"' in answer.read().decode()
