"""One possible course of a day: everything that the recording does not tell is drawn, once for all configurations.

What is known stays: who came when and where to, how long he waited until he gave up, how long the agent who answered
him took. Drawn is, by shares that belong to the call and not to what happens to it:

- the patience of who did not give up: from the Kaplan-Meier estimate of his queue, beyond what he is known to have
  waited;
- how long another agent than the recorded one takes, or one who answers a caller that was never answered: from the
  queue's answered calls, talk, hold and wrap-up of one of them together;
- how much longer a wrap-up would have been that was cut short by its time-out, as with patience;
- how long the telephone of the agent rings.

A queue with fewer than FEW observations takes the law of the whole day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from routing.sim.day import Call, Day, Fate, QueueLaws
from routing.sim.laws import Exponential, Fixed, Law, Measured, Survival

FEW = 20
DEFAULT_RING_MS = 3_000
DEFAULT_TALK = Exponential(mean_ms=180_000)
_NONE = Fixed(ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What an agent does with a call: talk, hold and wrap-up."""

    talk_ms: int
    hold_ms: int = 0
    wrap_up_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A call with all that decides about its course. `patience_ms` None: he never gives up.

    `own`: how the recorded agent handles it, None where there was none; `other`: how anybody else does. `luck`: a share
    of his own for what depends on the course, e.g. how long the second telephone rings.
    """

    call: Call
    patience_ms: int | None
    other: Handling
    own: Handling | None = None
    luck: float = 0.0

    def handling_by(self, agent: str) -> Handling:
        """`agent`: his pseudonym."""
        return self.own if self.own is not None and agent == self.call.agent else self.other


@dataclass(slots=True)
class _Observed:
    given_up: list[int] = field(default_factory=list)
    not_given_up: list[int] = field(default_factory=list)
    rings: list[int] = field(default_factory=list)
    handled: list[Call] = field(default_factory=list)


class Laws:
    """The laws of one queue, as they are declared, or measured by its calls."""

    def __init__(self, seen: _Observed, declared: QueueLaws | None) -> None:
        wrap_ups = [(call.wrap_up_ms or 0, call.is_wrap_up_cut) for call in seen.handled]
        self._survival = Survival(seen.given_up, seen.not_given_up)
        self._wrap_up = Survival([ms for ms, cut in wrap_ups if not cut], [ms for ms, cut in wrap_ups if cut])
        self._handled = seen.handled
        self.ring: Law = (declared and declared.ring) or Measured.of(seen.rings) or Fixed(ms=DEFAULT_RING_MS)
        self._declared = declared

    def patience(self, call: Call, share: float) -> int | None:
        if call.patience_ms is not None:
            return call.patience_ms
        if call.fate is Fate.ABANDONED and call.waited_ms is not None:
            return call.waited_ms
        known_ms = call.waited_ms if call.waited_ms is not None else -1
        if self._declared and self._declared.patience:
            drawn = self._declared.patience.at(share)
        else:
            drawn = self._survival.beyond(known_ms, share)
        return None if math.isinf(drawn) else round(drawn)

    def handling(self, share: float, again: float) -> Handling:
        """Of anybody."""
        if self._declared and self._declared.talk:
            wrap_up = self._declared.wrap_up or _NONE
            return Handling(talk_ms=round(self._declared.talk.at(share)), wrap_up_ms=round(wrap_up.at(again)))
        if not self._handled:
            return Handling(talk_ms=round(DEFAULT_TALK.at(share)))
        found = self.recorded(self._handled[int(share * len(self._handled))], again)
        assert found is not None  # noqa: S101 - by the choice of `_handled`
        return found

    def recorded(self, call: Call, share: float) -> Handling | None:
        """As it was, but for a wrap-up that its time-out cut short."""
        if call.talk_ms is None:
            return None
        wrap_up_ms = call.wrap_up_ms or 0
        if call.is_wrap_up_cut:
            longer = self._wrap_up.beyond(wrap_up_ms, share)
            wrap_up_ms = wrap_up_ms if math.isinf(longer) else round(longer)
        return Handling(talk_ms=call.talk_ms, hold_ms=call.hold_ms, wrap_up_ms=wrap_up_ms)


class DayLaws:
    """The laws of every queue of a day, made once for all replications."""

    def __init__(self, day: Day) -> None:
        seen: defaultdict[str, _Observed] = defaultdict(_Observed)
        whole = _Observed()
        for call in day.calls:
            for observed in (seen[call.queue], whole):
                _observe(observed, call)
        self._of = {queue: Laws(_enough(mine, whole), day.laws.get(queue)) for queue, mine in seen.items()}
        self._whole = Laws(whole, None)

    def of(self, queue: str) -> Laws:
        return self._of.get(queue, self._whole)


def _observe(observed: _Observed, call: Call) -> None:
    if call.waited_ms is not None:
        (observed.given_up if call.fate is Fate.ABANDONED else observed.not_given_up).append(call.waited_ms)
    if call.ring_ms is not None and call.fate is not Fate.ABANDONED:
        observed.rings.append(call.ring_ms)
    if call.talk_ms is not None:
        observed.handled.append(call)


def _enough(mine: _Observed, whole: _Observed) -> _Observed:
    waited = len(mine.given_up) >= FEW or len(mine.given_up) == len(whole.given_up)
    return _Observed(
        given_up=mine.given_up if waited else whole.given_up,
        not_given_up=mine.not_given_up if waited else whole.not_given_up,
        rings=mine.rings if len(mine.rings) >= FEW else whole.rings,
        handled=mine.handled if len(mine.handled) >= FEW else whole.handled,
    )


def draw(day: Day, laws: DayLaws, seed: int, replication: int) -> tuple[Caller, ...]:
    """The same `seed` and `replication` give the same callers, whoever asks."""
    random = Random(f"{seed}/{replication}")  # noqa: S311 - a simulation, not a secret
    return tuple(_callers(day.calls, laws, random))


def _callers(calls: Iterable[Call], laws: DayLaws, random: Random) -> Iterable[Caller]:
    for call in calls:
        # Always five shares of each, needed or not: what one call needs must not change another one's luck.
        patience, handling, own, other, luck = (random.random() for _ in range(5))
        law = laws.of(call.queue)
        yield Caller(
            call=call,
            patience_ms=law.patience(call, patience),
            own=law.recorded(call, own),
            other=_known(call) or law.handling(handling, other),
            luck=luck,
        )


def _known(call: Call) -> Handling | None:
    """A made-up call brings how long it takes, whoever answers it."""
    if call.agent or call.talk_ms is None:
        return None
    return Handling(talk_ms=call.talk_ms, hold_ms=call.hold_ms, wrap_up_ms=call.wrap_up_ms or 0)
