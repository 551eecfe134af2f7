"""What integrators see of the dialplan: results, the way back, and what happens without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from routing.core.commands import MarkLeg, ReturnLeg
from routing.core.config import Result
from routing.core.facts import LegArrived, LegEnded, LinkLost
from telephony.asterisk import AsteriskPort
from tests.contract.asterisk_lab import AsteriskLab
from tests.contract.pbx_lab import IncomingCall, PartyState
from tests.contract.pbx_suite import connect, new_id, of, reach, room, take
from tests.waiting import run

Scenario = Callable[[AsteriskLab], Awaitable[None]]


def in_lab(scenario: Scenario, *phones: str, **timers: int) -> None:
    """Plays a scenario on the shared Asterisk with these global variables of the dialplan."""

    async def play() -> None:
        lab = AsteriskLab()
        try:
            await lab.start(phones)
            await set_timers(lab, **timers)
            await scenario(lab)
        finally:
            await set_timers(lab, SR_TAKE_S=20, SR_DEAD_S=60, SR_CHECK_S=20)
            await lab.stop()

    run(play(), within=40.0)


async def set_timers(lab: AsteriskLab, **timers: int) -> None:
    for name, seconds in timers.items():
        await lab.observer.ask({"Action": "Setvar", "Variable": name, "Value": str(seconds)})


@pytest.mark.req("FLOW-04")
def test_a_call_that_no_server_takes_comes_back_as_unavailable() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        await lab.port.stop()
        caller = await lab.call_in(IncomingCall())
        await caller.is_back_in_dialplan(within_s=3.0)
        assert lab.observer.back[caller.uid] == "unavailable"
        assert caller.state is PartyState.UP

    in_lab(scenario, SR_TAKE_S=1)


@pytest.mark.req("FLOW-04")
def test_a_call_that_the_server_leaves_alone_comes_back_and_is_told_once() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await caller.is_back_in_dialplan(within_s=3.0)
        await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
        await lab.settle()
        assert len(of(lab, LegEnded, leg_id=caller.leg_id)) == 1
        order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.FULL)
        lab.port.submit(order)
        await lab.settle()
        assert await caller.variable("SR_RESULT") == "unavailable"
        await caller.hang_up()
        await lab.wait(lambda: bool(lab.observer.ended), 3.0, lambda: lab.observer.ended)
        await lab.settle()
        assert lab.observer.ended == {caller.uid: ["unavailable"]}

    in_lab(scenario, SR_TAKE_S=1)


@pytest.mark.req("FLOW-03", "FLOW-04")
def test_a_waiting_caller_goes_back_when_the_server_stays_dead() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await take(lab, caller)
        await lab.hears_music(caller)
        await lab.port.stop()
        await caller.is_back_in_dialplan(within_s=12.0)
        assert lab.observer.back[caller.uid] == "unavailable"

    in_lab(scenario, SR_DEAD_S=4, SR_CHECK_S=1)


@pytest.mark.req("SAFE-01")
def test_a_waiting_caller_stays_while_a_server_restarts() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await take(lab, caller)
        for _ in range(3):
            await lab.restart_connector()
            await asyncio.sleep(1.5)  # the dialplan has looked for the sign of life
        assert lab.observer.back == {}
        await lab.hears_music(caller)

    in_lab(scenario, SR_DEAD_S=4, SR_CHECK_S=1)


def test_a_server_that_does_not_serve_gives_no_sign_of_life() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await take(lab, caller)
        settings = lab.own_port.settings
        await lab.port.stop()
        lab.port = AsteriskPort(settings, is_serving=lambda: False)
        await lab.port.start(lab.facts.append)
        await caller.is_back_in_dialplan(within_s=12.0)
        await lab.wait_fact(LegEnded, leg_id=caller.leg_id)

    in_lab(scenario, SR_DEAD_S=4, SR_CHECK_S=1)


def test_a_dialled_leg_ends_by_itself_when_the_server_stays_dead() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        await connect(lab, lab.phone("1001"))
        await lab.port.stop()
        await lab.phone("1001").has_state(PartyState.ENDED, within_s=12.0)

    in_lab(scenario, "1001", SR_DEAD_S=4, SR_CHECK_S=1)


@pytest.mark.req("FLOW-03")
@pytest.mark.parametrize("place", ["handed over", "waiting", "talking", "conference"])
def test_the_h_extension_sees_how_a_call_stood_when_the_caller_left(place: str) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        expected = "abandoned"
        if place != "handed over":
            interaction_id = await take(lab, caller)
        if place in ("talking", "conference"):
            names = ("1001",) if place == "talking" else ("1001", "1002")
            agents = [await connect(lab, lab.phone(name), interaction_id=interaction_id) for name in names]
            await reach(lab, interaction_id, 2, room("main", caller.leg_id, *agents))
            marks = {"SR_RESULT": "answered"}
            lab.port.submit(MarkLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, variables=marks))
            expected = "answered"
            await lab.settle()
        await caller.hang_up()
        await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
        await lab.wait(lambda: caller.uid in lab.observer.ended, 3.0, lambda: lab.observer.ended)
        await lab.settle()
        assert lab.observer.ended == {caller.uid: [expected]}

    in_lab(scenario, "1001", "1002")


def test_a_returned_call_can_be_handed_over_again() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await take(lab, caller)
        order = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=caller.leg_id, result=Result.TIMEOUT)
        lab.port.submit(order)
        await caller.is_back_in_dialplan()
        since = len(lab.facts)
        place = {"Context": "from-trunk", "Exten": "7001", "Priority": "1"}
        await lab.observer.ask({"Action": "Redirect", "Channel": caller.uid, **place})
        await lab.wait_fact(LegArrived, since=since, leg_id=caller.leg_id)
        await take(lab, caller)
        await lab.hears_music(caller)

    in_lab(scenario)


@pytest.mark.req("SAFE-03")
def test_a_value_that_is_too_long_is_named_and_never_cut_in_silence() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall(cad={"note": "x" * 1025, "plain": "42"}))
        fact = await lab.wait_fact(LegArrived, leg_id=caller.leg_id)
        assert fact.cad == {"plain": "42"}
        assert fact.options["cad_too_long"] == "note"

    in_lab(scenario)


def test_a_music_class_that_does_not_exist_is_replaced_by_the_default() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await reach(lab, new_id("int"), 1, room("main", caller.leg_id, music="no-such.class"))
        await lab.hears_music(caller)
        assert of(lab, LinkLost) == []

    in_lab(scenario)


def test_requirements_survive_the_commas_of_the_dialplan() -> None:
    async def scenario(lab: AsteriskLab) -> None:
        options = {"priority": "8", "requires": "german:5,vip:1"}
        caller = await lab.call_in(IncomingCall(options=options))
        fact = await lab.wait_fact(LegArrived, leg_id=caller.leg_id)
        assert fact.options == options

    in_lab(scenario)
