"""A day through the real core: inputs in the order of virtual time, one `step` for each, as the engine does it.

Who observes is called after every step with the world, the input and its effects, e.g. to compare what the server would
have told a caller at his arrival with how long he really waited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, Protocol

from routing.core.agent import AgentState
from routing.core.config import Config
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.facts import EndedBy, Fact, LegEnded, LinkRestored, PhoneState
from routing.core.orders import ApplyConfig, FinishWrapUp, FireTimer, GoAvailable, GoIdle, Order, SignIn, SignOut
from routing.core.step import Input, step
from routing.core.timers import Due
from routing.core.world import World, WorldState
from routing.sim.brief_world import BriefWorld
from routing.sim.day import HOUR_MS, Day, Fate
from routing.sim.site import Site
from routing.sim.telephone_system import TelephoneSystem
from routing.sim.workload import Caller, DayLaws

RETURN_FROM_RONA_MS = 60_000
LONGEST_TAIL_MS = 6 * HOUR_MS  # after the day's end, for those who still wait
_ONLY_TOLD = f"{Due.MARK.value}:"  # these deadlines tell a PBX of what others may read there
_GOLDEN = 0.6180339887498949  # spreads the rings of one call over its queue's law


class Observer(Protocol):
    def __call__(self, world: World, item: Input, effects: Effects) -> None:
        """Told after each step; must change nothing."""


class Replay:
    """One run. `site`: the configuration, fit for a replay; `callers`: as `workload.draw` gives them."""

    def __init__(self, day: Day, site: Site, laws: DayLaws, observers: Sequence[Observer] = ()) -> None:
        self.world: World = BriefWorld(WorldState(config=Config(tenant=site.config.tenant)))
        self.now_ms = day.starts_at_ms
        self.steps = 0
        self._day, self._site, self._laws, self._observers = day, site, laws, observers
        self._pbx = TelephoneSystem(self._tell_later, self._ring_ms)
        self._agenda: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self._entries = 0
        self._callers: dict[str, Caller] = {}  # by leg
        self._of: dict[str, Caller] = {}  # by interaction
        self._rings: dict[str, int] = {}  # telephones rung, by interaction
        self._unserved: set[str] = set()  # legs of callers whom nobody has answered
        self._counted = 0  # of those who are to be counted
        self._wanted: dict[str, AgentState] = {}  # what agents mean to be
        self._watched: dict[EventType, Callable[[Event], None]] = {
            EventType.INTERACTION_ARRIVED: self._arrived,
            EventType.INTERACTION_CONNECTED: self._connected,
            EventType.INTERACTION_ENDED: self._ended,
            EventType.WRAP_UP_STARTED: self._wraps_up,
            EventType.AGENT_STATE_CHANGED: self._agent_changed,
        }

    def run(self, callers: Sequence[Caller]) -> None:
        """The whole day, until nobody waits who came in it."""
        zero_ms = self._day.starts_at_ms
        begins_ms = min([0, *(c.call.at_ms for c in callers), *(at for _, at, _ in self._site.changes)])
        self.now_ms = zero_ms + begins_ms
        self._open()
        for change in self._site.changes:
            self._at(zero_ms + change[1], self._agent_comes_or_goes, change)
        for caller in callers:
            self._at(zero_ms + caller.call.at_ms, self._calls, caller)
            self._counted += self._day.is_counted(caller.call.at_ms)
        ends_ms = zero_ms + self._day.length_ms
        while self._agenda:
            at_ms, _, do, about = heappop(self._agenda)
            if at_ms >= ends_ms and (not self._counted or at_ms > ends_ms + LONGEST_TAIL_MS):
                self.now_ms = at_ms
                return
            self.now_ms = at_ms
            do(about)

    # ------------------------------------------------------------------ engine

    def _open(self) -> None:
        self._order(ApplyConfig, config=self._site.config)
        for pbx in self._site.config.pbxs:
            phones = {a.phone: PhoneState.FREE for a in self._site.config.agents.values() if a.pbx == pbx}
            self._feed(LinkRestored(pbx=pbx, phones=phones))

    def _at(self, at_ms: int, do: Callable[[Any], None], about: object) -> None:
        self._entries += 1
        heappush(self._agenda, (at_ms, self._entries, do, about))

    def _feed(self, item: Input) -> Effects:
        self.steps += 1
        effects = step(self.world, item, self.now_ms, self.steps)
        timers = self.world.state.timers
        for key in effects.timers:
            if (deadline_ms := timers.get(key)) is not None and not key.startswith(_ONLY_TOLD):
                self._at(max(deadline_ms, self.now_ms), self._fire, key)
        for event in effects.events:
            if watch := self._watched.get(event.type):
                watch(event)
        for observe in self._observers:
            observe(self.world, item, effects)
        for command in effects.commands:
            self._pbx.take(command)
        return effects

    def _fire(self, key: str) -> None:
        deadline_ms = self.world.state.timers.get(key)
        if deadline_ms is not None and deadline_ms <= self.now_ms:
            self._feed(FireTimer(key=key))

    def _order(self, kind: type[Order], **fields: Any) -> bool:
        """Whether it was obeyed."""
        item: Any = kind(order_id=f"ord_{self.steps + 1}", reply_to="what-if", **fields)
        return self._feed(item).replies[0].code == "ok"

    def _tell_later(self, delay_ms: int, fact: Fact) -> None:
        self._at(self.now_ms + delay_ms, self._tell, fact)

    def _tell(self, fact: Fact) -> None:
        if self._pbx.still_happens(fact):
            self._feed(fact)

    def _ring_ms(self, interaction_id: str) -> int:
        caller = self._of.get(interaction_id)
        rung = self._rings[interaction_id] = self._rings.get(interaction_id, -1) + 1
        if caller is None:
            return 0
        known_ms = caller.call.ring_ms if rung == 0 else None
        if known_ms is not None and caller.call.fate is not Fate.ABANDONED:
            return known_ms
        drawn_ms = round(self._laws.of(caller.call.queue).ring.at((caller.luck + rung * _GOLDEN) % 1))
        return drawn_ms if known_ms is None else max(drawn_ms, known_ms + 1)  # it rang on when he gave up

    # ------------------------------------------------------------------ callers

    def _calls(self, caller: Caller) -> None:
        leg_id = caller.call.id
        self._callers[leg_id] = caller
        self._unserved.add(leg_id)
        if caller.patience_ms is not None:
            self._at(self.now_ms + caller.patience_ms, self._gives_up, leg_id)
        self._feed(self._site.arrival(caller.call))
        if self.world.interaction_of(leg_id) is None:
            self._is_over(leg_id)

    def _gives_up(self, leg_id: str) -> None:
        if leg_id in self._unserved:
            self._hangs_up(leg_id)

    def _hangs_up(self, leg_id: str) -> None:
        interaction = self.world.interaction_of(leg_id)
        if interaction is not None:
            self._feed(LegEnded(pbx=interaction.pbx, leg_id=leg_id, ended_by=EndedBy.REMOTE))

    def _arrived(self, event: Event) -> None:
        caller = self._callers.get(str(event.values["leg_id"]))
        if caller is not None:
            self._of[event.interaction_id] = caller

    def _connected(self, event: Event) -> None:
        caller = self._of.get(event.interaction_id)
        if caller is None:
            self._deals_with_another(event)
            return
        self._is_over(caller.call.id)
        handling = caller.handling_by(self._site.pseudonyms.get(event.agent_id, ""))
        self._at(self.now_ms + handling.talk_ms + handling.hold_ms, self._hangs_up, caller.call.id)

    def _deals_with_another(self, event: Event) -> None:
        """What came of a call, e.g. a voicemail, keeps an agent busy as long as a middling call of that queue."""
        interaction = self.world.state.interactions.get(event.interaction_id)
        if interaction is not None and interaction.parties:
            handling = self._laws.of(event.queue).handling(0.5, 0.5)
            leg_id = interaction.customer_leg or interaction.parties[0].leg_id
            self._at(self.now_ms + handling.talk_ms + handling.hold_ms, self._hangs_up, leg_id)

    def _ended(self, event: Event) -> None:
        if caller := self._of.get(event.interaction_id):
            self._is_over(caller.call.id)
        self._rings.pop(event.interaction_id, None)

    def _is_over(self, leg_id: str) -> None:
        """His wait."""
        if leg_id in self._unserved:
            self._unserved.discard(leg_id)
            self._counted -= self._day.is_counted(self._callers[leg_id].call.at_ms)

    # ------------------------------------------------------------------ agents

    def _wraps_up(self, event: Event) -> None:
        caller, deadline_ms = self._of.get(event.interaction_id), event.values["deadline_ms"]
        pseudonym = self._site.pseudonyms.get(event.agent_id, "")
        done_ms = self.now_ms + (caller.handling_by(pseudonym).wrap_up_ms if caller else 0)
        if not isinstance(deadline_ms, int) or done_ms < deadline_ms:
            self._at(done_ms, self._finishes, (event.agent_id, event.interaction_id))

    def _finishes(self, who: tuple[str, str]) -> None:
        agent_id, interaction_id = who
        reason = self._site.wrap_up_reason
        self._order(FinishWrapUp, agent_id=agent_id, interaction_id=interaction_id, reason=reason)

    def _agent_comes_or_goes(self, change: tuple[str, int, str | None]) -> None:
        """`change`: agent, when, and the reason of an idle span, "" for an available one, None for the end."""
        agent_id, _, reason = change
        is_out = self.world.agent(agent_id).state is AgentState.LOGGED_OUT
        if reason is None:
            self._wanted[agent_id] = AgentState.LOGGED_OUT
            self._goes(agent_id)
            return
        self._wanted[agent_id] = AgentState.IDLE if reason else AgentState.AVAILABLE
        if is_out:
            self._order(SignIn, agent_id=agent_id, idle_reason=reason or None)
        elif reason:
            self._order(GoIdle, agent_id=agent_id, reason=reason)
        else:
            self._order(GoAvailable, agent_id=agent_id)

    def _goes(self, agent_id: str) -> None:
        """No further call; and out as soon as he has nothing to finish."""
        agent = self.world.agent(agent_id)
        if self._wanted.get(agent_id) is not AgentState.LOGGED_OUT or agent.state is AgentState.LOGGED_OUT:
            return
        if agent.state is not AgentState.IDLE:
            self._order(GoIdle, agent_id=agent_id, reason=self._site.idle_reason)
        if not self.world.agent(agent_id).engagements:
            self._order(SignOut, agent_id=agent_id)

    def _agent_changed(self, event: Event) -> None:
        wanted = self._wanted.get(event.agent_id)
        if event.values["own_state"] == AgentState.RONA.value:
            self._at(self.now_ms + RETURN_FROM_RONA_MS, self._returns, event.agent_id)
        elif wanted is AgentState.LOGGED_OUT and event.values["state"] == AgentState.IDLE.value:
            self._at(self.now_ms, self._goes, event.agent_id)

    def _returns(self, agent_id: str) -> None:
        if self.world.agent(agent_id).state is AgentState.RONA and self._wanted[agent_id] is AgentState.AVAILABLE:
            self._order(GoAvailable, agent_id=agent_id)
