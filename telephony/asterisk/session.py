"""The link to one Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from telephony.answers import Answer, Answered, OnAnswer
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.transport import AmiConnection
from telephony.session import LinkSession, Owner


class AmiSession(LinkSession[AmiConnection]):
    """A manager connection says by an event when the PBX has booted."""

    def __init__(self, settings: AsteriskSettings, owner: Owner, now: Callable[[], float]) -> None:
        super().__init__(settings, owner, now)
        self._settings = settings
        self._has_booted = False

    def open(self) -> AmiConnection:
        self._has_booted = False
        return AmiConnection(self._settings, self)

    def authenticated(self) -> None:
        if self._has_booted:
            self.booted()

    def on_event(self, event: AmiMessage) -> None:
        if event.event == "FullyBooted":
            self._has_booted = True
            self.booted()
        else:
            super().on_event(event)

    def send(self, fields: dict[str, Any], on_answer: OnAnswer) -> None:
        """As AmiConnection.send; without a connection the answer is UNSENT."""
        if self.connection is None:
            unsent = Answer(Answered.UNSENT, "the link is down")
            asyncio.get_running_loop().call_soon(on_answer, unsent)
        else:
            self.connection.send(fields, on_answer)

    async def ask(self, fields: dict[str, Any], *, is_list: bool = False) -> Answer:
        if self.connection is None:
            return Answer(Answered.UNSENT, "the link is down")
        return await self.connection.ask(fields, is_list=is_list)
