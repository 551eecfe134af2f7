"""Bytes of the manager interface into messages. Pure.

What panoramisk does here is replaced: it decodes each TCP chunk for itself (and drops what it cannot), lets a block
grow without bound, and turns repeated headers into lists where a string is expected.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BLOCK_END = b"\r\n\r\n"
MAX_BLOCK_BYTES = 64 * 1024
BANNER = "Asterisk Call Manager/"


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One event or response. Header names are in lower case; of a repeated header `headers` has the first value."""

    headers: dict[str, str]
    repeated: dict[str, list[str]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.headers.get(name, "")

    def all(self, name: str) -> list[str]:
        """Every value of a header that may occur several times."""
        if name in self.repeated:
            return self.repeated[name]
        return [self.headers[name]] if name in self.headers else []

    @property
    def event(self) -> str:
        return self.headers.get("event", "")


class AmiDecoder:
    """Feed it chunks of any size. `banner` is the greeting; `oversized` counts blocks that were thrown away."""

    def __init__(self, max_block_bytes: int = MAX_BLOCK_BYTES) -> None:
        self._max = max_block_bytes
        self._buffer = bytearray()
        self._is_skipping = False
        self.oversized = 0
        self.banner = ""

    def feed(self, chunk: bytes) -> list[AmiMessage]:
        """The messages which this chunk completes, in order."""
        # Where a terminator may begin: up to three bytes before what is new.
        start = max(0, len(self._buffer) - 3)
        self._buffer += chunk
        messages: list[AmiMessage] = []
        begin = 0
        while (end := self._buffer.find(BLOCK_END, max(begin, start))) >= 0:
            self._take(bytes(self._buffer[begin:end]), messages)
            begin = end + len(BLOCK_END)
        del self._buffer[:begin]
        if len(self._buffer) > self._max:
            self._drop_unfinished()
        return messages

    def _take(self, block: bytes, messages: list[AmiMessage]) -> None:
        if self._is_skipping or len(block) > self._max:
            self.oversized += not self._is_skipping
            self._is_skipping = False
            return
        message = self._parse(block.decode("utf-8", "replace"))
        if message is not None:
            messages.append(message)

    def _drop_unfinished(self) -> None:
        self.oversized += not self._is_skipping
        self._is_skipping = True
        del self._buffer[:-3]

    def _parse(self, block: str) -> AmiMessage | None:
        headers: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        for line in block.split("\r\n"):
            name, separator, value = line.partition(":")
            if not separator:
                if line.startswith(BANNER):
                    self.banner = line
                continue
            name, value = name.lower(), value.removeprefix(" ")
            if name in headers:
                repeated.setdefault(name, [headers[name]]).append(value)
            else:
                headers[name] = value
        return AmiMessage(headers, repeated) if "event" in headers or "response" in headers else None
