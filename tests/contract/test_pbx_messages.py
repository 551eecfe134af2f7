"""The PBX contract: messages of a leg that is alone, after a beep, judged by what is in the file."""

from __future__ import annotations

import pytest

from routing.core.commands import RecordMessage
from routing.core.facts import CommandOutcome, LegEnded, MessageEnded, PromptOutcome, PromptsEnded
from tests.contract.pbx_lab import PbxLab
from tests.contract.pbx_prompts import (
    ONE_KEY,
    Held,
    began,
    finished,
    in_silence,
    on_hold,
    over,
    play,
    record,
    recorded,
    replay,
)
from tests.contract.pbx_suite import connect, ended, hang_up, in_lab_with, new_id, of, reach, room

SLACK_S = 0.5


async def speaks(lab: PbxLab, order: RecordMessage, seconds: float) -> None:
    await began(lab, order)
    await lab.pass_time(seconds + 0.6)  # the beep


async def holds_his_voice(lab: PbxLab, held: Held, order: RecordMessage, seconds: float) -> None:
    """For about so long."""
    name = held.caller.name
    spoken = [p.seconds for p in await lab.recorded(order.file) if p.voices == frozenset({name})]
    assert abs(sum(spoken) - seconds) < SLACK_S + 0.2, spoken


@in_lab_with()
async def test_a_message_ends_with_any_key_and_holds_what_was_said(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = record(lab, held.leg_id)
    await speaks(lab, order, 2.0)
    await held.caller.press("5")
    fact = await recorded(lab, order)
    assert fact.outcome is PromptOutcome.FINISHED
    assert abs(fact.duration_ms - 2000) < SLACK_S * 1000
    await holds_his_voice(lab, held, order, 2.0)
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_a_message_ends_with_silence_that_does_not_count(lab: PbxLab) -> None:
    held = await in_silence(lab)
    order = record(lab, held.leg_id, silence_s=2)
    await speaks(lab, order, 1.5)
    await held.caller.speak(False)
    fact = await recorded(lab, order)
    assert fact.outcome is PromptOutcome.FINISHED
    assert abs(fact.duration_ms - 1500) < SLACK_S * 1000
    await holds_his_voice(lab, held, order, 1.5)


@in_lab_with()
async def test_a_message_ends_after_the_longest_time(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = record(lab, held.leg_id, max_s=2)
    await began(lab, order)
    fact = await recorded(lab, order)
    assert abs(fact.duration_ms - 2000) < SLACK_S * 1000
    await holds_his_voice(lab, held, order, 2.0)
    await lab.hears_music(held.caller)


@in_lab_with()
async def test_who_hangs_up_has_left_a_message_and_it_is_told_ahead_of_his_end(lab: PbxLab) -> None:
    for from_us in (False, True):
        held = await on_hold(lab)
        order = record(lab, held.leg_id)
        await speaks(lab, order, 2.0)
        if from_us:
            hang_up(lab, held.leg_id)
        else:
            await held.caller.hang_up()
        fact = await recorded(lab, order)
        assert fact.outcome is PromptOutcome.FINISHED
        assert abs(fact.duration_ms - 2000) < SLACK_S * 1000
        (end,) = of(lab, LegEnded, leg_id=held.leg_id)
        assert lab.facts.index(fact) < lab.facts.index(end)
        await holds_his_voice(lab, held, order, 2.0)


@in_lab_with()
async def test_who_says_nothing_has_left_no_message(lab: PbxLab) -> None:
    held = await on_hold(lab)
    await held.caller.speak(False)
    order = record(lab, held.leg_id, silence_s=2)
    assert (await recorded(lab, order)).duration_ms == 0
    await held.caller.speak(True)
    order = record(lab, held.leg_id)
    await speaks(lab, order, 0.2)
    await held.caller.press("1")
    assert (await recorded(lab, order)).duration_ms == 0
    order = record(lab, held.leg_id)
    await speaks(lab, order, 0.2)
    await held.caller.hang_up()
    assert (await recorded(lab, order)).duration_ms == 0


@in_lab_with("1001")
async def test_a_message_is_interrupted_by_a_move_and_by_prompts(lab: PbxLab) -> None:
    held, agent = await on_hold(lab), lab.phone("1001")
    first = record(lab, held.leg_id)
    await speaks(lab, first, 1.5)
    order = play(lab, held.leg_id, "short", keys=ONE_KEY)
    fact = await recorded(lab, first)
    assert fact.outcome is PromptOutcome.INTERRUPTED
    assert abs(fact.duration_ms - 1500) < SLACK_S * 1000
    await finished(lab, order, "")
    leg = await connect(lab, agent, interaction_id=held.interaction_id)
    second = record(lab, held.leg_id)
    await speaks(lab, second, 0.1)
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, leg))
    fact = await recorded(lab, second)
    assert (fact.outcome, fact.duration_ms) == (PromptOutcome.INTERRUPTED, 0)
    await lab.hears(held.caller, agent)
    await lab.hears(agent, held.caller)


@pytest.mark.req("SAFE-01")
@in_lab_with()
async def test_what_was_said_stays_when_a_new_connector_asks_for_the_message_again(lab: PbxLab) -> None:
    held = await on_hold(lab)
    order = record(lab, held.leg_id)
    await speaks(lab, order, 1.5)
    await lab.restart_connector()
    await reach(lab, held.interaction_id, 2, room("main", held.leg_id, music="default"))
    again = RecordMessage(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=held.leg_id,
        interaction_id="int_none",
        file=order.file,
        max_s=10,
        silence_s=3,
    )
    lab.port.submit(again)
    await speaks(lab, again, 1.5)
    await held.caller.press("#")
    fact = await recorded(lab, again)
    assert fact.duration_ms > 1000
    name = frozenset({held.caller.name})
    assert sum(p.seconds for p in await lab.recorded(order.file) if p.voices == name) > 2.7


@pytest.mark.req("SAFE-03")
@in_lab_with()
async def test_a_message_is_refused_for_names_that_are_none_and_legs_that_are_gone(lab: PbxLab) -> None:
    held = await on_hold(lab)
    for file in ("../a", "a/b", "a b", "a,b", "", "${EPOCH}"):
        order = RecordMessage(
            id=new_id("cmd"),
            pbx=lab.pbx,
            leg_id=held.leg_id,
            interaction_id="int_none",
            file=file,
            max_s=5,
            silence_s=2,
        )
        lab.port.submit(order)
        await ended(lab, order, CommandOutcome.REFUSED)
    await ended(lab, record(lab, new_id("leg")), CommandOutcome.REFUSED)
    assert not of(lab, MessageEnded)
    await lab.hears_music(held.caller)


@in_lab_with("1001")
async def test_an_agent_hears_a_message_whose_caller_is_gone(lab: PbxLab) -> None:
    held, agent = await on_hold(lab), lab.phone("1001")
    order = record(lab, held.leg_id)
    await speaks(lab, order, 2.0)
    await held.caller.hang_up()
    said = await recorded(lab, order)
    interaction_id = new_id("int")
    leg = await connect(lab, agent, interaction_id=interaction_id)
    await reach(lab, interaction_id, 1, room("main", leg))
    for keys in (None, ONE_KEY):
        listens = replay(lab, leg, order.file, keys)
        await lab.hears_message(agent, held.caller)
        begun_s = lab.now_s
        await lab.wait_fact(PromptsEnded, command_id=listens.id)
        assert lab.now_s - begun_s > said.duration_ms / 1000 - 1.0
        await finished(lab, listens, "")
    assert (await over(lab, replay(lab, leg, new_id("msg"), None))).outcome is PromptOutcome.FAILED
    await lab.hears(agent)


@pytest.mark.req("SAFE-03")
@in_lab_with()
async def test_no_other_file_is_played_as_a_message(lab: PbxLab) -> None:
    held = await on_hold(lab)
    for file in ("../a", "/etc/a", "a/b", "a,b", ""):
        await ended(lab, replay(lab, held.leg_id, file, None), CommandOutcome.REFUSED)
    await lab.hears_music(held.caller)
