"""What must hold after every step of the core. Each law looks at the state itself, not at the core's indexes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from routing.core.agent import Agent, AgentState, EngagementState
from routing.core.callback import CallbackState
from routing.core.commands import DialLeg, HangUpLeg, MarkLeg, ReturnLeg, SetRooms
from routing.core.config import AgentConfig, Strategy
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.facts import FeatureDialed, LegArrived, PhoneState
from routing.core.interaction import (
    Consult,
    Interaction,
    InteractionState,
    Offer,
    OfferPurpose,
    OfferState,
    Party,
    Role,
)
from routing.core.orders import GoAvailable, GoIdle
from routing.core.recording import RecordingState
from routing.core.step import Input
from routing.core.timers import Due, key
from tests.sim.hall import Hall

_E, _I = EngagementState, InteractionState
BUSY = (_E.OFFERED, _E.CONNECTED, _E.HELD, _E.CONSULTING, _E.CONFERENCE, _E.PREVIEW, _E.SEATED)
SEEKING = (_I.CONSULT_REQUESTED, _I.INVITING)
OUTDIALING = (_I.CALLING_AGENT, _I.CALLING_CUSTOMER)
TALKING = (_I.CONNECTED, _I.HELD, *SEEKING, _I.CONSULTING, _I.CONSULT_HELD, _I.CONFERENCE)
FROM_THE_QUEUE = (OfferPurpose.CALL, OfferPurpose.CALLBACK, OfferPurpose.VOICEMAIL)
# What agent 1 and agent 2 are seen to do; None: there is no agent 2.
SEEN: dict[InteractionState, tuple[EngagementState, EngagementState | None]] = {
    _I.CALLING_CUSTOMER: (_E.CONNECTED, None),
    _I.CONNECTED: (_E.CONNECTED, None),
    _I.HELD: (_E.HELD, None),
    _I.CONSULT_REQUESTED: (_E.CONSULTING, None),
    _I.INVITING: (_E.CONNECTED, None),
    _I.CONSULTING: (_E.CONSULTING, _E.CONSULTING),
    _I.CONSULT_HELD: (_E.CONNECTED, _E.HELD),
    _I.CONFERENCE: (_E.CONFERENCE, _E.CONFERENCE),
    _I.LISTENING: (_E.CONNECTED, None),
    _I.REACHED: (_E.CONNECTED, None),
    _I.SEATED: (_E.SEATED, None),
}
# Of a campaign that calls the contact first: he has no agent yet.
ALONE = (_I.CALLING_CUSTOMER, _I.REACHED)


class Laws:
    """An observer; raises AssertionError naming the law."""

    def __init__(self) -> None:
        self.known_legs: set[str] = set()
        self.dialled: set[str] = set()
        self.entered: dict[str, int] = {}
        self.ended: Counter[str] = Counter()
        self.steps = 0

    def __call__(self, hall: Hall, item: Input, effects: Effects) -> None:
        self.steps += 1
        if isinstance(item, LegArrived | FeatureDialed):
            self.known_legs.add(item.leg_id)
        self._commands(effects)
        self._ends(effects)
        _capacity(hall)
        _callbacks(hall)
        for interaction in hall.world.state.interactions.values():
            self._interaction(hall, interaction)
        for agent in hall.world.state.agents.values():
            _agent(hall, agent)
            _rona(hall, agent, item)
        _timers(hall)
        _offers_in_order(hall)
        _paths(hall, effects)
        _liveness(hall)

    def _commands(self, effects: Effects) -> None:
        for command in effects.commands:
            match command:
                case DialLeg():
                    assert command.leg_id not in self.dialled, f"dialled twice: {command}"
                    self.dialled.add(command.leg_id)
                    self.known_legs.add(command.leg_id)
                case HangUpLeg() | ReturnLeg() | MarkLeg():
                    assert command.leg_id in self.known_legs, f"a leg nobody made: {command}"
                case SetRooms():
                    legs = {leg for room in command.rooms for leg in room.legs}
                    assert legs <= self.known_legs, f"a leg nobody made: {command}"

    def _ends(self, effects: Effects) -> None:
        self.ended.update(list(effects.ended))
        assert all(n == 1 for n in self.ended.values()), f"ended twice: {self.ended}"
        told = Counter(e.interaction_id for e in effects.events if e.type is EventType.INTERACTION_ENDED)
        told.pop("", None)
        calls = [id_ for id_, ended in effects.ended.items() if ended.kind != "seat"]
        assert told == Counter(calls), "an end is told exactly when it happens"

    def _interaction(self, hall: Hall, interaction: Interaction) -> None:
        assert interaction.id not in self.ended, f"lives after its end: {interaction}"
        entered = self.entered.setdefault(interaction.id, interaction.entered_at_ms)
        assert interaction.entered_at_ms == entered, f"lost its place: {interaction}"
        ringing = (_I.OFFERED, _I.REACHED, *SEEKING, *OUTDIALING)
        assert not interaction.offers or interaction.state in ringing, interaction
        assert interaction.offers or interaction.state not in (_I.OFFERED, *OUTDIALING), interaction
        _outdial(interaction)
        assert (interaction.consult is not None) == (interaction.state in TALKING[2:]), interaction
        seen = SEEN.get(interaction.state, (None, None))
        if interaction.kind == "campaign" and interaction.state in ALONE and not interaction.parties:
            seen = (None, None)
        assert len(interaction.parties) == sum(state is not None for state in seen), interaction
        queue = hall.world.config.queues.get(interaction.queue)
        if queue is None or queue.strategy is not Strategy.RING_ALL:
            assert len(interaction.offers) <= 1, f"offered to two at a time: {interaction}"
        for offer in interaction.offers:
            if _is_external(offer):
                continue
            engagement = hall.agent(offer.agent_id).engagements.get(interaction.id)
            assert engagement is not None, f"an offer without a reservation: {offer}"
            assert (engagement.state, engagement.leg_id) == (_E.OFFERED, offer.leg_id)
        _recording(hall, interaction)
        for party, state in zip(interaction.parties, seen, strict=False):
            if _is_external(party):
                continue
            engagement = hall.agent(party.agent_id).engagements.get(interaction.id)
            assert engagement is not None, f"a party without an engagement: {party}"
            assert engagement.state is state, engagement
        _hears(interaction)


def _capacity(hall: Hall) -> None:
    """Nobody is let in beyond a limit (OUT-03..06); who is in stays when it shrinks."""
    live, share = _customer_calls(hall.world.state.interactions), hall.world.state.calls_granted
    limits = [n for n in (share, hall.world.config.limits.tenant_calls) if n is not None]
    if live > _customer_calls(hall.before_calls):
        assert all(live <= limit for limit in limits), f"{live} calls live with limits {limits}"


def _customer_calls(interactions: dict[str, Interaction]) -> int:
    """Callbacks count from the dialing of the customer on, records from that of their agent; voicemails never."""
    owed = [i for i in interactions.values() if i.kind == "callback" and not i.customer_leg]
    owed = [i for i in owed if i.state is not _I.CALLING_CUSTOMER]
    nobody = [i for i in interactions.values() if i.kind in ("voicemail", "seat") or i.state is _I.PREVIEWING]
    return len(interactions) - len(owed) - len(nobody)


def _callbacks(hall: Hall) -> None:
    """One in flight per number, whose next step is always due; what its time has passed is with an agent (CBQ-09)."""
    owed = [i for i in hall.world.state.interactions.values() if i.callback and not i.customer_leg]
    numbers = [i.ani for i in owed]
    assert len(numbers) == len(set(numbers)), f"two callbacks to one number: {numbers}"
    timers = hall.world.state.timers
    for interaction in owed:
        call = interaction.callback
        assert call is not None
        rests = call.state in (CallbackState.CHECKING, CallbackState.RESTING)
        assert rests == (key(Due.CALLBACK, interaction.id) in timers), f"nothing is due: {interaction}"
        is_with_agent = interaction.state in (_I.OFFERED, _I.CALLING_CUSTOMER)
        assert is_with_agent == (call.state is CallbackState.CALLING), interaction
        assert is_with_agent or timers[key(Due.EXPIRE, interaction.id)] == call.expires_ms >= hall.clock.now_ms
        assert 0 <= call.attempts <= hall.world.config.callbacks.max_attempts, interaction


def _has_customer(interaction: Interaction) -> bool:
    """Whether there must be a leg of the customer's."""
    if interaction.kind == "callback":
        return interaction.answered_at_ms is not None
    return interaction.kind not in ("voicemail", "seat") and interaction.state not in (*OUTDIALING, _I.PREVIEWING)


def _outdial(interaction: Interaction) -> None:
    """First the agent alone is rung, then the customer alone; there is a customer's leg exactly from his answer on."""
    is_dialing = interaction.state in OUTDIALING
    assert bool(interaction.customer_leg) == _has_customer(interaction), interaction
    for kind in ("outdial", "callback"):
        assert (getattr(interaction, kind) is not None) == (interaction.kind == kind), interaction
    assert (interaction.message is not None) == (interaction.kind == "voicemail"), interaction
    if is_dialing:
        (offer,) = interaction.offers
        assert offer.purpose.value == interaction.kind, interaction
        assert bool(offer.agent_id) == (interaction.state is _I.CALLING_AGENT), interaction
        assert interaction.answered_at_ms is None, interaction


def _is_external(one: Offer | Party) -> bool:
    """A number instead of an agent, never both."""
    assert bool(one.number) != bool(one.agent_id), one
    return bool(one.number)


def _hears(interaction: Interaction) -> None:
    """Nobody is in two rooms, and the customer and the consulted agent are never both with music (HOLD-08)."""
    legs = [leg for room in interaction.rooms for leg in room.legs]
    assert len(legs) == len(set(legs)), interaction
    with_music = {leg for room in interaction.rooms if room.music for leg in room.legs}
    second = [p.leg_id for p in interaction.parties[1:]]
    assert not (interaction.customer_leg in with_music and with_music & set(second)), interaction


def _recording(hall: Hall, interaction: Interaction) -> None:
    """It is that of the agent whose call it is, and exactly a pause has a deadline (REC-05)."""
    recording = interaction.recording
    before_talk = (*OUTDIALING, _I.REACHED, _I.SEATED)
    owners = [p for p in interaction.parties if p.role is Role.OWNER and interaction.state not in before_talk]
    legs = [p.leg_id for p in owners if p.recording]
    assert legs == ([] if recording.state is RecordingState.OFF else [recording.leg_id]), interaction
    deadline = hall.world.state.timers.get(key(Due.RECORDING, interaction.id))
    assert deadline == recording.resume_at_ms, interaction
    assert (deadline is not None) == (recording.state is RecordingState.PAUSED), interaction


def _agent(hall: Hall, agent: Agent) -> None:
    busy = [e for e in agent.engagements.values() if e.state in BUSY]
    assert len(busy) <= 1, f"on two calls: {agent}"
    for engagement in agent.engagements.values():
        interaction = hall.world.state.interactions.get(engagement.interaction_id)
        if engagement.state is _E.WRAP_UP:
            assert interaction is None or agent.id not in [p.agent_id for p in interaction.parties]
        elif engagement.state is _E.PREVIEW:
            assert interaction is not None, f"looks at nothing: {agent}"
            assert interaction.state is _I.PREVIEWING, f"looks at a call: {agent}"
            assert interaction.campaign is not None
            assert interaction.campaign.agent_id == agent.id, f"looks at another one's record: {agent}"
        elif engagement.state is _E.OFFERED:
            assert interaction is not None, f"reserved for nothing: {agent}"
            assert interaction.offer_to(agent.id) is not None, f"reserved for nothing: {agent}"
        else:
            assert interaction is not None, f"talks with nobody: {agent}"
            assert agent.id in [p.agent_id for p in interaction.parties], f"talks with nobody: {agent}"


def _rona(hall: Hall, agent: Agent, item: Input) -> None:
    before = hall.before_agents.get(agent.id)
    if before is None or before.state is not AgentState.RONA:
        return
    new = set(agent.engagements) - set(before.engagements)
    by_himself = isinstance(item, GoAvailable | GoIdle) and item.agent_id == agent.id
    by_phone = isinstance(item, FeatureDialed) and item.phone == hall.world.config.agents[agent.id].phone
    assert by_himself or by_phone or (agent.state is AgentState.RONA and not new), f"RONA ended by itself: {agent}"


def _timers(hall: Hall) -> None:
    timers = hall.world.state.timers
    for interaction in hall.world.state.interactions.values():
        for offer in interaction.offers:
            deadline = timers.get(key(Due.OFFER, interaction.id, offer.agent_id))
            assert deadline == offer.deadline_ms, f"a reservation without an end: {offer}"
        if interaction.supervision and not interaction.supervision.is_up:
            deadline = timers.get(key(Due.SUPERVISE, interaction.id))
            assert deadline == interaction.supervision.deadline_ms, "a supervisor's telephone that rings for ever"
    for agent in hall.world.state.agents.values():
        for engagement in agent.engagements.values():
            if engagement.state is _E.WRAP_UP and engagement.deadline_ms is not None:
                assert timers.get(key(Due.WRAP_UP, engagement.interaction_id, agent.id)) == engagement.deadline_ms
    for timer in timers:
        _, interaction_id, agent_id = timer.split(":")
        state = hall.world.state
        engaged = agent_id and interaction_id in hall.agent(agent_id).engagements
        of_campaign = interaction_id in state.records or interaction_id in state.campaigns
        assert interaction_id in state.interactions or engaged or of_campaign, f"a deadline of nobody: {timer}"


def is_free(hall: Hall, member: AgentConfig) -> bool:
    """Whether the rules say that he can take an offer now, worked out from state and configuration alone."""
    agent, state = hall.world.state.agents.get(member.id), hall.world.state
    profile = hall.world.config.profiles[member.profile]
    return (
        agent is not None
        and agent.state is AgentState.AVAILABLE
        and not agent.supervising
        and all(_gives_way(hall, interaction_id) for interaction_id in agent.engagements)
        and profile.receive_calls
        and state.links.get(member.pbx, False)
        and state.phones.get(f"{member.pbx}|{member.phone}") is PhoneState.FREE
    )


def _gives_way(hall: Hall, interaction_id: str) -> bool:
    """An outdial that does not ring yet loses the race against any call from the queue (OUT-20, A24)."""
    interaction = hall.world.state.interactions.get(interaction_id)
    return (
        interaction is not None
        and interaction.kind != "seat"
        and interaction.state is _I.CALLING_AGENT
        and [offer.state for offer in interaction.offers] == [OfferState.RESERVED]
    )


def reaches(hall: Hall, pbx: str, member: AgentConfig) -> bool:
    """His telephone is of that PBX, or it has a trunk to his."""
    return member.pbx == pbx or member.pbx in hall.world.config.pbxs[pbx].trunks


def waits_for(hall: Hall, interaction: Interaction) -> str:
    """For whom alone it waits now (ROUTE-08); not for who is signed out, or must not have it."""
    preferred = interaction.preferred
    if preferred is None or preferred.until_ms <= hall.clock.now_ms:
        return ""
    agent = hall.world.state.agents.get(preferred.agent_id)
    is_barred = preferred.agent_id in interaction.excluded
    is_barred |= interaction.is_skipping(preferred.agent_id, hall.clock.now_ms)
    is_there = agent is not None and agent.state is not AgentState.LOGGED_OUT
    return preferred.agent_id if is_there and not is_barred else ""


def suits(hall: Hall, member: AgentConfig, interaction: Interaction) -> bool:
    """Whether that call may be offered to him: in reach, member, skilled enough, not skipped, queue not at its cap."""
    if waits_for(hall, interaction) not in ("", member.id):
        return False
    queue, skills = hall.world.config.queues[interaction.queue], dict(member.skills)
    talking = sum(
        e.queue == queue.id and e.state in BUSY
        for a in hall.world.state.agents.values()
        for e in a.engagements.values()
    )
    return (
        queue.id in dict(member.queues)
        and reaches(hall, interaction.pbx, member)
        and all(skills.get(skill, 0) >= level for skill, level in interaction.requires)
        and not interaction.is_skipping(member.id, hall.clock.now_ms)
        and member.id not in interaction.excluded
        and (queue.max_talking is None or talking < queue.max_talking)
    )


def _paths(hall: Hall, effects: Effects) -> None:
    """Every leg is dialed on the PBX of its call; an agent's never without a way to him, nor while a link is down."""
    dials = {command.leg_id: command for command in effects.commands if isinstance(command, DialLeg)}
    for interaction in hall.world.state.interactions.values():
        for offer in interaction.offers:
            dial, member = dials.get(offer.leg_id), hall.world.config.agents.get(offer.agent_id)
            if dial is None or member is None:
                continue
            assert dial.pbx == interaction.pbx, dial
            assert reaches(hall, dial.pbx, member), f"no trunk leads there: {dial}"
            trunk = hall.world.config.pbxs[dial.pbx].trunks.get(member.pbx, "")
            over = trunk.replace("{number}", member.phone.rsplit("/")[-1])
            assert dial.phone == (member.phone if member.pbx == dial.pbx else over), dial
            assert hall.world.state.links.get(member.pbx), f"his PBX is away: {dial}"
            assert hall.world.state.links.get(dial.pbx), f"the caller's PBX is away: {dial}"


def is_waiting(interaction: Interaction) -> bool:
    """It waits for an agent now; a callback does when it is due, or has had its customer."""
    call = interaction.callback
    is_due = call is None or bool(interaction.customer_leg) or call.state is CallbackState.DUE
    return interaction.state is _I.QUEUED and is_due


def _liveness(hall: Hall) -> None:
    free = [member for member in hall.world.config.agents.values() if is_free(hall, member)]
    for interaction in hall.world.state.interactions.values():
        if not hall.world.state.links.get(interaction.pbx, False):
            continue
        if is_waiting(interaction):
            idle = [member.id for member in free if suits(hall, member, interaction)]
            assert not idle, f"{interaction.id} waits although {idle} could take it"
        consult = interaction.consult
        if consult and consult.queue and interaction.state in SEEKING and not interaction.offers:
            helpers = [m.id for m in free if _could_help(hall, m, interaction, consult)]
            assert not helpers, f"the consult of {interaction.id} waits although {helpers} could take it"


def _could_help(hall: Hall, member: AgentConfig, interaction: Interaction, consult: Consult) -> bool:
    asked = replace(interaction, queue=consult.queue, requires=hall.world.config.queues[consult.queue].requires)
    return member.id not in consult.skips and suits(hall, member, replace(asked, skips=()))


def _offers_in_order(hall: Hall) -> None:
    """A call offered in this step leaves no older equal one waiting that this agent could have taken (FIFO)."""
    for interaction in hall.world.state.interactions.values():
        before = hall.before_calls.get(interaction.id)
        old = {offer.id for offer in before.offers} if before else set()
        for offer in interaction.offers:
            if offer.id not in old and offer.agent_id and offer.purpose in FROM_THE_QUEUE:
                _nobody_was_before(hall, interaction, hall.world.config.agents[offer.agent_id])


def _nobody_was_before(hall: Hall, offered: Interaction, member: AgentConfig) -> None:
    for other in hall.world.state.interactions.values():
        is_equal = (other.queue, other.requires) == (offered.queue, offered.requires)
        is_first = (-other.priority, other.entered_at_ms) < (-offered.priority, offered.entered_at_ms)
        is_older = other.priority >= offered.priority and other.entered_at_ms < offered.entered_at_ms
        if is_waiting(other) and is_equal and is_first and is_older:
            is_barred = member.id in other.excluded or other.is_skipping(member.id, hall.clock.now_ms)
            is_barred |= waits_for(hall, other) not in ("", member.id)
            is_barred |= not hall.world.state.links.get(other.pbx, False) or not reaches(hall, other.pbx, member)
            assert is_barred, f"{offered.id} overtook {other.id}"
