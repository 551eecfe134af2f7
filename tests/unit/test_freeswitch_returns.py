"""Calls that go back to the dialplan that handed them over, on a FreeSWITCH (FLOW-03)."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from routing.core.commands import HangUpLeg, PlayDigits, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandOutcome, EndedBy, LegEnded
from telephony import returns
from telephony.answers import Answer, Answered
from tests.unit.freeswitch_bench import AGENT, CALLER, CUSTOMER, NO_SUCH, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

pytestmark = pytest.mark.req("FLOW-03")
RETURN = ReturnLeg(id="r", pbx="p", leg_id=CUSTOMER, result=Result.ANSWERED)
BACK = f"uuid_transfer {CALLER} s XML switchroom-return"
REFUSED, SUCCEEDED, UNKNOWN = CommandOutcome.REFUSED, CommandOutcome.SUCCEEDED, CommandOutcome.UNKNOWN


async def later(seconds: float) -> None:
    passed: list[bool] = []
    asyncio.get_running_loop().call_later(seconds, passed.append, True)
    await until(lambda: passed)


async def in_a_talk_that_ends(bench: Bench) -> None:
    """The agent's leg is on its way out, and both are still in one bridge."""
    bench.arrive()
    bench.dial()
    bench.answer()
    bench.bridged(CALLER, AGENT)
    bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=AGENT))
    bench.forget()
    bench.port.submit(RETURN)


def test_a_call_waits_for_its_bridge_to_dissolve_before_it_is_given_back(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await in_a_talk_that_ends(bench)
        await later(0.03)
        assert BACK not in bench.link.sent
        bench.hung_up(AGENT)
        bench.unbridged(CALLER, AGENT)
        bench.at(CALLER, "switchroom-idle")
        assert BACK in bench.link.sent
        await later(0.03)
        assert bench.link.sent.count(BACK) == 1

    play(scenario, step_timeout_s=3.0)


def test_a_bridge_that_does_not_dissolve_is_not_waited_for_for_ever(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "DISSOLVES_S", 0.02)

    async def scenario(bench: Bench) -> None:
        await in_a_talk_that_ends(bench)
        await until(lambda: BACK in bench.link.sent)

    play(scenario, step_timeout_s=3.0)


@pytest.mark.parametrize(
    ("answer", "outcome"), [(NO_SUCH, REFUSED), (None, UNKNOWN), (Answer(Answered.UNSENT, "full"), UNKNOWN)]
)
def test_a_way_back_that_fails_is_tried_so_often_and_may_be_ordered_again(
    play: Play, answer: Answer | None, outcome: CommandOutcome
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.link.answers["uuid_transfer"] = answer
        bench.port.submit(RETURN)
        await until(lambda: bench.ends())
        assert bench.ends() == [("r", outcome)]
        assert bench.link.sent.count(BACK) == 2
        bench.link.answers["uuid_transfer"] = Answer(Answered.SUCCESS, "+OK")
        bench.port.submit(ReturnLeg(id="again", pbx="p", leg_id=CUSTOMER, result=Result.TIMEOUT))
        bench.say("switchroom::left", CALLER)
        assert bench.ends()[-1] == ("again", SUCCEEDED)

    play(scenario, step_timeout_s=0.1, step_attempts=2)


def test_a_call_on_its_way_back_is_not_given_back_nor_hung_up_nor_rung_for(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.port.submit(RETURN)
        bench.forget()
        bench.port.submit(ReturnLeg(id="again", pbx="p", leg_id=CUSTOMER, result=Result.TIMEOUT))
        bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=CUSTOMER))
        bench.port.submit(PlayDigits(id="d", pbx="p", leg_id=CUSTOMER, digits="1"))
        assert bench.ends() == [("again", REFUSED), ("h", SUCCEEDED), ("d", REFUSED)]
        assert bench.link.sent == []

    play(scenario, step_timeout_s=3.0)


def test_a_caller_who_hangs_up_on_his_way_back_has_ended_and_was_not_given_back(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.port.submit(RETURN)
        bench.hung_up(CALLER, variable_sip_hangup_disposition="recv_bye")
        assert bench.ends() == [("r", REFUSED)]
        assert [fact.ended_by for fact in bench.told(LegEnded)] == [EndedBy.REMOTE]

    play(scenario, step_timeout_s=3.0)


@pytest.mark.req("SAFE-03")
def test_a_variable_that_cannot_be_set_does_not_keep_the_call_from_going_back(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.forget()
        variables = {"A B": "x", "SR_CAD_long": "x" * 20_000, "SR_RESULT": "forged", "SR_CAD_ok": "y"}
        with capture_logs() as logs:
            bench.port.submit(ReturnLeg(id="r", pbx="p", leg_id=CUSTOMER, result=Result.FULL, variables=variables))
        assert bench.link.sent == [
            f"uuid_setvar {CALLER} SR_RESULT full",
            f"uuid_setvar {CALLER} SR_CAD_ok y",
            BACK,
        ]
        assert [entry["event"] for entry in logs] == ["variable_not_returned"] * 2

    play(scenario, step_timeout_s=3.0)


def test_digits_are_played_one_by_one_and_a_refused_one_ends_the_order(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.dial()
        bench.answer()
        bench.forget()
        bench.link.answers[f"uuid_send_dtmf {AGENT} 2@100"] = NO_SUCH
        bench.port.submit(PlayDigits(id="d", pbx="p", leg_id=AGENT, digits="123"))
        assert bench.link.sent == [f"uuid_send_dtmf {AGENT} 1@100"]
        await until(lambda: ("d", REFUSED) in bench.ends())
        assert bench.link.sent == [f"uuid_send_dtmf {AGENT} 1@100", f"uuid_send_dtmf {AGENT} 2@100"]
        bench.port.submit(PlayDigits(id="x", pbx="p", leg_id=AGENT, digits="1,2"))
        assert ("x", REFUSED) in bench.ends()

    play(scenario)
