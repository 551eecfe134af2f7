"""The synchronous side of a tenant's live state in Redis: what API processes and workers read, and orders they send.

It never writes state. Under gevent each method gives way while it waits; one `Front` serves any number of greenlets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from routing.core.agent import Agent
from routing.core.campaign import CampaignLive
from routing.core.config import Config
from routing.core.facts import PhoneState, phone_key
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import AnyOrder, Reply
from routing.core.record import RecordLive, RecordState
from routing.core.world import WorldState
from routing.store.codec import PLAIN, Codecs
from routing.store.errors import StoreFull, StoreUnavailable
from routing.store.keys import Keys
from routing.store.port import KEPT, START, Limits, StoredEvent
from routing.store.redis_link import script_source, translated
from routing.store.redis_state import meta_of, state_of, state_reads


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One interaction, live or ended within the last day, and those who have a part in it, by id.

    `record`: of a campaign's call, as long as it is in the engine's hands.
    """

    interaction: Interaction
    agents: dict[str, Agent]
    is_live: bool
    record: RecordLive | None = None


ANSWER_S = 10.0  # a Redis that takes longer counts as gone; nothing here blocks for so long


def connect(url: str, timeout_s: float = 3.0) -> Redis:
    """A client with its own pool that never repeats a command by itself. Raises StoreUnavailable for a bad address."""
    try:
        return Redis.from_url(
            url, protocol=2, socket_timeout=ANSWER_S, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:
        raise StoreUnavailable(reason=str(error)) from error


class Front:
    """Every method raises StoreUnavailable and StoreRefused; what reads or writes CAD SealKeyMissing, too.

    `redis` and `codecs` may be shared by the fronts of several tenants.
    """

    def __init__(self, redis: Redis, tenant: str, limits: Limits | None = None, codecs: Codecs = PLAIN) -> None:
        self.redis, self.tenant, self.limits, self.codecs = redis, tenant, limits or Limits(), codecs
        self.keys = Keys(tenant)
        self._append_once = redis.register_script(script_source("append_once"))
        self._append = redis.register_script(script_source("append"))
        self._config: tuple[bytes | None, Config] | None = None

    # ------------------------------------------------------------------ orders

    def ask(self, order: AnyOrder, timeout_s: float = 5.0) -> Reply | None:
        """Send an order and wait for its reply; None when no engine answered in time. Raises StoreFull.

        An order without an answer is withdrawn, so that it is not carried out when nobody expects it any more; only an
        engine that was at it already may still do so.
        """
        address = f"ask_{uuid4().hex}"
        entry = self.codecs.tagged(replace(order, reply_to=address))
        with _translation():
            position = self._appended(self._append([self.keys("inputs")], [self.limits.inputs, entry]))
            found = self.redis.blpop([self.keys("reply", address)], timeout=timeout_s)
            if not found:
                self.redis.xdel(self.keys("inputs"), position)
        return self.codecs.replies.decode(cast("Any", found)[1]) if found else None

    def ask_once(self, order: AnyOrder, timeout_s: float = 5.0) -> Reply | None:
        """As `ask`, but within a day an order of the same `order_id` is sent only once, however often this is repeated.

        Its reply is kept as long. Raises StoreFull.
        """
        address = KEPT + order.order_id
        keys = [self.keys("inputs"), self.keys("sent", order.order_id)]
        entry = self.codecs.tagged(replace(order, reply_to=address))
        reply = self.keys("reply", address)
        with _translation():
            self._appended(self._append_once(keys, [self.limits.inputs, self.limits.kept_reply_ttl_ms, entry]))
            found = self.redis.blmove(reply, reply, cast("Any", timeout_s), "LEFT", "LEFT")
        return self.codecs.replies.decode(cast("bytes", found)) if found else None

    def _appended(self, answer: Any) -> bytes:
        """Its position."""
        done, result = answer
        if not done:
            raise StoreFull(length=result, limit=self.limits.inputs)
        return cast("bytes", result)

    # ------------------------------------------------------------------ live state

    def config(self) -> Config:
        """The running configuration; an empty one of revision 0 before the first apply. Read anew when it changed."""
        with _translation():
            seq = cast("bytes | None", self.redis.hget(self.keys("meta"), "config_seq"))
            if self._config is None or self._config[0] != seq:
                found = cast("bytes | None", self.redis.get(self.keys("config")))
                self._config = (seq, self.codecs.configs.decode(found) if found else Config(tenant=self.tenant))
        return self._config[1]

    def call(self, interaction_id: str) -> CallView | None:
        """None when it never was, or ended too long ago to be remembered here."""
        with _translation():
            data, ended = self._pipeline(
                ("HGET", self.keys("interactions"), interaction_id), ("GET", self.keys("ended", interaction_id))
            )
            if not data and not ended:
                return None
            interaction = self.codecs.interactions.decode(data or ended)
            record_id = interaction.campaign.record_id if interaction.campaign else ""
            record = self.record(record_id) if record_id else None
            if record and record.interaction_id != interaction.id:
                record = None  # it is tried in another call by now
            engaged = self._engaged(interaction)
            return CallView(interaction=interaction, agents=engaged, is_live=bool(data), record=record)

    def _engaged(self, interaction: Interaction) -> dict[str, Agent]:
        ids = {party.agent_id for party in interaction.parties} | {offer.agent_id for offer in interaction.offers}
        if interaction.campaign:
            ids.add(interaction.campaign.agent_id)  # he looks at its record
        return self.agents(sorted(ids - {""}))

    def record(self, record_id: str) -> RecordLive | None:
        """None when it is not in the engine's hands."""
        with _translation():
            found = cast("bytes | None", self.redis.hget(self.keys("records"), record_id))
        return self.codecs.records.decode(found) if found else None

    def records_of(self, record_ids: Sequence[str]) -> dict[str, RecordLive]:
        """Those of them that are in the engine's hands."""
        if not record_ids:
            return {}
        with _translation():
            found = cast("list[bytes | None]", self.redis.hmget(self.keys("records"), list(record_ids)))
        pairs = zip(record_ids, found, strict=True)
        return {id_: self.codecs.records.decode(data) for id_, data in pairs if data}

    def agents(self, agent_ids: Sequence[str]) -> dict[str, Agent]:
        """Those of them who have a live state."""
        if not agent_ids:
            return {}
        with _translation():
            found = cast("list[bytes | None]", self.redis.hmget(self.keys("agents"), list(agent_ids)))
        return {id_: self.codecs.agents.decode(data) for id_, data in zip(agent_ids, found, strict=True) if data}

    def around(self, agent_id: str) -> WorldState:
        """What concerns one agent, as of the last commit: himself, his interactions, his telephone and the links.

        Its configuration has him and the other agents of his interactions alone, so that it costs as little with ten
        thousand agents as with ten.
        """
        config = self.config()
        own = config.agents.get(agent_id)
        phone = phone_key(own.pbx, own.phone) if own else ""
        with _translation():
            found, state, links = self._pipeline(
                ("HGET", self.keys("agents"), agent_id),
                ("HGET", self.keys("phones"), phone),
                ("HGETALL", self.keys("links")),
            )
            agent = self.codecs.agents.decode(found) if found else None
            interactions = self._interactions(tuple(agent.engagements) if agent else ())
        people = {agent_id} | {party.agent_id for i in interactions.values() for party in i.parties}
        return WorldState(
            config=replace(config, agents={id_: config.agents[id_] for id_ in people & config.agents.keys()}),
            interactions=interactions,
            agents={agent_id: agent} if agent else {},
            phones={phone: PhoneState(state.decode())} if state else {},
            links={pbx.decode(): up == b"1" for pbx, up in links.items()},
        )

    def _interactions(self, ids: Sequence[str]) -> dict[str, Interaction]:
        """Those of them that live."""
        found = cast("list[bytes | None]", self.redis.hmget(self.keys("interactions"), list(ids))) if ids else []
        return {id_: self.codecs.interactions.decode(data) for id_, data in zip(ids, found, strict=True) if data}

    def interactions(self, ids: Sequence[str]) -> dict[str, Interaction]:
        """Those of them that live."""
        with _translation():
            return self._interactions(ids)

    def campaigns(self) -> dict[str, CampaignLive]:
        """Those that were ever loaded, by id."""
        with _translation():
            found = cast("dict[bytes, bytes]", self.redis.hgetall(self.keys("campaigns")))
        return {id_.decode(): self.codecs.campaigns.decode(data) for id_, data in found.items()}

    def records(self, campaign_id: str = "") -> list[RecordLive]:
        """Records in the engine's hands, by id; of one campaign or of all."""
        with _translation():
            found = cast("dict[bytes, bytes]", self.redis.hgetall(self.keys("records")))
        records = (self.codecs.records.decode(data) for _id, data in sorted(found.items()))
        return [record for record in records if campaign_id in ("", record.card.campaign)]

    def records_in_hand(self, campaign_id: str) -> list[RecordLive]:
        """Those of a campaign that do not wait in its hopper, by id: costs what it finds, however long that is."""
        with _translation():
            is_whole, found = self._of_records("in_hand")
        if not is_whole:
            return [record for record in self.records(campaign_id) if record.state is not RecordState.READY]
        ids = sorted(id_.decode() for id_, campaign in found.items() if campaign.decode() == campaign_id)
        records = self.records_of(ids).values()
        return [record for record in records if record.state is not RecordState.READY]

    def hopper_counts(self) -> Counter[str]:
        """How many records wait in each campaign's hopper."""
        with _translation():
            is_whole, found = self._of_records("hopper_counts")
        if not is_whole:
            ready = (record for record in self.records() if record.state is RecordState.READY)
            return Counter(record.card.campaign for record in ready)
        return Counter({campaign.decode(): int(count) for campaign, count in found.items()})

    def _of_records(self, name: str) -> tuple[bool, dict[bytes, bytes]]:
        """A hash that is written with the records, and whether it knows all of them: an older version wrote none."""
        sizes = [("HLEN", self.keys(each)) for each in ("records", "in_hand", "hopper")]
        records, in_hand, waiting, found = self._pipeline(*sizes, ("HGETALL", self.keys(name)))
        return records == in_hand + waiting, dict(found)

    def load(self) -> WorldState:
        """The whole live state as of the last commit: for lists, costs as much as there is. Raises StoreCorrupt."""
        with _translation():
            values = self._pipeline(*state_reads(self.keys.state()))
        return state_of(self.tenant, values, self.codecs) or WorldState(config=Config(tenant=self.tenant))

    def traces(self, interaction_id: str) -> list[Trace]:
        """Why this call went to whom, in order."""
        with _translation():
            found = cast("list[bytes]", self.redis.lrange(self.keys("trace", interaction_id), 0, -1))
        return [self.codecs.traces.decode(data) for data in found]

    def is_served(self) -> bool:
        """Whether an engine holds the lease."""
        with _translation():
            return bool(self.redis.exists(self.keys("lease")))

    def meta(self) -> dict[str, str]:
        """Fields `seq`, `now_ms`, `position`, `config_seq` of the last commit."""
        with _translation():
            return meta_of(cast("dict[bytes, bytes]", self.redis.hgetall(self.keys("meta"))))

    def sizes(self, streams: Sequence[str], list_key: str) -> tuple[list[int], str, str, int]:
        """Lengths of these streams, positions of the newest input and of the last committed one, length of a list."""
        with _translation():
            newest, position, length, *lengths = self._pipeline(
                ("XREVRANGE", self.keys("inputs"), "+", "-", "COUNT", 1),
                ("HGET", self.keys("meta"), "position"),
                ("LLEN", list_key),
                *(("XLEN", self.keys(*name.split(":"))) for name in streams),
            )
        last = newest[0][0].decode() if newest else START
        return [int(n) for n in lengths], last, position.decode() if position else START, int(length)

    # ------------------------------------------------------------------ events

    def events_end(self) -> str:
        """Position of the newest event."""
        with _translation():
            found = cast("list[Any]", self.redis.xrevrange(self.keys("events"), count=1))
        return found[0][0].decode() if found else START

    def events_begin(self) -> str:
        """Position of the oldest event that is still kept; `START` when there is none."""
        with _translation():
            found = cast("list[Any]", self.redis.xrange(self.keys("events"), count=1))
        return found[0][0].decode() if found else START

    def read_events(self, after: str, count: int, block_ms: int = 0) -> list[StoredEvent]:
        """Up to `count` events behind that position; waits up to `block_ms` (0: not at all) for the first."""
        with _translation():
            found = cast(
                "list[Any]",
                self.redis.xread({self.keys("events"): after}, count=count, block=block_ms or None),
            )
        entries = found[0][1] if found else []
        return [
            StoredEvent(position=at.decode(), event=self.codecs.events.read(fields[b"d"])) for at, fields in entries
        ]

    def _pipeline(self, *commands: Sequence[Any]) -> list[Any]:
        with self.redis.pipeline(transaction=True) as pipe:
            for command in commands:
                cast("Any", pipe).execute_command(*command)
            return pipe.execute()


@contextmanager
def _translation() -> Iterator[None]:
    """The driver's exceptions end here."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise translated(error) from error
