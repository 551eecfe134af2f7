"""Drives the pure core as an engine would, one input at a time on a clock of its own; no PBX, no store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.commands import Command, DialLeg, HangUpLeg, SetRooms
from routing.core.config import AgentConfig, Config, EntryPoint, Pbx, Profile, Queue, WrapUp
from routing.core.declarations import CadType, CadVariable
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LinkRestored,
    PhoneChanged,
    PhoneState,
    RoomsReached,
)
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import AnyOrder, ApplyConfig, FireTimer, GoAvailable, Reply, SignIn
from routing.core.step import Input, step
from routing.core.world import World, WorldState

START_MS = 1_800_000_000_000

CAD = (
    CadVariable(name="case", label="Case", type=CadType.INTEGER, order=1),
    CadVariable(name="tier", label="Tier", order=2, editable=False),
    CadVariable(name="card", label="Card", order=3, secure=True),
    CadVariable(name="due", label="Due", type=CadType.DATE, order=4),
)


def queue(queue_id: str = "sales", **changes: Any) -> Queue:
    return replace(Queue(id=queue_id, label=queue_id.title()), **changes)


def agent(
    agent_id: str,
    *,
    skills: dict[str, int] | None = None,
    queues: tuple[tuple[str, int], ...] = (("sales", 1),),
    **changes: Any,
) -> AgentConfig:
    levels = tuple(sorted((skills or {}).items()))
    base = AgentConfig(
        id=agent_id,
        name=agent_id.title(),
        team="t",
        pbx="a",
        phone=f"PJSIP/{agent_id}",
        skills=levels,
        queues=queues,
    )
    return replace(base, **changes)


def config(agents: list[AgentConfig], queues: list[Queue] | None = None, **changes: Any) -> Config:
    chosen = queues or [queue()]
    base = Config(
        tenant="test",
        pbxs={"a": Pbx(id="a", kind="simulated")},
        queues={q.id: q for q in chosen},
        entry_points={q.id: EntryPoint(id=q.id, queue=q.id, numbers=(f"70{n:02}",)) for n, q in enumerate(chosen)},
        profiles={"default": Profile(id="default"), "no_calls": Profile(id="no_calls", receive_calls=False)},
        agents={a.id: a for a in agents},
        cad=CAD,
        idle_reasons=("break", "training"),
        wrap_up_reasons=("done", "follow_up"),
    )
    return replace(base, **changes)


WRAP = WrapUp(timeout_s=30, default_reason="done", extension_s=20, max_extensions=2)


class Driver:
    """`now_ms` only moves through `advance`, which fires the deadlines on the way.

    `log` keeps every input, for replays.
    """

    def __init__(self, configuration: Config, *, ready: tuple[str, ...] | None = None) -> None:
        self.world = World(WorldState(config=Config(tenant="test")))
        self.now_ms, self.seq, self._order = START_MS, 0, 0
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.traces: list[Trace] = []
        self.ended: dict[str, Interaction] = {}
        self.log: list[tuple[int, int, Input]] = []
        self.last = Effects()
        self.apply(configuration)
        phones = {a.phone: PhoneState.FREE for a in configuration.agents.values()}
        self.give(LinkRestored(pbx="a", phones=phones))
        for agent_id in configuration.agents if ready is None else ready:
            self.order(SignIn, agent_id=agent_id)
            self.now_ms += 10

    # ------------------------------------------------------------------ inputs

    def give(self, item: Input) -> Effects:
        self.seq += 1
        self.log.append((self.now_ms, self.seq, item))
        effects = self.last = step(self.world, item, self.now_ms, self.seq)
        self.commands += effects.commands
        self.events += effects.events
        self.traces += effects.traces
        self.ended |= effects.ended
        return effects

    def order(self, kind: type, **fields: Any) -> Reply:
        self._order += 1
        item: AnyOrder = kind(order_id=f"ord_{self._order}", reply_to="here", **fields)
        (reply,) = self.give(item).replies
        return reply

    def apply(self, configuration: Config, expected: int | None = None) -> Reply:
        return self.order(ApplyConfig, config=configuration, expected_revision=expected)

    def advance(self, seconds: float) -> None:
        """Let time pass, firing each deadline at its own moment."""
        end = self.now_ms + round(seconds * 1000)
        while due := sorted((at, k) for k, at in self.world.state.timers.items() if at <= end):
            at, timer_key = due[0]
            self.now_ms = max(self.now_ms, at)
            self.give(FireTimer(key=timer_key))
        self.now_ms = end

    # ------------------------------------------------------------------ a caller's and an agent's doings

    def call(self, name: str = "c1", entry_point: str = "sales", **fields: Any) -> str:
        """A caller arrives; returns the interaction id, empty when he was not let in."""
        self.give(
            LegArrived(
                pbx="a",
                leg_id=f"leg_{name}",
                entry_point=entry_point,
                ani="+12015550100",
                dnis="7000",
                **fields,
            )
        )
        found = self.world.interaction_of(f"leg_{name}")
        self.now_ms += 10
        return found.id if found else ""

    def hang_up(self, leg_id: str) -> None:
        self.give(LegEnded(pbx="a", leg_id=leg_id))

    def offered(self, interaction_id: str) -> tuple[str, ...]:
        return tuple(o.agent_id for o in self.interaction(interaction_id).offers)

    def leg_of(self, interaction_id: str, agent_id: str) -> str:
        interaction = self.interaction(interaction_id)
        offer = interaction.offer_to(agent_id)
        return offer.leg_id if offer else next(p.leg_id for p in interaction.parties if p.agent_id == agent_id)

    def ring(self, interaction_id: str, agent_id: str) -> None:
        self.give(LegRinging(pbx="a", leg_id=self.leg_of(interaction_id, agent_id)))

    def answer(self, interaction_id: str, agent_id: str) -> None:
        """The agent picks up and the PBX confirms the bridge."""
        self.ring(interaction_id, agent_id)
        self.give(LegAnswered(pbx="a", leg_id=self.leg_of(interaction_id, agent_id)))
        self.reach(interaction_id)

    def reach(self, interaction_id: str) -> None:
        version = self.interaction(interaction_id).rooms_version
        self.give(RoomsReached(pbx="a", interaction_id=interaction_id, version=version))

    def fail(self, interaction_id: str, agent_id: str, outcome: DialOutcome) -> None:
        self.give(DialFailed(pbx="a", leg_id=self.leg_of(interaction_id, agent_id), outcome=outcome))

    def phone(self, agent_id: str, state: PhoneState) -> None:
        self.give(PhoneChanged(pbx="a", phone=f"PJSIP/{agent_id}", state=state))

    def available(self, agent_id: str) -> Reply:
        return self.order(GoAvailable, agent_id=agent_id)

    # ------------------------------------------------------------------ looking

    def interaction(self, interaction_id: str) -> Interaction:
        return self.world.interaction(interaction_id)

    def state_of(self, agent_id: str) -> str:
        return self.world.agent(agent_id).shown_state

    def dialed(self) -> list[str]:
        """Phones rung so far, in order."""
        return [c.phone for c in self.commands if isinstance(c, DialLeg)]

    def hung_up(self) -> list[str]:
        return [c.leg_id for c in self.commands if isinstance(c, HangUpLeg)]

    def rooms(self) -> SetRooms:
        """The newest order for rooms."""
        return next(c for c in reversed(self.commands) if isinstance(c, SetRooms))

    def told(self, *types: EventType) -> list[Event]:
        return [e for e in self.events if e.type in types]
