"""The watched telephones, and the names of call-associated data which the dialplan hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from routing.core.commands import WatchPhones
from routing.core.facts import Fact, PhoneChanged, PhoneState
from telephony.answers import Answer, Answered
from telephony.asterisk.actions import set_variable
from telephony.asterisk.phones import Phones
from telephony.asterisk.session import AmiSession
from telephony.asterisk.snapshot import read_device_states
from telephony.safety import UnsafeAction
from telephony.session import SyncFailed

log = structlog.get_logger(__name__)


class Watching:
    """The list survives a lost link; the states are read again with each snapshot."""

    def __init__(self, pbx: str, session: AmiSession, emit: Callable[[Fact], None]) -> None:
        self._pbx, self._session, self._emit = pbx, session, emit
        self._phones = Phones()
        self._names: tuple[str, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def states(self) -> dict[str, PhoneState]:
        return self._phones.states

    @property
    def phones(self) -> tuple[str, ...]:
        return tuple(self._phones.states)

    def watch(self, order: WatchPhones, ended: Callable[[Answered, str], None]) -> None:
        """Take the new lists over; the state of every phone is told once, then each change."""
        self._phones.watch(order.phones)
        self._names = order.cad_names
        self.push_names()
        self._task = asyncio.get_running_loop().create_task(self._tell_all(ended))

    async def _tell_all(self, ended: Callable[[Answered, str], None]) -> None:
        try:
            self.take(await read_device_states(self._session.ask, self.phones), tell=False)
        except SyncFailed as failure:
            ended(Answered.ERROR if self._session.is_up else Answered.CUT, str(failure))
            return
        ended(Answered.SUCCESS, "")
        for phone, state in self._phones.states.items():
            self._emit(PhoneChanged(pbx=self._pbx, phone=phone, state=state))

    def take(self, states: Mapping[str, str], *, tell: bool) -> None:
        """Device states as the PBX writes them."""
        for device, state in states.items():
            for fact in self.changed(device, state):
                if tell:
                    self._emit(fact)

    def changed(self, device: str, state: str) -> list[Fact]:
        new = self._phones.take(device, state)
        return [PhoneChanged(pbx=self._pbx, phone=device, state=new)] if new is not None else []

    def push_names(self) -> None:
        """Into global variables of the dialplan, one each; the count comes last. In place before any later question."""
        if self._names is None:
            return
        for number, name in enumerate(self._names, start=1):
            self._set(f"SR_CADNAME_{number}", name)
        self._set("SR_CAD_COUNT", str(len(self._names)))

    def _set(self, name: str, value: str) -> None:
        try:
            self._session.send(set_variable("", name, value), self._answered)
        except UnsafeAction as error:
            log.warning("cad_name_refused", pbx=self._pbx, reason=str(error))

    def _answered(self, answer: Answer) -> None:
        if answer.how is Answered.ERROR:
            log.error("cad_names_refused", pbx=self._pbx, reason=answer.text)
