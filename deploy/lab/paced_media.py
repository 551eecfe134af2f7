"""The audio of very many calls in one process: one clock sends for all of them, and nothing is read while it comes.

The kernel keeps the first seconds of what comes, with the time of each packet; they are looked at when somebody asks,
or at the end. So a call costs some 250 microseconds of a core per second.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from contextlib import suppress

from deploy.lab.audio import DECODE, FRAME, SILENCE
from deploy.lab.media import FRAME_S, PCMU, Media

# Linux, 64 bit: the time at which the kernel got a datagram, as seconds and nanoseconds.
SO_TIMESTAMPNS = 35
_KEPT_BYTES = 200_000
_LOUD = bytes(abs(value) > 300 for value in DECODE)
_LOUD_SAMPLES = 20  # in a packet that is not silence


class Pacer:
    """One per event loop. Begins with the first voice, ends when there is none."""

    def __init__(self) -> None:
        self._voices: set[PacedMedia] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, media: PacedMedia) -> None:
        self._voices.add(media)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def discard(self, media: PacedMedia) -> None:
        self._voices.discard(media)

    async def _run(self) -> None:
        due = time.monotonic()
        while self._voices:
            for media in tuple(self._voices):
                media.send_next()
            due = max(due + FRAME_S, time.monotonic() - 10 * FRAME_S)  # what is long past is not made up for
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        self._task = None


class PacedMedia(Media):
    """As Media, without digits and without ears but for `heard_at_s`."""

    def __init__(self, pacer: Pacer, host: str, tone: int | None) -> None:
        super().__init__(host, tone)
        self._pacer = pacer
        self._socket: socket.socket | None = None
        self._sent = 0
        self._sequence, self._stamp = random.randint(0, 30000), random.randint(0, 1 << 30)
        self._source = random.getrandbits(32)
        self._heard_at_s: float | None = None

    async def start(self) -> None:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KEPT_BYTES)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.bind((self.host, 0))

    def stop(self) -> None:
        self._pacer.discard(self)
        if self._socket is not None and self._socket.fileno() >= 0:
            self.heard_at_s()
            self._socket.close()

    @property
    def port(self) -> int:
        if self._socket is None:
            raise RuntimeError("media not started")
        return int(self._socket.getsockname()[1])

    def take_sdp(self, body: bytes, sending: bool = True) -> None:
        super().take_sdp(body, sending=False)
        if sending and not self.is_dumb:
            self._pacer.add(self)

    def send_next(self) -> None:
        """One packet of 20 ms."""
        if self.remote is None or self._socket is None:
            return
        at = self._sent * FRAME
        payload = (self.voice or b"")[at : at + FRAME] or SILENCE
        header = struct.pack(
            "!BBHII", 0x80, PCMU, (self._sequence + self._sent) & 0xFFFF, (self._stamp + at) & 0xFFFFFFFF, self._source
        )
        self._sent += 1
        with suppress(OSError):  # the other side has closed its port, or the network is full: that packet is lost
            self._socket.sendto(header + payload, self.remote)

    def heard_at_s(self) -> float | None:
        """When the first sound came, in seconds of the epoch; None while there was nothing but silence."""
        while self._socket is not None and self._socket.fileno() >= 0:
            try:
                packet, extras, _, _ = self._socket.recvmsg(2048, 64)
            except OSError:  # nothing is left
                break
            if self._heard_at_s is None and _is_loud(packet):
                times = [struct.unpack("qq", data) for _, kind, data in extras if kind == SO_TIMESTAMPNS]
                self._heard_at_s = times[0][0] + times[0][1] / 1e9 if times else time.time()
        return self._heard_at_s


def _is_loud(packet: bytes) -> bool:
    return len(packet) > 12 and packet[1] & 0x7F == PCMU and sum(packet[12:].translate(_LOUD)) >= _LOUD_SAMPLES
