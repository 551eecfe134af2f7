"""A busy hour with people as people are: everybody is served or gives up, in order, and it is the same every time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import partial
from random import Random

import pytest

from routing.core.agent import AgentState
from routing.core.config import Result
from routing.core.orders import GoAvailable
from telephony.simulated.habits import Exponential, Human, LogNormal
from tests.factories import agent, config, queue, requirement, wrap_up
from tests.sim.hall import START_MS, Hall
from tests.sim.laws import Laws

HOUR_MS = 3_600_000
CALLS = 240
PATIENCE = Exponential(180_000)


def busy_hour(seed: int, calls: int = CALLS) -> Hall:
    """Twelve agents, two queues, a call every 15 s on average; who is in RONA comes back after 30 s."""
    members = [
        agent(f"agt_{n:02}", "sales", "support", skills={"spanish": n % 10 + 1} if n % 3 == 0 else {})
        for n in range(12)
    ]
    queues = [queue("sales", wrap_up=wrap_up(15)), queue("support", requires=requirement(spanish=1))]
    human = Human(LogNormal(3_000, 0.7), LogNormal(110_000, 0.6), misses=0.03, rejects=0.02)
    house = Hall(config(members, queues), {m.id: human for m in members}, seed=seed)
    house.sign_in_all()
    random = Random(seed)
    at_ms = 0
    for _ in range(calls):
        at_ms += Exponential(15_000).draw(random)
        entry_point, patience_ms = random.choice(("sales", "sales", "support")), PATIENCE.draw(random)
        house.clock.call_at(START_MS + at_ms, partial(house.call, entry_point, patience_ms))
    return house


def work_through(house: Hall) -> None:
    while house.clock.now_ms < START_MS + HOUR_MS + 1_800_000:
        house.run(30_000)
        for found in list(house.world.state.agents.values()):
            if found.state is AgentState.RONA:
                house.order(GoAvailable, agent_id=found.id)


def digest(house: Hall) -> str:
    """Of everything that was decided, in order."""
    told = [(e.type.value, e.at_ms, e.interaction_id, e.agent_id) for e in house.events]
    return hashlib.sha256(repr((told, house.commands)).encode()).hexdigest()


@pytest.mark.req("ROUTE-05", "ROUTE-06")
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_busy_hour_every_call_ends_once_and_every_law_holds(seed: int) -> None:
    house = busy_hour(seed)
    house.observers.append(Laws())
    work_through(house)
    assert len(house.ended) == CALLS
    assert len({i.customer_leg for i in house.ended}) == CALLS
    answered = [i for i in house.ended if i.result is Result.ANSWERED]
    assert 100 < len(answered) < CALLS
    assert {i.result for i in house.ended} == {Result.ANSWERED, Result.ABANDONED}
    assert not house.our_legs()
    assert not house.world.state.interactions
    assert house.replay().state == house.world.state


def test_the_same_seed_gives_the_same_hour_in_another_process_with_other_hashes() -> None:
    house = busy_hour(3, 60)
    work_through(house)
    code = (
        "from tests.sim.test_days import busy_hour, digest, work_through\n"
        "house = busy_hour(3, 60)\nwork_through(house)\nprint(digest(house))"
    )
    for hash_seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=50, check=False
        )
        assert done.stdout.strip() == digest(house), done.stderr


def test_another_seed_gives_another_hour() -> None:
    one, other = busy_hour(3, 20), busy_hour(4, 20)
    for house in (one, other):
        work_through(house)
    assert digest(one) != digest(other)
