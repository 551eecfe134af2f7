"""What the housekeeping asks of FreeSWITCH."""

from __future__ import annotations

from telephony.answers import OnAnswer
from telephony.freeswitch.actions import Api
from telephony.freeswitch.session import EslSession
from telephony.freeswitch.snapshot import LIST_CHANNELS, rows
from telephony.session import SyncFailed


class EslChores:
    """As telephony.housekeeping.Chores."""

    def __init__(self, session: EslSession) -> None:
        self._session = session

    @property
    def is_up(self) -> bool:
        return self._session.is_up

    async def clock_s(self) -> int | None:
        answer = await self._session.ask("strepoch")
        return int(answer.text) if answer.is_success and answer.text.isdecimal() else None

    def beat(self, epoch_s: int, on_answer: OnAnswer) -> None:
        self._session.send(Api(f"global_setvar SR_BEAT={epoch_s}"), on_answer)

    async def channels(self) -> set[str] | None:
        """The list lags by 0.3 s, which the housekeeping's patience covers."""
        answer = await self._session.ask(LIST_CHANNELS)
        try:
            return {row.get("uuid", "") for row in rows(answer.text)} if answer.is_success else None
        except SyncFailed:
            return None
