"""Records on their way from SQL into the engine's hands: a fence keeps one back whose sender was given up.

A worker reads the campaign's fence, claims, and appends; who gives stale claims up moves the fence on first. So what
was given up cannot arrive any more, however long its worker was asleep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from redis.exceptions import RedisError

from routing.core.errors import StoreError
from routing.core.orders import AddRecords
from routing.store.errors import StoreFull
from routing.store.front import Front
from routing.store.port import START
from routing.store.redis_link import script_source, translated


class FenceMoved(StoreError):
    """Claims of the campaign were given up since the fence was read; nothing was appended."""

    code = "fence-moved"
    template = "claims of {campaign} were given up meanwhile"


class Handover:
    """Every method raises StoreUnavailable, StoreRefused."""

    def __init__(self, front: Front) -> None:
        self.front, self._redis = front, front.redis
        self._inputs, self._fences = front.keys("inputs"), front.keys("claim_fences")
        self._append = self._redis.register_script(script_source("append_fenced"))

    def fence(self, campaign: str) -> int:
        """To be read before records of it are claimed."""
        try:
            return int(cast("bytes | None", self._redis.hget(self._fences, campaign)) or 0)
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def move_fence(self, campaign: str) -> None:
        """From here on nothing that was claimed before arrives."""
        try:
            self._redis.hincrby(self._fences, campaign, 1)
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def send(self, order: AddRecords, fence: int) -> str:
        """Its position. Raises StoreFull and FenceMoved, too; then it certainly was not appended."""
        entry = self.front.codecs.tagged(order)
        arguments: list[bytes | str | int] = [self.front.limits.inputs, order.campaign, fence, entry]
        try:
            done, result = self._append([self._inputs, self._fences], arguments)
        except (RedisError, OSError) as error:
            raise translated(error) from error
        if done < 0:
            raise FenceMoved(campaign=order.campaign)
        if not done:
            raise StoreFull(length=result, limit=self.front.limits.inputs)
        return cast("bytes", result).decode()

    def newest_input(self) -> str:
        """Position of the newest input; `START`: there is none."""
        try:
            found = cast("list[tuple[bytes, object]]", self._redis.xrevrange(self._inputs, count=1))
        except (RedisError, OSError) as error:
            raise translated(error) from error
        return found[0][0].decode() if found else START

    def consumed(self) -> str:
        """Up to which input the engine's committed state has come."""
        return self.front.meta().get("position") or START

    def held(self, record_ids: Sequence[str]) -> set[str]:
        """Those of them that are in the engine's hands, as of the last commit."""
        if not record_ids:
            return set()
        try:
            found = cast("list[bytes | None]", self._redis.hmget(self.front.keys("records"), list(record_ids)))
        except (RedisError, OSError) as error:
            raise translated(error) from error
        return {record_id for record_id, data in zip(record_ids, found, strict=True) if data}


def is_past(position: str, other: str) -> bool:
    """Whether `position` of a stream is at `other`, or behind it."""
    return _place(position) >= _place(other)


def _place(position: str) -> tuple[int, int]:
    at_ms, _, number = position.partition("-")
    return int(at_ms), int(number or 0)
