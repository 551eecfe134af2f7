"""Days that nobody has had: for people without history, and for tests against theory.

Callers come as a Poisson process whose rate changes by the hour. A made-up call brings nothing but its time; how long
it takes and how patient the caller is are drawn from the queue's laws, anew in each replication.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from routing.core.config import Config
from routing.core.declarations import Requirement
from routing.sim.clock import length_of, start_of
from routing.sim.day import DAY_MS, HOUR_MS, Call, Day, QueueLaws, Shift, Span, pseudonym
from routing.sim.laws import AnyLaw, Exponential, Fixed, LogNormal, Never

TALK_DEVIATION = 0.8  # of the mean
_HUMPS = ((0.25, 0.15, 1.0), (0.68, 0.18, 0.85))  # where in the working day, how wide, how high
DEFAULT_TALK = LogNormal(mean_ms=180_000, deviation_ms=150_000)
DEFAULT_PATIENCE = Exponential(mean_ms=240_000)
DEFAULT_RING = Fixed(ms=3_000)
DEFAULT_WRAP_UP = Fixed(ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Calls for one queue. `hourly`: how many per hour on average, for each hour from the day's start on.

    `requires`: what each of them needs besides what its queue does.
    """

    queue: str
    hourly: Sequence[float]
    patience: AnyLaw = DEFAULT_PATIENCE
    talk: AnyLaw = DEFAULT_TALK
    wrap_up: AnyLaw = DEFAULT_WRAP_UP
    ring: AnyLaw = DEFAULT_RING
    requires: Requirement = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`lead_in_h`: hours before the day's start that are replayed and not counted, at the rates of its first hour."""

    date: str = "2026-03-14"
    zone: str = "UTC"
    length_ms: int = DAY_MS
    lead_in_h: int = 0
    seed: int = 1


def make_day(demands: Sequence[Demand], shifts: Mapping[str, Sequence[Span]], frame: Frame | None = None) -> Day:
    """`shifts` by agent id. The same seed gives the same day."""
    frame = frame or Frame()
    random = Random(f"day/{frame.seed}")  # noqa: S311 - a simulation, not a secret
    salt = f"{random.getrandbits(64):016x}"
    found = sorted(at for demand in demands for at in _arrivals(demand, frame, random))
    calls = [
        Call(id=f"c{number:06}", at_ms=at_ms, queue=queue, requires=requires)
        for number, (at_ms, queue, requires) in enumerate(found, start=1)
    ]
    return Day(
        date=frame.date,
        zone=frame.zone,
        starts_at_ms=start_of(frame.date, frame.zone),
        length_ms=frame.length_ms,
        salt=salt,
        calls=tuple(calls),
        shifts=tuple(Shift(agent=pseudonym(salt, agent), spans=tuple(spans)) for agent, spans in shifts.items()),
        laws={demand.queue: _laws(demand) for demand in demands},
    )


def _laws(demand: Demand) -> QueueLaws:
    return QueueLaws(
        queue=demand.queue,
        patience=demand.patience,
        ring=demand.ring,
        talk=demand.talk,
        wrap_up=demand.wrap_up,
    )


def _arrivals(demand: Demand, frame: Frame, random: Random) -> Iterator[tuple[int, str, Requirement]]:
    rates = [demand.hourly[0]] * frame.lead_in_h + list(demand.hourly)
    for hour, rate in enumerate(rates, start=-frame.lead_in_h):
        at_ms = hour * HOUR_MS + (random.expovariate(rate / HOUR_MS) if rate > 0 else HOUR_MS)
        while at_ms < (hour + 1) * HOUR_MS:
            yield int(at_ms), demand.queue, demand.requires
            at_ms += random.expovariate(rate / HOUR_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a made-up day is like, on average; `patience_s` 0: nobody gives up."""

    talk_s: float = 180
    wrap_up_s: float = 20
    patience_s: float = 240


def office_day(config: Config, calls: Mapping[str, int], hours: tuple[int, int], means: Means, frame: Frame) -> Day:
    """A working day `hours` (from, to) of all agents of a configuration. `calls`: how many on average, by queue.

    More of them come in the middle of the morning and of the afternoon than else.
    """
    first, last = hours
    patience = Exponential(mean_ms=means.patience_s * 1000) if means.patience_s else Never()
    demands = [
        Demand(
            queue=queue,
            hourly=[0.0] * first + _humps(last - first, number),
            patience=patience,
            talk=LogNormal(mean_ms=means.talk_s * 1000, deviation_ms=means.talk_s * 1000 * TALK_DEVIATION),
            wrap_up=Exponential(mean_ms=means.wrap_up_s * 1000) if means.wrap_up_s else DEFAULT_WRAP_UP,
        )
        for queue, number in calls.items()
    ]
    shift = [Span(from_ms=first * HOUR_MS, until_ms=last * HOUR_MS)]
    whole = replace(frame, length_ms=length_of(frame.date, frame.zone))
    return make_day(demands, dict.fromkeys(config.agents, shift), whole)


def _humps(hours: int, calls: float) -> list[float]:
    """Calls per hour that are so many in all."""
    middles = [(hour + 0.5) / hours for hour in range(hours)]
    heights = [
        0.3 + sum(height * math.exp(-(((at - place) / width) ** 2) / 2) for place, width, height in _HUMPS)
        for at in middles
    ]
    return [calls * height / sum(heights) for height in heights]
