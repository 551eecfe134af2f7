"""The PBX contract: what a telephone does by its own transfer key is told, and its victim let go."""

from __future__ import annotations

import pytest

from routing.core.commands import HangUpLeg
from routing.core.facts import LegEnded, LegTransferred
from tests.contract.pbx_lab import IncomingCall, PartyState, PbxLab
from tests.contract.pbx_link import lose, restore, talk
from tests.contract.pbx_suite import connect, ended, hang_up, in_lab_with, of, reach, room, take


@pytest.mark.req("CONS-14")
@in_lab_with("1001")
async def test_a_caller_whom_a_telephone_sends_away_is_told_of_and_left_alone(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    leg = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, leg))
    await lab.phone("1001").transfer_away()
    told = await lab.wait_fact(LegTransferred, leg_id=caller.leg_id)
    assert (told.by_leg_id, told.pbx) == (leg, lab.pbx)
    hang_up(lab, leg)
    order: HangUpLeg = hang_up(lab, caller.leg_id)
    await ended(lab, order)
    assert caller.state is PartyState.UP, "it is not ours any more"
    assert of(lab, LegEnded, leg_id=caller.leg_id) == []
    await lab.restart_connector()
    await lab.settle()
    assert caller.state is PartyState.UP
    assert caller.leg_id not in [leg.leg_id for leg in lab.facts[0].legs]  # type: ignore[union-attr]
    await caller.hang_up()


@pytest.mark.req("CONS-14")
@in_lab_with("1001")
async def test_a_caller_whom_a_telephone_sends_away_while_nobody_listens_is_left_alone(lab: PbxLab) -> None:
    # As when a connector is killed after the telephone has sent him away, before it has told the PBX to forget him.
    conversation = await talk(lab)
    caller, phone = conversation.caller, conversation.phone
    await lose(lab)
    await phone.transfer_away()
    restored = await restore(lab)
    assert caller.leg_id not in [leg.leg_id for leg in restored.legs]
    await ended(lab, hang_up(lab, caller.leg_id))
    assert caller.state is PartyState.UP, "it is not ours any more"
    await lab.restart_connector()
    await lab.settle()
    assert caller.state is PartyState.UP
    assert caller.leg_id not in [leg.leg_id for leg in lab.facts[0].legs]  # type: ignore[union-attr]
    await caller.hang_up()
