"""An event socket in a process of its own that replays recorded events: `python -m ...esl_server RECORDING`.

It prints its port, lets everybody in, answers every command, and answers `api replay N` after it has sent N events.
"""

from __future__ import annotations

import gzip
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from telephony.freeswitch.codec import JSON_EVENT, EslDecoder

GREETING = b"Content-Type: auth/request\n\n"
REPLY = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
BATCH = 50


def response(body: bytes) -> bytes:
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def recorded(path: Path) -> list[bytes]:
    """The JSON events of channels in a recording, each as it was on the wire."""
    messages = EslDecoder().feed(gzip.decompress(path.read_bytes()))
    bodies = [
        message.body for message in messages if message.content_type == JSON_EVENT and b'"Unique-ID"' in message.body
    ]
    return [b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(body), body) for body in bodies]


class Replay:
    """One thread per connection; the one that subscribed to JSON hears the events."""

    def __init__(self, events: list[bytes]) -> None:
        self._events = events
        self._hearer: socket.socket | None = None

    def serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):  # the client has what it wanted
            self._converse(peer)

    def _converse(self, peer: socket.socket) -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(GREETING)
        pending = b""
        while data := peer.recv(65_536):
            *blocks, pending = (pending + data).split(b"\n\n")
            for block in filter(None, map(bytes.strip, blocks)):  # empty lines between commands mean nothing
                peer.sendall(self._answer(peer, block))

    def _answer(self, peer: socket.socket, block: bytes) -> bytes:
        words = block.split()
        if words[:2] == [b"event", b"json"]:
            self._hearer = peer
        if words[:2] == [b"api", b"replay"]:
            self._replay(int(words[2]))
        return response(b"+OK\n") if words[0] == b"api" else REPLY

    def _replay(self, count: int) -> None:
        assert self._hearer is not None
        for begin in range(0, count, BATCH):
            numbers = range(begin, min(begin + BATCH, count))
            self._hearer.sendall(b"".join(self._events[number % len(self._events)] for number in numbers))


def main() -> None:
    replay = Replay(recorded(Path(sys.argv[1])))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            peer, _ = listening.accept()
            threading.Thread(target=replay.serve, args=(peer,), daemon=True).start()


if __name__ == "__main__":
    main()
