"""Campaigns that call their customers first, in a hall: contacts with telephones, lists outside, and their laws."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from routing.core.campaign import CampaignState, CampaignTrigger
from routing.core.campaign_rules import Campaign, DialMode, MachineRules, OnMachine, PacingRules
from routing.core.commands import LOOKUPS, DialLeg, LookUp
from routing.core.config import Config
from routing.core.dial_rights import DialRights
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.flow import Prompt
from routing.core.hours import Hours, Span
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import AddRecords, ControlCampaign, JoinCampaign, PaceCampaign, Reply
from routing.core.record import RecordCard, RecordNumber
from routing.core.step import Input
from tests.sim.hall import Hall

NUMBERS = tuple(f"+1201555{number:04}" for number in range(300, 340))
ALWAYS = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=1440),),) * 7)
PROMPTS = {name: Prompt(id=name, files={"en": name}) for name in ("sorry", "please_call")}
LISTENS = MachineRules(is_on=True, deadline_ms=1800, message="please_call", on_machine=OnMachine.LEAVE_MESSAGE)


def campaign(campaign_id: str, mode: DialMode, **changes: Any) -> Campaign:
    base = Campaign(
        id=campaign_id,
        label=campaign_id.title(),
        mode=mode,
        queue="sales",
        entry_point="sales",
        ani="+12015550009",
        teams=("team",),
        dial=DialRights(allowed=("+1",)),
        hours="always",
        ring_timeout_s=15,
        pacing=PacingRules(min_agents=1, message="sorry"),
    )
    return replace(base, **changes)


def with_campaigns(base: Config, *campaigns: Campaign) -> Config:
    return replace(
        base,
        campaigns={c.id: c for c in campaigns},
        prompts=base.prompts | PROMPTS,
        hours=base.hours | {"always": ALWAYS},
    )


@dataclass(slots=True)
class Lists:
    """What SQL is in a real system: records that nobody has in hand, claimed under a number of their own."""

    cards: dict[str, RecordCard]
    claims: int = 0
    out: dict[str, int] = field(default_factory=dict)

    def claim(self, campaign_id: str, count: int) -> tuple[RecordCard, ...]:
        found = [c for c in self.cards.values() if c.campaign == campaign_id and c.id not in self.out][:count]
        claimed = []
        for card in found:
            self.claims += 1
            self.out[card.id] = self.claims
            claimed.append(replace(card, claim=self.claims))
        return tuple(claimed)

    def take_back(self, released: Event) -> None:
        """Rested or not, it may be claimed again; its counts are those of another day."""
        record_id = str(released.values["record_id"])
        assert self.out.pop(record_id, None) == released.values["claim"], f"released by nobody: {released}"
        until_ms = released.values["reserve_until_ms"]
        assert isinstance(until_ms, int)
        self.cards[record_id] = replace(self.cards[record_id], reserve_until_ms=until_ms)


class DialerLaws:
    """An observer; raises AssertionError naming the law. `lists` follow what is released."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.open: dict[str, Event] = {}
        self.allowed: Counter[str] = Counter()
        self.dialed: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.live = self.dropped = self.hung_up = 0

    def __call__(self, hall: Hall, item: Input, effects: Effects) -> None:
        if isinstance(item, LookedUp) and item.outcome is LookUpOutcome.DONE and not item.is_blocked:
            self.allowed[item.interaction_id] += 1
        for event in effects.events:
            self._told(event)
        self._dials(hall, effects)
        self._in_flight(hall)
        self._counts(hall)
        for record_id in hall.world.state.records:
            assert record_id in self.lists.out, f"in the engine's hands and not claimed: {record_id}"

    def _told(self, event: Event) -> None:
        attempt = str(event.values.get("attempt_id", ""))
        if event.type is EventType.ATTEMPT_STARTED:
            assert attempt not in self.open, f"started twice: {event}"
            self.open[attempt] = event
        elif event.type is EventType.ATTEMPT_ENDED:
            assert self.open.pop(attempt, None), f"ended twice, or never started: {event}"
            self.results[str(event.values["result"])] += 1
            self.live += bool(event.values["is_live"])
            self.dropped += bool(event.values["is_dropped"])
            self.hung_up += bool(event.values["is_hung_up"])
        elif event.type is EventType.RECORD_RELEASED:
            self.lists.take_back(event)

    def _dials(self, hall: Hall, effects: Effects) -> None:
        """Each dialing of a contact was allowed by an answer of its own, and is an attempt (DIALER-04)."""
        for command in effects.commands:
            found = hall.world.state.interactions.get(command.interaction_id) if isinstance(command, DialLeg) else None
            if not isinstance(command, DialLeg) or found is None or found.campaign is None:
                continue
            if found.state is InteractionState.CALLING_CUSTOMER and command.phone == found.campaign.phone:
                record_id = found.campaign.record_id
                self.dialed[record_id] += 1
                assert self.dialed[record_id] <= self.allowed[record_id], f"dialed unchecked: {found}"
                assert found.campaign.attempt_id in self.open, f"dialed without an attempt: {found}"

    def _in_flight(self, hall: Hall) -> None:
        """A number is called by one at a time."""
        called = Counter(i.dnis for i in hall.world.state.interactions.values() if _is_called(i))
        assert all(count == 1 for count in called.values()), f"called twice at once: {called}"
        live = {i.campaign.attempt_id for i in hall.world.state.interactions.values() if i.campaign}
        assert self.open.keys() <= live, "an attempt is open whose call is over"

    def _counts(self, hall: Hall) -> None:
        days = [day for live in hall.world.state.campaigns.values() for day in live.days.values()]
        counted = (sum(day.live for day in days), sum(day.dropped for day in days), sum(day.hung_up for day in days))
        assert counted == (self.live, self.dropped, self.hung_up), "a call is counted as often as it is told"


def _is_called(interaction: Interaction) -> bool:
    """His telephone rings, or he is on it; of who is connected his record is in hand as well."""
    if interaction.kind != "campaign" or interaction.campaign is None or not interaction.campaign.attempt_id:
        return False
    return any(offer.number for offer in interaction.offers) or bool(interaction.customer_leg)


class Dialer:
    """What tickers, workers and agents do with campaigns in a hall. `random` decides what do-not-call answers."""

    def __init__(self, hall: Hall, *, records: int = 60, seed: int = 0) -> None:
        self.hall, self.random, self.worse = hall, Random(seed), 0
        campaigns = list(hall.world.config.campaigns)
        cards = [
            RecordCard(
                id=f"rec_{n}",
                campaign=campaigns[n % len(campaigns)],
                claim=0,
                numbers=(RecordNumber(number=NUMBERS[n % len(NUMBERS)]),),
                name=f"Contact {n}",
            )
            for n in range(records)
        ]
        self.lists = Lists({card.id: card for card in cards})
        self.laws = DialerLaws(self.lists)
        self.ticks = 0
        hall.outside = self.answer
        hall.observers.append(self.laws)

    def answer(self, question: LookUp) -> tuple[LookedUp, int] | None:
        """Mostly yes, sometimes no, late, wrong, or nothing."""
        dice = self.random.random() * (1 + self.worse)
        if dice > 1.2:
            return None
        outcome = LookUpOutcome.FAILED if dice > 1 else LookUpOutcome.DONE
        about: dict[str, Any] = {"interaction_id": question.interaction_id, "command_id": question.id}
        answer = LookedUp(pbx=LOOKUPS, outcome=outcome, is_blocked=0.9 < dice < 0.92, **about)
        return answer, 7_000 if 0.88 < dice < 0.9 else self.random.randint(0, 100)

    # ------------------------------------------------------------------ orders

    def control(self, campaign_id: str, action: CampaignTrigger) -> Reply:
        return self.hall.order(ControlCampaign, campaign=campaign_id, action=action)

    def start(self, *agents: str) -> None:
        """Everything runs, and these agents have joined everything."""
        for campaign_id in self.hall.world.config.campaigns:
            for action in (CampaignTrigger.LOAD, CampaignTrigger.START):
                self.control(campaign_id, action)
            for agent_id in agents:
                self.hall.order(JoinCampaign, agent_id=agent_id, campaign=campaign_id)

    def fill(self, campaign_id: str, count: int) -> None:
        """A worker claims records, and hands them over."""
        if self.hall.world.config.campaigns.get(campaign_id) and (cards := self.lists.claim(campaign_id, count)):
            self.hall.order(AddRecords, campaign=campaign_id, records=cards)

    def pace(self, campaign_id: str, calls: int, *, age_ms: int = 0) -> Reply:
        self.ticks += 1
        now_ms = self.hall.clock.now_ms
        return self.hall.order(PaceCampaign, campaign=campaign_id, tick=self.ticks, at_ms=now_ms - age_ms, calls=calls)

    def stop(self) -> None:
        """All campaigns; then no record is in the engine's hands but those that are talked about."""
        for campaign_id, live in self.hall.world.state.campaigns.items():
            if live.state is not CampaignState.STOPPED:
                self.control(campaign_id, CampaignTrigger.STOP)

    def check_over(self) -> None:
        """Everything is where it belongs when all is over."""
        assert not self.hall.world.state.records
        assert not self.lists.out, "a claim of which nobody knows anything any more"
        assert not self.laws.open, "an attempt that never ended"
        seats = [i for i in self.hall.world.state.interactions.values() if i.state is InteractionState.SEATED]
        assert not seats
