"""A core small enough to see at a glance whether every input was taken exactly once, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from routing.core.agent import Agent
from routing.core.commands import HangUpLeg
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import LegRinging
from routing.core.ids import IdSource
from routing.core.orders import FireTimer, Order, Reply
from routing.core.world import WorldState
from routing.store.port import Item


@dataclass(slots=True)
class TallyWorld:
    state: WorldState


class TallyCore:
    """Counts how often each leg rang, in `agents[leg].calls`; each first time also a command, an event and a timer.

    `agents[leg].since_ms` is the time of the last step on it. Legs named `bad...` make the step fail, as do timers
    of legs named `late_bad...`; other timers add 100. Orders are answered.
    """

    def __init__(self, timer_ms: int = 1000) -> None:
        self.timer_ms = timer_ms

    def build(self, state: WorldState) -> TallyWorld:
        return TallyWorld(state)

    def step(self, world: TallyWorld, item: Item, now_ms: int, seq: int) -> Effects:
        match item:
            case LegRinging(leg_id=leg):
                return self._count(world.state, leg, now_ms, seq)
            case FireTimer(key=key):
                return self._fire(world.state, key, now_ms)
            case Order():
                return Effects(replies=[Reply(order_id=item.order_id, reply_to=item.reply_to)])
            case _:
                return Effects()

    def calls(self, world: TallyWorld) -> int:
        return len(world.state.interactions)

    def begins_call(self, world: TallyWorld, item: object) -> bool:
        return False

    def _count(self, state: WorldState, leg: str, now_ms: int, seq: int) -> Effects:
        if leg.startswith("bad"):
            raise KeyError(leg)
        agent = state.agents.get(leg) or Agent(id=leg)
        state.agents[leg] = replace(agent, calls=agent.calls + 1, since_ms=now_ms)
        state.timers[leg] = now_ms + self.timer_ms
        return Effects(
            agents={leg},
            timers={leg},
            commands=[HangUpLeg(id=IdSource(now_ms, seq).make("cmd"), pbx="ast1", leg_id=leg)],
            events=[Event(type=EventType.OFFER_RINGING, at_ms=now_ms, agent_id=leg)],
        )

    def _fire(self, state: WorldState, key: str, now_ms: int) -> Effects:
        if key.startswith("late_bad"):
            raise ValueError(key)
        agent = state.agents[key]
        state.agents[key] = replace(agent, calls=agent.calls + 100, since_ms=now_ms)
        del state.timers[key]
        return Effects(agents={key}, timers={key})


def calls(state: WorldState | None) -> dict[str, int]:
    """How often each leg was counted."""
    return {leg: agent.calls for leg, agent in state.agents.items()} if state else {}
