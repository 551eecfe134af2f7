"""Laws by their quantiles, the Kaplan-Meier estimate, Student's t, and what is drawn for a call."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.sim.comparison import Estimate, estimate
from routing.sim.day import Call, Day, Fate, QueueLaws
from routing.sim.laws import Exponential, Fixed, LogNormal, Measured, Never, Survival
from routing.sim.student import quantile, share_below
from routing.sim.workload import FEW, Caller, DayLaws, Handling, draw

SHARES = [(n + 0.5) / 20_000 for n in range(20_000)]


def test_quantiles_have_the_mean_and_the_deviation_that_were_asked_for() -> None:
    assert fmean(Exponential(mean_ms=1000).at(share) for share in SHARES) == pytest.approx(1000, rel=1e-3)
    talk = [LogNormal(mean_ms=180_000, deviation_ms=150_000).at(share) for share in SHARES]
    assert fmean(talk) == pytest.approx(180_000, rel=0.005)
    assert math.sqrt(fmean((t - 180_000) ** 2 for t in talk)) == pytest.approx(150_000, rel=0.03)
    assert (Fixed(ms=7).at(0.3), Never().at(0.3)) == (7, math.inf)
    measured = Measured.of([30, 10, 20])
    assert measured is not None
    assert [measured.at(share) for share in (0, 0.34, 0.99)] == [10, 20, 30]
    assert Measured.of([]) is None


# Five callers: at 1, 3 and 5 somebody gave up; at 2 and 4 somebody was answered. The shares by hand.
KAPLAN_MEIER = {0: 1.0, 1: 4 / 5, 2: 4 / 5, 3: 4 / 5 * 2 / 3, 4: 4 / 5 * 2 / 3, 5: 0.0}


def test_the_share_of_those_who_wait_on_is_kaplan_s_and_meier_s() -> None:
    found = Survival([1, 3, 5], [2, 4])
    assert {at: found.share_beyond(at) for at in KAPLAN_MEIER} == pytest.approx(KAPLAN_MEIER)
    assert [found.at(share) for share in (0.1, 0.3, 0.46, 0.5)] == [1, 3, 3, 5]
    assert [found.beyond(2, share) for share in (0.1, 0.5)] == [3, 5], "of those who have waited for 2"


def test_callers_who_are_answered_at_the_moment_another_one_gives_up_were_still_there() -> None:
    assert Survival([5], [5]).share_beyond(5) == 0.5


def test_patience_is_found_although_most_callers_are_answered_before_it_is_over() -> None:
    """Taken alone, those who gave up had waited for a quarter of the time that callers are ready to wait."""
    random = Random(1)
    ready = [random.expovariate(1 / 60_000) for _ in range(20_000)]
    waits = [random.expovariate(1 / 20_000) for _ in ready]
    pairs = [(round(p), round(w)) for p, w in zip(ready, waits, strict=True)]
    gave_up = [p for p, w in pairs if p <= w]
    found = Survival(gave_up, [w for p, w in pairs if p > w])
    assert fmean(gave_up) == pytest.approx(15_000, rel=0.05)
    assert fmean(found.at(share) for share in SHARES) == pytest.approx(60_000, rel=0.05)


def test_beyond_the_last_one_who_gave_up_the_law_goes_on_as_an_exponential_one() -> None:
    found = Survival([1000], [2000])  # half of them are ready to wait longer than 1 s
    assert found.share_beyond(1000) == 0.5
    assert found.share_beyond(3000) == pytest.approx(0.125)
    assert found.at(0.875) == pytest.approx(3000)
    assert found.beyond(5000, 0.5) == pytest.approx(6000)


def test_where_nobody_gave_up_there_is_no_end() -> None:
    assert Survival([], [1, 2]).at(0.9) == math.inf
    assert Survival([], []).share_beyond(10) == 1


@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.lists(st.integers(0, 50), max_size=20),
    st.integers(0, 60),
    st.floats(0, 0.999),
)
def test_what_is_drawn_is_never_less_than_what_is_known(
    gave_up: list[int], answered: list[int], known: int, share: float
) -> None:
    found = Survival(gave_up, answered)
    assert found.beyond(known, share) >= known
    if known and gave_up:
        assert found.beyond(known, share) >= found.beyond(known, share / 2)


def test_student_s_quantiles_are_those_of_the_tables() -> None:
    table = {(0.975, 1): 12.706, (0.975, 4): 2.776, (0.975, 9): 2.262, (0.95, 9): 1.833, (0.995, 11): 3.106}
    for (share, freedom), value in table.items():
        assert quantile(share, freedom) == pytest.approx(value, abs=6e-4)
    assert share_below(-1, 1) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no quantile"):
        quantile(0.975, 0)


def test_a_band_needs_two_values() -> None:
    assert estimate([]) == Estimate(mean=None)
    assert estimate([3.0]) == Estimate(mean=3.0)
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.band == pytest.approx(4.303 / math.sqrt(3), rel=1e-3)


# ------------------------------------------------------------------ what is drawn for a call


def day(*calls: Call, **changes: object) -> Day:
    return Day(date="2026-03-14", zone="UTC", starts_at_ms=0, calls=calls, **changes)  # type: ignore[arg-type]


def drawn(of: Day, replication: int = 0) -> tuple[Caller, ...]:
    return draw(of, DayLaws(of), 1, replication)


def test_what_is_known_of_a_call_stays_and_the_rest_is_drawn_anew_in_each_replication() -> None:
    gave_up = Call(id="a", at_ms=0, queue="q", fate=Fate.ABANDONED, waited_ms=9_000)
    served = Call(id="b", at_ms=1, queue="q", fate=Fate.ANSWERED, waited_ms=4_000, agent="x", talk_ms=70, wrap_up_ms=5)
    more = [
        Call(id=f"c{n}", at_ms=n, queue="q", fate=Fate.ABANDONED, waited_ms=n * 500, agent="", talk_ms=None)
        for n in range(40)
    ]
    one, two = drawn(day(gave_up, served, *more)), drawn(day(gave_up, served, *more), 1)
    for callers in (one, two):
        assert callers[0].patience_ms == 9_000
        assert callers[1].own == Handling(talk_ms=70, wrap_up_ms=5)
        assert callers[1].handling_by("x") == callers[1].own
        assert callers[1].handling_by("y") == callers[1].other
        assert (callers[1].patience_ms or 0) > 4_000
    assert one != two
    assert one == drawn(day(gave_up, served, *more))


def test_a_call_more_in_the_day_does_not_change_the_luck_of_those_before_it() -> None:
    law = {"q": QueueLaws(queue="q", patience=Exponential(mean_ms=1000), talk=Exponential(mean_ms=1000))}
    calls = [Call(id=f"c{n}", at_ms=n, queue="q") for n in range(5)]
    assert drawn(day(*calls, laws=law))[:4] == drawn(day(*calls[:4], laws=law))


def test_a_wrap_up_that_was_cut_short_is_drawn_longer() -> None:
    whole = [Call(id=f"w{n}", at_ms=n, queue="q", agent="x", talk_ms=1, wrap_up_ms=90) for n in range(FEW)]
    cut = Call(id="cut", at_ms=99, queue="q", agent="x", talk_ms=1, wrap_up_ms=30, is_wrap_up_cut=True)
    last = drawn(day(*whole, cut))[-1]
    assert last.own == Handling(talk_ms=1, wrap_up_ms=90)


def test_a_queue_of_which_little_is_known_takes_the_laws_of_the_whole_day() -> None:
    known = [
        Call(id=f"k{n}", at_ms=n, queue="big", fate=Fate.ABANDONED, waited_ms=5_000, agent="x", talk_ms=60)
        for n in range(FEW)
    ]
    stranger = Call(id="s", at_ms=99, queue="small")
    last = drawn(day(*known, stranger))[-1]
    assert last.other.talk_ms == 60
    assert last.patience_ms is not None
    assert last.patience_ms == 5_000
