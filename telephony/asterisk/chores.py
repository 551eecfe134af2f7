"""What the housekeeping asks of Asterisk."""

from __future__ import annotations

from telephony.answers import OnAnswer
from telephony.asterisk.actions import set_variable
from telephony.asterisk.session import AmiSession
from telephony.asterisk.transport import clock_of


class AmiChores:
    """As telephony.housekeeping.Chores."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session

    @property
    def is_up(self) -> bool:
        return self._session.is_up

    async def clock_s(self) -> int | None:
        answer = await self._session.ask({"Action": "Ping"})
        return clock_of(answer.message) if answer.message else None

    def beat(self, epoch_s: int, on_answer: OnAnswer) -> None:
        self._session.send(set_variable("", "SR_BEAT", str(epoch_s)), on_answer)

    async def channels(self) -> set[str] | None:
        answer = await self._session.ask({"Action": "CoreShowChannels"}, is_list=True)
        return {item.get("uniqueid") for item in answer.items} if answer.is_success else None
