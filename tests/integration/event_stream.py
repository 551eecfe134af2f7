"""An event stream as an engine's commits leave it, written by hand."""

from __future__ import annotations

from typing import Any, cast

from routing.core.agent import Agent, AgentState
from routing.core.events import Event, EventType
from routing.core.interaction import Interaction, InteractionState, Party
from routing.store import codec
from routing.store.front import Front
from tests.factories import agent, config


def emit(front: Front, type_: EventType = EventType.INTERACTION_QUEUED, *, most: int = 100_000, **fields: Any) -> str:
    """Append one event; its position. `most`: the length that the stream is trimmed to."""
    event = Event(type=type_, **{"at_ms": 1_795_000_000_000, **fields})
    added = front.redis.xadd(front.keys("events"), {"d": codec.encode(event)}, maxlen=most, approximate=False)
    return cast("bytes", added).decode()


def put_interaction(front: Front, interaction_id: str, *agent_ids: str) -> None:
    """A live interaction in which these agents talk."""
    interaction = Interaction(
        id=interaction_id,
        pbx="pbx1",
        state=InteractionState.CONNECTED,
        customer_leg="leg_1",
        entry_point="sales",
        queue="sales",
        ani="+12025550123",
        ani_name="",
        dnis="7001",
        entered_at_ms=0,
        parties=tuple(Party(agent_id=id_, leg_id=f"leg_{id_}", joined_at_ms=0) for id_ in agent_ids),
    )
    front.redis.hset(front.keys("interactions"), interaction_id, front.codecs.encode(interaction))


def put_state(front: Front) -> None:
    """A running configuration with one agent, who is available."""
    anna = Agent(id="anna", state=AgentState.AVAILABLE)
    front.redis.set(front.keys("config"), front.codecs.encode(config([agent("anna")])))
    front.redis.hset(front.keys("agents"), "anna", front.codecs.encode(anna))
    front.redis.hset(front.keys("meta"), mapping={"seq": "1", "position": "0-0", "now_ms": "1", "config_seq": "1"})
