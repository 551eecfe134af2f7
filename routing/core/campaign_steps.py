"""What campaigns do after every step, around the matching of waiting callers with free agents (DIALER-10).

Contacts who have answered come before anything else: it was we who called them. Then, by the campaign's rule, callers
or seats; then records for agents, then calls for those who wait.
"""

from __future__ import annotations

from collections.abc import Callable

from routing.core import blending, closing, progressive, pushes, reached, seating
from routing.core.members import is_running
from routing.core.world import World

Match = Callable[[World], None]


def settle(world: World, match: Match) -> None:
    """`match`: pairs callers and agents until no pair is left."""
    if not world.state.campaigns:
        match(world)
        return
    seating.sweep(world)
    reached.serve(world)
    first = [id_ for id_ in sorted(world.state.campaigns) if _comes_first(world, id_)]
    pushes.unseat(world, [id_ for id_ in first if seating.has_seats(world, id_)])
    seating.assign(world, first)
    pushes.assign(world, first)
    match(world)
    if blending.yield_seats(world):
        match(world)
    closing.sweep(world)
    others = [id_ for id_ in sorted(world.state.campaigns) if id_ not in first]
    pushes.unseat(world, [id_ for id_ in others if seating.has_seats(world, id_)])
    seating.assign(world, others)
    pushes.assign(world, others)
    progressive.dial(world)


def _comes_first(world: World, campaign_id: str) -> bool:
    campaign = world.config.campaigns.get(campaign_id)
    return campaign is not None and is_running(world, campaign_id) and blending.comes_first(world, campaign)
