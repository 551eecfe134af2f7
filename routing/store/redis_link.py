"""Talking to Redis: one place where commands go out, deadlines are set and the driver's exceptions end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from routing.core.errors import StoreError
from routing.store.errors import StoreRefused, StoreUnavailable

_SCRIPTS = Path(__file__).parent / "lua"

Word = str | bytes | int


def script_source(name: str) -> str:
    """lua/NAME.lua."""
    return (_SCRIPTS / f"{name}.lua").read_text("utf-8")


class RedisLink:
    """Commands with a deadline, never repeated by the driver: whether to repeat is for the caller to decide.

    `timeout_s` is how long Redis may take to answer beyond what a blocking command asks for.
    """

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._shas: dict[str, str] = {}
        try:
            self._client = Redis.from_url(
                url,
                protocol=2,
                socket_timeout=None,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise StoreUnavailable(reason=str(error)) from error

    async def call(self, *words: Word, wait_s: float = 0.0) -> Any:
        """One command; `wait_s`: how long it may block by itself. Raises StoreUnavailable, StoreRefused."""
        try:
            async with asyncio.timeout(self._timeout_s + wait_s):
                return await self._execute(*words)
        except (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise translated(error) from error

    async def transaction(self, *commands: Sequence[Word]) -> list[Any]:
        """MULTI/EXEC; the results in order. Raises StoreUnavailable, StoreRefused."""
        try:
            async with asyncio.timeout(self._timeout_s), self._client.pipeline(transaction=True) as pipe:
                for command in commands:
                    cast("Any", pipe).execute_command(*command)
                return await pipe.execute()
        except (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise translated(error) from error

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Word]) -> Any:
        """Run lua/NAME.lua; loads it when Redis does not have it (it then has not run)."""
        try:
            async with asyncio.timeout(self._timeout_s):
                for is_retry in (False, True):
                    sha = self._shas.get(name) or await self._load(name)
                    try:
                        return await self._execute("EVALSHA", sha, len(keys), *keys, *args)
                    except NoScriptError:
                        if is_retry:
                            raise
                        self._shas.clear()
        except (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise translated(error) from error

    async def _execute(self, *words: Word) -> Any:
        return await cast("Any", self._client).execute_command(*words)

    async def _load(self, name: str) -> str:
        sha = await self._execute("SCRIPT LOAD", script_source(name))
        self._shas[name] = sha.decode() if isinstance(sha, bytes) else sha
        return self._shas[name]

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


_UNAVAILABLE = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OSError,
    TimeoutError,
)


def translated(error: Exception) -> StoreError:
    """What the driver raised, in our terms."""
    reason = str(error) or type(error).__name__
    if isinstance(error, ResponseError) and not isinstance(error, _UNAVAILABLE):
        return StoreRefused(reason=reason)
    return StoreUnavailable(reason=reason)
