"""An event stream as an engine's commits leave it, written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from routing.core.agent import Agent, AgentState
from routing.core.campaign import CampaignCall, CampaignLive, CampaignState, DropDay, Membership
from routing.core.campaign_rules import Campaign, DialMode
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


def put_campaign(
    front: Front, *, since_ms: int = 0, dropped: int = 2, state: CampaignState = CampaignState.RUNNING
) -> None:
    """A predictive campaign with an agent and a call; `dropped` of its 100 answered calls found nobody."""
    spring = Campaign(id="spring", label="Spring", mode=DialMode.PREDICTIVE, queue="sales", ani="+12015550100")
    today = datetime.fromtimestamp(max(since_ms, 1) / 1000, UTC).date().isoformat()
    live = CampaignLive(
        id="spring",
        state=state,
        since_ms=since_ms,
        joined={"anna": Membership(joined_at_ms=1)},
        days={today: DropDay(attempts=400, live=100, dropped=dropped, hung_up=1)},
        pacing={"calls": 3.0},
    )
    call = CampaignCall(campaign="spring", mode=DialMode.PREDICTIVE, record_id="rec_1")
    put_interaction(front, "int_c", "anna")
    talking = front.call("int_c")
    if talking is None:
        raise ValueError("what was put is not there")
    made = replace(config([agent("anna")]), campaigns={"spring": spring})
    put = {"campaigns": ("spring", live), "interactions": ("int_c", replace(talking.interaction, campaign=call))}
    for table, (key, value) in put.items():
        front.redis.hset(front.keys(table), key, front.codecs.encode(value))
    front.redis.set(front.keys("config"), front.codecs.encode(made))
