"""Numbers of an imported do-not-call list leave the hoppers and the previews where they are (DISP-05, DIALER-04).

Whoever marks one number tells the engine so; an import of a million tells nobody. So the job of a minute looks, if such
an import has brought marks since the last look, which numbers of the records in the engine's hands are marked by now.
It costs what the hoppers hold, however long the list is; and no record is called meanwhile, as the list is asked before
each dialing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec
import structlog
from redis.exceptions import RedisError

from routing.app.clock import Clock
from routing.core.orders import MarkDoNotCall
from routing.core.record import RecordState
from routing.store.front import Front
from routing.store.redis_link import translated
from routing.store.sql.database import Database
from routing.store.sql.ids import id_for
from routing.store.sql.import_marks import brought_marks, marks_of

log = structlog.get_logger()

MOST = 200  # orders of one look; the next one goes on
AT_ONCE = 500  # records
ANSWER_S = 1.0
MARGIN_MS = 120_000  # by which the clocks of two processes may differ, and a transaction take
_OVER = frozenset({RecordState.TALKING.value, RecordState.FINISHING.value})


class Number(msgspec.Struct, frozen=True):
    number: str


class Card(msgspec.Struct, frozen=True):
    campaign: str
    numbers: tuple[Number, ...]
    blocked: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """What matters here of a record in the engine's hands; to read all of it costs some times as much."""

    card: Card
    state: str


class Marks:
    """Of one tenant. To look twice, or to be killed anywhere, does no harm."""

    def __init__(self, front: Front, database: Database, clock: Clock) -> None:
        self._front, self._database, self._clock = front, database, clock
        self._held = msgspec.json.Decoder(Held)

    def look(self) -> int:
        """Tell the engine of marked numbers that it has; how many. Raises StoreError."""
        try:
            return self._look()
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def _look(self) -> int:
        redis, key, now_ms = self._front.redis, self._front.keys("marks_seen"), self._clock.now_ms()
        seen_ms = int(cast("bytes | None", redis.get(key)) or 0)
        with self._database.read() as connection:
            if not brought_marks(connection, self._front.tenant, seen_ms - MARGIN_MS):
                return 0
        told = 0
        for number, campaign in self._marked():
            if told >= MOST or not self._tell(number, campaign):
                return told
            told += 1
        redis.set(key, now_ms)
        if told:
            log.info("marks_told", tenant=self._front.tenant, numbers=told)
        return told

    def _marked(self) -> Iterator[tuple[str, str]]:
        """Numbers of records that are not with a person yet, each with the campaign of its mark; each once."""
        rules, done = self._front.config().numbers, set[tuple[str, str]]()
        for cards in self._portions():
            by_number: dict[str, set[str]] = {}
            for card in cards:
                for known in card.numbers:
                    if known.number not in card.blocked:
                        by_number.setdefault(known.number, set()).add(card.campaign)
            with self._database.read() as connection:
                found = marks_of(connection, self._front.tenant, by_number, rules)
            for number, campaign in sorted(found):
                if campaign in {"", *by_number[number]} and (number, campaign) not in done:
                    done.add((number, campaign))
                    yield number, campaign

    def _portions(self) -> Iterator[list[Card]]:
        cursor, key = 0, self._front.keys("records")
        while True:
            cursor, found = cast("tuple[int, dict[bytes, bytes]]", self._front.redis.hscan(key, cursor, count=AT_ONCE))
            held = (self._held.decode(data) for data in found.values())
            yield [each.card for each in held if each.state not in _OVER]
            if not cursor:
                return

    def _tell(self, number: str, campaign: str) -> bool:
        """Whether the engine has answered."""
        at_ms = self._clock.now_ms()
        order_id = id_for("ord", self._front.tenant, f"mark\0{number}\0{campaign}\0{at_ms}")
        order = MarkDoNotCall(order_id=order_id, actor="import", number=number, campaign=campaign)
        reply = self._front.ask(order, ANSWER_S)
        if reply is None:
            log.warning("marks_not_told", tenant=self._front.tenant)
        return reply is not None
