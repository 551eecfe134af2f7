"""The PBX contract: prompts to a leg that is alone, and the keys that it presses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.commands import KeyInput, PlayPrompts, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandOutcome, LegEnded, PromptOutcome, PromptsEnded, RoomsReached
from tests.contract.pbx_lab import MISSING, PROMPTS, IncomingCall, PbxLab
from tests.contract.pbx_prompts import KEYS, ONE_KEY, began, finished, in_silence, on_hold, over, play
from tests.contract.pbx_suite import connect, ended, hang_up, in_lab_with, new_id, of, reach, room, rooms


@in_lab_with()
async def test_prompts_play_one_after_the_other_and_music_goes_on_behind_them(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "long", "other")
    await began(lab, order)
    begun_s = lab.now_s
    await lab.hears_prompt(held.caller, "long")
    await lab.hears_prompt(held.caller, "other")
    await finished(lab, order, "")
    assert lab.now_s - begun_s > PROMPTS["long"] + PROMPTS["other"] - 0.5
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_a_leg_in_silence_is_in_silence_again_after_prompts(lab: PbxLab) -> None:
    held = await in_silence(lab)
    order = play(lab, held.leg_id, "short")
    await lab.hears_prompt(held.caller, "short")
    await finished(lab, order, "")
    await lab.hears(held.caller)


@in_lab_with()
async def test_prompts_wait_until_the_leg_is_where_the_rooms_want_it(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = new_id("int")
    rooms(lab, interaction_id, 1, room("main", caller.leg_id, music="default"))
    order = play(lab, caller.leg_id, "short")
    await finished(lab, order, "")
    (reached,) = of(lab, RoomsReached)
    assert lab.facts.index(reached) < lab.facts.index(of(lab, PromptsEnded)[0])
    await lab.hears_music(caller)


@in_lab_with()
async def test_a_key_stops_the_prompt_at_once(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "long", "other", keys=ONE_KEY)
    await lab.hears_prompt(held.caller, "long")
    pressed_s = lab.now_s
    await held.caller.press("7")
    await lab.wait_fact(PromptsEnded)
    assert lab.now_s - pressed_s < 1.0
    await finished(lab, order, "7")
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_several_keys_end_with_a_hash_that_is_none_of_them(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "long", keys=KEYS)
    await lab.hears_prompt(held.caller, "long")
    await held.caller.press("4*07#")
    await finished(lab, order, "4*07")


@in_lab_with()
async def test_so_many_keys_as_asked_for_end_it_and_further_ones_go_nowhere(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "short", keys=replace(KEYS, max_digits=3))
    await began(lab, order)
    await held.caller.press("12345")
    await finished(lab, order, "123")
    again = play(lab, held.leg_id, "short", keys=replace(ONE_KEY, timeout_ms=500))
    await finished(lab, again, "")


@in_lab_with()
async def test_a_hash_is_a_key_as_any_other_where_one_is_asked_for(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "short", keys=ONE_KEY)
    await began(lab, order)
    await held.caller.press("#")
    await finished(lab, order, "#")
    nothing = play(lab, held.leg_id, "short", keys=KEYS)
    await began(lab, nothing)
    await held.caller.press("#")
    await finished(lab, nothing, "")


@in_lab_with()
async def test_the_first_key_is_waited_for_from_the_end_of_the_prompts_on_and_each_further_one_for_itself(
    lab: PbxLab,
) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "short", keys=KEYS)
    await began(lab, order)
    begun_s = lab.now_s
    await lab.wait_fact(PromptsEnded)
    assert -0.1 < lab.now_s - begun_s - PROMPTS["short"] - KEYS.timeout_ms / 1000 < 0.6
    await finished(lab, order, "")
    order = play(lab, held.leg_id, "short", keys=replace(KEYS, timeout_ms=4000))
    await began(lab, order)
    await lab.pass_time(PROMPTS["short"] + 0.7)
    await held.caller.press("12")
    pressed_s = lab.now_s
    await lab.wait_fact(PromptsEnded, command_id=order.id)
    assert 0.4 < lab.now_s - pressed_s < KEYS.next_ms / 1000 + 0.6
    await finished(lab, order, "12")


@in_lab_with()
async def test_keys_can_be_asked_for_without_a_prompt(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, keys=KeyInput(max_digits=2, timeout_ms=3000, next_ms=1000))
    await began(lab, order)
    await lab.hears(held.caller)
    await held.caller.press("55")
    await finished(lab, order, "55")
    await finished(lab, play(lab, held.leg_id), "")
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_keys_that_nobody_asks_for_are_lost(lab: PbxLab) -> None:
    held = await on_hold(lab)
    await held.caller.press("12")
    order = play(lab, held.leg_id, "other")
    await lab.hears_prompt(held.caller, "other")
    await held.caller.press("34#")
    await lab.hears_prompt(held.caller, "other")
    await finished(lab, order, "")
    asked = play(lab, held.leg_id, "short", keys=replace(KEYS, timeout_ms=3000))
    await lab.hears_prompt(held.caller, "short")
    unasked = play(lab, held.leg_id, "short")
    await began(lab, unasked)
    begun_s = lab.now_s
    await held.caller.press("5")
    await lab.wait_fact(PromptsEnded, command_id=unasked.id)
    assert lab.now_s - begun_s < PROMPTS["short"] + 1.0, "nobody waits for keys any more"
    await finished(lab, unasked, "")
    assert (await over(lab, asked)).digits == ""


@in_lab_with()
async def test_a_prompt_that_is_not_there_fails_alone_and_is_left_out_among_others(lab: PbxLab) -> None:
    held = await on_hold(lab)
    for keys in (None, ONE_KEY):
        order = play(lab, held.leg_id, MISSING, keys=keys)
        assert (await over(lab, order)).outcome is PromptOutcome.FAILED
        order = play(lab, held.leg_id, MISSING, "other", MISSING, keys=keys)
        await lab.hears_prompt(held.caller, "other")
        await finished(lab, order, "")
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_newer_prompts_replace_those_that_play(lab: PbxLab) -> None:
    held = await on_hold(lab)
    first = play(lab, held.leg_id, "long", keys=KEYS)
    await lab.hears_prompt(held.caller, "long")
    second = play(lab, held.leg_id, "other")
    await lab.hears_prompt(held.caller, "other")
    assert (await over(lab, first)).outcome is PromptOutcome.INTERRUPTED
    await finished(lab, second, "")
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_of_prompts_that_are_asked_for_in_one_breath_the_last_ones_play(lab: PbxLab) -> None:
    held = await on_hold(lab)
    orders = [play(lab, held.leg_id, name) for name in ("long", "long", "long", "other")]
    await lab.hears_prompt(held.caller, "other")
    await finished(lab, orders[-1], "")
    for order in orders[:-1]:
        told = [f.outcome for f in of(lab, PromptsEnded) if f.command_id == order.id]
        end = await ended(lab, order, CommandOutcome.SUCCEEDED, CommandOutcome.REFUSED)
        was_accepted = end.outcome is CommandOutcome.SUCCEEDED
        assert told == ([PromptOutcome.INTERRUPTED] if was_accepted else [])


@in_lab_with("1001")
async def test_a_leg_that_is_joined_to_an_agent_hears_no_prompt_any_more(lab: PbxLab) -> None:
    held, agent = await on_hold(lab), lab.phone("1001")
    leg = await connect(lab, agent, interaction_id=held.interaction_id)
    for version, keys in ((2, None), (4, KEYS)):
        order = play(lab, held.leg_id, "long", "other", keys=keys)
        await lab.hears_prompt(held.caller, "long")
        await reach(lab, held.interaction_id, version, room("main", held.leg_id, leg))
        assert (await over(lab, order)).outcome is PromptOutcome.INTERRUPTED
        await lab.hears(held.caller, agent)
        await lab.hears(agent, held.caller)
        parts = (room("main", held.leg_id, music="default"), room("agent", leg))
        await reach(lab, held.interaction_id, version + 1, *parts)
        await lab.hears_music(held.caller)


@in_lab_with("1001")
async def test_a_leg_whose_company_hangs_up_hears_music_and_not_the_rest_of_the_prompts(lab: PbxLab) -> None:
    held, agent = await on_hold(lab), lab.phone("1001")
    leg = await connect(lab, agent, interaction_id=held.interaction_id)
    play(lab, held.leg_id, "long", "other", keys=KEYS)
    await lab.hears_prompt(held.caller, "long")
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, leg))
    await lab.hears(held.caller, agent)
    await ended(lab, hang_up(lab, leg))
    await lab.wait_fact(LegEnded, leg_id=leg)
    await reach(lab, held.interaction_id, 3, room("main", held.leg_id, music="default"))
    await lab.hears_music(held.caller)
    await lab.pass_time(0.5)
    await lab.hears_music(held.caller, within_s=0.3)


@in_lab_with()
async def test_other_music_moves_the_leg_and_the_same_rooms_again_do_not(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = play(lab, held.leg_id, "long", keys=ONE_KEY)
    await lab.hears_prompt(held.caller, "long")
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, music="default"))
    await lab.pass_time(0.5)
    await lab.hears_prompt(held.caller, "long", within_s=0.3)
    assert not of(lab, PromptsEnded)
    await reach(lab, held.interaction_id, 3, room("main", held.leg_id))
    assert (await over(lab, order)).outcome is PromptOutcome.INTERRUPTED
    await lab.hears(held.caller)


@in_lab_with()
async def test_a_leg_that_is_given_back_hears_no_prompt_any_more(lab: PbxLab) -> None:
    held = await on_hold(lab)
    play(lab, held.leg_id, "long", "other", keys=KEYS)
    await lab.hears_prompt(held.caller, "long")
    back = ReturnLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=held.leg_id, result=Result.TIMEOUT)
    lab.port.submit(back)
    await ended(lab, back)
    await held.caller.is_back_in_dialplan()
    await lab.hears(held.caller)
    assert not [f for f in of(lab, PromptsEnded) if f.outcome is not PromptOutcome.INTERRUPTED]


@in_lab_with()
async def test_a_leg_that_goes_in_the_middle_of_a_prompt_is_told_as_gone_alone(lab: PbxLab) -> None:
    for from_us in (True, False):
        held = await on_hold(lab)
        order = play(lab, held.leg_id, "long", keys=KEYS)
        await lab.hears_prompt(held.caller, "long")
        if from_us:
            hang_up(lab, held.leg_id)
        else:
            await held.caller.hang_up()
        await lab.wait_fact(LegEnded, leg_id=held.leg_id)
        await lab.settle()
        assert not [f for f in of(lab, PromptsEnded) if f.command_id == order.id]
    assert await lab.channels() == 0


@in_lab_with("1001")
async def test_prompts_are_refused_for_a_leg_that_is_gone_or_talks_or_was_not_taken(lab: PbxLab) -> None:
    held = await on_hold(lab)
    leg = await connect(lab, lab.phone("1001"), interaction_id=held.interaction_id)
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, leg))
    untaken = await lab.call_in(IncomingCall(ani="491701234568"))
    for leg_id in (held.leg_id, leg, untaken.leg_id, new_id("leg")):
        await ended(lab, play(lab, leg_id, "short"), CommandOutcome.REFUSED)
    await lab.hears(held.caller, lab.phone("1001"))
    assert not of(lab, PromptsEnded)


@pytest.mark.req("SAFE-03")
@in_lab_with()
async def test_names_that_could_be_more_than_a_sound_are_refused(lab: PbxLab) -> None:
    held = await on_hold(lab)
    bad = ("a&b", "a,b", "a b", "${EPOCH}", "../a", "/a/../b", "a\r\nAction: x", "http://x/y", "", "-a", "{a}b", "a|b")
    for name in bad:
        order = PlayPrompts(
            id=new_id("cmd"), pbx=lab.pbx, leg_id=held.leg_id, interaction_id="int_none", prompts=(name,)
        )
        lab.port.submit(order)
        await ended(lab, order, CommandOutcome.REFUSED)
    await ended(lab, play(lab, held.leg_id, "short", language="en,x"), CommandOutcome.REFUSED)
    assert not of(lab, PromptsEnded)
    await lab.hears_music(held.caller)


@in_lab_with("1001")
async def test_an_agent_who_is_alone_hears_prompts_too(lab: PbxLab) -> None:
    agent, interaction_id = lab.phone("1001"), new_id("int")
    leg = await connect(lab, agent, interaction_id=interaction_id)
    await reach(lab, interaction_id, 1, room("main", leg))
    order = play(lab, leg, "long", keys=ONE_KEY)
    await lab.hears_prompt(agent, "long")
    await agent.press("5")
    await finished(lab, order, "5")
    await lab.hears(agent)


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_a_new_connector_finds_the_leg_in_its_room_and_can_ask_again(lab: PbxLab) -> None:
    held = await on_hold(lab)
    play(lab, held.leg_id, "long", keys=KEYS)
    await lab.hears_prompt(held.caller, "long")
    await lab.restart_connector()
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, music="default"))
    await lab.hears_prompt(held.caller, "long", within_s=0.5)
    again = play(lab, held.leg_id, "other", keys=KEYS)
    await lab.hears_prompt(held.caller, "other")
    await held.caller.press("9#")
    await finished(lab, again, "9")
    (only,) = of(lab, PromptsEnded)
    assert only.command_id == again.id
    await lab.hears_music(held.caller)
