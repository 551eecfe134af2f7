"""The PBX contract: calls that come in, telephones that change, feature codes."""

from __future__ import annotations

import pytest

from routing.core.commands import ReplyFeature
from routing.core.facts import (
    EndedBy,
    FeatureDialed,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    PhoneChanged,
    PhoneState,
)
from tests.contract.conftest import InLab
from tests.contract.pbx_lab import IncomingCall, PartyState, PbxLab, RingsForEver
from tests.contract.pbx_suite import arrivals, connect, dial, ended, hang_up, in_lab_with, new_id, of, take

NASTY = [
    pytest.param("line one\r\nAction: Hangup\r\n\r\n", id="CR LF"),
    pytest.param("a,b&c=d;e|f", id="separators"),
    pytest.param("{x}${EXTEN}$[1+1]%{y}", id="braces"),
    pytest.param("\"double\" 'single' \\back\\ `tick`", id="quotes"),
    pytest.param("100%25 %0d%0a + %", id="percent"),
    pytest.param("Zoë 東京 \U0001f600\U0001f1e9\U0001f1ea", id="4-byte UTF-8"),
    pytest.param("ß\U0001f600" * 128, id="256 characters"),
    pytest.param("  leading and trailing  ", id="spaces"),
]


@in_lab_with()
async def test_a_call_arrives_with_what_the_dialplan_said(lab: PbxLab) -> None:
    call = IncomingCall(
        entry_point="support",
        dnis="7002",
        ani="4915112345678",
        cad={"plain": "42", "case": ""},
        options={"priority": "9"},
    )
    caller = await lab.call_in(call)
    (fact,) = arrivals(lab, caller.leg_id)
    assert (fact.entry_point, fact.dnis, fact.ani) == ("support", "7002", "4915112345678")
    assert fact.cad["plain"] == "42"
    assert fact.options["priority"] == "9"
    assert fact.pbx == lab.pbx


@pytest.mark.req("SAFE-03", "FLOW-03")
@pytest.mark.parametrize("value", NASTY)
def test_cad_comes_through_as_it_was(in_lab: InLab, value: str) -> None:
    async def scenario(lab: PbxLab) -> None:
        caller = await lab.call_in(IncomingCall(cad={"note": value, "plain": "42"}))
        (fact,) = arrivals(lab, caller.leg_id)
        assert fact.cad["note"] == value
        assert fact.cad["plain"] == "42"
        await lab.settle()
        assert [f for f in of(lab, LegEnded, LegArrived) if f.leg_id != caller.leg_id] == []

    in_lab(scenario, [])


@in_lab_with()
async def test_each_caller_has_a_leg_of_his_own(lab: PbxLab) -> None:
    callers = [await lab.call_in(IncomingCall(ani=f"4917000000{n}")) for n in range(3)]
    assert len({caller.leg_id for caller in callers}) == 3
    for n, caller in enumerate(callers):
        (fact,) = arrivals(lab, caller.leg_id)
        assert fact.ani == f"4917000000{n}"


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_caller_who_gives_up_ends_his_leg_once(in_lab: InLab, is_taken: bool) -> None:
    async def scenario(lab: PbxLab) -> None:
        caller = await lab.call_in(IncomingCall())
        if is_taken:
            await take(lab, caller)
        await caller.hang_up()
        gone = await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
        assert gone.ended_by is EndedBy.REMOTE
        await lab.settle()
        assert of(lab, LegEnded, leg_id=caller.leg_id) == [gone]
        assert await lab.channels() == 0

    in_lab(scenario, [])


@in_lab_with()
async def test_a_caller_can_be_hung_up(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    order = hang_up(lab, caller.leg_id)
    gone = await lab.wait_fact(LegEnded, leg_id=caller.leg_id)
    assert gone.ended_by is EndedBy.SERVER
    await ended(lab, order)
    assert caller.state is PartyState.ENDED


# ---------------------------------------------------------------------- telephones


@pytest.mark.req("ROUTE-15", "STATE-10")
@in_lab_with("1001")
async def test_a_phone_is_free_then_rings_then_is_busy_then_free(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    await lab.wait_fact(PhoneChanged, phone=phone.address, state=PhoneState.FREE)
    phone.behave(RingsForEver())
    since = len(lab.facts)
    ringing = dial(lab, phone)
    await lab.wait_fact(LegRinging, leg_id=ringing.leg_id)
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.RINGING)
    hang_up(lab, ringing.leg_id)
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.FREE)


@pytest.mark.req("ROUTE-15", "STATE-10")
@in_lab_with("1001")
async def test_a_phone_in_a_call_of_ours_is_busy_until_it_hangs_up(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    since = len(lab.facts)
    await connect(lab, phone)
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.BUSY)
    since = len(lab.facts)
    await phone.hang_up()
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.FREE)


@pytest.mark.req("ROUTE-15", "STATE-10")
@in_lab_with("1001")
async def test_a_phone_on_a_private_call_is_busy_and_its_legs_are_not_ours(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    since = len(lab.facts)
    await phone.private_call()
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.BUSY)
    await phone.hang_up()
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.FREE)
    await lab.settle()
    assert of(lab, LegArrived, LegAnswered, LegRinging, LegEnded) == []


@pytest.mark.req("ROUTE-15", "STATE-10")
@in_lab_with("1001")
async def test_an_unregistered_phone_is_unreachable_until_it_is_back(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    since = len(lab.facts)
    await phone.unregister()
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.UNREACHABLE)
    await phone.register()
    await lab.wait_fact(PhoneChanged, since=since, phone=phone.address, state=PhoneState.FREE)


# ---------------------------------------------------------------------- feature codes


@pytest.mark.parametrize("accepted", [True, False])
def test_a_feature_code_is_told_and_the_phone_hears_the_answer(in_lab: InLab, accepted: bool) -> None:
    async def scenario(lab: PbxLab) -> None:
        await lab.phone("1001").dial_feature("sign_in", "4711")
        fact = await lab.wait_fact(FeatureDialed, phone=lab.phone("1001").address)
        assert (fact.code, fact.argument) == ("sign_in", "4711")
        order = ReplyFeature(id=new_id("cmd"), pbx=lab.pbx, leg_id=fact.leg_id, accepted=accepted)
        lab.port.submit(order)
        assert await lab.phone("1001").feature_answer() is accepted
        await ended(lab, order)
        assert len(of(lab, FeatureDialed)) == 1

    in_lab(scenario, ["1001"])


@in_lab_with("1001")
async def test_a_feature_code_without_digits_has_an_empty_argument(lab: PbxLab) -> None:
    await lab.phone("1001").dial_feature("available")
    fact = await lab.wait_fact(FeatureDialed, phone=lab.phone("1001").address)
    assert (fact.code, fact.argument) == ("available", "")


@in_lab_with("1001")
async def test_a_feature_call_nobody_answers_ends_by_itself_as_refused(lab: PbxLab) -> None:
    await lab.phone("1001").dial_feature("idle", "1")
    await lab.wait_fact(FeatureDialed, phone=lab.phone("1001").address)
    assert await lab.phone("1001").feature_answer(within_s=15.0) is False
