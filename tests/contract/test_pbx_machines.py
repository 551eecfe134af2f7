"""The PBX contract: has a person answered, or an answering machine? And the message that is left on one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from routing.core.commands import DetectMachine, PlayPrompts
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegAnswered,
    LegEnded,
    MachineDetected,
    MachineVerdict,
    PromptOutcome,
    PromptsEnded,
)
from tests.contract.pbx_lab import GREETING_S, Answers, Greeting, IncomingCall, LabPhone, PbxLab
from tests.contract.pbx_prompts import detect, play
from tests.contract.pbx_suite import connect, dial, ended, hang_up, in_lab_with, new_id, of, reach, room, rooms, take

GRACE_S = 0.8  # of a decision beyond its deadline, as we see it


async def answered_by(lab: PbxLab, phone: LabPhone, greeting: Greeting) -> str:
    phone.greet(greeting)
    return await connect(lab, phone)


async def decided(lab: PbxLab, order: DetectMachine, within_s: float = 8.0) -> MachineDetected:
    """Waits for the verdict; there is one, behind the acceptance, and it took as long as it says."""
    fact = await lab.wait_fact(MachineDetected, within_s=within_s, command_id=order.id)
    await lab.settle()
    assert [f for f in of(lab, MachineDetected) if f.command_id == order.id] == [fact]
    (end,) = [f for f in of(lab, CommandEnded) if f.command_id == order.id]
    assert end.outcome is CommandOutcome.SUCCEEDED
    assert lab.facts.index(end) < lab.facts.index(fact)
    assert (fact.pbx, fact.leg_id) == (lab.pbx, order.leg_id)
    return fact


async def accepted(lab: PbxLab, order: DetectMachine | PlayPrompts) -> None:
    end = await lab.wait_fact(CommandEnded, command_id=order.id)
    assert end.outcome is CommandOutcome.SUCCEEDED, end


@pytest.mark.req("DIALER-09")
@in_lab_with("1001")
async def test_who_says_a_word_and_waits_is_a_person_and_it_is_known_before_two_seconds_are_over(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.PERSON)
    fact = await decided(lab, detect(lab, leg_id))
    assert fact.verdict is MachineVerdict.HUMAN
    assert 1200 < fact.took_ms < 2000
    assert fact.cause


@pytest.mark.req("DIALER-09")
@in_lab_with("1001")
async def test_who_talks_on_is_a_machine(lab: PbxLab) -> None:
    leg_id = await answered_by(lab, lab.phone("1001"), Greeting.MACHINE)
    fact = await decided(lab, detect(lab, leg_id))
    assert fact.verdict is MachineVerdict.MACHINE
    assert 1200 < fact.took_ms < 2500
    assert fact.cause


@in_lab_with("1001")
async def test_somebody_who_says_nothing_is_nobody_knows_what(lab: PbxLab) -> None:
    leg_id = await answered_by(lab, lab.phone("1001"), Greeting.SILENT)
    fact = await decided(lab, detect(lab, leg_id))
    assert (fact.verdict, fact.cause[:14]) == (MachineVerdict.UNKNOWN, "INITIALSILENCE")
    assert 2000 < fact.took_ms < 3300


@in_lab_with("1001")
async def test_a_far_end_that_sends_nothing_at_all_is_given_up_at_the_deadline(lab: PbxLab) -> None:
    leg_id = await answered_by(lab, lab.phone("1001"), Greeting.MUTE)
    fact = await decided(lab, detect(lab, leg_id, 1500))
    assert fact.verdict is MachineVerdict.UNKNOWN
    assert 1300 < fact.took_ms < 1500 + GRACE_S * 1000


@pytest.mark.req("DIALER-09")
@in_lab_with("1001", "1002")
async def test_what_is_not_decided_at_the_deadline_is_unknown(lab: PbxLab) -> None:
    for name, greeting in (("1001", Greeting.PERSON), ("1002", Greeting.MACHINE)):
        leg_id = await answered_by(lab, lab.phone(name), greeting)
        fact = await decided(lab, detect(lab, leg_id, 900))
        assert fact.verdict is MachineVerdict.UNKNOWN
        assert 700 < fact.took_ms < 900 + GRACE_S * 1000


@in_lab_with("1001", "1002")
async def test_a_person_is_joined_with_an_agent_behind_the_verdict(lab: PbxLab) -> None:
    customer, agent = lab.phone("1001"), lab.phone("1002")
    agent_leg = await connect(lab, agent)
    leg_id = await answered_by(lab, customer, Greeting.PERSON)
    await decided(lab, detect(lab, leg_id))
    await reach(lab, new_id("int"), 1, room("main", leg_id, agent_leg))
    await customer.speak(True)
    await lab.hears(customer, agent)
    await lab.hears(agent, customer)


@in_lab_with("1001", "1002")
async def test_they_are_joined_in_the_very_moment_of_the_verdict_again_and_again(lab: PbxLab) -> None:
    customer, agent = lab.phone("1001"), lab.phone("1002")
    agent_leg = await connect(lab, agent)
    for _ in range(3):
        leg_id = await answered_by(lab, customer, Greeting.PERSON)
        order = detect(lab, leg_id, 3000)
        await lab.wait_fact(MachineDetected, command_id=order.id)
        await reach(lab, new_id("int"), 1, room("main", leg_id, agent_leg))
        await customer.speak(True)
        await lab.hears(customer, agent)
        await lab.hears(agent, customer)
        await customer.hang_up()
        await lab.wait_fact(LegEnded, leg_id=leg_id)
        await lab.hears(agent)


@in_lab_with("1001")
async def test_a_leg_that_hears_music_hears_it_again_behind_the_verdict(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.PERSON)
    interaction_id = new_id("int")
    rooms(lab, interaction_id, 1, room("main", leg_id, music="default"))
    await decided(lab, detect(lab, leg_id))
    await lab.hears_music(phone)
    moves = lab.moves
    await reach(lab, interaction_id, 2, room("main", leg_id, music="default"))
    await lab.settle()
    assert lab.moves == moves


async def _joined(lab: PbxLab, leg_id: str, agent_leg: str) -> None:
    await reach(lab, new_id("int"), 1, room("main", leg_id, agent_leg))
    await lab.hears(lab.phone("1002"), lab.phone("1001"))


async def _on_hold(lab: PbxLab, leg_id: str, agent_leg: str) -> None:
    del agent_leg
    await reach(lab, new_id("int"), 1, room("main", leg_id, music="default"))
    await lab.hears_music(lab.phone("1001"))


async def _prompted(lab: PbxLab, leg_id: str, agent_leg: str) -> None:
    del agent_leg
    await accepted(lab, play(lab, leg_id, "other"))
    await lab.hears_prompt(lab.phone("1001"), "other")


async def _hung_up(lab: PbxLab, leg_id: str, agent_leg: str) -> None:
    del agent_leg
    hang_up(lab, leg_id)
    await lab.wait_fact(LegEnded, leg_id=leg_id)


async def _gone(lab: PbxLab, leg_id: str, agent_leg: str) -> None:
    del agent_leg
    await lab.phone("1001").hang_up()
    await lab.wait_fact(LegEnded, leg_id=leg_id)


def _without_a_verdict(
    interrupt: Callable[[PbxLab, str, str], Awaitable[None]],
) -> Callable[[PbxLab], Awaitable[None]]:
    async def scenario(lab: PbxLab) -> None:
        agent_leg = await connect(lab, lab.phone("1002"))
        leg_id = await answered_by(lab, lab.phone("1001"), Greeting.TALKER)
        await accepted(lab, detect(lab, leg_id, 3000))
        await interrupt(lab, leg_id, agent_leg)
        await lab.pass_time(4.0)
        await lab.settle()
        assert of(lab, MachineDetected) == []

    return scenario


async def _a_join(lab: PbxLab) -> None:
    agent_leg = await connect(lab, lab.phone("1002"))
    leg_id = await answered_by(lab, lab.phone("1001"), Greeting.SILENT)
    await accepted(lab, detect(lab, leg_id, 3000))
    await reach(lab, new_id("int"), 1, room("main", leg_id, agent_leg))
    await lab.phone("1001").speak(True)
    await lab.hears(lab.phone("1002"), lab.phone("1001"))
    await lab.pass_time(4.0)
    await lab.hears(lab.phone("1001"), lab.phone("1002"))
    assert of(lab, MachineDetected) == []


test_a_join_ends_the_listening_without_a_verdict = in_lab_with("1001", "1002")(_a_join)
test_rooms_end_the_listening_without_a_verdict = in_lab_with("1001", "1002")(_without_a_verdict(_on_hold))
test_prompts_end_the_listening_without_a_verdict = in_lab_with("1001", "1002")(_without_a_verdict(_prompted))
test_a_hang_up_ends_the_listening_without_a_verdict = in_lab_with("1001", "1002")(_without_a_verdict(_hung_up))
test_who_hangs_up_himself_gets_no_verdict = in_lab_with("1001", "1002")(_without_a_verdict(_gone))


@in_lab_with("1001", "1002")
async def test_only_a_leg_that_is_up_and_alone_is_listened_to(lab: PbxLab) -> None:
    await ended(lab, detect(lab, new_id("leg")), CommandOutcome.REFUSED)
    lab.phone("1001").behave(Answers(after_s=1.5))
    one = dial(lab, lab.phone("1001"))
    await ended(lab, detect(lab, one.leg_id), CommandOutcome.REFUSED)
    await lab.wait_fact(LegAnswered, leg_id=one.leg_id)
    other = await connect(lab, lab.phone("1002"))
    await reach(lab, new_id("int"), 1, room("main", one.leg_id, other))
    await ended(lab, detect(lab, one.leg_id), CommandOutcome.REFUSED)
    assert of(lab, MachineDetected) == []


@in_lab_with("1001")
async def test_after_a_lost_link_it_can_be_asked_again(lab: PbxLab) -> None:
    leg_id = await answered_by(lab, lab.phone("1001"), Greeting.SILENT)
    await accepted(lab, detect(lab, leg_id, 3000))
    await lab.restart_connector()
    fact = await decided(lab, detect(lab, leg_id, 3000))
    assert fact.verdict is MachineVerdict.UNKNOWN
    assert len(of(lab, MachineDetected)) == 1


@in_lab_with()
async def test_a_caller_can_be_listened_to_as_well(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    await take(lab, caller)
    await caller.speak(False)
    fact = await decided(lab, detect(lab, caller.leg_id, 1500))
    assert fact.verdict in MachineVerdict
    await lab.hears_music(caller)


# ---------------------------------------------------------------------- a message behind the greeting


@pytest.mark.req("DIALER-09")
@in_lab_with("1001")
async def test_a_message_is_left_behind_the_greeting(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.MACHINE)
    answered_s = lab.now_s
    order = play(lab, leg_id, "short", after_silence_ms=1500)
    await accepted(lab, order)
    await lab.hears_prompt(phone, "short", within_s=12.0)
    assert GREETING_S + 1.0 < lab.now_s - answered_s < GREETING_S + 3.5
    end = await lab.wait_fact(PromptsEnded, command_id=order.id)
    assert end.outcome is PromptOutcome.FINISHED
    await lab.hears(phone)


@in_lab_with("1001")
async def test_where_nobody_says_anything_the_message_begins_when_it_has_been_silent_for_so_long(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.SILENT)
    begun_s = lab.now_s
    order = play(lab, leg_id, "short", after_silence_ms=1000)
    await lab.hears_prompt(phone, "short")
    assert 0.8 < lab.now_s - begun_s < 2.2
    await lab.wait_fact(PromptsEnded, command_id=order.id)
    again = play(lab, leg_id, "short")
    await accepted(lab, again)
    begun_s = lab.now_s
    await lab.wait_fact(PromptsEnded, command_id=again.id)
    assert lab.now_s - begun_s < 1.4, "what was asked for before counts no more"


@in_lab_with("1001")
async def test_whoever_never_stops_talking_gets_the_message_all_the_same(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.TALKER)
    begun_s = lab.now_s
    order = play(lab, leg_id, "short", after_silence_ms=1500)
    end = await lab.wait_fact(PromptsEnded, within_s=35.0, command_id=order.id)
    assert end.outcome is PromptOutcome.FINISHED
    assert 29.0 < lab.now_s - begun_s < 32.5


@in_lab_with("1001")
async def test_prompts_that_wait_for_a_silence_can_be_replaced(lab: PbxLab) -> None:
    phone = lab.phone("1001")
    leg_id = await answered_by(lab, phone, Greeting.TALKER)
    waiting = play(lab, leg_id, "other", after_silence_ms=1500)
    await accepted(lab, waiting)
    order = play(lab, leg_id, "short")
    await lab.hears_prompt(phone, "short")
    end = await lab.wait_fact(PromptsEnded, command_id=waiting.id)
    assert end == replace(end, outcome=PromptOutcome.INTERRUPTED)
    await lab.wait_fact(PromptsEnded, command_id=order.id)
