"""The simulated campaign shift against what is known otherwise: formulas, and a scene counted by hand.

The seeds are fixed, so a test gives the same figures every time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from routing.core import erlang
from routing.sim.pacing.baselines import FixedRatio, OnePerAgent
from routing.sim.pacing.laws import Below, Exponential, Fixed, Gamma, Law, LogNormal, Mixture, Pareto, Weibull
from routing.sim.pacing.scene import LAWS, Amd, Late, Laws, Scene
from routing.sim.pacing.scenes import ALL, scene
from routing.sim.pacing.shift import run_shift
from routing.sim.pacing.snapshot import Snapshot


def at_random(rate: float, seed: int = 1) -> type:
    """A policy that does not look: calls start as a Poisson process."""

    class AtRandom:
        wants_lists = False

        def __init__(self, told: Mapping[str, object]) -> None:
            self._random = Random(seed)
            self._next = self._random.expovariate(rate)

        def step(self, now: float, snap: Snapshot) -> int:
            started = 0
            while self._next < now + 1:
                started += 1
                self._next += self._random.expovariate(rate)
            return started

    return AtRandom


def mean_of(law: Law) -> float:
    """By the middle of each of many equal shares."""
    return sum(law.at((n + 0.5) / 20_000) for n in range(20_000)) / 20_000


@pytest.mark.parametrize(
    ("law", "mean", "share_beyond_50"),
    [
        (Exponential(30.0), 30.0, math.exp(-50 / 30)),
        (LogNormal(110.0, 1.0), 110.0, None),
        (Gamma(20.0, 2), 20.0, math.exp(-5) * 6),
        (Gamma(16.0, 16), 16.0, None),
        (Weibull(12.41, 2.0), 12.41 * math.gamma(1.5), 0.0),
        (Pareto(40.0, 2.5), 40.0, (1 + 50 / 60) ** -2.5),
        (Mixture(((0.25, Fixed(60.0)), (0.75, Exponential(10.0)))), 22.5, 0.25 + 0.75 * math.exp(-5)),
    ],
)
def test_a_law_has_the_mean_and_the_tail_that_it_is_named_for(
    law: Law, mean: float, share_beyond_50: float | None
) -> None:
    assert mean_of(law) == pytest.approx(mean, rel=0.02)
    if share_beyond_50 is not None:
        beyond = sum(law.at((n + 0.5) / 20_000) > 50 for n in range(20_000)) / 20_000
        assert beyond == pytest.approx(share_beyond_50, abs=2e-4)


def test_nobody_answers_after_the_time_out() -> None:
    answers = Below(Weibull(12.41, 2.0), 25.0)
    assert max(answers.at(n / 1000) for n in range(1000)) < 25.0
    assert mean_of(answers) == pytest.approx(10.7, abs=0.1)


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize(("lines", "load"), [(4, 3.0), (12, 12.0), (30, 24.0)])
def test_calls_started_at_random_find_all_lines_taken_as_erlang_b_says(lines: int, load: float) -> None:
    """Nobody answers, so a line is held for a time that no policy changes; the formula asks for its mean."""
    held_s, hours = 0.6 * 250.0 + 0.4 * 30.0, 200
    field = Scene(
        agents=1,
        answer_rate=0.0,
        rest={"noanswer": 0.6, "busy": 0.4},
        laws=replace(LAWS, setup=Fixed(2.5), busy=Fixed(27.5)),
        ring_timeout_s=247.5,
        lines=lines,
        shift_s=hours * 3600.0,
    )
    rate = load / held_s
    found = run_shift(field, at_random(rate))
    wanted = found.short_of_lines + found.counters["dialed"]
    assert wanted == pytest.approx(rate * hours * 3600, rel=0.02)
    assert found.short_of_lines / wanted == pytest.approx(erlang.erlang_b(lines, load), rel=0.05)


def hung_up_within(agents: int, load: float, handle_s: float, wait_s: float, patience_s: float) -> float:
    """Of all: hang up before `wait_s`. Who would wait for longer than t hangs up at t with the density of patience;
    how long one would wait follows from who is connected within t, which he is who has not hung up before.
    """
    steps = 200
    within = [
        erlang.impatient(agents, load, handle_s, wait_s * n / steps, patience=patience_s).within
        for n in range(steps + 1)
    ]
    would_wait_less, total = within[0], 0.0
    for n in range(steps):
        at = wait_s * (n + 0.5) / steps
        would_wait_less += (within[n + 1] - within[n]) * math.exp(at / patience_s)
        total += (1 - would_wait_less) * math.exp(-at / patience_s) / patience_s * wait_s / steps
    return total


@pytest.mark.req("DIALER-06")
@pytest.mark.parametrize(("agents", "load", "patience_s"), [(6, 5.5, 30.0), (10, 12.0, 60.0), (20, 18.0, 15.0)])
def test_people_called_at_random_wait_and_hang_up_as_erlang_a_says(agents: int, load: float, patience_s: float) -> None:
    """Everybody answers, after times of his own, so answers come at random, too, although calls start at the ticks."""
    handle_s, wait_s = 60.0, 2.0
    talk, patience = Exponential(handle_s), Exponential(patience_s)
    laws = replace(LAWS, talk=talk, wrap_up=Fixed(0.0), patience=patience)
    theory = erlang.impatient(agents, load, handle_s, wait_s, patience=patience_s)
    people = late = gone = 0
    busy_s = logged_s = 0.0
    for seed in range(1, 6):
        field = Scene(agents=agents, answer_rate=1.0, laws=laws, shift_s=24 * 3600.0, seed=seed)
        found = run_shift(field, at_random(load / handle_s, seed))
        people, late, gone = people + sum(found.people), late + sum(found.late), gone + sum(found.gone)
        busy_s, logged_s = busy_s + sum(found.busy_s), logged_s + sum(found.logged_s)
    assert gone / people == pytest.approx(theory.abandoned, rel=0.08)
    neither = theory.within + hung_up_within(agents, load, handle_s, wait_s, patience_s)
    assert late / people == pytest.approx(1 - neither, rel=0.08)
    assert busy_s / logged_s == pytest.approx(theory.occupancy, rel=0.02)


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("answer_rate", [0.15, 0.3, 0.5])
def test_one_agent_with_one_call_at_a_time_is_busy_as_renewal_theory_says(answer_rate: float) -> None:
    """His time is cycles of a search and a conversation: the share of the latter is that of their means."""
    tick_s, shifts = 0.4, 60
    lost_s = {"noanswer": 25.0, "machine": 12.5, "busy": 1.0, "invalid": 1.5}
    rest = {"noanswer": 0.45, "machine": 0.35, "busy": 0.1, "invalid": 0.1}
    lost = 2.5 + sum(share * lost_s[result] for result, share in rest.items())
    answer = 2.5 + mean_of(Below(LAWS.ring, 25.0))
    search = answer + (1 / answer_rate - 1) * lost + tick_s / 2 / answer_rate
    theory = 130 / (130 + search)
    found = [
        run_shift(Scene(agents=1, answer_rate=answer_rate, tick_s=tick_s, seed=seed), OnePerAgent).utilization
        for seed in range(1, shifts + 1)
    ]
    mean = sum(found) / shifts
    band = 2.7 * math.sqrt(sum((value - mean) ** 2 for value in found) / (shifts - 1) / shifts)
    assert abs(mean - theory) <= band
    assert band < 0.025


# A scene counted by hand: everything takes the same time, whoever is called answers after 5 s

BY_HAND = Scene(
    agents=1,
    answer_rate=1.0,
    shift_s=400.0,
    warm_up_s=0.0,
    laws=Laws(
        setup=Fixed(1.0),
        ring=Weibull(4.0, 1e9),
        machine_ring=Fixed(4.0),
        busy=Fixed(1.0),
        invalid=Fixed(1.0),
        talk=Fixed(100.0),
        wrap_up=Fixed(20.0),
        patience=Fixed(5.0),
        machine_talk=Fixed(10.0),
        greeting=Fixed(1.0),
        decision=Fixed(0.7),
        inbound_talk=Fixed(100.0),
        inbound_patience=Fixed(60.0),
    ),
)


class Scripted:
    """Three calls at once, one which is answered 1 s before the agent is free, one which is so 3 s before."""

    SCRIPT: Mapping[float, int] = {0.0: 3, 119.0: 1, 237.0: 1}

    def __init__(self, told: Mapping[str, object]) -> None:
        self.events: Counter[str] = Counter()

    def step(self, now: float, snap: Snapshot) -> int:
        return self.SCRIPT.get(now, 0)

    def on_event(self, now: float, kind: str, data: Mapping[str, object]) -> None:
        self.events[kind] += 1


@pytest.mark.req("DIALER-06")
@pytest.mark.parametrize(
    ("patience_s", "after", "late", "gone", "connected"),
    [
        (5.0, Late.WAITS, 3, 2, 3),  # two hang up after 5 s; one waits for 3 s and is connected: late, not gone
        (1.5, Late.WAITS, 0, 3, 2),  # all hang up before 2 s: gone, not late
        (5.0, Late.MESSAGE, 3, 0, 2),  # all hear the message after 2 s: late, none hung up
        (math.inf, Late.WAITS, 4, 0, 5),  # everybody waits: two for 120 s and 240 s, and those called later
    ],
)
def test_late_and_hung_up_are_counted_apart_as_by_hand(
    patience_s: float, after: Late, late: int, gone: int, connected: int
) -> None:
    field = replace(BY_HAND, late=after, laws=replace(BY_HAND.laws, patience=Fixed(patience_s)))
    found = run_shift(field, Scripted)
    assert (sum(found.people), sum(found.late), sum(found.gone)) == (5, late, gone)
    assert found.connected_people == found.counters["connected"] == connected
    assert found.counters["abandoned"] == gone + found.let_go == 5 - connected
    assert found.abandonment == late / 5
    assert found.hung_up == gone / 5


def test_time_in_talk_and_wrap_up_is_the_share_of_the_shift_that_it_is_by_hand() -> None:
    found = run_shift(BY_HAND, Scripted)
    assert sum(found.busy_s) == pytest.approx(3 * 120.0)
    assert found.utilization == pytest.approx(0.9)
    assert found.busy_s[:2] == pytest.approx([55.0, 60.0])
    without_first_minute = replace(BY_HAND, warm_up_s=60.0)
    assert run_shift(without_first_minute, Scripted).utilization == pytest.approx(305 / 340)


@pytest.mark.req("DIALER-06")
def test_a_slow_verdict_counts_into_the_two_seconds() -> None:
    field = replace(BY_HAND, amd=Amd.REAL, agents=9)
    assert sum(run_shift(field, Scripted).late) == 0
    slow = replace(field, laws=replace(field.laws, decision=Fixed(2.1)))
    found = run_shift(slow, Scripted)
    assert sum(found.late) == found.connected_people == 5


@pytest.mark.req("DIALER-06")
def test_a_person_taken_for_a_machine_counts_as_abandoned_and_the_policy_is_not_told() -> None:
    field = replace(BY_HAND, amd=Amd.REAL, agents=9, false_positives=1.0)
    found = run_shift(field, Scripted)
    assert sum(found.late) == sum(found.people) == 5
    assert (found.counters["machine"], found.counters["live"], found.counters["abandoned"]) == (5, 0, 0)


# Nothing gets lost, and luck belongs to the call


class Noted(FixedRatio):
    """Writes down what it is told."""

    def __init__(self, told: Mapping[str, object], ratio: float = 3.0) -> None:
        super().__init__(told, ratio)
        self.heard: list[tuple[float, str, Mapping[str, object]]] = []

    def on_event(self, now: float, kind: str, data: Mapping[str, object]) -> None:
        self.heard.append((now, kind, data))


def noted(field: Scene, ratio: float = 3.0) -> tuple[Noted, dict[str, int]]:
    made: list[Noted] = []

    def make(told: Mapping[str, object]) -> Noted:
        made.append(Noted(told, ratio))
        return made[0]

    counters = run_shift(field, make).counters
    return made[0], counters


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("name", ALL)
def test_each_call_has_one_result_and_each_person_is_connected_or_abandoned(name: str) -> None:
    field = scene(name, 8, 0.4, 3, 5_400.0)
    policy, counters = noted(field)
    started = [data["id"] for _, kind, data in policy.heard if kind == "call_start"]
    resolved = [data["id"] for _, kind, data in policy.heard if kind == "call_result"]
    assert len(started) == counters["dialed"] > 300
    assert Counter(started) == Counter(resolved)
    assert max(Counter(started).values()) == 1
    results = ("live", "noanswer", "busy", "machine", "invalid")
    assert sum(counters[result] for result in results) == counters["resolved"] == counters["dialed"]
    assert counters["connected"] + counters["abandoned"] == counters["live"] > 50


@pytest.mark.parametrize("name", ALL)
def test_every_person_is_counted_in_one_way(name: str) -> None:
    found = run_shift(scene(name, 8, 0.4, 3, 5_400.0), Noted)
    taken_for_machines = sum(found.people) - found.connected_people - sum(found.gone) - found.let_go
    assert taken_for_machines >= 0
    assert (taken_for_machines > 0) is (name in {"amd-real", "amd-misjudged"})
    assert max(found.busy_s) <= 8 * 60
    assert all(busy <= logged + 1e-6 for busy, logged in zip(found.busy_s, found.logged_s, strict=True))


@pytest.mark.req("DIALER-12")
def test_the_same_seed_gives_the_same_shift_and_another_one_does_not() -> None:
    first, again = (run_shift(scene("churn", 10, 0.3, 5, 3_600.0), FixedRatio) for _ in range(2))
    assert first == again
    assert run_shift(scene("churn", 10, 0.3, 6, 3_600.0), FixedRatio) != first


@pytest.mark.req("DIALER-12")
def test_a_call_becomes_the_same_whichever_policy_makes_it() -> None:
    outcomes = []
    for ratio in (1.0, 2.5):
        policy, _ = noted(scene("stationary", 10, 0.3, 5, 3_600.0), ratio)
        told = (data for _, kind, data in policy.heard if kind == "call_result")
        outcomes.append({str(data["id"]): (data["result"], data["elapsed"]) for data in told})
    few, many = outcomes
    assert 300 < len(few) < len(many)
    assert few.items() <= many.items()


@pytest.mark.req("DIALER-12")
def test_a_policy_is_told_what_the_floor_looks_like() -> None:
    """Each snapshot adds up, and says no more than the floor knows."""
    seen: list[Snapshot] = []

    class Looks(FixedRatio):
        wants_lists = True

        def step(self, now: float, snap: Snapshot) -> int:
            seen.append(snap)
            return super().step(now, snap)

    run_shift(scene("blended", 12, 0.3, 2, 3_600.0), Looks)
    assert len(seen) == 3_600
    for snap in seen:
        states = Counter(state for state, _ in snap.agents)
        assert states == {
            name: number
            for name, number in (
                ("idle", snap.n_idle),
                ("talk", snap.n_talk),
                ("wrap", snap.n_wrap),
                ("inbound", snap.n_inbound),
            )
            if number
        }
        assert (len(snap.calls), len(snap.waiting), len(snap.agents)) == (
            snap.n_inflight,
            snap.live_waiting,
            snap.n_logged,
        )
        assert snap.counters["dialed"] - snap.counters["resolved"] == snap.n_inflight
        assert not (snap.n_idle and snap.live_waiting)
    assert {state for snap in seen for state, _ in snap.agents} == {"idle", "talk", "wrap", "inbound"}


@pytest.mark.req("DIALER-12")
def test_a_policy_is_told_these_things_and_no_others() -> None:
    told = Scene(agents=7, answer_rate=0.3, lines=40).told()
    assert told == {
        "target": 0.03,
        "max_wait": 2.0,
        "ring_timeout": 25.0,
        "tick": 1.0,
        "lines": 40,
        "shift_seconds": 14_400.0,
        "n_agents_planned": 7,
        "amd": "perfect",
        "amd_false_positive_estimate": 0.0,
        "seed": 1,
    }
    policy, _ = noted(scene("churn", 8, 0.4, 3, 5_400.0))
    assert {kind: set(data) for _, kind, data in policy.heard} == {
        "call_start": {"id"},
        "call_result": {"id", "result", "elapsed"},
        "connected": {"wait", "agent"},
        "abandoned": set(),
        "talk_end": {"agent", "seconds"},
        "wrap_end": {"agent", "seconds"},
        "agent_login": {"agent"},
        "agent_logout": {"agent"},
    }
    times = [now for now, _, _ in policy.heard]
    assert times == sorted(times)
