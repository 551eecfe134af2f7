"""Plays one call through the real core on a virtual clock: no PBX, no agent, no CRM, and no time is lost (FLOW-01)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace

from dialplan.flows.outcome import Outcome
from dialplan.flows.scenario import Script
from dialplan.flows.stage import PBX, Caller, Stage
from dialplan.flows.transcript import Line, Transcript
from routing.core.config import Config, EntryPoint, Pbx
from routing.core.effects import Effects
from routing.core.facts import EndedBy, Fact, LegArrived, LegEnded, LinkRestored, PhoneState
from routing.core.interaction import TALKING, WAITING
from routing.core.orders import FireTimer, SignIn
from routing.core.step import Input, step
from routing.core.world import World, WorldState

CUSTOMER = "caller"
_BEFORE = "@waiting."  # entry points of our own for those who wait before him
_MOST_INPUTS = 20_000
_LONGEST_MS = 24 * 3_600_000
_SIGN_IN_MS = 60_000
_PAUSE = "Played"  # reason of agents who are signed in and busy


class TooLong(Exception):
    """The call does not end: the flow goes round for ever, and nobody hangs up."""


def play(
    config: Config,
    texts: Mapping[tuple[str, str], str],
    script: Script,
    caller: Caller,
    tell: Callable[[Line], None] = lambda _: None,
) -> Outcome:
    """One call from its arrival to its end. `texts`: what a prompt says, by (id, language). Raises TooLong."""
    transcript = Transcript(config, texts, tell)
    return _Play(config, script, Stage(script, caller, transcript), transcript).run()


class _Play:
    def __init__(self, config: Config, script: Script, stage: Stage, transcript: Transcript) -> None:
        self._config, self._script, self._stage, self._transcript = _staged(config, script), script, stage, transcript
        self._world = World(WorldState(config=self._config))
        self._now_ms = script.at_ms - _SIGN_IN_MS
        self._seq = self._number = 0
        self._ahead: list[tuple[int, int, Fact]] = []
        self._is_watched = False

    def run(self) -> Outcome:
        phones = {agent.phone: PhoneState.FREE for agent in self._config.agents.values()}
        self._give(LinkRestored(pbx=PBX, phones=phones))
        for agent_id in self._script.busy:
            self._give(SignIn(order_id=self._id(), actor="player", agent_id=agent_id, idle_reason=_PAUSE))
        for queue, count in self._script.waiting.items():
            for number in range(count):
                leg_id = f"{_BEFORE}{queue}.{number}"
                self._give(LegArrived(pbx=PBX, leg_id=leg_id, entry_point=_BEFORE + queue, ani="+12015550100"))
        for agent_id in self._script.available:
            self._give(SignIn(order_id=self._id(), actor="player", agent_id=agent_id))
        self._now_ms = self._script.at_ms
        self._arrive()
        while not self._transcript.is_over:
            self._next()
        return self._transcript.outcome()

    def _arrive(self) -> None:
        script = self._script
        self._is_watched = True
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

    def _next(self) -> None:
        """The earliest of what happens and what the core has set a deadline for."""
        timers = self._world.state.timers
        due = min(((at_ms, key) for key, at_ms in timers.items()), default=None)
        if self._ahead and (due is None or self._ahead[0][0] <= due[0]):
            at_ms, _number, item = heapq.heappop(self._ahead)
            self._now_ms = max(self._now_ms, at_ms)
            if self._stage.still_happens(item):
                self._give(item)
        elif due is not None:
            self._now_ms = max(self._now_ms, due[0])
            self._give(FireTimer(key=due[1]))
        else:
            raise TooLong("nothing is left that could happen")
        if self._seq > _MOST_INPUTS or self._now_ms - self._script.at_ms > _LONGEST_MS:
            raise TooLong("the call goes on for ever")

    def _give(self, item: Input) -> None:
        self._seq += 1
        effects = step(self._world, item, self._now_ms, self._seq)
        if self._is_watched:
            self._transcript.read(effects)
        before = self._transcript.now(self._world)
        for command in effects.commands:
            for delay_ms, fact in self._stage.take(command, self._now_ms, before):
                self._later(delay_ms, fact)
        self._caller(effects)

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

    def _later(self, delay_ms: int, fact: Fact) -> None:
        self._number += 1
        heapq.heappush(self._ahead, (self._now_ms + delay_ms, self._number, fact))

    def _id(self) -> str:
        self._number += 1
        return f"ord_{self._number}"


def _staged(config: Config, script: Script) -> Config:
    """The configuration on one PBX of ours, with ways in for those who wait before him."""
    has_trunk = any(pbx.dial for pbx in config.pbxs.values())
    pbx = Pbx(id=PBX, kind="simulated", dial="SIM/{number}" if has_trunk else "", prompts="")
    before = {f"{_BEFORE}{queue}": EntryPoint(id=_BEFORE + queue, queue=queue) for queue in script.waiting}
    return replace(
        config,
        revision=max(1, config.revision),
        pbxs={PBX: pbx},
        agents={id_: replace(agent, pbx=PBX) for id_, agent in config.agents.items()},
        entry_points=config.entry_points | before,
        idle_reasons=(*config.idle_reasons, _PAUSE),
    )
