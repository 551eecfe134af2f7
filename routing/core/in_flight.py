"""What of a campaign is under way without an agent, and how many more calls its lines and the limits let begin."""

from __future__ import annotations

from routing.core import capacity
from routing.core.campaign import Verdict
from routing.core.campaign_rules import Campaign
from routing.core.interaction import Interaction, InteractionState, Role
from routing.core.record import RecordState
from routing.core.world import World

_S = InteractionState
# A telephone outside of ours rings or talks; nobody does for a preview or a seat.
_ON_A_LINE = tuple(set(_S) - {_S.PREVIEWING, _S.SEATED, _S.CALLING_AGENT, _S.ENDED})


def asking(world: World, campaign_id: str) -> int:
    """Records of the hopper that are being asked about, and will be dialed in a moment."""
    records = world.hoppers.of_state(campaign_id, RecordState.CHECKING)
    return sum(1 for record in records if record.check_id and not record.interaction_id)


def calls(world: World, campaign_id: str) -> list[Interaction]:
    """Calls without an agent that are not answered, or wait for one: each may be dropped yet."""
    found = world.campaign_calls(campaign_id, _S.CALLING_CUSTOMER, _S.REACHED)
    return [call for call in found if call.party(Role.OWNER) is None and not _is_settled(call)]


def _is_settled(interaction: Interaction) -> bool:
    """It hears its message, or is a machine that nobody is to talk with."""
    call = interaction.campaign
    is_machine = call is not None and call.verdict is Verdict.MACHINE and interaction.asked_prompt is not None
    return call is None or call.result is not None or is_machine


def count(world: World, campaign_id: str) -> int:
    return asking(world, campaign_id) + len(calls(world, campaign_id))


def lines_left(world: World, campaign: Campaign) -> int | None:
    """Of its own lines; None: as many as there are."""
    if campaign.pacing.lines is None:
        return None
    used = world.count_campaign_calls(campaign.id, *_ON_A_LINE) + asking(world, campaign.id)
    return max(0, campaign.pacing.lines - used)


def capacity_left(world: World) -> tuple[int | None, int]:
    """Customer calls that may still begin, with the code of the limit that is the nearest (OUT-04..06); None: any."""
    soon = sum(asking(world, campaign_id) for campaign_id in world.state.campaigns)
    used, share, limit = world.customer_calls + soon, world.state.calls_granted, world.config.limits.tenant_calls
    left = [
        (max(0, most - used), code)
        for most, code in ((share, capacity.DATA_CENTRE_FULL), (limit, capacity.TENANT_FULL))
        if most is not None
    ]
    return min(left) if left else (None, 0)


def most_begun(world: World, campaign: Campaign) -> int | None:
    """By lines, limits of calls and of dialing together; None: any number."""
    room, _code = capacity_left(world)
    limits = (lines_left(world, campaign), room, capacity.dials_left(world))
    return min((limit for limit in limits if limit is not None), default=None)
