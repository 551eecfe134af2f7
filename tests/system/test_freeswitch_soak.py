"""Random deeds on a real FreeSWITCH; SWITCHROOM_SOAK_S=600 SWITCHROOM_SOAK_SEED=7 make it a long one."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from importlib.util import find_spec

import pytest

from deploy.lab.freeswitch import FreeSwitch
from routing.core.facts import DialFailed, LegAnswered, LegArrived, RoomsReached
from tests.contract.freeswitch_lab import AGENTS, DIALPLAN, FreeswitchLab, FreeswitchPythonEslLab
from tests.system.freeswitch_soak import Soak
from tests.waiting import run

SECONDS = float(os.environ.get("SWITCHROOM_SOAK_S", "25"))
SEED = int(os.environ.get("SWITCHROOM_SOAK_SEED", "1"))
ROUNDS_AT_ONCE = 8

needs_python_esl = pytest.mark.skipif(find_spec("ESL") is None, reason="python-ESL is not installed")


async def play(lab: FreeswitchLab, soak: Soak) -> None:
    lab.facts = soak.lives
    try:
        await lab.start(AGENTS)
        end_s = time.monotonic() + SECONDS
        while time.monotonic() < end_s:
            for _ in range(ROUNDS_AT_ONCE):
                await a_round(soak)
            await soak.leave_nothing()
    finally:
        await lab.stop()


async def a_round(soak: Soak) -> None:
    for _ in range(soak.chance.randint(1, 10)):
        await soak.deed()
        if soak.chance.random() < 0.5:
            await soak.lab.pass_time(soak.chance.random() ** 3 * 0.4)
    if soak.chance.random() < 0.15:
        await soak.break_link()
    await soak.pause()


@pytest.mark.freeswitch
@pytest.mark.timeout(SECONDS + 90)
@pytest.mark.req("SAFE-01", "SAFE-02")
@pytest.mark.parametrize("kind", [FreeswitchLab, pytest.param(FreeswitchPythonEslLab, marks=needs_python_esl)])
def test_whatever_crosses_whatever_each_leg_has_one_life_and_hears_whom_it_should(kind: type[FreeswitchLab]) -> None:
    with FreeSwitch(agents=AGENTS, dialplan=DIALPLAN) as own:
        lab = kind(own)
        soak = Soak(lab, random.Random(SEED))
        run(play(lab, soak), within=SECONDS + 60)
    told = Counter(type(fact) for fact in soak.lives)
    assert min(told[LegArrived], told[LegAnswered], told[DialFailed], told[RoomsReached]) > 0, told
