"""Plays one call through the real core on a virtual clock: no PBX, no agent, no CRM, and no time is lost (FLOW-01)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace

from dialplan.flows.outcome import Outcome
from dialplan.flows.scenario import Script
from dialplan.flows.stage import PBX, Caller, Stage
from dialplan.flows.transcript import Line, Transcript
from routing.core.config import Config, EntryPoint, Pbx, Queue
from routing.core.effects import Effects
from routing.core.facts import EndedBy, Fact, LegArrived, LegEnded, LinkRestored, PhoneState
from routing.core.interaction import TALKING, WAITING
from routing.core.orders import AnyOrder, ApplyConfig, FireTimer, SignIn
from routing.core.step import Input, step
from routing.core.world import World, WorldState

CUSTOMER = "caller"
WAITING_FOR, BUSY = "@waiting.", "@busy."  # entry points and queues of our own, for other callers
_MOST_INPUTS = 5000
_LONGEST_MS = 24 * 3_600_000
_SIGN_IN_MS = 60_000


class CannotPlay(Exception):
    """This call cannot be played; the text says why."""


class TooLong(CannotPlay):
    """The call does not end: the flow goes round for ever, and nobody hangs up."""


class CannotBegin(CannotPlay):
    """What the script says of the world around it cannot be, e.g. an agent whom nobody knows."""


def play(
    config: Config,
    texts: Mapping[tuple[str, str], str],
    script: Script,
    caller: Caller,
    tell: Callable[[Line], None] = lambda _: None,
) -> Outcome:
    """One call from its arrival to its end. `texts`: what a prompt says, by (id, language). Raises CannotPlay."""
    transcript = Transcript(config, texts, tell)
    return _Play(config, script, Stage(script, caller, transcript), transcript).run()


class _Play:
    def __init__(self, config: Config, script: Script, stage: Stage, transcript: Transcript) -> None:
        self._config, self._script, self._stage, self._transcript = _staged(config, script), script, stage, transcript
        self._world = World(WorldState(config=Config(tenant=config.tenant)))
        self._now_ms = script.at_ms - _SIGN_IN_MS
        self._seq = self._number = 0
        self._ahead: list[tuple[int, int, Fact]] = []
        self._is_watched = False

    def run(self) -> Outcome:
        self._set_the_stage()
        self._arrive()
        while not self._transcript.is_over:
            self._next()
        return self._transcript.outcome()

    def _set_the_stage(self) -> None:
        """Agents are where the script says, some talk, and others wait already."""
        self._order(ApplyConfig(order_id=self._id(), config=self._config))
        phones = {agent.phone: PhoneState.FREE for agent in self._config.agents.values()}
        self._give(LinkRestored(pbx=PBX, phones=phones))
        for agent_id in self._script.busy:
            self._order(SignIn(order_id=self._id(), agent_id=agent_id))
            self._other(BUSY + agent_id)
        self._until(self._now_ms + 1000)
        for queue, count in self._script.waiting.items():
            for _ in range(count):
                self._other(WAITING_FOR + queue)
        for agent_id in self._script.available:
            self._order(SignIn(order_id=self._id(), agent_id=agent_id))
        self._until(self._script.at_ms)

    def _other(self, entry_point: str) -> None:
        """Somebody else calls, who goes on waiting or talking."""
        self._give(LegArrived(pbx=PBX, leg_id=self._id(), entry_point=entry_point, ani="+12015550100"))

    def _until(self, at_ms: int) -> None:
        while (due := self._due()) is not None and due[0] <= at_ms:
            self._next()
        self._now_ms = at_ms

    def _arrive(self) -> None:
        script = self._script
        self._is_watched = self._stage.is_open = True
        self._transcript.arrives(script.at_ms, script.entry_point, script.ani)
        self._give(
            LegArrived(
                pbx=PBX,
                leg_id=CUSTOMER,
                entry_point=script.entry_point,
                dnis=script.dnis,
                ani=script.ani,
                ani_name=script.ani_name,
                cad=dict(script.cad),
            )
        )

    def _due(self) -> tuple[int, str] | None:
        """What happens next, and when: the key of a timer of the core, or empty for a fact."""
        timers = self._world.state.timers
        timer = min(((at_ms, key) for key, at_ms in timers.items()), default=None)
        fact = (self._ahead[0][0], "") if self._ahead else None
        return min((due for due in (fact, timer) if due is not None), default=None)

    def _next(self) -> None:
        """The earliest of what happens and what the core has set a deadline for."""
        due = self._due()
        if due is None:
            raise TooLong("nothing is left that could happen")
        self._now_ms = max(self._now_ms, due[0])
        if due[1]:
            self._give(FireTimer(key=due[1]))
        else:
            _at_ms, _number, fact = heapq.heappop(self._ahead)
            if self._stage.still_happens(fact):
                self._give(fact)
        if self._seq > _MOST_INPUTS or self._now_ms - self._script.at_ms > _LONGEST_MS:
            raise TooLong("the call goes on for ever")

    def _give(self, item: Input) -> Effects:
        self._seq += 1
        effects = step(self._world, item, self._now_ms, self._seq)
        if self._is_watched:
            self._transcript.read(effects)
        before = self._transcript.now(self._world)
        for command in effects.commands:
            for delay_ms, fact in self._stage.take(command, self._now_ms, before):
                self._later(delay_ms, fact)
        self._caller(effects)
        return effects

    def _caller(self, effects: Effects) -> None:
        """What he does of his own accord: hang up when he has talked, or waited too long."""
        interaction = self._transcript.now(self._world)
        if interaction is None or interaction.id not in effects.interactions:
            return
        gone = LegEnded(pbx=PBX, leg_id=CUSTOMER, ended_by=EndedBy.REMOTE)
        if interaction.state in TALKING and self._stage.talks_first():
            self._later(self._script.talk_s * 1000, gone)
        elif interaction.state in WAITING and self._stage.waits_first(interaction.waiting_since_ms or 0):
            self._later(self._script.patience_s * 1000, gone)

    def _order(self, order: AnyOrder) -> None:
        """Raises CannotBegin when it is refused."""
        for reply in self._give(replace(order, reply_to="player", actor="player")).replies:
            if reply.code != "ok":
                raise CannotBegin(f"{reply.code}: {reply.detail}")

    def _later(self, delay_ms: int, fact: Fact) -> None:
        self._number += 1
        heapq.heappush(self._ahead, (self._now_ms + delay_ms, self._number, fact))

    def _id(self) -> str:
        self._number += 1
        return f"ord_{self._number}"


def _staged(config: Config, script: Script) -> Config:
    """The configuration on one PBX of ours, with ways in for those who wait or talk before him."""
    has_trunk = any(pbx.dial for pbx in config.pbxs.values())
    pbx = Pbx(id=PBX, kind="simulated", dial="SIM/{number}" if has_trunk else "", prompts="")
    talks = {f"{BUSY}{agent}": Queue(id=BUSY + agent, label=agent) for agent in script.busy}
    ways = {f"{WAITING_FOR}{queue}": queue for queue in script.waiting} | {name: name for name in talks}
    agents = {id_: replace(agent, pbx=PBX) for id_, agent in config.agents.items()}
    for id_ in script.busy:
        if id_ in agents:
            agents[id_] = replace(agents[id_], queues=(*agents[id_].queues, (BUSY + id_, 1)))
    return replace(
        config,
        revision=max(1, config.revision),
        pbxs={PBX: pbx},
        agents=agents,
        queues=config.queues | talks,
        entry_points=config.entry_points | {name: EntryPoint(id=name, queue=queue) for name, queue in ways.items()},
    )
