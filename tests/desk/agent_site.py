"""What tests of the agent's calls share: a centre for a module, and everybody free again before each test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from deploy.lab.redis import RedisServer
from routing.core.config import Config
from telephony.simulated.habits import Answers, Constant
from tests.desk.desk_site import AtDesk
from tests.desk.served_pages import with_pages
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


@contextmanager
def desk_center(redis: RedisServer, config: Config, **server: Any) -> Iterator[Site]:
    """Anna and ben are signed in; whoever is rung picks up."""
    with center(redis, config, signed_in=("anna", "ben"), **server) as site:
        with_pages(site)
        yield site


def cleared(site: Site, busy: tuple[str, ...] = ("ben",)) -> None:
    """Nobody is in a call. Anna is available; those of `busy` are idle, so that she gets the calls."""
    for name in ("anna", "ben"):
        site.habit(name, Answers(Constant(10)))
    wait_until(lambda: _is_quiet(site))
    for name in ("anna", "ben"):
        wait_until(partial(_is_done, site, name))
        site.free(name)
    for name in busy:
        site.put(f"agents/{name}/state", {"state": "idle", "reason": "break"}, name)


def _is_quiet(site: Site) -> bool:
    """Everybody hangs up, again and again: an order of a moment ago rings a telephone only after the first time."""
    is_live = site.exchange.do(lambda: _hang_up(site))
    return not is_live and not site.front.load().interactions


def _hang_up(site: Site) -> bool:
    """Whether there was anybody."""
    live = [channel for channel in site.exchange.pbx.channels.values() if channel.is_live]
    for channel in live:
        site.exchange.pbx.hang_up(channel)
    return bool(live)


def _is_done(site: Site, name: str) -> bool:
    """Nothing is left of his calls; a wrap-up that ends by itself meanwhile needs no ending."""
    calls = site.get(f"agents/{name}/interactions", name)["items"]
    for call in calls:
        if "finish_wrap_up" in call["allowed_actions"]:
            site.send("POST", f"interactions/{call['id']}/wrap-up", name, {"reason": "done"})
    return not calls


def actions(html: str) -> set[str]:
    """Of the buttons in it."""
    return set(re.findall(r'data-action="(\w+)"', html))


def card(desk: AtDesk) -> str:
    """The region with his calls, spaces and line ends as one."""
    return flat(desk.region("calls"))


def flat(html: str) -> str:
    return re.sub(r"\s+", " ", html)
