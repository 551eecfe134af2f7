"""What a webhook may connect to, and for how long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpcore
import pytest

from tests.integration.receiver import Receiver
from workers.webhook_http import Forbidden, Guard, post

pytestmark = pytest.mark.req("API-06")
LOCAL = Guard(allow_private=("127.0.0.0/8",), allow_http=True)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_reached(address: str, is_allowed: bool) -> None:
    assert Guard().is_allowed(address) is is_allowed


def test_a_configured_network_is_reached_and_no_other() -> None:
    guard = Guard(allow_private=("10.1.0.0/16", "fd00::/8"))
    assert [guard.is_allowed(a) for a in ("10.1.9.9", "fd00::7", "10.2.0.1", "127.0.0.1")] == [True, True, False, False]


def test_a_name_that_leads_to_a_private_address_is_not_connected_to() -> None:
    with Receiver() as receiver:
        # Names as the resolver knows them: no address by its looks, and this very machine all the same.
        urls = [receiver.url().replace("127.0.0.1", name) for name in ("127.1", "2130706433", "0x7f.1")]
        for url in urls:
            with pytest.raises(Forbidden, match="not public"):
                post(url, {}, b"{}", Guard(allow_private=("10.0.0.0/8",), allow_http=True), 2.0)
        assert receiver.got == []
        assert post(urls[0], {}, b"{}", LOCAL, 2.0).status == 204
        with pytest.raises(Forbidden):
            post(receiver.url().replace("127.0.0.1", "localhost"), {}, b"{}", Guard(allow_http=True), 2.0)


def test_plain_http_is_refused_unless_allowed() -> None:
    with Receiver() as receiver, pytest.raises(Forbidden):
        post(receiver.url(), {}, b"{}", Guard(allow_private=("127.0.0.0/8",)), 2.0)


@contextmanager
def dripping(reply: bytes, every_s: float) -> Iterator[str]:
    """A server that sends one byte of its answer after the other, each well within any time-out of a single read."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for byte in reply:
                    connection.send(bytes([byte]))
                    if over.wait(every_s):
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join()


def test_an_answer_that_drips_ends_at_the_deadline_of_the_whole_exchange() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X-More: 1\r\n" * 100 + b"\r\n"
    began_s = time.monotonic()
    with dripping(reply, 0.05) as url, pytest.raises(httpcore.TimeoutException):
        post(url, {}, b"{}", LOCAL, 0.6)
    assert time.monotonic() - began_s < 1.5


def test_of_a_huge_answer_only_a_little_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sent: list[int] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
                sent.extend(connection.send(b"x" * 100_000) for _ in range(1000))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert post(f"http://127.0.0.1:{listener.getsockname()[1]}/", {}, b"{}", LOCAL, 5.0).status == 200
        thread.join()
    assert sum(sent) < 50_000_000
