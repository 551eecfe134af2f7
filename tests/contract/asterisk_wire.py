"""What the Asterisk lab looks at: an observer of its manager interface."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import Self

from deploy.lab.asterisk import Asterisk
from telephony.asterisk.codec import AmiDecoder, AmiMessage

MOVES = frozenset({"BridgeEnter", "BridgeLeave", "MusicOnHoldStart", "MusicOnHoldStop"})
NOISE = frozenset({"RTCPSent", "RTCPReceived", "VarSet", "Newexten", "TestEvent", "ChallengeSent", "SuccessfulAuth"})


class Observer(asyncio.Protocol):
    """A manager user of its own, with all rights, that the port under test does not know of.

    `callers`: channel id by the token of the call; `back`: calls that are back in the integrator's dialplan;
    `ended`: SR_RESULT each time that the integrator's `h` extension ran, by channel id.
    """

    def __init__(self) -> None:
        self.moves = self.events = 0
        self.callers: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.ended: dict[str, list[str]] = {}
        self.log: list[AmiMessage] = []
        self._decoder = AmiDecoder()
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[AmiMessage]] = {}
        self._lists: dict[str, list[AmiMessage]] = {}
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, pbx: Asterisk) -> Self:
        loop = asyncio.get_running_loop()
        transport, self = await loop.create_connection(cls, "127.0.0.1", pbx.ami_port)
        self._transport = transport
        login = {"Action": "Login", "Username": pbx.observer_user, "Secret": pbx.observer_secret}
        answer = await self.ask({**login, "Events": "system,call,user"})
        assert answer.get("response") == "Success", answer
        return self

    def close(self) -> None:
        self._transport.abort()

    async def ask(self, fields: dict[str, str]) -> AmiMessage:
        action_id = f"observer-{next(self._numbers)}"
        future = self._answers[action_id] = asyncio.get_running_loop().create_future()
        lines = [f"{key}: {value}" for key, value in {**fields, "ActionID": action_id}.items()]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        return await asyncio.wait_for(future, 5)

    async def list(self, action: str) -> list[AmiMessage]:
        """The items of a list action."""
        answer = await self.ask({"Action": action})
        items = self._lists.setdefault(answer.get("actionid"), [])
        while not items or items[-1].get("eventlist").lower() != "complete":
            await asyncio.sleep(0.005)
        return items[:-1]

    async def variable(self, uid: str, name: str) -> str:
        answer = await self.ask({"Action": "Getvar", "Channel": uid, "Variable": name})
        return answer.get("value")

    async def channels(self) -> int:
        """Live channels, without the announcer of a conference."""
        items = await self.list("CoreShowChannels")
        return sum(not item.get("channel").startswith(("CBAnn/", "Surrogate/")) for item in items)

    async def hang_up_all(self) -> None:
        """Nothing of one test may be there in the next."""
        await self.ask({"Action": "Hangup", "Channel": "/.*/"})
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while await self.channels():
                    await asyncio.sleep(0.02)

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            future = self._answers.pop(message.get("actionid"), None) if not message.event else None
            if future and not future.done():
                future.set_result(message)
            elif message.event and message.get("actionid").startswith("observer-"):
                self._lists.setdefault(message.get("actionid"), []).append(message)
            elif message.event not in NOISE:
                self._take(message)

    def _take(self, event: AmiMessage) -> None:
        self.events += 1
        self.moves += event.event in MOVES
        self.log.append(event)
        uid = event.get("uniqueid")
        match event.get("userevent"):
            case "LabCall":
                self.callers[event.get("token")] = uid
            case "LabBack":
                self.back[uid] = event.get("result")
            case "LabEnd":
                self.ended.setdefault(uid, []).append(event.get("result"))
