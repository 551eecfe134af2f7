"""How many calls of a campaign may be in flight at once without an agent of their own: its guarantee (DIALER-05). Pure.

It holds whatever the pacing asks for, also when that is wrong. One call per free agent is always allowed: such a call
is dropped only where its agent goes away meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from routing.core.campaign import DropDay
from routing.core.campaign_rules import Campaign, Guarantee

# So many drops say nothing about a rate yet; without them a campaign could not even begin.
FREE_DROPS = 2
# A campaign of which little is known answers as often as this.
_PRIOR_LIVE, _PRIOR_ATTEMPTS = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`counts`: within the legal window. `free`: agents who wait for a contact; `at_work`: who are with one, or wrap
    up. `in_flight`: calls that may be answered yet, or wait for an agent, and those that are being asked about.
    """

    counts: DropDay
    free: int
    at_work: int
    in_flight: int


def most_in_flight(campaign: Campaign, standing: Standing) -> int:
    """So many calls may be in flight, those that are so already among them."""
    live, dropped = suffered(campaign, standing.counts)
    if campaign.pacing.guarantee is Guarantee.WORST_CASE:
        return max(standing.free, _worst_case(campaign, standing, live, dropped))
    return max(standing.free, _within_budget(campaign, standing, live, dropped))


def suffered(campaign: Campaign, counts: DropDay) -> tuple[float, float]:
    """Calls that persons answered, and of those the dropped ones; persons taken for machines are both."""
    mistaken = campaign.machines.false_positives * counts.machines
    return counts.live + mistaken, counts.dropped + mistaken


def allowance(campaign: Campaign, live: float) -> float:
    """Drops that the budget allows, of so many answered calls."""
    return max(FREE_DROPS, campaign.pacing.cap * live)


def _worst_case(campaign: Campaign, standing: Standing, live: float, dropped: float) -> int:
    """If each of f calls is answered, and all but those for free agents are dropped, the rate stays at the cap:
    dropped + f - free <= cap * (live + f).
    """
    cap = campaign.pacing.cap
    if cap >= 1:
        return standing.free + standing.in_flight + standing.at_work
    return floor((cap * live + standing.free - dropped) / (1 - cap) + 1e-9)


def _within_budget(campaign: Campaign, standing: Standing, live: float, dropped: float) -> int:
    """Nothing beyond free agents once the budget is spent. Before, as many as are answered by so many persons as there
    are agents, and by as many more as may still be dropped. So drops never exceed the allowance by more than one call
    for each agent, whatever is asked for.
    """
    left = allowance(campaign, live) - dropped
    if left < 1:
        return 0
    counts = standing.counts
    answers = (counts.live + _PRIOR_LIVE) / (counts.attempts + _PRIOR_ATTEMPTS)
    return floor((standing.free + standing.at_work + left) / min(1.0, answers))
