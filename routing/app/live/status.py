"""The server at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from routing.core.campaign import CampaignState
from routing.core.world import WorldState
from routing.store.port import StoreHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`engine`: who holds the lease, None when no engine runs. `links`: PBX -> whether its connector has its link.

    `lag_ms`: how much older the last processed input is than the newest. `is_healthy`: an engine runs, a
    configuration is applied and every link is up. `campaigns`: those that are loaded, by state.
    """

    tenant: str
    is_healthy: bool
    revision: int
    engine: str | None
    links: dict[str, bool]
    steps: int
    waiting_inputs: int
    lag_ms: int
    agents: dict[str, int]
    calls: dict[str, int]
    campaigns: dict[str, int]
    redis: dict[str, str]


def status_of(state: WorldState, health: StoreHealth) -> Status:
    # The link of a PBX that was taken out of the configuration stays known as down, and nobody misses it.
    up = {pbx for pbx, is_up in state.links.items() if is_up}
    links = {pbx: pbx in up for pbx in sorted({*state.config.pbxs, *up})}
    return Status(
        tenant=state.config.tenant,
        is_healthy=health.owner is not None and state.config.revision > 0 and all(links.values()),
        revision=state.config.revision,
        engine=health.owner,
        links=links,
        steps=health.seq,
        waiting_inputs=health.waiting_inputs,
        lag_ms=health.lag_ms,
        agents=dict(sorted(Counter(agent.shown_state for agent in state.agents.values()).items())),
        calls=dict(sorted(Counter(i.state.value for i in state.interactions.values()).items())),
        campaigns=loaded_campaigns(state),
        redis=health.settings,
    )


def loaded_campaigns(state: WorldState) -> dict[str, int]:
    """By state."""
    states = Counter(live.state.value for live in state.campaigns.values() if live.state is not CampaignState.STOPPED)
    return dict(sorted(states.items()))
