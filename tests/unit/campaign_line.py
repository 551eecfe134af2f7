"""A campaign, its agents and one record, brought to the point that a test is about, for tests of the pure core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Campaign, DialMode, Disposition, PreviewRules, RecordField
from routing.core.commands import DialLeg, LookUp
from routing.core.config import Config, Numbers, Pbx, Profile
from routing.core.dial_rights import DialRights
from routing.core.events import Event, EventType
from routing.core.facts import DialFailed, DialOutcome, LegAnswered, LegEnded, LegRinging, LookedUp, LookUpOutcome
from routing.core.guard import allowed_actions
from routing.core.hours import Hours, Span
from routing.core.interaction import Interaction, InteractionState, Offer, Role
from routing.core.orders import (
    AcceptRecord,
    AddRecords,
    ControlCampaign,
    DeclineRecord,
    GetRecord,
    JoinCampaign,
    MarkDone,
    Reply,
)
from routing.core.record import DueCallback, RecordCard, RecordLive, RecordNumber
from routing.core.roles import Action
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN = "anna", "ben"
ANI = "+12015550009"
HOME, WORK, OTHER = "+12015550123", "+12015550124", "+12015550125"
TRUNK = Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk", dial_caller_id=ANI)
RIGHTS = DialRights(allowed=("+1",))
ALWAYS = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=1440),),) * 7)
CALLER = Profile(
    id="caller",
    dial=RIGHTS,
    reschedule=True,
    reschedule_personal=True,
    reschedule_before_dial=True,
    other_number=True,
)
CODES = (
    Disposition(code="sale", label="Sale"),
    Disposition(code="busy_now", label="Call again", closes=False, retry_s=7200),
    Disposition(code="never_again", label="Do not call", do_not_call=True),
)


def campaign(mode: DialMode = DialMode.PREVIEW, **changes: Any) -> Campaign:
    base = Campaign(
        id="spring",
        label="Spring offer",
        description="Ask for the renewal",
        mode=mode,
        queue="calls",
        entry_point="calls",
        ani=ANI,
        teams=("t",),
        dial=RIGHTS,
        hours="always",
        default_zone="America/New_York",
        record_fields=(RecordField(name="reach", label="Best time"), RecordField(name="name", label="Name")),
        dispositions=CODES,
    )
    return replace(base, **changes)


def centre(*campaigns: Campaign, profile: Profile = CALLER, wrap_up: Any = WRAP, **changes: Any) -> Config:
    """Anna and Ben, who take calls of sales, too. `profile`: of both."""
    queues = [queue(wrap_up=WRAP), queue("calls", label="Calls out", wrap_up=wrap_up, ring_timeout_s=15)]
    agents = [agent(ANNA, profile="caller"), agent(BEN, profile="caller")]
    chosen = campaigns or (campaign(),)
    changes.setdefault("numbers", Numbers(country="1"))
    base = config(agents, queues, pbxs={"a": TRUNK}, campaigns={c.id: c for c in chosen}, **changes)
    base.profiles["caller"] = replace(profile, id="caller")
    return replace(base, hours={"always": ALWAYS} | base.hours)


def card(record_id: str = "rec_1", *numbers: str, campaign_id: str = "spring", **changes: Any) -> RecordCard:
    base = RecordCard(
        id=record_id,
        campaign=campaign_id,
        claim=7,
        numbers=tuple(RecordNumber(number=n, kind=f"kind{i}") for i, n in enumerate(numbers or (HOME, WORK))),
        name="Carla",
        data={"reach": "mornings", "case": "7", "secret": "x"},
    )
    return replace(base, **changes)


def due(record_id: str = "cb_1", *numbers: str, agent_id: str = "", at_ms: int = 1, **changes: Any) -> RecordCard:
    """A scheduled callback that has fallen due."""
    return card(record_id, *numbers, callback=DueCallback(at_ms=at_ms, agent_id=agent_id), **changes)


class Line:
    """The campaign runs, these agents have joined, these records are in its hopper."""

    def __init__(
        self,
        configuration: Config | None = None,
        *,
        agents: tuple[str, ...] = (ANNA,),
        records: Iterable[RecordCard] | None = None,
        start: bool = True,
    ) -> None:
        self.d = Driver(configuration or centre(), ready=agents)
        self.campaign = next(iter(self.d.world.config.campaigns), "")
        self.control(CampaignTrigger.LOAD)
        for agent_id in agents:
            assert self.join(agent_id).code == "ok"
        if start:
            self.control(CampaignTrigger.START)
        self.add(*((card(),) if records is None else records))

    # ------------------------------------------------------------------ the campaign

    def control(self, action: CampaignTrigger) -> Reply:
        return self.d.order(ControlCampaign, campaign=self.campaign, action=action)

    def join(self, agent_id: str = ANNA) -> Reply:
        return self.d.order(JoinCampaign, agent_id=agent_id, campaign=self.campaign)

    def add(self, *cards: RecordCard) -> None:
        if cards:
            assert self.d.order(AddRecords, campaign=self.campaign, records=cards).code == "ok"

    def record(self, record_id: str = "rec_1") -> RecordLive:
        return self.d.world.state.records[record_id]

    def ready(self) -> list[str]:
        return [r.id for r in self.d.world.hoppers.ready(self.campaign)]

    # ------------------------------------------------------------------ the agent

    def get(self, agent_id: str = ANNA) -> Reply:
        return self.d.order(GetRecord, agent_id=agent_id, campaign=self.campaign)

    def order(self, kind: type, by: str = ANNA, **fields: Any) -> Reply:
        return self.d.order(kind, agent_id=by, interaction_id=fields.pop("interaction_id", self.of(by)), **fields)

    def accept(self, by: str = ANNA) -> Reply:
        return self.order(AcceptRecord, by)

    def decline(self, choice: str = "later", by: str = ANNA) -> Reply:
        return self.order(DeclineRecord, by, choice=choice)

    def done(self, by: str = ANNA, **fields: Any) -> Reply:
        return self.order(MarkDone, by, **fields)

    def of(self, agent_id: str = ANNA) -> str:
        """The interaction that he has."""
        return next(iter(self.d.world.agent(agent_id).engagements), "")

    def shown_to(self, agent_id: str = ANNA) -> str:
        """Which record is before him, or his."""
        call = self.d.interaction(self.of(agent_id)).campaign if self.of(agent_id) else None
        return call.record_id if call else ""

    def allowed(self, agent_id: str = ANNA) -> set[Action]:
        of, agent_ = self.of(agent_id), self.d.world.agent(agent_id)
        interaction = self.d.world.state.interactions.get(of)
        return set(allowed_actions(self.d.world.config, interaction, agent_, agent_.engagements[of]))

    # ------------------------------------------------------------------ outside

    def asked(self) -> LookUp:
        return next(c for c in reversed(self.d.commands) if isinstance(c, LookUp))

    def allow(self, **fields: Any) -> None:
        """The newest question is answered: it may be called."""
        asked = self.asked()
        told: dict[str, Any] = {"outcome": LookUpOutcome.DONE, "revision": 3} | fields
        self.d.give(LookedUp(pbx=asked.pbx, interaction_id=asked.interaction_id, command_id=asked.id, **told))

    @property
    def interaction(self) -> Interaction:
        return self.d.interaction(self.of(ANNA))

    def state(self) -> InteractionState:
        return self.interaction.state

    def offer(self, agent_id: str = ANNA) -> Offer:
        """The leg that is being dialed now."""
        (offer,) = self.d.interaction(self.of(agent_id)).offers
        return offer

    def rings(self, by: str = ANNA) -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.offer(by).leg_id))

    def answers(self, by: str = ANNA) -> None:
        """Whoever is being called now for this agent picks up."""
        of = self.of(by)
        self.rings(by)
        self.d.give(LegAnswered(pbx="a", leg_id=self.offer(by).leg_id))
        if of in self.d.world.state.interactions:
            self.d.reach(of)

    def fails(self, outcome: DialOutcome, by: str = ANNA) -> None:
        self.d.give(DialFailed(pbx="a", leg_id=self.offer(by).leg_id, outcome=outcome))

    def hangs_up(self, leg_id: str) -> None:
        self.d.give(LegEnded(pbx="a", leg_id=leg_id))

    def agent_leg(self, by: str = ANNA) -> str:
        owner = self.d.interaction(self.of(by)).party(Role.OWNER)
        return owner.leg_id if owner else self.offer(by).leg_id

    def dialed(self) -> list[DialLeg]:
        return [c for c in self.d.commands if isinstance(c, DialLeg)]

    # ------------------------------------------------------------------ on the way

    def accepted(self) -> Line:
        """The agent's telephone rings."""
        if not self.of():
            assert self.get().code == "ok"
        assert self.accept().code == "ok"
        self.allow()
        return self

    def calling(self) -> Line:
        """The contact's telephone rings."""
        self.accepted().answers()
        return self

    def talks(self) -> Line:
        self.calling().answers()
        assert self.state() is InteractionState.CONNECTED
        return self

    def wraps_up(self) -> Line:
        """The contact has hung up."""
        self.talks()
        self.hangs_up(self.interaction.customer_leg)
        assert self.d.state_of(ANNA) == "wrap_up"
        return self

    def told(self, type_: EventType) -> Event:
        """The newest such event."""
        return self.d.told(type_)[-1]

    def released(self, record_id: str = "rec_1") -> list[Event]:
        return [e for e in self.d.told(EventType.RECORD_RELEASED) if e.values["record_id"] == record_id]


def preview(mode: DialMode = DialMode.PREVIEW, **rules: Any) -> Config:
    """A campaign of that mode with these rules of previews."""
    return centre(campaign(mode, preview=PreviewRules(**rules)))
