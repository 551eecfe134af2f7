"""The guard of every order on a call: what an agent may do now, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core import numbers
from routing.core.agent import Agent, Engagement, EngagementState
from routing.core.campaign_rules import Campaign
from routing.core.capacity import count_dial
from routing.core.config import AgentConfig, Config, Profile
from routing.core.dial_rights import DialRights
from routing.core.errors import (
    ActionNotAllowed,
    AgentNotAvailable,
    AgentNotEngaged,
    TargetNotAllowed,
    UnknownAgent,
    UnknownTarget,
)
from routing.core.interaction import CUSTOMER_ON_HOLD, Interaction, InteractionState, Role
from routing.core.numbers import DialNumber
from routing.core.reach import is_in_reach
from routing.core.roles import (
    OF_CAMPAIGN,
    OUTSIDE_TABLE,
    RECORDING_ACTIONS,
    RINGING_TABLE,
    ROLE_TABLE,
    UNDONE,
    Action,
)
from routing.core.world import World

# What ends the customer's call; a profile may leave that to the customer.
_ENDING = frozenset({Action.END, Action.END_CONFERENCE, Action.CANCEL_OUTDIAL})

_RESCHEDULING = frozenset({Action.PLAN_CALLBACK, Action.CANCEL_PLANNED_CALLBACK})


def allowed_actions(
    config: Config, interaction: Interaction | None, agent: Agent, engagement: Engagement
) -> frozenset[Action]:
    """The tables, less what his profile forbids (OFFER-05). `interaction`: None when it has ended."""
    role = interaction.role_of(agent.id) if interaction else None
    profile = profile_of(config, agent.id)
    if interaction is None or engagement.state is EngagementState.WRAP_UP:
        actions = OUTSIDE_TABLE.get(engagement.state, frozenset()) | (UNDONE if engagement.record_id else frozenset())
        return actions - _not_to_reschedule(profile, None)
    if role is None:
        actions = RINGING_TABLE.get(interaction.state, frozenset()) if interaction.kind != "seat" else frozenset()
    else:
        actions = ROLE_TABLE.get((interaction.state, role), frozenset()) | _recording(config, interaction, role)
        if role is Role.OWNER and interaction.kind == "campaign":
            actions |= OF_CAMPAIGN.get(interaction.state, frozenset())
    actions -= _not_to_reschedule(profile, interaction.state)
    if profile is None or profile.end_calls:
        return actions
    return actions - (_ENDING if interaction.state is InteractionState.PREVIEWING else _ENDING | {Action.MARK_DONE})


def _not_to_reschedule(profile: Profile | None, state: InteractionState | None) -> frozenset[Action]:
    """Callbacks are scheduled by whom the profile allows it, before the call by a right of its own (PERM-07, 08)."""
    if profile is None:
        return _RESCHEDULING
    is_free = profile.reschedule_before_dial if state is InteractionState.PREVIEWING else profile.reschedule
    return frozenset() if is_free else _RESCHEDULING


def profile_of(config: Config, agent_id: str) -> Profile | None:
    """What this agent may do; None for one who is not configured any more."""
    agent = config.agents.get(agent_id)
    return config.profiles.get(agent.profile) if agent else None


def _recording(config: Config, interaction: Interaction, role: Role) -> frozenset[Action]:
    """What the owner may do with his recording; pausing only where there is a privacy shield (REC-02)."""
    if role is not Role.OWNER:
        return frozenset()
    is_held = interaction.state in CUSTOMER_ON_HOLD
    actions = RECORDING_ACTIONS.get((interaction.recording.state, is_held), frozenset())
    return actions if config.recording_pause_s is not None else actions - {Action.PAUSE_RECORDING}


def require(world: World, agent_id: str, interaction_id: str, action: Action) -> tuple[Agent, Interaction]:
    """Raises UnknownInteraction, UnknownAgent, AgentNotEngaged, ActionNotAllowed."""
    interaction, agent = world.interaction(interaction_id), world.agent(agent_id)
    engagement = agent.engagements.get(interaction_id)
    if engagement is None:
        raise AgentNotEngaged(agent_id=agent_id, interaction_id=interaction_id)
    allowed = allowed_actions(world.config, interaction, agent, engagement)
    if action not in allowed:
        raise ActionNotAllowed(action=action.value, allowed_actions=sorted(a.value for a in allowed))
    return agent, interaction


def require_free(world: World, agent_id: str, interaction: Interaction) -> None:
    """Raises UnknownAgent, or AgentNotAvailable with the reason (XFER-06, XFER-07)."""
    config = world.config.agents.get(agent_id)
    if config is None:
        raise UnknownAgent(agent_id=agent_id)
    if because := world.unavailable_because(agent_id) or _cut_off(world, config, interaction):
        raise AgentNotAvailable(agent_id=agent_id, because=because)


def _cut_off(world: World, agent: AgentConfig, interaction: Interaction) -> str:
    """Why the PBX of the call cannot ring his telephone now; empty when it can."""
    if not is_in_reach(world.config, interaction.pbx, agent.pbx):
        return "other_pbx"
    return "" if world.is_linked(interaction.pbx) else "pbx_link_down"


def require_queue(world: World, queue_id: str) -> None:
    """Raises UnknownTarget."""
    if queue_id not in world.config.queues:
        raise UnknownTarget(kind="queue", target=queue_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A number that may be dialed, and the dial string of the PBX for it."""

    number: DialNumber
    phone: str

    def values(self) -> dict[str, object]:
        """For replies and events: the number as it is dialed, and which form matched (A3)."""
        return {"to_number": self.number.text, "form": self.number.form.value}


def require_number(world: World, agent_id: str, interaction: Interaction, text: str) -> Outside:
    """Raises as `outside_number`."""
    return outside_number(world, agent_id, interaction.pbx, text)


def outside_number(world: World, agent_id: str, pbx_id: str, text: str, *, is_outdial: bool = False) -> Outside:
    """A number that this agent may dial now; it counts as dialed. The one way to every dialing of an outside number.

    Raises NumberRefused: malformed (DIAL-06), not of his profile (SAFE-04), an entry point's (DIAL-11, DIAL-12), in an
    outdial a telephone's of ours (DIAL-13) or of no external form (A2), no trunk. Raises DialRateReached.
    """
    config = world.config
    number = numbers.parse(text, config.numbers)
    if is_outdial:
        numbers.refuse_extension(number, world.extensions, config.numbers)
    numbers.refuse_entry_point(number, world.entry_numbers, config.numbers)
    if is_outdial:
        numbers.require_external(number)
    profile = profile_of(config, agent_id)
    numbers.permit(number, profile.dial if profile else DialRights(), config.numbers)
    pbx = config.pbxs.get(pbx_id)
    phone = numbers.render(number, pbx.dial if pbx else "", pbx.dial_colon if pbx else None)
    count_dial(world, agent_id)
    return Outside(number=number, phone=phone)


def callback_number(world: World, pbx_id: str, text: str) -> Outside:
    """A number that may be called back; it may have come from a stranger, who must not make us dial what he likes.

    Raises NumberRefused: malformed, a service code or too short for a telephone (so is every emergency number), one of
    our own, not of the rules of callbacks (SAFE-04), no trunk. Nothing is counted.
    """
    config = world.config
    number = numbers.parse(text, config.numbers)
    numbers.require_telephone(number)
    numbers.refuse_extension(number, world.extensions, config.numbers)
    numbers.refuse_entry_point(number, world.entry_numbers, config.numbers)
    numbers.permit(number, config.callbacks.dial, config.numbers)
    pbx = config.pbxs.get(pbx_id)
    return Outside(number=number, phone=numbers.render(number, pbx.dial if pbx else "", None))


def campaign_number(world: World, campaign: Campaign, pbx_id: str, text: str) -> Outside:
    """A number that this campaign may dial; it comes from a list, which nobody has looked through (SAFE-04).

    Raises NumberRefused as `callback_number`, by the rules of the campaign. Nothing is counted.
    """
    config = world.config
    number = numbers.parse(text, config.numbers)
    numbers.require_telephone(number)
    numbers.refuse_extension(number, world.extensions, config.numbers)
    numbers.refuse_entry_point(number, world.entry_numbers, config.numbers)
    numbers.permit(number, campaign.dial, config.numbers)
    pbx = config.pbxs.get(pbx_id)
    return Outside(number=number, phone=numbers.render(number, pbx.dial if pbx else "", None))


# Where a call may be transferred to; the names are those of the API.
TRANSFER_TARGETS = ("agent", "queue", "entry_point", "number")


def transfer_targets(config: Config, interaction: Interaction, agent_id: str) -> tuple[str, ...]:
    """Kinds of targets that this agent may transfer this call to; from an outdial, and from a campaign's call, a queue
    only by profile (XFER-13, PROG-10).
    """
    profile = profile_of(config, agent_id)
    is_narrow = interaction.kind in ("outdial", "campaign") and not (profile and profile.outdial_to_queue)
    return tuple(kind for kind in TRANSFER_TARGETS if not (is_narrow and kind in ("queue", "entry_point")))


def require_target(world: World, agent_id: str, interaction: Interaction, kind: str) -> None:
    """Raises TargetNotAllowed."""
    if kind not in transfer_targets(world.config, interaction, agent_id):
        raise TargetNotAllowed(kind=kind, rule="outdial_to_queue")


def require_one_target(**targets: str | None) -> None:
    """Raises UnknownTarget unless exactly one is given."""
    given = {name: value for name, value in targets.items() if value}
    if len(given) != 1:
        raise UnknownTarget(kind="single target", target=", ".join(given) or "none given")
