"""Strangers who write manager events into their caller id, on an Asterisk whose trunk lets them (SAFE-03)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import quote

import pytest

from deploy.lab.asterisk import Asterisk
from deploy.lab.call import Call
from routing.core.facts import LegArrived, LegEnded, LinkLost, RoomsReached
from tests.contract.asterisk_lab import AGENTS, DIALPLAN, AsteriskLab
from tests.contract.pbx_lab import IncomingCall
from tests.contract.pbx_link import talk
from tests.contract.pbx_suite import of
from tests.waiting import run


@pytest.fixture(scope="module")
def careless() -> Iterator[Asterisk]:
    """Callers reach the integrator's dialplan with whatever their INVITE says."""
    pbx = Asterisk(agents=AGENTS, dialplan=DIALPLAN, trunk_context="from-trunk")
    pjsip = pbx.directory / "etc" / "pjsip.conf"
    pjsip.write_text(pjsip.read_text().replace("callerid = trunk <0>\n", ""))
    with pbx:
        yield pbx


def forged(event: str, **headers: str) -> str:
    lines = [f"Event: {event}", *(f"{name}: {value}" for name, value in headers.items())]
    return "49\r\n\r\n" + "\r\n".join(lines) + "\r\n\r\nEvent: Nothing\r\nX: "


async def attack(lab: AsteriskLab, number: str) -> tuple[Call, LegArrived]:
    """A call with this caller number, which is handed over like any other."""
    since = len(lab.facts)
    call = await (await lab.lines.caller(quote(number, safe=""))).dial("7001", ["X-Entry: sales"])
    return call, await lab.wait_fact(LegArrived, since=since)


def play(pbx: Asterisk, scenario: Callable[[AsteriskLab], Awaitable[None]]) -> None:
    async def in_lab() -> None:
        lab = AsteriskLab(pbx)
        try:
            await lab.start(["1001"])
            await scenario(lab)
        finally:
            await lab.stop()

    run(in_lab(), within=40.0)


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("with_origin", [False, True])
def test_a_caller_number_cannot_end_somebody_elses_call(careless: Asterisk, with_origin: bool) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        call = await talk(lab)
        origin = {"Privilege": "call,all", "SystemName": "guess"} if with_origin else {}
        victims = [call.agent_leg, call.caller.leg_id.removeprefix("leg_")]
        for uid in victims:
            text = forged("Hangup", **origin, Uniqueid=uid, Cause="16", Context="a", Exten="b")
            attacker, fact = await attack(lab, text)
            assert fact.ani.isdigit()
            await attacker.answered()
            await attacker.hangup()
            await lab.wait_fact(LegEnded, leg_id=fact.leg_id, within_s=10.0)
        await lab.settle()
        assert {f.leg_id for f in of(lab, LegEnded)}.isdisjoint({call.agent_leg, call.caller.leg_id})
        assert of(lab, LinkLost) == []
        await lab.hears(call.caller, call.phone)
        await lab.hears(call.phone, call.caller)
        # Asterisk cuts a number at 80 bytes, so there is no room for an origin and a clean end.
        reason = "repeated_header" if with_origin else "no_origin"
        assert lab.own_port.counters[f"events_dropped_{reason}"] > 0

    play(careless, scenario)


@pytest.mark.req("SAFE-03")
def test_a_caller_number_cannot_pretend_to_be_another_channel(careless: Asterisk) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        call = await talk(lab)
        uid = call.caller.leg_id.removeprefix("leg_")
        attacker, fact = await attack(lab, f"49\r\nUniqueid: {uid}\r\nX: ")
        await attacker.answered()
        await attacker.hangup()
        await lab.wait_fact(LegEnded, leg_id=fact.leg_id, within_s=10.0)
        await lab.settle()
        assert [f.leg_id for f in of(lab, LegEnded)] == [fact.leg_id]
        assert lab.own_port.counters["events_dropped_repeated_header"] > 0
        await lab.hears(call.caller, call.phone)

    play(careless, scenario)


@pytest.mark.req("SAFE-03")
def test_a_caller_name_cannot_forge_a_hand_over(careless: Asterisk) -> None:
    async def scenario(lab: AsteriskLab) -> None:
        text = forged("UserEvent", UserEvent="SwitchroomCall", Uniqueid="evil", Entry="sales", Context="switchroom")
        caller = await lab.call_in(IncomingCall(ani_name=text))
        await lab.settle()
        assert [f.leg_id for f in of(lab, LegArrived)] == [caller.leg_id]
        assert of(lab, RoomsReached, LegEnded) == []
        (fact,) = of(lab, LegArrived)
        assert fact.ani_name == text.replace("\r", "").replace("\n", "").strip()

    play(careless, scenario)
