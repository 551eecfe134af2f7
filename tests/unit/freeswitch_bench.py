"""FreeswitchPort on a link that only keeps what is sent; events are fed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import pytest

from routing.core.commands import DialLeg, Room, SetRooms
from routing.core.facts import CommandEnded, CommandOutcome, Fact, LegArrived
from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch import session, settling, snapshot
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.link import Listener
from telephony.freeswitch.port import FreeswitchPort
from telephony.freeswitch.settings import FreeswitchSettings
from tests.waiting import run, until

F = TypeVar("F", bound=Fact)
CALLER = "8f5c0d2e-0000-4000-8000-000000000001"
CUSTOMER, AGENT = f"leg_{CALLER}", "leg_x"
OK = Answer(Answered.SUCCESS, "+OK")
NO_SUCH = Answer(Answered.ERROR, "-ERR No such channel!")
EMPTY = {
    "show": Answer(Answered.SUCCESS, '{"row_count":0}'),
    "conference": Answer(Answered.SUCCESS, "-ERR No active conferences."),
    "strepoch": Answer(Answered.SUCCESS, "1000"),
    "global_getvar": Answer(Answered.SUCCESS, "/rec"),
}


class FakeLink:
    """As EslLink. `sent`: lines in order; of a job with its id, of an application `CHANNEL APPLICATION ARGUMENT`.

    `meanwhile` is told each line before it is answered. `answers`: what comes for a whole line, or for its first word;
    None for nothing at all.
    """

    made: ClassVar[list[FakeLink]]

    def __init__(self, settings: FreeswitchSettings, listener: Listener) -> None:
        self.settings, self.listener = settings, listener
        self.sent: list[str] = []
        self.answers: dict[str, Answer | None] = dict(self.usual)
        self.pongs: list[Callable[[int | None], None]] = []
        self.outstanding = 0
        self.is_abandoned = False
        self.made.append(self)
        loop = asyncio.get_running_loop()
        loop.call_soon(listener.on_connected)
        loop.call_soon(listener.on_login, self.login)

    meanwhile: ClassVar[list[Callable[[str], None]]]
    usual: ClassVar[dict[str, Answer | None]] = {}
    login: ClassVar[Answer] = OK

    def _send(self, line: str, on_answer: OnAnswer) -> None:
        self.sent.append(line)
        for told in self.meanwhile:
            told(line)
        answer = self.answers.get(line, self.answers.get(line.partition(" ")[0], OK))
        if answer is not None:
            asyncio.get_running_loop().call_soon(on_answer, answer)

    def api(self, line: str, on_answer: OnAnswer) -> None:
        self._send(line, on_answer)

    def background(self, line: str, job_id: str, on_answer: OnAnswer) -> None:
        self._send(f"{line} [{job_id}]", on_answer)

    def execute(self, uuid: str, application: str, argument: str, on_answer: OnAnswer) -> None:
        self._send(f"{uuid} {application} {argument}", on_answer)

    async def ask(self, line: str) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.api(line, lambda answer: None if future.done() else future.set_result(answer))
        return await future

    def ping(self, on_pong: Callable[[int | None], None]) -> None:
        self.pongs.append(on_pong)

    def abandon(self) -> None:
        self.is_abandoned = True

    def matching(self, word: str) -> list[str]:
        return [line for line in self.sent if word in line]


class Bench:
    """`facts`: everything told since the link came up, or since `forget`."""

    def __init__(self, links: type[FakeLink], **settings: Any) -> None:
        """`future`: what links are like that are made from now on."""
        self.future, self._links = links, links.made
        self.is_serving = True
        self.facts: list[Fact] = []
        quick = {"denied_retry_s": 0.05, "backoff_first_s": 0.01, "ping_interval_s": 60.0}
        self.port = FreeswitchPort(
            FreeswitchSettings(pbx="p", secret="s", **(quick | settings)), is_serving=lambda: self.is_serving
        )

    @property
    def link(self) -> FakeLink:
        return self._links[-1]

    @property
    def links(self) -> list[FakeLink]:
        return self._links

    async def up(self) -> None:
        if not self._links:
            await self.port.start(self.facts.append)
        await until(lambda: self.port.is_up)

    async def up_again(self) -> None:
        """After a stop."""
        await self.port.start(self.facts.append)
        await until(lambda: self.port.is_up)

    def forget(self) -> None:
        self.facts.clear()
        self.link.sent.clear()

    def told(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def ends(self) -> list[tuple[str, CommandOutcome]]:
        return [(fact.command_id, fact.outcome) for fact in self.told(CommandEnded)]

    # ------------------------------------------------------------------ what the PBX tells

    def say(self, name: str, uid: str = "", body: str = "", **headers: str) -> None:
        """`name` of an event, or the subclass of a custom one; underscores in headers are hyphens but in variables."""
        kind = {"Event-Name": "CUSTOM", "Event-Subclass": name} if "::" in name else {"Event-Name": name}
        shown = {key if key.startswith("variable_") else key.replace("_", "-"): v for key, v in headers.items()}
        self.link.listener.on_event(EslEvent({**kind, "Unique-ID": uid, **shown}, body))

    def at(self, uid: str, context: str, exten: str = "s") -> None:
        self.say("switchroom::at", uid, Caller_Context=context, Caller_Destination_Number=exten)

    def bridged(self, one: str, other: str) -> None:
        self.say("CHANNEL_BRIDGE", one, Bridge_A_Unique_ID=one, Bridge_B_Unique_ID=other)

    def unbridged(self, one: str, other: str) -> None:
        self.say("CHANNEL_UNBRIDGE", one, Bridge_A_Unique_ID=one, Bridge_B_Unique_ID=other)

    def member(self, action: str, conference: str, uid: str) -> None:
        self.say("conference::maintenance", uid, Action=action, Conference_Name=conference)

    def hung_up(self, uid: str, cause: str = "NORMAL_CLEARING", **headers: str) -> None:
        self.say("CHANNEL_HANGUP_COMPLETE", uid, Hangup_Cause=cause, **headers)

    def tell_arrival(self, uid: str = CALLER, **variables: str) -> None:
        given = {f"variable_{name}": value for name, value in variables.items()}
        here = {"Caller_Context": "switchroom-call", "Caller_Destination_Number": "call"}
        self.say("switchroom::call", uid, Channel_Name=f"sofia/x/{uid}", **here, **given)

    def arrive(self, uid: str = CALLER, **variables: str) -> LegArrived:
        self.tell_arrival(uid, **variables)
        return self.told(LegArrived)[-1]

    # ------------------------------------------------------------------ what the core orders

    def dial(self, leg_id: str = AGENT, **changes: Any) -> None:
        order = {"id": "dial", "pbx": "p", "leg_id": leg_id, "interaction_id": "int_1", "phone": "user/1001"}
        self.port.submit(DialLeg(**{**order, "timeout_s": 20, **changes}))

    def answer(self, leg_id: str = AGENT) -> None:
        self.say("CHANNEL_CREATE", leg_id, Channel_Name=f"sofia/x/{leg_id}", Call_Direction="outbound")
        self.say("CHANNEL_ANSWER", leg_id, Call_Direction="outbound")
        self.at(leg_id, "switchroom-agent")

    def want(self, version: int, *rooms: Room) -> None:
        self.port.submit(SetRooms(id=f"v{version}", pbx="p", interaction_id="int_1", version=version, rooms=rooms))


Scenario = Callable[[Bench], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs a scenario on a bench whose link is up (`is_up=False` starts nothing); faults in the background count."""

    def start(scenario: Scenario, *, is_up: bool = True, settles_s: float = 0.0, **settings: Any) -> None:
        link: type[FakeLink] = type("Link", (FakeLink,), {"made": [], "meanwhile": [], "usual": dict(EMPTY)})
        monkeypatch.setattr(snapshot, "LAG_S", 0.0)
        monkeypatch.setattr(settling, "SETTLES_S", settles_s)
        monkeypatch.setattr(session, "EslLink", link)

        faults: list[dict[str, Any]] = []

        async def inner() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
            bench = Bench(link, **settings)
            if is_up:
                await bench.up()
                bench.forget()
            await scenario(bench)
            await bench.port.stop()

        run(inner())
        assert faults == []

    return start
