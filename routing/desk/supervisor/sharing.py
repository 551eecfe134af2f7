"""One look for all who look at the same: a wallboard costs what it costs once, however many hang on the walls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from flask import request

from routing.core.errors import StoreError
from routing.desk.asking import Refused
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
_LONG_S = 0.3  # what takes longer to make is kept `_REST` times as long, at most so many seconds
_REST, _MOST_REST_S = 3, 5.0
Key = tuple[str, str, str, bytes, frozenset[str]]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What there is until then; `error`: that there is nothing, which is true for all who wait, too."""

    until_s: float
    made: object
    error: Exception | None


@dataclass(slots=True)
class Shared(Generic[Made]):
    """Made at most every `for_s` in this process for those of one tenant with the same language, permissions and query.

    Whoever comes meanwhile gets what there is, and those who wait while it is made share it. A page that was
    touched in between is behind by up to `for_s`: its region looks again by itself (`Region.refresh_s`). What takes
    long to make is kept longer, so that one page, however large, leaves most of the process to the others.
    """

    make: Callable[[], Made]
    for_s: float
    clock_s: Callable[[], float] = time.monotonic
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[Key, _Kept] = field(default_factory=dict)

    def __call__(self) -> Made:
        who = person().principal
        scopes = frozenset(scope.value for scope in who.scopes)
        key = (who.tenant, who.agent_id, current(), request.query_string, scopes)
        with self._turn:
            kept = self._kept.get(key)
            if kept is None or self.clock_s() >= kept.until_s:
                kept = self._anew()
                self._kept.pop(key, None)
                self._kept[key] = kept
                while len(self._kept) > _MOST:
                    del self._kept[next(iter(self._kept))]
        if kept.error:
            raise kept.error.with_traceback(None)
        return cast("Made", kept.made)

    def _anew(self) -> _Kept:
        began_s = self.clock_s()
        made, error = None, None
        try:
            made = self.make()
        except (Refused, StoreError) as refused:
            error = refused
        ended_s = self.clock_s()
        took_s = ended_s - began_s
        rest_s = min(_REST * took_s, _MOST_REST_S) if took_s > _LONG_S else 0.0
        return _Kept(ended_s + max(self.for_s, rest_s), made, error)


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
