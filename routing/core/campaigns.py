"""A campaign's life and its hopper: loaded, started, paused, stopped; agents join and leave; records come and go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from routing.core import attempts, previews, reservations, seating
from routing.core.agent import AgentState
from routing.core.campaign import CampaignLive, CampaignState, CampaignTrigger, Membership, next_state
from routing.core.campaign_rules import Campaign
from routing.core.errors import CampaignNotLoaded, NotOfTeam, UnknownAgent, UnknownCampaign
from routing.core.events import EventType
from routing.core.members import is_loaded, joined
from routing.core.numbers import readings
from routing.core.orders import AddRecords, ControlCampaign, JoinCampaign, LeaveCampaign, WithdrawRecords
from routing.core.record import Place, RecordCard, RecordLive, RecordState, ReleaseCause
from routing.core.releasing import block, release
from routing.core.timers import Due, key
from routing.core.world import World

Values = dict[str, object]

PATIENCE_S = 900  # how long a personal callback waits for its agent before anybody gets it

_TOLD = {
    CampaignTrigger.LOAD: EventType.CAMPAIGN_LOADED,
    CampaignTrigger.START: EventType.CAMPAIGN_STARTED,
    CampaignTrigger.PAUSE: EventType.CAMPAIGN_PAUSED,
    CampaignTrigger.STOP: EventType.CAMPAIGN_STOPPED,
}


def control(world: World, order: ControlCampaign) -> Values:
    """Raises UnknownCampaign, IllegalTransition. Its agents are told when it is loaded and when it starts (CAMP-04).

    Paused: whom it is calling is called on, nobody else is. Stopped: what only rings is given up, too; who talks does.
    """
    campaign = _configured(world, order.campaign)
    live = world.state.campaigns.get(campaign.id) or CampaignLive(id=campaign.id)
    state = next_state(live.state, order.action)
    live = world.put_campaign(replace(live, state=state, since_ms=world.now_ms, pacing={}))
    told = {"campaign": campaign.id, "label": campaign.label, "mode": campaign.mode.value}
    world.emit(_TOLD[order.action], None, **told, teams=list(campaign.teams), actor=order.actor)
    if order.action is CampaignTrigger.STOP:
        seating.clear(world, campaign.id)
        _let_all_go(world, campaign.id)
    return {"campaign": campaign.id, "state": live.state.value}


def _configured(world: World, campaign_id: str) -> Campaign:
    try:
        return world.config.campaigns[campaign_id]
    except KeyError:
        raise UnknownCampaign(campaign=campaign_id) from None


def _let_all_go(world: World, campaign_id: str) -> None:
    for agent_id in joined(world, campaign_id):
        _leave(world, campaign_id, agent_id, "stopped")
    _give_up(world, world.hoppers.of(campaign_id), ReleaseCause.CAMPAIGN)


def _give_up(world: World, records: Iterable[RecordLive], cause: ReleaseCause) -> None:
    """Whatever is not with a person yet leaves with that cause."""
    for record in records:
        if record.state is RecordState.READY:
            release(world, record, cause)
        elif record.state is RecordState.PREVIEWED:
            previews.withdraw(world, record, cause)
        elif record.state in (RecordState.CHECKING, RecordState.CALLING):
            attempts.stop(world, record, cause)


# ------------------------------------------------------------------ agents


def join(world: World, order: JoinCampaign) -> Values:
    """The agent says that he is ready (CAMP-05); nothing is delivered by that (PREV-02).

    Raises UnknownCampaign, UnknownAgent, NotOfTeam (CAMP-03), CampaignNotLoaded.
    """
    campaign, live = _of_team(world, order.campaign, order.agent_id)
    if world.agent(order.agent_id).state is AgentState.LOGGED_OUT:
        raise NotOfTeam(campaign=campaign.id, agent_id=order.agent_id, because="logged_out")
    if order.agent_id not in live.joined:
        members = live.joined | {order.agent_id: Membership(joined_at_ms=world.now_ms)}
        world.put_campaign(replace(live, joined=members))
        world.emit(EventType.CAMPAIGN_JOINED, None, order.agent_id, campaign=campaign.id)
    return {"campaign": campaign.id, "mode": campaign.mode.value, "state": live.state.value}


def leave(world: World, order: LeaveCampaign) -> Values:
    """What he has in hand stays his. Raises UnknownCampaign, UnknownAgent, CampaignNotLoaded."""
    _configured(world, order.campaign)
    if order.agent_id not in world.state.agents:
        raise UnknownAgent(agent_id=order.agent_id)
    if not is_loaded(world, order.campaign):
        raise CampaignNotLoaded(campaign=order.campaign)
    _leave(world, order.campaign, order.agent_id, "agent")
    return {"campaign": order.campaign}


def left_work(world: World, agent_id: str, why: str) -> None:
    """He has signed out, or is removed: he works for no campaign any more."""
    for campaign_id in sorted(world.state.campaigns):
        _leave(world, campaign_id, agent_id, why)


def _of_team(world: World, campaign_id: str, agent_id: str) -> tuple[Campaign, CampaignLive]:
    campaign, agent = _configured(world, campaign_id), world.config.agents.get(agent_id)
    if agent is None:
        raise UnknownAgent(agent_id=agent_id)
    if agent.team not in campaign.teams:
        raise NotOfTeam(campaign=campaign_id, agent_id=agent_id, because="team")
    if not is_loaded(world, campaign_id):
        raise CampaignNotLoaded(campaign=campaign_id)
    return campaign, world.state.campaigns[campaign_id]


def _leave(world: World, campaign_id: str, agent_id: str, why: str) -> None:
    live = world.state.campaigns[campaign_id]
    if agent_id not in live.joined:
        return
    rest = {id_: membership for id_, membership in live.joined.items() if id_ != agent_id}
    world.put_campaign(replace(live, joined=rest))
    world.emit(EventType.CAMPAIGN_LEFT, None, agent_id, campaign=campaign_id, why=why)
    seating.clear(world, campaign_id, agent_id)


# ------------------------------------------------------------------ the hopper


def add_records(world: World, order: AddRecords) -> Values:
    """Claimed records come in; one that is here already is left as it is (PROG-06). Raises UnknownCampaign.

    Where the campaign is not loaded any more, they go straight back.
    """
    campaign = _configured(world, order.campaign)
    added = 0
    for turn, card in enumerate(reservations.held(world, order.records)):
        if card.id in world.state.records or card.campaign != campaign.id:
            continue
        added += 1
        record = world.put_record(_ready(world, card, turn))
        if not is_loaded(world, campaign.id):
            release(world, record, ReleaseCause.CAMPAIGN)
        elif record.card.callback and record.card.callback.agent_id:
            world.set_timer(key(Due.DUE_CALLBACK, record.id), world.now_ms + PATIENCE_S * 1000)
    return {"added": added}


def _ready(world: World, card: RecordCard, turn: int) -> RecordLive:
    """A callback in the order of due times, the rest by priority, then as it comes: `turn` is its place among those
    that come together, which is that of the list (CAMP-01).
    """
    place, order = Place.LIST, (10 - card.priority) * 10**18 + world.now_ms * 1000 + min(turn, 999)
    if card.callback:
        place, order = Place.CALLBACK, card.callback.at_ms
    return RecordLive(card=card, since_ms=world.now_ms, place=place, order=order)


def anybody_may_have(world: World, record_id: str) -> None:
    """A personal callback has waited long enough for its agent (CBS-04): as if he had declined it. Its origin stays."""
    record = world.state.records.get(record_id)
    callback = record.card.callback if record else None
    if record and callback:
        world.put_record(replace(record, declined={callback.agent_id: world.now_ms} | record.declined))


def withdraw(world: World, order: WithdrawRecords) -> Values:
    """Records that wait are not for this campaign any more. Raises UnknownCampaign."""
    _configured(world, order.campaign)
    found = [world.state.records.get(record_id) for record_id in order.record_ids]
    waiting = [r for r in found if r and r.card.campaign == order.campaign and r.state is RecordState.READY]
    for record in waiting:
        release(world, record, ReleaseCause.REMOVED)
    return {"withdrawn": [record.id for record in waiting]}


def marked(world: World, number: str, campaign_id: str = "") -> int:
    """That number must not be called: what waits goes back to SQL, where the mark is, what rings there is given up.

    Records go on with their other numbers; one before an agent stays with him. How many it concerned.
    """
    marked_as = readings(number, world.config.numbers)
    concerned = [r for r in world.hoppers.with_number(marked_as) if campaign_id in ("", r.card.campaign)]
    for record in concerned:
        record = block(world, record, number)
        if record.state is RecordState.READY:
            release(world, record, ReleaseCause.RETRY, next_at_ms=world.now_ms)
        elif record.state in (RecordState.CHECKING, RecordState.CALLING) and record.number in record.card.blocked:
            attempts.number_out(world, record)
    return len(concerned)


# ------------------------------------------------------------------ a new configuration


def fit(world: World) -> None:
    """Campaigns and members that are gone from the configuration are gone here; what is talked about is talked out."""
    for campaign_id in sorted(world.state.campaigns):
        live, campaign = world.state.campaigns[campaign_id], world.config.campaigns.get(campaign_id)
        teams = campaign.teams if campaign else ()
        for agent_id in tuple(live.joined):
            agent = world.config.agents.get(agent_id)
            if agent is None or agent.team not in teams:
                _leave(world, campaign_id, agent_id, "configuration")
        if campaign is None and live.state is not CampaignState.STOPPED:
            world.put_campaign(replace(world.state.campaigns[campaign_id], state=CampaignState.STOPPED))
            told: dict[str, Any] = {"campaign": campaign_id, "label": "", "mode": "", "teams": []}
            world.emit(EventType.CAMPAIGN_STOPPED, None, **told, actor="configuration")
            seating.clear(world, campaign_id)
            _give_up(world, world.hoppers.of(campaign_id), ReleaseCause.CAMPAIGN)
