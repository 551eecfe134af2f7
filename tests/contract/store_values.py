"""One value of everything that a store keeps."""

from __future__ import annotations

from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.campaign import CampaignLive, CampaignState, DropDay, Membership
from routing.core.campaign_rules import AttemptResult
from routing.core.commands import DialLeg, Room
from routing.core.config import Config, MissPolicy, Queue, RonaCause
from routing.core.interaction import Interaction, InteractionState, Offer, OfferState, Skip
from routing.core.matching_types import Candidate, Trace
from routing.core.record import DueCallback, Place, PlannedCallback, RecordCard, RecordLive, RecordNumber, RecordState
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


CAMPAIGN = CampaignLive(
    id="spring",
    state=CampaignState.RUNNING,
    since_ms=7,
    joined={"a1": Membership(joined_at_ms=5, wants_next=True)},
    days={"2026-03-01": DropDay(attempts=9, live=3, dropped=1, hung_up=1, machines=2)},
    tick=7,
    tick_at_ms=6,
    pacing={"risk": 0.1 + 0.2},
)
CARD = RecordCard(
    id="rec_1",
    campaign="spring",
    claim=2,
    numbers=(RecordNumber(number="+12015550101", kind="home", zone="America/New_York", results={"busy": 1}),),
    data={"car": "blue"},
    callback=DueCallback(at_ms=99, agent_id="a1"),
)
RECORD = RecordLive(
    card=CARD,
    state=RecordState.TALKING,
    place=Place.HEAD,
    order=3,
    declined={"a2": 9},
    result=AttemptResult.ANSWERED,
    codes=("sold",),
    callback=PlannedCallback(at_ms=100, zone="Europe/Berlin", is_personal=True),
    answers={"q1": "yes"},
)
