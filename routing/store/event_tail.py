"""Reading a tenant's events from where one stopped, and noticing those that were dropped before they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import RedisError, ResponseError

from routing.store.front import Front
from routing.store.port import START, StoredEvent
from routing.store.redis_link import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Up to where events are read. `ordinal`: how many events the stream had had by then, as far as is known."""

    position: str = START
    ordinal: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Events behind a place, in order, and the place behind them.

    `lost`: how many were dropped at the stream's limit between the place and the first of them.
    """

    events: Sequence[StoredEvent]
    end: Place
    lost: int = 0


class EventTail:
    """`front` gives Redis, tenant and codecs. Every method raises StoreUnavailable, StoreRefused."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._key = front.keys("events")

    def read(self, place: Place, count: int) -> Portion:
        """Up to `count` events behind that place; none when there are none now."""
        try:
            with self._front.redis.pipeline(transaction=True) as pipe:
                pipe.xrange(self._key, place.position, place.position, count=1)
                cast("Any", pipe).execute_command("XINFO", "STREAM", self._key)
                pipe.xread({self._key: place.position}, count=count)
                is_there, about, found = pipe.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise translated(error) from error
        for answer in (is_there, found):
            if isinstance(answer, Exception):
                raise translated(answer) from answer
        if isinstance(about, ResponseError):  # there is no stream yet
            return Portion(events=(), end=place)
        if isinstance(about, Exception):
            raise translated(about) from about
        return self._portion(place, bool(is_there), _added_and_length(about), _entries(found, self._front), count)

    def _portion(
        self, place: Place, is_there: bool, counts: tuple[int, int], events: list[StoredEvent], count: int
    ) -> Portion:
        added, length = counts
        dropped = added - length
        lost = 0 if is_there or not events else max(0, dropped - place.ordinal)
        if not events:
            return Portion(events=(), end=place)
        # At the end of the stream the number is certain; before it is counted on.
        ordinal = added if len(events) < count else place.ordinal + lost + len(events)
        return Portion(events=events, end=Place(position=events[-1].position, ordinal=ordinal), lost=lost)

    def wait(self, place: Place, block_ms: int) -> None:
        """Return when there is an event behind that place, at the latest after `block_ms`."""
        try:
            self._front.redis.xread({self._key: place.position}, count=1, block=block_ms)
        except (RedisError, OSError) as error:
            raise translated(error) from error


def _added_and_length(about: Any) -> tuple[int, int]:
    """Of XINFO STREAM, as a list of names and values or as a mapping: `entries-added`, `length`."""
    pairs = about if isinstance(about, dict) else dict(zip(about[::2], about[1::2], strict=True))
    named = {name.decode() if isinstance(name, bytes) else name: value for name, value in pairs.items()}
    return int(named["entries-added"]), int(named["length"])


def _entries(found: Any, front: Front) -> list[StoredEvent]:
    entries = found[0][1] if found else []
    return [StoredEvent(position=at.decode(), event=front.codecs.events.read(data[b"d"])) for at, data in entries]
