"""What crosses each other on a real FreeSWITCH: an answer and the end of its offer."""

from __future__ import annotations

import pytest

from routing.core.facts import LegRinging
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
