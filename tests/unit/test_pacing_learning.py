"""What the pacing learns, against traffic whose truth is known, and the risk against counting every case."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from random import Random

import pytest

from routing.core.pacing.answer_rate import AnswerRate
from routing.core.pacing.budget import Budget
from routing.core.pacing.laws import Durations
from routing.core.pacing.outlook import Approximate, Exact
from routing.core.pacing.ringing import Ringing

RELEASES = [(0.3, 2), (0.8, 1), (0.05, 2)]
ANSWERS = [(0.25, 3), (0.6, 1)]


def counted(free: int) -> float:
    """P(free agents - answered calls <= 0), case by case."""
    shares = [share for share, count in RELEASES for _ in range(count)]
    against = [share for share, count in ANSWERS for _ in range(count)]
    found = 0.0
    for case in product((0, 1), repeat=len(shares) + len(against)):
        weight = math.prod(p if hit else 1 - p for p, hit in zip(shares + against, case, strict=True))
        left = free + sum(case[: len(shares)]) - sum(case[len(shares) :])
        found += weight if left <= 0 else 0
    return found


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("free", [-2, 0, 1, 3])
def test_the_exact_risk_is_that_of_all_cases_counted(free: int) -> None:
    assert Exact(free, RELEASES, ANSWERS, 0.4).risk() == pytest.approx(counted(free), abs=1e-8)


def test_one_more_call_is_one_more_chance_in_the_demand() -> None:
    cell = Exact(2, RELEASES, ANSWERS[:1], 0.6)
    cell.start()
    assert cell.risk() == pytest.approx(counted(2), abs=1e-8)


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("free", [0, 2, 5])
def test_large_teams_get_almost_the_exact_risk(free: int) -> None:
    releases, answers = [(0.1, 80), (0.5, 10)], [(0.3, 20), (0.1, 40)]
    exact = Exact(free, releases, answers, 0.3).risk()
    assert Approximate(free, releases, answers, 0.3).risk() == pytest.approx(exact, abs=0.002)


def test_a_doubtful_answer_rate_is_a_greater_risk() -> None:
    sure, unsure = (Approximate(8, [(0.1, 80)], [(0.2, 40)], 0.2, doubt) for doubt in (0.0, 0.3))
    assert unsure.risk() > sure.risk()


@pytest.mark.req("DIALER-12")
@pytest.mark.parametrize("law", ["two humps", "log-normal"])
def test_a_law_of_durations_is_learned_whatever_its_form(law: str) -> None:
    random = Random(4)

    def one() -> float:
        if law == "log-normal":
            return random.lognormvariate(4.35, 0.83)
        return random.gauss(12, 3) if random.random() < 0.5 else random.gauss(200, 20)

    durations = Durations(110.0, 1.0)
    for _ in range(3000):
        durations.ended(one())
    durations.refit(())
    fresh = [one() for _ in range(4000)]
    for age in (5.0, 18.0, 100.0, 180.0, 230.0):
        longer = sum(1 for seconds in fresh if seconds > age) / len(fresh)
        assert math.exp(-durations.exponent(age)) == pytest.approx(longer, abs=0.04)


def test_talks_under_way_keep_the_first_minutes_from_looking_short() -> None:
    """After a minute only short talks have ended; the long ones have been at risk all the time."""
    random = Random(5)
    talks = [random.lognormvariate(4.35, 0.83) for _ in range(300)]
    naive, learned = Durations(110.0, 1.0), Durations(110.0, 1.0)
    for seconds in talks:
        if seconds <= 60:
            naive.ended(seconds)
            learned.ended(seconds)
    for _ in range(5):
        naive.refit(())
        learned.refit([60.0 for seconds in talks if seconds > 60])
    assert naive.mean_s() < 60
    assert learned.mean_s() == pytest.approx(110, rel=0.25)


def taught(ringing: Ringing, seed: int = 6) -> Ringing:
    random = Random(seed)
    for _ in range(2000):
        ringing.ended(2.5 + random.gammavariate(3, 11 / 3), answered=True)
        ringing.ended(27.5 if random.random() < 0.6 else 3.0, answered=False)
    ringing.refit()
    return ringing


def test_a_call_that_has_rung_long_is_less_likely_to_be_answered() -> None:
    ringing = taught(Ringing(25.0))
    chances = [ringing.answered_within(0.3, age, 30) for age in (4, 12, 18, 24)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.3 > 0.15 > chances[-1]


class Lines:
    """Calls started at a steady pace, whose fate is drawn at the start."""

    def __init__(self, per_second: int, every_s: int = 1) -> None:
        self.random = Random(7)
        self.per_second, self.every_s = per_second, every_s
        self.under_way: list[tuple[float, float, bool]] = []
        self.rate, self.law = AnswerRate(), taught(Ringing(25.0))

    def run(self, seconds: range, truth: float) -> None:
        for now in seconds:
            ended = [call for call in self.under_way if call[1] <= now]
            self.under_way = [call for call in self.under_way if call[1] > now]
            won = sum(1 for call in ended if call[2])
            ages = Counter(int(now - call[0] + 0.5) for call in self.under_way)
            self.rate.update(1.0, float(now), (won, len(ended) - won), ages, self.law)
            for _ in range(0 if now % self.every_s else self.per_second):
                self.under_way.append(self._call(float(now), truth))

    def _call(self, now: float, truth: float) -> tuple[float, float, bool]:
        if self.random.random() < truth:
            return now, now + 2.5 + self.random.gammavariate(3, 11 / 3), True
        return now, now + (27.5 if self.random.random() < 0.6 else 3.0), False


@pytest.mark.req("DIALER-12")
def test_a_jump_of_the_answer_rate_is_seen_within_half_a_minute() -> None:
    lines = Lines(per_second=2)
    lines.run(range(1200), 0.25)
    assert lines.rate.mean == pytest.approx(0.25, abs=0.03)
    lines.run(range(1200, 1230), 0.45)
    assert lines.rate.mean > 0.36
    lines.run(range(1230, 1300), 0.45)
    assert lines.rate.mean == pytest.approx(0.45, abs=0.04)
    assert 1200 < lines.rate.settled[1] < 1260
    assert lines.rate.risen() > 0.8
    lines.run(range(1300, 2800), 0.45)
    assert lines.rate.risen() < 0.1  # it is the usual one by now


@pytest.mark.req("DIALER-12")
def test_a_small_team_has_an_idea_of_a_jump_before_it_is_sure() -> None:
    """Ten agents have a call out every four seconds, so there is little to see in a minute."""
    lines = Lines(per_second=1, every_s=4)
    lines.run(range(2000), 0.3)
    assert lines.rate.risen() < 0.1
    lines.run(range(2000, 2090), 0.54)
    assert lines.rate.risen() > 0.25
    lines.run(range(2090, 2150), 0.54)
    assert lines.rate.risen() > 0.55


@pytest.mark.req("DIALER-12")
def test_a_fall_and_steady_traffic_are_no_rise() -> None:
    lines = Lines(per_second=2)
    lines.run(range(1500), 0.4)
    lines.run(range(1500, 1600), 0.2)
    assert lines.rate.settled[1] > 1500
    assert lines.rate.risen() < 0.01


@pytest.mark.req("DIALER-12")
def test_steady_traffic_raises_no_alarm() -> None:
    lines = Lines(per_second=1)
    lines.run(range(300), 0.3)
    seen = []
    for start in range(300, 3000, 60):
        lines.run(range(start, start + 60), 0.3)
        seen.append(lines.rate.mean)
    assert max(abs(mean - 0.3) for mean in seen) < 0.075


def level(abandoned: int) -> float:
    """In the middle of a shift with 1000 people answered, 1008 to come: 59.9 may be abandoned."""
    budget = Budget({"target": 0.03, "shift_seconds": 14400, "n_agents_planned": 20})
    budget.update(7000.0, 0.02, 1000, 30)
    budget.seen = (1000, abandoned)
    return budget.theta(7200.0, 0.14, 0.0)


@pytest.mark.req("DIALER-05")
def test_abandoned_calls_are_paid_for_by_all_calls_to_come() -> None:
    levels = [level(abandoned) for abandoned in (10, 30, 50, 62)]
    assert levels == sorted(levels, reverse=True)
    assert level(30) > level(50) > 0
    assert level(62) == 0


@pytest.mark.req("DIALER-05")
def test_the_last_calls_of_a_budget_are_spent_slowly_instead_of_stopping() -> None:
    assert 0.15 * level(30) < level(58) < 0.35 * level(30)
    assert 0 < level(59) < level(58)
    assert level(60) == 0


@pytest.mark.req("DIALER-05")
def test_people_taken_for_machines_are_part_of_the_cap() -> None:
    target = Budget({"target": 0.03, "amd": "real", "amd_false_positive_estimate": 0.01}).target
    assert (1 - 0.01) * target + 0.01 <= 0.03
    assert target > 0.018
