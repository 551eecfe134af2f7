"""Load with SIPp: many plain calls, none of them listened to."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child
from deploy.lab.programs import find_sipp


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls as SIPp's own statistics count them."""

    created: int = 0
    succeeded: int = 0
    failed: int = 0


class Sipp:
    """One SIPp process.

    with Sipp.callers(pbx.sip, "7001", rate=10, calls=100, hold_ms=3000) as load:
        load.wait(60); load.counts()
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        """`arguments` are SIPp's own with the remote host; addresses and statistics are added."""
        self.directory = Path(tempfile.mkdtemp(prefix="switchroom-sipp-"))
        self._port = ReservedPort()
        self.port = self._port.number
        self._statistics = self.directory / "statistics.csv"
        local = ["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(self.port)]
        output = ["-trace_stat", "-stf", str(self._statistics), "-fd", "1", "-trace_err", "-nostdin"]
        self._command = [str(find_sipp()), *arguments, *local, *output]
        self._child: Child | None = None

    @classmethod
    def callers(cls, server: tuple[str, int], number: str, *, rate: float, calls: int, hold_ms: int = 3000) -> Self:
        """Callers who dial `number` at `rate` per second, talk `hold_ms` and hang up (scenario uac)."""
        amount = ["-r", f"{rate:g}", "-m", str(calls), "-d", str(hold_ms)]
        return cls([f"{server[0]}:{server[1]}", "-sn", "uac", "-s", number, *amount])

    @classmethod
    def answerers(cls) -> Self:
        """A far end which answers every call on `port` and sends the audio back (scenario uas)."""
        return cls(["-sn", "uas", "-rtp_echo"])

    def start(self) -> Self:
        self._child = Child(self._command, self.directory / "screen.log", self.directory)
        return self

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    def wait(self, timeout: float) -> int:
        """Until all calls are through: 0 = all succeeded, 1 = some failed (as SIPp says)."""
        if self._child is None:
            raise RuntimeError("SIPp was not started")
        return self._child.wait(timeout)

    def counts(self) -> Counts:
        """The last statistics written (once a second, and at the end)."""
        if not self._statistics.exists():
            return Counts()
        with self._statistics.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        if not rows:
            return Counts()
        last = rows[-1]
        return Counts(int(last["TotalCallCreated"]), int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]))

    def errors(self) -> str:
        """What SIPp complained about."""
        return "\n".join(path.read_text("utf-8", "replace") for path in self.directory.glob("*_errors.log"))

    def close(self) -> None:
        """End it, give the port back, remove its files."""
        if self._child:
            self._child.stop()
        self._port.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
