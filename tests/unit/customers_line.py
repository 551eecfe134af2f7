"""A campaign that calls its customers first, and its agents, brought to the point that a test is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from routing.core.campaign import CampaignCall, CampaignLive, CampaignTrigger
from routing.core.campaign_rules import Campaign, DialMode, PacingRules
from routing.core.commands import DetectMachine, DialLeg, LookUp, PlayPrompts
from routing.core.config import Config
from routing.core.events import Event, EventType
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegEnded,
    LegRinging,
    LookedUp,
    LookUpOutcome,
    MachineDetected,
    MachineVerdict,
    PromptsEnded,
)
from routing.core.flow import Prompt
from routing.core.interaction import Interaction, InteractionState, Offer
from routing.core.orders import AddRecords, ControlCampaign, JoinCampaign, PaceCampaign, Reply
from routing.core.record import RecordCard, RecordLive
from tests.unit.campaign_line import ANNA, BEN, campaign, card, centre
from tests.unit.core_driver import Driver

PROMPTS = {
    "sorry": Prompt(id="sorry", files={"en": "sorry"}),
    "please_call": Prompt(id="please_call", files={"en": "please_call"}),
}
PACING = PacingRules(min_agents=1, message="sorry")


def predictive(**changes: Any) -> Campaign:
    return campaign(DialMode.PREDICTIVE, **({"pacing": PACING} | changes))


def seated(mode: DialMode = DialMode.PREDICTIVE, **changes: Any) -> Campaign:
    return campaign(mode, **({"pacing": PACING, "seize_agents": True} | changes))


def paced(**changes: Any) -> PacingRules:
    return replace(PACING, **changes)


def numbered(count: int, **changes: Any) -> list[RecordCard]:
    """Records with a number each."""
    return [card(f"rec_{n}", f"+1201555{n:04}", **changes) for n in range(1, count + 1)]


class Outbound:
    """The campaign runs, these agents have joined and are free, these records are in its hopper."""

    def __init__(
        self,
        rules: Campaign | None = None,
        *,
        agents: tuple[str, ...] = (ANNA, BEN),
        records: Iterable[RecordCard] | None = None,
        configuration: Config | None = None,
        **changes: Any,
    ) -> None:
        config = configuration or replace(centre(rules or predictive(), **changes), prompts=PROMPTS)
        self.d = Driver(config, ready=agents)
        self.tick = 0
        self.control(CampaignTrigger.LOAD)
        for agent_id in agents:
            assert self.d.order(JoinCampaign, agent_id=agent_id, campaign="spring").code == "ok"
        self.control(CampaignTrigger.START)
        self.add(*(numbered(5) if records is None else records))

    # ------------------------------------------------------------------ the campaign

    def control(self, action: CampaignTrigger) -> Reply:
        return self.d.order(ControlCampaign, campaign="spring", action=action)

    def add(self, *cards: RecordCard) -> None:
        if cards:
            assert self.d.order(AddRecords, campaign="spring", records=cards).code == "ok"

    def pace(self, calls: int, **fields: Any) -> Reply:
        self.tick += 1
        return self.d.order(
            PaceCampaign, **({"campaign": "spring", "tick": self.tick, "at_ms": self.d.now_ms, "calls": calls} | fields)
        )

    @property
    def live(self) -> CampaignLive:
        return self.d.world.state.campaigns["spring"]

    def record(self, record_id: str = "rec_1") -> RecordLive:
        return self.d.world.state.records[record_id]

    def ready(self) -> list[str]:
        return [record.id for record in self.d.world.hoppers.ready("spring")]

    # ------------------------------------------------------------------ do-not-call

    def checks(self) -> list[LookUp]:
        return [c for c in self.d.commands if isinstance(c, LookUp)]

    def allow(self, record_id: str = "", **fields: Any) -> None:
        """The newest question, or the newest about that record, is answered: it may be called."""
        asked = next(c for c in reversed(self.checks()) if record_id in ("", c.interaction_id))
        told: dict[str, Any] = {"outcome": LookUpOutcome.DONE, "revision": 3} | fields
        self.d.give(LookedUp(pbx=asked.pbx, interaction_id=asked.interaction_id, command_id=asked.id, **told))

    def allow_all(self) -> None:
        asking = {r.check_id for r in self.d.world.state.records.values() if r.check_id}
        for asked in [c for c in self.checks() if c.id in asking]:
            answer = LookedUp(
                pbx=asked.pbx, interaction_id=asked.interaction_id, command_id=asked.id, outcome=LookUpOutcome.DONE
            )
            self.d.give(answer)

    # ------------------------------------------------------------------ contacts

    def dial(self, calls: int = 1) -> Outbound:
        """The pacing asks for calls, and they may be made."""
        assert self.pace(calls).code == "ok"
        self.allow_all()
        return self

    def of(self, record_id: str = "rec_1") -> str:
        """The call of that record."""
        return self.record(record_id).interaction_id

    def call(self, record_id: str = "rec_1") -> Interaction:
        return self.d.interaction(self.of(record_id))

    def offer(self, of: str) -> Offer:
        (offer,) = self.d.interaction(of).offers
        return offer

    def rings(self, record_id: str = "rec_1") -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.offer(self.of(record_id)).leg_id))

    def answers(self, record_id: str = "rec_1") -> str:
        """The contact picks up; the id of his call."""
        of = self.of(record_id)
        leg_id = self.offer(of).leg_id
        self.d.give(LegRinging(pbx="a", leg_id=leg_id))
        self.d.give(LegAnswered(pbx="a", leg_id=leg_id))
        if of in self.d.world.state.interactions:
            self.d.reach(of)
        return of

    def fails(self, outcome: DialOutcome, record_id: str = "rec_1") -> None:
        self.d.give(DialFailed(pbx="a", leg_id=self.offer(self.of(record_id)).leg_id, outcome=outcome))

    def hangs_up(self, of: str) -> None:
        self.d.give(LegEnded(pbx="a", leg_id=self.d.interaction(of).customer_leg))

    # ------------------------------------------------------------------ agents

    def sits(self, *agents: str) -> Outbound:
        """Their telephones ring for their seats, and they pick up."""
        for agent_id in agents or (ANNA, BEN):
            seat = self.seat(agent_id)
            self.d.ring(seat.id, agent_id)
            self.d.give(LegAnswered(pbx="a", leg_id=self.d.leg_of(seat.id, agent_id)))
            if seat.id in self.d.world.state.interactions:
                self.d.reach(seat.id)
            self.d.now_ms += 10
        return self

    def seat(self, agent_id: str = ANNA) -> Interaction:
        found = (self.d.interaction(id_) for id_ in self.d.world.agent(agent_id).engagements)
        (seat,) = [interaction for interaction in found if interaction.kind == "seat"]
        return seat

    def picks_up(self, of: str, agent_id: str = ANNA) -> None:
        """The agent whose telephone rings for that contact."""
        self.d.answer(of, agent_id)

    def party(self, of: str) -> str:
        parties = self.d.interaction(of).parties
        return parties[0].agent_id if parties else ""

    # ------------------------------------------------------------------ machines and messages

    def detection(self) -> DetectMachine:
        return next(c for c in reversed(self.d.commands) if isinstance(c, DetectMachine))

    def judged(self, verdict: MachineVerdict, took_ms: int = 700) -> None:
        asked = self.detection()
        told = {"pbx": "a", "leg_id": asked.leg_id, "command_id": asked.id, "verdict": verdict, "took_ms": took_ms}
        self.d.give(MachineDetected(**told))  # type: ignore[arg-type]

    def played(self) -> list[PlayPrompts]:
        return [c for c in self.d.commands if isinstance(c, PlayPrompts)]

    def message_ends(self, **fields: Any) -> None:
        asked = self.played()[-1]
        self.d.give(PromptsEnded(pbx="a", leg_id=asked.leg_id, command_id=asked.id, **fields))

    # ------------------------------------------------------------------ what is to be seen

    def campaign_call(self, of: str) -> CampaignCall:
        interaction = self.d.world.state.interactions.get(of) or self.d.ended[of]
        assert interaction.campaign is not None
        return interaction.campaign

    def state(self, of: str) -> InteractionState:
        return self.d.interaction(of).state

    def dialed(self) -> list[DialLeg]:
        """Contacts, not agents."""
        return [c for c in self.d.commands if isinstance(c, DialLeg) and "@trunk" in c.phone]

    def told(self, type_: EventType, record_id: str = "") -> list[Event]:
        return [e for e in self.d.told(type_) if record_id in ("", e.values.get("record_id"))]

    def outcome(self, record_id: str = "rec_1") -> dict[str, object]:
        """Of its one attempt that has ended."""
        (ended,) = self.told(EventType.ATTEMPT_ENDED, record_id)
        return ended.values

    def released(self, record_id: str = "rec_1") -> dict[str, object]:
        (released,) = self.told(EventType.RECORD_RELEASED, record_id)
        return released.values

    def dials(self) -> tuple[int, int, int, int, int]:
        """Attempts, answered by persons, dropped, hung up, machines: all days together."""
        days = self.live.days.values()
        names = ("attempts", "live", "dropped", "hung_up", "machines")
        attempts, live, dropped, hung_up, machines = (sum(getattr(day, name) for day in days) for name in names)
        return attempts, live, dropped, hung_up, machines
