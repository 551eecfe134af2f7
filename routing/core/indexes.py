"""What is derived from the state: who owns a leg, how many wait, and the matching pool, kept up with every write."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from routing.core.agent import Agent, AgentState, EngagementState
from routing.core.callback import CallbackState
from routing.core.config import AgentConfig, Config
from routing.core.facts import PhoneState, phone_key
from routing.core.interaction import WAITING, Consult, Interaction, InteractionState, OfferState
from routing.core.matching import AgentView, Pool
from routing.core.matching_types import FreeAgent, ProfileKey, WaitingCall
from routing.core.numbers import all_readings, digits_of, extension_of, readings
from routing.core.reach import Reach, is_in_reach
from routing.core.timers import Due
from routing.core.timers import key as timer_key

if TYPE_CHECKING:
    from routing.core.world import WorldState

_SEEKING = frozenset({InteractionState.CONSULT_REQUESTED, InteractionState.INVITING})


class Indexes:
    """Built from the whole state once, then told of each change.

    `owners`: leg, offer, SetRecording or PlayDigits id -> interaction id. `members`: agents per queue. `waiting`: calls
    per queue which wait or are being offered. `campaign_calls`: calls and seats by
    campaign and state. The pool learns of changes only at `sync`, once per value however often it changed.
    """

    def __init__(self, state: WorldState) -> None:
        self._state, self._config = state, state.config
        self.pool = Pool(state.config)
        self.at_phone = {(a.pbx, a.phone): a for a in state.config.agents.values()}
        self.extensions = _extensions(state.config)
        self._entry_numbers: frozenset[str] | None = None
        self.members = _members(state.config)
        self.owners: dict[str, str] = {}
        self.waiting: Counter[str] = Counter()
        self.customer_calls = 0
        self.supervised: set[str] = set()
        self.campaign_calls: dict[tuple[str, InteractionState], dict[str, None]] = {}
        self._callbacks: dict[str, set[str]] = {}
        self._reach = Reach(state.config)
        self._staff: dict[str, Counter[str]] = {}
        self._talking: Counter[str] = Counter()
        self._working: Counter[ProfileKey] = Counter()
        self._stale_profiles: dict[ProfileKey, None] = {}
        self._dials: list[int] = []
        self._profiles: dict[str, ProfileKey] = {}
        self._preferring: dict[str, dict[str, None]] = {}
        self._calls_in_pool: dict[str, WaitingCall] = {}
        self._agents_in_pool: dict[str, FreeAgent] = {}
        # Dictionaries, not sets: their order is that of the changes, the same in every process and every replay.
        self._stale_calls: dict[str, None] = {}
        self._stale_agents: dict[str, None] = {}
        self._stale_queues: dict[str, None] = {}
        for interaction in state.interactions.values():
            self.interaction_changed(interaction.id, None, interaction)
        for agent in state.agents.values():
            self.agent_changed(agent.id, None, agent)

    # ------------------------------------------------------------------ changes

    def interaction_changed(self, key: str, old: Interaction | None, new: Interaction | None) -> None:
        if old:
            for owned in _owned_by(old):
                self.owners.pop(owned, None)
            self.waiting[old.queue] -= old.state in WAITING and old.is_customer_call
            if old.preferred:
                self._preferring[old.preferred.agent_id].pop(key, None)
            self.customer_calls -= old.is_customer_call
        if new:
            for owned in _owned_by(new):
                self.owners[owned] = key
            self.waiting[new.queue] += new.state in WAITING and new.is_customer_call
            if new.preferred:
                self._preferring.setdefault(new.preferred.agent_id, {})[key] = None
            self.customer_calls += new.is_customer_call
        (self.supervised.add if new and new.supervision else self.supervised.discard)(key)
        self._callback_changed(key, old, new)
        self._campaign_call_changed(key, old, new)
        for interaction in (old, new):
            if interaction:
                self.call_is_stale(interaction)
                if interaction.state is InteractionState.CALLING_AGENT:
                    self._stale_agents |= dict.fromkeys(offer.agent_id for offer in interaction.offers)

    def _campaign_call_changed(self, key: str, old: Interaction | None, new: Interaction | None) -> None:
        was, is_ = ((i.campaign.campaign, i.state) if i and i.campaign else None for i in (old, new))
        if was == is_:
            return
        if was:
            del self.campaign_calls[was][key]
        if is_:
            self.campaign_calls.setdefault(is_, {})[key] = None

    def _callback_changed(self, key: str, old: Interaction | None, new: Interaction | None) -> None:
        was, is_ = (i.callback.number if i and i.callback and i.is_calling_back else "" for i in (old, new))
        if was == is_:
            return
        for reading in readings(was, self._config.numbers) if was else ():
            self._callbacks[reading].discard(key)
            if not self._callbacks[reading]:
                del self._callbacks[reading]
        for reading in readings(is_, self._config.numbers) if is_ else ():
            self._callbacks.setdefault(reading, set()).add(key)

    def callbacks_to(self, found: Iterable[str]) -> list[str]:
        """See World.callbacks_to."""
        return sorted(set().union(*(self._callbacks.get(reading, ()) for reading in found)))

    def agent_changed(self, key: str, old: Agent | None, new: Agent | None) -> None:
        if _state(old) is not _state(new) and key in self._config.agents:
            self._staff_changed(self._config.agents[key], _state(old), _state(new))
        for agent, sign in ((old, -1), (new, 1)):
            for engagement in agent.engagements.values() if agent else ():
                if engagement.state is not EngagementState.WRAP_UP:
                    self._talking[engagement.queue] += sign
                    self._stale_queues[engagement.queue] = None
        self._dials_changed(old.dialed_at_ms if old else (), new.dialed_at_ms if new else ())
        self._stale_agents[key] = None
        if _is_out(old) is not _is_out(new):
            self._stale_calls |= self._preferring.get(key, {})

    def _staff_changed(self, config: AgentConfig, old: AgentState, new: AgentState) -> None:
        signed_in = (new is not AgentState.LOGGED_OUT) - (old is not AgentState.LOGGED_OUT)
        working = (new is AgentState.AVAILABLE) - (old is AgentState.AVAILABLE)
        for queue, _rank in config.queues:
            self._staff.setdefault(queue, Counter())[config.pbx] += signed_in
        if working and self._may_receive(config):
            profile = self._profile(config.id)
            self._working[profile] += working
            self._stale_profiles[profile] = None

    def _may_receive(self, config: AgentConfig) -> bool:
        profile = self._config.profiles.get(config.profile)
        return profile is None or profile.receive_calls

    def _dials_changed(self, old: tuple[int, ...], new: tuple[int, ...]) -> None:
        if old == new:
            return
        for at_ms in old:
            del self._dials[bisect_left(self._dials, at_ms)]
        for at_ms in new:
            insort(self._dials, at_ms)

    @property
    def entry_numbers(self) -> frozenset[str]:
        """See World.entry_numbers. With ten thousand numbers they take tens of ms, once, when one is first dialed."""
        if self._entry_numbers is None:
            numbers = (number for entry in self._config.entry_points.values() for number in entry.numbers)
            self._entry_numbers = all_readings(numbers, self._config.numbers)
        return self._entry_numbers

    def staff_of(self, queue: str, from_pbx: str) -> int:
        """See World.staff_of."""
        staff = self._staff.get(queue, Counter[str]())
        return sum(count for pbx, count in staff.items() if is_in_reach(self._config, from_pbx, pbx))

    def dials_since(self, since_ms: int) -> tuple[int, ...]:
        """See World.dials_since."""
        return tuple(self._dials[bisect_right(self._dials, since_ms) :])

    def agent_is_stale(self, agent_id: str) -> None:
        """Something that matching sees of him changed outside his own value: his phone, his PBX."""
        self._stale_agents[agent_id] = None

    def call_is_stale(self, interaction: Interaction) -> None:
        """Something that matching sees of the call, or of its consult, changed."""
        self._stale_calls[interaction.id] = None
        if interaction.consult:
            self._stale_calls[interaction.consult.id] = None

    # ------------------------------------------------------------------ the pool

    def sync(self, now_ms: int) -> Pool:
        for queue in self._stale_queues:
            self.pool.set_talking(queue, self._talking[queue])
        for profile in self._stale_profiles:
            self.pool.set_working(profile, self._working[profile])
        for agent_id in self._stale_agents:
            self._sync_agent(agent_id)
        for call_id in self._stale_calls:
            self._sync_call(call_id, now_ms)
        self._stale_queues.clear()
        self._stale_profiles.clear()
        self._stale_agents.clear()
        self._stale_calls.clear()
        return self.pool

    def _sync_agent(self, agent_id: str) -> None:
        free = self.agent_view(agent_id).free
        if free == self._agents_in_pool.get(agent_id):
            return
        if free is None:
            self._agents_in_pool.pop(agent_id, None)
            self.pool.remove_agent(agent_id)
        else:
            self._agents_in_pool[agent_id] = free
            self.pool.add_agent(free)

    def _sync_call(self, call_id: str, now_ms: int) -> None:
        interaction = self._state.interactions.get(self.owners.get(call_id, call_id))
        call = self._waiting_call(interaction, call_id, now_ms) if interaction else None
        if call == self._calls_in_pool.get(call_id):
            return
        if call is None:
            self._calls_in_pool.pop(call_id, None)
            self.pool.remove_call(call_id)
        else:
            self._calls_in_pool[call_id] = call
            self.pool.add_call(call)

    # ------------------------------------------------------------------ what matching sees

    def _waiting_call(self, interaction: Interaction, call_id: str, now_ms: int) -> WaitingCall | None:
        """None while it cannot be offered: not waiting, its PBX out of reach, its queue or PBX not configured."""
        if not self._state.links.get(interaction.pbx, False) or interaction.pbx not in self._config.pbxs:
            return None
        if interaction.consult and interaction.consult.id == call_id:
            return self._waiting_consult(interaction, interaction.consult)
        if interaction.state is not InteractionState.QUEUED or interaction.queue not in self._config.queues:
            return None
        if interaction.is_calling_back and not _is_due(interaction):
            return None
        skipped = (s.agent_id for s in interaction.skips if s.until_ms is None or s.until_ms > now_ms)
        return WaitingCall(
            id=interaction.id,
            queue=interaction.queue,
            requires=self._reach.required(interaction.requires, interaction.pbx),
            priority=interaction.priority,
            entered_at_ms=interaction.entered_at_ms,
            skip=frozenset((*skipped, *interaction.excluded)),
            preferred=self._preferred_agent(interaction, now_ms),
        )

    def _preferred_agent(self, interaction: Interaction, now_ms: int) -> str:
        """Whom alone the call waits for; nobody when he is out, takes no calls, or cannot be rung (ROUTE-08).

        It counts as long as its deadline runs, so that there is always something that ends it.
        """
        preferred = interaction.preferred
        if preferred is None or self._state.timers.get(timer_key(Due.PREFER, interaction.id), 0) <= now_ms:
            return ""
        config, agent = self._config.agents.get(preferred.agent_id), self._state.agents.get(preferred.agent_id)
        if config is None or _is_out(agent) or not is_in_reach(self._config, interaction.pbx, config.pbx):
            return ""
        return preferred.agent_id if self._may_receive(config) else ""

    def _waiting_consult(self, interaction: Interaction, consult: Consult) -> WaitingCall | None:
        """A consult that a queue shall answer waits there like a call, behind those that came before it (CONS-04).

        Whom the call must not come back to is not found for it: a completed transfer would bring it back (A21).
        """
        queue = self._config.queues.get(consult.queue)
        if queue is None or interaction.state not in _SEEKING or interaction.offers:
            return None
        return WaitingCall(
            id=consult.id,
            queue=queue.id,
            requires=self._reach.required(queue.requires, interaction.pbx),
            priority=queue.priority,
            entered_at_ms=consult.asked_at_ms,
            skip=frozenset((*consult.skips, *interaction.excluded, *(p.agent_id for p in interaction.parties))),
        )

    def agent_view(self, agent_id: str) -> AgentView:
        """The agent as matching sees him now: free, or why not."""
        profile, why = self._profile(agent_id), self.unavailable_because(agent_id, gives_way=True)
        free = None if why else self._free_agent(agent_id, profile)
        return AgentView(id=agent_id, profile=profile, unavailable_because=why, free=free)

    def unavailable_because(self, agent_id: str, *, gives_way: bool = False) -> str:
        """See World.unavailable_because. `gives_way`: an outdial that does not ring yet is no hindrance (A24)."""
        config, agent = self._config.agents.get(agent_id), self._state.agents.get(agent_id)
        if config is None or agent is None:
            return "removed"
        if not self._may_receive(config):
            return "no_permission"
        if agent.state is not AgentState.AVAILABLE:
            return agent.state.value
        if agent.engagements and not (gives_way and self._gives_way(agent)):
            return agent.shown_state
        if agent.supervising:
            return "supervising"
        if not self._state.links.get(config.pbx, False):
            return "pbx_link_down"
        phone = self.phone_state(config)
        return "" if phone is PhoneState.FREE else f"phone_{phone.value}"

    def _gives_way(self, agent: Agent) -> bool:
        """All that he has is an outdial, his own or a campaign's, that does not even ring at his telephone (OUT-20)."""
        found = [self._state.interactions.get(id_) for id_ in agent.engagements]
        return all(
            i is not None
            and i.kind != "seat"
            and i.state is InteractionState.CALLING_AGENT
            and all(offer.state is OfferState.RESERVED for offer in i.offers)
            for i in found
        )

    def phone_state(self, agent: AgentConfig) -> PhoneState:
        return self._state.phones.get(phone_key(agent.pbx, agent.phone), PhoneState.UNKNOWN)

    def _profile(self, agent_id: str) -> ProfileKey:
        found = self._profiles.get(agent_id)
        if found is None:
            config = self._config.agents.get(agent_id)
            found = (self._reach.skilled(config.skills, config.pbx), config.queues) if config else ((), ())
            self._profiles[agent_id] = found
        return found

    def _free_agent(self, agent_id: str, profile: ProfileKey) -> FreeAgent:
        agent = self._state.agents[agent_id]
        signed_in_ms = max(1, agent.available_since_ms - agent.signed_in_at_ms)
        return FreeAgent(
            id=agent_id,
            profile=profile,
            available_since_ms=agent.available_since_ms,
            last_offer_ms=agent.last_offer_ms,
            occupancy=min(1.0, agent.busy_ms / signed_in_ms),
            order=self._config.agents[agent_id].order,
        )


def _is_due(interaction: Interaction) -> bool:
    return interaction.callback is not None and interaction.callback.state is CallbackState.DUE


def _state(agent: Agent | None) -> AgentState:
    return agent.state if agent else AgentState.LOGGED_OUT


def _is_out(agent: Agent | None) -> bool:
    return _state(agent) is AgentState.LOGGED_OUT


def _extensions(config: Config) -> frozenset[str]:
    """Digits under which the agents' telephones are reached, here and from other PBXs."""
    agents = config.agents.values()
    return (frozenset(extension_of(a.phone) for a in agents) | {digits_of(a.extension) for a in agents}) - {""}


def _members(config: Config) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for agent in config.agents.values():
        for queue, _rank in agent.queues:
            found.setdefault(queue, []).append(agent.id)
    return {queue: tuple(agents) for queue, agents in found.items()}


def _owned_by(interaction: Interaction) -> Iterator[str]:
    calls = (interaction.callback, interaction.campaign)
    if interaction.customer_leg:
        yield interaction.customer_leg
    for offer in interaction.offers:
        yield offer.leg_id
        yield offer.id
    for party in interaction.parties:
        yield party.leg_id
    for asked in interaction.asked_recordings:
        yield asked.command_id
    if interaction.asked_prompt:
        yield interaction.asked_prompt.command_id
    yield from filter(None, (interaction.look_up_id, *(c.check_id for c in calls if c)))
    for digits in interaction.asked_digits:
        yield digits.command_id
    if interaction.consult:
        yield interaction.consult.id
    if interaction.supervision:
        yield interaction.supervision.id
        yield interaction.supervision.leg_id
