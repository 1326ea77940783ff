"""Reading what a partner publishes: its page and nothing else, bounded in time and in bytes."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.security import outbound
from app.security.outbound import MOST, Outbound, Unreachable, is_public
from tests.security.publisher import Publisher, publishing


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publishing(tmp_path_factory.mktemp("publisher")) as made:
        yield made


async def refused(rules: Outbound, url: str) -> str:
    with pytest.raises(Unreachable) as told:
        await rules.read(url)
    return str(told.value)


class TestAddresses:
    @pytest.mark.threat("outbound-private-address")
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.0.1",  # noqa: S104
            "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "203.0.113.1",
            "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fec0::1", "fc00::1",
            "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::",
            "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:7f00:1::1",
        ],
    )  # fmt: skip
    def test_what_is_not_the_internet_is_never_reached(self, address: str):
        assert not is_public(ipaddress.ip_address(address))

    @pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "2002:909:909::1"])
    def test_what_is_the_internet_may_be(self, address: str):
        assert is_public(ipaddress.ip_address(address))

    @pytest.mark.threat("outbound-private-address")
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"]
    )
    async def test_this_machine_is_refused_however_it_is_written(self, publisher: Publisher, host: str):
        before = len(publisher.asked)
        port = publisher.origin.rpartition(":")[2]
        assert await refused(Outbound(tls=publisher.outbound.tls), f"https://{host}:{port}/jwks.json") in (
            "not a public address",
            "no answer",  # a way of writing that this machine's resolver does not read
        )
        assert len(publisher.asked) == before

    @pytest.mark.threat("outbound-rebinding")
    async def test_a_name_is_resolved_once_and_all_it_says_is_judged(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ):
        """A name server that answers a public address first, and ours to the next question, is asked no second one."""
        answers = [["9.9.9.9", "127.0.0.1"], ["127.0.0.1"]]
        questions: list[str] = []

        def resolved(host: str, port: int, **_: Any) -> list[Any]:
            questions.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers[len(questions) - 1]]

        monkeypatch.setattr(outbound.socket, "getaddrinfo", resolved)
        assert await refused(Outbound(), "https://keys.test/") == "not a public address"
        assert questions == ["keys.test"]


class TestTheAddressAsked:
    @pytest.mark.threat("outbound-not-https")
    @pytest.mark.parametrize(
        "url",
        [
            "http://localhost/jwks.json",
            "file:///etc/passwd",
            "https:///jwks.json",
            "https://user@localhost/",
            "https://localhost:0/",
            "https://localhost:99999/",
            "https://[/",
            "https://local host/",
            "https://localhost/\r\nX: y",
            "https://é.test/",
            "https://localhost/" + "a" * 1000,
            "",
        ],
    )
    async def test_only_a_plain_https_address_is_read(self, publisher: Publisher, url: str):
        assert await refused(publisher.outbound, url) == "not an https address"

    async def test_the_question_after_the_path_is_asked_too(self, publisher: Publisher):
        await publisher.outbound.read(f"{publisher.url}?house=1")
        assert publisher.asked[-1] == "/jwks.json?house=1"

    async def test_without_a_path_the_root_is_asked(self, publisher: Publisher):
        await publisher.outbound.read(publisher.origin)
        assert publisher.asked[-1] == "/"


class TestTheAnswer:
    async def test_a_page_is_given_whole(self, publisher: Publisher):
        assert await publisher.outbound.read(publisher.url) == b'{"keys": []}'

    @pytest.mark.threat("outbound-redirect")
    async def test_no_redirect_is_followed(self, publisher: Publisher):
        assert await refused(publisher.outbound, f"{publisher.origin}/redirect") == "not a 200: no redirect is followed"
        assert publisher.asked[-1] == "/redirect"

    async def test_a_page_that_is_not_there_is_not_read(self, publisher: Publisher):
        assert await refused(publisher.outbound, f"{publisher.origin}/absent") == "not a 200: no redirect is followed"

    @pytest.mark.threat("outbound-large")
    async def test_a_large_page_is_not_kept(self, publisher: Publisher):
        assert await refused(publisher.outbound, f"{publisher.origin}/large") == "too large"
        assert len(await publisher.outbound.read(f"{publisher.origin}/largest")) == MOST

    @pytest.mark.threat("outbound-slow", "outbound-large")
    @pytest.mark.parametrize("path", ["/endless", "/headers"])
    async def test_one_byte_at_a_time_is_too_slow(self, publisher: Publisher, path: str):
        began = time.monotonic()
        hurried = Outbound(publisher.outbound.allowed, publisher.outbound.tls, within=0.5)
        assert await refused(hurried, publisher.origin + path) == "too slow"
        assert time.monotonic() - began < 2

    @pytest.mark.threat("outbound-slow")
    async def test_a_machine_that_never_speaks_is_too_slow(self, publisher: Publisher):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://localhost:{silent.getsockname()[1]}/"
            hurried = Outbound(publisher.outbound.allowed, publisher.outbound.tls, within=0.3)
            assert await refused(hurried, url) in ("too slow", "no answer")

    @pytest.mark.threat("outbound-slow")
    async def test_once_given_up_nothing_begins(self, publisher: Publisher):
        line = outbound.Line(outbound.parsed(publisher.url), publisher.outbound)
        line.hang_up()
        with pytest.raises(Unreachable):
            line.read()

    async def test_noise_is_no_answer(self, publisher: Publisher):
        assert await refused(publisher.outbound, f"{publisher.origin}/noise") == "no answer"

    @pytest.mark.threat("outbound-false-certificate")
    async def test_a_certificate_nobody_vouches_for_is_refused(self, publisher: Publisher):
        stranger = Outbound(publisher.outbound.allowed, ssl.create_default_context())
        before = len(publisher.asked)
        assert await refused(stranger, publisher.url) == "no answer"
        assert len(publisher.asked) == before

    async def test_a_door_that_is_closed_is_no_answer(self, publisher: Publisher, tmp_path: Path):
        with socket.create_server(("127.0.0.1", 0)) as closing:
            port = closing.getsockname()[1]
        assert await refused(publisher.outbound, f"https://localhost:{port}/") == "no answer"
