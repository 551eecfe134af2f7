"""The lab's customers of campaigns: what each number does, through the trunks of real PBXs, and a hundred at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.lab.answerers import Answered, AnswererProcess, Answerers
from routing.core.commands import DetectMachine
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegEnded,
    LegRinging,
    MachineDetected,
    MachineVerdict,
)
from tests.contract.asterisk_lab import AsteriskLab
from tests.contract.freeswitch_lab import FreeswitchLab
from tests.contract.pbx_suite import dial, hang_up, new_id, of, reach, room
from tests.contract.sip_lab import SipLab
from tests.waiting import run

SHOWN = "12015550100"
ANSWERED_S, LATE_S = 7.0, 25.0


class _FreeswitchLab(FreeswitchLab):
    async def open(self) -> None:
        """The far end of the trunk is the test's."""
        await SipLab.open(self)


TRUNKS: dict[str, tuple[Callable[[], SipLab], str]] = {
    "asterisk": (AsteriskLab, "PJSIP/{}@trunk"),
    "freeswitch": (_FreeswitchLab, "sofia/gateway/trunk/{}"),
}


@pytest.fixture(
    params=[
        pytest.param("asterisk", marks=pytest.mark.pbx),
        pytest.param("freeswitch", marks=(pytest.mark.pbx, pytest.mark.freeswitch)),
    ]
)
def trunk(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Scenario = Callable[[SipLab, Callable[[str], str]], Awaitable[None]]


def in_lab(trunk: str, scenario: Scenario, within: float = 40.0) -> None:
    make, address = TRUNKS[trunk]

    async def play() -> None:
        lab = make()
        try:
            await lab.start(())
            await scenario(
                lab, lambda number: dial(lab, address.format(number), timeout_s=30, caller_number=SHOWN).leg_id
            )
        finally:
            await lab.stop()

    run(play(), within=within)


async def one_call(people: Answerers) -> Answered:
    deadline = time.monotonic() + 5.0
    while not people.calls:
        assert time.monotonic() < deadline, "no call is over"
        await asyncio.sleep(0.02)
    return people.calls[0]


@pytest.mark.parametrize(
    ("number", "outcome", "code"),
    [
        ("12015551000", DialOutcome.BUSY, 486),
        ("12015558000", DialOutcome.INVALID, 404),
        ("12015559000", DialOutcome.REJECTED, 603),
    ],
)
def test_numbers_that_refuse(trunk: str, number: str, outcome: DialOutcome, code: int) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        async with Answerers(lab._sip_pbx) as people:
            call(number)
            failed = await lab.wait_fact(DialFailed)
            assert failed.outcome is outcome
            over = await one_call(people)
            assert (over.number, over.shown, over.code, over.answered_s) == (number, SHOWN, code, None)

    in_lab(trunk, scenario)


def test_a_number_where_nobody_comes(trunk: str) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        async with Answerers(lab._sip_pbx) as people:
            leg_id = call("12015552000")
            await lab.wait_fact(LegRinging, leg_id=leg_id)
            await lab.pass_time(1.0)
            hang_up(lab, leg_id)
            over = await one_call(people)
            assert (over.by, over.answered_s) == ("remote-cancel", None)

    in_lab(trunk, scenario)


@pytest.mark.parametrize(
    ("number", "verdict", "rings_s"),
    [
        ("12015550003", MachineVerdict.HUMAN, 1.3),
        ("12015553000", MachineVerdict.MACHINE, 1.0),
        ("12015554000", MachineVerdict.UNKNOWN, 1.0),
        ("12015555020", MachineVerdict.HUMAN, 20.0),
    ],
)
@pytest.mark.req("DIALER-08")
def test_numbers_that_answer(trunk: str, number: str, verdict: MachineVerdict, rings_s: float) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        async with Answerers(lab._sip_pbx) as people:
            leg_id = call(number)
            await lab.wait_fact(LegAnswered, leg_id=leg_id, within_s=LATE_S)
            lab.port.submit(
                DetectMachine(id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, interaction_id="int_none", deadline_ms=4000)
            )
            assert (await lab.wait_fact(MachineDetected)).verdict is verdict
            await reach(lab, new_id("int"), 1, room("main", leg_id, music="default"))
            await lab.pass_time(0.7)
            hang_up(lab, leg_id)
            over = await one_call(people)
            assert over.answered_s is not None
            assert rings_s - 0.05 < over.answered_s - over.invited_s < rings_s + 0.6
            assert over.heard_s is not None, "the music"
            assert over.answered_s + 1.0 < over.heard_s < over.ended_s
            assert (over.by, over.shown) == ("remote", SHOWN)

    in_lab(trunk, scenario)


def test_an_impatient_person_leaves_when_he_hears_nobody_and_stays_when_he_does(trunk: str) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        async with Answerers(lab._sip_pbx) as people:
            alone, with_music = call("12015556020"), call("12015556021")
            await lab.wait_fact(LegAnswered, leg_id=with_music, within_s=ANSWERED_S)
            await reach(lab, new_id("int"), 1, room("main", with_music, music="default"))
            await lab.wait_fact(LegEnded, leg_id=alone, within_s=8.0)
            over = await one_call(people)
            assert (over.number, over.by, over.heard_s) == ("12015556020", "local", None)
            await lab.pass_time(2.0)
            assert [end.leg_id for end in of(lab, LegEnded)] == [alone]

    in_lab(trunk, scenario)


def test_a_person_hangs_up_himself(trunk: str) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        async with Answerers(lab._sip_pbx) as people:
            leg_id = call("12015557002")
            await lab.wait_fact(LegEnded, leg_id=leg_id, within_s=ANSWERED_S)
            over = await one_call(people)
            assert over.answered_s is not None
            assert 1.9 < over.ended_s - over.answered_s < 3.0

    in_lab(trunk, scenario)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_hundred_calls_at_once_cost_less_than_half_a_core(trunk: str) -> None:
    async def scenario(lab: SipLab, call: Callable[[str], str]) -> None:
        with AnswererProcess(lab._sip_pbx) as people:
            legs = set()
            for index in range(100):
                legs.add(call(f"12015550{index % 20:03d}"))
                await asyncio.sleep(0.05)
            await lab.wait(lambda: len(of(lab, LegAnswered)) == 100, 15.0, lambda: len(of(lab, LegAnswered)))
            begun_s, used_s = time.monotonic(), cpu_s(people.pid)
            await lab.pass_time(5.0)
            share = (cpu_s(people.pid) - used_s) / (time.monotonic() - begun_s)
            assert share < 0.5, f"{share:.3f} of a core"
            people.stop()
            calls = people.calls()
            await lab.wait(lambda: len(of(lab, LegEnded)) == 100, 10.0, lambda: len(of(lab, LegEnded)))
            assert sum(one.answered_s is not None and one.by == "local" for one in calls) == 100

    in_lab(trunk, scenario, within=60.0)
