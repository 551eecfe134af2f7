"""Campaigns as rows: what is declared, what they do now, and their drops against the cap (DIALER-05, DIALER-06)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from routing.core import drop_days, members
from routing.core.campaign import CampaignLive, CampaignState
from routing.core.campaign_rules import Campaign
from routing.core.config import Config
from routing.core.interaction import InteractionState
from routing.core.world import World

_SEATED = InteractionState.SEATED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DropsNow:
    """Sums within the legal window. `dropped`: of the calls that persons answered (`live`), with no agent in time;
    `hung_up`: of those, who hung up while they waited. Both shares are None while nobody has answered.
    """

    window_days: int
    cap: float
    attempts: int
    live: int
    dropped: int
    hung_up: int
    machines: int
    drop_rate: float | None
    hang_up_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """`joined`: agents, by id; of them `ready` could be given a contact now, `seated` wait with their telephone up.

    `hopper`: records ready to be dialed; `records`: all in the engine's hands, by state; `calls`: live interactions by
    state, seats aside. `paced_at_ms`: None: no pacing yet; `pacing`: what its last number was made of.
    """

    id: str
    label: str
    description: str
    mode: str
    state: str
    since_ms: int | None
    teams: tuple[str, ...]
    queue: str
    ani: str
    joined: tuple[str, ...]
    ready: int
    seated: int
    hopper: int
    records: dict[str, int]
    calls: dict[str, int]
    drops: DropsNow
    paced_at_ms: int | None
    pacing: dict[str, float]


def campaign_rows(world: World) -> list[CampaignRow]:
    """All that are configured, by id."""
    calls = _calls(world)
    return [_row(world, campaign, calls) for _id, campaign in sorted(world.config.campaigns.items())]


def campaign_row(world: World, campaign: Campaign) -> CampaignRow:
    return _row(world, campaign, _calls(world))


def state_of(world: World, campaign_id: str) -> CampaignLive:
    """Stopped, where it was never loaded."""
    return world.state.campaigns.get(campaign_id) or CampaignLive(id=campaign_id)


def may_work_for(config: Config, campaign: Campaign, agent_id: str) -> bool:
    """Whether he is of a team that the campaign is assigned to (CAMP-03)."""
    agent = config.agents.get(agent_id)
    return agent is not None and agent.team in campaign.teams


def drops_of(world: World, campaign: Campaign) -> DropsNow:
    """As they count against the cap."""
    total = drop_days.within_window(world, campaign)
    return DropsNow(
        window_days=campaign.pacing.window_days,
        cap=campaign.pacing.cap,
        **asdict(total),
        drop_rate=share(total.dropped, total.live),
        hang_up_rate=share(total.hung_up, total.live),
    )


def share(part: int, whole: int) -> float | None:
    """0 to 1; None: of nothing."""
    return part / whole if whole else None


def _row(world: World, campaign: Campaign, calls: Mapping[str, Counter[str]]) -> CampaignRow:
    live, mine = state_of(world, campaign.id), calls.get(campaign.id, Counter())
    records = Counter(record.state.value for record in world.hoppers.of(campaign.id))
    return CampaignRow(
        id=campaign.id,
        label=campaign.label,
        description=campaign.description,
        mode=campaign.mode.value,
        state=live.state.value,
        since_ms=live.since_ms or None,
        teams=campaign.teams,
        queue=campaign.queue,
        ani=campaign.ani,
        joined=tuple(sorted(live.joined)),
        ready=len(members.ready_agents(world, campaign.id)) if live.state is not CampaignState.STOPPED else 0,
        seated=mine[_SEATED],
        hopper=world.hoppers.count_ready(campaign.id),
        records=dict(sorted(records.items())),
        calls={state: count for state, count in sorted(mine.items()) if state != _SEATED},
        drops=drops_of(world, campaign),
        paced_at_ms=live.tick_at_ms or None,
        pacing=dict(live.pacing),
    )


def _calls(world: World) -> dict[str, Counter[str]]:
    """Live interactions of campaigns, by campaign and state. A seat whose telephone still rings is none of them."""
    found: dict[str, Counter[str]] = {}
    for interaction in world.state.interactions.values():
        call, state = interaction.campaign, interaction.state.value
        if call and (call.record_id or state == _SEATED):
            found.setdefault(call.campaign, Counter())[state] += 1
    return found
