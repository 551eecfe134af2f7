"""The port onto the simulated PBX, with a link that can break in every way a real one can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from routing.core.commands import (
    Command,
    DetectMachine,
    DialLeg,
    HangUpLeg,
    MarkLeg,
    PlayDigits,
    PlayPrompts,
    RecordMessage,
    ReplyFeature,
    ReturnLeg,
    SetRecording,
    SetRooms,
    WatchPhones,
)
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    Fact,
    LinkLost,
    LinkRestored,
    RoomsReached,
    RoomsRefused,
)
from telephony.port import Sink
from telephony.simulated.clock import Timer
from telephony.simulated.pbx import SimulatedPbx


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTimings:
    """All in ms. After `stall_ms` a stalled link is noticed, after `command_ms` a missing answer."""

    there_ms: int = 1
    back_ms: int = 1
    connect_ms: int = 1
    stall_ms: int = 3_000
    command_ms: int = 5_000


class Way(Enum):
    """The state of the wire. STALLED: nothing passes, nobody is told."""

    OPEN = auto()
    CUT = auto()
    STALLED = auto()


class SimulatedPort:
    """A PbxPort. `cut`, `stall`, `restore` and the three counters below are the faults.

    `lose`: so many of the next commands vanish; `refuse`: so many are refused by the PBX; `double`: so many
    of the next facts come twice.
    """

    def __init__(self, pbx: SimulatedPbx, timings: LinkTimings | None = None) -> None:
        self.pbx, self.clock, self.timings = pbx, pbx.clock, timings or LinkTimings()
        self.is_up = False
        self.lose = self.refuse = self.double = 0
        self._way = Way.OPEN
        self._sink: Sink | None = None
        self._connection = 0
        self._connecting: Timer | None = None
        self._outstanding: dict[int, tuple[Command, Timer]] = {}
        self._submitted = 0
        self._versions: dict[str, tuple[int, int]] = {}
        self._held_up: list[Callable[[], None]] = []

    # ------------------------------------------------------------------ the port

    async def start(self, sink: Sink) -> None:
        """As the port's; `begin` is the same without an event loop."""
        self.begin(sink)

    def submit(self, command: Command) -> None:
        """As the port's. While the link is down every command is refused: nothing of it was sent."""
        if isinstance(command, SetRooms) and self._is_replaced(command):
            self._later(lambda: self._end(command, CommandOutcome.SUCCEEDED, "replaced"))
        elif self.is_up:
            self._send(command)
        else:
            self._later(lambda: self._refuse(command, "the link is down"))

    async def stop(self, drain_s: float = 0.0) -> None:
        """As the port's; draining lets the virtual time run."""
        until_ms = self.clock.now_ms + round(drain_s * 1000)
        while self._outstanding and (due := self.clock.next_at_ms()) is not None and due <= until_ms:
            self.clock.step()
        self.end()

    def begin(self, sink: Sink) -> None:
        self._sink = sink
        self._connect_soon()

    def end(self) -> None:
        """Close the link; outstanding commands end unknown, live calls go on."""
        if self.is_up:
            self._disconnect()
        if self._connecting is not None:
            self._connecting.cancel()
        self._sink = None

    # ------------------------------------------------------------------ faults

    def cut(self, reason: str = "connection reset") -> None:
        """The link closes at once and stays down until `restore`."""
        self._way = Way.CUT
        self._lost(reason)

    def stall(self) -> None:
        """Nothing passes any more; noticed after `stall_ms`, unless restored before."""
        self._way = Way.STALLED
        connection = self._connection
        self.clock.call_later(self.timings.stall_ms, lambda: self._notice_stall(connection))

    def restore(self) -> None:
        """The way is free. What a stalled, unnoticed link held up passes now, late and in order."""
        self._way = Way.OPEN
        held_up, self._held_up = self._held_up, []
        for passes in held_up:
            passes()
        if not self.is_up:
            self._connect_soon()

    def _notice_stall(self, connection: int) -> None:
        if self._way is Way.STALLED and connection == self._connection:
            self._lost("no answer to the heartbeat")

    def kill(self) -> None:
        """The connector's process is gone: nobody is told anything, not even of its outstanding commands."""
        self._sink = None
        self.end()

    # ------------------------------------------------------------------ connection

    def _connect_soon(self) -> None:
        if self._connecting is None or not self._connecting.is_pending:
            self._connecting = self.clock.call_later(self.timings.connect_ms, self._connect)

    def _connect(self) -> None:
        if self._way is not Way.OPEN or self.is_up or self._sink is None:
            return
        self.is_up = True
        self._connection += 1
        connection = self._connection
        self.pbx.listen(lambda fact: self._come_back(connection, lambda: self._tell(fact)))
        phones = {phone: self.pbx.phone_state(phone) for phone in self.pbx.watched}
        self._emit(LinkRestored(pbx=self.pbx.name, legs=self.pbx.snapshot(), phones=phones))
        for arrival in self.pbx.untaken():
            self._emit(arrival)

    def _lost(self, reason: str) -> None:
        """LinkLost comes first, so that nothing new is decided for a dead link because of an unknown command."""
        if self.is_up:
            self._emit(LinkLost(pbx=self.pbx.name, reason=reason))
            self._disconnect()

    def _disconnect(self) -> None:
        self.is_up = False
        self._connection += 1
        self._held_up.clear()
        self.pbx.listen(None)
        for number in list(self._outstanding):
            self._give_up(number)

    # ------------------------------------------------------------------ commands there

    def _is_replaced(self, command: SetRooms) -> bool:
        wanted = (command.version, command.ears_version)
        newest = self._versions.get(command.interaction_id, (0, 0))
        self._versions[command.interaction_id] = max(newest, wanted)
        return wanted < newest

    def _send(self, command: Command) -> None:
        self._submitted += 1
        number, connection = self._submitted, self._connection
        deadline = self.clock.call_later(self.timings.command_ms, lambda: self._give_up(number))
        self._outstanding[number] = (command, deadline)
        self.clock.call_later(
            self.timings.there_ms, lambda: self._pass(connection, lambda: self._carry_out(number, command))
        )

    def _pass(self, connection: int, step: Callable[[], None]) -> None:
        if connection != self._connection:
            return
        if self._way is Way.STALLED:
            self._held_up.append(lambda: self._pass(connection, step))
        else:
            step()

    def _carry_out(self, number: int, command: Command) -> None:
        if self.lose > 0:
            self.lose -= 1
            return
        if self.refuse > 0:
            self.refuse -= 1
            why_not = "refused by the PBX"
        else:
            why_not = self._execute(command)
        ears = self.pbx.told_of_ears(command) if isinstance(command, SetRooms) and command.ears_version else None
        connection = self._connection
        self._come_back(connection, lambda: self._answered(number, command, why_not, ears))

    def _execute(self, command: Command) -> str:
        match command:
            case DialLeg():
                return self.pbx.dial(command)
            case HangUpLeg():
                self.pbx.end_leg(command)
            case SetRooms():
                return self.pbx.set_rooms(command)
            case ReturnLeg():
                return self.pbx.give_back(command)
            case MarkLeg():
                return self.pbx.mark(command.leg_id, command.variables)
            case ReplyFeature():
                return self.pbx.reply_feature(command)
            case WatchPhones():
                self.pbx.watch(command.phones)
            case _:
                return self._execute_sound(command)
        return ""

    def _execute_sound(self, command: Command) -> str:
        match command:
            case SetRecording():
                return self.pbx.set_recording(command)
            case PlayDigits():
                return self.pbx.play(command.leg_id, command.digits)
            case PlayPrompts() | RecordMessage() | DetectMachine():
                return self.pbx.prompts.begin(command, self.pbx.channels.get(command.leg_id))
        return ""

    # ------------------------------------------------------------------ facts back

    def _come_back(self, connection: int, step: Callable[[], None]) -> None:
        self.clock.call_later(self.timings.back_ms, lambda: self._pass(connection, step))

    def _answered(self, number: int, command: Command, why_not: str, ears: Fact | None) -> None:
        entry = self._outstanding.pop(number, None)
        if entry is None:
            return
        entry[1].cancel()
        if why_not:
            self._refuse(command, why_not)
            return
        self._end(command, CommandOutcome.SUCCEEDED)
        if isinstance(command, SetRooms):
            self._reached(command, ears)

    def _reached(self, command: SetRooms, ears: Fact | None) -> None:
        id_ = command.interaction_id
        if (command.version, command.ears_version) == self._versions[id_]:
            self._emit(RoomsReached(pbx=self.pbx.name, interaction_id=id_, version=command.version))
            if ears is not None:
                self._emit(ears)

    def _refuse(self, command: Command, why_not: str) -> None:
        self._end(command, CommandOutcome.REFUSED, why_not)
        if isinstance(command, DialLeg) and command.leg_id not in self.pbx.channels:
            failed = DialFailed(pbx=self.pbx.name, leg_id=command.leg_id, outcome=DialOutcome.CONGESTION)
            self._emit(failed)
        elif isinstance(command, SetRooms):
            interaction_id, version = command.interaction_id, command.version
            refused = RoomsRefused(pbx=self.pbx.name, interaction_id=interaction_id, version=version, reason=why_not)
            self._emit(refused)

    def _give_up(self, number: int) -> None:
        command, deadline = self._outstanding.pop(number)
        deadline.cancel()
        self._end(command, CommandOutcome.UNKNOWN)

    def _end(self, command: Command, outcome: CommandOutcome, cause: str = "") -> None:
        self._emit(CommandEnded(pbx=self.pbx.name, command_id=command.id, outcome=outcome, cause=cause))

    def _tell(self, fact: Fact) -> None:
        self._emit(fact)
        if self.double > 0:
            self.double -= 1
            self._emit(fact)

    def _later(self, call: Callable[[], None]) -> None:
        self.clock.call_later(0, call)

    def _emit(self, fact: Fact) -> None:
        if self._sink is not None:
            self._sink(fact)
