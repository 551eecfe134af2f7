"""The PBX contract: connectors that forget everything while calls go on."""

from __future__ import annotations

import pytest

from routing.core.commands import WatchPhones
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LegState,
    LinkRestored,
    RoomsReached,
)
from tests.contract.pbx_lab import Answers, IncomingCall, PartyState, PbxLab
from tests.contract.pbx_link import BACK_S, talk
from tests.contract.pbx_suite import (
    arrivals,
    dial,
    ended,
    hang_up,
    in_lab_with,
    new_id,
    of,
    reach,
    room,
    rooms,
)


@pytest.mark.req("SAFE-01")
@in_lab_with("1001")
async def test_a_restarted_connector_adopts_a_conversation_without_a_break(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.settle()
    moves = lab.moves
    await lab.restart_connector()
    restored = await lab.wait_fact(LinkRestored)
    assert set(restored.legs) == call.legs
    await reach(lab, call.interaction_id, 2, room("main", call.caller.leg_id, call.agent_leg))
    await lab.settle()
    assert lab.moves == moves
    await lab.hears(call.caller, call.phone)
    await call.caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=call.caller.leg_id)
    await ended(lab, hang_up(lab, call.agent_leg))
    await lab.wait_fact(LegEnded, leg_id=call.agent_leg)


@pytest.mark.req("SAFE-01")
@in_lab_with("1001")
async def test_a_restarted_connector_can_hang_up_and_move_what_another_dialled(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.restart_connector()
    held = (room("main", call.caller.leg_id, music="default"), room("agent", call.agent_leg))
    await reach(lab, call.interaction_id, 3, *held)
    await lab.hears_music(call.caller)
    await lab.hears(call.phone)
    await ended(lab, hang_up(lab, call.agent_leg))
    await lab.wait_fact(LegEnded, leg_id=call.agent_leg)
    await lab.hears_music(call.caller)


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_a_restarted_connector_tells_untaken_calls_again_with_the_same_leg_id(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall(cad={"note": "n", "plain": "42"}))
    (first,) = arrivals(lab, caller.leg_id)
    watch = WatchPhones(id=new_id("cmd"), pbx=lab.pbx, phones=(), cad_names=("note", "plain"))
    await lab.restart_connector()
    lab.port.submit(watch)
    again = await lab.wait_fact(LegArrived, leg_id=caller.leg_id)
    assert again == first


@in_lab_with("1001")
async def test_a_restarted_connector_reports_the_end_of_a_dial_it_did_not_start(lab: PbxLab) -> None:
    lab.phone("1001").behave(Answers(1.0))
    order = dial(lab, lab.phone("1001"), interaction_id="int_y")
    await lab.wait_fact(LegRinging, leg_id=order.leg_id)
    await lab.restart_connector()
    (leg,) = (await lab.wait_fact(LinkRestored)).legs
    assert (leg.leg_id, leg.interaction_id) == (order.leg_id, "int_y")
    if leg.state is not LegState.UP:
        await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    await ended(lab, hang_up(lab, order.leg_id))
    assert await lab.channels() == 0


@in_lab_with("1001")
async def test_stopping_the_port_leaves_calls_alone_and_ends_every_command(lab: PbxLab) -> None:
    call = await talk(lab)
    held = (room("main", call.caller.leg_id, music="default"), room("agent", call.agent_leg))
    order = rooms(lab, call.interaction_id, 3, *held)
    await lab.port.stop(drain_s=2.0)
    (end,) = [f for f in lab.facts if isinstance(f, CommandEnded) and f.command_id == order.id]
    assert end.outcome is CommandOutcome.SUCCEEDED
    assert call.caller.state is PartyState.UP
    assert call.phone.state is PartyState.UP
    assert [f.version for f in of(lab, RoomsReached)][:2] == [1, 2]


@pytest.mark.req("SAFE-02")
@in_lab_with("1001")
async def test_a_stopped_port_that_is_started_again_brings_a_new_snapshot(lab: PbxLab) -> None:
    call = await talk(lab)
    await lab.settle()
    moves = lab.moves
    await lab.port.stop()
    since = len(lab.facts)
    await lab.port.start(lab.facts.append)
    restored = await lab.wait_fact(LinkRestored, within_s=BACK_S, since=since)
    assert set(restored.legs) == call.legs
    await reach(lab, call.interaction_id, 2, room("main", call.caller.leg_id, call.agent_leg))
    await lab.settle()
    assert lab.moves == moves
    await call.caller.hang_up()
    await lab.wait_fact(LegEnded, since=since, leg_id=call.caller.leg_id)
    await lab.settle()
    assert len(of(lab, LegEnded, leg_id=call.caller.leg_id)) == 1
