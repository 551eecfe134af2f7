"""The link to one FreeSWITCH."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from telephony.answers import Answer, Answered, OnAnswer, ignore
from telephony.freeswitch.actions import EslAction, Job, RingFor, tried
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings
from telephony.session import LinkSession, Owner


class EslSession(LinkSession[EslLink]):
    """FreeSWITCH takes no connection before it has booted."""

    def __init__(self, settings: FreeswitchSettings, owner: Owner, now: Callable[[], float]) -> None:
        super().__init__(settings, owner, now)
        self._settings = settings

    def open(self) -> EslLink:
        return EslLink(self._settings, self)

    def authenticated(self) -> None:
        self.booted()

    def send(self, action: EslAction, on_answer: OnAnswer) -> None:
        """Put it on the present connection; without one the answer is UNSENT."""
        if self.connection is None:
            unsent = Answer(Answered.UNSENT, "the link is down")
            asyncio.get_running_loop().call_soon(on_answer, unsent)
        elif isinstance(action, Job):
            self.connection.background(action.line, action.id, on_answer)
        elif isinstance(action, RingFor):
            self.connection.execute(action.uuid, "bridge", action.dial, on_answer)
            self.connection.execute(action.uuid, "event", tried(action.leg_id), ignore)
        else:
            self.connection.api(action.line, on_answer)

    async def ask(self, line: str) -> Answer:
        if self.connection is None:
            return Answer(Answered.UNSENT, "the link is down")
        return await self.connection.ask(line)
