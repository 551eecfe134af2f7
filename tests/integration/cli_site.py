"""A private Redis and a real engine, and the command line run against them in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.cli.main import app
from routing.core.facts import Fact
from routing.store.redis_store import RedisStore
from tests.waiting import run, wait_until

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class CliSite:
    """`config` is the directory of configuration files; tests may change them."""

    redis: RedisServer
    config: Path
    tenant: str = "cli"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SWITCHROOM_REDIS": self.redis.url,
            "SWITCHROOM_TENANT": self.tenant,
            "SWITCHROOM_CONFIG": str(self.config),
            "COLUMNS": "200",
        }

    def run(self, *words: str, exit_code: int | None = 0) -> str:
        """What the command wrote; its exit code must be this one (None: any)."""
        result = CliRunner().invoke(app, words, env=self.environment)
        if exit_code is not None and result.exit_code != exit_code:
            raise AssertionError(f"{words} ended with {result.exit_code}: {result.output}") from result.exception
        return result.output

    def json(self, *words: str, exit_code: int | None = 0) -> Any:
        return json.loads(self.run(*words, "--json", exit_code=exit_code))

    def tell(self, *facts: Fact) -> None:
        """What a connector would put into the input stream."""
        self._in_store(lambda store: store.append_inputs(facts))

    def settled(self) -> None:
        """Wait until the engine has taken everything in."""
        wait_until(lambda: self._in_store(lambda store: store.health()).waiting_inputs == 0, 10)

    def offered_leg(self, agent: str) -> str:
        """The leg that rings at the agent."""
        state, _position = self._in_store(lambda store: store.load())
        if state is None:
            raise AssertionError("nothing was committed yet")
        return next(iter(state.agents[agent].engagements.values())).leg_id

    def _in_store(self, work: Callable[[RedisStore], Coroutine[Any, Any, T]]) -> T:
        async def whole() -> T:
            store = RedisStore(self.redis.url, self.tenant)
            try:
                return await work(store)
            finally:
                await store.close()

        return run(whole())


@contextmanager
def engine(site: CliSite, log: Path) -> Iterator[Child]:
    """A running engine process."""
    command = [sys.executable, "-m", "routing.cli.main", "engine"]
    child = Child(command, log, ROOT, site.environment)
    try:
        child.wait_until(lambda: site.json("status", exit_code=None)["engine"] is not None, 15)
        yield child
    finally:
        child.stop()
