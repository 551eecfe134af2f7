"""The PBX contract: DTMF to the far end of a leg, judged by what its telephone received."""

from __future__ import annotations

import pytest

from routing.core.commands import PlayDigits
from routing.core.facts import CommandEnded, CommandOutcome
from tests.contract.pbx_lab import IncomingCall, PbxLab
from tests.contract.pbx_suite import connect, ended, in_lab_with, new_id, of, reach, room, take

EVERY_DIGIT = "0123456789*#ABCD"


def play(lab: PbxLab, leg_id: str, digits: str) -> PlayDigits:
    order = PlayDigits(id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, digits=digits)
    lab.port.submit(order)
    return order


@pytest.mark.req("ACT-02")
@in_lab_with("1001")
async def test_every_digit_comes_out_once_and_in_order_while_two_talk(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    leg = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, leg))
    await ended(lab, play(lab, caller.leg_id, EVERY_DIGIT))
    await lab.pass_time(0.3)
    assert caller.digits == EVERY_DIGIT
    await lab.hears(caller, lab.phone("1001"))


@in_lab_with("1001", "1002")
async def test_orders_of_one_leg_follow_each_other_and_nobody_else_gets_their_digits(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    other = await lab.call_in(IncomingCall(ani="491701234568"))
    interaction_id = await take(lab, caller)
    await take(lab, other)
    legs = [await connect(lab, lab.phone(name), interaction_id=interaction_id) for name in ("1001", "1002")]
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, *legs))
    orders = [play(lab, caller.leg_id, "123"), play(lab, caller.leg_id, "45"), play(lab, other.leg_id, "99")]
    for order in orders:
        await ended(lab, order)
    await lab.pass_time(0.3)
    assert (caller.digits, other.digits) == ("12345", "99")


@in_lab_with("1001")
async def test_digits_for_a_leg_that_is_gone_are_refused(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    await caller.hang_up()
    await lab.settle()
    await ended(lab, play(lab, caller.leg_id, "1"), CommandOutcome.REFUSED)
    await ended(lab, play(lab, new_id("leg"), "1"), CommandOutcome.REFUSED)


@in_lab_with("1001")
async def test_digits_end_exactly_once_when_the_link_goes_in_between(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    orders = [play(lab, caller.leg_id, "1" * 32) for _ in range(2)]
    await lab.cut_link()
    for order in orders:
        await lab.wait_fact(CommandEnded, command_id=order.id)
    await lab.restore_link()
    await lab.settle()
    for order in orders:
        (end,) = [f for f in of(lab, CommandEnded) if f.command_id == order.id]
        assert end.outcome in (CommandOutcome.UNKNOWN, CommandOutcome.REFUSED)
    assert len(caller.digits) < 32
