"""A record before an agent: he sees it before anything is dialed and is offered nothing else meanwhile (PROG-08).

Until it is dialed it goes back where it was, or out of our hands, whatever happens to its agent, its campaign or the
PBX; then its interaction is over and the agent is as free as before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import attempts, dialable, missed_previews
from routing.core.agent import AgentState, Engagement, EngagementState
from routing.core.campaign import CampaignCall
from routing.core.campaign_calls import open_call
from routing.core.campaign_rules import Campaign, DialMode, PreviewRules
from routing.core.config import Result
from routing.core.dialable import Dialable
from routing.core.endings import end_interaction
from routing.core.engagements import open_engagement
from routing.core.errors import RecordNotDialable
from routing.core.events import EventType
from routing.core.facts import PhoneState
from routing.core.interaction import Interaction, InteractionState
from routing.core.members import is_running
from routing.core.preview_card import origin_of, told
from routing.core.record import Place, RecordLive, RecordState, RecordTrigger, ReleaseCause
from routing.core.releasing import move, put_back, release
from routing.core.timers import Due, key
from routing.core.world import World

TIMEOUT, AGENT = "timeout", "agent"


def is_agent_first(campaign: Campaign) -> bool:
    """Its records are laid before agents; else those are called whose agent is found when they answer."""
    is_progressive = campaign.mode is DialMode.PROGRESSIVE and not campaign.seize_agents
    return is_progressive or campaign.mode in (DialMode.PREVIEW, DialMode.PUSH_PREVIEW)


def show(world: World, record: RecordLive, agent_id: str) -> Interaction:
    """Lay a record of the hopper before this agent, who is free. It is dialed by itself where the campaign says so."""
    campaign = world.config.campaigns[record.card.campaign]
    interaction = _open(world, campaign, record, agent_id)
    changes = {"agent_id": agent_id, "interaction_id": interaction.id}
    record = move(world, record, RecordTrigger.SHOWN, **changes)
    engagement = Engagement(
        interaction_id=interaction.id,
        queue=interaction.queue,
        state=EngagementState.PREVIEW,
        since_ms=world.now_ms,
        leg_id="",
    )
    open_engagement(world, world.agent(agent_id), engagement)
    _forget_wish(world, campaign.id, agent_id)
    world.emit(EventType.RECORD_SHOWN, interaction, agent_id, **told(world.config, interaction, record))
    if is_at_once(campaign) and record.card.callback is None:  # of one who expects us nobody takes it so
        dial(world, interaction, record)
    elif call := interaction.campaign:
        due = [at for at in (call.dial_at_ms, call.deadline_ms) if at]
        if due:
            world.set_timer(key(Due.PREVIEW, interaction.id), min(due))
    return world.state.interactions.get(interaction.id) or world.effects.ended[interaction.id]


def is_at_once(campaign: Campaign) -> bool:
    """The agent's telephone rings without his having accepted (A12); the contact's does when he has picked up."""
    return campaign.mode is DialMode.PROGRESSIVE and is_agent_first(campaign) and not campaign.hold_dialing


def _open(world: World, campaign: Campaign, record: RecordLive, agent_id: str) -> Interaction:
    """Its interaction, with how long it stays before him, and when it is dialed by itself."""
    meant = replace(record, number=_number(world, campaign, record))
    interaction = open_call(world, campaign, meant, InteractionState.PREVIEWING, agent_id)
    rules, now_ms, is_callback = campaign.preview, world.now_ms, record.card.callback is not None
    after_s = rules.dial_after_s if campaign.mode is not DialMode.PROGRESSIVE and not is_callback else None
    changes: dict[str, Any] = {
        "mode": campaign.mode if is_agent_first(campaign) else DialMode.PUSH_PREVIEW,
        "origin": origin_of(record),
        "dial_at_ms": now_ms + after_s * 1000 if after_s is not None else 0,
        "deadline_ms": now_ms + rules.timeout_s * 1000 if rules.timeout_s is not None else 0,
    }
    call = interaction.campaign or CampaignCall(campaign=campaign.id, mode=campaign.mode)
    return world.update_interaction(interaction, campaign=replace(call, **changes))


def _number(world: World, campaign: Campaign, record: RecordLive) -> str:
    """The one that would be called now."""
    found, numbers = dialable.choose(world, campaign, record), record.card.numbers
    if isinstance(found, Dialable):
        return found.number.number
    return numbers[record.card.next_number % len(numbers)].number if numbers else ""


def _forget_wish(world: World, campaign_id: str, agent_id: str) -> None:
    """He wanted the next record, and has it."""
    live = world.state.campaigns.get(campaign_id)
    member = live.joined.get(agent_id) if live else None
    if live and member and member.wants_next:
        world.put_campaign(replace(live, joined=live.joined | {agent_id: replace(member, wants_next=False)}))


# ------------------------------------------------------------------ dialing it


def dial(world: World, interaction: Interaction, record: RecordLive) -> None:
    """By itself: it is asked whether the number may be called, then the agent is rung."""
    if hindered_because(world, interaction):
        give_back(world, interaction, record)
        return
    try:
        attempts.ask(world, record)
    except RecordNotDialable:  # its window has closed while he looked at it
        give_back(world, interaction, record)
    else:
        world.clear_timer(key(Due.PREVIEW, interaction.id))


def hindered_because(world: World, interaction: Interaction) -> str:
    """Why the agent of this preview cannot be rung for it, as a stable word; empty when he can (STATE-03)."""
    call = interaction.campaign
    if call is None or not is_running(world, call.campaign):
        return "not_running"
    agent, config = world.state.agents.get(call.agent_id), world.config.agents.get(call.agent_id)
    if agent is None or config is None:
        return "removed"
    if agent.state is not AgentState.AVAILABLE:
        return agent.state.value
    if not world.is_linked(config.pbx) or not world.is_linked(interaction.pbx):
        return "pbx_link_down"
    phone = world.phone_state(config)
    return "" if phone is PhoneState.FREE else f"phone_{phone.value}"


def time_came(world: World, interaction_id: str) -> None:
    """It is dialed by itself (PREV-08), or has been before him for long enough (PROG-05)."""
    interaction = world.state.interactions.get(interaction_id)
    call = interaction.campaign if interaction and interaction.state is InteractionState.PREVIEWING else None
    record = world.state.records.get(call.record_id) if call else None
    if interaction is None or call is None or record is None or record.state is not RecordState.PREVIEWED:
        return
    if call.dial_at_ms and call.dial_at_ms <= world.now_ms:
        dial(world, interaction, record)
    else:
        not_taken(world, interaction, record, "later", TIMEOUT)


# ------------------------------------------------------------------ giving it back


def not_taken(world: World, interaction: Interaction, record: RecordLive, choice: str, why: str) -> None:
    """Declined (later, never, skip), or not touched in time. Who declined it does not get it again soon (A15)."""
    call, about = interaction.campaign, {"campaign": record.card.campaign, "record_id": record.id}
    agent_id = call.agent_id if call else ""
    world.emit(EventType.RECORD_DECLINED, interaction, agent_id, choice=choice, why=why, **about)
    rules = rules_of(world, record)
    until_ms = world.now_ms + rules.cool_off_s * 1000
    world.set_timer(key(Due.PREVIEW, record.card.campaign, agent_id), until_ms)  # then it is looked again who gets it
    record = _untouched(world, interaction, replace(record, declined=record.declined | {agent_id: until_ms}))
    if record.do_not_call:
        release(world, record, ReleaseCause.DO_NOT_CALL)
    elif choice == "never":
        release(world, record, ReleaseCause.REMOVED)
    elif record.card.callback or why == TIMEOUT or (call and call.mode is DialMode.PROGRESSIVE):
        put_back(world, record, place_of(record, call))
    else:
        release(world, record, ReleaseCause.RETRY, next_at_ms=world.now_ms + rules.decline_retry_s * 1000)
    if why == TIMEOUT:  # his own state first: nobody ever sees him available in between
        missed_previews.count(world, record.card.campaign, agent_id)
    end_interaction(world, interaction, Result.DECLINED, agent_id if why == AGENT else "server")


def give_back(world: World, interaction: Interaction, record: RecordLive, result: Result = Result.CANCELLED) -> None:
    """Through nobody's wish it is not dialed: as if it had not been shown."""
    record = _untouched(world, interaction, record)
    if record.do_not_call:
        release(world, record, ReleaseCause.DO_NOT_CALL)
    else:
        put_back(world, record, place_of(record, interaction.campaign))
    end_interaction(world, interaction, result, "server")


def withdraw(world: World, record: RecordLive, cause: ReleaseCause, *, next_at_ms: int | None = None) -> None:
    """It leaves our hands although it is before an agent, who is let go."""
    interaction = world.state.interactions.get(record.interaction_id)
    release(world, record, ReleaseCause.DO_NOT_CALL if record.do_not_call else cause, next_at_ms=next_at_ms)
    if interaction:
        end_interaction(world, interaction, Result.CANCELLED, "server")


def place_of(record: RecordLive, call: CampaignCall | None) -> Place | None:
    """A callback stays one (A13); progressive: the head of the list (PROG-04); else where it was."""
    if record.card.callback:
        return Place.CALLBACK
    return Place.HEAD if call and call.mode is DialMode.PROGRESSIVE else None


def _untouched(world: World, interaction: Interaction, record: RecordLive) -> RecordLive:
    """What its agent has chosen for it is not the next one's; a mark stays (DISP-05)."""
    if record.callback:
        about = {"campaign": record.card.campaign, "record_id": record.id}
        world.emit(EventType.RECORD_CALLBACK_CANCELLED, interaction, record.agent_id, **about)
    nothing = {"number": "", "number_kind": "", "is_new_number": False, "callback": None, "codes": (), "answers": {}}
    return world.put_record(replace(record, **nothing))  # type: ignore[arg-type]


def rules_of(world: World, record: RecordLive) -> PreviewRules:
    campaign = world.config.campaigns.get(record.card.campaign)
    return campaign.preview if campaign else PreviewRules()


def fit(world: World, interaction: Interaction) -> None:
    """A new configuration: what cannot be dialed for this agent any more is not left before him."""
    call = interaction.campaign
    if call is None or interaction.state is not InteractionState.PREVIEWING:
        return
    record, agent = world.state.records.get(call.record_id), world.config.agents.get(call.agent_id)
    if record and (agent is None or interaction.pbx not in world.config.pbxs):
        give_back(world, interaction, record)
