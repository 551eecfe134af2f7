"""Everything live of one tenant, the indexes that make a step cheap, and one step at a time undone if it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from routing.core.agent import Agent, AgentState
from routing.core.campaign import CampaignLive
from routing.core.commands import Command
from routing.core.config import AgentConfig, Config
from routing.core.copier import Copier
from routing.core.effects import Effects
from routing.core.errors import UnknownAgent, UnknownInteraction
from routing.core.events import Event, EventType
from routing.core.facts import PhoneState, phone_key
from routing.core.hoppers import Hoppers
from routing.core.ids import IdSource
from routing.core.indexes import Indexes
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching import AgentView, Pool
from routing.core.matching_types import Decision, Trace
from routing.core.reach import is_in_reach
from routing.core.record import RecordLive
from routing.core.tallies import Figure

_INTERACTIONS, _AGENTS = Copier(Interaction), Copier(Agent)

FULLY_EXPLAINED = 64  # members of a queue up to which every decision names each of them


@dataclass(slots=True, kw_only=True)
class WorldState:
    """What is stored and what a replay must reproduce; nothing else of the world is truth.

    `phones`: state by `pbx|phone`. `links`: PBX id -> whether its link is up. `timers`: key -> deadline in ms UTC.
    `figures`: see `routing.core.tallies`. `campaigns`: those that were ever loaded. `records`: in the engine's
    hands.
    `calls_granted`: customer calls that may live at once by the data centre's limit, None = no limit. `now_ms`, `seq`:
    time and journal number of the last step.
    """

    config: Config
    interactions: dict[str, Interaction] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    campaigns: dict[str, CampaignLive] = field(default_factory=dict)
    records: dict[str, RecordLive] = field(default_factory=dict)
    calls_granted: int | None = None
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
        self._indexes = Indexes(state)
        self.hoppers = Hoppers(state.records)

    # ------------------------------------------------------------------ the running step

    @contextmanager
    def step(self, now_ms: int, seq: int) -> Iterator[None]:
        """One step at `now_ms` with journal number `seq`; what it did is undone if the block raises."""
        before = (self.state.config, self.state.calls_granted, self.state.now_ms, self.state.seq)
        self.effects, self.now_ms, self._ids, self._undo = Effects(), now_ms, IdSource(now_ms, seq), {}
        self.state.now_ms, self.state.seq = now_ms, seq
        try:
            yield
        except BaseException:
            self.rollback()
            self.state.config, self.state.calls_granted, self.state.now_ms, self.state.seq = before
            self._indexes = Indexes(self.state)
            raise

    def rollback(self) -> None:
        """Undo every write of the running step; its effects are empty again."""
        tables: dict[str, dict[str, Any]] = {
            "i": self.state.interactions,
            "a": self.state.agents,
            "t": self.state.timers,
        }
        tables |= {"p": self.state.phones, "l": self.state.links, "f": self.state.figures}
        tables |= {"c": self.state.campaigns, "r": self.state.records}
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
            self._indexes.interaction_changed(key, old, value)
        elif name == "a":
            self._indexes.agent_changed(key, old, value)
        elif name == "r":
            self.hoppers.changed(old, value)

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
        found = self._indexes.owners.get(leg_or_offer_id)
        return self.state.interactions.get(found) if found else None

    def interaction_of_call(self, call_id: str) -> Interaction:
        """What a call of the pool belongs to.

        Itself, or the interaction whose consult it is. Raises UnknownInteraction.
        """
        return self.interaction(self._indexes.owners.get(call_id, call_id))

    def agent_at_phone(self, pbx: str, phone: str) -> AgentConfig | None:
        return self._indexes.at_phone.get((pbx, phone))

    @property
    def extensions(self) -> frozenset[str]:
        """Digits of the agents' own telephones."""
        return self._indexes.extensions

    @property
    def entry_numbers(self) -> frozenset[str]:
        """Every way in which the number of an entry point may be written."""
        return self._indexes.entry_numbers

    def dials_since(self, since_ms: int) -> tuple[int, ...]:
        """When outside numbers were dialed after that time, by whomever, oldest first; where a limit needs it."""
        return self._indexes.dials_since(since_ms)

    @property
    def supervised(self) -> frozenset[str]:
        """Interactions to which somebody listens, or is rung for it."""
        return frozenset(self._indexes.supervised)

    def is_linked(self, pbx: str) -> bool:
        return self.state.links.get(pbx, False)

    def interactions_on(self, pbx: str) -> list[Interaction]:
        """Live interactions of a PBX, oldest first, whatever order they were loaded in."""
        return sorted((i for i in self.state.interactions.values() if i.pbx == pbx), key=lambda i: i.id)

    def waiting_in(self, queue: str) -> int:
        """Calls of that queue which wait or are being offered."""
        return self._indexes.waiting[queue]

    @property
    def customer_calls(self) -> int:
        """Live calls with a customer, as they count for the limits (OUT-03)."""
        return self._indexes.customer_calls

    def campaign_calls(self, campaign: str, *states: InteractionState) -> list[Interaction]:
        """Its calls and seats that are in one of these states, oldest first."""
        calls = self._indexes.campaign_calls
        found = sorted(id_ for state in states for id_ in calls.get((campaign, state), ()))
        return [self.state.interactions[id_] for id_ in found]

    def each_campaign_call(self, campaign: str, state: InteractionState) -> Iterator[Interaction]:
        """The same of one state, in no order, which nothing may depend on. Not to be used on after a write."""
        return (self.state.interactions[id_] for id_ in self._indexes.campaign_calls.get((campaign, state), ()))

    def count_campaign_calls(self, campaign: str, *states: InteractionState) -> int:
        return sum(len(self._indexes.campaign_calls.get((campaign, state), ())) for state in states)

    def reached_calls(self) -> list[Interaction]:
        """Of all campaigns: answered, and no agent is with them; oldest first."""
        return [call for id_ in self.state.campaigns for call in self.campaign_calls(id_, InteractionState.REACHED)]

    def callbacks_to(self, readings: Iterable[str]) -> list[Interaction]:
        """Callbacks that have not reached their customer, to a number that has one of these readings; oldest first."""
        return [self.state.interactions[id_] for id_ in self._indexes.callbacks_to(readings)]

    def staff_of(self, queue: str, from_pbx: str) -> int:
        """Members of that queue who are signed in, whatever their state, and in reach of callers on that PBX."""
        return self._indexes.staff_of(queue, from_pbx)

    def staff(self, queue: str, from_pbx: str) -> Iterator[AgentConfig]:
        """The members that `staff_of` counts."""
        for agent_id in self._indexes.members.get(queue, ()):
            config, agent = self.config.agents[agent_id], self.state.agents.get(agent_id)
            is_there = agent is not None and agent.state is not AgentState.LOGGED_OUT
            if is_there and is_in_reach(self.config, from_pbx, config.pbx):
                yield config

    def queued_in(self, queue: str) -> list[Interaction]:
        """Calls that wait there and are not being offered, oldest first."""
        found = (i for i in self.state.interactions.values() if i.queue == queue and i.state is InteractionState.QUEUED)
        return sorted(found, key=lambda i: (i.entered_at_ms, i.id))

    def sync_pool(self) -> Pool:
        """The matching pool, brought up to date with every write so far."""
        return self._indexes.sync(self.now_ms)

    def agent_views(self) -> Iterator[AgentView]:
        """Every configured agent as matching sees him now, for a dry run."""
        return (self._indexes.agent_view(agent_id) for agent_id in self.config.agents)

    def explained(self, decision: Decision) -> Trace:
        """The decision's trace, in a small queue with each member and why he was passed over (ROUTE-17).

        In a large one the trace stays as the pool made it, so that a decision costs the same with any number of agents.
        """
        trace = decision.trace
        members = self._indexes.members.get(trace.queue, ())
        if len(members) > FULLY_EXPLAINED:
            return trace
        views = [self._indexes.agent_view(agent_id) for agent_id in dict.fromkeys((*members, *decision.agent_ids))]
        full = self._indexes.pool.explain(decision.call_id, self.now_ms, views)
        return replace(full, call_key=trace.call_key, call_runner_up=trace.call_runner_up)

    def unavailable_because(self, agent_id: str) -> str:
        """Why this agent takes no offers now, as a stable word; empty when he does (PERM-02, STATE-02, ROUTE-15)."""
        return self._indexes.unavailable_because(agent_id)

    def phone_state(self, agent: AgentConfig) -> PhoneState:
        """His telephone as its PBX last told."""
        return self._indexes.phone_state(agent)

    # ------------------------------------------------------------------ writing

    def new_id(self, prefix: str) -> str:
        return self._ids.make(prefix)

    def put_interaction(self, interaction: Interaction) -> Interaction:
        self._write("i", self.state.interactions, interaction.id, interaction)
        self.effects.interactions.add(interaction.id)
        return interaction

    def update_interaction(self, interaction: Interaction, **changes: Any) -> Interaction:
        changes["version"] = interaction.version + 1
        return self.put_interaction(_INTERACTIONS.copy(interaction, changes))

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
        return self.put_agent(_AGENTS.copy(agent, changes))

    def remove_agent(self, agent_id: str) -> None:
        self._write("a", self.state.agents, agent_id, None)
        self.effects.agents.add(agent_id)

    def put_campaign(self, campaign: CampaignLive) -> CampaignLive:
        self._write("c", self.state.campaigns, campaign.id, campaign)
        self.effects.campaigns.add(campaign.id)
        return campaign

    def remove_campaign(self, campaign_id: str) -> None:
        self._write("c", self.state.campaigns, campaign_id, None)
        self.effects.campaigns.add(campaign_id)

    def put_record(self, record: RecordLive) -> RecordLive:
        self._write("r", self.state.records, record.id, record)
        self.effects.records.add(record.id)
        return record

    def remove_record(self, record_id: str) -> None:
        self._write("r", self.state.records, record_id, None)
        self.effects.records.add(record_id)

    def set_phone(self, pbx: str, phone: str, state: PhoneState) -> None:
        key = phone_key(pbx, phone)
        self._write("p", self.state.phones, key, state)
        self.effects.phones.add(key)
        if owner := self.agent_at_phone(pbx, phone):
            self._indexes.agent_is_stale(owner.id)

    def forget_phone(self, key: str) -> None:
        """Drop the state of a phone that is nobody's; see `phone_key`."""
        self._write("p", self.state.phones, key, None)
        self.effects.phones.add(key)

    def set_link(self, pbx: str, is_up: bool) -> None:
        self._write("l", self.state.links, pbx, is_up)
        self.effects.links.add(pbx)
        for agent in self.config.agents.values():
            if agent.pbx == pbx:
                self._indexes.agent_is_stale(agent.id)
        for interaction in self.interactions_on(pbx):
            self._indexes.call_is_stale(interaction)

    def set_timer(self, key: str, at_ms: int) -> None:
        self._write("t", self.state.timers, key, at_ms)
        self.effects.timers.add(key)

    def clear_timer(self, key: str) -> None:
        if key in self.state.timers:
            self._write("t", self.state.timers, key, None)
            self.effects.timers.add(key)

    def put_figure(self, key: str, figure: Figure | None) -> None:
        """None: it is gone."""
        self._write("f", self.state.figures, key, figure)
        self.effects.figures.add(key)

    def grant_calls(self, calls: int | None) -> None:
        """Replace the share of the data centre's calls."""
        self.state.calls_granted = calls

    def set_config(self, config: Config) -> None:
        """Replace the configuration; indexes are built anew. Live state is not touched."""
        self.state.config = config
        self.effects.config_changed = True
        self._indexes = Indexes(self.state)

    def send(self, command: Command) -> None:
        self.effects.commands.append(command)

    def emit(self, type_: EventType, interaction: Interaction | None = None, agent_id: str = "", **values: Any) -> None:
        """Add an event of now.

        `interaction_id` and `queue` may be given by name when there is no interaction any more.
        """
        about = {"interaction_id": interaction.id, "queue": interaction.queue} if interaction else {}
        about |= {name: values.pop(name) for name in ("interaction_id", "queue") if name in values}
        self.effects.events.append(Event(type=type_, at_ms=self.now_ms, agent_id=agent_id, values=values, **about))
