"""Agents sign in and out and say whether they take calls, from the command line, the API or their phone."""

from __future__ import annotations

from routing.core import campaigns, overflow, seating, wrapup
from routing.core.agent import Agent, AgentTrigger, next_agent_state
from routing.core.commands import ReplyFeature
from routing.core.config import AgentConfig
from routing.core.engagements import change_state
from routing.core.errors import AgentEngaged, DomainError, UnknownAgent, UnknownReason
from routing.core.events import EventType
from routing.core.facts import FeatureDialed, PhoneChanged, phone_key
from routing.core.orders import FinishWrapUp, GoAvailable, GoIdle, SignIn, SignOut
from routing.core.world import World

Values = dict[str, object]


def sign_in(world: World, order: SignIn) -> Values:
    """From logged out to available, or to idle with a reason. Raises UnknownAgent, UnknownReason, IllegalTransition."""
    agent = _configured(world, order.agent_id)
    reason = order.idle_reason
    if reason is not None:
        _check_idle_reason(world, reason)
    trigger = AgentTrigger.SIGNED_IN if reason is None else AgentTrigger.SIGNED_IN_IDLE
    clocks = {"signed_in_at_ms": world.now_ms, "busy_ms": 0, "calls": 0, "available_since_ms": world.now_ms}
    return _shown(change_state(world, agent, trigger, reason, **clocks))


def sign_out(world: World, order: SignOut) -> Values:
    """Raises AgentEngaged while an interaction is not over, IllegalTransition in RONA (STATE-06)."""
    agent = world.agent(order.agent_id)
    in_hand = [id_ for id_ in agent.engagements if id_ not in seating.seats_of(world, agent.id)]
    if in_hand:
        raise AgentEngaged(agent_id=agent.id, interaction_id=in_hand[0])
    next_agent_state(agent.state, AgentTrigger.SIGNED_OUT)  # raises before anything has changed
    campaigns.left_work(world, agent.id, "signed_out")
    shown = _shown(change_state(world, world.agent(agent.id), AgentTrigger.SIGNED_OUT))
    config = world.config.agents.get(agent.id)
    overflow.staff_left(world, tuple(queue for queue, _rank in config.queues) if config else ())
    return shown


def go_available(world: World, order: GoAvailable) -> Values:
    """Also the one way from RONA back to work."""
    return _shown(change_state(world, _configured(world, order.agent_id), AgentTrigger.WENT_AVAILABLE))


def go_idle(world: World, order: GoIdle) -> Values:
    """Takes effect at once for new offers; a call that is up goes on, and he is idle after it."""
    agent = _configured(world, order.agent_id)
    _check_idle_reason(world, order.reason)
    return _shown(change_state(world, agent, AgentTrigger.WENT_IDLE, order.reason))


def phone_changed(world: World, fact: PhoneChanged) -> None:
    """The PBX's view of a telephone; it gates offers (STATE-10, ROUTE-15)."""
    if world.state.phones.get(phone_key(fact.pbx, fact.phone)) is fact.state:
        return
    world.set_phone(fact.pbx, fact.phone, fact.state)
    if owner := world.agent_at_phone(fact.pbx, fact.phone):
        world.emit(EventType.AGENT_PHONE_CHANGED, None, owner.id, phone_state=fact.state.value)


def feature_dialed(world: World, fact: FeatureDialed) -> None:
    """An agent uses his phone; he hears whether it was accepted."""
    owner = world.agent_at_phone(fact.pbx, fact.phone)
    accepted = owner is not None and _try_feature(world, owner, fact)
    world.send(ReplyFeature(id=world.new_id("cmd"), pbx=fact.pbx, leg_id=fact.leg_id, accepted=accepted))


def _try_feature(world: World, owner: AgentConfig, fact: FeatureDialed) -> bool:
    try:
        _feature(world, owner, fact)
    except DomainError:
        return False
    return True


def _feature(world: World, owner: AgentConfig, fact: FeatureDialed) -> None:
    order_id, actor = world.new_id("ord"), f"phone:{fact.phone}"
    match fact.code:
        case "sign_in" if owner.pin is None or owner.pin == fact.argument:
            sign_in(world, SignIn(order_id=order_id, actor=actor, agent_id=owner.id))
        case "sign_out":
            sign_out(world, SignOut(order_id=order_id, actor=actor, agent_id=owner.id))
        case "available":
            go_available(world, GoAvailable(order_id=order_id, actor=actor, agent_id=owner.id))
        case "idle":
            reason = _numbered(world.config.idle_reasons, fact.argument)
            go_idle(world, GoIdle(order_id=order_id, actor=actor, agent_id=owner.id, reason=reason))
        case "wrap_up_done":
            given = _numbered(world.config.wrap_up_reasons, fact.argument) if fact.argument else None
            wrapup.finish(world, FinishWrapUp(order_id=order_id, actor=actor, agent_id=owner.id, reason=given))
        case _:
            raise UnknownReason(kind="feature", reason=fact.code, known="feature codes only")


def _numbered(reasons: tuple[str, ...], digits: str) -> str:
    """The reason with this number, counted from 1; no digits mean the first."""
    index = int(digits) - 1 if digits.isdecimal() and len(digits) < 4 else 0 if not digits else -1
    if not 0 <= index < len(reasons):
        raise UnknownReason(kind="numbered", reason=digits, known=", ".join(reasons))
    return reasons[index]


def _configured(world: World, agent_id: str) -> Agent:
    if agent_id not in world.config.agents:
        raise UnknownAgent(agent_id=agent_id)
    return world.agent(agent_id)


def _check_idle_reason(world: World, reason: str) -> None:
    if reason not in world.config.idle_reasons:
        raise UnknownReason(kind="idle", reason=reason, known=", ".join(world.config.idle_reasons))


def _shown(agent: Agent) -> Values:
    return {"state": agent.shown_state, "reason": agent.reason}
