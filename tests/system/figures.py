"""How long a real PBX and its port need, from the port's own sink: no polling in between."""

from __future__ import annotations

import asyncio
import time

from routing.core.commands import DialLeg, HangUpLeg, SetRooms
from routing.core.facts import Fact, LegAnswered, RoomsReached
from tests.contract.pbx_lab import Answers, IncomingCall, PartyState
from tests.contract.pbx_suite import new_id, room, take
from tests.contract.sip_lab import SipLab

CALLS = 20


async def measured(lab: SipLab) -> tuple[list[float], list[float]]:
    """DialLeg submitted to INVITE at the telephone; its 200 to both legs in one bridge, told. In ms."""
    to_invite, to_bridge = [], []
    try:
        await lab.start(["1001"])
        lab.phone("1001").behave(Answers(0.05))
        for _ in range(CALLS):
            invite_ms, bridge_ms = await one_call(lab)
            to_invite.append(invite_ms)
            to_bridge.append(bridge_ms)
    finally:
        await lab.stop()
    return to_invite, to_bridge


async def one_call(lab: SipLab) -> tuple[float, float]:
    caller, phone = await lab.call_in(IncomingCall()), lab.phone("1001")
    interaction_id, leg_id = await take(lab, caller), new_id("leg")
    bridged: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def sink(fact: Fact) -> None:
        lab.facts.append(fact)
        if isinstance(fact, LegAnswered):
            rooms = (room("main", caller.leg_id, leg_id),)
            wanted = SetRooms(id=new_id("cmd"), pbx=lab.pbx, interaction_id=interaction_id, version=2, rooms=rooms)
            lab.port.submit(wanted)
        elif isinstance(fact, RoomsReached) and fact.version == 2 and not bridged.done():
            bridged.set_result(time.monotonic())

    await lab.port.start(sink)  # only takes the new sink over: the link is up already
    order = DialLeg(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=leg_id,
        interaction_id=interaction_id,
        phone=phone.address,
        joins=caller.leg_id,
        timeout_s=10,
    )
    started = time.monotonic()
    lab.port.submit(order)
    bridged_at = await asyncio.wait_for(bridged, 5)
    assert phone.call
    times = phone.call.t
    for leg in (leg_id, caller.leg_id):
        lab.port.submit(HangUpLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=leg))
    await phone.has_state(PartyState.ENDED)
    return (times["invite"] - started) * 1000, (bridged_at - times["answered"]) * 1000
