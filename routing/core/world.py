"""Everything live of one tenant, the indexes that make a step cheap, and one step at a time undone if it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from routing.core.agent import Agent, AgentState, EngagementState
from routing.core.commands import Command
from routing.core.config import AgentConfig, Config, Requirement
from routing.core.effects import Effects
from routing.core.errors import UnknownAgent, UnknownInteraction
from routing.core.events import Event, EventType
from routing.core.facts import PhoneState
from routing.core.ids import IdSource
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching import AgentView, Pool
from routing.core.matching_types import FreeAgent, ProfileKey, WaitingCall


@dataclass(slots=True, kw_only=True)
class WorldState:
    """What is stored and what a replay must reproduce; nothing else of the world is truth.

    `phones`: state by `pbx|phone`. `links`: PBX id -> whether its link is up. `timers`: key -> deadline in ms UTC.
    `now_ms`, `seq`: time and journal number of the last step.
    """

    config: Config
    interactions: dict[str, Interaction] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    now_ms: int = 0
    seq: int = 0


class World:
    """The state, its indexes, and the effects of the step that is running.

    Handlers read through `interaction` and `agent` and write through `update_*`, `set_timer`, `send` and `emit`.
    All writes between `step` entry and its end are undone when the block raises.
    """

    def __init__(self, state: WorldState) -> None:
        self.state = state
        self.effects = Effects()
        self.now_ms = state.now_ms
        self._ids = IdSource(state.now_ms, state.seq)
        self._undo: dict[tuple[str, str], Any] = {}
        self.reindex()

    # ------------------------------------------------------------------ the running step

    @contextmanager
    def step(self, now_ms: int, seq: int) -> Iterator[None]:
        """One step at `now_ms` with journal number `seq`; what it did is undone if the block raises."""
        before = (self.state.config, self.state.now_ms, self.state.seq)
        self.effects, self.now_ms, self._ids, self._undo = Effects(), now_ms, IdSource(now_ms, seq), {}
        self.state.now_ms, self.state.seq = now_ms, seq
        try:
            yield
        except BaseException:
            self.rollback()
            self.state.config, self.state.now_ms, self.state.seq = before
            self.reindex()
            raise

    def rollback(self) -> None:
        """Undo every write of the running step; its effects are empty again."""
        tables: dict[str, dict[str, Any]] = {
            "i": self.state.interactions,
            "a": self.state.agents,
            "t": self.state.timers,
        }
        tables |= {"p": self.state.phones, "l": self.state.links}
        for (table, key), old in reversed(self._undo.items()):
            self._write(table, tables[table], key, old)
        self._undo.clear()
        self.effects = Effects()

    def _write(self, name: str, table: dict[str, Any], key: str, value: Any) -> None:
        """The single place where state changes: keeps the undo log and the indexes right. None deletes."""
        old = table.get(key)
        self._undo.setdefault((name, key), old)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
        if name == "i":
            self._index_interaction(key, old, value)
        elif name == "a":
            self._index_agent(key, old, value)

    # ------------------------------------------------------------------ reading

    @property
    def config(self) -> Config:
        return self.state.config

    def interaction(self, interaction_id: str) -> Interaction:
        """Raises UnknownInteraction."""
        try:
            return self.state.interactions[interaction_id]
        except KeyError:
            raise UnknownInteraction(interaction_id=interaction_id) from None

    def agent(self, agent_id: str) -> Agent:
        """Raises UnknownAgent."""
        try:
            return self.state.agents[agent_id]
        except KeyError:
            raise UnknownAgent(agent_id=agent_id) from None

    def interaction_of(self, leg_or_offer_id: str) -> Interaction | None:
        """The live interaction that this leg or offer belongs to."""
        found = self._owners.get(leg_or_offer_id)
        return self.state.interactions.get(found) if found else None

    def agent_at_phone(self, pbx: str, phone: str) -> AgentConfig | None:
        return self._at_phone.get((pbx, phone))

    def is_linked(self, pbx: str) -> bool:
        return self.state.links.get(pbx, False)

    def waiting_in(self, queue: str) -> int:
        """Calls of that queue which wait or are being offered."""
        return self._waiting_count[queue]

    def staff_of(self, queue: str) -> int:
        """Members of that queue who are signed in, whatever their state."""
        return self._staff_count[queue]

    # ------------------------------------------------------------------ writing

    def new_id(self, prefix: str) -> str:
        return self._ids.make(prefix)

    def put_interaction(self, interaction: Interaction) -> Interaction:
        self._write("i", self.state.interactions, interaction.id, interaction)
        self.effects.interactions.add(interaction.id)
        return interaction

    def update_interaction(self, interaction: Interaction, **changes: Any) -> Interaction:
        return self.put_interaction(replace(interaction, version=interaction.version + 1, **changes))

    def remove_interaction(self, interaction: Interaction) -> None:
        """Take an ended interaction out of the live state; its last value goes to the effects."""
        self._write("i", self.state.interactions, interaction.id, None)
        self.effects.interactions.add(interaction.id)
        self.effects.ended[interaction.id] = interaction

    def put_agent(self, agent: Agent) -> Agent:
        self._write("a", self.state.agents, agent.id, agent)
        self.effects.agents.add(agent.id)
        return agent

    def update_agent(self, agent: Agent, **changes: Any) -> Agent:
        return self.put_agent(replace(agent, **changes))

    def remove_agent(self, agent_id: str) -> None:
        self._write("a", self.state.agents, agent_id, None)
        self.effects.agents.add(agent_id)

    def set_phone(self, pbx: str, phone: str, state: PhoneState) -> None:
        key = f"{pbx}|{phone}"
        self._write("p", self.state.phones, key, state)
        self.effects.phones.add(key)
        if found := self._at_phone.get((pbx, phone)):
            self._stale_agents.add(found.id)

    def set_link(self, pbx: str, is_up: bool) -> None:
        self._write("l", self.state.links, pbx, is_up)
        self.effects.links.add(pbx)
        self._stale_agents.update(a.id for a in self.config.agents.values() if a.pbx == pbx)
        self._stale_calls.update(i.id for i in self.state.interactions.values() if i.pbx == pbx)

    def set_timer(self, key: str, at_ms: int) -> None:
        self._write("t", self.state.timers, key, at_ms)
        self.effects.timers.add(key)

    def clear_timer(self, key: str) -> None:
        if key in self.state.timers:
            self._write("t", self.state.timers, key, None)
            self.effects.timers.add(key)

    def set_config(self, config: Config) -> None:
        """Replace the configuration; indexes are built anew. Live state is not touched."""
        self.state.config = config
        self.effects.config_changed = True
        self.reindex()

    def send(self, command: Command) -> None:
        self.effects.commands.append(command)

    def emit(self, type_: EventType, interaction: Interaction | None = None, agent_id: str = "", **values: Any) -> None:
        """Add an event of now.

        `interaction_id` and `queue` may be given by name when there is no interaction any more.
        """
        about = {"interaction_id": interaction.id, "queue": interaction.queue} if interaction else {}
        about |= {name: values.pop(name) for name in ("interaction_id", "queue") if name in values}
        self.effects.events.append(Event(type=type_, at_ms=self.now_ms, agent_id=agent_id, values=values, **about))

    # ------------------------------------------------------------------ indexes

    def reindex(self) -> None:
        """Build every index from the state."""
        config, state = self.state.config, self.state
        self.pool = Pool(config)
        self._profiles: dict[str, ProfileKey] = {}
        self._at_phone = {(a.pbx, a.phone): a for a in config.agents.values()}
        self._owners: dict[str, str] = {}
        self._waiting_count: Counter[str] = Counter()
        self._staff_count: Counter[str] = Counter()
        self._talking: Counter[str] = Counter()
        self._waiting: dict[str, WaitingCall] = {}
        self._free: dict[str, FreeAgent] = {}
        self._stale_calls: set[str] = set()
        self._stale_agents: set[str] = set()
        self._stale_queues: set[str] = set()
        for interaction in state.interactions.values():
            self._index_interaction(interaction.id, None, interaction)
        for agent in state.agents.values():
            self._index_agent(agent.id, None, agent)

    def _index_interaction(self, key: str, old: Interaction | None, new: Interaction | None) -> None:
        if old:
            for leg in _owned_by(old):
                self._owners.pop(leg, None)
            self._waiting_count[old.queue] -= old.state in _WAITING
        if new:
            for leg in _owned_by(new):
                self._owners[leg] = key
            self._waiting_count[new.queue] += new.state in _WAITING
        self._stale_calls.add(key)

    def _index_agent(self, key: str, old: Agent | None, new: Agent | None) -> None:
        for agent, sign in ((old, -1), (new, 1)):
            if agent is None:
                continue
            if agent.state is not AgentState.LOGGED_OUT and key in self.config.agents:
                for queue, _rank in self.config.agents[key].queues:
                    self._staff_count[queue] += sign
            for engagement in agent.engagements.values():
                if engagement.state is not EngagementState.WRAP_UP:
                    self._talking[engagement.queue] += sign
                    self._stale_queues.add(engagement.queue)
        self._stale_agents.add(key)

    def sync_pool(self) -> Pool:
        """The matching pool, brought up to date with every write so far."""
        for queue in self._stale_queues:
            self.pool.set_talking(queue, self._talking[queue])
        for agent_id in self._stale_agents:
            self._sync_agent(agent_id)
        for call_id in self._stale_calls:
            self._sync_call(call_id)
        self._stale_queues.clear()
        self._stale_agents.clear()
        self._stale_calls.clear()
        return self.pool

    def _sync_agent(self, agent_id: str) -> None:
        free = self.agent_view(agent_id).free
        if free == self._free.get(agent_id):
            return
        if free is None:
            self._free.pop(agent_id, None)
            self.pool.remove_agent(agent_id)
        else:
            self._free[agent_id] = free
            self.pool.add_agent(free)

    def _sync_call(self, call_id: str) -> None:
        interaction = self.state.interactions.get(call_id)
        waits = interaction is not None and interaction.state is InteractionState.QUEUED
        call = self.waiting_call(interaction) if interaction and waits and self.is_linked(interaction.pbx) else None
        if call == self._waiting.get(call_id):
            return
        if call is None:
            self._waiting.pop(call_id, None)
            self.pool.remove_call(call_id)
        else:
            self._waiting[call_id] = call
            self.pool.add_call(call)

    # ------------------------------------------------------------------ what matching sees

    def waiting_call(self, interaction: Interaction) -> WaitingCall:
        """The interaction as matching sees it now."""
        return WaitingCall(
            id=interaction.id,
            queue=interaction.queue,
            requires=self._on_pbx(interaction.requires, interaction.pbx, 1),
            priority=interaction.priority,
            entered_at_ms=interaction.entered_at_ms,
            skip=frozenset(s.agent_id for s in interaction.skips if s.until_ms is None or s.until_ms > self.now_ms),
        )

    def agent_view(self, agent_id: str) -> AgentView:
        """The agent as matching sees him now: free, or why not."""
        profile = self._profile(agent_id)
        why = self.unavailable_because(agent_id)
        return AgentView(
            id=agent_id,
            profile=profile,
            unavailable_because=why,
            free=None if why else self._free_agent(agent_id, profile),
        )

    def agent_views(self) -> Iterator[AgentView]:
        return (self.agent_view(agent_id) for agent_id in self.config.agents)

    def unavailable_because(self, agent_id: str) -> str:
        """Why this agent takes no offers now, as a stable word; empty when he does (PERM-02, STATE-02, ROUTE-15)."""
        config, agent = self.config.agents.get(agent_id), self.state.agents.get(agent_id)
        if config is None or agent is None:
            return "removed"
        profile = self.config.profiles.get(config.profile)
        if profile is not None and not profile.receive_calls:
            return "no_permission"
        if agent.state is not AgentState.AVAILABLE:
            return agent.state.value
        if agent.engagements:
            return agent.shown_state
        if not self.is_linked(config.pbx):
            return "pbx_link_down"
        phone = self.phone_state(config)
        return "" if phone is PhoneState.FREE else f"phone_{phone.value}"

    def phone_state(self, config: AgentConfig) -> PhoneState:
        return self.state.phones.get(f"{config.pbx}|{config.phone}", PhoneState.UNKNOWN)

    def _profile(self, agent_id: str) -> ProfileKey:
        found = self._profiles.get(agent_id)
        if found is None:
            config = self.config.agents.get(agent_id)
            found = (self._on_pbx(config.skills, config.pbx, 10), config.queues) if config else ((), ())
            self._profiles[agent_id] = found
        return found

    def _on_pbx(self, skills: Requirement, pbx: str, level: int) -> Requirement:
        """With several PBXs, callers and agents meet on the same one only: there is no path between two PBXs."""
        return tuple(sorted((*skills, (f"@{pbx}", level)))) if len(self.config.pbxs) > 1 else skills

    def _free_agent(self, agent_id: str, profile: ProfileKey) -> FreeAgent:
        agent = self.state.agents[agent_id]
        signed_in_ms = max(1, agent.available_since_ms - agent.signed_in_at_ms)
        return FreeAgent(
            id=agent_id,
            profile=profile,
            available_since_ms=agent.available_since_ms,
            last_offer_ms=agent.last_offer_ms,
            occupancy=min(1.0, agent.busy_ms / signed_in_ms),
            order=self.config.agents[agent_id].order,
        )


_WAITING = frozenset({InteractionState.QUEUED, InteractionState.OFFERED})


def _owned_by(interaction: Interaction) -> Iterator[str]:
    yield interaction.customer_leg
    for offer in interaction.offers:
        yield offer.leg_id
        yield offer.id
    for party in interaction.parties:
        yield party.leg_id
