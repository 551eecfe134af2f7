"""New configurations that lack what calls hang on just now, in any state: nobody is lost, and all ends well."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from routing.core.agent import EngagementState
from routing.core.commands import LookUp, LookUpKind
from routing.core.config import Config, EntryPoint
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.facts import LookedUp
from routing.core.flow import DigitInput, Flow, FlowStep
from routing.core.interaction import InteractionState
from routing.core.orders import ApplyConfig
from routing.core.step import Input
from routing.core.timers import Due, key, parse
from routing.core.treatment import Announcement, Overflow, OverflowCause, OverflowTo
from tests.sim import test_callback_chaos, test_flow_chaos
from tests.sim.hall import Hall
from tests.sim.test_callback_chaos import ANIS, OWED, OwedChaos
from tests.sim.test_chaos import AGENTS, KEYS, ORDERS, OUTSIDERS, PEOPLE, Chaos, Deed
from tests.sim.test_flow_chaos import IN_FLOWS, FlowChaos
from tests.unit.flow_line import flow, say, step

PARTS = ("queues", "flows", "entry_points", "hours", "prompts", "agents", "pbxs")
CHANGES = ("lessen", "lessen", "lessen", "whole", "whole", "whole")
PLACES = ("service", "service", "service", "wait_with_keys", "wait_with_keys")
READY = ("available", "available", "sign_in", "wrap_up")
KINDS = (*OWED, *PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *IN_FLOWS, *IN_FLOWS, *PLACES, *READY, *CHANGES)
WITH_PROMPTS = ("in_flow", "queued", "offered", "listening")

CHOICES = {
    "1": Overflow(to=OverflowTo.CALLBACK),
    "2": Overflow(to=OverflowTo.VOICEMAIL, prompts=say("greeting")),
    "3": Overflow(to=OverflowTo.ENTRY_POINT, target="ivr"),
    "4": Overflow(to=OverflowTo.NUMBER, target="5550"),
    "5": Overflow(to=OverflowTo.QUEUE, target="support"),
}
ANNOUNCED = (
    Announcement(prompts=say("offer"), after_s=1, every_s=4, timeout_s=1, keys=CHOICES),
    Announcement(prompts=say("sorry"), after_s=2),
)
SERVICE = flow(
    "service",
    hours=step("hours", hours="minutes", open="offer", closed="mail"),
    offer=step(
        "callback",
        queue="sales",
        prompts=["offer"],
        input=DigitInput(timeout_s=2, attempts=2),
        accepted="wait",
        declined="mail",
        not_possible="wait",
    ),
    wait=step("queue", queue="sales", timeout="mail"),
    mail=step("voicemail", queue="support", max_s=20, silence_s=3, recorded="sub", empty="offer"),
    sub=step("sub_flow", flow="question", yes="wait", no="bye"),
    bye=step("hang_up", prompts=["goodbye"]),
)


def centre() -> Config:
    """What the centers of the other tests have, and overflow, announcements and hours besides."""
    base, other = test_flow_chaos.centre(), test_callback_chaos.centre()
    kept = {
        "sales": {OverflowCause.TIMEOUT: Overflow(to=OverflowTo.VOICEMAIL)},
        "support": {OverflowCause.TIMEOUT: Overflow(to=OverflowTo.ENTRY_POINT, target="desk")},
        "team": {
            OverflowCause.FULL: Overflow(to=OverflowTo.CALLBACK),
            OverflowCause.NO_AGENTS: Overflow(to=OverflowTo.QUEUE, target="sales"),
        },
    }
    queues = {
        id_: replace(other.queues[id_], overflow=overflow, announcements=ANNOUNCED) for id_, overflow in kept.items()
    }
    queues["sales"] = replace(queues["sales"], max_wait_s=25, hours="minutes")
    points = {"mailbox": other.entry_points["mailbox"], "service": EntryPoint(id="service", queue="", flow="service")}
    return replace(
        base,
        queues=queues,
        entry_points=base.entry_points | points,
        flows=base.flows | other.flows | {"service": SERVICE},
        hours=other.hours,
        callbacks=other.callbacks,
    )


class Reconfigured(FlowChaos, OwedChaos):
    """The laws of the other tests compare with the configuration of the moment; these hold whatever is left of it."""

    def __init__(self, seed: int) -> None:
        Chaos.__init__(self, seed, centre())
        self.whole, self.random, self.worse = centre(), Random(seed), 0
        self.outside += [node.pbx.add_phone(f"OUT/{ani}@trunk") for node in self.nodes for ani in ANIS[:-1]]
        self.hall.outside = self.answer
        self.hall.observers = [_nothing_is_lost]

    def answer(self, question: LookUp) -> tuple[LookedUp, int] | None:
        kind = OwedChaos if question.kind is LookUpKind.DO_NOT_CALL else FlowChaos
        return kind.answer(self, question)

    # ------------------------------------------------------------------ deeds

    def do_service(self, deed: Deed) -> None:
        self._enter("service", deed)

    def do_wait_with_keys(self, deed: Deed) -> None:
        self._enter(("sales", "support", "team")[deed.much % 3], deed)

    def do_whole(self, _deed: Deed) -> None:
        self.hall.order(ApplyConfig, config=self.whole)

    def do_lessen(self, deed: Deed) -> None:
        """Something is gone, or another step stands in its place."""
        config = self.hall.world.config
        for _ in range(1 + deed.which % 3):
            name = self.random.choice((*PARTS, "step", "cad"))
            if name == "step":
                config = replace(config, flows=self._with_other_step(config.flows))
            elif name == "cad":
                config = replace(config, cad=())
            elif left := dict(getattr(config, name)):
                left.pop(self.random.choice(sorted(left)))
                changes: dict[str, Any] = {name: left}
                config = replace(config, **changes)
        self.hall.order(ApplyConfig, config=config)

    def _with_other_step(self, flows: dict[str, Flow]) -> dict[str, Flow]:
        if not flows:
            return flows
        found = flows[self.random.choice(sorted(flows))]
        steps: dict[str, FlowStep] = dict(found.steps)
        name = self.random.choice(sorted(steps))
        steps[name] = replace(self.random.choice(list(steps.values())), id=name)
        return {**flows, found.id: replace(found, steps=steps)}

    # ------------------------------------------------------------------ agents who may be gone

    def _phone(self, deed: Deed) -> Any:
        return self.hall.phone_of(self.whole.agents[AGENTS[deed.which % len(AGENTS)]])

    def _is_there(self, deed: Deed) -> bool:
        agent_id = AGENTS[deed.which % len(AGENTS)]
        return agent_id in self.hall.world.state.agents and agent_id in self.hall.world.config.agents

    def _on_call(self, kind: type, deed: Deed, **fields: Any) -> None:
        if self._is_there(deed):
            super()._on_call(kind, deed, **fields)

    def do_control(self, deed: Deed) -> None:
        if self._is_there(deed):
            super().do_control(deed)

    def check_recordings(self) -> None:
        """Who was removed from the configuration meanwhile is recorded as his profile said."""

    def close(self) -> None:
        """Private calls are over, too."""
        phones = [phone for node in self.nodes for phone in node.pbx.phones.values() if phone.live]
        for phone in phones:
            if phone.live and phone.live.leg_id in self._home(phone).channels:
                self._hang_up(phone.live)
        self.hall.run(500)
        super().close()


def _nothing_is_lost(hall: Hall, _item: Input, _effects: Effects) -> None:
    """An observer: deadlines and agents belong to calls that there are, and every call waits for something."""
    interactions, agents, timers = hall.world.state.interactions, hall.world.state.agents, hall.world.state.timers
    for timer in timers:
        _, interaction_id, agent_id = parse(timer)
        is_engaged = agent_id in agents and interaction_id in agents[agent_id].engagements
        assert interaction_id in interactions or is_engaged, f"a deadline of nobody: {timer}"
    for agent in agents.values():
        for interaction_id, engagement in agent.engagements.items():
            found = interactions.get(interaction_id)
            partners = [o.agent_id for o in found.offers] + [p.agent_id for p in found.parties] if found else []
            assert engagement.state is EngagementState.WRAP_UP or agent.id in partners, f"engaged with nothing: {agent}"
    for interaction in interactions.values():
        asked = interaction.asked_prompt
        assert (asked is not None) == (key(Due.PROMPT, interaction.id) in timers), interaction
        assert asked is None or interaction.state in WITH_PROMPTS, interaction
        assert bool(interaction.look_up_id) == (key(Due.LOOK_UP, interaction.id) in timers), interaction
        if interaction.state is InteractionState.IN_FLOW and hall.world.is_linked(interaction.pbx):
            assert bool(asked) + bool(interaction.look_up_id) == 1, f"lost in its flow: {interaction}"
        for offer in interaction.offers:
            assert timers[key(Due.OFFER, interaction.id, offer.agent_id)] == offer.deadline_ms, interaction


def plan_of(random: Random) -> list[Deed]:
    plan: list[Deed] = []
    for _ in range(120):
        plan.append(Deed(random.choice(KINDS), random.randint(0, 7), random.randint(0, 7)))
        if random.random() < 0.5:
            plan.append(Deed("wait", 0, random.choice((0, 1, 2, 40, 500, 3_000, 7_000, 25_000))))
    return plan


@pytest.mark.req("OPS-02", "FLOW-01", "CBQ-09", "SAFE-02")
def test_whatever_a_new_configuration_lacks_no_call_and_no_agent_is_stuck() -> None:
    told: Counter[EventType] = Counter()
    for seed in range(24):
        chaos = Reconfigured(seed)
        chaos.carry_out(plan_of(Random(seed)))
        chaos.do_whole(Deed("whole"))
        chaos.mend()
        chaos.close()
        chaos.check_replay()
        told += Counter(event.type for event in chaos.hall.events)
    for type_ in (
        EventType.FLOW_LEFT,
        EventType.QUEUE_OVERFLOWED,
        EventType.CALLBACK_GIVEN_UP,
        EventType.VOICEMAIL_LEFT,
    ):
        assert told[type_] > 10, f"too few of {type_}: {told}"
