"""Child processes which are ended by pid, and die with their parent even when that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# Runs in the child before the program itself, with the same pid: asks the kernel for SIGKILL when the
# parent ends (prctl 1 = PR_SET_PDEATHSIG). Not preexec_fn, which is unsafe and deprecated with threads.
_WRAPPER = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "if os.getppid() != int(sys.argv[1]): os._exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


class ProcessFailed(RuntimeError):
    """A program did not come up, or ended by itself."""


def children_of(pid: int) -> list[int]:
    """The pids of the processes that a process has started; none when it has ended."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether a process runs, ours or not; one that has ended and was not waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(") ")[2][:1] not in "ZX"


class Child:
    """One running program; its output goes to `log`."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Start `command` (an absolute path and arguments).

        Only from the main thread: the kernel ties the child to the thread which started it.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start child processes from the main thread")
        self.log = log
        wrapper = [sys.executable, "-I", "-S", "-c", _WRAPPER, str(os.getpid())]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*wrapper, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=cwd,
                env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "LANG": "C.UTF-8", **(env or {})},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait_until(self, is_up: Callable[[], bool], timeout: float) -> float:
        """Poll until `is_up`; returns the seconds waited, raises ProcessFailed with the end of the log."""
        started = time.monotonic()
        while not is_up():
            if not self.is_running:
                raise ProcessFailed(f"ended with {self.exit_code}: {self.tail()}")
            if time.monotonic() - started > timeout:
                raise ProcessFailed(f"not up after {timeout} s: {self.tail()}")
            time.sleep(0.02)
        return time.monotonic() - started

    def wait(self, timeout: float) -> int:
        """The exit code; subprocess.TimeoutExpired when it is still running."""
        return self._process.wait(timeout)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, patience: float = 5.0) -> None:
        """SIGTERM, and SIGKILL when it has not ended after `patience` seconds; may be called twice."""
        if self.is_running:
            self._process.send_signal(signal.SIGCONT)  # a frozen process could not end
            self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._process.kill()
        self._process.wait()

    def tail(self, size: int = 2000) -> str:
        """The end of the log."""
        return self.log.read_text("utf-8", "replace")[-size:]


class Server(ABC):
    """A private server of the lab: one child process, which can break and come back on the same ports and data.

    with RedisServer() as server: ...

    A subclass has `start`, which sets `_child` and returns itself, and `close`, which stops it and gives back what
    it holds.
    """

    name = "server"  # as messages call it
    _child: Child | None = None

    @abstractmethod
    def start(self) -> Self:
        """Start (again) and wait until it serves; raises ProcessFailed."""

    @abstractmethod
    def close(self) -> None:
        """Stop, and remove what is temporary."""

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    def stop(self) -> None:
        """SIGTERM: an orderly end."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash: what it held is lost, nobody is told."""
        self._running().kill()

    def freeze(self) -> None:
        """Stop the process in its tracks until `thaw`: its sockets stay open, the kernel accepts, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """An orderly restart on the same ports and data."""
        self.stop()
        self.start()

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
