"""Calls as a FreeSWITCH told them to other hands, who drove it otherwise than we do, read by our connector.

Those hands parked legs where our dialplan has them say where they are, so a CHANNEL_PARK is read as that; their jobs
had other ids than the legs which they dialled, and those had none of our names.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from routing.core.commands import DialLeg
from routing.core.facts import DialFailed, Fact, LegAnswered, LegArrived, LegEnded, LegRinging, LegTransferred
from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch import FreeswitchPort, FreeswitchSettings
from telephony.freeswitch.codec import EslDecoder, EslEvent, event_of
from telephony.freeswitch.link import Listener
from telephony.legs import arrived_leg_id

FOLDER = Path(__file__).parents[1] / "wire" / "freeswitch" / "scenarios"
NAMES = sorted(path.name.removesuffix(".raw.gz") for path in FOLDER.glob("*.raw.gz"))
_OWN_UUID = re.compile(r"origination_uuid=([0-9a-f-]{36})")


@cache
def events_of(name: str) -> tuple[EslEvent, ...]:
    """What is told in that scenario, in its order, in terms of our dialplan."""
    messages = EslDecoder().feed(gzip.decompress((FOLDER / f"{name}.raw.gz").read_bytes()))
    told = [event for message in messages if (event := event_of(message)) is not None]
    dialed = {uid: f"leg_{uid}" for event in told if (uid := event.get("variable_origination_uuid"))}
    seen: set[str] = set()
    return tuple(_ours(_renamed(event, dialed), seen) for event in told)


def _renamed(event: EslEvent, names: Mapping[str, str]) -> EslEvent:
    fields = {header: names.get(value, value) for header, value in event.headers.items()}
    return EslEvent(fields, event.body)


def _ours(event: EslEvent, parked: set[str]) -> EslEvent:
    uid, fields = event.get("Unique-ID"), dict(event.headers)
    if event.name == "BACKGROUND_JOB":
        own = _OWN_UUID.search(event.get("Job-Command-Arg"))
        return EslEvent(fields | ({"Job-UUID": f"leg_{own[1]}"} if own else {}), event.body)
    if event.name != "CHANNEL_PARK":
        return event
    is_new = uid not in parked and event.get("Call-Direction") == "inbound"
    parked.add(uid)
    here = ("switchroom::call", "switchroom-call", "call") if is_new else ("switchroom::at", "switchroom-idle", "s")
    names = ("Event-Subclass", "Caller-Context", "Caller-Destination-Number")
    return EslEvent({**fields, "Event-Name": "CUSTOM", **dict(zip(names, here, strict=True))})


def dialed_in(events: Iterable[EslEvent]) -> list[str]:
    """The ids under which legs were dialled, one per dial; that of the job where there was never a channel."""
    made = [e.get("Unique-ID") for e in events if e.get("variable_origination_uuid") == e.get("Unique-ID") != ""]
    vain = [e.get("Job-UUID") for e in events if e.name == "BACKGROUND_JOB" and e.body.startswith("-ERR")]
    return list(dict.fromkeys([*made, *vain]))


def channel_of(event: EslEvent) -> str:
    """Events of one channel come in their order; those of different ones in any. A job is a channel of its own."""
    return event.get("Unique-ID") or f"job {event.get('Job-UUID')}"


def earlier_of(event: EslEvent) -> set[str]:
    """Channels of which everything has been told that happened before: a bridge is told by one of its two."""
    return {channel_of(event), event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID")} - {""}


class ObligingLink:
    """As EslLink: lets in at once, and does whatever it is told on a FreeSWITCH on which nothing lives."""

    newest: ObligingLink
    outstanding = 0

    def __init__(self, _: FreeswitchSettings, listener: Listener) -> None:
        type(self).newest = self
        self.listener = listener
        loop = asyncio.get_running_loop()
        loop.call_soon(listener.on_connected)
        loop.call_soon(listener.on_login, Answer(Answered.SUCCESS))

    async def ask(self, line: str) -> Answer:
        return Answer(Answered.SUCCESS, "[]" if line.startswith("conference") else '{"row_count":0}')

    def api(self, line: str, on_answer: OnAnswer) -> None:
        asyncio.get_running_loop().call_soon(on_answer, Answer(Answered.SUCCESS, "+OK"))

    def background(self, line: str, job_id: str, on_answer: OnAnswer) -> None:
        self.api(line, on_answer)

    def execute(self, uuid: str, application: str, argument: str, on_answer: OnAnswer) -> None:
        self.api(application, on_answer)

    def ping(self, on_pong: Callable[[int | None], None]) -> None:
        asyncio.get_running_loop().call_soon(on_pong, None)

    def abandon(self) -> None:
        """Nothing to be closed."""


class Story:
    """Tells what the connector makes of it, with short names: C1 for a caller, D1 for a leg that was dialled."""

    def __init__(self, events: Sequence[EslEvent]) -> None:
        """`events` of the whole scenario, for the names."""
        self._port = FreeswitchPort(FreeswitchSettings(pbx="p", secret="s"), now=asyncio.get_running_loop().time)
        self._facts: list[Fact] = []
        self.lines: list[str] = []
        self._names: dict[str, str] = {}
        self._company: dict[str, str] = {}
        self.dialed = dialed_in(events)
        for number, leg_id in enumerate(self.dialed, 1):
            self._names[leg_id] = f"D{number}"
        callers = [e for e in events if e.subclass == "switchroom::call"]
        for number, uid in enumerate(dict.fromkeys(e.get("Unique-ID") for e in callers), 1):
            self._names[arrived_leg_id(uid)] = f"C{number}"

    async def begin(self) -> None:
        """The link is up and all legs are being dialled that will be."""
        await self._port.start(self._facts.append)
        while not self._port.is_up:
            await asyncio.sleep(0.01)
        for leg_id in self.dialed:
            order = DialLeg(id=leg_id, pbx="p", leg_id=leg_id, interaction_id="int", phone="user/1", timeout_s=20)
            self._port.submit(order)

    async def end(self) -> None:
        await self._port.stop()

    def tell(self, event: EslEvent) -> None:
        """Raises whatever the connector raises."""
        ObligingLink.newest.listener.on_event(event)
        assert self._port.counters["events_failed"] == 0, event
        self.catch_up()

    def catch_up(self) -> None:
        """What the connector has told meanwhile."""
        facts = list(self._facts)
        self._facts.clear()
        self.lines += [line for fact in facts if (line := self._line(fact))]
        self._note_company()

    def left(self) -> list[str]:
        """Who is still there, in words."""
        names = [self._names[leg.leg_id] for leg in self._port.legs.all()]
        return [f"left: {', '.join(names)}"] if names else []

    def gone_but_not_forgotten(self, events: Iterable[EslEvent]) -> list[str]:
        """Channels that were hung up and still are legs, or in somebody's company."""
        legs = self._port.legs
        gone = {event.get("Unique-ID") for event in events if event.name == "CHANNEL_HANGUP_COMPLETE"}
        return sorted(uid for uid in gone if legs.by_uid(uid) is not None or legs.bridges.of(uid) is not None)

    def _note_company(self) -> None:
        legs = self._port.legs
        spots = legs.spots(leg.leg_id for leg in legs.all())
        for leg in legs.all():
            others = sorted(self._names.get(other, "a stranger") for other in spots[leg.leg_id].company)
            name, with_whom = self._names[leg.leg_id], ", ".join(others)
            if self._company.get(name, "") != with_whom:
                self._company[name] = with_whom
                self.lines.append(f"{name} with {with_whom}" if with_whom else f"{name} alone")

    def _line(self, fact: Fact) -> str:
        match fact:
            case LegArrived(leg_id=leg):
                return f"{self._names[leg]} arrived"
            case LegRinging(leg_id=leg):
                return f"{self._names[leg]} rings"
            case LegAnswered(leg_id=leg):
                return f"{self._names[leg]} answered"
            case DialFailed(leg_id=leg):
                return f"{self._names[leg]} failed: {fact.outcome.value} {fact.cause}"
            case LegEnded(leg_id=leg):
                return f"{self._names[leg]} ended by {fact.ended_by.value} {fact.cause}"
            case LegTransferred(leg_id=leg):
                return f"{self._names[leg]} sent away by {self._names.get(fact.by_leg_id, 'nobody')}"
        return ""
