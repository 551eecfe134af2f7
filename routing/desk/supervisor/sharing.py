"""One text for all who look at the same: a wallboard costs what it costs once, however many hang on the walls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from routing.desk.door import person
from routing.desk.language import current
from routing.desk.regions import LivePage, Region

THROTTLE_S = 0.5
REFRESH_S = 2.0
# Types of events after which calls, agents or campaigns look different on a wallboard.
CALLS = ("interaction.*", "offer.*", "callback.*", "queue.*", "flow.*", "consult.*", "conference.*", "outdial.*")
AGENTS = ("agent.*", "wrap_up.*", "offer.*", "hold.*", "party.*")
CAMPAIGNS = ("campaign.*", "attempt.*", "record.*", "seat.*")
_ALWAYS = ("config.applied", "pbx.link_changed")
_MOST = 64
Key = tuple[str, str, str, frozenset[str]]


@dataclass(slots=True)
class Shared:
    """Renders at most every `for_s` in this process for those of one tenant with the same language and permissions.

    Whoever comes meanwhile gets the text there is, and those who wait while it is made share it. A page that was
    touched in between is behind by up to `for_s`: its region looks again by itself (`Region.refresh_s`).
    """

    render: Callable[[], str]
    for_s: float
    clock_s: Callable[[], float] = time.monotonic
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[Key, tuple[float, str]] = field(default_factory=dict)

    def __call__(self) -> str:
        who = person().principal
        key = (who.tenant, who.agent_id, current(), frozenset(scope.value for scope in who.scopes))
        with self._turn:
            made_s, text = self._kept.get(key, (float("-inf"), ""))
            if self.clock_s() - made_s >= self.for_s:
                text = self.render()
                self._kept.pop(key, None)
                self._kept[key] = (self.clock_s(), text)
                while len(self._kept) > _MOST:
                    del self._kept[next(iter(self._kept))]
            return text


def add_shared(
    live: LivePage, name: str, render: Callable[[], str], touched_by: tuple[str, ...], *, is_data: bool = False
) -> None:
    """A region that is rendered once for all who look at it, and shown at most twice a second."""
    shared = Shared(render, THROTTLE_S)
    live.add(
        Region(
            name=name,
            render=shared,
            touched_by=(*touched_by, *_ALWAYS),
            throttle_s=THROTTLE_S,
            refresh_s=REFRESH_S,
            is_data=is_data,
        )
    )
