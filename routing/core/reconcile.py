"""Links to PBXs come and go: what is true after a gap, found by comparing a snapshot with what we believed."""

from __future__ import annotations

from routing.core import played, supervisor_legs
from routing.core.calls import leg_ended
from routing.core.commands import WatchPhones
from routing.core.events import EventType
from routing.core.facts import (
    EndedBy,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    LinkLost,
    LinkRestored,
    SnapshotLeg,
)
from routing.core.interaction import Interaction, Offer, OfferState
from routing.core.offers import answered, ringing, take_back
from routing.core.recorder import ask_again
from routing.core.topology import ask, hang_up
from routing.core.world import World

# A dial order younger than this may still be on its way to the PBX when the snapshot is taken.
IN_FLIGHT_MS = 1000


def link_lost(world: World, fact: LinkLost) -> None:
    """Nothing is offered on that PBX until it is back; live calls go on without us."""
    if world.is_linked(fact.pbx):
        world.set_link(fact.pbx, False)
        world.emit(EventType.PBX_LINK_CHANGED, None, pbx=fact.pbx, is_up=False, reason=fact.reason[:256])


def link_restored(world: World, fact: LinkRestored) -> None:
    """Adopt what lives on, end what is gone, hang up what is nobody's, and ask again for every wanted room."""
    world.set_link(fact.pbx, True)
    world.emit(EventType.PBX_LINK_CHANGED, None, pbx=fact.pbx, is_up=True, legs=len(fact.legs))
    for phone, state in fact.phones.items():
        world.set_phone(fact.pbx, phone, state)
    watch_phones(world, fact.pbx)
    live = {leg.leg_id: leg for leg in fact.legs}
    for interaction in world.interactions_on(fact.pbx):
        _compare(world, interaction, live)
        supervisor_legs.compare(world, interaction.id, live)
    for leg in fact.legs:
        if leg.interaction_id and world.interaction_of(leg.leg_id) is None:
            hang_up(world, fact.pbx, leg.leg_id)
    for interaction in world.interactions_on(fact.pbx):
        if interaction.rooms:
            ask_again(world, interaction.id, keep_refusals=False)
            ask(world, interaction)
            played.link_restored(world, interaction)


def watch_phones(world: World, pbx: str) -> None:
    """Tell the connector which phones and which CAD names matter."""
    phones = tuple(sorted(a.phone for a in world.config.agents.values() if a.pbx == pbx))
    config = world.config
    declared = (*(e.cad for e in config.entry_points.values()), *(f.cad for f in config.flows.values()))
    names = {v.name for v in config.cad} | {v.name for variables in declared for v in variables}
    world.send(WatchPhones(id=world.new_id("cmd"), pbx=pbx, phones=phones, cad_names=tuple(sorted(names))))


def _compare(world: World, interaction: Interaction, live: dict[str, SnapshotLeg]) -> None:
    pbx = interaction.pbx
    for leg_id in (interaction.customer_leg, *(p.leg_id for p in interaction.parties)):
        if leg_id and leg_id not in live:
            leg_ended(world, LegEnded(pbx=pbx, leg_id=leg_id, ended_by=EndedBy.UNKNOWN))
            return
    for offer in interaction.offers:
        _compare_offer(world, interaction.id, offer, live.get(offer.leg_id))


def _compare_offer(world: World, interaction_id: str, offer: Offer, leg: SnapshotLeg | None) -> None:
    interaction = world.state.interactions.get(interaction_id)
    if interaction is None or interaction.offer_to(offer.agent_id) is None:
        return  # an earlier offer of the same call was answered
    if leg is not None and leg.state is LegState.UP:
        answered(world, LegAnswered(pbx=interaction.pbx, leg_id=offer.leg_id))
    elif leg is not None:
        ringing(world, LegRinging(pbx=interaction.pbx, leg_id=offer.leg_id))
    elif offer.state is OfferState.RINGING or world.now_ms - offer.offered_at_ms > IN_FLIGHT_MS:
        take_back(world, interaction, offer)
