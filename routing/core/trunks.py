"""Offers to agents of another PBX that come to nothing: whether the trunk is to blame."""

from __future__ import annotations

from routing.core.config import AfterMiss, MissPolicy
from routing.core.events import EventType
from routing.core.facts import PhoneState
from routing.core.interaction import Interaction, Offer, OfferEnd, OfferState
from routing.core.world import World

# He was free when it was dialed; some telephones that ring are told as busy.
_RUNG = (PhoneState.RINGING, PhoneState.BUSY)

# A broken trunk must not send all agents behind it into RONA; meanwhile the call leaves them alone.
TRUNK_FAILED = MissPolicy(then=AfterMiss.AVAILABLE, skip_s=30)


def is_to_blame(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> bool:
    """The telephone of an agent of another PBX did not even ring: neither the trunk nor his own PBX said so.

    A busy one is his own, as on the caller's PBX: it need not ring to say so.
    """
    agent = world.config.agents.get(offer.agent_id)
    if agent is None or agent.pbx == interaction.pbx or end is OfferEnd.BUSY:
        return False
    return offer.state is not OfferState.RINGING and world.phone_state(agent) not in _RUNG


def tell(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> None:
    """For whoever looks after the trunk."""
    to_pbx = world.config.agents[offer.agent_id].pbx
    about = {"pbx": interaction.pbx, "what": f"trunk to {to_pbx} did not ring", "reason": end.value}
    world.emit(EventType.PBX_MISMATCH, interaction, offer.agent_id, **about)
