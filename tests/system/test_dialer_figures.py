"""How soon a customer who has answered talks with an agent who waits, on real PBXs: from the port's own sink."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from statistics import median

import pytest

from routing.core.commands import DetectMachine, SetRooms
from routing.core.facts import Fact, LegAnswered, MachineDetected, MachineVerdict, RoomsReached
from tests.contract.asterisk_lab import AsteriskLab
from tests.contract.freeswitch_lab import FreeswitchLab
from tests.contract.pbx_lab import Answers, Greeting
from tests.contract.pbx_suite import connect, dial, hang_up, new_id, reach, room
from tests.contract.sip_lab import SipLab
from tests.waiting import run

CUSTOMER, AGENT = "1001", "1002"


async def joined_ms(lab: SipLab, calls: int, *, behind_a_verdict: bool) -> list[float]:
    """The customer's LegAnswered, or the verdict that he is a person, to RoomsReached of him and the agent, whose leg
    waits in an interaction of its own.
    """
    try:
        await lab.start([CUSTOMER, AGENT])
        lab.phone(CUSTOMER).behave(Answers(0.1))
        seat = new_id("int")
        leg_id = await connect(lab, lab.phone(AGENT), interaction_id=seat)
        if behind_a_verdict:
            lab.phone(CUSTOMER).greet(Greeting.PERSON)
        last = MachineDetected if behind_a_verdict else LegAnswered
        return [await _one(lab, leg_id, (seat, version), last) for version in range(1, calls + 1)]
    finally:
        await lab.stop()


async def _one(lab: SipLab, agent_leg: str, seat: tuple[str, int], last: type[Fact]) -> float:
    """`last`: what is waited for before the two are joined."""
    await reach(lab, *seat, room("seat", agent_leg))
    call, leg_id = new_id("int"), new_id("leg")
    joined: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    last_s = 0.0

    def sink(fact: Fact) -> None:
        nonlocal last_s
        lab.facts.append(fact)
        if isinstance(fact, LegAnswered) and last is MachineDetected:
            detect = {"id": new_id("cmd"), "pbx": lab.pbx, "leg_id": leg_id, "interaction_id": call}
            lab.port.submit(DetectMachine(**detect, deadline_ms=3000))
        elif isinstance(fact, LegAnswered | MachineDetected):
            assert not isinstance(fact, MachineDetected) or fact.verdict is MachineVerdict.HUMAN
            last_s = time.monotonic()
            rooms = (room("main", leg_id, agent_leg),)
            lab.port.submit(SetRooms(id=new_id("cmd"), pbx=lab.pbx, interaction_id=call, version=1, rooms=rooms))
        elif isinstance(fact, RoomsReached) and fact.interaction_id == call:
            joined.set_result(time.monotonic())

    await lab.port.start(sink)  # only takes the new sink over: the link is up already
    dial(lab, lab.phone(CUSTOMER), leg_id, interaction_id=call)
    joined_s = await asyncio.wait_for(joined, 5)
    await lab.phone(CUSTOMER).speak(True)
    await lab.hears(lab.phone(CUSTOMER), lab.phone(AGENT))
    await lab.hears(lab.phone(AGENT), lab.phone(CUSTOMER))
    hang_up(lab, leg_id)
    await lab.settle()
    return (joined_s - last_s) * 1000


@pytest.mark.req("DIALER-06")
@pytest.mark.parametrize(("calls", "behind_a_verdict"), [(20, False), (10, True)], ids=["answered", "person"])
@pytest.mark.parametrize(
    ("make", "limit_ms"),
    [
        pytest.param(AsteriskLab, 25, marks=pytest.mark.pbx, id="asterisk"),
        # A `uuid_bridge` takes 40 to 65 ms.
        pytest.param(FreeswitchLab, 150, marks=(pytest.mark.pbx, pytest.mark.freeswitch), id="freeswitch"),
    ],
)
def test_a_customer_who_answers_is_joined_at_once(
    make: Callable[[], SipLab],
    limit_ms: float,
    calls: int,
    behind_a_verdict: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = run(joined_ms(make(), calls, behind_a_verdict=behind_a_verdict), within=55.0)
    with capsys.disabled():
        sys.stdout.write(f"\nanswer_to_joined_ms: median {median(values):.1f}, worst {max(values):.1f}")
    assert median(values) < limit_ms
