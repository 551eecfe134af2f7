"""Orders of the core on a FreeSWITCH, and how each ends (SAFE-02)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from routing.core.commands import (
    HangUpLeg,
    MarkLeg,
    PlayDigits,
    ReplyFeature,
    ReturnLeg,
    Room,
    SetRecording,
)
from routing.core.config import Result
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    EndedBy,
    LegAnswered,
    LegEnded,
    RoomsReached,
    RoomsRefused,
)
from routing.core.recording import RecordingState
from telephony.answers import Answer, Answered
from tests.unit.freeswitch_bench import AGENT, CALLER, CUSTOMER, NO_SUCH, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

MUSIC = Room(name="main", legs=(CUSTOMER,), music="moh")
TALK = Room(name="main", legs=(CUSTOMER, AGENT))
REFUSED, SUCCEEDED = CommandOutcome.REFUSED, CommandOutcome.SUCCEEDED


# ---------------------------------------------------------------------- rooms


async def a_talk(bench: Bench) -> None:
    """Customer and agent are joined, and have been for long enough to be moved."""
    bench.arrive()
    bench.dial()
    bench.answer()
    bench.want(1, TALK)
    await until(lambda: bench.link.matching("uuid_bridge"))
    bench.bridged(CALLER, AGENT)
    await until(lambda: bench.told(RoomsReached))
    bench.forget()


def test_two_legs_are_joined_by_one_order_and_say_whose_they_are(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.dial()
        bench.answer()
        bench.forget()
        bench.want(1, TALK)
        await until(lambda: bench.link.matching("uuid_bridge"))
        assert f"uuid_setvar {CALLER} SR_IID int_1" in bench.link.sent
        assert len(bench.link.matching("uuid_bridge")) == 1
        assert bench.told(RoomsReached) == []
        bench.bridged(AGENT, CALLER)
        assert bench.told(RoomsReached) == [RoomsReached(pbx="p", interaction_id="int_1", version=1)]

    play(scenario)


def test_both_legs_of_a_talk_are_parted_by_one_order(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_talk(bench)
        bench.want(2, MUSIC, Room(name="agent", legs=(AGENT,)))
        await until(lambda: bench.link.matching("uuid_transfer"))
        lines = bench.link.matching("uuid_transfer")
        assert all("-both" not in line or "switchroom-room" in line for line in lines)
        bench.unbridged(CALLER, AGENT)
        bench.at(CALLER, "switchroom-wait", "moh")
        bench.at(AGENT, "switchroom-idle")
        await until(lambda: bench.told(RoomsReached))
        assert bench.told(RoomsReached)[-1].version == 2

    play(scenario)


def test_a_leg_that_was_joined_only_just_now_is_moved_when_it_has_settled(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_talk(bench)
        begin = asyncio.get_running_loop().time()
        bench.bridged(CALLER, AGENT)
        bench.want(2, MUSIC, Room(name="agent", legs=(AGENT,)))
        await until(lambda: ("v2", SUCCEEDED) in bench.ends())
        assert not bench.link.matching("uuid_transfer")
        await until(lambda: bench.link.matching("uuid_transfer"))
        assert asyncio.get_running_loop().time() - begin >= 0.02

    play(scenario, settles_s=0.03, step_timeout_s=1.0)


def test_three_are_put_into_a_conference_and_none_is_there_before_he_is(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_talk(bench)
        bench.dial("leg_y", id="dial2")
        bench.answer("leg_y")
        bench.want(2, Room(name="main", legs=(CUSTOMER, AGENT, "leg_y")))
        await until(lambda: len(bench.link.matching("switchroom-room")) >= 2)
        [pair] = [line for line in bench.link.matching("switchroom-room") if "-both" in line]
        name = pair.split()[-3]
        for uid in (CALLER, AGENT):
            bench.member("add-member", name, uid)
        assert bench.told(RoomsReached) == []
        bench.member("add-member", name, "leg_y")
        assert [fact.version for fact in bench.told(RoomsReached)] == [2]

    play(scenario)


@pytest.mark.parametrize("answer", [NO_SUCH, Answer(Answered.SUCCESS, "+OK"), None])
def test_a_step_that_is_refused_or_never_confirmed_is_tried_again_and_given_up(
    play: Play, answer: Answer | None
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_transfer"] = answer
        bench.arrive()
        bench.want(1, MUSIC)
        await until(lambda: bench.told(RoomsRefused))
        assert len(bench.link.matching("uuid_transfer")) == 3
        why = NO_SUCH.text if answer is NO_SUCH else "not confirmed in time"
        assert bench.told(RoomsRefused) == [RoomsRefused(pbx="p", interaction_id="int_1", version=1, reason=why)]

    play(scenario, step_timeout_s=0.03, step_attempts=3)


def test_rooms_of_a_leg_that_is_gone_or_not_answered_are_refused(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.want(1, MUSIC)
        assert [fact.reason for fact in bench.told(RoomsRefused)] == [f"leg {CUSTOMER} is gone"]
        bench.arrive()
        bench.dial()
        bench.want(2, TALK)
        assert [fact.reason for fact in bench.told(RoomsRefused)][1:] == [f"leg {AGENT} is not answered"]
        bench.want(1, MUSIC)
        assert ("v1", SUCCEEDED) in bench.ends()
        assert len(bench.told(RoomsRefused)) == 2

    play(scenario)


def test_rooms_end_when_a_leg_of_theirs_does(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.want(1, MUSIC)
        await until(lambda: bench.link.matching("uuid_transfer"))
        bench.hung_up(CALLER)
        assert [fact.reason for fact in bench.told(RoomsRefused)] == [f"leg {CUSTOMER} is gone"]

    play(scenario)


# ---------------------------------------------------------------------- other orders


@pytest.mark.req("SAFE-03")
def test_a_name_that_cannot_be_a_place_is_refused_before_anything_is_sent(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.forget()
        bench.want(1, Room(name="main", legs=(CUSTOMER,), music="a b XML evil"))
        assert len(bench.told(RoomsRefused)) == 1
        bench.port.submit(MarkLeg(id="m", pbx="p", leg_id=CUSTOMER, variables={"A B": "x"}))
        assert ("m", REFUSED) in bench.ends()
        assert bench.link.sent == []

    play(scenario)


@pytest.mark.parametrize(
    "command",
    [
        MarkLeg(id="c", pbx="p", leg_id="leg_gone", variables={"A": "b"}),
        ReturnLeg(id="c", pbx="p", leg_id="leg_gone", result=Result.TIMEOUT),
        ReplyFeature(id="c", pbx="p", leg_id=CUSTOMER, accepted=True),
        SetRecording(id="c", pbx="p", leg_id="leg_gone", file="f", state=RecordingState.PAUSED),
        PlayDigits(id="c", pbx="p", leg_id="leg_gone", digits="1"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_order_for_a_leg_that_is_not_there_is_refused_and_nothing_is_sent(play: Play, command: Any) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.forget()
        bench.port.submit(command)
        assert bench.ends() == [("c", REFUSED)]
        assert bench.link.sent == []

    play(scenario)


def test_hanging_up_what_is_gone_already_has_succeeded(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id="leg_gone"))
        assert bench.ends() == [("h", SUCCEEDED)]

    play(scenario)


def test_a_hang_up_that_the_pbx_refuses_may_be_ordered_again(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_kill"] = Answer(Answered.ERROR, "-ERR something else")
        bench.arrive()
        bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=CUSTOMER, answered_elsewhere=True))
        await until(lambda: ("h", REFUSED) in bench.ends())
        assert bench.link.matching("uuid_kill") == [f"uuid_kill {CALLER} LOSE_RACE"]
        bench.hung_up(CALLER, variable_sip_hangup_disposition="recv_bye")
        assert bench.told(LegEnded)[0].ended_by is EndedBy.REMOTE

    play(scenario)


def test_marks_end_with_the_last_answer_and_the_first_failure_counts(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.link.answers[f"uuid_setvar {CALLER} A 1"] = Answer(Answered.ERROR, "-ERR first")
        bench.port.submit(MarkLeg(id="m", pbx="p", leg_id=CUSTOMER, variables={"A": "1", "B": "2"}))
        bench.port.submit(MarkLeg(id="n", pbx="p", leg_id=CUSTOMER, variables={}))
        await until(lambda: len(bench.ends()) == 2)
        assert sorted(bench.ends()) == [("m", REFUSED), ("n", SUCCEEDED)]

    play(scenario)


@pytest.mark.parametrize(("accepted", "exten"), [(True, "accepted"), (False, "refused")])
def test_a_feature_code_is_answered_with_its_tone(play: Play, accepted: bool, exten: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.say("switchroom::feature", "u", variable_SR_CODE="available", variable_SR_PHONE="user/1001")
        bench.port.submit(ReplyFeature(id="f", pbx="p", leg_id="leg_u", accepted=accepted))
        await until(lambda: bench.ends() == [("f", SUCCEEDED)])
        assert bench.link.sent == [f"uuid_transfer u {exten} XML switchroom-feature"]

    play(scenario)


@pytest.mark.req("REC-02")
def test_a_recording_is_paused_on_the_leg_that_is_recorded(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial(recording="f")
        bench.answer()
        await until(lambda: bench.told(LegAnswered))
        bench.forget()
        order = SetRecording(id="s", pbx="p", leg_id=AGENT, file="f", state=RecordingState.PAUSED)
        bench.port.submit(order)
        await until(lambda: bench.ends())
        assert bench.link.sent == [f"uuid_record {AGENT} mask /rec/f.wav"]

    play(scenario)


def test_a_leg_is_dialled_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.dial(id="again")
        await until(lambda: len(bench.ends()) == 2)
        assert sorted(bench.ends()) == [("again", REFUSED), ("dial", SUCCEEDED)]
        assert len(bench.link.matching("originate ")) == 1
        assert bench.told(DialFailed) == []

    play(scenario)


def test_what_a_status_page_shows_is_counted(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        assert bench.port.diagnose() == {"is_up": True, "legs": 1, "outstanding": 0}

    play(scenario)


# ---------------------------------------------------------------------- newer orders, and a link that is lost


def test_an_older_version_of_the_rooms_that_comes_late_moves_nobody(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.want(2, MUSIC)
        await until(lambda: bench.link.matching("uuid_transfer"))
        bench.at(CALLER, "switchroom-wait", "moh")
        await until(lambda: bench.told(RoomsReached))
        bench.want(1, Room(name="main", legs=(CUSTOMER,)))
        bench.port.submit(MarkLeg(id="later", pbx="p", leg_id=CUSTOMER, variables={"A": "b"}))
        await until(lambda: ("later", SUCCEEDED) in bench.ends())
        assert len(bench.link.matching("uuid_transfer")) == 1
        assert [end.cause for end in bench.told(CommandEnded) if end.command_id == "v1"] == ["replaced"]
        assert [fact.version for fact in bench.told(RoomsReached)] == [2]

    play(scenario)


@pytest.mark.req("SAFE-02")
def test_rooms_that_were_under_way_when_the_link_broke_are_never_told_as_refused(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_transfer"] = None
        bench.arrive()
        bench.want(1, MUSIC)
        await until(lambda: bench.link.matching("uuid_transfer"))
        bench.future.login = Answer(Answered.OVERDUE)
        bench.link.listener.on_closed("cut")
        waited: list[bool] = []
        asyncio.get_running_loop().call_later(0.5, waited.append, True)
        await until(lambda: waited)
        assert bench.told(RoomsRefused) == []

    play(scenario, step_timeout_s=0.4, step_attempts=1)


@pytest.mark.req("SAFE-02")
def test_a_move_that_was_held_back_when_the_link_broke_is_not_made_on_the_next_link(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_talk(bench)
        bench.bridged(CALLER, AGENT)
        bench.want(2, MUSIC, Room(name="agent", legs=(AGENT,)))
        await until(lambda: ("v2", SUCCEEDED) in bench.ends())
        bench.link.listener.on_closed("cut")
        await until(lambda: len(bench.links) == 2)
        await bench.up()
        waited: list[bool] = []
        asyncio.get_running_loop().call_later(0.5, waited.append, True)
        await until(lambda: waited)
        assert [line for link in bench.links for line in link.matching("uuid_transfer")] == []

    play(scenario, settles_s=0.4, step_timeout_s=3.0)
