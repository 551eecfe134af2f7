"""One value of everything that a store keeps."""

from __future__ import annotations

from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.commands import DialLeg, Room
from routing.core.config import Config, MissPolicy, Queue, RonaCause
from routing.core.interaction import Interaction, InteractionState, Offer, OfferState, Skip
from routing.core.matching_types import Candidate, Trace
from routing.core.tallies import Figures, Stay

CONFIG = Config(
    tenant="acme",
    revision=3,
    queues={
        "q": Queue(
            id="q", label="Ümläut", requires=(("de", 3), ("en", 1)), on_miss={RonaCause.BUSY: MissPolicy(skip_s=5)}
        )
    },
)
OFFER = Offer(id="off_1", agent_id="a1", leg_id="l2", state=OfferState.RINGING, offered_at_ms=5, deadline_ms=20_005)
CALL = Interaction(
    id="int_1",
    pbx="ast1",
    state=InteractionState.OFFERED,
    customer_leg="l1",
    entry_point="sales",
    queue="q",
    ani="49170",
    ani_name="Carla",
    dnis="7001",
    entered_at_ms=1,
    requires=(("de", 3),),
    cad={"case": "7", "": "empty name"},
    offers=(OFFER,),
    skips=(Skip(agent_id="a2", until_ms=None, why="no_answer"),),
    rooms=(Room(name="main", legs=("l1",), music="default"),),
)
AGENT = Agent(
    id="a1",
    state=AgentState.AVAILABLE,
    engagements={
        "int_1": Engagement(interaction_id="int_1", queue="q", state=EngagementState.OFFERED, since_ms=5, leg_id="l2")
    },
)
FIGURES = Figures(row=(*range(32), 12.5, 0.1 + 0.2, 1e-9, 3.0))
NEXT_FIGURES = Figures(row=(*range(32), 13.375, 0.1, 0.0, 4))
STAY = Stay(queue="q", begun_at_ms=5)
DIAL = DialLeg(id="cmd_1", pbx="ast1", leg_id="l2", interaction_id="int_1", phone="PJSIP/1", timeout_s=30)


def trace(number: int) -> Trace:
    return Trace(
        at_ms=number,
        interaction_id="int_1",
        queue="q",
        strategy="longest_idle",
        requires=(("de", 3),),
        config_revision=3,
        winners=("a1",),
        candidates=(Candidate(agent_id="a1", sort_key=(1, 0.5, "a1")),),
        removed={"phone_busy": 3},
        call_key=(-5.25, 1, "int_1"),
    )
