"""A campaign between SQL and Redis, with an engine that does only what the test says, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from deploy.lab.redis import RedisServer
from routing.app.clock import ManualClock
from routing.core.campaign import CampaignLive, CampaignState
from routing.core.config import Config
from routing.core.events import Event, EventType
from routing.core.orders import AddRecords
from routing.core.record import RecordLive
from routing.store.codec import PLAIN
from routing.store.handover import Handover
from routing.store.port import START
from routing.store.sql.database import Database
from tests.integration.campaign_lists import CAMPAIGN, NOW_MS, CampaignList, config
from tests.integration.past import Past
from workers.campaign_records import CampaignRecords
from workers.campaigns import Filler, FillSettings

STALE_MS = 30_000


class HopperSite(Past):
    """`consume` and `release` are the engine's commits; `record` lets the recorder catch up."""

    def __init__(self, server: RedisServer, database: Database, tenant: str) -> None:
        super().__init__(server, database, tenant)
        self.clock = ManualClock(NOW_MS)
        self.list = CampaignList(database, tenant)
        self.recorder = self.new_recorder([CampaignRecords(self.front.config, self.clock)])
        self.apply(config(tenant))
        self.control(CampaignState.RUNNING)

    def apply(self, applied: Config) -> None:
        redis, keys = self.front.redis, self.front.keys
        redis.set(keys("config"), PLAIN.encode(applied))
        redis.hincrby(keys("meta"), "config_seq", 1)

    def control(self, state: CampaignState) -> None:
        live = CampaignLive(id=CAMPAIGN.id, state=state)
        self.front.redis.hset(self.front.keys("campaigns"), CAMPAIGN.id, PLAIN.encode(live))

    def filler(self, pause: Callable[[float], object] = lambda _s: None, handover: Handover | None = None) -> Filler:
        """It waits for nobody: `pause` is where others go on."""
        settings = FillSettings(portion=2, stale_ms=STALE_MS)
        return Filler(handover or Handover(self.front), self.database, self.clock, settings, pause)

    def waiting(self) -> list[AddRecords]:
        """Orders that the engine has not taken."""
        redis, keys = self.front.redis, self.front.keys
        position = self.front.meta().get("position") or START
        found = cast("list[Any]", redis.xrange(keys("inputs"), f"({position}" if position != START else "-"))
        return [cast("AddRecords", PLAIN.items.read(data[b"d"])) for _at, data in found]

    def consume(self) -> list[tuple[str, int]]:
        """One commit that takes all that wait; what came in, with its claims."""
        redis, keys = self.front.redis, self.front.keys
        taken: list[tuple[str, int]] = []
        newest = cast("list[Any]", redis.xrevrange(keys("inputs"), count=1))
        for order in self.waiting():
            live = [card for card in order.records if self._put(RecordLive(card=card))]
            taken += [(card.id, card.claim) for card in live]
        if newest:
            redis.hset(keys("meta"), "position", newest[0][0])
        return taken

    def _put(self, record: RecordLive) -> bool:
        """False: it is here already."""
        return bool(self.front.redis.hsetnx(self.front.keys("records"), record.id, PLAIN.encode(record)))

    def release(self, record_id: str, cause: str, **values: Any) -> None:
        """It leaves the engine's hands."""
        redis, keys = self.front.redis, self.front.keys
        live = next(record for record in self.front.records() if record.id == record_id)
        told = {"campaign": CAMPAIGN.id, "record_id": record_id, "claim": live.card.claim, "cause": cause}
        told |= {"next_at_ms": None, "next_number": 0, "result": None, "number": "", "codes": [], "do_not_call": False}
        told |= {"reserve_until_ms": 0, "callback": None}
        redis.hdel(keys("records"), record_id)
        self.tell([Event(type=EventType.RECORD_RELEASED, at_ms=self.clock.now_ms(), values=told | values)])

    def held(self) -> set[str]:
        return {record.id for record in self.front.records()}
