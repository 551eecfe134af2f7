"""How many customer calls may live at once, and how many outside numbers may be dialed within a minute."""

from __future__ import annotations

from dataclasses import replace

from routing.core.errors import CapacityReached, DialRateReached
from routing.core.facts import LegAnswered, LegArrived, LookedUp
from routing.core.orders import AcceptRecord, CapacityGranted, DialRecord, StartOutdial
from routing.core.world import World

DATA_CENTRE_FULL = 26  # OUT-04
TENANT_FULL = 27  # OUT-05
MINUTE_MS = 60_000

_WHOSE = {DATA_CENTRE_FULL: "data centre", TENANT_FULL: "tenant"}


def granted(world: World, item: CapacityGranted) -> None:
    """The tenant's share of the data centre's calls is another one from here on; live calls go on."""
    world.grant_calls(item.calls)


def reason_code(world: World) -> int | None:
    """Why no further customer call is let in, None when there is room (OUT-03); 26 goes before 27 (OUT-06, A16).

    A call counts from its arrival or its order on: whoever is let in is counted in the same step. A callback does from
    the dialing of the customer on, a voicemail never.
    """
    calls, share = world.customer_calls, world.state.calls_granted
    if share is not None and calls >= share:
        return DATA_CENTRE_FULL
    limit = world.config.limits.tenant_calls
    return TENANT_FULL if limit is not None and calls >= limit else None


def may_begin(world: World, item: object) -> bool:
    """Whether one more call may count after this input: someone arrives or is called."""
    if isinstance(item, LegAnswered):  # by an agent who is offered a callback
        interaction = world.interaction_of(item.leg_id)
        return interaction is not None and interaction.is_calling_back and not interaction.is_customer_call
    if isinstance(item, LookedUp):  # that a record may be called
        return item.interaction_id in world.state.records
    return isinstance(item, LegArrived | StartOutdial | AcceptRecord | DialRecord)


def require_room(world: World) -> None:
    """Raises CapacityReached."""
    if (code := reason_code(world)) is not None:
        raise CapacityReached(reason_code=code, whose=_WHOSE[code])


def count_dial(world: World, agent_id: str) -> None:
    """An agent dials an outside number now (SAFE-04). Raises DialRateReached, and then it does not count.

    The limits hold for every span of a minute, not for the minutes of a clock.
    """
    agent, limits, since_ms = world.agent(agent_id), world.config.limits, world.now_ms - MINUTE_MS
    mine = tuple(at for at in agent.dialed_at_ms if at > since_ms)
    _require_rate(world, "agent", limits.dials_per_minute, mine)
    if limits.tenant_dials_per_minute is not None:
        _require_rate(world, "tenant", limits.tenant_dials_per_minute, _all_dials(world, since_ms))
    if limits.dials_per_minute is not None or limits.tenant_dials_per_minute is not None:
        world.update_agent(agent, dialed_at_ms=(*mine, world.now_ms))


def count_campaign_dial(world: World, campaign_id: str) -> None:
    """A campaign dials for nobody in particular: it counts among the tenant's numbers, as those of agents do.

    Raises DialRateReached, and then it does not count.
    """
    limit, since_ms = world.config.limits.tenant_dials_per_minute, world.now_ms - MINUTE_MS
    live = world.state.campaigns.get(campaign_id)
    if limit is None or live is None:
        return
    _require_rate(world, "tenant", limit, _all_dials(world, since_ms))
    mine = tuple(at for at in live.dialed_at_ms if at > since_ms)
    world.put_campaign(replace(live, dialed_at_ms=(*mine, world.now_ms)))


def dials_left(world: World) -> int | None:
    """How many more outside numbers the tenant may dial now; None: without limit."""
    limit = world.config.limits.tenant_dials_per_minute
    return None if limit is None else max(0, limit - len(_all_dials(world, world.now_ms - MINUTE_MS)))


def _all_dials(world: World, since_ms: int) -> tuple[int, ...]:
    """Of agents and of campaigns, oldest first."""
    of_campaigns = [at for live in world.state.campaigns.values() for at in live.dialed_at_ms if at > since_ms]
    of_agents = world.dials_since(since_ms)
    return tuple(sorted((*of_agents, *of_campaigns))) if of_campaigns else of_agents


def _require_rate(world: World, whose: str, limit: int | None, dialed_at_ms: tuple[int, ...]) -> None:
    if limit is not None and len(dialed_at_ms) >= limit:
        free_at_ms = dialed_at_ms[-limit] + MINUTE_MS
        retry_after_s = -(-(free_at_ms - world.now_ms) // 1000)
        raise DialRateReached(whose=whose, limit=limit, retry_after_s=retry_after_s)
