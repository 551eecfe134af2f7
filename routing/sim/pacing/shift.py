"""One shift, event by event: calls go out when the policy says so, and meet agents or do not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from time import thread_time
from typing import Any

from routing.sim.pacing import presence
from routing.sim.pacing.floor import IDLE, INBOUND, OUT, TALK, WRAP, Agent, Floor
from routing.sim.pacing.inbound import Caller, Inbound
from routing.sim.pacing.ledger import Ledger, Outcome
from routing.sim.pacing.people import Call, People
from routing.sim.pacing.scene import Late, Scene
from routing.sim.pacing.snapshot import MakePolicy, Policy, Snapshot

_Work = Callable[[float, Any], None]


def run_shift(scene: Scene, make: MakePolicy, *, is_timed: bool = False) -> Outcome:
    """Play one shift from a cold start. `is_timed`: take the processor time of every step, in `Outcome.step_s`."""
    return Shift(scene, make(scene.told()), is_timed=is_timed).run()


class Shift:
    """A policy with `sees_all(shift)` is given the shift itself (clairvoyants); one whose `wants_lists` is False gets
    snapshots without lists, which is faster.
    """

    def __init__(self, scene: Scene, policy: Policy, *, is_timed: bool = False) -> None:
        self.scene, self.policy, self._is_timed = scene, policy, is_timed
        self.ledger = Ledger(scene)
        self.counters = self.ledger.counters
        self.people, self.floor = People(scene), Floor(scene.agents, self.ledger.is_logged)
        self.inbound = Inbound(scene)
        self.flying: dict[int, Call] = {}
        self.waiting: OrderedDict[int, Call] = OrderedDict()
        self._agenda: list[tuple[float, int, _Work, Any]] = []
        self._order = 0
        self._tell: Callable[..., None] | None = getattr(policy, "on_event", None)
        self._wants_lists: bool = getattr(policy, "wants_lists", True)
        if attach := getattr(policy, "sees_all", None):
            attach(self)

    def run(self) -> Outcome:
        """Calls under way at the shift's end are played to their own; nothing of that is agents' time."""
        self._open()
        ticks = int(self.scene.shift_s / self.scene.tick_s)
        for tick in range(ticks):
            now = tick * self.scene.tick_s
            self._until(now)
            self._tick(now)
        self._until(self.scene.shift_s)
        self.floor.closes(self.scene.shift_s)
        self._until(inf)
        return self.ledger.outcome()

    def at(self, when: float, work: _Work, subject: Any) -> None:
        """What is due at the same time is done in the order in which it was planned."""
        self._order += 1
        heappush(self._agenda, (when, self._order, work, subject))

    def _until(self, now: float) -> None:
        agenda = self._agenda
        while agenda and agenda[0][0] <= now:
            when, _, work, subject = heappop(agenda)
            work(when, subject)

    def _open(self) -> None:
        for when, number, comes in presence.plan(self.scene):
            self.at(when, self._comes if comes else self._goes, self.floor.agents[number])
        if caller := self.inbound.next(0.0):
            self.at(caller.at, self._calls_in, caller)

    # The policy

    def _tick(self, now: float) -> None:
        snapshot = self.snapshot(now)
        began = thread_time() if self._is_timed else 0.0
        wanted = self.policy.step(now, snapshot)
        if self._is_timed:
            self.ledger.step_s.append(thread_time() - began)
        started = max(0, min(wanted, snapshot.lines_free))
        self.ledger.short_of_lines += max(0, wanted - started)
        for _ in range(started):
            self._starts(now)
        minute = self.ledger.minute(now)
        self.ledger.dialed[minute] += started
        self.ledger.inflight[minute] += len(self.flying)

    def snapshot(self, now: float) -> Snapshot:
        shown, counts = Snapshot(), self.floor.counts
        shown.n_idle, shown.n_talk, shown.n_wrap = counts[IDLE], counts[TALK], counts[WRAP]
        shown.n_inbound, shown.n_logged = counts[INBOUND], self.floor.logged
        shown.n_inflight, shown.live_waiting = len(self.flying), len(self.waiting)
        used = shown.n_inflight + shown.live_waiting + shown.n_talk
        shown.lines_free = max(0, self.scene.most_lines - used)
        shown.counters = dict(self.counters)
        shown.agents, shown.calls, shown.waiting = [], [], []
        if self._wants_lists:
            shown.agents = [(agent.state, now - agent.since) for agent in self.floor.agents if agent.state != OUT]
            shown.calls = [
                (now - call.started, "amd" if call.started + call.answered <= now and call.answered else "ring")
                for call in self.flying.values()
            ]
            shown.waiting = [now - call.started - call.counts for call in self.waiting.values()]
        return shown

    # Calls

    def _starts(self, now: float) -> None:
        call = self.people.next(now)
        self.flying[call.id] = call
        self.counters["dialed"] += 1
        if self._tell:
            self._tell(now, "call_start", {"id": call.id})
        if call.is_person:
            self.at(now + call.answered, self._is_answered, call)
        self.at(now + call.resolves, self._resolves, call)

    def _is_answered(self, now: float, _call: Call) -> None:
        self.ledger.answers(now)

    def _resolves(self, now: float, call: Call) -> None:
        del self.flying[call.id]
        self.counters["resolved"] += 1
        self.counters[call.result] += 1
        if self._tell:
            self._tell(now, "call_result", {"id": call.id, "result": call.result, "elapsed": call.resolves})
        if call.result != "live":
            if call.is_person:
                self.ledger.takes_for_machine(call.started + call.answered)
        elif agent := self.floor.longest_idle():
            self._connects(now, agent, call)
        else:
            self._waits(now, call)

    def _waits(self, now: float, call: Call) -> None:
        self.waiting[call.id] = call
        counts = call.started + call.counts
        self.at(max(now, counts + call.patience), self._hangs_up, call)
        if self.scene.late is Late.MESSAGE:
            self.at(max(now, counts + self.scene.max_wait_s), self._is_let_go, call)

    def _connects(self, now: float, agent: Agent, call: Call) -> None:
        waited = now - call.started - call.counts
        self.counters["connected"] += 1
        if call.is_person:
            self.ledger.connects(call.started + call.answered, waited)
        agent.free_at = now + call.talk + call.wrap_up
        self.floor.moves(agent, TALK, now)
        if self._tell:
            self._tell(now, "connected", {"wait": waited, "agent": agent.number})
        self.at(now + call.talk, self._ends_talk, (agent, call.wrap_up))

    def _hangs_up(self, now: float, call: Call) -> None:
        if self._is_lost(now, call) and call.is_person:
            self.ledger.hangs_up(call.started + call.answered, now - call.started - call.counts)

    def _is_let_go(self, now: float, call: Call) -> None:
        if self._is_lost(now, call) and call.is_person:
            self.ledger.lets_go(call.started + call.answered)

    def _is_lost(self, now: float, call: Call) -> bool:
        if self.waiting.pop(call.id, None) is None:
            return False
        self.counters["abandoned"] += 1
        if self._tell:
            self._tell(now, "abandoned", {})
        return True

    # Agents

    def _ends_talk(self, now: float, work: tuple[Agent, float]) -> None:
        agent, wrap_up = work
        if self._tell and agent.state == TALK:
            self._tell(now, "talk_end", {"agent": agent.number, "seconds": now - agent.since})
        self.ledger.works(agent.since, now)
        self.floor.moves(agent, WRAP, now)
        self.at(now + wrap_up, self._ends_wrap_up, agent)

    def _ends_wrap_up(self, now: float, agent: Agent) -> None:
        if self._tell:
            self._tell(now, "wrap_end", {"agent": agent.number, "seconds": now - agent.since})
        self.ledger.works(agent.since, now)
        self.floor.moves(agent, IDLE, now)
        if agent.wants_out:
            self._logs_out(now, agent)
        else:
            self._serves(now, agent)

    def _serves(self, now: float, agent: Agent) -> None:
        """A free agent takes who waits: inbound callers come first."""
        if caller := self.inbound.takes():
            self._talks_inbound(now, agent, caller)
        elif self.waiting:
            self._connects(now, agent, self.waiting.popitem(last=False)[1])

    def _comes(self, now: float, agent: Agent) -> None:
        if agent.state != OUT:
            agent.wants_out = False
            return
        self.floor.logs_in(agent, now)
        if self._tell:
            self._tell(now, "agent_login", {"agent": agent.number})
        self._serves(now, agent)

    def _goes(self, now: float, agent: Agent) -> None:
        if agent.state == IDLE:
            self._logs_out(now, agent)
        elif agent.state != OUT:
            agent.wants_out = True

    def _logs_out(self, now: float, agent: Agent) -> None:
        self.floor.logs_out(agent, now)
        if self._tell:
            self._tell(now, "agent_logout", {"agent": agent.number})

    # Inbound

    def _calls_in(self, now: float, caller: Caller) -> None:
        self.counters["inbound"] += 1
        if agent := self.floor.longest_idle():
            self._talks_inbound(now, agent, caller)
        else:
            self.inbound.waits(caller)
            self.at(now + caller.patience, self._gives_up, caller)
        if following := self.inbound.next(now):
            self.at(following.at, self._calls_in, following)

    def _talks_inbound(self, now: float, agent: Agent, caller: Caller) -> None:
        agent.free_at = now + caller.talk + caller.wrap_up
        self.floor.moves(agent, INBOUND, now)
        self.at(now + caller.talk, self._ends_talk, (agent, caller.wrap_up))

    def _gives_up(self, _now: float, caller: Caller) -> None:
        self.ledger.inbound_lost += self.inbound.loses(caller)
