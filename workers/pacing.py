"""The pacing of a campaign as an RQ job: what is live now goes into the policy, its answer to the engine (DIALER-05).

A job is short, safe to lose and safe to run twice: it works under a lease, the engine obeys one order per tick, and
what the policy has learned is kept in Redis. Where that is lost it begins anew, as careful as on its first day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import msgspec
import structlog
from redis import Redis
from redis.exceptions import RedisError

from routing.app.clock import Clock
from routing.app.dialing.pacing_events import Counted, Teller
from routing.app.dialing.pacing_view import Scene, policy_settings, snapshot
from routing.core.campaign import CampaignLive, CampaignState
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.errors import StoreError
from routing.core.events import Event
from routing.core.orders import PaceCampaign
from routing.core.pacing import Predictive
from routing.core.record import RecordState
from routing.store.event_tail import EventTail, Place
from routing.store.front import Front
from routing.store.port import START
from routing.store.redis_link import translated

log = structlog.get_logger()

LEASE_MS = 5000
KEPT_MS = 6 * 3600 * 1000  # what was learned before a longer rest is out of date
ANSWER_S = 1.0
_AT_ONCE, _PORTIONS = 1000, 10
_IN_HAND = frozenset({RecordState.CHECKING, RecordState.CALLING, RecordState.TALKING, RecordState.FINISHING})
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


@dataclass(slots=True, kw_only=True)
class Memory:
    """What is kept from tick to tick. `started_ms`: the policy's zero. `position`: events up to there were told."""

    started_ms: int
    counted: Counted
    policy: dict[str, Any] | None = None
    position: str = START
    ordinal: int = 0


class Pacer:
    """Of one tenant; one per worker process."""

    def __init__(self, front: Front, redis: Redis, clock: Clock) -> None:
        self._front, self._redis, self._clock = front, redis, clock
        self._tail = EventTail(front)
        self._memories = msgspec.json.Decoder(Memory)

    def pace(self, campaign_id: str) -> int | None:
        """One tick: how many calls the engine was asked to begin; None: not this one, not now. Raises StoreError."""
        key, token = self._front.keys("pacing", campaign_id, "lease"), uuid4().hex
        try:
            if not self._redis.set(key, token, nx=True, px=LEASE_MS):
                return None
            try:
                return self._tick(campaign_id)
            finally:
                self._redis.eval(_RELEASE, 1, key, token)
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def _tick(self, campaign_id: str) -> int | None:
        campaign, live = self._front.config().campaigns.get(campaign_id), self._front.campaigns().get(campaign_id)
        is_paced = campaign is not None and campaign.mode is DialMode.PREDICTIVE
        if campaign is None or live is None or not is_paced or live.state is not CampaignState.RUNNING:
            return None
        now_ms, begun_s = self._clock.now_ms(), time.perf_counter()
        scene, memory = self._scene(campaign, live), self._remembered(live, now_ms)
        cfg = policy_settings(campaign, live, memory.counted.counters)
        policy = Predictive(cfg) if memory.policy is None else Predictive.load(cfg, memory.policy)
        self._catch_up(campaign_id, memory, policy)
        snap = snapshot(scene, now_ms) | {"counters": memory.counted.counters}
        calls = max(0, min(policy.step((now_ms - memory.started_ms) / 1000, snap), scene.lines_free))
        memory.policy = policy.dump()
        self._redis.set(self._front.keys("pacing", campaign_id), msgspec.json.encode(memory), px=KEPT_MS)
        explained = {name: float(value) for name, value in policy.explain().items() if isinstance(value, int | float)}
        explained |= {"asked": float(calls), "took_ms": round((time.perf_counter() - begun_s) * 1000, 1)}
        self._order(live, now_ms, calls, explained)
        return calls

    def _scene(self, campaign: Campaign, live: CampaignLive) -> Scene:
        records = tuple(r for r in self._front.records_in_hand(campaign.id) if r.state in _IN_HAND)
        ids = [r.interaction_id for r in records if r.interaction_id and r.state is RecordState.CALLING]
        agents, lines = self._front.agents(sorted(live.joined)), campaign.pacing.lines
        in_flight = sum(r.state in (RecordState.CHECKING, RecordState.CALLING, RecordState.TALKING) for r in records)
        return Scene(
            live=live,
            records=records,
            interactions=self._front.interactions(ids),
            agents=agents,
            lines_free=max(0, lines - in_flight) if lines is not None else 10 * max(1, len(agents)),
        )

    def memory_of(self, campaign_id: str) -> Memory | None:
        """What is kept of that campaign; None: nothing, or nothing that could be read. Raises RedisError."""
        data = cast("bytes | None", self._redis.get(self._front.keys("pacing", campaign_id)))
        try:
            return self._memories.decode(data) if data else None
        except msgspec.DecodeError as error:
            log.warning("pacing_memory_unreadable", campaign=campaign_id, reason=str(error))
            return None

    def _remembered(self, live: CampaignLive, now_ms: int) -> Memory:
        if (found := self.memory_of(live.id)) is not None:
            return found
        return Memory(started_ms=now_ms, counted=Counted(), position=self._front.events_end())

    def _catch_up(self, campaign_id: str, memory: Memory, policy: Predictive) -> None:
        teller = Teller(campaign_id, memory.started_ms, memory.counted, policy.on_event)
        place = Place(position=memory.position, ordinal=memory.ordinal)
        for _ in range(_PORTIONS):
            portion = self._tail.read(place, _AT_ONCE)
            teller.tell(stored.event for stored in portion.events if isinstance(stored.event, Event))
            place = portion.end
            if len(portion.events) < _AT_ONCE:
                break
        memory.position, memory.ordinal = place.position, place.ordinal

    def _order(self, live: CampaignLive, now_ms: int, calls: int, explained: dict[str, float]) -> None:
        order = PaceCampaign(
            order_id=f"pace_{uuid4().hex}",
            actor="pacing",
            campaign=live.id,
            tick=live.tick + 1,
            at_ms=now_ms,
            calls=calls,
            explained=explained,
        )
        reply = self._front.ask(order, ANSWER_S)
        if reply is None or reply.code != "ok":
            log.warning("pacing_not_obeyed", campaign=live.id, tick=order.tick, code=reply.code if reply else "silent")


# ------------------------------------------------------------------ the job

Pace = Callable[[str], object]
_pacer: list[Pace] = []


def employ(pace_campaign: Pace) -> None:
    """To be called once in a worker process, before its first job."""
    _pacer[:] = [pace_campaign]


def pace(campaign_id: str) -> None:
    """The job. Raises StoreError in a process that is no worker of ours."""
    if not _pacer:
        raise StoreError
    _pacer[0](campaign_id)
