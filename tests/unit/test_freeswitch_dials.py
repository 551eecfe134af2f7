"""Telephones that FreeSWITCH rings for us: answered, recorded, cancelled, or come to nothing."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from routing.core.commands import HangUpLeg, Room
from routing.core.facts import (
    CommandOutcome,
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegRinging,
    LegTransferred,
)
from telephony.answers import Answer, Answered
from telephony.freeswitch import reader, ringing
from tests.unit.freeswitch_bench import AGENT, CALLER, CUSTOMER, NO_SUCH, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

HANG_UP = HangUpLeg(id="hang", pbx="p", leg_id=AGENT)
OUTBOUND = {"Call_Direction": "outbound", "variable_dialed_user": "1001", "variable_dialed_domain": "a.example"}


def failed(outcome: DialOutcome, cause: int = 0) -> DialFailed:
    return DialFailed(pbx="p", leg_id=AGENT, outcome=outcome, cause=cause)


# ---------------------------------------------------------------------- dialling


def test_a_dialled_leg_gets_its_variables_rings_and_counts_as_answered_in_our_dialplan(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial(variables={"SR_CAD_a": "it's"})
        assert not bench.link.matching("uuid_setvar")
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001", **OUTBOUND)
        assert bench.link.sent[-1] == f"uuid_setvar {AGENT} SR_CAD_a it\\'s"
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001", **OUTBOUND)
        assert len(bench.link.matching("SR_CAD_a")) == 1
        bench.say("CHANNEL_PROGRESS", AGENT, **OUTBOUND)
        bench.say("CHANNEL_PROGRESS_MEDIA", AGENT, **OUTBOUND)
        assert bench.told(LegRinging) == [LegRinging(pbx="p", leg_id=AGENT)]
        bench.say("CHANNEL_ANSWER", AGENT, **OUTBOUND)
        assert bench.told(LegAnswered) == []
        bench.at(AGENT, "switchroom-agent")
        bench.at(AGENT, "switchroom-idle")
        assert bench.told(LegAnswered) == [LegAnswered(pbx="p", leg_id=AGENT)]

    play(scenario)


@pytest.mark.req("ROUTE-07")
def test_a_job_that_fails_before_there_is_a_channel_tells_the_outcome_at_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.say("BACKGROUND_JOB", body="-ERR USER_NOT_REGISTERED\n", Job_UUID=AGENT)
        assert bench.told(DialFailed) == [failed(DialOutcome.UNREACHABLE, 20)]
        bench.say("BACKGROUND_JOB", body="-ERR USER_NOT_REGISTERED\n", Job_UUID=AGENT)
        assert len(bench.told(DialFailed)) == 1

    play(scenario)


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize("is_job_first", [True, False])
def test_where_there_was_a_channel_its_own_end_tells_more_than_the_job_in_either_order(
    play: Play, is_job_first: bool
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")

        def job() -> None:
            bench.say("BACKGROUND_JOB", body="-ERR NORMAL_TEMPORARY_FAILURE\n", Job_UUID=AGENT)

        if is_job_first:
            job()
            assert bench.told(DialFailed) == []
        bench.hung_up(AGENT, "USER_BUSY", variable_sip_term_status="486")
        job()
        assert bench.told(DialFailed) == [failed(DialOutcome.BUSY, 17)]

    play(scenario)


def test_a_job_that_failed_and_whose_channel_never_ends_is_believed_after_a_moment(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SECOND_HALF_S", 0.01)

    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        bench.say("BACKGROUND_JOB", body="-ERR USER_BUSY\n", Job_UUID=AGENT)
        await until(lambda: bench.told(DialFailed) == [failed(DialOutcome.BUSY, 17)])
        assert bench.link.sent[-1] == f"uuid_kill {AGENT} NORMAL_CLEARING"
        bench.hung_up(AGENT, "USER_BUSY")
        assert len(bench.told(DialFailed)) == 1

    play(scenario)


def test_a_job_that_succeeded_or_ends_with_an_answered_leg_is_no_failure(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.say("BACKGROUND_JOB", body=f"+OK {AGENT}\n", Job_UUID=AGENT)
        bench.answer()
        bench.say("BACKGROUND_JOB", body="-ERR NORMAL_CLEARING\n", Job_UUID=AGENT)
        assert bench.told(DialFailed) == []
        assert bench.told(LegAnswered) == [LegAnswered(pbx="p", leg_id=AGENT)]

    play(scenario)


@pytest.mark.req("SAFE-02", "SAFE-05")
def test_a_job_that_freeswitch_does_not_accept_is_refused_and_has_failed(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["originate"] = Answer(Answered.ERROR, "-ERR command not found")
        bench.dial()
        await until(lambda: bench.ends() == [("dial", CommandOutcome.REFUSED)])
        assert bench.told(DialFailed) == [failed(DialOutcome.CONGESTION)]
        assert bench.port.legs.all() == []

    play(scenario)


def test_a_telephone_that_cannot_be_dialled_safely_is_invalid_and_nothing_is_sent(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial(phone="user/1001,user/1002")
        assert bench.told(DialFailed) == [failed(DialOutcome.INVALID)]
        assert bench.ends() == [("dial", CommandOutcome.SUCCEEDED)]
        assert bench.link.sent == []

    play(scenario)


def test_who_cancels_before_there_is_a_channel_cancels_it_when_there_is_one(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_kill"] = NO_SUCH
        bench.dial()
        bench.port.submit(HANG_UP)
        await until(lambda: ("hang", CommandOutcome.SUCCEEDED) in bench.ends())
        assert bench.link.matching("uuid_kill") == [f"uuid_kill {AGENT} NORMAL_CLEARING"]
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        assert len(bench.link.matching("uuid_kill")) == 2
        bench.say("CHANNEL_ANSWER", AGENT)
        assert len(bench.link.matching("uuid_kill")) == 3
        bench.at(AGENT, "switchroom-agent")
        assert bench.told(LegAnswered) == []
        bench.hung_up(AGENT, "NORMAL_CLEARING", Caller_Channel_Answered_Time="17")
        assert bench.told(DialFailed) == [failed(DialOutcome.CANCELLED, 16)]

    play(scenario)


def test_a_cancelled_dial_whose_job_fails_was_cancelled(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_kill"] = NO_SUCH
        bench.dial()
        bench.port.submit(HANG_UP)
        bench.say("BACKGROUND_JOB", body="-ERR USER_NOT_REGISTERED\n", Job_UUID=AGENT)
        assert bench.told(DialFailed) == [failed(DialOutcome.CANCELLED, 20)]

    play(scenario)


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_dial_under_way_when_the_link_broke_ends_as_soon_as_it_shows_up(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.link.listener.on_closed("cut")
        await until(lambda: len(bench.links) == 2)
        await bench.up()
        bench.forget()
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        assert bench.link.sent == [f"uuid_kill {AGENT} NORMAL_CLEARING"]
        assert bench.told(DialFailed) == [failed(DialOutcome.CANCELLED)]

    play(scenario)


# ---------------------------------------------------------------------- recording


@pytest.mark.req("REC-01")
@pytest.mark.parametrize("can_write", [True, False])
def test_a_recorded_leg_is_answered_when_its_recording_runs_or_cannot(play: Play, can_write: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["uuid_record"] = None
        bench.dial(recording="int_1-leg_x")
        bench.answer()
        assert bench.link.sent[-1] == f"uuid_record {AGENT} start /rec/int_1-leg_x.wav"
        assert bench.told(LegAnswered) == []
        bench.link.answers["uuid_record"] = (
            Answer(Answered.SUCCESS, "+OK Success")
            if can_write
            else Answer(Answered.ERROR, "-ERR Cannot record session!")
        )
        with capture_logs() as logs:
            bench.at(AGENT, "switchroom-agent")
            await until(lambda: bench.told(LegAnswered))
        assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == (
            [] if can_write else ["recording_failed"]
        )

    play(scenario)


def test_a_leg_that_ends_while_its_recording_begins_is_not_answered_afterwards(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial(recording="f")
        bench.answer()
        bench.hung_up(AGENT, Caller_Channel_Answered_Time="17", variable_sip_hangup_disposition="recv_bye")
        told = [type(fact).__name__ for fact in bench.facts if type(fact).__name__.startswith("Leg")]
        await until(lambda: bench.ends())
        assert told == ["LegAnswered", "LegEnded"]
        assert len(bench.told(LegAnswered)) == 1

    play(scenario)


# ---------------------------------------------------------------------- a waiting leg rings the telephone itself


async def a_waiting_customer(bench: Bench) -> None:
    bench.arrive()
    bench.want(1, Room(name="main", legs=(CUSTOMER,), music="moh"))
    await until(lambda: bench.link.matching("uuid_transfer"))
    bench.at(CALLER, "switchroom-wait", "moh")
    bench.forget()


def test_a_waiting_leg_rings_the_telephone_itself_and_tells_when_that_was_over(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        bench.dial(joins=CUSTOMER)
        first, second = bench.link.sent
        assert first.startswith(f"{CALLER} bridge {{origination_uuid='{AGENT}',")
        assert first.endswith("}user/1001")
        assert second == f"{CALLER} event Event-Name=CUSTOM,Event-Subclass=switchroom::tried,Tried-Leg={AGENT}"
        bench.say("switchroom::tried", CALLER, Tried_Leg=AGENT, variable_originate_disposition="USER_NOT_REGISTERED")
        assert bench.told(DialFailed) == [failed(DialOutcome.UNREACHABLE, 20)]

    play(scenario)


def test_it_is_answered_in_the_moment_when_it_is_joined(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        bench.dial(joins=CUSTOMER)
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        bench.say("CHANNEL_ANSWER", AGENT)
        assert bench.told(LegAnswered) == []
        bench.bridged(CALLER, AGENT)
        assert bench.told(LegAnswered) == [LegAnswered(pbx="p", leg_id=AGENT)]
        assert bench.told(LegTransferred) == []

    play(scenario)


@pytest.mark.parametrize("where", ["elsewhere", "moving", "gone", "leaving", "in_a_bridge"])
def test_a_leg_that_does_not_wait_in_its_place_rings_nobody(play: Play, where: str) -> None:
    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        match where:
            case "elsewhere":
                bench.at(CALLER, "switchroom-idle")
            case "moving":
                bench.want(2, Room(name="main", legs=(CUSTOMER,), music="other"))
            case "gone":
                bench.hung_up(CALLER)
            case "leaving":
                bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=CUSTOMER))
            case "in_a_bridge":
                bench.member("add-member", "room", CALLER)
        bench.dial(joins=CUSTOMER)
        assert not bench.link.matching(" bridge ")
        assert bench.link.matching("originate ")

    play(scenario)


def test_a_second_telephone_for_the_same_leg_is_dialled_by_itself(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        bench.dial(joins=CUSTOMER)
        bench.dial("leg_y", id="dial2", joins=CUSTOMER)
        assert len(bench.link.matching(" bridge ")) == 1
        assert bench.link.sent[-1].endswith("[leg_y]")
        bench.say("switchroom::tried", CALLER, Tried_Leg=AGENT, variable_originate_disposition="USER_BUSY")
        bench.dial("leg_z", id="dial3", joins=CUSTOMER)
        assert len(bench.link.matching(" bridge ")) == 2

    play(scenario)


def test_a_telephone_that_never_came_to_ring_has_failed_and_ends_when_it_shows_up_after_all(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "START_S", 0.02)

    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        bench.dial(joins=CUSTOMER)
        await until(lambda: bench.told(DialFailed) == [failed(DialOutcome.CONGESTION, 41)])
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        assert bench.link.sent[-1] == f"uuid_kill {AGENT} NORMAL_CLEARING"
        assert len(bench.told(DialFailed)) == 1

    play(scenario)


def test_a_telephone_that_rings_long_is_not_given_up(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "START_S", 0.01)

    async def scenario(bench: Bench) -> None:
        await a_waiting_customer(bench)
        bench.dial(joins=CUSTOMER)
        bench.say("CHANNEL_CREATE", AGENT, Channel_Name="sofia/x/1001")
        waited: list[bool] = []
        asyncio.get_running_loop().call_later(0.06, waited.append, True)
        await until(lambda: waited)
        assert bench.told(DialFailed) == []

    play(scenario)
