"""Which record is laid before which agent: of those that come by themselves, when he asks for one, of due callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from routing.core import attempts, seating
from routing.core.agent import AgentState
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.dialable import Hindered, choose
from routing.core.facts import PhoneState
from routing.core.members import is_running, joined, not_ready_because, pbx_of, ready_agents
from routing.core.previews import is_agent_first, show
from routing.core.record import Place, RecordLive
from routing.core.world import World

# What is looked at for nothing at a time: a window that closes over a long hopper must not hold up calls.
MOST_IN_VAIN = 200


def assign(world: World, campaigns: Iterable[str]) -> None:
    """After every step: whoever is ready gets what waits for him."""
    for campaign_id in campaigns:
        if is_running(world, campaign_id) and world.hoppers.count_ready(campaign_id):
            _assign(world, world.config.campaigns[campaign_id])


def unseat(world: World, campaigns: Iterable[str]) -> None:
    """Where agents wait in seats nobody is ready for a callback that is due: one who can take it leaves his (CBS-09).

    His telephone is hung up; as soon as it is free it is laid before him, and nobody else leaves his seat meanwhile.
    """
    for campaign_id in campaigns:
        campaign = world.config.campaigns.get(campaign_id)
        if campaign and is_running(world, campaign_id) and _has_callback(world, campaign):
            _assign(world, campaign)
            reasons = {not_ready_because(world, campaign_id, agent_id) for agent_id in joined(world, campaign_id)}
            if not reasons & _SOON:
                _unseat_one(world, campaign)


_SOON = {"", f"phone_{PhoneState.BUSY.value}", f"phone_{PhoneState.RINGING.value}"}


def _unseat_one(world: World, campaign: Campaign) -> None:
    for seat in seating.free_seats(world, campaign.id):
        agent_id = seat.campaign.agent_id if seat.campaign else ""
        if next_for(world, campaign, agent_id, is_callback=True):
            seating.leave(world, seat, "callback")
            return


def _assign(world: World, campaign: Campaign) -> None:
    is_pushed = is_agent_first(campaign) and campaign.mode is not DialMode.PREVIEW
    members = world.state.campaigns[campaign.id].joined
    wishing = {id_ for id_, member in members.items() if member.wants_next}
    if not is_pushed and not wishing and not _has_callback(world, campaign):
        return
    pbx = world.config.pbxs.get(pbx_of(world.config, campaign))
    if pbx is None or not pbx.dial or not world.is_linked(pbx.id):
        return
    in_vain: set[str] = set()
    for agent_id in ready_agents(world, campaign.id):
        if members[agent_id].rests_until_ms > world.now_ms:
            continue
        is_wanted = is_pushed or (agent_id in wishing and campaign.mode is DialMode.PREVIEW)
        if record := next_for(world, campaign, agent_id, is_callback=not is_wanted, in_vain=in_vain):
            show(world, record, agent_id)


def _has_callback(world: World, campaign: Campaign) -> bool:
    first = next(world.hoppers.ready(campaign.id), None)
    return first is not None and first.place is Place.CALLBACK


def next_for(
    world: World,
    campaign: Campaign,
    agent_id: str,
    *,
    is_callback: bool = False,
    in_vain: set[str] | None = None,
) -> RecordLive | None:
    """The first of the hopper that may be called now and is for him; `is_callback`: of those that are due. `in_vain`:
    those that cannot be called this very moment, as far as it is known.

    What cannot be called for long leaves the hopper. One that he has declined comes again when its cool-off is over, or
    at once where nobody else can take it, but then after all others (A15).
    """
    again, in_vain = None, set() if in_vain is None else in_vain
    for record in tuple(world.hoppers.ready(campaign.id)):
        if (is_callback and record.place is not Place.CALLBACK) or len(in_vain) >= MOST_IN_VAIN:
            break
        if record.id in in_vain or not _is_for(world, record, agent_id):
            continue
        if record.declined.get(agent_id, 0) > world.now_ms:
            again = again or (record if _has_nobody_else(world, campaign, record, agent_id) else None)
        elif _is_dialable(world, campaign, record, in_vain):
            return record
    return again if again and _is_dialable(world, campaign, again, in_vain) else None


def weed(world: World, campaign_id: str) -> None:
    """Nothing was found for who asked: what cannot be called for long leaves the hopper all the same, so that others
    take its place. His refused order has changed nothing.
    """
    if is_running(world, campaign_id):
        campaign = world.config.campaigns[campaign_id]
        for record in tuple(islice(world.hoppers.ready(campaign_id), MOST_IN_VAIN)):
            _is_dialable(world, campaign, record, set())


def _is_for(world: World, record: RecordLive, agent_id: str) -> bool:
    """A personal callback is its agent's (CBS-04), until he has declined it (CBS-11) or its patience is over."""
    owner = record.card.callback.agent_id if record.card.callback else ""
    return owner in ("", agent_id) or owner in record.declined or owner not in world.config.agents


def _has_nobody_else(world: World, campaign: Campaign, record: RecordLive, agent_id: str) -> bool:
    """Of those who have joined and take calls, nobody has not just declined it, too."""
    others = (world.state.agents.get(id_) for id_ in joined(world, campaign.id) if id_ != agent_id)
    working = [other.id for other in others if other and other.state is AgentState.AVAILABLE]
    return all(record.declined.get(id_, 0) > world.now_ms for id_ in working)


def _is_dialable(world: World, campaign: Campaign, record: RecordLive, in_vain: set[str]) -> bool:
    """What is only hindered for the moment stays, and is not looked at again in this step."""
    found = choose(world, campaign, record)
    if isinstance(found, Hindered):
        in_vain.add(record.id)
        attempts.let_go(world, record, found)
        return False
    return True
