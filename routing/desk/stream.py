"""`/desk/stream/PAGE`: the regions of a page, each as a server-sent event when it has changed.

At its beginning every region is sent, so that nothing is missed between a page and its stream, or while the
connection was lost; from then on those that an event touched. What happens in the same moment is sent once.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog
from flask import Response, stream_with_context

from routing.api.event_filter import EventFilter, matching_types
from routing.api.events import HEARTBEAT_S, RETRY_MS, lasts_s, places, take_place
from routing.api.hub import Subscription, SubscriptionLost
from routing.api.problems import Problem
from routing.api.public_event import PublicEvent
from routing.api.services import services
from routing.core.errors import StoreError
from routing.core.events import Event
from routing.desk.asking import Refused
from routing.desk.door import Person, digest_of, is_still, person
from routing.desk.notices import Notice, notice_of
from routing.desk.regions import LivePage, Region
from routing.desk.remembering import Answers, remembering

log = structlog.get_logger()

AGAIN_S = 5.0  # after which a region that could not be had is tried again, also when nothing happens
LISTEN_S = 2.0  # so long a page may go on after events cannot be read any more
LOOK_S = 15.0  # so long an open page may outlive its session; it keeps one that is not over alive
_LINE_END = re.compile(r"\r\n|\r|\n")
_TOGETHER_S = 0.015  # what one order brings about is several events
_MOST_TOGETHER_S = 0.15  # where events never end, pages change all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFilter(EventFilter):
    """What the person may see, and what changes his page although it is told to nobody in particular."""

    also: tuple[str, ...] = ()

    def matches(self, event: Event, members: frozenset[str]) -> bool:
        # `EventFilter.matches`: two classes with slots do not share `super()` without arguments.
        is_shown = bool(self.also) and event.type.value in matching_types(self.also)
        return is_shown or EventFilter.matches(self, event, members)


def stream(page: LivePage) -> Response:
    """The answer to a request for the stream of this page. Raises Problem too-many-requests, store-unavailable."""
    whose = (person().principal.tenant, person().principal.actor)
    take_place(whose)
    try:
        subscription = _subscribed(page, person())
    except BaseException:
        places.give_back(whose)
        raise
    body = stream_with_context(frames(page, subscription, person()))
    answer = Response(body, mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-cache, no-store"
    answer.headers["X-Accel-Buffering"] = "no"

    @answer.call_on_close
    def close() -> None:
        places.give_back(whose)
        subscription.__exit__(None, None, None)

    return answer


def _subscribed(page: LivePage, who: Person) -> Subscription:
    team = ""
    if who.agent_id:
        configured = services().front(who.principal.tenant).config().agents.get(who.agent_id)
        team = configured.team if configured else ""
    wanted = DeskFilter(only_for=who.agent_id, team=team, also=page.sees if who.agent_id else ())
    try:
        subscription = services().hub(who.principal.tenant).subscribe(wanted, None)
    except SubscriptionLost as error:
        raise Problem("store-unavailable", "the server is stopping") from error
    if subscription.is_lost:
        subscription.__exit__(None, None, None)
        raise Problem("store-unavailable", "")
    return subscription


def frames(
    page: LivePage, subscription: Subscription, who: Person, clock_s: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """The body of the stream."""
    sending = Sending(page, clock_s)
    yield b"retry: %d\n\n" % RETRY_MS
    yield _clock(who)
    end_s, look_s = clock_s() + lasts_s(), clock_s() + LOOK_S
    with suppress(SubscriptionLost, StoreError):
        while clock_s() < end_s:
            if clock_s() >= look_s:
                if not is_still(who):
                    return  # the browser comes back once, and is told so
                look_s = clock_s() + LOOK_S
                yield _clock(who)
            yield from sending.due()
            first = subscription.get(min(LISTEN_S, sending.idle_s()))
            if first is None:
                if subscription.is_lost:
                    return  # what the page shows may be old: who comes back is told why
                continue
            for event in together(first, subscription, clock_s):
                sending.touch(event.event)
                if event.event and (notice := _noticed(event.event, who)):
                    yield frame("notice", json.dumps(notice))


def _clock(who: Person) -> bytes:
    """The server's time, every LOOK_S: a page that hears nothing looks for another connection. Whose page it is goes
    along as the id, since another person may have signed in in this browser meanwhile.
    """
    return f"id: {who.mark}\n".encode() + frame("clock", str(services().clock.now_ms()))


def _noticed(event: Event, who: Person) -> Notice | None:
    """None also where it cannot be said now: the page goes on without that sound."""
    try:
        return notice_of(event, who)
    except Exception as error:  # one event must not end the stream: it would begin and end for ever
        log.error("notice_failed", type=event.type.value, exc_info=error)
        return None


def together(first: PublicEvent, subscription: Subscription, clock_s: Callable[[], float]) -> Iterator[PublicEvent]:
    """What happens in the same moment."""
    end_s = clock_s() + _MOST_TOGETHER_S
    yield first
    while clock_s() < end_s and (event := subscription.get(_TOGETHER_S)):
        yield event


@dataclass(slots=True)
class _Sent:
    """Of one region: what the browser has, and whether and when to look again."""

    digest: str = ""
    at_s: float = float("-inf")
    is_touched: bool = True
    has_failed: bool = False


@dataclass(slots=True)
class Sending:
    """Which regions of a page have to be sent, and when."""

    page: LivePage
    clock_s: Callable[[], float]
    _sent: dict[str, _Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sent = {region.name: _Sent() for region in self.page}

    def touch(self, event: Event | None) -> None:
        """None: events were lost, so that anything may have changed."""
        for region in self.page:
            if event is None or region.is_touched_by(event):
                self._sent[region.name].is_touched = True

    def due(self) -> Iterator[bytes]:
        """Those that look different now than the browser has them."""
        answers: Answers = {}
        for region in self.page:
            kept = self._sent[region.name]
            if self._due_s(region) > self.clock_s():
                continue
            self._sent[region.name] = replace(kept, is_touched=False, at_s=self.clock_s())
            with remembering(answers):
                text = rendered(region)
            self._sent[region.name].has_failed = text is None
            if text is not None and (digest := digest_of(text)) != kept.digest:
                self._sent[region.name].digest = digest
                yield frame(region.name, text)

    def idle_s(self) -> float:
        """How long nothing needs to be looked at, if no event comes."""
        return max(0.0, min((self._due_s(region) for region in self.page), default=HEARTBEAT_S) - self.clock_s())

    def _due_s(self, region: Region) -> float:
        kept = self._sent[region.name]
        if kept.is_touched:
            return kept.at_s + region.throttle_s
        if kept.has_failed:
            return kept.at_s + AGAIN_S
        return kept.at_s + region.refresh_s if region.refresh_s else float("inf")


def rendered(region: Region) -> str | None:
    """None where it cannot be had now: the browser keeps what it has, and it is tried again."""
    try:
        return region.render()
    except (Refused, StoreError) as error:
        log.warning("region_not_rendered", region=region.name, reason=str(error))
    except Exception as error:  # the others go on: a stream that ended would begin and end for ever
        log.error("region_failed", region=region.name, exc_info=error)
    return None


def frame(name: str, text: str) -> bytes:
    """One server-sent event; a text of several lines is as many `data` fields.

    Lines as that format has them: `splitlines` would also break what people have typed at U+2028 and the like.
    """
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(text))
    return f"event: {name}\n{lines}\n".encode()
