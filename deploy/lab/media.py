"""The audio of one call: RTP with PCMU and telephone events (RFC 4733), a tone out, tones and digits in."""

from __future__ import annotations

import asyncio
import random
import re
import struct
import time
from typing import Any

from deploy.lab.audio import FRAME, RATE, SILENCE, spectrum, tone_bytes

FRAME_S = FRAME / RATE
DIGITS = "0123456789*#ABCD"
PCMU, EVENT = 0, 101
STALE_S = 0.3  # no packet for so long: silence, whatever was heard before


class Media(asyncio.DatagramProtocol):
    """One RTP socket on a free port of `host`; sends `tone` (or silence) from the first remote SDP on.

    `voice`: what is sent instead, once, with silence behind it; `is_dumb`: not a single packet is sent.
    """

    def __init__(self, host: str, tone: int | None) -> None:
        self.host = host
        self.tone = tone_bytes(tone) if tone else None
        self.mute = self.is_dumb = False
        self.voice: bytes | None = None
        self.digits = ""
        self.received = bytearray()
        self.received_packets = 0
        self.remote: tuple[str, int] | None = None
        self.local_direction = self.remote_direction = "sendrecv"
        self._received_at = 0.0
        self._event_in: int | None = None
        self._events_out: list[tuple[int, int, bool, bool]] = []
        self._sdp_version = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the socket; a second call does nothing."""
        if self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))

    def stop(self) -> None:
        """Close the socket and stop sending; may be called twice."""
        if self._transport:
            self._transport.close()
        if self._sender:
            self._sender.cancel()

    @property
    def port(self) -> int:
        if self._transport is None:
            raise RuntimeError("media not started")
        return int(self._transport.get_extra_info("sockname")[1])

    # ------------------------------------------------------------------ SDP
    def sdp(self, direction: str | None = None) -> bytes:
        """The next session description; `direction` also becomes the local one."""
        self._sdp_version += 1
        self.local_direction = direction or self.local_direction
        lines = (
            "v=0",
            f"o=- 1 {self._sdp_version} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {PCMU} {EVENT}",
            f"a=rtpmap:{PCMU} PCMU/{RATE}",
            f"a=rtpmap:{EVENT} telephone-event/{RATE}",
            f"a=fmtp:{EVENT} 0-16",
            "a=ptime:20",
            f"a={self.local_direction}",
            "",
        )
        return "\r\n".join(lines).encode()

    def take_sdp(self, body: bytes, sending: bool = True) -> None:
        """Learn where the other side listens and, if `sending`, begin to send."""
        text = body.decode("utf-8", "replace")
        address = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", text, re.MULTILINE)
        if address and port:
            self.remote = (address.group(1), int(port.group(1)))
        self.remote_direction = direction.group(1) if direction else "sendrecv"
        if sending and not self._sender:
            self._sender = asyncio.get_running_loop().create_task(self._send())

    # ------------------------------------------------------------------ out
    async def _send(self) -> None:
        sequence, timestamp, source = (
            random.randint(0, 30000),
            random.randint(0, 1 << 30),
            random.getrandbits(32),
        )
        position = spoken = event_timestamp = 0
        due = time.monotonic()
        while self._transport and not self._transport.is_closing():
            if self.remote and self.local_direction in ("sendrecv", "sendonly") and not self.is_dumb:
                if self._events_out:
                    event, duration, is_end, is_first = self._events_out.pop(0)
                    event_timestamp = timestamp if is_first else event_timestamp
                    kind, stamp = EVENT | (0x80 if is_first else 0), event_timestamp
                    payload = struct.pack("!BBH", event, 0x80 | 10 if is_end else 10, duration)
                else:
                    kind, stamp, payload = PCMU, timestamp, self._audio(position, spoken)
                header = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
                self._transport.sendto(header + payload, self.remote)
                sequence += 1
            timestamp, spoken = timestamp + FRAME, spoken + FRAME
            position = (position + FRAME) % RATE
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _audio(self, position: int, spoken: int) -> bytes:
        if self.voice is not None:
            return self.voice[spoken : spoken + FRAME] or SILENCE
        return SILENCE if self.tone is None or self.mute else self.tone[position : position + FRAME]

    async def send_digits(self, digits: str, duration_ms: int = 100) -> None:
        """Press the digits one after the other; returns when the last one was sent."""
        packets = max(1, duration_ms // 20)
        for digit in digits:
            event = DIGITS.index(digit)
            self._events_out += [(event, FRAME * (i + 1), False, i == 0) for i in range(packets)]
            self._events_out += [(event, FRAME * packets, True, False)] * 3
            while self._events_out:
                await asyncio.sleep(FRAME_S)
            await asyncio.sleep(3 * FRAME_S)

    # ------------------------------------------------------------------ in
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if len(data) < 12:
            return
        kind, timestamp = data[1] & 0x7F, int.from_bytes(data[4:8])
        if kind == PCMU:
            self.received_packets += 1
            self.received += data[12:]
            self._received_at = time.monotonic()
            if len(self.received) > RATE * 2:
                del self.received[:RATE]
        elif kind == EVENT and len(data) >= 16 and data[13] & 0x80 and timestamp != self._event_in:
            self._event_in = timestamp
            self.digits += DIGITS[data[12]] if data[12] < 16 else "?"

    def error_received(self, exc: Exception) -> None:
        """The other side has closed its port: nothing to do."""

    def spectrum(self, frequencies: tuple[float, ...], window_ms: int = 200) -> tuple[dict[float, float], float]:
        """Share of the received energy at each frequency in the last `window_ms`, and the level."""
        size = RATE * window_ms // 1000
        if len(self.received) < size or time.monotonic() - self._received_at > STALE_S:
            return dict.fromkeys(frequencies, 0.0), 0.0
        return spectrum(bytes(self.received[-size:]), frequencies)
