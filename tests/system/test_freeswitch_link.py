"""The link to a real FreeSWITCH in bad moments: wrong passwords, a PBX that freezes or dies, orders that are late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.freeswitch import FreeSwitch
from routing.core.facts import DialFailed, DialOutcome, EndedBy, LegArrived, LegEnded, LinkLost, LinkRestored
from telephony.freeswitch.port import FreeswitchPort
from telephony.legs import Leg, LegKind
from tests.contract.freeswitch_lab import AGENTS, DIALPLAN, FreeswitchLab
from tests.contract.freeswitch_wire import Observer
from tests.contract.pbx_lab import IncomingCall, PartyState, RingsForEver
from tests.contract.pbx_link import talk
from tests.contract.pbx_suite import dial, of, reach, room, take
from tests.waiting import run

Scenario = Callable[[FreeswitchLab], Awaitable[None]]


def in_lab(scenario: Scenario, *phones: str, own: FreeSwitch | None = None, **settings: Any) -> None:
    async def play() -> None:
        lab = FreeswitchLab(own)
        lab.settings = settings
        try:
            await lab.start(phones)
            await scenario(lab)
        finally:
            await lab.stop()

    run(play(), within=50.0)


def own_freeswitch() -> FreeSwitch:
    return FreeSwitch(agents=AGENTS, dialplan=DIALPLAN)


@pytest.mark.req("SAFE-02")
def test_a_wrong_password_is_reported_as_such_and_tried_again_slowly() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        await lab.port.stop()
        settings = replace(lab.own_port.settings, secret="wrong", denied_retry_s=0.5)
        lab.port, lab.facts = FreeswitchPort(settings), []
        await lab.port.start(lab.facts.append)
        lost = await lab.wait_fact(LinkLost)
        assert lost.reason.startswith("login refused")
        attempts = lab.wire.connections
        await asyncio.sleep(1.3)
        # Each attempt takes two connections.
        assert attempts + 2 <= lab.wire.connections <= attempts + 6
        assert of(lab, LinkLost, LinkRestored) == [lost]

    in_lab(scenario)


@pytest.mark.req("SAFE-02")
def test_a_frozen_freeswitch_is_noticed_within_three_seconds_and_adopted_again() -> None:
    with own_freeswitch() as own:

        async def scenario(lab: FreeswitchLab) -> None:
            caller = await lab.call_in(IncomingCall())
            interaction_id = await take(lab, caller)
            own.freeze()
            since = time.monotonic()
            await lab.wait_fact(LinkLost, within_s=4.0)
            noticed_s = time.monotonic() - since
            own.thaw()
            assert noticed_s < 3.0
            restored = await lab.wait_fact(LinkRestored, within_s=10.0, since=len(lab.facts) - 1)
            assert [leg.interaction_id for leg in restored.legs] == [interaction_id]
            await reach(lab, interaction_id, 1, room("main", caller.leg_id, music="default"))
            await lab.hears_music(caller)

        in_lab(scenario, own=own)


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_freeswitch_that_crashes_comes_back_as_another_core_and_every_leg_is_gone() -> None:
    with own_freeswitch() as own:

        async def scenario(lab: FreeswitchLab) -> None:
            await talk(lab)
            core = own.cli("global_getvar core_uuid")
            lab.observer.close()
            own.kill()
            await lab.wait_fact(LinkLost)
            since = len(lab.facts)
            own.start()
            assert own.cli("global_getvar core_uuid") != core
            restored = await lab.wait_fact(LinkRestored, within_s=10.0, since=since)
            assert restored.legs == ()
            lab.observer = await Observer.connect(own)
            call = IncomingCall(cad={"note": "again"})
            caller = await lab.call_in(call)
            fact = await lab.wait_fact(LegArrived, since=since, leg_id=caller.leg_id)
            assert fact.cad == {"note": "again"}

        in_lab(scenario, "1001", own=own)


@pytest.mark.req("SAFE-02")
def test_an_order_to_dial_that_the_network_delivers_late_is_hung_up_at_once() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        lab.phone("1001").behave(RingsForEver())
        lab.wire.delivers_late = True
        await lab.stall_link()
        order, since = dial(lab, lab.phone("1001")), len(lab.facts)
        await lab.wait_fact(LinkLost, within_s=lab.stall_deadline_s + 1)
        lab.wire.let_new_pass()
        await lab.wait_fact(LinkRestored, since=since, within_s=10.0)
        await lab.restore_link()
        failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
        assert failed.outcome is DialOutcome.CANCELLED
        await lab.settle()
        assert lab.phone("1001").state in (PartyState.NONE, PartyState.ENDED)
        assert await lab.channels() == 0

    in_lab(scenario, "1001")


@pytest.mark.req("SAFE-02")
def test_a_leg_whose_end_nobody_told_is_found_by_the_sweep() -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller = await lab.call_in(IncomingCall())
        await take(lab, caller)
        ghost = Leg(leg_id="leg_ghost", uid="00000000-0000-4000-8000-000000000000", kind=LegKind.ARRIVED, is_up=True)
        lab.own_port.legs.add(ghost)
        gone = await lab.wait_fact(LegEnded, within_s=6.0)
        assert (gone.leg_id, gone.ended_by) == ("leg_ghost", EndedBy.UNKNOWN)
        assert lab.own_port.legs.get(caller.leg_id) is not None

    in_lab(scenario, sweep_interval_s=0.5)
