"""One simulated PBX with its connector, as the hall runs it: what is submitted, what waits while a link is down."""

from __future__ import annotations

from collections.abc import Callable

from routing.app.connector import OVERTAKEN
from routing.app.repeats import REPEATABLE
from routing.core.commands import Command, HangUpLeg
from routing.core.facts import CommandEnded, CommandOutcome, Fact, LinkRestored
from telephony.simulated import LinkTimings, SimulatedPbx, SimulatedPort, VirtualClock
from telephony.simulated.channel import Timings


class Node:
    """`feed` takes what the connector tells the engine."""

    def __init__(self, clock: VirtualClock, name: str, feed: Callable[[Fact], object], *, seed: int = 0) -> None:
        self.clock, self._feed = clock, feed
        self.pbx = SimulatedPbx(clock, name, seed=seed, timings=Timings(take_within_ms=60_000))
        self._stream: list[Command] = []
        self._unfinished: dict[str, Command] = {}
        self.is_connector_up = True
        self.port = SimulatedPort(self.pbx, LinkTimings())

    def begin(self) -> None:
        self.port.begin(self._fact)

    def _fact(self, fact: Fact) -> None:
        if isinstance(fact, CommandEnded) and self._is_said_again(fact):
            return
        waiting = self._catch_up() if isinstance(fact, LinkRestored) else []
        self._feed(fact)
        for overtaken in waiting:
            self._feed(CommandEnded(pbx=self.pbx.name, command_id=overtaken.id, outcome=CommandOutcome.UNKNOWN))

    def _is_said_again(self, end: CommandEnded) -> bool:
        """As the connector does with orders of unknown fate which may be carried out twice, and with refused
        hang-ups.
        """
        command = self._unfinished.pop(end.command_id, None)
        is_refused = end.outcome is CommandOutcome.REFUSED and isinstance(command, HangUpLeg)
        if not isinstance(command, REPEATABLE) or not (is_refused or end.outcome is CommandOutcome.UNKNOWN):
            return False
        self.clock.call_at(self.clock.now_ms + 1000, lambda: self.pass_on(command))
        return True

    def pass_on(self, command: Command) -> None:
        """To the PBX, or into the stream while there is no connector or no link."""
        if self.is_connector_up and self.port.is_up:
            self._submit(command)
        else:
            self._stream.append(command)

    def _submit(self, command: Command) -> None:
        self._unfinished[command.id] = command
        self.port.submit(command)

    def kill_connector(self) -> None:
        """The process is gone, without a word; what the core commands now waits in its stream."""
        if self.is_connector_up:
            self.is_connector_up = False
            self.port.kill()
            self._stream = [*self._unfinished.values(), *self._stream]
            self._unfinished = {}

    def start_connector(self) -> None:
        """A new process: it does again what was begun and all that waits, but for dialling."""
        if not self.is_connector_up:
            self.is_connector_up = True
            self.port = SimulatedPort(self.pbx, LinkTimings())
            self.begin()

    def _catch_up(self) -> list[Command]:
        """Everything that waited but dials and sounds, which are older than the snapshot and end unknown."""
        waiting, self._stream = self._stream, []
        for command in waiting:
            if not isinstance(command, OVERTAKEN):
                self._submit(command)
        return [command for command in waiting if isinstance(command, OVERTAKEN)]
