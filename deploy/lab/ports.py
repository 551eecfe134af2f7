"""Private port blocks on 127.0.0.1, so that several labs can run at the same time.

A block is locked by a file lock, which the kernel drops when its owner dies; ports taken by strangers
are found by binding. All below the ephemeral range, where any outgoing connection may take a port.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

FIRST, STEP, SLOTS = 10000, 1060, 20
EPHEMERAL = 32768  # where Linux begins
SINGLE = 20  # ports at the start of a block for single services, the rest is one range


class NoFreePorts(RuntimeError):
    """Every block is taken."""


class ReservedPort:
    """One TCP port of 127.0.0.1 for a single service; `release` when done."""

    def __init__(self) -> None:
        """Raises NoFreePorts."""
        for number in range(FIRST + SLOTS * STEP, EPHEMERAL):
            locks = _lock(range(number, number + 1))
            if locks is None:
                continue
            self.number, self._locks = number, locks
            if _is_free(number):
                return
            self.release()
        raise NoFreePorts("no single port free")

    def release(self) -> None:
        """Give the port back; may be called twice."""
        self._locks = _unlock(self._locks)


class PortBlock:
    """`single(n)` for 0 <= n < 20, and `first_range` to `last_range` (inclusive); `release` when done."""

    def __init__(self, range_size: int = 1000) -> None:
        """Take a block whose range holds at least `range_size` ports; raises NoFreePorts."""
        slots = -(-(SINGLE + range_size) // STEP)
        for slot in range(SLOTS - slots + 1):
            locks = _lock(range(slot, slot + slots))
            if locks is None:
                continue
            self._locks = locks
            self.first = FIRST + slot * STEP
            self.first_range, self.last_range = self.first + SINGLE, self.first + slots * STEP - 1
            if all(_is_free(self.first + n) for n in range(SINGLE)):
                return
            self.release()
        raise NoFreePorts(f"no {slots} of {SLOTS} adjacent port blocks free")

    def single(self, index: int) -> int:
        if not 0 <= index < SINGLE:
            raise IndexError(index)
        return self.first + index

    def release(self) -> None:
        """Give the block back; may be called twice."""
        self._locks = _unlock(self._locks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock(slots: range) -> list[int] | None:
    directory = Path(tempfile.gettempdir()) / f"switchroom-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    taken: list[int] = []
    for slot in slots:
        descriptor = os.open(directory / str(slot), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        taken.append(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            _unlock(taken)
            if error.errno == errno.EWOULDBLOCK:
                return None
            raise
    return taken


def _unlock(descriptors: list[int]) -> list[int]:
    for descriptor in descriptors:
        os.close(descriptor)
    return []


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT does not count
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
