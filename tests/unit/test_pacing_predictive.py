"""The predictive policy as its callers see it: what it never does, and that it can be put away in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from routing.core.pacing import FixedRatio, Predictive, Progressive
from routing.sim.pacing.ledger import Outcome
from routing.sim.pacing.scenes import scene
from routing.sim.pacing.shift import run_shift

MINUTES_6, MINUTES_25, HOUR = 360.0, 1500.0, 3600.0
CFG: dict[str, Any] = {"target": 0.03, "max_wait": 2.0, "ring_timeout": 25, "tick": 1.0, "shift_seconds": 14400}


def snapshot(idle: int, busy: int = 0, ringing: int = 0, **more: Any) -> dict[str, Any]:
    agents = [("idle", 5.0)] * idle + [("talk", 100.0)] * busy
    return {"agents": agents, "calls": [(1.0, "ring")] * ringing, "waiting": [], "counters": {}, **more}


def counters(live: int, abandoned: int, failed: int = 0) -> dict[str, int]:
    return {
        "dialed": live + failed,
        "resolved": live + failed,
        "live": live,
        "connected": live - abandoned,
        "abandoned": abandoned,
    }


def played(policy: Any, lasting: float = MINUTES_25) -> Outcome:
    return run_shift(scene("stationary", 12, 0.3, 5, lasting), lambda cfg: policy(cfg))


class Recorded(Predictive):
    """Keeps what it was asked and what it said."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__(cfg)
        self.said: list[int] = []

    def step(self, now: float, snap: Mapping[str, Any]) -> int:
        self.said.append(super().step(now, snap))
        return self.said[-1]


class PutAway(Recorded):
    """Is dumped after each step, as text, and built anew."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__(cfg)
        self._own_cfg = dict(cfg)
        self.largest = 0

    def step(self, now: float, snap: Mapping[str, Any]) -> int:
        said = super().step(now, snap)
        text = json.dumps(self.dump())
        self.largest = max(self.largest, len(text))
        vars(self).update(vars(Predictive.load(self._own_cfg, json.loads(text))))
        return said


def kept(policy: type[Recorded], agents: int = 12) -> Any:
    made: list[Recorded] = []

    def make(cfg: Mapping[str, Any]) -> Recorded:
        made.append(policy(cfg))
        return made[0]

    run_shift(scene("stationary", agents, 0.4, 5, MINUTES_6), make)
    return made[0]


@pytest.mark.req("DIALER-12")
def test_a_policy_that_is_put_away_after_each_step_decides_the_same() -> None:
    whole, torn = kept(Recorded), kept(PutAway)
    assert sum(whole.said) > 60
    assert torn.said == whole.said
    assert torn.largest < 64_000


@pytest.mark.req("DIALER-12")
def test_the_same_shift_gives_the_same_calls() -> None:
    assert kept(Recorded).said == kept(Recorded).said


@pytest.mark.req("DIALER-12")
def test_it_keeps_agents_busier_than_one_call_for_each() -> None:
    assert played(Predictive, HOUR).utilization > played(Progressive, HOUR).utilization + 0.05


@pytest.mark.req("DIALER-05")
def test_a_target_of_nothing_is_one_call_per_idle_agent() -> None:
    policy = Predictive({**CFG, "target": 0})
    assert policy.step(0.0, snapshot(idle=5, busy=20, ringing=2)) == 3
    assert policy.step(1.0, snapshot(idle=0, busy=20)) == 0


@pytest.mark.req("DIALER-05")
def test_more_people_taken_for_machines_than_may_be_abandoned_is_one_call_per_idle_agent() -> None:
    policy = Predictive({**CFG, "amd": "real", "amd_false_positive_estimate": 0.04})
    assert policy.step(0.0, snapshot(idle=5, busy=20)) == 5


@pytest.mark.req("DIALER-10")
def test_fewer_agents_than_the_least_get_one_call_each() -> None:
    seen = counters(400, 0, 900)
    assert warm({"min_agents": 21}, seen, agents=20) == 20
    assert warm({"min_agents": 20}, seen, agents=20) > 25


def warm(cfg: dict[str, Any], seen: Mapping[str, int], agents: int = 20) -> int:
    """Calls started in the second after an hour, with everybody idle."""
    policy = Predictive({**CFG, **cfg})
    for now in range(60):
        policy.step(float(now), snapshot(idle=0, busy=agents, counters=counters(0, 0)))
    policy.step(3600.0, snapshot(idle=0, busy=agents, counters=seen))
    return policy.step(3601.0, snapshot(idle=agents, counters=seen))


@pytest.mark.req("DIALER-05")
def test_a_spent_budget_leaves_the_calls_which_have_an_agent() -> None:
    plenty = warm({}, counters(400, 0, 900))
    spent = warm({}, counters(400, 200, 900))
    assert spent == 20
    assert plenty > 25


@pytest.mark.req("DIALER-05")
def test_a_spent_budget_leaves_fewer_where_callers_take_agents_away() -> None:
    spent = counters(400, 200, 900)
    assert warm({}, spent | {"inbound": 300}) < warm({}, spent | {"inbound": 60}) < warm({}, spent) == 20


@pytest.mark.req("DIALER-05")
def test_calls_abandoned_earlier_in_the_legal_window_count() -> None:
    seen = counters(400, 0, 900)
    assert warm({"prior_live": 100, "prior_abandoned": 200}, seen) == 20
    assert warm({"prior_live": 5000, "prior_abandoned": 100}, seen) > 25


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("abandoned", [0, 6, 11, 13])
def test_the_worst_case_holds_if_every_call_out_is_abandoned(abandoned: int) -> None:
    seen = counters(400, abandoned, 900)
    policy = Predictive({**CFG, "guarantee": "worst_case"})
    ringing = 2
    started = policy.step(3600.0, snapshot(idle=1, busy=40, ringing=ringing, counters=seen))
    assert started == 0 or abandoned + ringing + started <= 0.03 * (400 + ringing + started)


@pytest.mark.req("DIALER-05")
def test_the_worst_case_starts_fewer_calls_than_the_budget() -> None:
    seen = counters(400, 0, 900)
    assert 20 <= warm({"guarantee": "worst_case"}, seen) < warm({}, seen)


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("lines", [0, 1, 7])
@pytest.mark.parametrize("target", [0.03, 0.0])
def test_no_more_calls_than_free_lines(lines: int, target: float) -> None:
    policy = Predictive({**CFG, "target": target})
    assert policy.step(0.0, snapshot(idle=20, lines_free=lines)) == lines


def test_nobody_is_called_who_could_only_answer_after_the_shift() -> None:
    policy = Predictive(CFG)
    assert policy.step(14398.0, snapshot(idle=20)) == 0


@pytest.mark.parametrize(
    "snap",
    [
        {},
        {"n_idle": 3},
        {"agents": [("idle", 1), ("lunch", 2.0)], "calls": [], "counters": None},
        {"n_idle": 2, "n_talk": 5, "n_wrap": 1, "n_inbound": 1, "n_inflight": 4, "live_waiting": 1},
    ],
)
@pytest.mark.parametrize("cfg", [{}, {"shift_seconds": None, "amd": None, "lines": None, "target": 0.03}])
def test_what_is_not_said_is_done_without(cfg: dict[str, Any], snap: dict[str, Any]) -> None:
    policy = Predictive(cfg)
    policy.on_event(0.0, "moon_rises", {"id": object()})
    policy.on_event(0.0, "call_result", {"id": ("a", 1), "result": "live"})
    policy.on_event(0.0, "talk_end", {})
    policy.on_event(0.0, "connected", {"wait": None})
    for now in (0.0, 0.4, 0.4, 90.0):
        assert policy.step(now, snap) >= 0


class Deaf(Predictive):
    on_event = None  # type: ignore[assignment]


@pytest.mark.req("DIALER-05")
def test_without_events_the_cap_is_kept() -> None:
    assert played(Deaf).over(0.03) <= 2


@pytest.mark.req("DIALER-12")
def test_without_events_talk_and_wrap_up_are_learned_from_snapshots() -> None:
    policy = Predictive(CFG)
    for now in range(1500):
        ages = [(now + 4.8 * agent) % 48 for agent in range(10)]
        agents = [("talk", age) if age < 40 else ("wrap", age - 40) for age in ages]
        policy.step(float(now), {"agents": agents, "calls": [], "waiting": [], "counters": {}})
    told = policy.explain()
    assert told["talk_s"] == pytest.approx(40, rel=0.15)
    assert told["wrap_up_s"] == pytest.approx(8, rel=0.15)


@pytest.mark.req("DIALER-12")
def test_an_answer_rate_that_has_just_risen_is_met_with_fewer_calls() -> None:
    """The same belief, once usual for this campaign and once far above what is usual."""
    state = json.loads(json.dumps(kept(Recorded).dump()))
    state["tally"] = Predictive(CFG).dump()["tally"]
    usual, started = state["rate"]["usual"], []
    for before in (usual, usual / 2):
        state["rate"]["usual"] = before
        policy = Predictive.load({**CFG, "n_agents_planned": 12}, state)
        started.append(policy.step(2000.0, snapshot(8, 4, counters=counters(600, 6, 900))))
    assert 8 < started[1] < started[0]


def test_the_last_decision_is_explained() -> None:
    policy = Predictive(CFG)
    policy.step(0.0, snapshot(idle=4, busy=3))
    told = policy.explain()
    assert told["mode"] == "predictive"
    assert {"answer_rate", "risk_level", "budget_left", "answer_rate_changed_at", "expected_free"} <= told.keys()
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("policy", [Progressive, FixedRatio])
def test_simple_policies_come_back_from_their_dump(policy: Any) -> None:
    first = policy({"ratio": 2.0})
    again = policy.load({"ratio": 2.0}, json.loads(json.dumps(first.dump())))
    assert again.step(0.0, snapshot(idle=4, ringing=1)) == first.step(0.0, snapshot(idle=4, ringing=1)) > 0
    assert again.explain() == first.explain()


def test_the_fixed_ratio_is_that_of_calls_to_idle_agents() -> None:
    assert FixedRatio({"ratio": 2.5}).step(0.0, snapshot(idle=4, ringing=1)) == 9
