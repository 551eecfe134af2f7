"""Predictive pacing: start a call while the risk that it is answered with no agent in time stays under a level.

Each tick: take in what was seen (`tally`, `ringing`, `answer_rate`, `releases`), ask the `budget` for the level of
risk, then start calls one by one while the risk of the next one (`outlook`) is at most the level. A pure function of
what it was told: no clock, no chance, no I/O; the same inputs give the same calls.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from routing.core.pacing import outlook
from routing.core.pacing.answer_rate import AnswerRate
from routing.core.pacing.budget import Budget
from routing.core.pacing.outlook import Approximate, Exact
from routing.core.pacing.reading import Reading
from routing.core.pacing.releases import Releases
from routing.core.pacing.ringing import Ringing
from routing.core.pacing.simple import one_to_one
from routing.core.pacing.tally import Tally
from routing.core.pacing.watching import Watching

_REFIT_S = 20.0
_REFIT_LATER_S = 150.0
_LEARNING_S = 900.0
_MOST_AT_ONCE = 250
_VERDICT_S = 2.0
_FIRST_RATE = 0.55
_BRAKE = 0.8  # of the level, once the answer rate has surely risen: what was out at the jump is paid for at once


class Predictive:
    """`cfg`: see docs/pacing-policy.md; every key may be missing. Times in seconds since the start of the shift."""

    doubt = 1.0  # standard deviations of the answer rate added to it

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self._budget = Budget(cfg)
        self._max_wait = float(cfg.get("max_wait", 2.0) or 0.0)
        self._min_agents = int(cfg.get("min_agents") or 0)
        self._worst_case = cfg.get("guarantee") == "worst_case"
        self._ringing = Ringing(float(cfg.get("ring_timeout") or 25.0))
        self._rate = AnswerRate()
        self._releases = Releases(self._ringing.horizon + math.ceil(self._max_wait))
        self._tally = Tally(self._max_wait, is_examined=cfg.get("amd") != "off")
        self._watching = Watching()
        self._tick = float(cfg.get("tick") or 1.0)
        self._last = -self._tick
        self._refitted = -math.inf
        self._theta = 0.0
        self._first_call: float | None = None
        self._is_opening = True
        self._unread = (0.0, 0.0)
        self._inbound = [0.0, 600.0]  # arrivals, seconds
        self._told: dict[str, Any] = {"mode": "new"}

    def on_event(self, now: float, kind: str, data: Mapping[str, Any]) -> None:
        del now
        self._tally.event(kind, data)
        if "seconds" in data or "elapsed" in data:
            self._watching.hears(kind)
        self._releases.event(kind, data)
        if kind == "call_result" and data.get("elapsed") is not None:
            self._ringing.ended(float(data["elapsed"]), data.get("result") == "live")

    def step(self, now: float, snap: Mapping[str, Any]) -> int:
        reading = Reading(snap)
        self._take_in(now, reading)
        self._theta = self._budget.theta(now, self._answers_per_second(now, reading), 0.5 * len(reading.waiting))
        plain = one_to_one(reading)
        if self._budget.target <= 0 or reading.logged < self._min_agents:
            return self._answer("progressive", plain, reading)
        found = self._bold(now, reading)
        if self._worst_case:
            found = min(found, max(plain, self._budget.worst_case_room(reading.under_way)))
        return self._answer("predictive", found, reading)

    def _take_in(self, now: float, reading: Reading) -> None:
        seconds = min(60.0, max(0.0, now - self._last))
        self._last = now
        self._tally.update(reading, seconds)
        self._watching.look(reading, seconds, self._tally.fresh, (self._releases, self._ringing))
        self._budget.update(now, self._theta, self._tally.answered, self._tally.abandoned)
        self._budget.staffed(now, reading.logged, self._rate.mean)
        self._releases.watch(reading, self._tally.fresh_inbound, seconds)
        self._inbound = [self._inbound[0] + self._tally.fresh_inbound, self._inbound[1] + seconds]
        opening = self._opening(now, reading)
        pause = _REFIT_S if now < _LEARNING_S else _REFIT_LATER_S
        if now - self._refitted >= pause or opening != self._is_opening:
            self._refitted = now
            self._ringing.refit()
            self._rate.forget_table()
            self._releases.refit(reading)
        self._is_opening = opening
        self._unread = (self._unread[0] + self._tally.fresh[0], self._unread[1] + self._tally.fresh[1])
        if not opening:
            self._rate.update(seconds, now, self._unread, _by_age(reading.ringing + reading.amd), self._ringing)
            self._unread = (0.0, 0.0)

    def _opening(self, now: float, reading: Reading) -> bool:
        """Until the first calls have all come to an end: busy lines and wrong numbers are known at once, people answer
        later, so a first impression of the answer rate is always too low.
        """
        if self._first_call is None and (reading.under_way or self._tally.answered or any(self._tally.fresh)):
            self._first_call = now
        return self._first_call is None or now < self._first_call + self._ringing.horizon - 6

    def _answers_per_second(self, now: float, reading: Reading) -> float:
        """Seen so far, and what the agents here could take, which counts as a quarter of an hour."""
        busy = max(1, reading.logged) * 0.85 / self._releases.handle_s()
        return (self._tally.answered + 900 * busy) / (now + 900)

    def _bold(self, now: float, reading: Reading) -> int:
        level = self._theta * len(self._ringing.points) * (1 - _BRAKE * self._rate.risen())
        room = min(_MOST_AT_ONCE, _MOST_AT_ONCE if reading.lines_free is None else reading.lines_free)
        rate = min(0.97, self._rate.mean + self.doubt * self._rate.deviation)
        if self._is_opening:
            rate = max(rate, _FIRST_RATE)
        cells = self._cells(reading, rate)
        # An answer after the end of the shift helps nobody: as bad as no agent.
        beyond = sum(1 for t in self._ringing.points if now + t > self._budget.end_s)
        found = 0
        while found < room and beyond + sum(cell.risk() for cell in cells) <= level:
            found += 1
            for cell in cells:
                cell.start()
        # Where callers come in too, an idle agent may be taken before his call is answered: then one each is a risk.
        if beyond or self._inbound[0]:
            return found
        return max(found, min(room, one_to_one(reading)))

    def _cells(self, reading: Reading, rate: float) -> list[Exact | Approximate]:
        rows = self._releases.rows(reading)
        ages = sorted(_by_age(reading.ringing).items())
        free = reading.idle - len(reading.waiting)
        large = reading.logged > outlook.EXACT_UP_TO
        inbound = self._inbound[0] / self._inbound[1]
        found: list[Exact | Approximate] = []
        for t in self._ringing.points:
            late = min(self._releases.horizon, t + int(self._max_wait))
            releases = [((row[late] + row[max(0, late - 1)]) / 2, count) for row, count in rows]
            answers = [(self._ringing.answered_within(rate, age, t), count) for age, count in ages]
            answers += self._verdicts(reading, t)
            chance = rate * (1 - self._ringing.answered_after[t])
            answers += outlook.poisson_as_chances(inbound * t)
            if large:
                found.append(Approximate(free, releases, answers, chance, self._rate.deviation / rate))
            else:
                found.append(Exact(free, releases, answers, chance))
        return found

    def _verdicts(self, reading: Reading, t: int) -> list[tuple[float, int]]:
        """Calls being examined: answered by a person or a machine, soon known."""
        if not reading.amd:
            return []
        machines = reading.count("machine") + 2.0
        people = reading.count("live") + 2.0
        share = people / (people + machines)
        return [(share * min(1.0, (t + 0.5) / _VERDICT_S), len(reading.amd))]

    def _answer(self, mode: str, calls: int, reading: Reading) -> int:
        calls = calls if reading.lines_free is None else min(calls, reading.lines_free)
        self._told = {
            "mode": mode, "calls": calls, "answer_rate": self._rate.mean, "answer_rate_deviation": self._rate.deviation,
            "answer_rate_changed_at": self._rate.settled[1], "risk_level": self._theta,
            "abandoned": self._tally.abandoned, "answered": self._tally.answered, "budget_left": self._budget.left,
            "allowed_share": self._budget.share, "talk_s": self._releases.talk.mean_s(),
            "wrap_up_s": self._releases.wrap.mean_s(), "expected_free": reading.idle,
        }  # fmt: skip
        return calls

    def explain(self) -> dict[str, Any]:
        """What the last decision was made of, for traces."""
        return {"policy": "predictive", **self._told}

    def dump(self) -> dict[str, Any]:
        """All that was learned, for JSON; `load` goes on from it as if nothing had been in between."""
        return {
            "budget": self._budget.dump(), "ringing": self._ringing.dump(), "rate": self._rate.dump(),
            "releases": self._releases.dump(), "tally": self._tally.dump(), "watching": self._watching.dump(),
            "last": self._last, "theta": self._theta, "refitted": None if math.isinf(self._refitted) else
            self._refitted, "inbound": self._inbound, "first_call": self._first_call, "is_opening": self._is_opening,
            "unread": list(self._unread),
        }  # fmt: skip

    @classmethod
    def load(cls, cfg: Mapping[str, Any], state: Mapping[str, Any]) -> Predictive:
        found = cls(cfg)
        for name in ("budget", "ringing", "rate", "releases", "tally", "watching"):
            getattr(found, "_" + name).load(state[name])
        found._last, found._theta = state["last"], state["theta"]
        found._refitted = -math.inf if state["refitted"] is None else state["refitted"]
        found._inbound = list(state["inbound"])
        found._first_call, found._is_opening = state["first_call"], state["is_opening"]
        found._unread = (state["unread"][0], state["unread"][1])
        return found


def _by_age(ages: list[float]) -> Counter[int]:
    return Counter(int(age + 0.5) for age in ages)
