"""What goes wrong between a caller who waits and the telephone he rings: answers that come too late, forwarding."""

from __future__ import annotations

import pytest

from deploy.lab.call import Call
from routing.core.facts import DialFailed, DialOutcome, LegRinging
from tests.contract.freeswitch_lab import FreeswitchLab
from tests.contract.pbx_lab import Answers, IncomingCall, PartyState
from tests.contract.pbx_suite import dial, dial_ends, hang_up, take
from tests.system.test_freeswitch_link import in_lab

pytestmark = pytest.mark.freeswitch


@pytest.mark.req("OFFER-05", "FLOW-04")
@pytest.mark.parametrize("late_s", [0.0, 0.03])
def test_whose_telephone_answers_just_when_it_is_taken_back_goes_on_hearing_music(late_s: float) -> None:
    """The waiting leg was joined with it for some ms, and nobody orders its room anew."""

    async def scenario(lab: FreeswitchLab) -> None:
        caller = await lab.call_in(IncomingCall())
        interaction_id = await take(lab, caller)
        for rounds in range(3):
            await lab.hears_music(caller)
            lab.phone("1001").behave(Answers(0.1))
            order = dial(lab, lab.phone("1001"), interaction_id=interaction_id, joins=caller.leg_id)
            await lab.wait_fact(LegRinging, leg_id=order.leg_id)
            await lab.phone("1001").has_state(PartyState.UP)
            await lab.pass_time(late_s)
            hang_up(lab, order.leg_id)
            await lab.phone("1001").has_state(PartyState.ENDED)
            await lab.settle()
            assert len(dial_ends(lab, order.leg_id)) == 1, rounds
        await lab.hears_music(caller)

    in_lab(scenario, "1001")


@pytest.mark.req("OFFER-05", "FLOW-04")
@pytest.mark.parametrize("is_rung_by_the_caller", [True, False])
def test_a_telephone_that_forwards_its_calls_has_refused_and_rings_nobody_else(is_rung_by_the_caller: bool) -> None:
    async def scenario(lab: FreeswitchLab) -> None:
        caller = await lab.call_in(IncomingCall())
        interaction_id = await take(lab, caller)
        await lab.hears_music(caller)
        line = await lab.lines.agent("1001")
        host, port = lab.freeswitch.sip

        async def forward(call: Call) -> None:
            call.redirect(f"sip:1002@{host}:{port}")

        line.on_invite = forward
        joins = caller.leg_id if is_rung_by_the_caller else ""
        order = dial(lab, f"{lab.phone_prefix}1001", interaction_id=interaction_id, joins=joins)
        failed = await lab.wait_fact(DialFailed, leg_id=order.leg_id)
        assert failed.outcome is DialOutcome.REJECTED
        await lab.settle()
        assert lab.phone("1002").rings == 0
        await lab.hears_music(caller)

    in_lab(scenario, "1002")
