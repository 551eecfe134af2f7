"""Convergence against a scripted Asterisk: names for Bridge, one action per leg, bounded retries, newest version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from routing.core.commands import Room, SetRooms
from routing.core.facts import Fact, RoomsReached, RoomsRefused
from telephony.answers import Answer, Answered, OnAnswer
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.wire import AmiWire
from telephony.convergence import Convergence
from telephony.legs import Leg, LegKind
from tests.waiting import run, until

CUSTOMER, AGENT = "leg_a-1.1", "leg_x"
MUSIC = Room(name="main", legs=(CUSTOMER,), music="default")
TALK = Room(name="main", legs=(CUSTOMER, AGENT))


class Pbx:
    """Keeps what is sent; events are fed by hand."""

    def __init__(self, **settings: Any) -> None:
        self.sent: list[tuple[dict[str, Any], OnAnswer]] = []
        self.facts: list[Fact] = []
        self.legs = Legs("p")
        settings = {"step_timeout_s": 0.05, **settings}
        self.convergence = Convergence(
            AsteriskSettings(pbx="p", username="u", secret="s", **settings),
            self.legs,
            AmiWire(lambda fields, answer: self.sent.append((fields, answer))),
            self.facts.append,
        )
        for leg_id, uid, kind in ((CUSTOMER, "a-1.1", LegKind.ARRIVED), (AGENT, AGENT, LegKind.DIALED)):
            leg = Leg(leg_id=leg_id, uid=uid, kind=kind, is_up=True, channel=f"PJSIP/name-{uid}")
            leg.context, leg.exten = "switchroom", "s"
            self.legs.add(leg)

    def want(self, version: int, *rooms: Room) -> None:
        self.convergence.want(SetRooms(id="c", pbx="p", interaction_id="int_1", version=version, rooms=rooms))

    def steps(self, *actions: str) -> list[dict[str, Any]]:
        return [fields for fields, _ in self.sent if fields["Action"] in actions]

    def feed(self, name: str, uid: str, **headers: str) -> None:
        self.legs.apply(AmiMessage({"event": name, "uniqueid": uid, **headers}))
        leg = self.legs.by_uid(uid)
        if leg is not None and headers.get("userevent"):
            leg.settled += 1
            self.legs.changed.add(leg.leg_id)
        changed, self.legs.changed = self.legs.changed, set()
        self.convergence.changed(changed)

    def at(self, uid: str, context: str, exten: str) -> None:
        self.feed("UserEvent", uid, userevent="SwitchroomAt", context=context, exten=exten)

    def bridged(self, *uids: str) -> None:
        for uid in uids:
            self.feed("BridgeEnter", uid, bridgeuniqueid="b", context="switchroom-wait", exten="default")


def play(scenario: Callable[[Pbx], Awaitable[None]], **settings: Any) -> None:
    async def inner() -> None:
        pbx = Pbx(**settings)
        await scenario(pbx)
        pbx.convergence.clear()

    run(inner())


def test_bridge_gets_the_names_of_channels_never_their_ids() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(1, TALK)
        await until(lambda: pbx.steps("Bridge"))
        (step,) = pbx.steps("Bridge")
        assert (step["Channel1"], step["Channel2"]) == ("PJSIP/name-a-1.1", f"PJSIP/name-{AGENT}")
        pbx.bridged("a-1.1", AGENT)
        assert pbx.facts == [RoomsReached(pbx="p", interaction_id="int_1", version=1)]

    play(scenario, step_timeout_s=5)


def test_an_answer_alone_confirms_nothing() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(1, MUSIC)
        await until(lambda: pbx.steps("Redirect"))
        pbx.sent[-1][1](Answer(Answered.SUCCESS))
        assert pbx.facts == []
        pbx.at("a-1.1", "switchroom-wait", "default")
        assert pbx.facts == [RoomsReached(pbx="p", interaction_id="int_1", version=1)]

    play(scenario, step_timeout_s=5)


def test_the_channel_gets_its_interaction_once_before_the_first_step() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(1, MUSIC)
        await until(lambda: pbx.steps("Redirect"))
        assert [f["Action"] for f, _ in pbx.sent] == ["Setvar", "Redirect"]
        assert pbx.sent[0][0] | {"Action": ""} == {
            "Action": "",
            "Variable": "SR_IID",
            "Value": "int_1",
            "Channel": "a-1.1",
        }
        pbx.at("a-1.1", "switchroom-wait", "default")
        pbx.want(2, TALK)
        await until(lambda: pbx.steps("Bridge"))
        assert [f["Channel"] for f in pbx.steps("Setvar")] == ["a-1.1", AGENT]

    play(scenario, step_timeout_s=5)


@pytest.mark.parametrize("answer", [Answer(Answered.ERROR, "Redirect failed"), None])
def test_a_step_that_fails_or_is_never_confirmed_is_tried_a_few_times_and_then_refused(answer: Answer | None) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(7, MUSIC)
        tried = 0
        while not pbx.facts:
            await until(lambda tried=tried: len(pbx.steps("Redirect")) > tried or pbx.facts)  # type: ignore[misc]
            tried = len(pbx.steps("Redirect"))
            if answer and not pbx.facts:
                pbx.sent[-1][1](answer)
        assert tried == 3
        reason = answer.text if answer else "not confirmed in time"
        assert pbx.facts == [RoomsRefused(pbx="p", interaction_id="int_1", version=7, reason=reason)]

    play(scenario, step_attempts=3)


@pytest.mark.req("HOLD-01", "SAFE-02")
@pytest.mark.parametrize("falls", [True, False])
def test_an_agent_whose_customer_was_put_on_hold_falls_out_of_their_bridge_and_is_moved_only_if_he_does_not(
    falls: bool,
) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.bridged("a-1.1", AGENT)
        pbx.want(1, MUSIC, Room(name="agent", legs=(AGENT,)))
        await until(lambda: pbx.steps("Redirect"))
        pbx.feed("BridgeLeave", "a-1.1", bridgeuniqueid="b", context="switchroom-wait", exten="default")
        pbx.at("a-1.1", "switchroom-wait", "default")
        assert len(pbx.steps("Redirect")) == 1
        assert pbx.facts == []
        if falls:
            pbx.feed("BridgeLeave", AGENT, bridgeuniqueid="b", context="switchroom-agent", exten="s")
            assert pbx.facts == [RoomsReached(pbx="p", interaction_id="int_1", version=1)]
        else:
            await until(lambda: len(pbx.steps("Redirect")) == 2)
            assert pbx.steps("Redirect")[1]["Channel"] == AGENT

    play(scenario, step_timeout_s=0.2)


def test_a_newer_version_waits_for_the_step_under_way_and_only_it_is_told() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(1, MUSIC)
        await until(lambda: pbx.steps("Redirect"))
        pbx.want(2, TALK)
        await until(lambda: pbx.convergence.is_idle is False)
        assert pbx.steps("Bridge") == []
        pbx.at("a-1.1", "switchroom-wait", "default")
        assert len(pbx.steps("Bridge")) == 1
        pbx.bridged("a-1.1", AGENT)
        assert pbx.facts == [RoomsReached(pbx="p", interaction_id="int_1", version=2)]

    play(scenario, step_timeout_s=5)


def test_a_leg_that_goes_meanwhile_makes_the_rooms_refused() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(1, TALK)
        await until(lambda: pbx.steps("Bridge"))
        pbx.feed("Hangup", AGENT, cause="16")
        (fact,) = pbx.facts
        assert isinstance(fact, RoomsRefused)
        assert AGENT in fact.reason

    play(scenario, step_timeout_s=5)


@pytest.mark.parametrize("bad", ["a b", "h", "", "x\r\nAction: y"])
def test_names_that_cannot_be_extensions_are_refused(bad: str) -> None:
    async def scenario(pbx: Pbx) -> None:
        room = Room(name=bad, legs=(CUSTOMER,), music="default")
        order = SetRooms(id="c", pbx="p", interaction_id="int_1", version=1, rooms=(room,))
        assert pbx.convergence.objection(order)

    play(scenario)
