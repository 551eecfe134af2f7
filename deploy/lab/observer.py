"""An independent witness: reads a manager connection of its own, and judges by Asterisk's own time stamps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from deploy.lab.asterisk import Asterisk


@dataclass(slots=True)
class Witness:
    """`arrived`: Uniqueid -> second of the hand-over. `bridged`: Uniqueid -> second of joining its first bridge.

    `mates`: bridge -> interaction ids of the channels that were ever in it; more than one is a wrong pair.
    """

    arrived: dict[str, float] = field(default_factory=dict)
    bridged: dict[str, float] = field(default_factory=dict)
    mates: dict[str, set[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def take(self, event: dict[str, str]) -> None:
        at, channel = float(event.get("Timestamp", "0")), event.get("Uniqueid", "")
        if event.get("UserEvent") == "SwitchroomCall":
            self.arrived.setdefault(channel, at)
        elif event.get("Event") == "BridgeEnter":
            bridge = event["BridgeUniqueid"]
            self.mates.setdefault(bridge, set()).add(event.get("SR_IID", ""))
            self.sizes[bridge] = max(self.sizes.get(bridge, 0), int(event["BridgeNumChannels"]))
            self.bridged.setdefault(channel, at)

    def entry_to_bridged_ms(self) -> list[float]:
        """For each caller that reached a bridge."""
        return [(self.bridged[c] - at) * 1000 for c, at in self.arrived.items() if c in self.bridged]

    def wrong_pairs(self) -> int:
        """Bridges with channels of two interactions, or of three channels."""
        return sum(len(ids) != 1 for ids in self.mates.values()) + sum(size > 2 for size in self.sizes.values())


class Observer:
    """`async with Observer(pbx) as o: ...; o.witness`"""

    def __init__(self, pbx: Asterisk) -> None:
        self.pbx, self.witness = pbx, Witness()

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.pbx.ami_port, limit=1 << 20)
        login = f"Action: Login\r\nUsername: {self.pbx.observer_user}\r\nSecret: {self.pbx.observer_secret}\r\n"
        self._writer.write(f"{login}Events: call,user\r\n\r\n".encode())
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            block = await self._reader.readuntil(b"\r\n\r\n")
            self.witness.take(dict(_headers(block.decode("utf-8", "replace"))))


def _headers(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "ChanVariable":  # several of them: each by the name of its variable
            name, _, value = value.partition("=")
        yield name, value
